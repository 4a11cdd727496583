# SPDX-License-Identifier: GPL-2.0-only
CHECKS += tests/systemd/all

tests/systemd/all: $(B)/sockwarden $(B)/sockwarden-exporter
