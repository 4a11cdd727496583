# SPDX-License-Identifier: GPL-2.0-only
CHECKS += tests/e2e/all

tests/e2e/all: $(B)/tests/reach $(B)/tests/foreign.bpf.o $(B)/tests/faults.so $(B)/sockwarden

$(B)/tests/reach: tests/e2e/reach.c | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $< -o $@

$(B)/tests/foreign.bpf.o: tests/e2e/foreign.bpf.c | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,BPF)
	$(CLANG) $(BPF_CFLAGS) -Ivmlinux/$(ARCH) -c $< -o $@

CHECKS += tests/e2e/swaps

tests/e2e/swaps: $(B)/tests/swap

$(B)/tests/swap: tests/e2e/swap.c $(TENANCY) $(KERN) $(LEDGER) $(B)/pure.a
	@mkdir -p $(@D)
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ $(LIBS) -o $@

CHECKS += tests/e2e/ledger

tests/e2e/ledger: $(B)/tests/truth $(B)/tests/faults.so $(B)/sockwarden

$(B)/tests/truth: tests/e2e/truth.c | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $< -o $@

# Not fortified: it defines the calls that others make
$(B)/tests/faults.so: tests/e2e/faults.c | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -U_FORTIFY_SOURCE -fPIC -shared $< -o $@

CHECKS += tests/e2e/upgrade

VARIANTS := $(foreach name,same layout meter,$(B)/upgrade/$(name)/build/sockwarden)

tests/e2e/upgrade: $(B)/tests/truth $(B)/sockwarden $(VARIANTS)

$(VARIANTS): $(B)/upgrade/%/build/sockwarden: tests/e2e/variant $(B)/sockwarden
	$(call say,VARIANT)
	+tests/e2e/variant $*

soak: soak-swaps soak-ledger soak-upgrade
soak-upgrade: tests/e2e/upgrade
	tests/e2e/upgrade 1
soak-ledger: tests/e2e/ledger
	tests/e2e/ledger 1000
soak-swaps: $(B)/tests/swap
	tests/e2e/swaps 10000
.PHONY: soak-swaps soak-ledger soak-upgrade
