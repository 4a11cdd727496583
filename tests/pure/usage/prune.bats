#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Pruning as an operator meets it.
bats_require_minimum_version 1.5.0

# shellcheck source=tests/lib/ledger.bash
source "$BATS_TEST_DIRNAME/../../lib/ledger.bash"

prune() {
	timeout 60 build/sockwarden ledger prune --ledger "$DIR/old" "$@"
}

usage_of() {
	timeout 20 build/sockwarden usage --ledger "$DIR/old" "$@"
}

@test "days and months are as before, and what is gone is said" {
	local days months
	days=$(usage_of -j --by day | jq -c .rows)
	months=$(usage_of --format focus --by month --price 1/GB)
	[ "$(jq length <<<"$days")" -gt 9 ]
	[[ $(prune --before 2020-11-28T15:00 --dry-run) == 'Would take out 15 rows of 2 days before 2020-11-28 (UTC); their sums by day would stay.' ]]
	[[ $(prune --before 2020-11-28T15:00) == 'Took out 15 rows of 2 days before 2020-11-28 (UTC); their sums by day stay. The file had '* ]]
	[ "$(usage_of -j --by day | jq -c .rows)" = "$days" ]
	[ "$(usage_of --format focus --by month --price 1/GB)" = "$months" ]
	[[ $(build/sockwarden ledger check --ledger "$DIR/old") == 'ok: 9 rows, '*' days, of 2 of them before 2020-11-28 only sums, '* ]]
	for what in '--by hour' '--from 2020-11-26T03:00' '--format cloudevents'; do
		# shellcheck disable=SC2086
		run --separate-stderr usage_of $what
		[ "$status" -eq 1 ]
		[ -z "$output" ]
		# shellcheck disable=SC2154
		[[ $stderr == *'before 2020-11-28 only the sums of days are kept: ask for whole days of UTC'* ]]
	done
	[ "$(usage_of --format cloudevents --from 2020-11-28 | wc -l)" -eq 9 ]
	[ "$(prune --before 2020-11-28 -j | jq -c '[.before, .dry_run, .rows, .days]')" = '["2020-11-28",false,0,0]' ]
}

@test "rows that do not add up are named, and nothing is changed" {
	local before
	sqlite3 "$DIR/old" 'UPDATE day SET tx_bytes = tx_bytes + 1 WHERE tenancy = 1 AND day = (SELECT min(day) + 1 FROM day)'
	before=$(cksum "$DIR/old")
	run --separate-stderr prune --before 2020-12
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == *"the rows do not add up to the day's sum: tenant t0 on 2020-11-27: restore it from a backup" ]]
	[ "$(cksum "$DIR/old")" = "$before" ]
}

@test "mistakes in the options, and files that cannot be pruned" {
	run prune
	[[ $status -eq 2 && $output == *'--before is missing'* ]]
	run prune --before soon
	[[ $status -eq 2 && $output == *'is no time'* ]]
	run prune --before 9999-01
	[[ $status -eq 2 && $output == *'that day has not begun'* ]]
	run build/sockwarden ledger prune --before 2020-12 --ledger "$DIR/none"
	[[ $status -eq 1 && $output == *'there is none'* ]]
	: >"$DIR/nothing"
	run build/sockwarden ledger prune --before 2020-12 --ledger "$DIR/nothing"
	[[ $status -eq 1 && $output == *'is empty'* && ! -s $DIR/nothing ]]
}
