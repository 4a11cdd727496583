# Docker's containers, with its own units as Debian has them: dockerd asks containerd, which runs runc. A peer that the policy refuses
# is refused, and what goes through is billed once, byte for byte, whichever network it takes.
bats_require_minimum_version 1.5.0
load lib.bash

# configure DRIVER: of cgroups. Docker's own folders are in memory, for it puts layers on top of each other
configure() {
	printf '{"data-root": "/run/docker-data", "exec-opts": ["native.cgroupdriver=%s"]}\n' "$1" >/etc/docker/daemon.json
}

setup_file() {
	mkdir -p /etc/docker
	configure systemd
	timeout 60 systemctl start docker.service
	timeout 60 docker import $IMAGE.tar debian >/dev/null
}

teardown_file() {
	timeout 60 systemctl stop docker.socket docker.service containerd.service
}

in_docker() { # OPTION...
	timeout 60 docker run --rm --volume=/usr:/usr:ro --volume=/etc/alternatives:/etc/alternatives:ro "$@"
}

@test "on the host's network" {
	policed tenant-dhost.slice in_docker --network=host --cgroup-parent=tenant-dhost.slice debian python3 -c "$ECHO_PY"
	policed tenant-dhost.slice in_docker --network=host --cgroup-parent=tenant-dhost.slice debian node -e "$ECHO_NODE"
}

@test "on the default bridge what goes through is counted once" {
	policed tenant-dbridge.slice in_docker --cgroup-parent=tenant-dbridge.slice debian python3 -c "$ECHO_PY"
}

@test "on a network of one's own, Docker's resolver opens the names of a policy" {
	timeout 60 docker network create own >/dev/null
	policed tenant-down.slice in_docker --network=own --cgroup-parent=tenant-down.slice debian python3 -c "$ECHO_PY"
	printf '%s\n' 'resolvers: [127.0.0.11]' 'rules:' '  - allow: {net: 127.0.0.11}' '  - allow: {name: www.example.com, port: 80}' \
		'default: deny' >/run/names.yaml
	sockwarden enable 'named-*.slice' --policy /run/names.yaml
	run -0 in_docker --network=own --cgroup-parent=named-docker.slice debian python3 -c "import socket
def reach(peer):
    try:
        socket.create_connection((peer, 80), 10)
        print(peer, 'reached')
    except PermissionError:
        print(peer, 'refused')
reach('$PEER')
reach('www.example.com')
reach('www2.example.com')"
	[ "$output" = "$PEER refused
www.example.com reached
www2.example.com refused" ]
}

@test "a published port reaches a listener that the policy allows" {
	local container
	container=$(in_docker --detach --publish=8081:80 --cgroup-parent=tenant-dport.slice debian python3 -c "$SERVE_PY")
	served 8081
	until_true not timeout 60 docker container inspect "$container" # it has served, and is removed
}

@test "cgroupfs in place of systemd: the parent is a cgroup that was attached" {
	configure cgroupfs
	timeout 60 systemctl restart docker.service
	[ "$(timeout 60 docker info --format '{{.CgroupDriver}}')" = cgroupfs ]
	mkdir -p "$MACHINE_CGROUP/dtenants"
	sockwarden attach "$MACHINE_CGROUP/dtenants" --policy $POLICY
	policed dtenants in_docker --network=host --cgroup-parent="/${MACHINE_CGROUP##*/}/dtenants" debian python3 -c "$ECHO_PY"
	sockwarden detach dtenants
}
