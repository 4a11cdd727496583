#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What a policy says of system calls, as a unit has it. Needs no root.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	export SOCKWARDEN_PATH=share
}

unit() {
	printf '%s\n' "$@" 'default: deny' | build/sockwarden policy unit - | grep -v '^#' || true
}

@test "each key has its lines" {
	diff - <(unit) <<-END
		[Service]
		SystemCallArchitectures=native
		RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
		SystemCallFilter=~io_uring_setup:ENOSYS io_uring_enter:ENOSYS io_uring_register:ENOSYS add_key:ENOSYS request_key:ENOSYS keyctl:ENOSYS pidfd_getfd:ENOSYS
		CapabilityBoundingSet=~CAP_NET_RAW
	END
	diff - <(unit 'system-calls: allow' 'user-namespaces: deny') <<-END
		[Service]
		SystemCallArchitectures=native
		RestrictNamespaces=~user
	END
	[ "$(unit 'user-namespaces: deny')" = "$(unit; echo RestrictNamespaces=~user)" ]
	[ -z "$(unit 'system-calls: allow')" ]
}

@test "the policy of the unit is the one that is meant" {
	[ "$(build/sockwarden policy unit)" = "$(build/sockwarden policy unit appengine)" ]
	build/sockwarden policy unit | grep -q '^# .*appengine'
	run build/sockwarden policy unit nosuch
	[ "$status" -eq 1 ]
}
