# SPDX-License-Identifier: GPL-2.0-only
# Every folder of tests brings its own rules, and adds to CHECKS the programs that print TAP.
CHECKS :=

include $(wildcard tests/*/*.mk)

##@ check: build and run every test; ends with a line 'N passed, N failed'
check: deps-check $(B)/sockwarden $(CHECKS)
	SOCKWARDEN_PATH=share tests/run $(CHECKS)
