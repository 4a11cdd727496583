#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# `ranges update`: from files, and from a server, which may be any.
load lib.bash
bats_require_minimum_version 1.5.0

LISTS=$LAB_DIR/ipranges
STORE=/etc/ssl/certs/ca-certificates.crt # what the host trusts
BAD=https://www.gstatic.com:8443

setup_file() {
	mount --bind "$LAB_CERT" $STORE
	nsenter --target "$LAB_FAR_PID" --net -- "$BATS_TEST_DIRNAME/badserver" 8443 "$LAB_CERT" "$LAB_DIR/key.pem" >/dev/null 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/badserver"
	until_true eval '</dev/tcp/142.250.185.78/8443'
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/badserver")"
	umount $STORE
}

# The sets that ship are what is in force, and what the server has is what they were made of.
setup() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
	export SOCKWARDEN_PATH=$BATS_TEST_TMPDIR
	SETS=$BATS_TEST_TMPDIR/sets
	mkdir "$SETS"
	publish goog share/sets/google share/sets/google-cloud
	publish cloud share/sets/google-cloud
}

teardown() {
	: # nothing was attached
}

# publish NAME SET-FILE...: the server's NAME.json
publish() {
	cat "${@:2}" | jq -Rn '{creationTime: "2026-11-01T07:05:03.68994", prefixes: [inputs | select(startswith("#") | not) |
		if contains(":") then {ipv6Prefix: .} else {ipv4Prefix: .} end]}' >"$LISTS/$1.json"
}

update() {
	"$SW" ranges update -o "$SETS" "$@"
}

# refused TEXT OPTION...: in one line, with the text in it; and nothing is written
refused() {
	sum >"$BATS_TEST_TMPDIR/before"
	run update "${@:2}"
	[ "$status" -eq 1 ] || return 1
	one_line || return 1
	[[ $output == *"$1"* ]] || { echo "no '$1' in: $output" >&2; return 1; }
	sum | diff "$BATS_TEST_TMPDIR/before" -
}

# sum: of all there is in the folder
sum() {
	find "$SETS" -printf '%P %m %s\n' | sort
	find "$SETS" -type f -exec sha256sum {} + | sort
}

prefixes() {
	grep -v '^#' "$1"
}

# without FILE SHARE: its prefixes but for one in SHARE, from the first on
without() {
	prefixes "$1" | awk -v share="$2" 'NR % share != 1'
}

@test "without options it fetches what Google publishes" {
	update
	cmp <(prefixes "$SETS/google") <(prefixes share/sets/google)
	cmp <(prefixes "$SETS/google-cloud") <(prefixes share/sets/google-cloud)
	[ "$(stat -c %a "$SETS/google")" = 644 ]
	"$SW" ranges -j | jq -e '[.[] | select(.set | startswith("google"))] | length == 2 and
		all(.published == "2026-11-01T00:00:00Z")'
	"$SW" ranges | grep -qE "^google +277 +2026-11-01 \([0-9]+ d\) +$SETS/google\$"
	"$SW" ranges | grep -qE '^private +[0-9]+ +- +RFC 1918$'
}

@test "files do without a server, and one list may be a file" {
	cp "$LISTS"/*.json "$BATS_TEST_TMPDIR"
	rm "$LISTS/goog.json"
	update --goog "$BATS_TEST_TMPDIR/goog.json"
	rm "$LISTS/cloud.json"
	update --goog "$BATS_TEST_TMPDIR/goog.json" --cloud "$BATS_TEST_TMPDIR/cloud.json" -j | jq -e 'length == 2'
	refused '404'
}

@test "a set of nothing is not written" {
	refused 'nothing is left of the one list without the other' --goog https://www.gstatic.com/ipranges/cloud.json --force
}

@test "what is written is goog minus cloud, of both families" {
	printf '%s\n' 192.0.0.0/16 2001:db8::/32 >"$BATS_TEST_TMPDIR/all"
	printf '%s\n' 192.0.128.0/17 2001::/16 >"$BATS_TEST_TMPDIR/customers"
	publish goog "$BATS_TEST_TMPDIR/all"
	publish cloud "$BATS_TEST_TMPDIR/customers"
	update --force
	[ "$(prefixes "$SETS/google")" = 192.0.0.0/17 ]
}

@test "--help shows where they are" {
	"$SW" ranges update --help | grep -F 'https://www.gstatic.com/ipranges/goog.json'
	"$SW" ranges update --help | grep -F 'https://www.gstatic.com/ipranges/cloud.json'
}

@test "a server that the host does not trust, or of another name, is refused" {
	refused "142.250.185.78" --goog https://142.250.185.78/ipranges/goog.json
	mount --bind "$BATS_TEST_DIRNAME/ranges.bats" $STORE
	run refused 'certificate'
	umount $STORE
	[ "$status" -eq 0 ]
	update
}

@test "nothing but https is fetched, nor followed" {
	local each
	for each in http://www.gstatic.com/ipranges/goog.json ftp://www.gstatic.com/file file:///etc/passwd; do
		run update --goog "$each"
		[ "$status" -eq 2 ]
		one_line
	done
	refused 'Protocol "http" not supported' --goog $BAD/plain
	refused 'Protocol "file" not supported' --goog $BAD/local
	refused redirects --goog $BAD/round
	update --goog $BAD/moved
}

@test "a list without prefixes, or that is none, is refused" {
	echo '{"prefixes": []}' >"$LISTS/cloud.json"
	refused 'no prefixes' --force
	echo '<html>sorry</html>' >"$LISTS/cloud.json"
	run update --force
	[ "$status" -eq 1 ]
	: >"$LISTS/cloud.json"
	refused 'no prefixes' --force
	[ -z "$(ls -A "$SETS")" ]
}

@test "a list that lacks more than half of what is in force is refused, unless that is meant" {
	prefixes share/sets/google | grep : >"$BATS_TEST_TMPDIR/v6"
	publish goog "$BATS_TEST_TMPDIR/v6" share/sets/google-cloud
	refused 'the new google lacks more than half of the IPv4 addresses'
	update --force
	publish goog share/sets/google share/sets/google-cloud
	update # more is no loss
	prefixes share/sets/google-cloud | grep -v : >"$BATS_TEST_TMPDIR/v4"
	publish cloud "$BATS_TEST_TMPDIR/v4"
	refused 'the new google-cloud lacks more than half of the IPv6 addresses'
}

@test "prefixes that are joined or split are no loss" {
	printf '%s\n' 192.0.0.0/17 192.0.128.0/17 >"$BATS_TEST_TMPDIR/google"
	echo 198.51.100.0/24 >"$BATS_TEST_TMPDIR/cloud"
	publish goog "$BATS_TEST_TMPDIR/google"
	publish cloud "$BATS_TEST_TMPDIR/cloud"
	update --force
	echo 192.0.0.0/16 >"$BATS_TEST_TMPDIR/google"
	publish goog "$BATS_TEST_TMPDIR/google"
	update
	echo 192.0.0.0/17 >"$BATS_TEST_TMPDIR/google"
	publish goog "$BATS_TEST_TMPDIR/google"
	update # half of it is left
	echo 192.0.0.0/19 >"$BATS_TEST_TMPDIR/google"
	publish goog "$BATS_TEST_TMPDIR/google"
	refused google
}

@test "both lists are replaced, or none" {
	update
	publish goog share/sets/google share/sets/google-cloud <(echo 192.0.0.0/16)
	sed -i 's/"34\./"999./' "$LISTS/cloud.json"
	sum >"$BATS_TEST_TMPDIR/good"
	run update
	[ "$status" -eq 1 ]
	publish cloud share/sets/google-cloud
	mv "$SETS/google-cloud" "$BATS_TEST_TMPDIR/aside"
	mkdir "$SETS/google-cloud"
	refused "cannot write $SETS/google-cloud"
	rmdir "$SETS/google-cloud"
	mv "$BATS_TEST_TMPDIR/aside" "$SETS/google-cloud"
	sum | diff "$BATS_TEST_TMPDIR/good" -
	update
	grep -qx 192.0.0.0/16 "$SETS/google"
}

@test "a server that is down, endless or cut short changes nothing" {
	update
	refused 'connect' --goog https://www.gstatic.com:8444/
	refused 'at most 64 MiB' --goog $BAD/huge
	refused 'remaining to read' --goog $BAD/truncated
	refused 'resolve' --goog https://nosuch.example.com/goog.json
	sum >"$BATS_TEST_TMPDIR/good"
	run update --goog $BAD/cut --force
	[ "$status" -eq 1 ]
	[[ $output == *"error: "* ]]
	sum | diff "$BATS_TEST_TMPDIR/good" -
}

# begin_slow: an update that waits, in $UPDATE, and the process that fetches for it, in $FETCHER
begin_slow() {
	"$SW" ranges update -o "$SETS" --goog $BAD/slow >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	UPDATE=$!
	until_true has_begun
	FETCHER=$(pgrep -P "$UPDATE")
}

has_begun() {
	local status
	status=/proc/$(pgrep -P "$UPDATE")/status
	grep -q '^NoNewPrivs:.1$' "$status" && grep -q '^CapPrm:.0*$' "$status"
}

@test "who fetches has no rights, and what takes too long is given up" {
	local field
	begin_slow
	for field in CapInh CapPrm CapEff CapBnd CapAmb; do
		grep -q "^$field:.0*\$" "/proc/$FETCHER/status"
	done
	for field in Uid Gid; do
		grep -qP "^$field:\t65534\t65534\t65534\t65534\$" "/proc/$FETCHER/status"
	done
	grep -qP '^Groups:\t *$' "/proc/$FETCHER/status"
	[ "$(stat -c %u "/proc/$FETCHER/mem")" = 0 ] # other processes of nobody's cannot get at it
	status=0
	wait "$UPDATE" || status=$?
	[ "$status" -eq 1 ]
	grep -q 'cannot fetch .*/slow: Operation timed out' "$BATS_TEST_TMPDIR/out"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 1 ]
	[ -z "$(ls -A "$SETS")" ]
}

@test "who fetches does not outlive the update" {
	begin_slow
	kill -KILL "$UPDATE"
	until_true not test -e "/proc/$FETCHER/status"
	[ -z "$(ls -A "$SETS")" ]
}

@test "who is not root may fetch into a folder of their own" {
	chmod 0711 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	chown 65533 "$SETS"
	mkdir "$BATS_TEST_TMPDIR/bin"
	install -m 0755 build/sockwarden build/sockwarden-fetch "$BATS_TEST_TMPDIR/bin"
	setpriv --reuid=65533 --regid=65533 --clear-groups -- "$BATS_TEST_TMPDIR/bin/sockwarden" ranges update -o "$SETS"
	cmp <(prefixes "$SETS/google") <(prefixes share/sets/google)
}
