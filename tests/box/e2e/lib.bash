# shellcheck shell=bash
# What the cases share. They run inside one lab, one file after the other.

# shellcheck source=tests/lib/common.bash
source "$BATS_TEST_DIRNAME/../../lib/common.bash"
SW=$PWD/build/sockwarden
REACH=$PWD/build/tests/reach
WEB=93.184.216.34   # ordinary, allowed
PRIVATE=10.1.2.3    # reachable in the lab, denied by the policy
PINS=/sys/fs/bpf/sockwarden

# new_cgroup: an empty cgroup of this case, in $CG
new_cgroup() {
	CG=$(mktemp -d "$BOX_CGROUP/case-XXXXXXXX")
}

has_process() {
	grep -q . "$1/cgroup.procs"
}

is_empty() {
	grep -q 'populated 0' "$1/cgroup.events"
}

setup() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
	export SOCKWARDEN_PATH=share
	new_cgroup
}

lib_teardown() {
	local tenant
	for tenant in "$PINS"/tenants/*; do
		[[ -e $tenant ]] && "$SW" detach "${tenant##*/}"
	done
	end_cgroup "$CG"
	rmdir "$(cgroup_root)"/sockwarden/*-$$ 2>/dev/null # made by hand there, or left by a run that was killed
	return 0
}

teardown() {
	lib_teardown
}

# state: everything sockwarden keeps, as text: what must not change when a command fails
state() {
	find $PINS -mindepth 1 2>/dev/null | sort
	"$SW" status -j 2>/dev/null || true
}

# inside CMD...: CMD in the cgroup of this case
inside() {
	bash -c 'echo $BASHPID >"$0/cgroup.procs" && exec "$@"' "$CG" "$@"
}

reach() {
	"$REACH" $WEB $PRIVATE "$CG"
}

# one_line: the last run printed exactly one line, on stderr or stdout
one_line() {
	[[ ${#lines[@]} -eq 1 ]] || { printf 'more than one line:\n%s\n' "$output" >&2; return 1; }
}

# full_pipe: descriptor 7 is a pipe that has no room, for who prints to it to wait
full_pipe() {
	mkfifo "$BATS_TEST_TMPDIR/full"
	exec 7<>"$BATS_TEST_TMPDIR/full"
	python3 -c 'import os
os.set_blocking(7, False)
try:
    while os.write(7, bytes(4096)): pass
except BlockingIOError: os.set_blocking(7, True)'
}

# drain_pipe PID: until it has ended, which it does well
drain_pipe() {
	kill -0 "$1" # it has waited
	sed '/^all of it$/q' <&7 >"$BATS_TEST_TMPDIR/drained" 3>&- &
	wait "$1"
	echo 'all of it' >&7
	wait $!
	exec 7>&-
}
