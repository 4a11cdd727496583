#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What a policy says of a name, which has no address yet. Needs no root.

bats_require_minimum_version 1.5.0
setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	export SOCKWARDEN_PATH=tests/pure/golden:share
	cat >"$BATS_TEST_TMPDIR/p.yaml" <<-END
		gate: dns
		search: corp.example
		rules:
		  - allow: {net: resolvers, port: 53}
		  - deny: {net: google}
		  - allow: {name: ["*.example.com", smtp.example.org], port: [465, 587], proto: tcp}
		  - allow: {name: db.example.com, private: allow}
		default: deny
	END
}

explain() {
	build/sockwarden explain "${@:2}" "$BATS_TEST_TMPDIR/p.yaml" tcp "$1"
}

# says NAME:PORT STATUS LINE...: all of these lines are part of the answer
says() {
	local peer=$1 want=$2 line
	run explain "$peer"
	[ "$status" -eq "$want" ] || { echo "$peer: $status: $output"; return 1; }
	for line in "${@:3}"; do
		grep -qF -- "$line" <<<"$output" || { echo "$peer lacks: $line"; echo "$output"; return 1; }
	done
}

lacks() {
	if grep -qF -- "$1" <<<"$output"; then echo "it says: $1"; return 1; fi
}

@test "a rule that has the name opens it, unless one before it has the address" {
	says Smtp.Example.org.:587 0 'allow  tcp smtp.example.org:587' 'rule 3 of p, line 6: allow: {name:' \
		'unless the address is one of rule 2 of p, line 5: deny: {net: google}' 'no special-purpose addresses' \
		'answers are believed of resolvers'
	says a.b.example.com:465 0 'rule 3 of p'
	says db.example.com:5432 0 'rule 4 of p, line 7'
	lacks special
}

@test "what no rule has is denied, and under the gate not asked for" {
	says example.com:587 3 'deny  tcp example.com:587' 'its default' 'it cannot be asked for'
	says smtp.example.org:25 3 'its default'
	lacks 'asked for'
	says host.corp.example:80 3 'its default' # of the search list
	lacks 'asked for'
}

@test "where no name server is believed a name opens nothing" {
	sed -i 's/net: resolvers, port: 53/net: resolvers, port: 5353/' "$BATS_TEST_TMPDIR/p.yaml"
	says smtp.example.org:587 3 'deny  tcp smtp.example.org:587' 'answers are believed of nobody'
}

@test "as JSON" {
	run explain smtp.example.org:587 --json
	[ "$status" -eq 0 ]
	[ "$(jq -c '[.verdict, .rule, .line, .pattern, .private, .may_be_asked, .unless[0].rule, .believed]' <<<"$output")" = \
		'["allow",3,6,"smtp.example.org",false,true,2,["resolvers"]]' ]
}

@test "what is no name and no address is refused with what to write" {
	local peer
	for peer in 192.0.2:1 1.2.3.256:1 a..b:1 -a.example:1 '*.example.com:1' smtp.example.com smtp.example.com:x; do
		run explain "$peer"
		[ "$status" -eq 2 ] || { echo "$peer: $status"; return 1; }
	done
}

@test "an address of the host's own is loopback, too" {
	printf 'rules:\n  - allow: {net: 198.51.0.2, port: 53}\n  - deny: {net: special}\ndefault: allow\n' >"$BATS_TEST_TMPDIR/own.yaml"
	run -0 build/sockwarden explain "$BATS_TEST_TMPDIR/own.yaml" tcp 198.51.0.2:80
	run -3 build/sockwarden explain "$BATS_TEST_TMPDIR/own.yaml" tcp 198.51.0.2%lo:80
	[[ $output == 'deny  tcp 198.51.0.2%lo:80'*'rule 2 of own'* ]]
	run -3 build/sockwarden explain "$BATS_TEST_TMPDIR/own.yaml" tcp '[2a0e:b107:1::2%lo]:80'
	run -0 build/sockwarden explain "$BATS_TEST_TMPDIR/own.yaml" udp 198.51.0.2%lo:53
	[[ $output == *'exempt: '* ]]
	run -2 build/sockwarden explain "$BATS_TEST_TMPDIR/own.yaml" tcp 198.51.0.2%eth0:80
}
