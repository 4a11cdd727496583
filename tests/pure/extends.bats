#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Policies that extend others: what is told of where their lines are from. Needs no root.

bats_require_minimum_version 1.5.0
setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	DIR=$BATS_TEST_TMPDIR
	export SOCKWARDEN_PATH=$DIR:$DIR/house:$PWD/share
	mkdir -p "$DIR/policies" "$DIR/house/policies"
	cat >"$DIR/house/policies/house.yaml" <<-END
		rules:
		  - allow: {net: "file:office.txt", port: 443}
		  - deny: {port: 25}
		default: allow
	END
	echo 192.0.2.0/24 >"$DIR/house/policies/office.txt"
	cat >"$DIR/policies/shop.yaml" <<-END
		extends: house
		rules:
		  - deny: {net: 192.0.2.1}
		default: deny
	END
}


@test "explain names the file and the line, of rules of the policy and of its base" {
	run -3 build/sockwarden explain shop tcp 192.0.2.1:443
	[[ $output == *'rule 1 of shop, line 3: deny: {net: 192.0.2.1}'* ]]
	run -0 build/sockwarden explain shop tcp 192.0.2.2:443
	[[ $output == *"rule 2 of shop, line 2 of house: allow: {net: file:$DIR/house/policies/office.txt, port: 443}"* ]]
	run -3 build/sockwarden explain --json shop udp 192.0.2.3:25
	[ "$(jq -c '[.rule, .line, .file, .policy]' <<<"$output")" = '[3,3,"house","shop"]' ]
	run -3 build/sockwarden explain --json shop tcp 192.0.2.1:1
	[ "$(jq -c '[.rule, .line, .file]' <<<"$output")" = '[1,3,"shop"]' ]
	run -3 build/sockwarden explain shop tcp 192.0.2.3:1
	[[ $output == *'no rule of shop matches: its default'* ]]
}

# shown NAME: it is as good a policy as the one that it shows, from whichever folder
shown() {
	build/sockwarden policy show "$1" >"$DIR/shown"
	(cd / && "$OLDPWD/build/sockwarden" policy diff "$1" - <"$DIR/shown")
}

@test "what policy show prints says where each line is from, and is a policy that differs in nothing" {
	shown shop
	grep -qxF "  - deny: {net: 192.0.2.1}  # $DIR/policies/shop.yaml:3" "$DIR/shown"
	grep -qxF "  - deny: {port: 25}  # $DIR/house/policies/house.yaml:3" "$DIR/shown"
	grep -qxF "default: deny  # $DIR/policies/shop.yaml:4" "$DIR/shown"
	grep -qxF "listen: deny" "$DIR/shown"
}

@test "a list beside a base is found from the policy in another folder" {
	mkdir -p "$DIR/far/away"
	printf 'extends: ../../house/policies/house.yaml\nresolvers: ["file:own.txt"]\n' >"$DIR/far/away/x.yaml"
	echo 192.0.2.53 >"$DIR/far/away/own.txt"
	run -0 build/sockwarden explain "$DIR/far/away/x.yaml" tcp 192.0.2.2:443
	[[ $output == *'rule 1 of x, line 2 of house'* ]]
	build/sockwarden policy show "$DIR/far/away/x.yaml" >"$DIR/far/away/y.yaml"
	build/sockwarden policy diff "$DIR/far/away/x.yaml" "$DIR/far/away/y.yaml"
	run -0 build/sockwarden explain - tcp 192.0.2.2:443 <"$DIR/policies/shop.yaml"
}

@test "a base that is built in" {
	echo 'extends: appengine' >"$DIR/alone.yaml"
	SOCKWARDEN_PATH=$DIR build/sockwarden policy show "$DIR/alone.yaml" | grep -q '^default: .*  # built in/policies/appengine.yaml:'
	SOCKWARDEN_PATH=$DIR build/sockwarden policy diff "$DIR/alone.yaml" appengine
}

@test "a policy with the name of its base extends the next of that name, however it is named itself" {
	printf 'extends: house\nrules:\n  - deny: {port: 26, id: own}\n' >"$DIR/policies/house.yaml"
	run -0 build/sockwarden policy show shop
	[ "$(grep -c 'port: 2[56]' <<<"$output")" -eq 2 ]
	run -3 build/sockwarden explain house tcp 192.0.2.3:25
	[[ $output == *'rule 3 of house, line 3 of '*'/house/policies/house.yaml: deny: {port: 25}'* ]]
	run -3 build/sockwarden explain house tcp 192.0.2.3:26
	[[ $output == *'rule 1 (own) of house, line 3: deny: {port: 26}'* ]]
	cd "$DIR/policies" && ln -s house.yaml link.yaml
	for name in house ./house.yaml ./link.yaml "$DIR/policies/../policies/house.yaml"; do
		"$OLDPWD/build/sockwarden" policy show "$name" >"$DIR/shown"
		[ "$(grep -c 'port: 2[56]' "$DIR/shown")" -eq 2 ] || return 1
	done
	cd "$OLDPWD" || return 1
	echo 'extends: house' >"$DIR/house/policies/house.yaml"
	run -1 build/sockwarden policy check house
	[[ $output == *"$DIR/house/policies/house.yaml:1:10: error: 'house': no policy of this name in "* ]]
}

@test "a mistake in a base is told with its file, and as JSON in the order of the lines" {
	sed -i 's/port: 25/port: 70000/' "$DIR/house/policies/house.yaml"
	run -1 build/sockwarden policy check shop
	[[ $output == *"$DIR/house/policies/house.yaml:3:18: error: '70000' is not a port"* ]]
	[[ $output == *"$DIR/policies/shop.yaml:1:10: note: 'house' is named here"* ]]
	run -1 build/sockwarden policy check --json shop
	[ "$(jq -c '[.messages[] | .level, .line]' <<<"$output")" = '["error",3,"note",1]' ]
}
