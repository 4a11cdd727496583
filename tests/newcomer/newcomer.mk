# SPDX-License-Identifier: GPL-2.0-only
soak: soak-newcomer
soak-newcomer: deps-newcomer
	tests/newcomer/run

.PHONY: soak-newcomer
