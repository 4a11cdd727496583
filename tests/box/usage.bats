#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# `usage` as somebody without rights meets it.
bats_require_minimum_version 1.5.0

# shellcheck source=tests/lib/ledger.bash
source "$BATS_TEST_DIRNAME/../lib/ledger.bash"

# as_nobody CMD...: without a right or a group
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
}

@test "who may not read the ledger is told who may" {
	install -m 0755 build/sockwarden "$DIR"
	chmod 0711 "$DIR"
	mkdir -m 0750 "$DIR/closed"
	cp "$LEDGER" "$DIR/closed/ledger.db"
	chgrp daemon "$DIR/closed" "$LEDGER"
	chmod 0640 "$LEDGER"
	for file in "$LEDGER" "$DIR/closed/ledger.db"; do
		run as_nobody "$DIR/sockwarden" usage --ledger "$file"
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *"only root and the group 'daemon' may read it"* ]]
	done
	chgrp root "$LEDGER"
	run as_nobody "$DIR/sockwarden" usage --ledger "$LEDGER"
	[ "$status" -eq 1 ]
	[[ $output == *"only root may read it: be root, or let a group"* ]]
	chgrp nogroup "$LEDGER"
	as_nobody "$DIR/sockwarden" usage --ledger "$LEDGER" | grep -q '^total '
}
