#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# The daemon as its operator and its service manager see it. What it books is the ledger's test.
load lib.bash
load daemon.bash
bats_require_minimum_version 1.5.0

@test "a second daemon is refused with one line" {
	start
	run timeout 10 "$SW" daemon --ledger $LEDGER --socket "$BATS_TEST_TMPDIR/other"
	[ "$status" -eq 75 ]
	one_line
	[[ $output == *"another sockwarden daemon books on this host"* ]]
	run timeout 10 "$SW" daemon --ledger "$BATS_TEST_TMPDIR/other.db" --socket "$BATS_TEST_TMPDIR/other"
	[ "$status" -eq 75 ]
	one_line
	[[ $output == *"another sockwarden daemon books on this host"* ]]
	[ -S "$SOCKET" ]
}

@test "SIGTERM books once more and ends with 0" {
	"$SW" attach --policy "$POLICY" "$CG"
	start
	inside bash -c "echo x >/dev/udp/$WEB/7"
	stop
	has_booked_all
	[ ! -e "$SOCKET" ]
}

@test "SIGHUP puts a changed policy in force; a mistake in any policy keeps all as they are" {
	"$SW" attach --policy "$POLICY" "$CG"
	start
	[ "$(reach)" != policy ]
	cp share/policies/appengine.yaml "$POLICY"
	kill -HUP "$DAEMON"
	until_true said 'reload: 1 policy read'
	[ "$(reach)" = policy ]
	mkdir "$CG-b" && printf "$OPEN" >"$BATS_TEST_TMPDIR/b.yaml"
	"$SW" attach --policy "$BATS_TEST_TMPDIR/b.yaml" --tenant b "$CG-b"
	printf "$OPEN" >"$POLICY"
	echo 'defualt: deny' >"$BATS_TEST_TMPDIR/b.yaml"
	kill -HUP "$DAEMON"
	until_true said 'reload: a policy has mistakes, so all tenants keep'
	said "b.yaml:1:1: error"
	[ "$(reach)" = policy ]
	"$SW" detach b
	end_cgroup "$CG-b"
}

@test "reload puts a changed base in force, and a base with mistakes in none" {
	cp share/policies/appengine.yaml "$BATS_TEST_TMPDIR/base.yaml"
	printf 'extends: ./base.yaml\n' >"$POLICY"
	"$SW" attach --policy "$POLICY" "$CG"
	start
	[ "$(reach)" = policy ]
	printf "$OPEN" >"$BATS_TEST_TMPDIR/base.yaml"
	"$SW" reload --socket "$SOCKET"
	[ "$(reach)" != policy ]
	run "$SW" explain --tenant "$(basename "$CG")" tcp 192.0.2.1:80
	[ "$status" -eq 0 ]
	echo 'defualt: deny' >"$BATS_TEST_TMPDIR/base.yaml"
	run "$SW" reload --socket "$SOCKET"
	[ "$status" -eq 1 ]
	[[ $output == *"base.yaml:1:1: error"* ]]
	[ "$(reach)" != policy ]
	rm "$BATS_TEST_TMPDIR/base.yaml"
	run "$SW" reload --socket "$SOCKET"
	[[ $status -eq 1 && $output == *"base.yaml: No such file"* ]]
	cp share/policies/appengine.yaml "$BATS_TEST_TMPDIR/base.yaml"
	"$SW" reload --socket "$SOCKET"
	[ "$(reach)" = policy ]
}

@test "what a rule is called, and what it is for, is in the log, in status and in explain" {
	local told="deny: {net: $WEB} # The web is elsewhere" tenant
	tenant=$(basename "$CG")
	printf 'rules:\n  - deny: {net: %s, id: no-web, description: The web is elsewhere}\ndefault: allow\n' $WEB >"$POLICY"
	"$SW" attach --policy "$POLICY" "$CG"
	start
	inside bash -c "! echo x >/dev/tcp/$WEB/80"
	until_true said "denied: rule 1 (no-web), policy:2 $told"
	run -0 "$SW" status "$tenant"
	[[ $output == *"1  rule 1 (no-web), line 2: $told"* ]]
	run -3 "$SW" explain --tenant "$tenant" tcp $WEB:80
	[[ $output == *"rule 1 (no-web) of policy, line 2: $told"* ]]
	"$SW" log --json --socket "$SOCKET" | grep -F '"line":2,"file":"policy","id":"no-web","description":"The web is elsewhere","text":"deny: {'
}

# refused STATUS TEXT FILE [OPTION...]
refused() {
	run timeout 60 "$SW" daemon --socket "$SOCKET" --ledger "${@:3}"
	[[ $status -eq $1 && $output == *"$2"* ]] && one_line && return
	echo "status $status: $output" >&2
	return 1
}

@test "a ledger that cannot be one is refused with one line, and left alone" {
	local before
	mkdir "$BATS_TEST_TMPDIR/ro" && mount -t tmpfs -o ro none "$BATS_TEST_TMPDIR/ro"
	refused 77 'Read-only' "$BATS_TEST_TMPDIR/ro/ledger.db" || { umount "$BATS_TEST_TMPDIR/ro"; false; }
	umount "$BATS_TEST_TMPDIR/ro"
	start && stop
	sql 'PRAGMA user_version = 77'
	refused 75 'version 77' $LEDGER
	echo 'some text, longer than the head of a database, that is no ledger: 0123456789012345678901234567890123456789' >$STATE/text
	before=$(cksum $STATE/text)
	refused 78 'is no ledger' $STATE/text
	[ "$(cksum $STATE/text)" = "$before" ]
	sqlite3 $STATE/other 'CREATE TABLE other (x)'
	refused 78 'is a database, but no ledger' $STATE/other
}

is_gone() {
	kill -USR1 "$DAEMON"
	[ ! -e "$PINS/tenants/${CG##*/}" ]
}

# has CAP MASK PROCESS
has() {
	[ "$(awk -v cap="$1:" '$1 == cap { print $2 }' "/proc/$3/status")" = "$2" ]
}

@test "the daemon keeps the rights it needs and no other, and does all of its work with them" {
	local cap
	cp share/policies/appengine.yaml "$POLICY"
	mkdir "$CG/gone"
	"$SW" attach --policy "$POLICY" --tenant "${CG##*/}" "$CG/gone"
	start
	for cap in CapEff CapPrm CapBnd; do
		has "$cap" 0000008000000004 "$DAEMON"
		has "$cap" 000000c000281004 "$(pgrep -P "$DAEMON" sockwarden-reap)"
		has "$cap" 000000c000281004 "$(pgrep -P "$DAEMON" sockwarden-keep)"
	done
	grep -q 'NoNewPrivs:.1' "/proc/$DAEMON/status"
	CG=$CG/gone inside bash -c "echo x >/dev/tcp/$PRIVATE/80" || true # a denial
	until_true said "denied.*$PRIVATE\|$PRIVATE.*denied"
	CG=$CG/gone inside bash -c "echo x >/dev/udp/$WEB/7"
	book
	printf 'rules:\n  - allow: {net: [8.8.8.8, 2001:4860:4860::8888], port: 53}\nsockopts: {other: deny}\ndefault: deny\n' >"$POLICY"
	kill -HUP "$DAEMON"
	until_true said 'reload: 1 policy read'
	CG=$CG/gone run inside bash -c "echo x >/dev/udp/$WEB/7"
	[ "$status" -ne 0 ]
	rmdir "$CG/gone"
	until_true is_gone # the kernel lets go of a cgroup when it gets to it
	[ "$("$SW" status -j | jq -r '.[].state')" = unprotected ]
	"$SW" detach "${CG##*/}"
	[ "$("$SW" status -j)" = '[]' ]
	not said 'nothing is booked'
}

@test "the service manager is told of start, life, reload and end" {
	tests/box/e2e/notified "$BATS_TEST_TMPDIR/notify" >"$BATS_TEST_TMPDIR/told" 3>&- &
	LISTENER=$!
	until_true test -S "$BATS_TEST_TMPDIR/notify"
	start NOTIFY_SOCKET="$BATS_TEST_TMPDIR/notify" WATCHDOG_USEC=200000
	told() { [ "$(grep -c "$1" "$BATS_TEST_TMPDIR/told")" -ge "${2:-1}" ]; }
	until_true told '^READY=1$'
	until_true told '^WATCHDOG=1$' 3
	kill -HUP "$DAEMON"
	until_true told '^READY=1$' 2
	[[ $(grep -A 1 '^RELOADING=1$' "$BATS_TEST_TMPDIR/told") =~ MONOTONIC_USEC=[0-9]+$ ]]
	not told STOPPING
	stop
	until_true told '^STOPPING=1$'
}

@test "what is enforced goes on while the daemon is down, and is booked by the next one" {
	"$SW" attach "$CG"
	start
	[ "$(reach)" = policy ]
	book
	kill -KILL "$DAEMON"
	not wait "$DAEMON"
	[ "$(reach)" = policy ]
	not has_booked_all
	start
	until_true has_booked_all
}

@test "attach works while a booking takes its time" {
	start
	"$SW" attach --policy "$POLICY" "$CG"
	inside bash -c "echo x >/dev/udp/$WEB/7"
	sqlite3 -cmd 'BEGIN EXCLUSIVE' -cmd ".shell touch $BATS_TEST_TMPDIR/held; sleep 1" $LEDGER COMMIT 3>&- &
	until_true test -e "$BATS_TEST_TMPDIR/held"
	kill -USR1 "$DAEMON"
	mkdir "$CG/b" "$BATS_TEST_TMPDIR/x"
	"$SW" detach "${CG##*/}"
	"$SW" attach --policy "$POLICY" "$CG"
	until_true said 'nothing is booked for now'
	wait %%
	inside bash -c "echo x >/dev/udp/$WEB/7"
	kill -USR1 "$DAEMON"
	until_true said 'booking goes on'
	until_true eval '[ "$(booked "${CG##*/}")" -eq 60 ]'
}

# replace POLICY: another policy for the tenant of this case
replace() {
	printf "$1" >"$POLICY"
	"$SW" attach --replace --policy "$POLICY" "$CG"
}

# begin_booking: of what was sent, by a daemon whose disk then waits until end_booking
begin_booking() {
	inside bash -c "echo x >/dev/udp/$WEB/7"
	touch "$BATS_TEST_TMPDIR/hold"
	kill -USR1 "$DAEMON"
	until_true test -e $LEDGER-journal
}

# ask QUESTION: what the daemon answers, when it has done what it was at
ask() {
	python3 -c 'import shutil, socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.settimeout(20)
    s.connect(sys.argv[1])
    s.sendall(sys.argv[2].encode() + b"\n")
    shutil.copyfileobj(s.makefile("rb"), sys.stdout.buffer)' "$SOCKET" "$1"
}

end_booking() {
	rm "$BATS_TEST_TMPDIR/hold"
	ask snapshot >/dev/null
	has_booked_all
}

# while_booked CMD...: takes the lock while the ledger is locked, and gives it back when it is no more
while_booked() {
	"$@" 3>&- &
	until_true not flock -n $PINS true
	end_booking
	wait %%
}

@test "a policy that changes while a tick is being booked is what the budget is renewed by" {
	"$SW" attach --policy "$POLICY" "$CG"
	start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_HOLD="$BATS_TEST_TMPDIR/hold"
	mkdir "$CG-other"
	begin_booking
	replace 'default: allow\n' # the number of the policy before is free now
	end_booking
	not refused_connect
	begin_booking
	replace 'rules:\n  - deny: {port: 25}\ndefault: allow\n'
	printf 'budget: {bytes: 1, per: day}\ndefault: allow\n' >"$BATS_TEST_TMPDIR/other.yaml"
	while_booked "$SW" attach --policy "$BATS_TEST_TMPDIR/other.yaml" --tenant other "$CG-other" # and now given away
	not refused_connect
	begin_booking
	while_booked replace 'budget: {bytes: 1MiB, per: day}\ndefault: allow\n'
	not refused_connect
	"$SW" detach other
	end_cgroup "$CG-other"
}

# budget [WORDS]: a policy with a budget of a MiB a day
budget() {
	printf 'budget: {bytes: 1MiB, per: day%s}\ndefault: allow\n' "$1" >"$POLICY"
}

# within_budget: it was used up, and exceeded by a packet of each CPU at most
within_budget() {
	local sent
	sent=$(status_of '$.sent_bytes')
	echo "# $sent bytes of 1048576" >&3
	[ "$sent" -ge 1048576 ] && [ "$sent" -le $((1048576 + 2 * 1028)) ]
}

refused_connect() {
	inside python3 -c "if True:
		import socket, errno
		try:
			socket.create_connection(('$WEB', 80), 5)
		except OSError as error:
			exit(error.errno != errno.EACCES)
		exit(1)"
}

@test "a budget stops a flood from two CPUs, with a packet of each over it at most, and then every connect" {
	local before
	budget
	start
	"$SW" attach --policy "$POLICY" "$CG"
	inside tests/box/e2e/flood 93.184.216.34
	within_budget
	before=$(status_of '$.denied."over-budget"')
	refused_connect
	[ "$(status_of '$.denied."over-budget"')" -gt "$before" ]
	book
	refused_connect
}

@test "the budget outlives the daemon, and the tenant's attach; the next day it is new" {
	budget
	echo 0 >"$BATS_TEST_TMPDIR/clock"
	start
	"$SW" attach --policy "$POLICY" "$CG"
	inside tests/box/e2e/flood 93.184.216.34
	stop
	start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_CLOCK="$BATS_TEST_TMPDIR/clock"
	until_true has_booked_all
	refused_connect
	"$SW" detach "${CG##*/}"
	"$SW" attach --policy "$POLICY" "$CG" # before the daemon has booked what was sent
	kill -USR1 "$DAEMON"
	until_true eval '[ "$(booked "${CG##*/}")" -gt 1048575 ]'
	sleep 0.1
	refused_connect
	"$SW" detach "${CG##*/}"
	"$SW" attach --policy "$POLICY" "$CG"
	refused_connect
	echo 86400 >"$BATS_TEST_TMPDIR/clock"
	kill -USR1 "$DAEMON"
	until_true eval '! refused_connect'
	inside tests/box/e2e/flood 93.184.216.34
	within_budget
}

@test "over its budget a tenant may be let pass, and logged" {
	budget ', over: log'
	start
	"$SW" attach --policy "$POLICY" "$CG"
	inside tests/box/e2e/flood 93.184.216.34
	[ "$(status_of '$.sent_bytes')" -gt 4000000 ]
	not refused_connect
	until_true said 'over-budget\|budget'
	[ "$(status_of '$.audited')" -gt 0 ]
}

# is_denied: a process of the tenant tries a peer that the policy denies
is_denied() {
	bash -c 'echo $$ >"$1/cgroup.procs"; exec 3<>/dev/tcp/10.1.2.3/80' - "$CG" 2>/dev/null
	grep -q 'tcp 10.1.2.3:80 denied' "$BATS_TEST_TMPDIR/followed"
}

@test "log -f and a status without root ask the daemon" {
	local follower
	SOCKET=/run/sockwarden/daemon.sock
	start --group nogroup
	"$SW" attach "$CG"
	"$SW" log -f >"$BATS_TEST_TMPDIR/followed" 3>&- &
	follower=$!
	until_true is_denied
	kill "$follower"
	wait "$follower"
	said 'tcp 10.1.2.3:80 denied' # by the daemon too
	setpriv --reuid 65534 --regid 65534 --clear-groups "$SW" status | grep -q "${CG##*/} .* enforced"
	run setpriv --reuid 65533 --regid 65533 --clear-groups "$SW" status
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *"needs root, or a running daemon"* ]]
}

# deny PORT...: the tenant tries these, which its policy denies
deny() {
	inside python3 -c 'import socket, sys
for port in sys.argv[1:]:
    try: socket.create_connection(("10.1.2.3", int(port)), 5)
    except PermissionError: pass' "$@"
}

# log [OPTION...]: ports of the lines that it prints
log() {
	"$SW" log --socket "$SOCKET" "$@" | sed -n 's/.* tcp 10\.1\.2\.3:\([0-9]*\) .*/\1/p' | tr '\n' ' '
}

is_logged() {
	[[ $(log) == *"$1"* ]]
}

@test "a unix socket that was refused is in the log, as the program spelled it" {
	echo 'unix: deny' >"$POLICY"
	"$SW" attach --policy "$POLICY" "$CG"
	start
	inside python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect_ex("/dev//log\n")'
	inside python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", "\0name")' || true
	until_true eval '"$SW" log --socket "$SOCKET" -n 1 | grep -q "sendmsg_unix @name denied: unix$"'
	"$SW" log --socket "$SOCKET" | grep -q 'python3\[[0-9]*\] connect_unix /dev//log? denied: unix$'
	"$SW" log --socket "$SOCKET" -j -n 1 | grep -q '"hook":"sendmsg_unix","family":"unix","path":"@name","reason":"unix"'
}

@test "log beside the daemon shows what was denied before, with the rule, though its policy is gone" {
	start
	"$SW" attach "$CG"
	[ -z "$(log)" ]
	deny 81 82
	until_true is_logged 82
	replace 'default: allow\n'
	[ "$(log)" = '81 82 ' ]
	[ "$(log)" = '81 82 ' ]
	"$SW" log --socket "$SOCKET" -n 1 | grep -q 'tcp 10.1.2.3:82 denied: rule 8, appengine:25 deny: {net: '
	[ "$(log --lines 1)" = '82 ' ]
	[ "$(log -n 0)" = '' ]
	[ "$(log --since 10m)" = '81 82 ' ]
	[ "$(log --since 2026-01-01 -n 5)" = '81 82 ' ]
	[ "$(log --since 2099-01-01T10:00:00Z)" = '' ]
	[ "$(log --tenant other)" = '' ]
	"$SW" log --socket "$SOCKET" -j -n 1 | grep -q '"family":"inet","protocol":"tcp","peer":"10.1.2.3","port":82,'
	run "$SW" log --socket "$SOCKET" -n many
	[ "$status" -eq 2 ]
	one_line
	run "$SW" log --socket "$SOCKET" --since yesterday
	[ "$status" -eq 2 ]
	one_line
}

@test "log and log -f are for the daemon's group, and for nobody else" {
	local follower
	SOCKET=/run/sockwarden/daemon.sock
	start --group nogroup
	"$SW" attach "$CG"
	deny 81
	until_true is_logged 81
	setpriv --reuid 65533 --regid 65534 --clear-groups "$SW" log -f --socket "$SOCKET" >"$BATS_TEST_TMPDIR/followed" 3>&- &
	follower=$!
	until_true grep -q 'tcp 10.1.2.3:81 denied' "$BATS_TEST_TMPDIR/followed"
	deny 82
	until_true grep -q 'tcp 10.1.2.3:82 denied' "$BATS_TEST_TMPDIR/followed"
	kill "$follower"
	wait "$follower"
	run setpriv --reuid 65533 --regid 65533 --clear-groups "$SW" log --socket "$SOCKET"
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *"may not be used by this user"* ]]
	run setpriv --reuid 65533 --regid 65534 --clear-groups "$SW" reload --socket "$SOCKET"
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *"only root"* ]]
	stop
	DAEMON=
	run setpriv --reuid 65533 --regid 65534 --clear-groups "$SW" log --socket "$SOCKET"
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *"needs root, or a running daemon"* ]]
}

@test "reload waits for the outcome, and says every mistake" {
	start
	run "$SW" reload --socket "$SOCKET"
	[ "$status" -eq 0 ]
	[ "$output" = 'sockwarden: reload: 0 policies read' ]
	"$SW" attach --policy "$POLICY" "$CG"
	cp share/policies/appengine.yaml "$POLICY"
	run "$SW" reload --socket "$SOCKET"
	[ "$status" -eq 0 ]
	[ "$output" = 'sockwarden: reload: 1 policy read' ]
	[ "$(reach)" = policy ]
	printf 'defualt: deny\nlisten: perhaps\n' >"$POLICY"
	run "$SW" policy check "$POLICY"
	printf '%s\n' "${lines[@]}" 'sockwarden: reload: a policy has mistakes, so all tenants keep the policies they have' \
		>"$BATS_TEST_TMPDIR/want"
	run "$SW" reload --socket "$SOCKET"
	[ "$status" -eq 1 ]
	diff "$BATS_TEST_TMPDIR/want" - <<<"$output"
	said 'policy.yaml:1:1: error'
	[ "$(reach)" = policy ]
	stop
	DAEMON=
	run "$SW" reload --socket "$SOCKET"
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *"no daemon answers at $SOCKET"* ]]
}

open_sockets() {
	[ "$(find "/proc/$DAEMON/fd" -lname 'socket:*' | wc -l)" -eq "$1" ]
}

@test "who asks and closes its half gets its whole answer, and costs nothing meanwhile" {
	local question used all bytes before
	start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_BUFFER=4608
	before=$(find "/proc/$DAEMON/fd" -lname 'socket:*' | wc -l)
	{
		echo rules:
		for port in {1001..1090}; do
			printf '  - deny: {net: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 198.18.0.0/15], port: %d, proto: tcp}\n' $port
		done
		echo 'default: allow'
	} >"$POLICY"
	"$SW" attach --policy "$POLICY" "$CG"
	deny {1001..1090}
	until_true said '10.1.2.3:1090 denied'
	for question in snapshot log; do
		read -r used all bytes < <(tests/box/e2e/halfclosed "$SOCKET" "$DAEMON" $question 2)
		echo "# $question: $used of $all ticks, $bytes bytes" >&3
		[ "$bytes" -eq "$(ask $question | wc -c)" ] && [ "$bytes" -gt 4608 ]
		[ "$used" -lt $((all / 8)) ]
	done
	open_sockets "$before"
}

@test "a follower that closes its half is sent what comes, and one that is gone is forgotten" {
	local used all got before
	start
	before=$(find "/proc/$DAEMON/fd" -lname 'socket:*' | wc -l)
	"$SW" attach "$CG"
	tests/box/e2e/halfclosed "$SOCKET" "$DAEMON" follow 2 >"$BATS_TEST_TMPDIR/follower" 3>&- &
	until_true open_sockets $((before + 1))
	deny 81 82 83 84
	wait %%
	read -r used all got <"$BATS_TEST_TMPDIR/follower"
	[ "$got" -eq 1 ]
	[ "$used" -lt $((all / 8)) ]
	until_true open_sockets "$before"
}

# ticks: of processor time that the daemon used so far
ticks() {
	sed 's/.*) //' "/proc/$DAEMON/stat" | awk '{ print $12 + $13 }'
}

@test "a client that the daemon has no descriptor for costs nothing, and is answered when there is one" {
	local before
	start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_FILES="$BATS_TEST_TMPDIR/none" --interval 1
	touch "$BATS_TEST_TMPDIR/none"
	ask snapshot >"$BATS_TEST_TMPDIR/answer" 3>&- &
	before=$(ticks)
	sleep 2
	echo "# $(($(ticks) - before)) of $((2 * $(getconf CLK_TCK))) ticks" >&3
	[ $(($(ticks) - before)) -lt $(($(getconf CLK_TCK) / 4)) ]
	rm "$BATS_TEST_TMPDIR/none"
	wait %%
	[ -s "$BATS_TEST_TMPDIR/answer" ]
}

@test "a signal that comes while the daemon starts waits until it has" {
	local signal
	for signal in USR1 HUP; do
		start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_SIGNAL="$(kill -l $signal)"
		stop
	done
	until_true said 'reload: 0 policies read'
}

# listen TYPE: somebody else at the daemon's socket
listen() {
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[2]))
s.bind(sys.argv[1])
if sys.argv[2] == "SOCK_STREAM": s.listen(1)
time.sleep(60)' "$SOCKET" "$1" 3>&- &
	LISTENER=$!
	until_true test -S "$SOCKET"
}

@test "a socket that somebody listens on is not taken over; one of a program that was killed is" {
	local kind before
	for kind in SOCK_STREAM SOCK_DGRAM; do
		listen $kind
		before=$(stat -c %i "$SOCKET")
		refused 75 'another program answers at' $LEDGER
		[ "$(stat -c %i "$SOCKET")" = "$before" ]
		kill -KILL $LISTENER
		not wait $LISTENER
		"$SW" daemon --ledger $LEDGER --socket "$SOCKET" >>"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
		DAEMON=$!
		until_true ask snapshot
		stop
	done
}

@test "the daemon says how it starts, and once that the clock stands before what was booked" {
	echo 86400 >"$BATS_TEST_TMPDIR/clock"
	"$SW" attach --policy "$POLICY" "$CG"
	inside bash -c "echo x >/dev/udp/$WEB/7"
	start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_CLOCK="$BATS_TEST_TMPDIR/clock"
	until_true has_booked_all
	grep -qx "sockwarden: daemon [0-9.]* books in $LEDGER every 3600 s and answers at $SOCKET; 1 tenant is attached" \
		"$BATS_TEST_TMPDIR/log"
	stop
	not said 'the clock stands'
	echo 0 >"$BATS_TEST_TMPDIR/clock"
	start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_CLOCK="$BATS_TEST_TMPDIR/clock"
	inside bash -c "echo x >/dev/udp/$WEB/7"
	book
	ask snapshot >/dev/null
	[ "$(grep -c 'the clock stands at .*, before the last row of the ledger' "$BATS_TEST_TMPDIR/log")" = 1 ]
}

# hoard ADDRESS PID: what the program in the cgroup wrote is in its socket's buffer when it ends, for the far end reads late
hoard() {
	cat >"$BATS_TEST_TMPDIR/late.py" <<-'END'
		import socket, sys, time
		server = socket.create_server(("0.0.0.0", 4321), backlog=64)
		server.settimeout(20)
		sys.stdout.write("ready\n"); sys.stdout.flush()
		total = 0
		connection = server.accept()[0]
		time.sleep(1)
		while data := connection.recv(1 << 20):
		    total += len(data)
		print(total, flush=True)
	END
	tests/box/lab/far python3 "$BATS_TEST_TMPDIR/late.py" >"$BATS_TEST_TMPDIR/late" 3>&- &
	LISTENER=$!
	until_true grep -q ready "$BATS_TEST_TMPDIR/late"
	cat >"$BATS_TEST_TMPDIR/hoard.py" <<-'END'
		import socket
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
		s.connect(("93.184.216.34", 4321))
		s.setblocking(False)
		try:
		    while True: s.send(bytes(65536))
		except BlockingIOError:
		    pass
	END
}

payload_of() {
	sql "SELECT coalesce(sum(tx_payload), 0) FROM interval WHERE tenant LIKE '$1'"
}

# all_arrived NAME: and was booked; what was sent twice counts twice
all_arrived() {
	kill -USR1 "$DAEMON"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/late")" = 2 ] && [ "$(payload_of "$1")" -ge "$(tail -n 1 "$BATS_TEST_TMPDIR/late")" ]
}

@test "what a run left in its sockets' buffers is metered and booked" {
	start
	hoard
	"$SW" run --policy "$POLICY" -- python3 "$BATS_TEST_TMPDIR/hoard.py" 2>/dev/null
	until_true all_arrived 'run-%'
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/late")" -gt 200000 ]
}

is_alone() {
	kill -USR1 "$DAEMON"
	[ "$("$SW" status | grep -c "^$1 ")" = 1 ]
}

@test "a tenant attached anew leaves the sockets of its last life under policy and meter" {
	local name=${CG##*/}
	start
	"$SW" attach --policy "$POLICY" "$CG"
	hoard
	bash -c 'echo $$ >"$1/cgroup.procs"; exec python3 "$2"' - "$CG" "$BATS_TEST_TMPDIR/hoard.py"
	rmdir "$CG"
	mkdir "$CG"
	until_true eval '[ "$("$SW" status | grep -c "^$name ")" = 2 ]' # for the daemon attaches it
	until_true all_arrived "$name"
	until_true is_alone "$name"
	[ -z "$(ls $PINS/tenants | grep ,)" ]
}

@test "bytes that are not booked yet count for the budget of who comes next by the name" {
	local limited=$BATS_TEST_TMPDIR/limited.yaml
	printf 'budget: {bytes: 100kB, per: month}\ndefault: allow\n' >"$limited"
	start
	stop
	DAEMON=
	for _ in 1 2 3; do
		"$SW" attach --policy "$limited" --tenant "${CG##*/}" "$CG"
		bash -c 'echo $$ >"$1/cgroup.procs"; exec tests/box/e2e/flood 93.184.216.34' - "$CG"
		"$SW" detach "${CG##*/}"
	done
	start
	until_true is_booked
	[ "$(booked "${CG##*/}")" -le $((100000 + 3 * 1500)) ]
	[ "$(booked "${CG##*/}")" -ge 100000 ]
}

is_booked() {
	kill -USR1 "$DAEMON"
	[ "$(booked "${CG##*/}")" -gt 0 ]
}

@test "another ledger is not booked in unasked, nor under another machine id" {
	start
	"$SW" attach --policy "$POLICY" "$CG"
	stop
	run timeout 10 "$SW" daemon --ledger $STATE/second.db --socket "$SOCKET"
	[ "$status" -eq 78 ]
	one_line
	[[ $output == *"$LEDGER was booked in"*"--adopt"* ]]
	[ ! -e $STATE/second.db ]
	run timeout 10 "$SW" daemon --ledger $LEDGER --socket $LEDGER
	[ "$status" -eq 78 ]
	one_line
	[ -s $LEDGER ]
}

# shows_no_usage TEXT: usage says why there is none, and fails
shows_no_usage() {
	run "$SW" usage --ledger $LEDGER
	[[ $status -eq 1 && $output == *"$1"* ]] && one_line && return
	echo "status $status: $output" >&2
	return 1
}

@test "a ledger that is taken away is waited for, by a daemon that runs and by one that starts" {
	start
	"$SW" attach --policy "$POLICY" "$CG"
	inside bash -c "echo x >/dev/udp/$WEB/7"
	book
	mv $LEDGER $STATE/aside
	kill -USR1 "$DAEMON"
	until_true said 'nothing is booked for now.*is gone'
	shows_no_usage 'there is none'
	status=0
	stop || status=$?
	[ "$status" -eq 69 ]
	mkfifo $STATE/fifo
	refused 78 'is a FIFO' $STATE/fifo --adopt
	: >"$BATS_TEST_TMPDIR/log"
	start
	until_true said 'nothing is booked for now.*is gone: put it back'
	shows_no_usage 'there is none'
	: >$LEDGER
	kill -USR1 "$DAEMON"
	shows_no_usage 'is empty'
	inside bash -c "echo x >/dev/udp/$WEB/7"
	kill -USR1 "$DAEMON"
	mv $STATE/aside $LEDGER
	kill -USR1 "$DAEMON"
	until_true said 'booking goes on'
	has_booked_all
	chmod 0400 $LEDGER
	kill -USR1 "$DAEMON"
	until_true said 'make the file system and file writable'
	chmod 0640 $LEDGER
	stop
}

@test "denials that nobody reads do not stop the daemon" {
	local pipe=$BATS_TEST_TMPDIR/pipe
	"$SW" attach "$CG"
	mkfifo "$pipe"
	python3 -c 'import fcntl, os, sys, time
fcntl.fcntl(os.open(sys.argv[1], os.O_RDONLY), 1031, 4096) # F_SETPIPE_SZ
time.sleep(60)' "$pipe" 3>&- &
	LISTENER=$!
	"$SW" daemon --interval 3600 --ledger $LEDGER --socket "$SOCKET" >"$pipe" 2>>"$BATS_TEST_TMPDIR/log" 3>&- &
	DAEMON=$!
	until_true test -S "$SOCKET"
	bash -c 'echo $$ >"$1/cgroup.procs"; exec python3 -c "$2"' - "$CG" '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(1500):
    try: s.sendto(b"x", ("10.1.2.3", 9))
    except OSError: pass
    time.sleep(0.002)'
	kill "$DAEMON"
	until_true not kill -0 "$DAEMON"
	wait "$DAEMON"
}
