# SPDX-License-Identifier: GPL-2.0-only
# Fuzz targets, with libFuzzer and the sanitizers. What a run finds beyond the seeds stays in build/fuzz.

FUZZ_SECONDS ?= 600
FUZZ_CFLAGS := $(filter-out -D_FORTIFY_SOURCE=2 -fPIE,$(SW_CFLAGS)) -O1 -g -fno-omit-frame-pointer \
	-fno-sanitize-recover=undefined
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))

CHECKS += tests/fuzz/run
check: $(FUZZERS)

.PHONY: fuzz

$(B)/fuzz/user/%.o: user/%.c Makefile tests/fuzz/fuzz.mk | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,FUZZCC)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@

$(B)/fuzz/ledger: $(patsubst $(B)/%,$(B)/fuzz/%,$(LEDGER))

# Ledgers to begin with are no files of the tree
$(B)/fuzz/ledger: | $(B)/fuzz/seeds/ledger
$(B)/fuzz/seeds/ledger: $(B)/tests/ledger/seeds
	$(call say,SEEDS)
	rm -rf $@
	mkdir -p $@
	$< $@

$(FUZZERS): $(B)/fuzz/%: tests/fuzz/%.c $(patsubst $(B)/%,$(B)/fuzz/%,$(call objects,$(PURE)))
	$(call say,FUZZLD)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined -MMD -MP -MF $@.d $(filter %.c %.o,$^) -lsqlite3 -lyaml -o $@

##@ fuzz: run every fuzz target for FUZZ_SECONDS (default 600)
fuzz: $(FUZZERS)
	tests/fuzz/run $(FUZZ_SECONDS)

soak: fuzz
