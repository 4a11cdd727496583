# SPDX-License-Identifier: GPL-2.0-only
# Unit tests with cmocka, and the property test, on the pure layer.

UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
CHECKS += $(UNIT_TESTS)

# The one object above the pure layer that can be tested without a kernel
$(B)/tests/unit/event_text: $(B)/user/kern/event_text.o

$(UNIT_TESTS): $(B)/tests/unit/%: tests/unit/%.c $(B)/core.a Makefile
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) -MMD -MP -MF $@.d $< $(filter %.o,$^) $(B)/core.a -lcmocka -lyaml -o $@
