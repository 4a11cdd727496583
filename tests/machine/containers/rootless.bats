# Containers of a user without rights: all that the user runs is one tenant, and a container is no way out of it.
bats_require_minimum_version 1.5.0
load lib.bash
NAME=someone ID=4242
HOME_OF=/run/home
TENANT=user-$ID.slice

# A user as adduser makes one, whose manager has started, as it has when someone logged in
setup_file() {
	echo "$NAME:x:$ID:$ID::$HOME_OF:/bin/bash" >>/etc/passwd
	echo "$NAME:x:$ID:" >>/etc/group
	echo "$NAME:*:19000:0:99999:7:::" >>/etc/shadow
	echo "$NAME:300000:65536" | tee /etc/subuid >/etc/subgid
	install -d -o $ID -g $ID $HOME_OF
	mkdir -p /dev/net
	mknod -m 666 /dev/net/tun c 10 200
	sockwarden enable 'user-*.slice' --policy $POLICY
	timeout 60 systemctl start systemd-logind.service user@$ID.service
	printf '%s\n' '[engine]' 'events_logger = "none"' '[containers]' 'pids_limit = -1' >$HOME_OF/containers.conf
	printf '%s\n' '[storage]' 'driver = "vfs"' "runroot = \"/run/user/$ID/pod/run\"" "graphroot = \"/run/user/$ID/pod/graph\"" >$HOME_OF/storage.conf
	as_user podman import $IMAGE.tar debian >/dev/null
}

teardown_file() {
	timeout 60 systemctl stop user@$ID.service
}

as_user() { # CMD...
	timeout 60 systemd-run -q --pipe --wait --collect --uid=$NAME -p PAMName=login --working-directory=$HOME_OF \
		-E PATH="$PATH" -E XDG_RUNTIME_DIR=/run/user/$ID -E DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$ID/bus \
		-E CONTAINERS_CONF=$HOME_OF/containers.conf -E CONTAINERS_STORAGE_CONF=$HOME_OF/storage.conf "$@"
}

# in_podman RUNTIME OPTION...: what runs is last
in_podman() {
	as_user podman --runtime="$1" --log-level=error run --rm --pids-limit=-1 --log-driver=none --volume=/usr:/usr:ro "${@:2}"
}

@test "runc and crun on the host's network" {
	policed $TENANT in_podman runc --network=host debian python3 -c "$ECHO_PY"
	policed $TENANT in_podman crun --network=host debian python3 -c "$ECHO_PY"
}

# slirp4netns is a process of the user's, which sends for the container with sockets of its own
@test "with slirp4netns bytes are billed twice: the container's, and those of slirp4netns" {
	policed -2 $TENANT in_podman runc --network=slirp4netns debian python3 -c "$ECHO_PY"
	policed -2 $TENANT in_podman crun --network=slirp4netns debian python3 -c "$ECHO_PY"
}

@test "a slice of the user's own manager is no way out" {
	policed $TENANT in_podman crun --network=host --cgroup-parent=tenant-mine.slice debian python3 -c "$ECHO_PY"
}
