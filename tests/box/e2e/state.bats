#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# Attach, detach and what may go wrong on the way.
load lib.bash
bats_require_minimum_version 1.5.0

# Of the calls that are made to fail, or to be the last: 1 is all of them, which takes a quarter of an hour
EVERY=${EVERY:-3}

@test "attach puts a cgroup under the policy, detach takes it off, and nothing stays" {
	[ "$(reach)" = untouched ]
	"$SW" attach "$CG"
	[ "$(reach)" = policy ]
	"$SW" detach "${CG##*/}"
	[ "$(reach)" = untouched ]
	[ -z "$(ls $PINS/tenants)" ]
	[ "$("$SW" status -j)" = '[]' ]
}

@test "a tenant may be named after a slice, dots and all" {
	"$SW" attach --tenant tenant-1.slice "$CG"
	[ "$(reach)" = policy ]
	"$SW" status tenant-1.slice | grep -q enforced
	"$SW" detach tenant-1.slice
	[ "$(reach)" = untouched ]
	[ -z "$(ls $PINS/tenants)" ]
}

@test "an older tenant's storage does not come into force again" {
	"$SW" attach --tenant first "$CG"
	"$SW" detach first
	"$SW" attach --tenant second "$CG"
	"$SW" status -j second | grep -q '"allowed":0'
	[ "$(reach)" = policy ]
}

# few_options: a policy of the name that attach takes, as strict to `reach`, of few options: each is a call of its own
few_options() {
	mkdir -p "$BATS_TEST_TMPDIR/share/policies"
	printf '%s\n' 'rules: [deny: {net: special}]' 'default: allow' 'sockopts: {pass: [SO_ERROR], other: deny}' \
		>"$BATS_TEST_TMPDIR/share/policies/appengine.yaml"
	export SOCKWARDEN_PATH=$BATS_TEST_TMPDIR/share
}

@test "whichever bpf() call fails, attach is undone whole and says why in one line" {
	few_options
	local n calls failed=0 before
	"$SW" attach "$CG" && "$SW" detach "${CG##*/}" # the programs are loaded; the next case has the loading
	before=$(state)
	strace -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=bpf "$SW" attach "$CG" && "$SW" detach "${CG##*/}"
	calls=$(wc -l <"$BATS_TEST_TMPDIR/calls")
	for ((n = 1; n <= calls; n += EVERY)); do
		run strace -qq -o /dev/null -e trace=bpf -e inject=bpf:error=ENOSPC:when=$n "$SW" attach "$CG"
		if [ "$status" -eq 0 ]; then # what failed was the look at something that need not be there
			[ "$(reach)" = policy ] || { echo "call $n: $(reach)" >&2; false; }
			"$SW" detach "${CG##*/}"
			continue
		fi
		failed=$((failed + 1))
		one_line
		[ "$(reach)" = untouched ] || { echo "call $n: $(reach): $output" >&2; false; }
		[ "$(state)" = "$before" ] || { echo "call $n: state changed: $output" >&2; diff <(state) <(echo "$before") >&2; false; }
	done
	echo "# of $calls calls every ${EVERY}th failed; it failed the attach $failed times" >&3
	[ $((failed * EVERY)) -gt 100 ]
}

@test "whichever bpf() call of the first attach fails, nothing is loaded by halves" {
	few_options
	local n
	for ((n = 1; n < 400; n += 19)); do
		find $PINS -depth -delete 2>/dev/null || true
		run strace -qq -o /dev/null -e trace=bpf -e inject=bpf:error=EPERM:when=$n "$SW" attach "$CG"
		if [ "$status" -eq 0 ]; then
			[ "$(reach)" = policy ]
			"$SW" detach "${CG##*/}"
			continue # libbpf's probing of the kernel, which may fail
		fi
		one_line
		[ "$(reach)" = untouched ] || { echo "call $n: $(reach): $output" >&2; false; }
		[ ! -e $PINS/loading ]
		"$SW" attach "$CG"
		[ "$(reach)" = policy ]
		"$SW" detach "${CG##*/}"
	done
}

# killed VERB ARGS...: kills the command before each of its system calls that change something, one after the
# other; after each the cgroup must be in one of the three states, and a detach or attach must mend it.
killed() {
	local n word calls=0
	for ((n = 1; n < 400; n += ${STEP:-$EVERY})); do
		"$prepare"
		run strace -qq -f -o /dev/null -e trace=bpf,mkdir,unlink,rmdir,rename \
			-e inject=bpf,mkdir,unlink,rmdir,rename:signal=KILL:when=$n "$SW" "$@"
		[ "$status" -ne 0 ] || break
		calls=$((calls + 1))
		word=$(reach)
		case $word in untouched | refused | policy) ;; *) echo "killed at call $n: $word" >&2; return 1 ;; esac
		seen[$word]=$((${seen[$word]:-0} + 1))
		"$SW" detach "${CG##*/}" 2>/dev/null || true
		[ "$(reach)" = untouched ] || { echo "killed at call $n: detach does not mend it" >&2; return 1; }
	done
	echo "# killed at $calls calls: ${!seen[*]} ${seen[*]}" >&3
	[ "$calls" -gt 20 ]
}

@test "attach killed at any call leaves the cgroup untouched, refused or under the policy" {
	few_options
	declare -A seen
	prepare=true
	"$SW" attach "$CG" && "$SW" detach "${CG##*/}"
	killed attach "$CG"
	[ -n "${seen[untouched]}" ] && [ -n "${seen[refused]}" ]
}

@test "detach killed at any call leaves the cgroup untouched, refused or under the policy" {
	few_options
	declare -A seen
	again() { "$SW" attach "$CG" 2>/dev/null || true; }
	prepare=again
	STEP=5 killed detach "${CG##*/}"
}

@test "replace killed at any call leaves the old policy or the new one" {
	few_options
	declare -A seen
	again() { "$SW" attach "$CG" 2>/dev/null || true; }
	prepare=again
	printf 'rules:\n  - deny: {net: special}\ndefault: allow\nsockopts: {other: deny}\n' >"$BATS_TEST_TMPDIR/other.yaml"
	STEP=3 killed attach --replace --policy "$BATS_TEST_TMPDIR/other.yaml" "$CG"
	[ "${!seen[*]}" = policy ]
}

@test "a tenant whose attach was cut short is refused everything, shown as incomplete, and attached by a second try" {
	"$SW" attach "$CG" && "$SW" detach "${CG##*/}"
	# the last call of attach that fills the storage: everything is pinned by then
	local n
	for ((n = 1; n < 400; n++)); do
		run strace -qq -o /dev/null -e trace=bpf -e inject=bpf:signal=KILL:when=$n "$SW" attach "$CG"
		[ "$(reach)" != refused ] || break
		"$SW" detach "${CG##*/}" 2>/dev/null || true
	done
	[ "$(reach)" = refused ]
	"$SW" status -j "${CG##*/}" | grep -q '"state":"incomplete"'
	"$SW" status -j "${CG##*/}" | grep -q '"policy":null'
	"$SW" attach "$CG"
	[ "$(reach)" = policy ]
}

# holder: a process in the cgroup with a connection, a UDP socket and a listener, which says on each line it is given what
# they are good for
holder() {
	coproc HOLDER { inside python3 -c "
import errno, socket, sys
tcp = socket.create_connection(('$WEB', 7))
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.connect(('$WEB', 7))
listener = socket.socket()
listener.listen()
def attempt(what):
    try: return what() and 'yes'
    except OSError as e: return 'no'
def echo(sock):
    sock.settimeout(10)
    sock.send(b'x')
    return sock.recv(1)
def heard():
    with socket.create_connection(listener.getsockname(), timeout=10), listener.accept()[0]: return True
for line in sys.stdin:
    print(*(attempt(each) for each in (lambda: echo(tcp), lambda: echo(udp), heard)), flush=True)"; }
	good yes yes yes
}

# good RESULT...: what the holder's sockets are good for
good() {
	local answer
	echo >&"${HOLDER[1]}"
	read -r -t 60 answer <&"${HOLDER[0]}"
	[ "$answer" = "$*" ] || { echo "it says: $answer" >&2; return 1; }
}

allow_all() {
	printf '%s\n' "$@" 'default: allow' 'listen: allow' 'bind: allow' >"$BATS_TEST_TMPDIR/all.yaml"
	"$SW" attach --policy "$BATS_TEST_TMPDIR/all.yaml" "$CG"
}

@test "detach closes every socket of the tenant, and no other's" {
	holder
	allow_all
	"$SW" detach -j "${CG##*/}" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	jq -e '.state == "enforced" and .closed.detached >= 3' "$BATS_TEST_TMPDIR/out"
	good no no no
	[ "$(reach)" = untouched ]
	"$SW" attach "$CG"
	[ "$(reach)" = policy ]
}

@test "detach --keep-open leaves sockets as they are, and so does the end of an audit" {
	holder
	allow_all
	"$SW" detach --keep-open "${CG##*/}"
	good yes yes yes
	allow_all 'mode: audit'
	"$SW" detach -j "${CG##*/}" | jq -e '.closed.detached == 0'
	good yes yes yes
}

@test "detach closes the sockets of a tenant whose attach or detach was cut short" {
	local key
	holder
	allow_all
	key=$(python3 -c 'import os, sys; print(os.stat(sys.argv[1]).st_ino.to_bytes(8, sys.byteorder).hex(" "))' "$CG")
	# shellcheck disable=SC2046,SC2086 # bytes are words
	bpftool map update pinned $PINS/host/tenants key hex $key value hex $(printf '00 %.0s' {1..40})
	"$SW" status -j "${CG##*/}" | grep -q '"state":"incomplete"'
	"$SW" detach -j "${CG##*/}" | jq -e '.closed.detached >= 3'
	good no no no
	[ "$(reach)" = untouched ]
}

@test "two attaches at once: one attaches, the other finds it done" {
	local i one two
	for i in 1 2 3 4 5; do
		"$SW" attach "$CG" >"$BATS_TEST_TMPDIR/one" & one=$!
		"$SW" attach "$CG" >"$BATS_TEST_TMPDIR/two" & two=$!
		wait $one
		wait $two
		[ "$(cut -d ' ' -f 1 "$BATS_TEST_TMPDIR"/{one,two} | sort | tr '\n' ' ')" = 'attached unchanged: ' ]
		[ "$(reach)" = policy ]
		"$SW" detach "${CG##*/}"
	done
}

@test "bad input: one line that says what to do, and nothing changes" {
	local before
	"$SW" attach "$CG"
	mkdir "$CG/inner" "$CG-other"
	printf 'default: allow\n' >"$BATS_TEST_TMPDIR/other.yaml"
	before=$(state)
	refused() { # TEXT CMD...
		local text=$1
		shift
		run "$@"
		[ "$status" -ne 0 ] || { echo "accepted: $*" >&2; false; }
		one_line
		[[ $output == *"$text"* ]] || { printf 'wanted: %s\ngot: %s\n' "$text" "$output" >&2; false; }
		[ "$(state)" = "$before" ] || { echo "state changed by: $*" >&2; false; }
	}
	refused 'needs root' setpriv --reuid 65534 --clear-groups "$SW" attach "$CG"
	refused 'cgroup v2' "$SW" attach /sys/fs/cgroup
	refused 'not a cgroup' "$SW" attach /tmp
	refused 'make it first' "$SW" attach "$CG/missing"
	refused 'whole host' "$SW" attach "$(cgroup_root)"
	refused 'cannot name a tenant' "$SW" attach --tenant a/b "$CG"
	refused 'cannot name a tenant' "$SW" attach --tenant ../x "$CG"
	refused 'attached already' "$SW" attach --policy "$BATS_TEST_TMPDIR/other.yaml" "$CG"
	refused 'is tenant' "$SW" attach --tenant other "$CG"
	refused 'inside tenant' "$SW" attach --tenant other "$CG/inner"
	refused 'no tenant is named' "$SW" detach nobody
	refused 'no tenant is named' "$SW" status nobody
	refused 'attached already' "$SW" attach --replace --tenant "${CG##*/}" "$CG-other"
	refused 'no policy of this name' "$SW" attach --policy nosuch --tenant other "$CG"
	refused 'usage: sockwarden attach' "$SW" attach
	refused 'not an option' "$SW" attach --frobnicate "$CG"
	refused 'no command' "$SW" frobnicate
	refused 'a command is missing' "$SW"
	refused 'brackets' "$SW" explain appengine tcp ::1:80
	refused 'port' "$SW" explain appengine tcp 10.0.0.1
	refused 'tcp or udp' "$SW" explain appengine icmp 10.0.0.1:1
	rmdir "$CG-other"
}

@test "a cgroup with a tenant inside is refused" {
	mkdir "$CG/inner"
	"$SW" attach --tenant inner "$CG/inner"
	run "$SW" attach "$CG"
	[ "$status" -eq 1 ]
	[[ $output == *"has tenant inner inside"* ]]
	"$SW" detach inner
}

@test "a kernel without BTF is named" {
	find $PINS -depth -delete 2>/dev/null || true
	run unshare --mount sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$SW" attach "$CG"
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *CONFIG_DEBUG_INFO_BTF* ]]
	[ "$(reach)" = untouched ]
}

@test "a prefix file with a bad line 700,000 is refused with that line, and nothing changes" {
	awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "%d.%d.%d.0/24\n", 1 + int(i / 65536), int(i / 256) % 256, i % 256 }' |
		sed '700000s/.*/10.0.0.300\/24/' >"$BATS_TEST_TMPDIR/list"
	printf 'rules:\n  - deny: {net: "file:list"}\ndefault: allow\n' >"$BATS_TEST_TMPDIR/big.yaml"
	run "$SW" attach --policy "$BATS_TEST_TMPDIR/big.yaml" "$CG"
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == *"list:700000:1: error: '10.0.0.300/24'"* ]]
	[ "$(reach)" = untouched ]
}

@test "programs of others above the tenant are reported" {
	local above
	above=$CG mkdir "$CG/tenant"
	bpftool prog load build/tests/box/e2e/foreign.bpf.o /sys/fs/bpf/foreign type cgroup/connect4
	bpftool cgroup attach "$CG" connect4 pinned /sys/fs/bpf/foreign multi
	run "$SW" attach "$CG/tenant"
	bpftool cgroup detach "$CG" connect4 pinned /sys/fs/bpf/foreign
	rm /sys/fs/bpf/foreign
	[ "$status" -eq 0 ]
	[[ $output == *"$CG has a connect4 program of someone else, 'foreign'"* ]]
	"$SW" detach tenant
}

# images: how many the kernel holds
images() {
	find $PINS/host -name 'image-*-trie' | wc -l
}

@test "tenants with the same policy share one image, and the last one out takes it along" {
	local i
	for i in 1 2 3 4; do mkdir "$CG/$i"; done
	for i in 1 2 3; do "$SW" attach --tenant "t$i" "$CG/$i"; done
	[ "$(images)" -eq 1 ]
	printf 'default: allow\n' >"$BATS_TEST_TMPDIR/other.yaml"
	"$SW" attach --tenant t4 --policy "$BATS_TEST_TMPDIR/other.yaml" "$CG/4"
	[ "$(images)" -eq 2 ]
	for i in 1 2; do "$SW" detach "t$i"; done
	[ "$(images)" -eq 2 ]
	for i in 3 4; do "$SW" detach "t$i"; done
	[ "$(images)" -eq 0 ]
	[ "$("$SW" status -j)" = '[]' ]
}

@test "what replaced policies leave is bounded, and goes with the next detach" {
	local i most=0
	"$SW" attach "$CG"
	for ((i = 1; i <= 20; i++)); do
		printf 'idle-timeout: %dm\nrules: [deny: {net: special}]\ndefault: allow\n' $i >"$BATS_TEST_TMPDIR/$i.yaml"
		"$SW" attach --replace --policy "$BATS_TEST_TMPDIR/$i.yaml" "$CG"
		[ "$(images)" -le "$most" ] || most=$(images)
	done
	[ "$most" -gt 2 ] && [ "$most" -le 9 ]
	"$SW" detach "${CG##*/}"
	[ "$(images)" -eq 0 ]
}

@test "a policy that takes the maps of another has nothing of it" {
	printf 'rules: [deny: {net: 198.51.100.0/24}]\ndefault: allow\n' >"$BATS_TEST_TMPDIR/one.yaml"
	printf 'rules: [deny: {net: 203.0.113.0/24}]\ndefault: allow\n' >"$BATS_TEST_TMPDIR/two.yaml"
	local policy net
	for policy in one two one; do
		"$SW" attach --policy "$BATS_TEST_TMPDIR/$policy.yaml" "$CG"
		for net in 198.51.100 203.0.113; do
			run "$SW" explain --tenant "${CG##*/}" tcp "$net.1:80"
			case $policy-$net in one-198* | two-203*) [ "$status" -eq 3 ] ;; *) [ "$status" -eq 0 ] ;; esac
		done
		"$SW" detach "${CG##*/}"
	done
}

@test "rmdir of the tenant's cgroup ends its programs; the counters stay until detach" {
	"$SW" attach "$CG"
	reach >/dev/null
	end_cgroup "$CG"
	"$SW" status -j "${CG##*/}" | grep -q '"state":"unprotected"'
	"$SW" status -j "${CG##*/}" | grep -q '"rule":[1-9]'
	"$SW" detach "${CG##*/}"
}

@test "audit decides, counts and logs, and lets everything pass" {
	printf 'mode: audit\n' | cat - <(sed '/^mode:/d' share/policies/appengine.yaml) >"$BATS_TEST_TMPDIR/audit.yaml"
	"$SW" attach --policy "$BATS_TEST_TMPDIR/audit.yaml" "$CG"
	[ "$(reach)" = untouched ]
	"$SW" status -j "${CG##*/}" | grep -q '"state":"audited"'
	"$SW" status -j "${CG##*/}" | grep -q '"audited":[1-9]'
	"$SW" log | grep -q "would be denied: rule 8"
}

@test "a tenant whose path another mount namespace hides is neither gone nor free to take" {
	"$SW" attach --tenant hidden "$CG"
	run unshare --mount bash -c '
		root=$1 && umount "$root" && mkdir -p /run/elsewhere && mount -t cgroup2 none /run/elsewhere &&
			mkdir "/run/elsewhere/swtest-other-$$" &&
			"$2" status -j hidden && "$2" attach --tenant hidden "/run/elsewhere/swtest-other-$$"
		status=$?
		rmdir "/run/elsewhere/swtest-other-$$"
		exit $status' bash "$(cgroup_root)" "$SW"
	[ "$status" -eq 1 ]
	[[ $output == *'"state":"enforced"'* ]]
	[[ $output == *"attached already"* ]]
	[ "$(reach)" = policy ]
}

@test "a second mount of the hierarchy is not a way to the root, nor to two tenants on one cgroup" {
	mkdir -p /run/second && mount -t cgroup2 none /run/second
	run bash -c '"$1" attach --tenant root /run/second; "$1" attach --tenant twice "/run/second/$2"' bash "$SW" "${CG#"$(cgroup_root)"/}"
	umount /run/second
	[ "$status" -eq 1 ]
	[ "$(grep -c 'another mount' <<<"$output")" -eq 2 ]
	[ "$(reach)" = untouched ]
}

@test "after a detach or replace that was killed, the next attach is whole" {
	local n
	"$SW" attach "$CG"
	for ((n = 1; n < 400; n += EVERY)); do
		run strace -qq -o /dev/null -e trace=bpf -e inject=bpf:signal=KILL:when=$n "$SW" detach "${CG##*/}"
		[ "$status" -ne 0 ] || break
		"$SW" detach "${CG##*/}" 2>/dev/null || true
		"$SW" attach "$CG"
		[ "$(reach)" = policy ] || { echo "killed at call $n: $(reach)" >&2; false; }
	done
	[ "$n" -gt 20 ]
}

@test "status says when someone removed links by hand" {
	"$SW" attach "$CG"
	rm "$PINS/tenants/${CG##*/}/connect4"
	"$SW" status -j "${CG##*/}" | grep -q '"state":"incomplete"'
	"$SW" attach "$CG"
	[ "$(reach)" = policy ]
}
