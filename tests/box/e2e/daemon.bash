# shellcheck shell=bash
# What the cases share in which a daemon runs. Sourced after lib.bash.

STATE=/var/lib/sockwarden
LEDGER=$STATE/ledger.db
OPEN='rules:\n  - allow: {net: 93.184.216.34, exempt: true}\ndefault: allow\n'

# The folder is the host's: covered, and if it was not there, removed again
setup_file() {
	[ -d $STATE ] || { mkdir -p $STATE && touch "$BATS_FILE_TMPDIR/made"; }
	mount -t tmpfs sockwarden $STATE
}

teardown_file() {
	umount $STATE
	[ ! -e "$BATS_FILE_TMPDIR/made" ] || rmdir $STATE
}

daemon_setup() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
	export SOCKWARDEN_PATH=share
	new_cgroup
	SOCKET=$BATS_TEST_TMPDIR/socket
	POLICY=$BATS_TEST_TMPDIR/policy.yaml
	printf "$OPEN" >"$POLICY"
}

setup() {
	daemon_setup
}

daemon_teardown() {
	local tenant
	[ -n "${BATS_TEST_COMPLETED-}" ] || cat "$BATS_TEST_TMPDIR/log" >&2 || true
	[ -z "${DAEMON-}" ] || kill -KILL "$DAEMON" 2>/dev/null || true
	[ -z "${LISTENER-}" ] || kill "$LISTENER" 2>/dev/null || true
	for tenant in "$PINS"/tenants/*; do
		[ ! -e "$tenant" ] || "$SW" detach "${tenant##*/}"
	done
	end_cgroup "$CG"
	find $PINS -depth -delete 2>/dev/null || true # and with it that somebody books
	rm -f $STATE/*
}

teardown() {
	daemon_teardown
}

# start [VAR=VALUE]... [OPTION...]: the daemon, in $DAEMON; it says what it does in the log. It books when it is told to
start() {
	local vars=()
	while [[ ${1-} == *=* ]]; do vars+=("$1") && shift; done
	rm -f "$SOCKET"
	env "${vars[@]}" "$SW" daemon --interval 3600 --ledger $LEDGER --socket "$SOCKET" "$@" \
		>>"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	DAEMON=$!
	until_true test -S "$SOCKET"
}

stop() {
	kill "$DAEMON"
	wait "$DAEMON"
}

said() {
	grep -q -- "$1" "$BATS_TEST_TMPDIR/log"
}

sql() {
	sqlite3 -cmd '.timeout 5000' $LEDGER "$1"
}

# booked NAME: bytes out in the ledger
booked() {
	sql "SELECT coalesce(sum(tx_bytes), 0) FROM interval WHERE tenant = '$1'"
}

# status_of KEY: of the tenant of this case
status_of() {
	"$SW" status -j "${CG##*/}" >"$BATS_TEST_TMPDIR/status"
	sqlite3 :memory: "SELECT readfile('$BATS_TEST_TMPDIR/status') ->> '$1'"
}

has_booked_all() {
	[ "$(booked "${CG##*/}")" -gt 0 ] && [ "$(booked "${CG##*/}")" = "$(status_of '$.sent_bytes')" ]
}

book() {
	kill -USR1 "$DAEMON"
	until_true has_booked_all
}
