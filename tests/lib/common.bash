# shellcheck shell=bash
# What every test may use: waiting, and cgroups. Sourced.

# until_true CMD...: tries until it comes true, TRIES times at least 20 ms apart
until_true() {
	local tries
	for ((tries = 0; tries < ${TRIES:-3000}; tries++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.02
	done
	echo "never came true: $*" >&2
	return 1
}

# not CMD...: bash does not stop at a command with "!" before it
not() {
	! "$@"
}

cgroup_root() {
	awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts
}

removed() {
	[[ ! -d $1 ]] || find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

# abort_fuse DIR: the file systems that processes there made not to answer. Who waits for one, and has its device, is ended by
# nothing else. fusectl is mounted for nobody else to see; what others have mounted is left alone
abort_fuse() {
	local pid numbers
	mapfile -t numbers < <(find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r pid; do
		sed -n 's/^[0-9]* [0-9]* 0:\([0-9]*\) .* - fuse unanswering .*/\1/p' "/proc/$pid/mountinfo" 2>/dev/null
	done | sort -u)
	# shellcheck disable=SC2016 # for another shell
	((${#numbers[@]} == 0)) || unshare --mount -- bash -c 'cd /sys/fs/fuse && mount -t fusectl fusectl connections
		for each; do echo 1 >"connections/$each/abort"; done' abort "${numbers[@]}" 2>/dev/null || true
}

# end_cgroup DIR: ends what runs in it, and removes it with what is below; no error when there is none
end_cgroup() {
	[[ -d $1 ]] || return 0
	echo 1 >"$1/cgroup.kill"
	abort_fuse "$1"
	until_true removed "$1"
}
