# SPDX-License-Identifier: GPL-2.0-only
# Debian's kernels under QEMU: a series, or `newest`. build/kernels keeps them until `make clean`.
KERNELS ?= 6.1 6.12 newest

# Programs that print TAP and need some ten minutes in all under emulation
KERNEL_CHECKS := tests/kernels/e2e tests/lab/policy tests/idle/timeline tests/idle/final tests/idle/states tests/idle/causes

##@ kernels: run part of the tests under other kernels, in QEMU (KERNELS='6.1 6.12 newest')
kernels: deps-kernels $(B)/sockwarden $(KERNEL_CHECKS)
	tests/kernels/run $(KERNELS) -- env SOCKWARDEN_PATH=share tests/run $(KERNEL_CHECKS)

tests/kernels/e2e: $(B)/tests/reach $(B)/tests/foreign.bpf.o $(B)/tests/faults.so $(B)/sockwarden

soak: kernels
.PHONY: kernels
