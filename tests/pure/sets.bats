#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Named sets of one's own: files beside the policies. Needs no root.

bats_require_minimum_version 1.5.0
setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	DIR=$BATS_TEST_TMPDIR
	export SOCKWARDEN_PATH=$DIR/own:$PWD/share
	mkdir -p "$DIR/own/sets"
	cat >"$DIR/own/sets/office" <<-END
		# The office's networks, published 2026-01-02
		192.0.2.0/25   ; first floor
		2001:db8::/48  # and second
	END
	printf '198.51.100.7\n' >"$DIR/own/sets/partners"
	touch -d 2026-02-03T00:00Z "$DIR/own/sets/partners" "$DIR/own/sets/office"
	printf 'rules:\n  - allow: {net: [office, partners], port: 443}\n' >"$DIR/p.yaml"
}

@test "a set is a file, used by its name" {
	run -0 build/sockwarden explain "$DIR/p.yaml" tcp 192.0.2.1:443
	[[ $output == *'rule 1 of p, line 2: allow: {net: [office, partners], port: 443}'* ]]
	run -0 build/sockwarden explain "$DIR/p.yaml" tcp '[2001:db8::1]:443'
	run -0 build/sockwarden explain "$DIR/p.yaml" tcp 198.51.100.7:443
	run -3 build/sockwarden explain "$DIR/p.yaml" tcp 192.0.2.128:443
	[ "$(build/sockwarden ranges office)" = $'192.0.2.0/25\n2001:db8::/48' ]
}

@test "ranges lists it with its date, or that of the file, and where it is" {
	run -0 build/sockwarden ranges
	grep -qE "^office +2 +2026-01-02 \([0-9]+ d\) +$DIR/own/sets/office$" <<<"$output"
	grep -qE "^partners +1 +2026-02-03 \([0-9]+ d\) +$DIR/own/sets/partners$" <<<"$output"
	grep -qE "^doh .* $PWD/share/sets/doh$" <<<"$output"
	[ "$(grep -cE '^(google|google-cloud|doh|resolvers) ' <<<"$output")" -eq 4 ]
	run -0 build/sockwarden ranges --json
	[ "$(jq -c '.[] | select(.set == "office" or .set == "partners") | [.set, .prefixes, .published, .changed]' <<<"$output")" = \
		$'["office",2,"2026-01-02T00:00:00Z",null]\n["partners",1,null,"2026-02-03T00:00:00Z"]' ]
}

@test "one's own comes before the one that ships, and is listed once" {
	printf '8.8.8.8\n' >"$DIR/own/sets/google"
	run -0 build/sockwarden ranges
	[ "$(grep -c '^google ' <<<"$output")" -eq 1 ]
	grep -qE "^google +1 .* $DIR/own/sets/google$" <<<"$output"
	[ "$(build/sockwarden ranges google)" = 8.8.8.8/32 ] || [ "$(build/sockwarden ranges google)" = 8.8.8.8 ]
}

@test "what editors leave, and folders, are no sets; who takes a name of the language is told" {
	touch "$DIR/own/sets/office~" "$DIR/own/sets/.office.swp" "$DIR/own/sets/office.dpkg-old"
	mkdir "$DIR/own/sets/folder"
	printf '203.0.113.0/24\n' >"$DIR/own/sets/private"
	run -0 --separate-stderr build/sockwarden ranges
	! grep -E '~|swp|dpkg|folder' <<<"$output"
	[ "$stderr" = "sockwarden: $DIR/own/sets/private is not read: the set private is part of the language; give the file another name" ]
	grep -qE '^private +4 ' <<<"$output"
}

@test "the name of no set is answered with those there are" {
	sed -i s/office/offce/ "$DIR/p.yaml"
	run -1 build/sockwarden policy check "$DIR/p.yaml"
	[[ $output == *"p.yaml:2:19: error: no set is named 'offce': there are doh, google, google-cloud, office, partners, resolvers, and the special-purpose ones"* ]]
}

@test "a mistake in a set is told with its file and line, and where it is named" {
	echo 192.0.2.1/24 >>"$DIR/own/sets/office"
	run -1 build/sockwarden policy check "$DIR/p.yaml"
	[[ $output == *"$DIR/own/sets/office:4:1: error: "*"p.yaml:2:19: note: 'office' is named here"* ]]
}
