# SPDX-License-Identifier: GPL-2.0-only
# The ledger, on files in temporary folders. `statfs` is the tests' own, to stand on file systems of every kind.

LEDGER_TESTS := $(addprefix $(B)/tests/ledger/,book file query limit property damaged)
CHECKS += $(LEDGER_TESTS)

$(B)/tests/ledger/%.o: tests/ledger/%.c Makefile | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -MMD -MP -c $< -o $@

$(LEDGER_TESTS): %: %.o $(B)/tests/ledger/failing.o $(LEDGER) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) -Wl,--wrap=statfs $^ -lsqlite3 -lyaml -lcmocka -o $@

# Small ledgers for the fuzzer
$(B)/tests/ledger/seeds: $(B)/tests/ledger/seeds.o $(LEDGER) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ -lsqlite3 -lyaml -lcmocka -o $@

# What checksums cost, and a renewal of all budgets: by hand
$(B)/tests/ledger/cost: $(B)/tests/ledger/cost.o $(B)/tests/ledger/failing.o $(LEDGER) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) -Wl,--wrap=statfs $^ -lsqlite3 -lyaml -lcmocka -o $@
