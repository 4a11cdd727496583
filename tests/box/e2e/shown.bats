#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# What the daemon shows, and ends, though it asks the kernel of a tenant only when it has heard that something changed.
load lib.bash
load daemon.bash
bats_require_minimum_version 1.5.0

# shows STATE: the daemon, of the only tenant there is
shows() {
	build/sockwarden-exporter --once --socket "$SOCKET" >"$BATS_TEST_TMPDIR/shown" 2>/dev/null
	grep -qxF "sockwarden_tenants{state=\"$1\"} 1" "$BATS_TEST_TMPDIR/shown"
}

# ticks N: so many, one after the other; the daemon hangs up on who asks it for nothing, when it has done what came before
ticks() {
	local i
	for ((i = 0; i < $1; i++)); do
		kill -USR1 "$DAEMON"
		python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.send(b"?\n"); s.recv(1)' "$SOCKET"
	done
}

# has_slot: somebody has one, be it that it has ended
has_slot() {
	[ -n "$(ls $PINS/tenants)" ]
}

# is_ended: by the first ticks after the kernel has let go of it, and not because it was its turn to be looked for
is_ended() {
	TRIES=10 until_true eval 'ticks 1; ! has_slot'
}

@test "links that were removed, or are there again, are shown by the next scrape" {
	local pin
	start
	"$SW" attach "$CG"
	shows enforced && shows enforced # now it is known
	for pin in egress connect4 recvmsg6; do
		rm "$PINS/tenants/${CG##*/}/$pin"
		shows incomplete
		"$SW" attach "$CG"
		shows enforced && shows enforced
	done
	mv "$PINS/tenants/${CG##*/}" "$PINS/tenants/elsewhere"
	shows incomplete
	mv "$PINS/tenants/elsewhere" "$PINS/tenants/${CG##*/}"
	shows enforced
	echo 'mode: audit' >>"$POLICY"
	"$SW" attach --replace --policy "$POLICY" "$CG"
	shows audited
	"$SW" detach "${CG##*/}"
	not grep -q 'sockwarden_tenants{.*} 1' <(build/sockwarden-exporter --once --socket "$SOCKET")
}

@test "a cgroup that was removed is shown so by the next scrape, and ended by the next tick" {
	start
	"$SW" attach "$CG"
	ticks 1
	shows enforced
	end_cgroup "$CG"
	shows unprotected
	has_slot
	is_ended
	shows unprotected
}

@test "a cgroup whose sockets outlive it is shown as removed, and ended by the tick after their last" {
	local holder
	mkdir "$BOX_CGROUP/holder"
	start
	"$SW" attach "$CG"
	shows enforced
	bash -c 'echo $$ >"$0/cgroup.procs" && exec python3 -c "$1" "$2"' "$CG" 'import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
open(sys.argv[1] + "/cgroup.procs", "w").write("0")
print("out", flush=True)
time.sleep(60)' "$BOX_CGROUP/holder" >"$BATS_TEST_TMPDIR/holder" 3>&- &
	holder=$!
	until_true grep -q out "$BATS_TEST_TMPDIR/holder"
	rmdir "$CG"
	shows unprotected
	ticks 2
	has_slot
	kill "$holder"
	wait "$holder" || true
	is_ended
	end_cgroup "$BOX_CGROUP/holder"
}

@test "a cgroup that was removed from within another cgroup namespace is ended by the next tick" {
	start
	mkdir "$CG/above" "$CG/above/tenant"
	"$SW" attach --tenant inner "$CG/above/tenant"
	ticks 1
	unshare --mount "$BASH" -c 'echo $$ >"$0/cgroup.procs" && exec unshare --cgroup "$BASH" -c "
		mount -t cgroup2 none /mnt && rmdir /mnt/tenant"' "$CG/above"
	[ ! -e "$CG/above/tenant" ]
	is_ended
	"$SW" detach inner
}
