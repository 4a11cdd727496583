# SPDX-License-Identifier: GPL-2.0-only
# What user/kern does with the kernel alone, without BPF: namespaces and sockets of every kind are made for real, and records
# of slots are read.

KERN_TESTS := $(addprefix $(B)/tests/kern/,netns sock_diag slots)
CHECKS += $(KERN_TESTS)

$(B)/tests/kern/%.o: tests/kern/%.c Makefile | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -MMD -MP -c $< -o $@

$(KERN_TESTS): %: %.o $(addprefix $(B)/user/kern/,feature.o netns.o sock_diag.o slots.o) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ -lcmocka -lbpf -o $@
