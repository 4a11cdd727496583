# The units, under systemd. A system call that a unit's filter forbids ends the process here, so none is made unseen.
load lib.bash
bats_require_minimum_version 1.5.0

@test "systemd finds nothing wrong with the units" {
	run systemd-analyze verify $UNIT $EXPORTER $RANGES.service $RANGES.timer sockwarden-attach@x.slice.service
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the units take away what they can" {
	systemd-analyze security --no-pager --offline=true --threshold=21 /usr/lib/systemd/system/$UNIT >/dev/null
	systemd-analyze security --no-pager --offline=true --threshold=11 /usr/lib/systemd/system/$EXPORTER >/dev/null
	systemd-analyze security --no-pager --offline=true --threshold=21 /usr/lib/systemd/system/$RANGES.service >/dev/null
	systemd-analyze security --no-pager --offline=true --threshold=60 /usr/lib/systemd/system/sockwarden-attach@.service >/dev/null
}

@test "the daemon says that it is ready, and its socket is for root and the group" {
	systemctl start $UNIT
	is active ActiveState
	is running SubState
	[ "$(stat -c '%U:%G %a' /run/sockwarden/daemon.sock)" = 'root:sockwarden 660' ]
}

@test "who is in the group may read the ledger, and nobody else, who is told so" {
	[ "$(stat -c '%U:%G %a' $LEDGER ${LEDGER%/*})" = $'root:sockwarden 640\nroot:sockwarden 750' ]
	setpriv --reuid 65534 --regid 65534 --groups "$(getent group sockwarden | cut -d: -f3)" sockwarden usage
	run setpriv --reuid 65534 --regid 65534 --clear-groups sockwarden usage
	[ "$status" -eq 1 ]
	[[ $output == *"only root and the group 'sockwarden' may read it"* ]]
}

@test "of the BPF file system the daemon can write its own folder only, of the cgroups none" {
	local mounts
	mounts=/proc/$(show MainPID)/mounts
	grep -q '^[^ ]* /sys/fs/bpf/sockwarden bpf rw' "$mounts"
	grep -q '^[^ ]* /sys/fs/bpf bpf ro' "$mounts"
	grep -q '^[^ ]* /sys/fs/cgroup cgroup2 ro' "$mounts"
}

@test "of its rights the daemon keeps two, and the process that closes sockets six" {
	local reaper
	# CAP_DAC_READ_SEARCH is 2, CAP_NET_ADMIN 12, CAP_SYS_PTRACE 19, CAP_SYS_ADMIN 21, CAP_PERFMON 38, CAP_BPF 39
	grep -q '^CapEff:.0000008000000004$' "/proc/$(show MainPID)/status"
	grep -q '^CapPrm:.0000008000000004$' "/proc/$(show MainPID)/status"
	reaper=$(pgrep -P "$(show MainPID)" sockwarden-reap)
	grep -q '^CapPrm:.000000c000281004$' "/proc/$reaper/status"
	grep -q '^CapBnd:.000000c000281004$' "/proc/$reaper/status"
}

@test "the daemon gives signs of life" {
	local before
	before=$(show WatchdogTimestampMonotonic)
	moved() { ! is "$before" WatchdogTimestampMonotonic; }
	until_true moved
	is running SubState
	is 0 NRestarts
}

@test "a daemon that gives none is started again" {
	local pid
	pid=$(show MainPID)
	systemctl kill -s STOP --kill-who=main $UNIT
	until_true is 1 NRestarts
	until_true is running SubState
	run ! is "$pid" MainPID
	until_true logged 'Watchdog timeout'
}

@test "what a tenant sends is booked on SIGUSR1" {
	allow 4000
	sockwarden attach --tenant a --policy $POLICY "$TENANT"
	send 4000 5
	systemctl kill -s USR1 $UNIT
	until_true booked 5
}

# What a read says of a socket that has been idle, in a network namespace of its own
IDLE="import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'x', ('127.0.0.1', 4000))
time.sleep(5)
s.setblocking(False)
try: s.recv(1)
except OSError as e: print('reclaimed with', e.errno)"

@test "an idle socket is closed, in whichever network namespace it is" {
	printf 'idle-timeout: 2s\ndefault: allow\n' >/root/idle.yaml
	systemctl start tenant-c.slice
	sockwarden attach --tenant c --policy /root/idle.yaml "${TENANT%-a.slice}-c.slice"
	systemd-run -q --slice=tenant-c.slice -p Type=oneshot -p PrivateNetwork=yes python3 -c "$IDLE"
	until_true printed 'reclaimed with 103'
	[ "$(sockwarden status c -j | jq .closed.idle)" -eq 1 ]
	run ! logged 'sockets are not closed'
	systemctl stop tenant-c.slice
}

@test "what a tenant's service prints is in the journal" {
	# the server's end of a connection to a unix socket is in the cgroup of who connected
	systemd-run -q --slice=tenant-a.slice -p Type=oneshot echo of-the-tenant
	until_true printed of-the-tenant
	systemd-run -q -p Type=oneshot echo of-another
	until_true printed of-another
}

@test "a tenant that ends is booked, and what held it is removed" {
	systemctl start tenant-b.slice
	sockwarden attach --tenant b --policy $POLICY "${TENANT%-a.slice}-b.slice"
	send 4000 2 b
	[ -d /sys/fs/bpf/sockwarden/tenants/b ]
	systemctl stop tenant-b.slice
	gone() { systemctl kill -s USR1 $UNIT && [ ! -e /sys/fs/bpf/sockwarden/tenants/b ]; }
	until_true gone
	until_true booked 2 b
}

@test "a service that restarts is attached again by the daemon, within its unit's limits" {
	printf '%s\n' '[Service]' 'ExecStart=/bin/sleep infinity' >$OVERRIDES/web.service
	systemctl daemon-reload
	systemctl start web.service
	sockwarden attach --policy $POLICY "$MACHINE_CGROUP/system.slice/web.service"
	attached_to() { [ "$(sockwarden status -j web.service | jq -r '.cgroup_id, .state' | xargs)" = "$1 enforced" ]; }
	attached_to "$(stat -c %i "$MACHINE_CGROUP/system.slice/web.service")"
	systemctl restart web.service
	until_true eval 'attached_to "$(stat -c %i "$MACHINE_CGROUP/system.slice/web.service")"'
	systemctl stop web.service
	until_true logged 'tenant web.service has ended'
	sockwarden detach web.service
	is 0 NRestarts || is 1 NRestarts # the watchdog's, above
}

# entries FIELD=VALUE...: of the daemon
entries() {
	journalctl --no-pager -q -o json -u $UNIT "$@"
}

denials_to() { # PORT: how many entries, and lines in all, are about it
	[ "$(entries TENANT=a PORT="$1" | wc -l) $(journalctl --no-pager -o cat -u $UNIT | grep -c "udp 127.0.0.1:$1 denied")" = "$2 $2" ]
}

@test "journalctl finds a denial by its tenant and peer, once, and says what it means" {
	allow 4000
	sockwarden attach --replace --tenant a --policy $POLICY "$TENANT"
	run ! send 5001 1
	until_true denials_to 5001 1
	[ "$(entries TENANT=a PEER=127.0.0.1 PORT=5001 |
		jq -r '[.REASON, .PROTOCOL, .HOOK, .POLICY, .PRIORITY, .SYSLOG_IDENTIFIER, ._SYSTEMD_UNIT] | join(" ")')" = \
		"rule udp egress local 5 sockwarden $UNIT" ] || entries TENANT=a PORT=5001
	journalctl --update-catalog
	journalctl --no-pager -q -x TENANT=a PORT=5001 | grep -qF 'Subject: Tenant a was refused something by its policy'
	[ -z "$(entries TENANT=another)" ]
}

@test "journalctl finds what became of policies and tenants" {
	entries TENANT=web.service "CGROUP=$MACHINE_CGROUP/system.slice/web.service" | jq -r .MESSAGE | grep -q 'is attached again'
	sed 's/4000/4000-4001/' $POLICY >/root/other.yaml
	sockwarden attach --replace --tenant a --policy /root/other.yaml "$TENANT"
	changed() { entries TENANT=a OLD_POLICY=$POLICY POLICY=/root/other.yaml | grep -q .; }
	until_true changed
	sockwarden attach --replace --tenant a --policy $POLICY "$TENANT"
	sockwarden reload
	read_anew() { journalctl -q -o cat MESSAGE_ID="$(sed -n 's/.*RELOADED, "\(.*\)".*/\1/p' user/base/journal.h)" | grep -q 'policies\? read\|policy read'; }
	until_true read_anew
}

@test "a journal that takes nothing does not hold up the daemon" {
	local pid
	pid=$(systemctl show -P MainPID systemd-journald)
	kill -STOP "$pid"
	(
		echo "$BASHPID" >"$TENANT/cgroup.procs"
		for ((i = 0; i < 300; i++)); do
			echo denied >/dev/udp/127.0.0.1/5002 || :
		done
	) 2>/dev/null
	heard() { [ "$(timeout 20 sockwarden log -n 600 --tenant a | grep -c :5002)" -ge 60 ]; }
	until_true heard
	kill -CONT "$pid"
	at_last() { # those before have used up the tenant's lines of a second
		! send 5003 1 && [ -n "$(entries TENANT=a PORT=5003)" ]
	}
	until_true at_last
	settled() { denials_to 5003 "$(entries TENANT=a PORT=5003 | wc -l)"; }
	until_true settled
}

@test "each message of the daemon is in the catalogue" {
	local name id
	while read -r name id; do
		journalctl --no-pager --dump-catalog "$id" | grep -q '^Subject: ' || echo "$name is not"
	done < <(sed -n 's/.*X(\([A-Z]*\), "\([0-9a-f]\{32\}\)").*/\1 \2/p' user/base/journal.h) >"$BATS_TEST_TMPDIR/missing"
	[ ! -s "$BATS_TEST_TMPDIR/missing" ]
}

# What a unit's processes are told of each; then how many filters there are
CALLS="import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
def attempt(*args):
    try: return socket.socket(*args) and 'ok'
    except OSError as error: return errno.errorcode[error.errno]
def call(*args):
    return 'ok' if libc.syscall(*args) >= 0 else errno.errorcode[ctypes.get_errno()]
found = [attempt(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK)]
found += [attempt(family, socket.SOCK_RAW) for family in (socket.AF_PACKET, socket.AF_VSOCK, socket.AF_ALG)]
found += [call(*args) for args in ((425, 8, b'x' * 120), (248, b'user', b'x', b'y', 1, -4), (250, 0, -4, 1), (438, -1, 0, 0), (272, 0x10000000))]
print('told', *found)"

@test "what 'policy unit' prints is what 'run' does, and doctor misses no filter" {
	local service told=ok\ ok\ ok\ ok\ EAFNOSUPPORT\ EAFNOSUPPORT\ EAFNOSUPPORT\ ENOSYS\ ENOSYS\ ENOSYS\ ENOSYS\ EPERM
	[ "$(sockwarden run -q -- python3 -c "$CALLS")" = "told $told" ]
	printf '%s\n' '[Service]' "ExecStart=/bin/sleep infinity" >$OVERRIDES/calls.service
	printf '%s\n' '[Service]' 'Type=oneshot' "ExecStart=/usr/bin/python3 /root/calls.py" >$OVERRIDES/told.service
	echo "$CALLS" >/root/calls.py
	without() { sockwarden doctor -j | jq -r '.checks[] | select(.check == "calls" and .state == "look") | .text'; }
	systemctl daemon-reload
	systemctl start calls.service
	sockwarden attach --policy appengine "$MACHINE_CGROUP/system.slice/calls.service"
	[[ $(without) == *calls.service* ]]
	for service in calls told; do
		mkdir -p $OVERRIDES/$service.service.d
		sockwarden policy unit appengine >$OVERRIDES/$service.service.d/sockwarden.conf
	done
	systemctl daemon-reload
	run systemd-analyze verify $OVERRIDES/calls.service $OVERRIDES/told.service
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	systemctl restart calls.service
	until_true eval '[[ $(without) != *calls.service* ]]'
	systemctl start told.service
	until_true printed "told $told"
	systemctl stop calls.service
	sockwarden detach calls.service
}

@test "reload puts a changed policy in force" {
	run ! send 4001 1
	allow 4001
	systemctl reload $UNIT
	send 4001 1 # it is in force when systemctl returns
	run ! send 4000 1
}

@test "a mistake in a policy changes nothing, and the daemon goes on" {
	echo 'default: perhaps' >$POLICY
	run ! systemctl reload $UNIT
	until_true logged "$POLICY:1:10: error:"
	until_true logged 'all tenants keep the policies they have'
	systemctl status --no-pager $UNIT | grep -qF "$POLICY:1:10: error:"
	until_true is running SubState
	is 1 NRestarts
	send 4001 1
	run ! send 4000 1
	allow 4001
}

@test "a daemon that is killed is started again, and what was sent meanwhile is booked" {
	local pid
	pid=$(show MainPID)
	send 4001 1
	systemctl kill -s KILL --kill-who=main $UNIT
	send 4001 2
	run ! send 4000 1
	until_true is 2 NRestarts
	until_true is running SubState
	run ! is "$pid" MainPID
	until_true booked 10
}

@test "the exporter serves what the daemon knows, as a user of its own" {
	systemctl start $EXPORTER
	until_true curl -sf -o /dev/null localhost:10798/-/ready
	run curl -sS localhost:10798/metrics
	[[ $output == *$'\nsockwarden_up 1\n'* ]]
	[[ $output == *'tenant="a"'*" $((10 * DATAGRAM))"$'\n'* ]]
	[ "$(stat -c %u "/proc/$(show MainPID $EXPORTER)")" -ge 61184 ] # of systemd's dynamic users
	grep -q '^CapPrm:.0*$' "/proc/$(show MainPID $EXPORTER)/status"
}

# be_google: this machine is the server that has the lists, and trusts it
be_google() {
	mkdir -p /root/www/ipranges
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=google -addext subjectAltName=DNS:www.gstatic.com \
		-keyout /root/www/key.pem -out /root/www/cert.pem 2>/dev/null
	cat /root/www/cert.pem >>/etc/ssl/certs/ca-certificates.crt
	echo 127.0.0.1 www.gstatic.com >>/etc/hosts
	systemd-run -q -u google -p WorkingDirectory=/root/www openssl s_server -quiet -accept 443 -cert cert.pem -key key.pem -WWW
	until_true eval '</dev/tcp/127.0.0.1/443'
}

# publish NAME SET...: as NAME.json, and the loopback's address in goog.json
publish() {
	(cd /usr/share/sockwarden/sets && cat "${@:2}") | jq -Rn --arg name "$1" '{creationTime: "2026-11-01T07:05:03.68994", prefixes: [
		inputs, if $name == "goog" then "127.0.0.1" else empty end | select(startswith("#") | not) |
		if contains(":") then {ipv6Prefix: .} else {ipv4Prefix: .} end]}' >"/root/www/ipranges/$1.json"
}

@test "the lists are fetched and in force, and nobody else writes them" {
	be_google
	publish goog google google-cloud
	publish cloud google-cloud
	echo 'rules: [{allow: {net: google, port: 4000, proto: udp}}]' >/root/google.yaml
	systemctl start tenant-d.slice
	sockwarden attach --tenant d --policy /root/google.yaml "${TENANT%-a.slice}-d.slice"
	run ! send 4000 1 d
	systemctl start $RANGES.service
	send 4000 1 d
	is 0 ExecMainStatus $RANGES.service
	[ "$(stat -c '%U:%G %a' /var/lib/sockwarden /var/lib/sockwarden/sets/google)" = $'root:sockwarden 750\nroot:sockwarden 644' ]
	is running SubState
}

@test "lists that cannot be fetched fail the unit, and change nothing" {
	systemctl stop google.service
	run ! systemctl start $RANGES.service
	is 1 ExecMainStatus $RANGES.service
	until_true logged 'cannot fetch https://www.gstatic.com/ipranges/goog.json' $RANGES.service
	send 4000 1 d
	sockwarden detach d
	systemctl stop tenant-d.slice
}

@test "the timer waits for the next day" {
	systemctl enable --now $RANGES.timer
	is waiting SubState $RANGES.timer
	is $RANGES.service Unit $RANGES.timer
	systemctl disable --now $RANGES.timer
}

@test "a second daemon fails for now, and the first is not disturbed" {
	local pid
	pid=$(show MainPID)
	cp /usr/lib/systemd/system/$UNIT $OVERRIDES/second.service
	override second.service RuntimeDirectory= RuntimeDirectory=second StateDirectory= StateDirectory=second ExecStart= \
		'ExecStart=/usr/bin/sockwarden daemon --socket /run/second/daemon.sock --ledger /var/lib/second/ledger.db'
	run ! systemctl start second.service
	is 75 ExecMainStatus second.service
	is auto-restart SubState second.service
	until_true logged 'another sockwarden daemon books on this host' second.service
	systemctl stop second.service
	is "$pid" MainPID
	curl -sf -o /dev/null localhost:10798/-/ready
}

@test "stop books what there is and exits 0; the tenant stays under its policy" {
	send 4001 3
	systemctl stop $UNIT
	is inactive ActiveState
	is success Result
	is 0 ExecMainStatus
	booked 13
	run ! send 4000 1
	send 4001 1
	[ "$(curl -sS localhost:10798/metrics | grep '^sockwarden_up')" = 'sockwarden_up 0' ]
}

@test "another ledger is no reason to try again" {
	local other=$OVERRIDES/$UNIT.d/other.conf
	mkdir -p "${other%/*}"
	printf '[Service]\nExecStart=\nExecStart=/usr/bin/sockwarden daemon --ledger /var/lib/sockwarden/other.db\n' >"$other"
	systemctl daemon-reload
	run ! systemctl start $UNIT
	is 78 ExecMainStatus
	is failed ActiveState
	is 0 NRestarts
	until_true logged "$LEDGER was booked in"
	rm "$other"
	systemctl daemon-reload
}

@test "without its ledger the daemon does all but book, and takes nothing else for it" {
	mv $LEDGER /root/ledger.db
	echo 'this is no ledger, but a line of text' >$LEDGER
	systemctl start $UNIT
	until_true logged 'is no ledger'
	until_true curl -sf -o /dev/null localhost:10798/-/ready
	curl -sS localhost:10798/metrics | grep -qx 'sockwarden_ledger_booking 0'
	[ "$(cat $LEDGER)" = 'this is no ledger, but a line of text' ]
}

@test "with its ledger back the daemon goes on where it was" {
	mv /root/ledger.db $LEDGER
	systemctl kill -s USR1 --kill-who=main $UNIT
	until_true booked 14
	until_true logged 'booking goes on'
	is 0 NRestarts
}
