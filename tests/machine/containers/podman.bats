# Containers of podman, and of systemd-nspawn, each as an operator would start it: a peer that the policy refuses is refused, and
# what goes through is counted once, byte for byte, whichever network it takes.
bats_require_minimum_version 1.5.0
load lib.bash

# podman's own folders, in memory. This machine may have no hierarchy with pids, nor a layer file system on top of its own
setup_file() {
	export CONTAINERS_CONF=/run/containers.conf CONTAINERS_STORAGE_CONF=/run/storage.conf
	printf '%s\n' '[engine]' 'runtime = "runc"' 'events_logger = "none"' 'cgroup_manager = "systemd"' '[containers]' \
		'pids_limit = -1' '[network]' 'network_backend = "netavark"' >$CONTAINERS_CONF
	printf '%s\n' '[storage]' 'driver = "vfs"' 'runroot = "/run/pod/run"' 'graphroot = "/run/pod/graph"' >$CONTAINERS_STORAGE_CONF
	podman import $IMAGE.tar debian >/dev/null
}

teardown_file() {
	podman rm --all --force >/dev/null
}

PROGRAMS=(--volume=/usr:/usr:ro --volume=/etc/alternatives:/etc/alternatives:ro)

# in_pod OPTION...: options are podman's, and what runs is last
in_pod() {
	timeout 120 podman run --rm --pids-limit=-1 --log-driver=none "$@"
}

in_container() {
	in_pod "${PROGRAMS[@]}" "$@"
}

@test "Python, PHP and Node on the host's network" {
	policed tenant-host.slice in_container --network=host --cgroup-parent=tenant-host.slice debian python3 -c "$ECHO_PY"
	policed tenant-host.slice in_container --network=host --cgroup-parent=tenant-host.slice debian php -r "$ECHO_PHP"
	policed tenant-host.slice in_container --network=host --cgroup-parent=tenant-host.slice debian node -e "$ECHO_NODE"
}

@test "on the default bridge what goes through is counted once" {
	policed tenant-bridge.slice in_container --cgroup-parent=tenant-bridge.slice debian python3 -c "$ECHO_PY"
}

@test "on a network of one's own, names are asked of its resolver" {
	podman network create own >/dev/null
	run -0 in_container --network=own --cgroup-parent=tenant-own.slice debian python3 -c "
import socket
print(socket.gethostbyname('www.example.com'))"
	[ "$output" = $PEER ]
	policed tenant-udp.slice in_container --network=own --cgroup-parent=tenant-udp.slice debian python3 -c "$ECHO_PY"
}

@test "cgroupfs in place of systemd: the parent is a cgroup that was attached" {
	mkdir -p "$MACHINE_CGROUP/tenants"
	sockwarden attach "$MACHINE_CGROUP/tenants" --policy $POLICY
	policed tenants in_container --cgroup-manager=cgroupfs --network=host --cgroup-parent="/${MACHINE_CGROUP##*/}/tenants" debian python3 -c "$ECHO_PY"
	sockwarden detach tenants
}

@test "a pod: its containers are one tenant" {
	podman pod create --infra-image=debian --infra-command='sleep infinity' "${PROGRAMS[@]}" \
		--cgroup-parent=tenant-pod.slice --name=pod >/dev/null
	policed tenant-pod.slice in_pod --pod=pod debian python3 -c "$ECHO_PY"
	policed tenant-pod.slice in_pod --pod=pod debian python3 -c "$ECHO_PY"
	podman pod rm --force pod >/dev/null
}

@test "a published port reaches a listener that the policy allows" {
	local container
	container=$(in_container --detach --publish=8080:80 --cgroup-parent=tenant-port.slice debian python3 -c "$SERVE_PY")
	served 8080
	until_true not podman container exists "$container" # it has served, and is removed
}

# may_lock: is there CAP_SYS_RESOURCE?
may_lock() {
	local rights
	rights=$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status)
	((0x$rights >> 24 & 1))
}

# A container with fewer rights has a filter of devices, for which crun 1.8 raises a limit of memory that is locked. A machine that
# does not grant that has its refusal; rootless.bats has crun without such a filter
@test "crun in place of runc" {
	local crun=(in_container --runtime=crun --cgroup-parent=tenant-crun.slice)
	if may_lock; then
		policed tenant-crun.slice "${crun[@]}" debian python3 -c "$ECHO_PY"
	else
		run ! "${crun[@]}" debian true
		[[ $output == *"setrlimit (RLIM_MEMLOCK): Operation not permitted"* ]]
	fi
	policed tenant-crun.slice "${crun[@]}" --privileged debian python3 -c "$ECHO_PY"
}

in_nspawn() { # OPTION...
	timeout 60 systemd-run -q --pipe --wait --collect "$@" systemd-nspawn -q --register=no --keep-unit --bind-ro=/usr -D $IMAGE \
		--as-pid2 python3 -c "$ECHO_PY" | grep -Eo 'refused|LET THROUGH'
}

@test "systemd-nspawn in a slice" {
	policed tenant-nspawn.slice in_nspawn --slice=tenant-nspawn.slice
}

@test "run says that a container left, and what to type instead" {
	run sockwarden run --policy $POLICY -- podman run --rm --pids-limit=-1 -v /usr:/usr:ro --network=host debian true
	[[ $output == *"left"* ]]
	[[ $output == *"--cgroup-parent"* ]]
}
