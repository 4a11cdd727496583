#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# Unix sockets: which ones a policy lets be reached; and name services that are asked over one: where names matter the C
# library is steered to DNS.
load lib.bash
bats_require_minimum_version 1.5.0

# A policy with names, and one without
setup() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
	export SOCKWARDEN_PATH=share
	new_cgroup
	TENANT=${CG##*/} NAMED=$BATS_TEST_TMPDIR/named.yaml PLAIN=$BATS_TEST_TMPDIR/plain.yaml
	LOG=$BATS_TEST_TMPDIR/log
	printf 'rules:\n  - allow: {net: resolvers, port: 53}\n  - allow: {name: www.example.com}\ndefault: deny\n' >"$NAMED"
	printf 'rules:\n  - allow: {net: resolvers, port: 53}\ndefault: deny\n' >"$PLAIN"
}

teardown() {
	local each
	for each in ${SERVICE-}; do
		kill "$each" && wait "$each" || true
	done
	[ -z "${COVERED-}" ] || umount /etc/nsswitch.conf
	rm -rf /run/nscd /run/systemd/resolve /run/systemd/resolved.conf.d
	"$SW" detach -q "$TENANT" 2>/dev/null || true
	end_cgroup "$CG"
}

start_nscd() {
	mkdir -p /run/nscd
	echo 'enable-cache hosts yes' >"$BATS_TEST_TMPDIR/nscd.conf"
	nscd -d -f "$BATS_TEST_TMPDIR/nscd.conf" 2>"$LOG" 3>&- & SERVICE=$!
	until_true test -S /run/nscd/socket
}

# As a user of no name, for it would become one that only its package makes; it does without D-Bus
start_resolved() {
	local caps=+net_bind_service,+net_raw,+setpcap
	install -d -o nobody /run/systemd/resolve
	install -d /run/systemd/resolved.conf.d
	printf '%s\n' '[Resolve]' DNS=8.8.8.8 FallbackDNS= DNSSEC=no LLMNR=no MulticastDNS=no >/run/systemd/resolved.conf.d/lab.conf
	SYSTEMD_LOG_LEVEL=debug setpriv --reuid nobody --clear-groups --inh-caps $caps --ambient-caps $caps \
		build/tests/box/names/resolved 2>"$LOG" 3>&- & SERVICE=$!
	until_true test -S /run/systemd/resolve/io.systemd.Resolve
	sed 's/^hosts:.*/hosts: resolve [!UNAVAIL=return] dns/' /etc/nsswitch.conf >"$BATS_TEST_TMPDIR/nsswitch.conf"
	mount --bind "$BATS_TEST_TMPDIR/nsswitch.conf" /etc/nsswitch.conf && COVERED=1
	export LD_LIBRARY_PATH=$PWD/build/tests/box/names # where libnss_resolve.so.2 is
}

# answers NAME: to the tenant
answers() {
	inside getent ahosts "$1" | grep -q STREAM
}

# sent: packets of the tenant
sent() {
	"$SW" status -j "$TENANT" | jq .sent_packets
}

# steered: how often tenants were, so far
steered() {
	local row
	row=$(sed -n '/define SW_NAMINGS(X)/,/X(STEERED/p' include/abi.h | grep -c '^	X(')
	bpftool -j map dump pinned $PINS/host/namings | jq "[.[].formatted.value.n[$row - 1]] | add"
}

# tries PATH [BYTES]: what connect says to a tenant; with as many zeroes behind the path
tries() {
	inside python3 -c '
import ctypes, errno, os, socket, struct, sys
path = os.fsencode(sys.argv[1]).replace(b"@", b"\0") + bytes(int(sys.argv[2]))
addr = struct.pack("H", socket.AF_UNIX) + path
sock = socket.socket(socket.AF_UNIX)
libc = ctypes.CDLL(None, use_errno=True)
print("ok" if not libc.connect(sock.fileno(), addr, len(addr)) else errno.errorcode[ctypes.get_errno()])
' "$1" "${2:-1}"
}

# serve PATH...: stream sockets, and datagram sockets at PATH.dgram. Who comes is let go at once: where /run/nscd/socket is one, the C
# library asks it for users as well, and would wait, and so would a case once the queue is full
serve() {
	local path
	for path; do
		python3 -c 'import socket, sys
name = sys.argv[1].replace("@", "\0")
s, d = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
d.bind(name + ".dgram"); s.bind(name); s.listen(99)
while True: s.accept()[0].close()' "$path" 3>&- & SERVICE+=" $!"
		until_true grep -q "^[^ ]* [^ ]* [^ ]* 00010000 .* $path\$" /proc/net/unix
	done
}

# asks_dns QUESTION: a policy with names turns the tenant from the service to DNS. QUESTION: how the service's log has one, with
# %s for the name
asks_dns() {
	local before question
	"$SW" attach --replace --policy "$PLAIN" "$CG"
	answers www2.example.com
	printf -v question "$1" www2.example.com
	grep -q "$question" "$LOG"
	[ "$(sent)" -eq 0 ]
	before=$(steered)
	"$SW" attach --replace --policy "$NAMED" "$CG"
	answers www.example.com
	[ "$(sent)" -gt 0 ]
	printf -v question "$1" www.example.com
	[ "$(grep -c "$question" "$LOG")" -eq 0 ]
	[ "$(steered)" -gt "$before" ]
}

@test "a tenant whose policy has names asks DNS, and not nscd" {
	start_nscd
	asks_dns 'GETAI (%s)'
	"$SW" attach --replace --policy "$PLAIN" "$CG"
	answers v4only.example.com
	grep -q 'GETAI (v4only.example.com)' "$LOG"
}

@test "nor systemd-resolved, even where nsswitch.conf is content with nothing else" {
	start_resolved
	asks_dns %s
}

@test "no other unix socket is refused, and who goes around is not stopped" {
	local before
	mkdir -p /run/nscd
	serve /run/nscd/socket /run/nscd/socket2 /run/nscd/sock @run
	[ "$(tries /run/nscd/socket2)$(tries /run/nscd/sock)$(tries @run 0)$(tries /run/nscd/socket)" = okokokok ]
	"$SW" attach --replace --policy "$NAMED" "$CG"
	before=$(steered)
	[ "$(tries /run/nscd/socket)" = ECONNREFUSED ]
	[ "$(tries /run/nscd/socket 0)" = ECONNREFUSED ]
	[ "$(tries /var/run/nscd/socket 50)" = ECONNREFUSED ]
	[ "$(tries /run/nscd/socket2)" = ok ]
	[ "$(tries /run/nscd/sock 0)" = ok ]
	[ "$(tries @run 0)" = ok ]
	[ "$(tries /run/../run/nscd/socket)" = ok ]
	[ "$(tries /run/systemd/resolve/io.systemd.Resolve 0)" = ECONNREFUSED ]
	[ "$(tries /run/systemd/resolve/io.systemd.Resolver)" = ENOENT ]
	[ "$(steered)" -eq $((before + 4)) ]
}

# reply KIND PATH...: what connect says, or of a datagram sendto, in a row
reply() {
	inside python3 -c '
import errno, os, socket, sys
kind = socket.SOCK_STREAM if sys.argv[1] == "stream" else socket.SOCK_DGRAM
said = []
for path in sys.argv[2:]:
    path = path.encode().replace(b"@", b"\0", 1) if path[0] == "@" else path
    with socket.socket(socket.AF_UNIX, kind) as sock:
        try:
            sock.connect(path) if sys.argv[1] != "sendto" else sock.sendto(b"x", path)
            said.append("ok")
        except OSError as error:
            said.append(errno.errorcode[error.errno])
print(*said)' "$@"
}

@test "appengine refuses its tenants the host's name services, and no other socket" {
	start_nscd
	"$SW" attach --replace --policy appengine "$CG"
	inside getent ahosts www.example.com # asks DNS, or gets no answer
	[ "$(grep -c 'GETAI (www.example.com)' "$LOG")" -eq 0 ]
	[ "$(reply stream /run/nscd/socket /var/run/nscd/socket /run/systemd/resolve/io.systemd.Resolve)" = \
		"ECONNREFUSED ECONNREFUSED ECONNREFUSED" ]
	serve "$BATS_TEST_TMPDIR/a"
	[ "$(reply stream "$BATS_TEST_TMPDIR/a")" = ok ]
	[ "$("$SW" status -j "$TENANT" | jq '.denied.unix // 0')" -eq 0 ]
}

@test "a list: what is on it is reached, all else is refused, counted and logged" {
	local dir=$BATS_TEST_TMPDIR
	printf 'unix: ["%s", "%s", "@box"]\n' "$dir/a" "$dir/a.dgram" >"$dir/list.yaml"
	serve "$dir/a" "$dir/b" @box @boxes
	[ "$(reply stream "$dir/b" @boxes)" = "ok ok" ]
	"$SW" attach --replace --policy "$dir/list.yaml" "$CG"
	[ "$(reply stream "$dir/a" @box "$dir/b" @boxes "$dir/ab" /run/nscd/socket)" = \
		"ok ok EACCES EACCES EACCES ECONNREFUSED" ]
	[ "$(reply dgram "$dir/a.dgram" "$dir/b.dgram" @box.dgram)" = "ok EACCES EACCES" ]
	[ "$(reply sendto "$dir/a.dgram" "$dir/b.dgram" @boxes.dgram)" = "ok EACCES EACCES" ]
	[ "$("$SW" status -j "$TENANT" | jq .denied.unix)" -eq 7 ]
	sed -i '1i mode: audit' "$dir/list.yaml"
	"$SW" attach --replace --policy "$dir/list.yaml" "$CG"
	[ "$(reply stream "$dir/b" @boxes)" = "ok ok" ]
	[ "$("$SW" status -j "$TENANT" | jq .denied.unix)" -eq 9 ]
	echo 'unix: deny' >"$dir/list.yaml"
	"$SW" attach --replace --policy "$dir/list.yaml" "$CG"
	[ "$(reply stream "$dir/a" @box)" = "EACCES EACCES" ]
}

@test "where the kernel has no such hook no policy is attached that allows but some" {
	local dir=$BATS_TEST_TMPDIR
	export SOCKWARDEN_WITHOUT=unix
	rm -rf $PINS
	echo 'unix: deny' >"$dir/none.yaml"
	run "$SW" attach --replace --policy "$dir/none.yaml" "$CG"
	[ "$status" -ne 0 ]
	[[ $output == *"the policy none refuses unix sockets, which takes Linux 6.7"* ]]
	"$SW" attach --replace --policy appengine "$CG"
	"$SW" doctor --json | jq -e '.checks[] | select(.check == "unix").text | contains("policy appengine denies are not refused")'
	"$SW" detach "$TENANT"
	rm -r $PINS
}

@test "where the kernel has no such hook a tenant is whole without it" {
	export SOCKWARDEN_WITHOUT=unix
	rm -rf $PINS # what other cases loaded
	start_nscd
	"$SW" attach --replace --policy "$NAMED" "$CG"
	[ "$("$SW" status -j "$TENANT" | jq -r .state)" = enforced ]
	[ -e "$PINS/tenants/$TENANT/egress" ]
	[ ! -e "$PINS/tenants/$TENANT/connect_unix" ]
	[ ! -e $PINS/host/sw_connect_unix ]
	answers www.example.com
	grep -q 'GETAI (www.example.com)' "$LOG"
	[ "$(sent)" -eq 0 ]
	"$SW" detach "$TENANT"
	[ -z "$(ls $PINS/tenants)" ]
	rm -r $PINS
}
