#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# Is this host all right? What `doctor` says of each thing that may be wrong.
load lib.bash
load daemon.bash
bats_require_minimum_version 1.5.0

# check WHAT: its state, of the checks of `doctor`
check() {
	"$SW" doctor -j | jq -r ".checks[] | select(.check == \"$1\") | .state" | sort -u | xargs
}

# the daemon's usual socket, which `doctor` asks
begin() {
	SOCKET=/run/sockwarden/daemon.sock
	start -q
}

@test "a host on which all is well has nothing wrong" {
	"$SW" attach "$CG"
	begin
	until_true eval '[ "$("$SW" doctor -j | jq .wrong)" = 0 ]'
	[ "$(check daemon)" = ok ]
	[ "$(check tenants)" = ok ]
	[ "$(check names)" = ok ]
	kill -USR1 "$DAEMON"
	until_true eval '[ "$(check booking)" = ok ]'
	until_true eval '[ "$(check passes)" = ok ]'
	run "$SW" doctor
	[ "${#lines[@]}" -le 24 ]
	[ "$(awk '{ if (length($0) > most) most = length($0) } END { print most }' <<<"$output")" -le 80 ]
}

@test "without a daemon it says what is not done" {
	"$SW" attach "$CG"
	run "$SW" doctor
	[ "$status" -eq 0 ]
	[[ $output == *"WRONG daemon"*"no daemon answers"*"Until it runs nothing is booked"* ]]
}

@test "a policy that lets its tenants ask no name server is named, with what to write" {
	printf 'rules:\n  - deny: {net: special}\n' >"$BATS_TEST_TMPDIR/mute.yaml"
	"$SW" attach --policy "$BATS_TEST_TMPDIR/mute.yaml" "$CG"
	[[ $(check names) == *WRONG* ]]
	"$SW" doctor -j | jq -r '.checks[].text' | grep -q 'the policy mute .*- allow: {net: resolvers, port: 53}'
}

@test "a tenant that is unprotected is named" {
	"$SW" attach --policy "$POLICY" "$CG"
	begin
	rmdir "$CG"
	until_true eval '[ "$(check tenants)" = WRONG ]'
	"$SW" doctor | grep -q "1 unprotected: ${CG##*/}"
	"$SW" detach "${CG##*/}"
	[ "$(check tenants)" = ok ]
}

@test "a clock before the last row of the ledger is said to be so" {
	echo 86400 >"$BATS_TEST_TMPDIR/clock"
	"$SW" attach --policy "$POLICY" "$CG"
	inside bash -c "echo x >/dev/udp/$WEB/7"
	start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_CLOCK="$BATS_TEST_TMPDIR/clock" -q
	until_true has_booked_all
	[ "$(check clock)" = WRONG ]
	[ "$(LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_CLOCK="$BATS_TEST_TMPDIR/clock" check clock)" = '' ]
}

@test "the age of Google's sets is said" {
	mkdir -p "$BATS_TEST_TMPDIR/share/sets"
	printf '# ..., published %s.\n8.8.8.0/24\n' "$(date -u +%FT00:00)" >"$BATS_TEST_TMPDIR/share/sets/google"
	[ "$(SOCKWARDEN_PATH=$BATS_TEST_TMPDIR/share check Google)" = ok ]
	printf '# ..., published %s.\n8.8.8.0/24\n' "$(date -u -d '-29 days' +%FT00:00)" >"$BATS_TEST_TMPDIR/share/sets/google"
	[ "$(SOCKWARDEN_PATH=$BATS_TEST_TMPDIR/share check Google)" = ok ]
	printf '# ..., published %s.\n8.8.8.0/24\n' "$(date -u -d '-31 days' +%FT00:00)" >"$BATS_TEST_TMPDIR/share/sets/google"
	[ "$(SOCKWARDEN_PATH=$BATS_TEST_TMPDIR/share check Google)" = look ]
	SOCKWARDEN_PATH=$BATS_TEST_TMPDIR/share "$SW" doctor | grep -A4 'Google .* 31 days old' | grep -qF 'sockwarden-ranges.timer'
}

# with_hosts LINE CMD...: CMD where nsswitch.conf has that line for hosts
with_hosts() {
	echo "hosts: $1" >"$BATS_TEST_TMPDIR/nsswitch.conf"
	# shellcheck disable=SC2016 # for another shell
	unshare --mount sh -c 'mount --bind "$0" /etc/nsswitch.conf && exec "$@"' "$BATS_TEST_TMPDIR/nsswitch.conf" "${@:2}"
}

# names: what is said of names, but for what is well
names() {
	"$@" "$SW" doctor -j | jq -r '.checks[] | select(.check == "names" and .state != "ok") | .state + " " + .text'
}

@test "what keeps the C library from asking DNS is named, with what to do" {
	printf 'rules:\n  - allow: {net: resolvers, port: 53}\n' >"$BATS_TEST_TMPDIR/plain.yaml"
	"$SW" attach --policy "$BATS_TEST_TMPDIR/plain.yaml" "$CG"
	[ -z "$(names)" ]
	[[ $(names with_hosts files) == "look "*"add 'dns' to the line 'hosts:'"* ]]
	printf '  - allow: {name: www.example.com}\n' | cat "$BATS_TEST_TMPDIR/plain.yaml" - >"$BATS_TEST_TMPDIR/named.yaml"
	"$SW" attach --replace --policy "$BATS_TEST_TMPDIR/named.yaml" "$CG"
	[ -z "$(names)" ]
	[[ $(names with_hosts files) == "WRONG "*"add 'dns' to the line 'hosts:'"* ]]
	[[ $(names with_hosts 'files [NOTFOUND=return] dns') == "WRONG "*"put 'dns' before 'files'"* ]]
	[[ $(names with_hosts 'files sss dns') == "look "*"'sss' before DNS"* ]]
	[ -z "$(names with_hosts 'files mdns4_minimal [NOTFOUND=return] dns myhostname')" ]
}

# listen PATH: something is there
listen() {
	mkdir -p "${1%/*}"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"
}

@test "nscd and systemd-resolved are in the way only where no tenant can be steered past them" {
	printf 'rules:\n  - allow: {net: resolvers, port: 53}\n  - allow: {name: www.example.com}\n' >"$BATS_TEST_TMPDIR/named.yaml"
	listen /run/systemd/resolve/io.systemd.Resolve
	"$SW" attach --policy "$BATS_TEST_TMPDIR/named.yaml" "$CG"
	[ -z "$(names with_hosts 'resolve [!UNAVAIL=return] files dns')" ]
	"$SW" detach "${CG##*/}"
	rm -rf $PINS # the next is loaded anew
	SOCKWARDEN_WITHOUT=unix "$SW" attach --policy "$BATS_TEST_TMPDIR/named.yaml" "$CG"
	[[ $(names with_hosts 'resolve [!UNAVAIL=return] files dns') == "WRONG "*"put 'dns' before 'resolve'"* ]]
	[ -z "$(names with_hosts 'files dns resolve')" ]
	rm -r /run/systemd/resolve
	[ -z "$(names with_hosts 'resolve [!UNAVAIL=return] files dns')" ]
	listen /run/nscd/socket
	[[ $(names) == "WRONG "*"'enable-cache hosts no'"* ]]
	rm -r /run/nscd
	[ -z "$(names)" ]
	"$SW" detach "${CG##*/}"
	rm -r $PINS
}

@test "a policy that believes none of the name servers that it lets its tenants ask is named" {
	printf '%s\n' 'resolvers: [10.89.0.1]' 'rules:' '  - allow: {net: resolvers, port: 53}' '  - allow: {name: www.example.com}' \
		>"$BATS_TEST_TMPDIR/doubting.yaml"
	"$SW" attach --policy "$BATS_TEST_TMPDIR/doubting.yaml" "$CG"
	[[ $(names) == "WRONG the policy doubting believes none of"* ]]
}

@test "the exporter shows what the daemon finds, and nothing where there is no date" {
	local metric=sockwarden_set_published_timestamp_seconds
	mkdir -p "$BATS_TEST_TMPDIR/share/sets"
	printf '# ..., published 2026-11-22T10:00.\n8.8.8.0/24\n' >"$BATS_TEST_TMPDIR/share/sets/google"
	start SOCKWARDEN_PATH="$BATS_TEST_TMPDIR/share" -q
	"$SW" exporter --once --socket "$SOCKET" | grep -qxF "$metric{set=\"google\"} $(date -u -d 2026-11-22 +%s).000"
	echo 8.8.8.0/24 >"$BATS_TEST_TMPDIR/share/sets/google"
	"$SW" exporter --once --socket "$SOCKET" >"$BATS_TEST_TMPDIR/metrics"
	grep -q '^sockwarden_up 1' "$BATS_TEST_TMPDIR/metrics"
	not grep -q "$metric" "$BATS_TEST_TMPDIR/metrics"
}
