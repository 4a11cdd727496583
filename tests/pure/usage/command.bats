#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The command as who asks it meets it: what it reads, what it refuses, and what it says then.
bats_require_minimum_version 1.5.0

# shellcheck source=tests/lib/ledger.bash
source "$BATS_TEST_DIRNAME/../../lib/ledger.bash"

# usage_of FILE OPTION...: within 20 s, whatever the file is
usage_of() {
	timeout 20 build/sockwarden usage --ledger "$@"
}

# refused STATUS TEXT FILE OPTION...: with one line on stderr and none on stdout
refused() {
	local want=$1 text=$2
	shift 2
	run --separate-stderr usage_of "$@"
	# shellcheck disable=SC2154
	[[ $status -eq $want && -z $output && $stderr == *"$text"* && ${#stderr_lines[@]} -eq 1 ]] && return
	echo "status $status: $output; $stderr" >&2
	return 1
}

@test "what is no ledger is refused with one line that says what it is" {
	local format
	for format in table json csv cloudevents; do
		refused 1 "there is none: start 'sockwarden daemon'" "$DIR/none" --format $format
	done
	refused 1 'there is none' "$DIR/none/none"
	: >"$DIR/nothing"
	refused 1 'is empty' "$DIR/nothing" -j
	mkfifo "$DIR/fifo"
	refused 1 'is a FIFO' "$DIR/fifo"
	refused 1 'is a folder' "$DIR"
	refused 1 'is a device' /dev/zero
	ln -s fifo "$DIR/link"
	refused 1 'is a FIFO' "$DIR/link"
	refused 1 'is no ledger' /bin/sh
	sqlite3 "$LEDGER" 'DROP TRIGGER identity_deleted; DELETE FROM identity;
		CREATE TRIGGER identity_deleted BEFORE DELETE ON identity BEGIN SELECT RAISE(ABORT, '"'rows of the ledger are never deleted'"'); END'
	refused 1 'has no identity' "$LEDGER"
}

@test "nothing booked is an answer, in every form" {
	[[ $(usage_of "$DIR/empty") == 'Nothing was booked in that time, or nothing yet: '* ]]
	[ "$(usage_of "$DIR/empty" -j | jq -c '[.rows, .total.sent_bytes]')" = '[[],0]' ]
	[ -z "$(usage_of "$DIR/empty" --format cloudevents)" ]
	[ "$(usage_of "$DIR/empty" --format csv | wc -l)" -eq 1 ]
}

# from TIME: as the answer has it
from() {
	usage_of "$LEDGER" -j --from "$1" | jq -r .from
}

@test "times are UTC, or have an offset, or are of the clock" {
	local day
	[ "$(from 2026-11-22T10:00)" = 2026-11-22T10:00:00Z ]
	[ "$(from 2026-11-22T10:00+01:00)" = 2026-11-22T09:00:00Z ]
	[ "$(TZ=America/New_York from 2026-11-22)" = 2026-11-22T00:00:00Z ]
	day=$(date -u -d yesterday +%F)
	[[ $(TZ=Asia/Tokyo from yesterday) == @($day|$(date -u -d yesterday +%F))T00:00:00Z ]]
	day=$(date -u -d '7 days ago' +%s)
	[[ $(date -d "$(from '7 days ago')" +%s) -ge $day ]]
	[[ $(date -d "$(from -7d)" +%s) -le $(date -u -d '7 days ago' +%s) ]]
}

@test "mistakes in the options are one line and end in 2" {
	for time in tomorrow 2026-13 22.11.2026 10:00 -7 +1h ''; do
		refused 2 'is no time: write 2026-11' "$LEDGER" --from "$time"
		refused 2 'is no time: write 2026-11' "$LEDGER" --to "$time"
	done
	refused 2 '--to yesterday is not after --from today' "$LEDGER" --from today --to yesterday
	refused 2 'is no price' "$LEDGER" --price 1
	refused 2 'is no format' "$LEDGER" --format xml
}

@test "a CloudEvent's id is the hash of the row's name, the same in every export" {
	local id name
	usage_of "$DIR/more" --format cloudevents >"$DIR/events"
	[ "$(jq -r .id "$DIR/events" | grep -cE '^[0-9a-f]{64}$')" -eq 120 ]
	[ -z "$(jq -r .id "$DIR/events" | sort | uniq -d)" ]
	IFS=$'\t' read -r id name < <(jq -r '.data as $d |
		[.id, "\($d.host)/\($d.epoch)/\($d.sequence)/\($d.tenant)/\($d.class)"] | @tsv' "$DIR/events" | tail -n 1)
	[ "$(printf %s "$name" | sha256sum)" = "$id  -" ]
	[[ $(usage_of "$DIR/more" --format cloudevents --tenant t9 --from 2026-11-26) == *"\"id\":\"$id\""* ]]
}

# column NAME: of the first charge
column() {
	python3 -c 'import csv, sys; print(next(csv.DictReader(sys.stdin)).get(sys.argv[1], "no such column"))' "$1"
}

@test "FOCUS 1.3 has two columns more, and names come from a file" {
	local focus=(--format focus --price 1/GB --currency USD)
	[ "$(usage_of "$LEDGER" "${focus[@]}")" = "$(usage_of "$LEDGER" "${focus[@]}" --focus 1.2)" ]
	[ "$(diff <(usage_of "$LEDGER" "${focus[@]}" | head -n 1 | tr -d '\r' | tr , '\n') \
		<(usage_of "$LEDGER" "${focus[@]}" --focus 1.3 | head -n 1 | tr -d '\r' | tr , '\n') | grep '^[<>]' | xargs)" = \
		'> HostProviderName > ServiceProviderName' ]
	printf '%s\n' 'provider: Example, Inc.' 'host-provider: Data Centres' 'invoice-issuer: Bills' >"$DIR/names.yaml"
	usage_of "$LEDGER" "${focus[@]}" --focus 1.3 --focus-names "$DIR/names.yaml" >"$DIR/charges"
	for pair in ServiceProviderName='Example, Inc.' ProviderName='Example, Inc.' PublisherName='Example, Inc.' \
		HostProviderName='Data Centres' InvoiceIssuerName=Bills ServiceName=sockwarden; do
		[ "$(column "${pair%%=*}" <"$DIR/charges")" = "${pair#*=}" ]
	done
	echo '{}' >"$DIR/names.yaml"
	[ "$(usage_of "$LEDGER" "${focus[@]}" --focus 1.3 --focus-names "$DIR/names.yaml" | column HostProviderName)" = sockwarden ]
	printf '%s\n' 'provide: Example' 'service: []' >"$DIR/names.yaml"
	run usage_of "$LEDGER" "${focus[@]}" --focus-names "$DIR/names.yaml"
	[ "$status" -eq 1 ]
	[[ $output == *"names.yaml:1:1: error: 'provide' is no key"* && $output == *'names.yaml:2:10: error: service: write a name'* ]]
	refused 1 'none.yaml: No such file' "$LEDGER" "${focus[@]}" --focus-names "$DIR/none.yaml"
	refused 2 'write 1.2 or 1.3' "$LEDGER" "${focus[@]}" --focus 1.4
	refused 2 'go with --format focus' "$LEDGER" --focus 1.3
}
