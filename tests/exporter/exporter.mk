# SPDX-License-Identifier: GPL-2.0-only
CHECKS += tests/exporter/all

tests/exporter/all: $(B)/sockwarden $(B)/sockwarden-exporter $(B)/tests/standin-daemon

$(B)/tests/standin-daemon: tests/exporter/standin-daemon.c $(CLIENT) $(B)/pure.a
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $(filter %.c %.o %.a,$^) -o $@
