#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What the sources promise: layers that look down only, purity, headers that compile alone.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
}

# table: "FOLDER MAY-USE..." of docs/design.md, a line a folder of user/ and one for include/; libraries are left out
table() {
	awk -F'|' '/^\| `(user|include)/ { gsub(/`/, ""); print $2, $4 }' docs/design.md |
		awk '{ printf "%s", $1; for (i = 2; i <= NF; i++) { sub(/,$/, "", $i); if ($i ~ /\/$/) printf " %s", $i }; print "" }'
}

# inclusions: "FOLDER FOLDER FILE HEADER" for every header of ours that a file of user/ includes
inclusions() {
	grep -HoE '^#include "[^"]+"' user/*/*.[ch] include/*.h | sed -E 's/:#include "(.*)"/ \1/' | while read -r file header; do
		for found in user/*/"$header" include/"$header"; do
			[ ! -e "$found" ] || echo "${file%/*}/ ${found%/*}/ $file $header"
		done
	done
}

# Every folder has its line in the table, uses what the line says, and none uses itself over others.
@test "the layers look down only, as docs/design.md says, and no header includes itself over others" {
	local bad=0 folder
	table >"$BATS_TEST_TMPDIR/table"
	for folder in user/*/ include/; do
		grep -q "^$folder" "$BATS_TEST_TMPDIR/table" || { echo "# $folder is not in the table of docs/design.md"; bad=1; }
	done
	inclusions | awk 'NR == FNR { for (i = 2; i <= NF; i++) may[$1, $i] = 1; next }
		$1 != $2 && !(($1, $2) in may) { print "# " $3 " includes " $4 " of " $2; bad = 1 } END { exit bad }' \
		"$BATS_TEST_TMPDIR/table" - || bad=1
	awk '{ for (i = 2; i <= NF; i++) print $1, $i }' "$BATS_TEST_TMPDIR/table" | tsort >/dev/null || bad=1
	inclusions | awk '$3 ~ /\.h$/ { sub(".*/", "", $3); print $3, $4 }' | tsort >/dev/null || bad=1
	return $bad
}

# What is pure knows no libbpf, reads no clock and does not print; what stands on it does not print either.
@test "what is pure is, and what does not print does not" {
	! grep -nE '#include <bpf/|\b(time|clock_gettime|gettimeofday)\(|#include <sqlite3' user/{base,policy,report}/*.[ch] &&
		! grep -nE '#include <bpf/' user/{ledger,client,exporter}/*.[ch] &&
		! grep -lE '#include <sqlite3' user/*/*.[ch] | grep -v '^user/ledger/' &&
		! grep -nE '\bprintf\(|\bputs\(|\bexit\(|stderr|stdout' user/{base,policy,report,client,ledger,kern,tenancy}/*.[ch]
}

# Every header compiles alone, on the host and, where it is shared, for BPF.
@test "every header compiles alone" {
	local header
	for header in user/*/*.h include/abi.h include/addr.h; do
		gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Iuser/base -Iuser/cli -Iuser/policy -Iuser/report \
			-Iuser/client -Iuser/ledger -Iuser/kern -Iuser/tenancy -Iuser/daemon -Iuser/cmd -Iuser/exporter \
			-fsyntax-only -x c "$header" || return 1
	done
	for header in include/abi.h include/addr.h bpf/*.bpf.h; do
		clang -target bpf -O2 -Wall -Wextra -Wno-unused-function -Wno-missing-field-initializers -Werror \
			-Ivmlinux/x86_64 -Iinclude -Ibpf -fsyntax-only -include vmlinux.h -include bpf/bpf_helpers.h -x c "$header" || return 1
	done
}

# A command of one's own needs none of the lab's servers.
@test "make run CMD=... installs what building needs, and no server" {
	local lab own
	lab=$(make -n run) own=$(make -n run CMD=true) # whole, for make does not like to be cut short
	grep -qx 'scripts/deps run' <<<"$lab" && ! grep -qx 'scripts/deps run' <<<"$own"
}

@test "docs/attacks.md has the attacks that are tried, and no other" {
	tests/box/attacks/table --check
}

@test "every file says under which license it is" {
	reuse lint --quiet || { reuse lint && return 1; }
}

# What every Debian has that builds packages is not named there.
@test "the Debian package is built with what building needs, and packages have this version" {
	diff <(awk '$1 == "build" && $2 !~ /^(gcc|libc6-dev|linux-libc-dev)$/ { print $2 }' scripts/packages | sort) \
		<(sed -n '/^Build-Depends/,/^[^ ]/p' debian/control | sed -nE 's/^ +([a-z0-9.-]+),$/\1/p' | sort)
	[ "$(sed -nE '1s/.*\((.*)\).*/\1/p' debian/changelog)" = "$(sed -n 's/^VERSION := //p' Makefile)" ]
	[ "$(sed -n 's/^Version: *//p' packaging/sockwarden.spec)" = "$(sed -n 's/^VERSION := //p' Makefile)" ]
}
