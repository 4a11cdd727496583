# The units, under systemd. A system call that a unit's filter forbids ends the process here, so none is made unseen.
load lib.bash
bats_require_minimum_version 1.5.0

@test "systemd finds nothing wrong with the units" {
	run systemd-analyze verify $UNIT $EXPORTER
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the units take away what they can" {
	systemd-analyze security --no-pager --offline=true --threshold=21 /usr/lib/systemd/system/$UNIT >/dev/null
	systemd-analyze security --no-pager --offline=true --threshold=11 /usr/lib/systemd/system/$EXPORTER >/dev/null
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
