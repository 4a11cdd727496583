#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# What a tenant might do by way of the commands that the host's root runs for it: what they read, and whom they keep waiting.
load ../e2e/lib.bash
load ../e2e/daemon.bash
bats_require_minimum_version 1.5.0

@test "run gives the lock back before it reports" {
	local pid
	full_pipe
	"$SW" run --tenant "full-$$" -- true 2>&7 7>&- &
	pid=$!
	until_true test -e "$PINS/tenants/full-$$"
	until_true not test -e "$PINS/tenants/full-$$"
	"$SW" attach "$CG" # while nobody reads what the other says
	drain_pipe $pid
}

@test "attach gives the lock back before it warns of programs of others" {
	local pid
	mkdir "$CG/tenant" "$CG/other"
	bpftool prog load build/tests/box/e2e/foreign.bpf.o /sys/fs/bpf/foreign type cgroup/connect4
	bpftool cgroup attach "$CG" connect4 pinned /sys/fs/bpf/foreign multi
	full_pipe
	"$SW" attach "$CG/tenant" >&7 2>&7 7>&- &
	pid=$!
	until_true "$SW" status tenant
	"$SW" attach "$CG/other" 2>/dev/null # while nobody reads what the other says
	drain_pipe $pid
	bpftool cgroup detach "$CG" connect4 pinned /sys/fs/bpf/foreign
	rm /sys/fs/bpf/foreign
	grep -q 'program of someone else' "$BATS_TEST_TMPDIR/drained"
	"$SW" detach tenant
	"$SW" detach other
}

@test "detach of an unprotected tenant gives the lock back before it says so" {
	local pid
	mkdir "$CG/gone"
	"$SW" attach "$CG/gone"
	start -q
	until_true grep -q gone $STATE/attached.json
	rmdir "$CG/gone"
	until_true eval '[ "$("$SW" status -j gone | jq -r .state)" = unprotected ]'
	kill -USR1 "$DAEMON" # its slot is given back
	until_true eval '! "$SW" status -j gone | jq -e ".cgroup_id > 0"'
	full_pipe
	stdbuf -oL "$SW" detach gone >&7 2>&7 7>&- & # as on a terminal
	pid=$!
	until_true eval '[ "$("$SW" status -j)" = "[]" ]'
	"$SW" attach --tenant other "$CG" # while nobody reads what the other says
	drain_pipe $pid
	"$SW" detach other
	grep -q 'is not attached again' "$BATS_TEST_TMPDIR/drained"
}

@test "run reads a policy that it is given with the rights of who called sudo" {
	local folder=$BATS_TEST_TMPDIR/open
	mkdir "$folder"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$folder"
	printf 'root:hash:1\n' >"$folder/secret"
	chmod 600 "$folder/secret"
	printf 'rules:\n  - allow: {net: "file:%s"}\n' "$folder/secret" >"$folder/asks.yaml"
	printf 'default: deny\n' >"$folder/plain.yaml"
	export SUDO_UID=65534 SUDO_GID=65534
	for policy in secret asks.yaml; do
		run "$SW" run --policy "$folder/$policy" -- true
		[ "$status" -eq 125 ]
		[[ $output == *'Permission denied'* && $output != *hash* ]]
	done
	[ "$("$SW" run -q --policy "$folder/plain.yaml" -- id -u)" = 65534 ]
}

hash_of() {
	"$SW" status -j "$1" | jq -r .policy_hash
}

@test "a policy that others than root may write to is not read anew, and keeps nobody from theirs" {
	local theirs=$BATS_TEST_TMPDIR/theirs hash content
	mkdir "$theirs"
	printf 'default: deny\n' >"$theirs/policy.yaml"
	chown -R 65534 "$theirs"
	mkdir "$CG/user" "$CG/root"
	"$SW" attach --policy "$theirs/policy.yaml" --tenant "user-$$" "$CG/user"
	"$SW" attach --policy "$POLICY" --tenant "root-$$" "$CG/root"
	hash=$(hash_of "user-$$")
	start
	for content in 'default: allow' 'default: mistake' ''; do
		printf '%s\n' "$content" >"$theirs/policy.yaml"
		[ -n "$content" ] || rm "$theirs/policy.yaml"
		run "$SW" reload --socket "$SOCKET"
		[ "$status" -eq 0 ]
		[[ $output == *"$theirs/policy.yaml is not read anew"*'reload: 1 policy read'* ]]
		[ "$(hash_of "user-$$")" = "$hash" ]
	done
	stop
}
