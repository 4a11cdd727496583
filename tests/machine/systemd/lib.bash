# shellcheck shell=bash
# What the cases share. They follow each other on one machine, which is gone afterwards; tenant `a` is attached in all.

# shellcheck source=tests/lib/common.bash
source "$BATS_TEST_DIRNAME/../../lib/common.bash"
UNIT=sockwarden.service
EXPORTER=sockwarden-exporter.service
RANGES=sockwarden-ranges
OVERRIDES=/run/systemd/system
LEDGER=/var/lib/sockwarden/ledger.db
TENANT=$MACHINE_CGROUP/tenant.slice/tenant-a.slice
POLICY=/root/local.yaml # in a home, which the unit may read
DATAGRAM=128            # 100 bytes, UDP and IPv4

show() { # PROPERTY [UNIT]
	systemctl show -P "$1" "${2:-$UNIT}"
}

is() { # VALUE PROPERTY [UNIT]
	[ "$(show "${@:2}")" = "$1" ]
}

# override UNIT LINE...: to the unit's section Service
override() {
	mkdir -p "$OVERRIDES/$1.d"
	printf '%s\n' '[Service]' "${@:2}" >"$OVERRIDES/$1.d/test.conf"
	systemctl daemon-reload
}

# allow PORT: the policy of the tenant
allow() {
	printf 'rules:\n  - allow: {net: loopback, port: %s, proto: udp}\ndefault: deny\n' "$1" >$POLICY
}

# send PORT NUMBER [TENANT]: datagrams of 100 bytes, from a service in the tenant's slice
send() {
	systemd-run -q --slice="tenant-${3:-a}.slice" -p Type=oneshot "$PWD/tests/machine/systemd/send" "$1" "$2" 2>/dev/null
}

# booked NUMBER [TENANT]: are so many datagrams in the ledger?
booked() {
	[ "$(sockwarden usage --tenant "${2:-a}" --format json | jq '[.rows[].sent_bytes | tonumber] | add')" -eq $(($1 * DATAGRAM)) ]
}

logged() { # TEXT [UNIT]
	journalctl --no-pager -o cat -u "${2:-$UNIT}" | grep -qF "$1"
}

printed() { # LINE
	journalctl --no-pager -o cat _COMM=echo + _TRANSPORT=stdout | grep -qx "$1"
}

setup_file() {
	systemd-sysusers
	override $UNIT SystemCallErrorNumber=kill WatchdogSec=2
	override $EXPORTER SystemCallErrorNumber=kill
	override $RANGES.service SystemCallErrorNumber=kill
	systemd-run -q --slice=tenant-a.slice sleep infinity
}

# Says what the machine says when a case failed
teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl --no-pager -n 15 >&2
}
