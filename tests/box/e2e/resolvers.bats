#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# The set `resolvers` under a daemon: it follows the host's resolv.conf, however that is changed.
load lib.bash
load daemon.bash
bats_require_minimum_version 1.5.0

# /etc as the daemon sees it has a resolv.conf of this case, which is a link, as systemd-resolved's is
setup() {
	daemon_setup
	mkdir -p "$BATS_TEST_TMPDIR/etc" "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/run"
	mount -t overlay sockwarden -o "lowerdir=/etc,upperdir=$BATS_TEST_TMPDIR/etc,workdir=$BATS_TEST_TMPDIR/work" /etc
	rm -f /etc/resolv.conf
	ln -s "$BATS_TEST_TMPDIR/run/resolv.conf" /etc/resolv.conf
	echo 'nameserver 10.1.2.3' >"$BATS_TEST_TMPDIR/run/resolv.conf"
	printf 'rules:\n  - allow: {net: resolvers, port: 53}\n' >"$POLICY"
}

teardown() {
	daemon_teardown
	umount /etc
}

allows() {
	"$SW" explain --tenant "${CG##*/}" udp "$1:53"
}

@test "resolv.conf that is written, replaced, removed, or to which a link is turned, is followed" {
	"$SW" attach --policy "$POLICY" "$CG"
	allows 10.1.2.3
	start -q
	echo 'nameserver 127.0.0.53' >"$BATS_TEST_TMPDIR/run/resolv.conf"
	until_true allows 127.0.0.53
	not allows 10.1.2.3
	until_true said 'name servers have changed to 127.0.0.53: reading the policies anew'
	echo 'nameserver 192.168.7.7' >"$BATS_TEST_TMPDIR/run/new"
	mv "$BATS_TEST_TMPDIR/run/new" "$BATS_TEST_TMPDIR/run/resolv.conf"
	until_true allows 192.168.7.7
	rm "$BATS_TEST_TMPDIR/run/resolv.conf"
	until_true not allows 192.168.7.7
	mkdir "$BATS_TEST_TMPDIR/other"
	echo 'nameserver 127.0.0.11' >"$BATS_TEST_TMPDIR/other/resolv.conf"
	ln -s "$BATS_TEST_TMPDIR/other/resolv.conf" /etc/new
	mv -T /etc/new /etc/resolv.conf
	until_true allows 127.0.0.11
	rm -r "$BATS_TEST_TMPDIR/other"
	until_true not allows 127.0.0.11
	mkdir "$BATS_TEST_TMPDIR/other" # the folder itself was gone meanwhile
	echo 'nameserver 10.89.0.1' >"$BATS_TEST_TMPDIR/other/resolv.conf"
	until_true allows 10.89.0.1
}

@test "a change that names the same servers changes nothing" {
	"$SW" attach --policy "$POLICY" "$CG"
	start -q
	printf '# by hand\nnameserver 10.1.2.3\n' >"$BATS_TEST_TMPDIR/run/new"
	mv "$BATS_TEST_TMPDIR/run/new" "$BATS_TEST_TMPDIR/run/resolv.conf"
	echo 'nameserver 8.8.4.4' >"$BATS_TEST_TMPDIR/run/new"
	mv "$BATS_TEST_TMPDIR/run/new" "$BATS_TEST_TMPDIR/run/resolv.conf"
	until_true allows 8.8.4.4
	until_true grep -q 'name servers have changed' "$BATS_TEST_TMPDIR/log" # said once it is in force
	[ "$(grep -c 'name servers have changed' "$BATS_TEST_TMPDIR/log")" -eq 1 ]
}

@test "a change while there was no daemon is followed when there is one" {
	"$SW" attach --policy "$POLICY" "$CG"
	echo 'nameserver 127.0.0.53' >"$BATS_TEST_TMPDIR/run/resolv.conf"
	start -q
	until_true allows 127.0.0.53
	stop
	echo 'nameserver 8.8.4.4' >"$BATS_TEST_TMPDIR/run/resolv.conf"
	start -q
	until_true allows 8.8.4.4
}
