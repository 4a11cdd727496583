#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# The commands that an operator types first: attach, status, detach, by name or by path.
load lib.bash
bats_require_minimum_version 1.5.0

# widest: columns of the widest line of the last run
widest() {
	awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }' <<<"$output"
}

@test "before the first attach there are no tenants, which is no error" {
	run "$SW" status -j
	[ "$status" -eq 0 ]
	[ "$output" = '[]' ]
	run "$SW" status
	[ "$status" -eq 0 ]
	one_line
	run "$SW" status nosuch
	[ "$status" -eq 1 ]
	one_line
}

@test "attach says in one line what it did, and what it did not do" {
	run "$SW" attach "$CG"
	[ "$output" = "attached ${CG##*/} ($CG) to policy appengine, 9 rules" ]
	run "$SW" attach "$CG"
	[ "$status" -eq 0 ]
	[ "$output" = "unchanged: ${CG##*/} ($CG) is attached to policy appengine, 9 rules" ]
	printf 'default: deny\n' >"$BATS_TEST_TMPDIR/other.yaml"
	run "$SW" attach --policy "$BATS_TEST_TMPDIR/other.yaml" "$CG"
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *"to another policy: --replace gives it this one"* ]]
	run "$SW" attach --replace --policy "$BATS_TEST_TMPDIR/other.yaml" "${CG##*/}"
	[ "$status" -eq 0 ]
	one_line
	[[ $output == *"it is other now, 0 rules" ]]
	"$SW" detach -q "$CG"
	run "$SW" attach -q --replace "$CG" # a new one
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a tenant is meant by its name and by its path alike" {
	"$SW" attach --tenant shop "$CG"
	local by
	for by in shop "$CG" "$CG/" "$(realpath --relative-to=. "$CG")"; do
		[ "$("$SW" status -j "$by" | jq -r .tenant)" = shop ]
		run "$SW" explain --tenant "$by" tcp "$WEB:80"
		[ "$status" -eq 0 ]
	done
	run "$SW" detach "$CG"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "detached shop ($CG)" ]]
}

@test "status fits 80 columns, whatever is attached, and says what is not done without a daemon" {
	local long=$CG/a-service-with-a-very-long-name-longer-than-a-column.service
	mkdir "$long"
	cp share/policies/appengine.yaml "$BATS_TEST_TMPDIR/a-policy-with-a-very-long-name.yaml"
	"$SW" attach --policy "$BATS_TEST_TMPDIR/a-policy-with-a-very-long-name.yaml" "$long"
	run "$SW" status
	[ "$(widest)" -le 80 ]
	[[ $output == *"WRONG daemon"* ]]
	[[ $output != *"sockets are closed by"* ]]
	run "$SW" status "${long##*/}"
	[[ $output == *"10m until the daemon closes it"* ]]
	[ "$("$SW" status -j | jq -r '.[0].tenant')" = "${long##*/}" ]
	[[ $("$SW" status -j | jq -r '.[0].since') == 20*T*Z ]]
	"$SW" detach "$long"
}
