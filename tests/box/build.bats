#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What the build promises: the same bytes from two folders, BPF objects for every architecture, an install that is complete.

setup_file() {
	export WORK=$BATS_FILE_TMPDIR
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
}

# copy FOLDER: the sources, built there
copy() {
	mkdir -p "$1" && cp -r Makefile bpf include scripts share tests user vmlinux "$1" &&
		make -s -C "$1" all >"$WORK/log" 2>&1 || { sed 's/^/# /' "$WORK/log"; return 1; }
}

@test "two builds in two folders give the same bytes" {
	local file
	copy "$WORK/a/much/longer/folder" || return 1
	for file in sockwarden{,-exporter,-fetch} {sockwarden,watch}.skel.h "bpf/$(uname -m)/sockwarden.o"; do
		cmp "build/$file" "$WORK/a/much/longer/folder/build/$file" || return 1
	done
}

@test "the BPF objects compile for x86_64 and aarch64" {
	make -s build/bpf/{x86_64,aarch64}/{sockwarden,watch}.o
}

# finds SOCKWARDEN FROM: with no help, and from any folder, it finds the policy, and the set google in FROM
finds() {
	local program=$1 from=$2
	( cd / && unset SOCKWARDEN_PATH && "$program" explain appengine tcp 8.8.8.8:53 >/dev/null &&
		"$program" ranges | grep -qE "^google +[0-9]+ +[0-9-]+ \([0-9]+ d\) +$from\$" )
}

# A program finds its policies by itself: where it was built, where it was installed, and alone.
@test "the program finds its files where it was built, installed, and alone" {
	make -s install DESTDIR="$WORK/root" PREFIX=/usr/local &&
		finds "$WORK/root/usr/local/bin/sockwarden" "$WORK/root/usr/local/share/sockwarden/sets/google" &&
		finds "$WORK/a/much/longer/folder/build/sockwarden" "$WORK/a/much/longer/folder/share/sets/google" &&
		mkdir -p "$WORK/alone/build" && cp build/sockwarden "$WORK/alone/build" &&
		finds "$WORK/alone/build/sockwarden" 'built in'
}

# What a stranger put where a build tree has its share is not believed.
@test "a share folder that is not the tree's owner's is passed over" {
	mkdir -p "$WORK/alone/share/sets" && cp share/sets/google "$WORK/alone/share/sets" &&
		finds "$WORK/alone/build/sockwarden" "$WORK/alone/share/sets/google" &&
		chown 65534 "$WORK/alone/share" && finds "$WORK/alone/build/sockwarden" 'built in'
}
