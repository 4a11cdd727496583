# Containers in tenants, each as an operator would start it: a peer that the policy refuses is refused, and what goes through is
# counted once, byte for byte, whichever network it takes. Programs are this Debian's own, mounted into an image of folders.
bats_require_minimum_version 1.5.0

# shellcheck source=tests/lib/common.bash
source "$BATS_TEST_DIRNAME/../../lib/common.bash"
POLICY=/run/containers.yaml
PEER=93.184.216.34 REFUSED=10.1.2.3
BYTES=$((5 * 128)) # datagrams of 100 bytes, UDP and IPv4

# podman's own folders, in memory. This machine may have no hierarchy with pids, nor a layer file system on top of its own
setup_file() {
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin CONTAINERS_CONF=/run/containers.conf CONTAINERS_STORAGE_CONF=/run/storage.conf
	printf '%s\n' '[engine]' 'runtime = "runc"' 'events_logger = "none"' 'cgroup_manager = "systemd"' '[containers]' \
		'pids_limit = -1' '[network]' 'network_backend = "netavark"' >$CONTAINERS_CONF
	printf '%s\n' '[storage]' 'driver = "vfs"' 'runroot = "/run/pod/run"' 'graphroot = "/run/pod/graph"' >$CONTAINERS_STORAGE_CONF
	writable_sysctls
	systemctl start dbus.socket
	make_image
	printf 'protocols: [tcp, udp]\nrules:\n  - deny: {net: %s}\n  - allow: {net: "0.0.0.0/0"}\ndefault: deny\nlisten: allow\nbind: allow\n' $REFUSED >$POLICY
	sockwarden enable 'tenant-*.slice' --policy $POLICY
}

teardown_file() {
	podman rm --all --force >/dev/null
}

# Those of its own network namespace, which netavark sets
writable_sysctls() {
	mkdir -p /run/proc
	mount -t proc proc /run/proc
	mount --bind /run/proc/sys/net /proc/sys/net
	sysctl -q net.ipv4.ip_forward=1
}

make_image() {
	local folder=$BATS_FILE_TMPDIR/image
	mkdir -p "$folder"/{dev,etc,proc,run,sys,tmp,usr}
	ln -s usr/bin usr/lib usr/lib64 usr/sbin "$folder"
	echo 'root:x:0:0:root:/:/bin/sh' >"$folder/etc/passwd"
	tar -C "$folder" -c . | podman import - debian >/dev/null
}

PROGRAMS=(--volume=/usr:/usr:ro --volume=/etc/alternatives:/etc/alternatives:ro)

# in_pod OPTION...: options are podman's, and what runs is last
in_pod() {
	timeout 120 podman run --rm --pids-limit=-1 --log-driver=none "$@"
}

in_container() {
	in_pod "${PROGRAMS[@]}" "$@"
}

ECHO_PY="import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.connect(('$PEER', 80))
for i in range(5):
    s.send(b'x' * 100)
    assert len(s.recv(200)) == 100
try:
    socket.socket().connect(('$REFUSED', 80))
    print('LET THROUGH')
except PermissionError:
    print('refused')"

ECHO_PHP="\$s = stream_socket_client('udp://$PEER:80');
for (\$i = 0; \$i < 5; \$i++) { fwrite(\$s, str_repeat('x', 100)); strlen(fread(\$s, 200)) == 100 || exit(1); }
echo @stream_socket_client('tcp://$REFUSED:80', \$no, \$text, 5) ? 'LET THROUGH' : (\$no == 13 || \$no == 1 ? 'refused' : \$text);"

ECHO_NODE="const s = require('dgram').createSocket('udp4');
let left = 5;
const send = () => s.send(Buffer.alloc(100), 80, '$PEER');
s.on('message', m => { if (m.length == 100 && --left) return send(); s.close();
	require('net').connect(80, '$REFUSED').on('connect', () => console.log('LET THROUGH'))
		.on('error', e => console.log(['EACCES', 'EPERM'].includes(e.code) ? 'refused' : e.code)); });
send();"

# counted TENANT [TIMES]: so many times the datagrams, out and in
counted() {
	sockwarden status "$1" --json | jq -e --argjson bytes $((BYTES * ${2:-1})) '.sent_bytes == $bytes and .received_bytes == $bytes' >/dev/null ||
		{ sockwarden status "$1" >&2 && false; }
}

@test "Python, PHP and Node on the host's network" {
	[ "$(in_container --network=host --cgroup-parent=tenant-host.slice debian python3 -c "$ECHO_PY")" = refused ]
	counted tenant-host.slice
	[ "$(in_container --network=host --cgroup-parent=tenant-host.slice debian php -r "$ECHO_PHP")" = refused ]
	counted tenant-host.slice 2
	[ "$(in_container --network=host --cgroup-parent=tenant-host.slice debian node -e "$ECHO_NODE")" = refused ]
	counted tenant-host.slice 3
}

@test "on the default bridge what goes through is counted once" {
	[ "$(in_container --cgroup-parent=tenant-bridge.slice debian python3 -c "$ECHO_PY")" = refused ]
	counted tenant-bridge.slice
}

@test "on a network of one's own, names are asked of its resolver" {
	podman network create own >/dev/null
	run -0 in_container --network=own --cgroup-parent=tenant-own.slice debian python3 -c "
import socket
print(socket.gethostbyname('www.example.com'))"
	[ "$output" = $PEER ]
	[ "$(in_container --network=own --cgroup-parent=tenant-udp.slice debian python3 -c "$ECHO_PY")" = refused ]
	counted tenant-udp.slice
}

@test "cgroupfs in place of systemd: the parent is a cgroup that was attached" {
	mkdir -p "$MACHINE_CGROUP/tenants"
	sockwarden attach "$MACHINE_CGROUP/tenants" --policy $POLICY
	[ "$(in_container --cgroup-manager=cgroupfs --network=host --cgroup-parent="/${MACHINE_CGROUP##*/}/tenants" debian python3 -c "$ECHO_PY")" = refused ]
	counted tenants
	sockwarden detach tenants
}

@test "a pod: its containers are one tenant" {
	podman pod create --infra-image=debian --infra-command='sleep infinity' "${PROGRAMS[@]}" \
		--cgroup-parent=tenant-pod.slice --name=pod >/dev/null
	[ "$(in_pod --pod=pod debian python3 -c "$ECHO_PY")" = refused ]
	[ "$(in_pod --pod=pod debian python3 -c "$ECHO_PY")" = refused ]
	counted tenant-pod.slice 2
	podman pod rm --force pod >/dev/null
}

@test "a published port reaches a listener that the policy allows" {
	local container
	container=$(in_container --detach --publish=8080:80 --cgroup-parent=tenant-port.slice debian python3 -c "
import socket
s = socket.create_server(('', 80))
c, _ = s.accept()
c.sendall(b'served')
c.close()")
	answers() { [ "$(timeout 5 bash -c 'cat </dev/tcp/198.51.0.2/8080')" = served ]; }
	until_true answers
	podman rm --force "$container" >/dev/null
}

@test "systemd-nspawn in a slice" {
	local root=/run/nspawn
	mkdir -p $root/{dev,etc,proc,run,sys,tmp,usr}
	ln -s usr/bin usr/lib usr/lib64 usr/sbin $root
	run -0 systemd-run -q --pipe --wait --collect --slice=tenant-nspawn.slice systemd-nspawn -q --register=no --keep-unit \
		--bind-ro=/usr -D $root --as-pid2 python3 -c "$ECHO_PY"
	[[ $output == *refused* ]]
	counted tenant-nspawn.slice
}

@test "run says that a container left, and what to type instead" {
	run sockwarden run --policy $POLICY -- podman run --rm --pids-limit=-1 -v /usr:/usr:ro --network=host debian true
	[[ $output == *"left"* ]]
	[[ $output == *"--cgroup-parent"* ]]
}
