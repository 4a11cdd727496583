#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The ledger's check as an operator meets it.
bats_require_minimum_version 1.5.0

# shellcheck source=tests/lib/ledger.bash
source "$BATS_TEST_DIRNAME/../../lib/ledger.bash"

check() {
	timeout 60 build/sockwarden ledger check --ledger "$@"
}

@test "a sound ledger is one line, and nothing is written" {
	local before
	before=$(cksum "$LEDGER")
	chmod 0444 "$LEDGER"
	[[ $(check "$LEDGER") == 'ok: 12 rows, '*' days, no checksums of pages: '* ]]
	[ "$(check "$LEDGER" -j | jq -c '[.sound, .complete, .checksums, .rows, .findings]')" = '[true,true,false,12,[]]' ]
	[[ $(check "$DIR/empty") == 'ok: 0 rows, 0 days, '* ]]
	[ "$(cksum "$LEDGER")" = "$before" ]
}

@test "each thing that is wrong is a line that says what to do, and ends in 1" {
	sqlite3 "$LEDGER" 'UPDATE day SET tx_bytes = tx_bytes + 1 WHERE tenancy = 1 AND day = (SELECT min(day) FROM day)'
	run check "$LEDGER"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "ledger $LEDGER: the rows do not add up to the day's sum: tenant t0 on 2026-11-25: restore it from a backup" ]]
	run check "$LEDGER" -j
	[ "$status" -eq 1 ]
	[ "$(jq -c '[.sound, .complete, (.findings | length)]' <<<"$output")" = '[false,true,1]' ]
}

@test "what cannot be read, and mistakes in the options" {
	run --separate-stderr check "$DIR/none"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	# shellcheck disable=SC2154
	[[ $stderr == *'there is none'* ]]
	run check "$LEDGER" more
	[ "$status" -eq 2 ]
	run check "$LEDGER" --by day
	[ "$status" -eq 2 ]
	run build/sockwarden ledger
	[ "$status" -eq 2 ]
	[[ $(build/sockwarden ledger --help) == *'ledger check'* ]]
}

@test "who may read the file may check it, without a right" {
	install -m 0755 build/sockwarden "$DIR"
	chmod 0711 "$DIR"
	chgrp nogroup "$LEDGER"
	chmod 0640 "$LEDGER"
	[[ $(setpriv --reuid=65534 --regid=65534 --clear-groups "$DIR/sockwarden" ledger check --ledger "$LEDGER") == 'ok: '* ]]
}
