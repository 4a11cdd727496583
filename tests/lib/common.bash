# shellcheck shell=bash
# What every test may use: waiting, and cgroups. Sourced.

# until_true CMD...: tries until it comes true, TRIES times at least 20 ms apart
until_true() {
	local tries
	for ((tries = 0; tries < ${TRIES:-600}; tries++)); do
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

# end_cgroup DIR: ends what runs in it, and removes it with what is below; no error when there is none
end_cgroup() {
	[[ -d $1 ]] || return 0
	echo 1 >"$1/cgroup.kill"
	until_true removed "$1"
}
