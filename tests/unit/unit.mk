# SPDX-License-Identifier: GPL-2.0-only
# Unit tests with cmocka, and the property test, on the pure layer.

UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
CHECKS += $(UNIT_TESTS)

$(UNIT_TESTS): $(B)/tests/unit/%: tests/unit/%.c $(CLIENT) $(B)/pure.a Makefile
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) -MMD -MP -MF $@.d $< $(CLIENT) $(B)/pure.a -lcmocka -lyaml -o $@
