# SPDX-License-Identifier: GPL-2.0-only
# The tests: programs that print TAP, by what they need. `tests/run` runs them and counts.

# ---- programs in C -----------------------------------------------------------------------------------------

# program NAME,SOURCES,OBJECTS,LIBRARIES: build/tests/NAME
define program_rule
$(B)/tests/$(1): $(patsubst %.c,$(B)/%.o,$(wildcard $(2))) $(3)
$(B)/tests/$(1): private TEST_LIBS := $(4)
TEST_PROGRAMS += $(B)/tests/$(1)
endef
program = $(eval $(call program_rule,$(strip $(1)),$(2),$(3),$(4)))
# programs FOLDER,NAMES,...: each of its own source there, build/tests/FOLDER/NAME
programs = $(foreach name,$(2),$(call program,$(1)/$(name),tests/$(1)/$(name).c,$(3),$(4)))
sources = $(patsubst $(1)/%.c,%,$(wildcard $(1)/*.c))

UNIT := $(call sources,tests/pure/unit)
LEDGER_TESTS := book file query limit property damaged prune
NETLINK := $(addprefix $(B)/user/kern/,feature.o netns.o sock_diag.o) $(B)/pure.a
WHOLE := $(TENANCY) $(KERN) $(LEDGER) $(CLIENT) $(B)/pure.a

$(call programs,pure/unit,$(UNIT),$(CLIENT) $(B)/pure.a,-lcmocka -lyaml)
$(call programs,pure/ledger,$(LEDGER_TESTS),$(B)/tests/pure/ledger/failing.o $(LEDGER) $(B)/pure.a,-Xlinker --wrap=statfs -lsqlite3 -lyaml -lcmocka)
$(call programs,box/kern,netns sock_diag,$(NETLINK),-lcmocka)
$(call programs,box/kern,slots grants carry share worker,$(WHOLE),$(LIBS) -lcmocka)
$(call program,policy-texts,tests/pure/golden/*.c,$(B)/pure.a,-lyaml)
$(call program,usage-texts,tests/pure/usage/*.c,$(B)/pure.a,-lyaml)
$(call program,ledger-cost,tests/pure/ledger/cost.c,$(B)/tests/pure/ledger/failing.o $(LEDGER) $(B)/pure.a,-Xlinker --wrap=statfs -lsqlite3 -lyaml -lcmocka)
$(call program,seeds,tests/pure/ledger/seeds.c,$(LEDGER) $(B)/pure.a,-lsqlite3 -lyaml -lcmocka)
$(call program,reach,tests/box/e2e/reach.c)
$(call program,truth,tests/box/e2e/truth.c)
$(call program,swap,tests/box/e2e/swap.c,$(WHOLE),$(LIBS))
$(call program,verdicts,tests/box/lab/verdicts.c,$(WHOLE),$(LIBS))
$(call program,standin-daemon,tests/box/exporter/*.c,$(CLIENT) $(B)/pure.a)
$(call program,probe,tests/box/lab/probe/*.c,$(B)/pure.a)
$(call program,traffic,tests/box/lab/traffic/*.c)
$(call program,counter,tests/box/lab/counter.c)
$(call program,crowd,tests/box/scale/*.c)
$(call program,zone,tests/box/names/zone/*.c)
$(call program,accept,tests/box/names/accept.c)
$(call program,pairs,tests/box/names/clients/pairs.c)
$(call program,guess,tests/box/names/guess.c)
$(call program,ask,tests/box/names/clients/ask.c)
$(call program,attacks/hold,tests/box/attacks/programs/*.c)
$(call program,measure,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)),$(WHOLE),$(LIBS))

$(B)/tests/%.o: tests/%.c Makefile tests/tests.mk | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -MMD -MP -c $< -o $@

$(TEST_PROGRAMS):
	@mkdir -p $(@D)
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ $(TEST_LIBS) -o $@

$(B)/tests/%.bpf.o: tests/%.bpf.c | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,BPF)
	$(CLANG) $(BPF_CFLAGS) -Wno-unused-parameter -D__TARGET_ARCH_$(TARGET_$(ARCH)) -Ivmlinux/$(ARCH) -idirafter /usr/include/$(ARCH)-linux-gnu -c $< -o $@

# Not fortified: it defines the calls that others make
$(B)/tests/faults.so: tests/box/e2e/faults.c | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -U_FORTIFY_SOURCE -fPIC -shared $< -o $@

# Other builds of this tree, which take over from one another
VARIANTS := $(foreach name,same layout meter fewer one,$(B)/upgrade/$(name)/build/sockwarden)
$(VARIANTS): $(B)/upgrade/%/build/sockwarden: tests/box/e2e/variant $(B)/sockwarden
	$(call say,VARIANT)
	+tests/box/e2e/variant $*

# Debian packages of this tree, and of such builds
PACKAGES := $(B)/package/.built
$(PACKAGES): tests/machine/package/build $(wildcard debian/*) $(BUILT) $(PAGES) $(COMPLETIONS) $(filter %/same/build/sockwarden %/layout/build/sockwarden,$(VARIANTS))
	$(call say,PACKAGE)
	+tests/machine/package/build
	@touch $@

# With the distribution's packages of Go libraries; what Go keeps is not in a home, for there may be none
GO_BUILD = CGO_ENABLED=0 GO111MODULE=off GOCACHE=$(abspath $(B))/go GOPATH=/usr/share/gocode go build
GO_CLIENTS := $(B)/tests/box/clients/fetch $(B)/tests/box/clients/fetch3
$(GO_CLIENTS): $(B)/tests/box/clients/%: tests/box/clients/programs/%.go
	@mkdir -p $(@D)
	$(call say,GO)
	$(GO_BUILD) -o $@ $<

# Only unpacked: installing it would turn the host's resolv.conf into a link to it, or change its nsswitch.conf
RESOLVED := $(addprefix $(B)/tests/box/names/,resolved libnss_resolve.so.2)
$(B)/tests/box/names/resolved:
	@mkdir -p $(@D)
	$(call say,FETCH)
	tests/box/names/unpack systemd-resolved lib/systemd/systemd-resolved $@
$(B)/tests/box/names/libnss_resolve.so.2:
	@mkdir -p $(@D)
	$(call say,FETCH)
	tests/box/names/unpack libnss-resolve usr/lib/$(ARCH)-linux-gnu/libnss_resolve.so.2 $@
NAMES_CLIENTS := $(addprefix $(B)/tests/box/names/pairs-,musl go)
$(B)/tests/box/names/pairs-musl: tests/box/names/clients/pairs.c
	@mkdir -p $(@D)
	$(call say,MUSL)
	musl-gcc -static -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror $< -o $@
$(B)/tests/box/names/pairs-go: tests/box/names/clients/pairs.go
	@mkdir -p $(@D)
	$(call say,GO)
	$(GO_BUILD) -o $@ $<

# ---- fuzz targets, with libFuzzer and the sanitizers: what a run finds beyond the seeds stays in build/fuzz ------

FUZZ_CFLAGS := $(filter-out -D_FORTIFY_SOURCE=2 -fPIE,$(SW_CFLAGS)) -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined
FUZZERS := $(addprefix $(B)/fuzz/bin/,$(call sources,tests/pure/fuzz))

$(B)/fuzz/user/%.o: user/%.c Makefile tests/tests.mk | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,FUZZCC)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@

$(FUZZERS): $(B)/fuzz/bin/%: tests/pure/fuzz/%.c $(patsubst $(B)/%,$(B)/fuzz/%,$(call objects,$(PURE)))
	@mkdir -p $(@D)
	$(call say,FUZZLD)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined -MMD -MP -MF $@.d $(filter %.c %.o,$^) -lsqlite3 -lyaml $(FUZZ_LIBS) -o $@

$(B)/fuzz/bin/dns: private FUZZ_LIBS := -lcares

# Ledgers to begin with are no files of the tree
$(B)/fuzz/bin/ledger: $(patsubst $(B)/%,$(B)/fuzz/%,$(LEDGER)) | $(B)/fuzz/seeds/ledger
$(B)/fuzz/seeds/ledger: $(B)/tests/seeds
	$(call say,SEEDS)
	rm -rf $@
	mkdir -p $@
	$< $@

# ---- what is checked, by what it needs --------------------------------------------------------------------------

# Nothing
PURE_CHECKS := $(addprefix $(B)/tests/,$(UNIT:%=pure/unit/%) $(LEDGER_TESTS:%=pure/ledger/%) policy-texts usage-texts) \
	tests/pure/usage/command.bats tests/pure/usage/check.bats tests/pure/usage/prune.bats tests/pure/explain.bats tests/pure/allow.bats tests/pure/extends.bats tests/pure/sets.bats tests/pure/schema tests/pure/calls.bats tests/pure/source.bats tests/pure/manual.bats tests/pure/fuzz/run
# Root, and a box
BOX_CHECKS := tests/box/build.bats tests/box/usage.bats $(filter $(B)/tests/box/kern/%,$(TEST_PROGRAMS)) \
	tests/box/lab/policy tests/box/lab/agree tests/box/lab/verdicts tests/box/lab/verdicts-one tests/box/lab/bytes \
	$(addprefix tests/box/idle/,timeline final transfers causes states namespaces unseen reap runtimes) \
	$(sort $(wildcard tests/box/e2e/*.bats)) tests/box/e2e/swaps tests/box/e2e/ledger tests/box/e2e/upgrade tests/box/exporter/all tests/box/scale/scale tests/box/clients/all \
	$(addprefix tests/box/names/,pairs resolvers changes hostile attacks) \
	$(addprefix tests/box/attacks/,reaper uses outside hooks edges commands.bats)
# A machine with systemd
MACHINE_CHECKS := tests/machine/systemd/all tests/machine/containers/all tests/machine/install/all tests/machine/package/all tests/machine/readme/all
# Programs that need some ten minutes in all under emulation
KERNEL_CHECKS := tests/machine/kernels/e2e tests/box/lab/policy tests/box/idle/timeline tests/box/idle/final tests/box/idle/states tests/box/idle/causes tests/box/idle/unseen tests/box/names/pairs tests/box/names/hostile

BOX_NEEDS := $(BUILT) $(filter-out %/measure %/ledger-cost,$(TEST_PROGRAMS)) $(B)/tests/faults.so $(B)/tests/box/e2e/foreign.bpf.o $(GO_CLIENTS) $(NAMES_CLIENTS) $(RESOLVED) $(VARIANTS) $(PACKAGES)
PURE_NEEDS := $(BUILT) $(PAGES) $(COMPLETIONS) $(filter $(B)/%,$(PURE_CHECKS)) $(B)/tests/seeds $(FUZZERS)

.PHONY: check-build check-pure kernels golden fuzz soak-swaps soak-ledger soak-upgrade soak-scale soak-names soak-attacks soak-slices soak-state soak-newcomer soak-package

##@ check-build: what the tests need, to run one of them by hand
check-build: deps-check
	+$(MAKE) --no-print-directory -j$(shell nproc) $(PURE_NEEDS) $(BOX_NEEDS)

# Each in a box of its own; the longest come first, or they would come last alone
TESTS_AT_ONCE ?= 3
LONG_CHECKS := tests/box/e2e/state.bats tests/box/lab/policy tests/box/e2e/upgrade
##@ check: build and run every test; ends with a line 'N passed, N failed'
check: check-build
	SOCKWARDEN_PATH=share FUZZ_SECONDS=5 TESTS_AT_ONCE=$(TESTS_AT_ONCE) tests/run $(LONG_CHECKS) $(PURE_CHECKS) \
		$(filter-out $(LONG_CHECKS),$(BOX_CHECKS)) $(MACHINE_CHECKS)

##@ check-pure: the tests that need no root, in under a minute
check-pure: deps-pure $(PURE_NEEDS)
	SOCKWARDEN_PATH=share FUZZ_SECONDS=1 tests/run $(PURE_CHECKS)

##@ kernels: run part of the tests under other kernels, in QEMU (KERNELS='6.1 6.12 newest'); kept in build/kernels
KERNELS ?= 6.1 6.12 newest
kernels: deps-kernels $(BOX_NEEDS)
	tests/machine/kernels/run $(KERNELS) -- env SOCKWARDEN_PATH=share NAMES_PAIRS=50 NAMES_GUESSES=1000 tests/run $(KERNEL_CHECKS)
	$(if $(word 2,$(KERNELS)),tests/machine/kernels/kept $(KERNELS))

##@ golden: write the expected texts of policies and of usage anew; read the difference before committing it
golden: $(B)/tests/policy-texts $(B)/tests/usage-texts
	$(B)/tests/policy-texts --write
	$(B)/tests/usage-texts --write

##@ fuzz: run every fuzz target for FUZZ_SECONDS (default 600)
FUZZ_SECONDS ?= 600
fuzz: $(FUZZERS)
	tests/pure/fuzz/run $(FUZZ_SECONDS)

##@ bench: what a policy costs, as Markdown (needs root; BENCH_SECONDS=240, BENCH_ONLY='hooks peers names memory life loading passes tenants')
# How long hooks and peers are measured; the rest takes six minutes more
BENCH_SECONDS ?= 240
BENCH_BPF := $(addprefix $(B)/tests/bench/,empty.bpf.o passes.bpf.o)
bench: deps-bench $(BUILT) $(B)/tests/measure $(BENCH_BPF) $(B)/tests/crowd
	SOCKWARDEN_PATH=share BENCH_PASSES=$(lastword $(BENCH_BPF)) BENCH_CROWD=$(B)/tests/crowd tests/bench/bench \
		$(B)/sockwarden $(B)/tests/measure $(firstword $(BENCH_BPF)) $(BENCH_SECONDS)

soak: fuzz kernels soak-ledger soak-swaps soak-upgrade soak-scale soak-names soak-attacks soak-slices soak-state soak-newcomer soak-package
soak-ledger: $(BOX_NEEDS)
	tests/box/e2e/ledger 1000
soak-swaps: $(BOX_NEEDS)
	tests/box/e2e/swaps 10000
soak-upgrade: $(BOX_NEEDS)
	tests/box/e2e/upgrade 1
soak-scale: $(BOX_NEEDS)
	tests/box/scale/scale 100000 50 20 30
soak-names: $(BOX_NEEDS)
	tests/box/names/pairs 100000
# Each for ten minutes
soak-attacks: $(BOX_NEEDS)
	ATTACKS_SECONDS=600 ATTACKS_IDLE=10s ATTACKS_SPACES=12000 ATTACKS_TASKS=1000 tests/box/attacks/reaper
# 200 starts and more of each kind
soak-slices: $(BOX_NEEDS)
	SLICES_ROUNDS=25 tests/machine/systemd/all
# Every call fails once, and every call is the last once
soak-state: $(BOX_NEEDS)
	SOCKWARDEN_PATH=share EVERY=1 tests/box/e2e/state.bats
soak-newcomer: deps-newcomer
	tests/machine/newcomer/run source
	tests/machine/newcomer/run packages bookworm
	tests/machine/newcomer/run packages trixie
# From clones, with one plain command each; then as in `check`
soak-package: deps-package $(BOX_NEEDS)
	tests/machine/package/build --whole
	tests/machine/package/all
