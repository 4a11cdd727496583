#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# What a tenant asked for in vain, in the report that `run` ends with.
load lib.bash
bats_require_minimum_version 1.5.0

@test "run names the peers that were denied most often, and what lets a name server be asked" {
	printf 'rules:\n  - deny: {net: special}\ndefault: allow\n' >"$BATS_TEST_TMPDIR/policy.yaml"
	run "$SW" run --policy "$BATS_TEST_TMPDIR/policy.yaml" -- bash -c "
		for i in 1 2 3; do (echo >/dev/tcp/$PRIVATE/80); done
		for i in 1 2; do (echo >/dev/udp/192.168.7.7/53); (echo >/dev/tcp/10.9.9.9/53); done
		for port in {1001..1009}; do (echo >/dev/tcp/$PRIVATE/\$port); done 2>/dev/null"
	grep -qx '           3  tcp 10.1.2.3:80: rule 1' <<<"$output"
	grep -A1 '2  udp 192.168.7.7:53: rule 1' <<<"$output" | grep -q 'allow: {net: resolvers, port: 53}'
	[ "$(grep -c ': rule 1$' <<<"$output")" -eq 10 ] # of twelve
	grep -A1 '2  tcp 10.9.9.9:53: rule 1' <<<"$output" | grep -q 'a name server? allow: {net: 10.9.9.9, port: 53}'
	run --separate-stderr "$SW" run -j --policy "$BATS_TEST_TMPDIR/policy.yaml" -- bash -c "echo >/dev/tcp/10.9.9.9/53"
	[ "$(jq -c '.refused' <<<"${stderr_lines[-1]}")" = \
		'[{"protocol":"tcp","peer":"10.9.9.9","port":53,"rule":1,"times":1}]' ]
}

@test "a tenant is not shown what another asked for" {
	run "$SW" run -- bash -c "echo >/dev/tcp/$PRIVATE/80"
	[[ $output == *"tcp $PRIVATE:80"* ]]
	run "$SW" run -- true
	[[ $output != *"tcp $PRIVATE:80"* ]]
}
