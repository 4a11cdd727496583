# containerd without Docker: its own client runs containers in cgroups that it names.
bats_require_minimum_version 1.5.0
load lib.bash

setup_file() {
	timeout 60 systemctl start containerd.service
}

teardown_file() {
	timeout 60 systemctl stop containerd.service
}

# in_ctr CGROUP NAME OPTION... -- CMD...: no weight for processors, for this machine may have no hierarchy with them
in_ctr() {
	local cgroup=$1 name=$2 options=()
	shift 2
	while [ "$1" != -- ]; do options+=("$1") && shift; done
	timeout 60 ctr run --rm --cgroup="$cgroup" --cpu-shares=0 --mount=type=bind,src=/usr,dst=/usr,options=rbind:ro "${options[@]}" \
		--rootfs $IMAGE "$name" "/usr/bin/$2" "${@:3}"
}

@test "the systemd driver: SLICE:PREFIX:NAME is a scope in the slice" {
	policed tenant-ctr.slice in_ctr tenant-ctr.slice:ctr:one one --runc-systemd-cgroup --net-host -- python3 -c "$ECHO_PY"
}

@test "the cgroupfs driver: the container's cgroup lies in one that was attached" {
	mkdir -p "$MACHINE_CGROUP/ctenants"
	sockwarden attach "$MACHINE_CGROUP/ctenants" --policy $POLICY
	policed ctenants in_ctr "/${MACHINE_CGROUP##*/}/ctenants/two" two --net-host -- python3 -c "$ECHO_PY"
	sockwarden detach ctenants
}
