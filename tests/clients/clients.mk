# SPDX-License-Identifier: GPL-2.0-only
CHECKS += tests/clients/all

tests/clients/all: $(B)/tests/clients/fetch $(B)/sockwarden

$(B)/tests/clients/fetch: tests/clients/programs/fetch.go
	@mkdir -p $(@D)
	$(call say,GO)
	CGO_ENABLED=0 GO111MODULE=off go build -o $@ $<
