# SPDX-License-Identifier: GPL-2.0-only
# The forms of usage, by example: the files beside this one are what some rows must come to. And the command.

USAGE_FORMS := $(B)/tests/usage/forms
CHECKS += $(USAGE_FORMS) tests/usage/all

tests/usage/all: $(B)/sockwarden $(B)/tests/ledger/seeds

.PHONY: golden-usage

$(USAGE_FORMS): tests/usage/forms.c $(B)/pure.a Makefile
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) -MMD -MP -MF $@.d $< $(B)/pure.a -lyaml -o $@

##@ golden-usage: write the expected texts of tests/usage anew; read the difference before committing it
golden-usage: $(USAGE_FORMS)
	$(USAGE_FORMS) --write
