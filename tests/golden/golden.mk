# SPDX-License-Identifier: GPL-2.0-only
# The policy language, by example: every text beside a policy is what it must come to.

GOLDEN := $(B)/tests/golden/golden
CHECKS += $(GOLDEN)

.PHONY: golden

$(GOLDEN): tests/golden/golden.c $(B)/pure.a Makefile
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) -MMD -MP -MF $@.d $< $(B)/pure.a -lyaml -o $@

##@ golden: write the expected texts of tests/golden anew; read the difference before committing it
golden: $(GOLDEN)
	$(GOLDEN) --write
