# SPDX-License-Identifier: GPL-2.0-only
# How long hooks and traffic are measured; the rest takes five minutes more.
BENCH_SECONDS ?= 150

BENCH := $(patsubst %.c,$(B)/%.o,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))

$(B)/tests/bench/%.o: tests/bench/%.c Makefile | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -MMD -MP -c $< -o $@

$(B)/tests/bench/empty.bpf.o: tests/bench/empty.bpf.c | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,BPF)
	$(CLANG) -g -O2 -target bpf -Wall -Werror -idirafter /usr/include/$(ARCH)-linux-gnu -c $< -o $@

$(B)/tests/bench/passes.bpf.o: tests/bench/passes.bpf.c | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,BPF)
	$(CLANG) $(BPF_CFLAGS) -D__TARGET_ARCH_$(TARGET_$(ARCH)) -Ivmlinux/$(ARCH) -c $< -o $@

$(B)/tests/bench/measure: $(BENCH) $(TENANCY) $(KERN) $(LEDGER) $(CLIENT) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ $(LIBS) -o $@

##@ bench: what a policy costs, as Markdown (needs root; BENCH_SECONDS=150, BENCH_ONLY='hooks traffic life loading passes tenants')
bench: $(B)/sockwarden $(B)/sockwarden-exporter $(B)/tests/bench/measure $(B)/tests/bench/empty.bpf.o \
		$(B)/tests/bench/passes.bpf.o $(B)/tests/crowd
	SOCKWARDEN_PATH=share BENCH_PASSES=$(B)/tests/bench/passes.bpf.o BENCH_CROWD=$(B)/tests/crowd tests/bench/bench \
		$(B)/sockwarden $(B)/tests/bench/measure $(B)/tests/bench/empty.bpf.o $(BENCH_SECONDS)
