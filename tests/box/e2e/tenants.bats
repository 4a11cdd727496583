#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# Tenants as files: `apply`, and the daemon, which applies too.
load lib.bash
load daemon.bash
bats_require_minimum_version 1.5.0

setup() {
	daemon_setup
	HERE=$BATS_TEST_TMPDIR/etc
	FILES=$HERE/tenants.d
	mkdir -p "$FILES"
	export SOCKWARDEN_PATH=$HERE:share
}

# Programs are loaded once for all cases without a daemon
teardown() {
	mkdir -p "$FILES"
	rm -f "$FILES"/*
	if [ -n "${DAEMON-}" ]; then
		daemon_teardown
	else
		"$SW" apply -q
		"$SW" detach taken >/dev/null 2>&1 || true
		end_cgroup "$CG"
	fi
}

# tenant NAME CGROUP [POLICY]: a file; the directory is the test's own, unless it is absolute
tenant() {
	printf 'cgroup: %s\npolicy: %s\n' "$CG/$2" "${3-appengine}" >"$FILES/$1.yaml"
}

# inline NAME CGROUP [PORT]: one whose policy it has itself: nothing but a web server
inline() {
	printf 'cgroup: %s\npolicy:\n  sockopts: {other: deny}\n  rules:\n    - allow: {net: %s%s}\n' \
		"$CG/$2" $WEB "${3:+, port: $3}" >"$FILES/$1.yaml"
}

apply() {
	"$SW" apply "$@"
}

# names [STATE]: of the tenants, in a line
names() {
	"$SW" status -j | jq -r --arg state "${1-enforced}" '[.[] | select(.state == $state) | .tenant] | sort | join(" ")'
}

tenants_are() {
	[ "$(names "${2-enforced}")" = "$1" ]
}

# finds DIR WORD: what a process there is told by what it tries
finds() {
	[ "$("$REACH" $WEB $PRIVATE "$1")" = "$2" ]
}

# policed DIR [untouched]: on a loaded machine an answer may come too late for one try
policed() {
	until_true finds "$1" "${2-policy}"
}

@test "apply makes the host as the files say, and a second time changes nothing" {
	mkdir "$CG/shop" "$CG/other"
	tenant shop shop
	inline other other
	run -3 apply --detailed-exitcode
	[[ $output == *"attached other ($CG/other) to policy other, 1 rule"* ]]
	[[ $output == *"attached shop ($CG/shop) to policy appengine, "* ]]
	tenants_are 'other shop'
	policed "$CG/shop"
	policed "$CG/other"
	state >"$BATS_TEST_TMPDIR/before"
	run -0 apply --detailed-exitcode
	[ "$output" = 'unchanged: 2 tenants' ]
	state | diff "$BATS_TEST_TMPDIR/before" -
	run -0 apply -j
	[ "$output" = '{"dry_run":false,"changed":false,"tenants":2,"changes":[]}' ]
}

@test "a dry run says the same, and does nothing" {
	mkdir "$CG/shop"
	tenant shop shop
	run -3 apply --dry-run --detailed-exitcode
	[ "$output" = "would attach shop ($CG/shop) to policy appengine, 9 rules" ]
	[ "$("$SW" status -j)" = '[]' ]
	run -0 apply --dry-run -j
	[ "$(jq -c '[.dry_run, .changed, .changes[].change, .changes[].tenant]' <<<"$output")" = '[true,true,"attach","shop"]' ]
	apply
	rm "$FILES/shop.yaml"
	run -0 apply --dry-run
	[ "$output" = "would detach shop ($CG/shop)" ]
	tenants_are shop
}

@test "a mistake in one of a hundred files: all of them are shown, and nothing changes" {
	local i
	mkdir "$CG"/{000..099}
	for i in {000..098}; do tenant "$i" "$i"; done
	tenant kept 099
	rm "$FILES"/0{01..98}.yaml
	apply
	for i in {001..098}; do tenant "$i" "$i"; done
	printf 'cgroup: %s\npolicy:\n  rules: [allow: {port: 99999}]\n' "$CG/050" >"$FILES/050.yaml"
	printf 'cgroup: %s\npolicies: appengine\n' "$CG/051" >"$FILES/051.yaml"
	printf 'cgroup: %s\npolicy: nosuch\n' "$CG/052" >"$FILES/052.yaml"
	rm "$FILES/kept.yaml"
	state >"$BATS_TEST_TMPDIR/before"
	run -1 apply
	[[ $output == *"$FILES/050.yaml:3:25: error: "* ]]
	[[ $output == *"$FILES/051.yaml:2:1: error: 'policies' is not known here"* ]]
	[[ $output == *"$FILES/052.yaml:2:9: error: its policy nosuch "* ]]
	[[ $output == *'mistakes in what tenants.d has: nothing has changed'* ]]
	state | diff "$BATS_TEST_TMPDIR/before" -
	tenants_are '000 kept'
}

@test "what cannot be is found before anything is done: two for one cgroup, one inside another, names" {
	mkdir -p "$CG"/{a,b/c,d,many/x}
	"$SW" attach --policy "$POLICY" --tenant taken "$CG/d"
	tenant a1 a
	tenant a2 a
	tenant outer b
	tenant inner b/c
	tenant taken a
	tenant byhand d
	tenant many 'many/*'
	tenant x many/x
	tenant -bad nowhere
	run -1 apply
	[[ $output == *"a2.yaml:1:9: error: $CG/a is the cgroup of $FILES/a1.yaml already: a cgroup has one tenant"* ]]
	[[ $output == *"inner.yaml:1:9: error: $CG/b/c is inside $CG/b, the cgroup of $FILES/outer.yaml"* ]]
	[[ $output == *"taken.yaml:1:9: error: tenant taken is attached already, to $CG/d"* ]]
	[[ $output == *"byhand.yaml:1:9: error: $CG/d is the cgroup of tenant taken already"* ]]
	[[ $output == *"x.yaml:1:9: error: $CG/many/x is the cgroup of $FILES/many.yaml already"* ]]
	[[ $output == *"-bad.yaml:1:9: error: '-bad' cannot name a tenant"* ]]
	tenants_are taken
}

@test "a policy that changed is put in force, and what that changes is told; connections go on" {
	mkdir "$CG/shop"
	inline shop shop
	sed '1,2d; s/^  //' "$FILES/shop.yaml" >"$BATS_TEST_TMPDIR/before.yaml"
	apply
	local was
	was=$("$SW" status -j shop | jq -r .since)
	inline shop shop 80
	sed '1,2d; s/^  //' "$FILES/shop.yaml" >"$BATS_TEST_TMPDIR/after.yaml"
	run -0 apply
	[ "${lines[0]}" = "replaced the policy of shop ($CG/shop): it is shop now, 1 rule" ]
	[ "$("$SW" status -j shop | jq -r .since)" = "$was" ]
	"$SW" policy diff "$BATS_TEST_TMPDIR/before.yaml" "$BATS_TEST_TMPDIR/after.yaml" >"$BATS_TEST_TMPDIR/diff" || true
	[ -s "$BATS_TEST_TMPDIR/diff" ]
	printf '%s\n' "${lines[@]:1}" | sed 's/^  //' | diff "$BATS_TEST_TMPDIR/diff" -
}

@test "what was attached by hand to the same cgroup becomes the file's" {
	mkdir "$CG/shop"
	"$SW" attach "$CG/shop"
	tenant shop shop
	run -0 apply
	[ "$output" = "took over shop ($CG/shop) as it is: $FILES/shop.yaml has it now" ]
	rm "$FILES/shop.yaml"
	run -0 apply
	[ "$output" = "detached shop ($CG/shop)" ]
	policed "$CG/shop" untouched
}

@test "a file that has another name or another cgroup now" {
	mkdir "$CG"/{a,b}
	tenant one a
	apply
	mv "$FILES/one.yaml" "$FILES/two.yaml"
	apply
	tenants_are two
	policed "$CG/a"
	tenant two b
	apply
	tenants_are two
	policed "$CG/b"
	policed "$CG/a" untouched
	run -0 apply
	[ "$output" = 'unchanged: 1 tenant' ]
}

@test "each directory that matches a pattern is a tenant, and none is when the file is gone" {
	mkdir -p "$CG"/many/{a,b} "$CG/many/with\\x2dhyphen.slice"
	inline many 'many/*'
	apply
	tenants_are 'a b with-hyphen.slice'
	policed "$CG/many/b"
	rm "$FILES/many.yaml"
	run -0 apply
	[[ $output == *"watching no more $CG/many/*"* ]]
	[ "$("$SW" status -j)" = '[]' ]
	policed "$CG/many/b" untouched
}

# Others make directories, maybe who would like nothing to be changed
@test "a directory that cannot be one of many stops nothing, and is told" {
	mkdir -p "$CG"/many/{a,shop,in,given} "$CG/many/in/side" "$CG/many/a b" "$CG/shop"
	inline many 'many/*'
	tenant shop shop
	tenant side many/in/side
	mkdir "$CG/many/given/x"
	inline given 'many/given/*'
	chown 65534 "$CG/many/given"
	run -0 apply
	[[ $output == *"warning: $CG/many/a b is UNPROTECTED, though $FILES/many.yaml matches it: 'a b' cannot name a tenant"* ]]
	[[ $output == *"warning: $CG/many/shop is UNPROTECTED, though $FILES/many.yaml matches it: tenant shop is $CG/shop, of "* ]]
	[[ $output == *"warning: $CG/many/in is UNPROTECTED, though "*"around $CG/many/in/side, the cgroup of $FILES/side.yaml"* ]]
	[[ $output == *"warning: $CG/many/given/x is UNPROTECTED, though "*"another than root may write to $CG/many/given: "* ]]
	tenants_are 'a given shop side'
	run -0 apply
	[[ $output == *'unchanged: 4 tenants'* ]]
	chown 0 "$CG/many/given"
}

@test "a folder that is not there detaches nothing" {
	mkdir "$CG/shop"
	tenant shop shop
	apply
	mv "$FILES" "$HERE/aside"
	run -1 apply
	[[ $output == *"$FILES: error: the folder is not there"* ]]
	tenants_are shop
	mv "$HERE/aside" "$FILES"
}

@test "what fails half way is taken back" {
	mkdir "$CG"/{a,b,c,d}
	inline a a
	inline gone d
	apply
	tenant a a
	tenant b b
	tenant c c
	rm "$FILES/gone.yaml"
	state >"$BATS_TEST_TMPDIR/before"
	"$SW" status -j | jq -c '.[] | [.tenant, .policy_hash, .state]' >"$BATS_TEST_TMPDIR/tenants"
	run -1 env LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_LINKS=30 "$SW" apply
	[[ $output == *'tenant c: '*'; nothing has changed'* ]]
	"$SW" status -j | jq -c '.[] | [.tenant, .policy_hash, .state]' | diff "$BATS_TEST_TMPDIR/tenants" -
	policed "$CG/b" untouched
	apply
	tenants_are 'a b c'
}

@test "what was detached for what then fails is attached again" {
	mkdir "$CG/a"
	inline one a
	apply
	local hash
	hash=$("$SW" status -j one | jq -r .policy_hash)
	mv "$FILES/one.yaml" "$FILES/two.yaml"
	run -1 env LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_LINKS=1 "$SW" apply
	[[ $output != *'cannot be taken back'* ]]
	[[ $output == *'tenant two: '*'; nothing has changed'* ]]
	tenants_are one
	[ "$("$SW" status -j one | jq -r .policy_hash)" = "$hash" ]
	policed "$CG/a"
}

@test "a cgroup that is not there is awaited; detach says that its file attaches it again" {
	tenant later later
	run -0 apply
	[[ $output == "awaiting later ($CG/later): "* ]]
	run -0 apply
	[ "$output" = 'unchanged: 1 tenant' ]
	mkdir "$CG/later"
	apply
	run -0 "$SW" detach later
	[[ $output == *"tenant later is of $FILES/later.yaml: it is attached again"* ]]
	run -0 apply
	[[ $output == "attached later ($CG/later) to "* ]]
}

@test "the daemon applies when it starts and when it reloads, and attaches what is made" {
	mkdir -p "$CG"/shop "$CG"/many/a
	tenant shop shop
	inline many 'many/*'
	tenant later later
	start -q
	until_true tenants_are 'a shop'
	until_true said "attached shop ($CG/shop) to policy appengine"
	mkdir "$CG/many/b" "$CG/later"
	until_true tenants_are 'a b later shop'
	policed "$CG/many/b"
	rmdir "$CG/many/b"
	until_true said "tenant b has ended"
	mkdir "$CG/many/b"
	policed "$CG/many/b"
	tenant shop shop "$POLICY"
	rm "$FILES/later.yaml"
	run -0 "$SW" reload --socket "$SOCKET"
	[[ $output == *"replaced the policy of shop ($CG/shop): it is policy now"* ]]
	[[ $output == *"detached later ($CG/later)"* ]]
	tenants_are 'a b shop'
	stop
}

@test "a directory that a pattern matches, but cannot be attached, is told as unprotected" {
	mkdir "$CG/many"
	inline many 'many/*'
	start -q
	until_true said 'watching'
	mkdir "$CG/many/a b"
	until_true said 'tenant a b is UNPROTECTED: .*: its directory cannot name a tenant'
	until_true tenants_are 'a b' unprotected
	rmdir "$CG/many/a b"
	until_true tenants_are '' unprotected
	stop
}

@test "a mistake when the daemon reloads or starts is a line, and nothing changes" {
	mkdir -p "$CG"/shop "$CG"/other
	tenant shop shop
	start -q
	until_true tenants_are shop
	tenant other other
	echo 'nonsense: 1' >"$FILES/wrong.yaml"
	run -1 "$SW" reload --socket "$SOCKET"
	[[ $output == *"$FILES/wrong.yaml:1:1: error: 'nonsense' is not known here"* ]]
	[[ $output == *'all tenants keep the policies they have'* ]]
	tenants_are shop
	stop
	start -q
	until_true said 'tenants keep what they have: '
	tenants_are shop
	stop
}

@test "apply by hand tells the daemon of a new pattern" {
	mkdir "$CG/many"
	start -q
	inline many 'many/*'
	apply
	mkdir "$CG/many/a"
	policed "$CG/many/a"
	rm "$FILES/many.yaml"
	apply
	policed "$CG/many/a" untouched
	mkdir "$CG/many/b"
	tenant shop shop
	mkdir "$CG/shop"
	apply
	tenants_are shop
	policed "$CG/many/b" untouched
	stop
}
