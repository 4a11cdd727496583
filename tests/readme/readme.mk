# SPDX-License-Identifier: GPL-2.0-only
CHECKS += tests/readme/all

tests/readme/all: $(B)/sockwarden $(B)/sockwarden-exporter
