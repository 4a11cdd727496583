# SPDX-License-Identifier: GPL-2.0-only
CHECKS += tests/scale/scale

tests/scale/scale: $(B)/tests/crowd $(B)/sockwarden

CROWD := $(patsubst %.c,$(B)/%.o,$(wildcard tests/scale/*.c))

$(B)/tests/scale/%.o: tests/scale/%.c Makefile | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -MMD -MP -c $< -o $@

$(B)/tests/crowd: $(CROWD)
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ -o $@

soak: soak-scale
soak-scale: tests/scale/scale
	tests/scale/scale 100000 50 20 30
.PHONY: soak-scale
