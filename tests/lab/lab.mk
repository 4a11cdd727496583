# SPDX-License-Identifier: GPL-2.0-only
# The lab's own programs, and what is checked in it.
PROBE := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/lab/probe/*.c))
TRAFFIC := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/lab/traffic/*.c))

$(B)/tests/lab/%.o: tests/lab/%.c Makefile | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -MMD -MP -c $< -o $@

$(B)/tests/probe: $(PROBE) $(B)/pure.a
$(B)/tests/traffic: $(TRAFFIC)
$(B)/tests/counter: $(B)/tests/lab/counter.o

$(B)/tests/probe $(B)/tests/traffic $(B)/tests/counter:
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ -o $@

CHECKS += tests/lab/policy tests/lab/agree tests/lab/bytes
tests/lab/policy tests/lab/agree: | $(B)/tests/probe
tests/lab/bytes: | $(B)/tests/traffic $(B)/tests/counter
