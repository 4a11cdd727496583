# SPDX-License-Identifier: GPL-2.0-only
CHECKS += tests/install/all

tests/install/all: $(B)/sockwarden $(B)/sockwarden-exporter
