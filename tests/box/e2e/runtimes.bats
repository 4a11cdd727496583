#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# Unmodified programs of Debian's runtimes under the policy: they resolve and fetch, and fail cleanly where refused.
load lib.bash
bats_require_minimum_version 1.5.0

# fetches CLIENT: blocking and not, both families, a name and an address
fetches() {
	local mode url
	for mode in blocking nonblocking; do
		for url in http://www.example.com/ http://v4only.example.com/ http://v6only.example.com/ http://$WEB/; do
			run --separate-stderr "$SW" run -j -- tests/box/lab/clients/run "$1" $mode $url
			[ "$status" -eq 0 ] || { echo "$1 $mode $url: $stderr" >&2; return 1; }
			[[ $output == *" 80 "* ]] || { echo "$1 $mode $url: got '$output'" >&2; return 1; }
			grep -q '"received_packets":[1-9]' <<<"$stderr"
		done
		for url in http://$PRIVATE/ http://internal.example.com/ http://www.google.com/ http://metadata.google.internal/; do
			run --separate-stderr "$SW" run -j -- tests/box/lab/clients/run "$1" $mode $url
			[ "$status" -eq 1 ] || { echo "$1 $mode $url: status $status: $output" >&2; return 1; }
			[ -z "$output" ]
			[[ ${stderr_lines[0]} == error:* ]] || { echo "$1 $mode $url: $stderr" >&2; return 1; }
			[ "${#stderr_lines[@]}" -eq 2 ] || { echo "$1 $mode $url: $stderr" >&2; return 1; } # and the report
			grep -q '"rule":[1-9]' <<<"$stderr"
		done
	done
}

@test "php" { fetches php; }
@test "python3" { fetches python3; }
@test "node" { fetches node; }
@test "perl" { fetches perl; }
@test "curl" { fetches curl; }
@test "ruby" { fetches ruby; }
@test "java" { fetches java; }
@test "go" { fetches go; }

@test "php reads the mock options, and sets them without effect" {
	run --separate-stderr "$SW" run -- tests/box/lab/clients/run php options http://www.example.com/
	[ "$status" -eq 0 ]
	local wanted
	for wanted in 'SO_KEEPALIVE get=0' 'SO_DEBUG get=128' 'TCP_NODELAY get=0' 'SO_OOBINLINE get=0' \
		'SO_SNDBUF get=2097152' 'SO_RCVBUF get=2097152' 'SO_REUSEADDR get=1'; do
		grep -q "^$wanted set=ok" <<<"$output" || { echo "missing: $wanted in $output" >&2; false; }
	done
	grep -q '^SO_LINGER get=.*0.*0.* set=ok' <<<"$output"
}
