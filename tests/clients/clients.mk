# SPDX-License-Identifier: GPL-2.0-only
CHECKS += tests/clients/all

CLIENTS := $(B)/tests/clients/fetch $(B)/tests/clients/fetch3

tests/clients/all: $(CLIENTS) $(B)/sockwarden

# With the distribution's packages of Go libraries
$(CLIENTS): $(B)/tests/clients/%: tests/clients/programs/%.go
	@mkdir -p $(@D)
	$(call say,GO)
	CGO_ENABLED=0 GO111MODULE=off GOPATH=/usr/share/gocode go build -o $@ $<
