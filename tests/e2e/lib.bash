# shellcheck shell=bash
# What the cases share. They run inside the lab, one file after the other, each with a bpffs of its own.

SW=$PWD/build/sockwarden
REACH=$PWD/build/tests/reach
WEB=93.184.216.34   # ordinary, allowed
PRIVATE=10.1.2.3    # reachable in the lab, denied by the policy
PINS=/sys/fs/bpf/sockwarden

cgroup_root() {
	awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts
}

# new_cgroup: an empty cgroup of this case, in $CG
new_cgroup() {
	CG=$(mktemp -d "$(cgroup_root)/swtest-XXXXXXXX") # other labs have the same process numbers
}

# end_cgroup DIR: ends what runs in it, and removes it with what is below
end_cgroup() {
	local tries
	[[ -d $1 ]] || return 0
	echo 1 >"$1/cgroup.kill"
	for ((tries = 0; tries < 100; tries++)); do
		find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
		[[ -d $1 ]] || return 0
		sleep 0.02
	done
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	export SOCKWARDEN_PATH=share
	new_cgroup
}

teardown() {
	local tenant
	for tenant in "$PINS"/tenants/*; do
		[[ -e $tenant ]] && "$SW" detach "${tenant##*/}"
	done
	end_cgroup "$CG"
	return 0
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
