# shellcheck shell=bash
# What the cases share: a stand-in for the daemon, whose tenants never change, and an exporter that asks it.

# shellcheck source=tests/lib/common.bash
source "$BATS_TEST_DIRNAME/../../lib/common.bash"
RULES=share/prometheus/sockwarden.rules.yml
DASHBOARD=share/grafana/sockwarden.json
OPENMETRICS='application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

# as_nobody CMD...: without a right or a group
as_nobody() {
	exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
}

# start_daemon: the stand-in, in $DAEMON
start_daemon() {
	build/tests/standin-daemon "$DIR/daemon.sock" >/dev/null 2>&1 3>&- &
	DAEMON=$!
	until_true "$DIR/bin/sockwarden" exporter --once --socket "$DIR/daemon.sock"
}

# start_exporter NAME OPTION...: as nobody; its process is in $EXPORTER, its address in $AT
start_exporter() {
	local name=$1
	shift
	(as_nobody "$DIR/bin/sockwarden" exporter --socket "$DIR/daemon.sock" "$@") >"$DIR/$name.out" 2>"$DIR/$name.err" 3>&- &
	EXPORTER=$!
	until_true grep -q 'listening on' "$DIR/$name.err" || return 1
	AT=$(sed -n 's/.*listening on //p' "$DIR/$name.err")
}

# end PID...: of processes of this shell; the last one's status
end() {
	kill "$@" && wait "$@"
}

# once OPTION...: what an exporter prints
once() {
	(as_nobody "$DIR/bin/sockwarden" exporter --once --socket "$DIR/daemon.sock" "$@")
}

get() {
	curl -sS -m 10 "$@"
}

# status URL...: the status of the answer
status() {
	curl -s -m 10 -o /dev/null -w '%{http_code}' "$@"
}

make_dir() {
	DIR=$(mktemp -d)
	chmod 0755 "$DIR"
	mkdir "$DIR/bin"
	install -m 0755 build/sockwarden build/sockwarden-exporter "$DIR/bin"
}
