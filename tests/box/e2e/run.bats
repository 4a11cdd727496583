#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# `run`, `log` and what a caller may rely on.
load lib.bash
bats_require_minimum_version 1.5.0

# own_folder: until the case ends, this box's runs make their cgroups where no other box's run sweeps or tidies: in $FOLDER,
# which is as deep as the true one, but not where /proc says that a process is
own_folder() {
	FOLDER=$(cgroup_root)/sockwarden
	until_true mkdir -p "$FOLDER/$BOX_ID-stays" # something is to be in it, or another box's run removes it
	mount --bind "$BOX_CGROUP" "$FOLDER"
}

teardown() {
	if [[ -n ${FOLDER-} ]]; then
		umount "$FOLDER"
		rmdir "$FOLDER/$BOX_ID-stays"
	fi
	lib_teardown
}

@test "run passes the exit status through, and 126 and 127 as env does" {
	run "$SW" run -- sh -c 'exit 7'
	[ "$status" -eq 7 ]
	run "$SW" run -- sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
	run -127 "$SW" run -- /nonexistent
	run "$SW" run -- /etc/passwd
	[ "$status" -eq 126 ]
	run "$SW" run --policy nosuch -- true
	[ "$status" -eq 125 ]
	run "$SW" run
	[ "$status" -eq 125 ]
}

@test "run leaves no cgroup, no tenant and no image" {
	"$SW" run --tenant "gone-$$" -- true
	[ "$("$SW" status -j)" = '[]' ]
	[ ! -e "$(cgroup_root)/sockwarden/gone-$$" ]
	[ -z "$(bpftool -j map dump pinned $PINS/host/settings | tr '{' '\n' | grep '"policy":"appengine"')" ]
}

@test "run keeps standard input, output and arguments as they are" {
	[ "$(echo 'a  b' | "$SW" run -- cat 2>/dev/null)" = 'a  b' ]
	[ "$("$SW" run printf '%s|' -p 'x y' 2>/dev/null)" = '-p|x y|' ]
}

@test "run passes signals on" {
	"$SW" run -- sh -c 'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.05; done' >"$BATS_TEST_TMPDIR/out" 2>/dev/null &
	local pid=$!
	until_true grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 9 ]
	grep -q got "$BATS_TEST_TMPDIR/out"
}

@test "run ends what the command leaves behind, and says so" {
	run "$SW" run -- sh -c 'sleep 1000 >/dev/null 2>&1 & sleep 1000 >/dev/null 2>&1 & exit 3'
	[ "$status" -eq 3 ]
	[[ $output == *"ended 2 processes"* ]]
}

@test "run runs the command as the user who called sudo" {
	[ "$(SUDO_UID=65534 SUDO_GID=65534 "$SW" run -- sh -c 'id -u; id -g; id -G' 2>/dev/null | tr '\n' ' ')" = '65534 65534 65534 ' ]
}

@test "run passes on standard input, output and error, and what is asked for" {
	descriptors() {
		"$SW" run -q "$@" -- sh -c 'for fd in 3 5 9; do ! [ -e /proc/self/fd/$fd ] || echo $fd; done' 3</etc/passwd 5</etc/passwd 9</etc/passwd | xargs
	}
	[ -z "$(descriptors)" ]
	[ "$(descriptors --preserve-fd 9,3)" = '3 9' ]
	[ "$(descriptors --preserve-fd 5 --preserve-fd 3)" = '3 5' ]
	local bad
	for bad in x 3x 3, ,3 -1 99999999999 77; do
		run "$SW" run --preserve-fd "$bad" -- true
		[ "$status" -eq 125 ]
		one_line
	done
}

@test "run has the command do without system calls that go round the policy, unless that says otherwise" {
	local calls='import socket
try: print(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4).family.name)
except OSError as error: print(error.strerror)'
	[ "$("$SW" run -q -- python3 -c "$calls")" = 'Protocol not supported' ]
	printf 'system-calls: allow\ndefault: deny\n' >"$BATS_TEST_TMPDIR/calls.yaml"
	[ "$("$SW" run -q --policy "$BATS_TEST_TMPDIR/calls.yaml" -- python3 -c "$calls")" = AF_NETLINK ]
	[ "$("$SW" run -q --allow $WEB -- unshare --user --map-root-user id -u)" = 0 ]
	run "$SW" run -q -- unshare --user true
	[ "$status" -eq 1 ]
	[[ $output == *'Operation not permitted'* ]]
}

@test "run is refused where another than root may take the command out of its cgroup" {
	own_folder
	chown 65534 "$BOX_CGROUP/cgroup.procs"
	run "$SW" run --tenant "door-$$" -- true
	chown 0 "$BOX_CGROUP/cgroup.procs"
	[ "$status" -eq 125 ]
	one_line
	[[ $output == *"another than root may write to $FOLDER"* ]]
	[ ! -e "$BOX_CGROUP/door-$$" ]
}

@test "run --allow allows these peers and no others, under a policy that can be read anew" {
	run "$SW" run --allow $WEB:80 --allow 192.0.2.1 --tenant only -- bash -c '
		curl -sS -m 5 -o /dev/null http://'$WEB'/ && echo web
		curl -sS -m 5 -o /dev/null http://'$WEB':8080/ || echo no other port
		curl -sS -m 5 -o /dev/null http://'$PRIVATE'/ || echo no other peer
		cat /proc/self/cgroup'
	[ "$status" -eq 0 ]
	[[ $output == *$'\nweb\n'* || $output == web$'\n'* ]]
	[[ $output == *"no other port"* && $output == *"no other peer"* ]]
	[[ $output == *"tenant only, policy allow, enforced"* ]]
	[[ $output == *"rule 1, line 3: allow: {net: $WEB, port: 80}"* ]]
}

@test "run ends with a table of what was allowed, denied and sent" {
	run "$SW" run -- curl -sS -m 5 -o /dev/null http://www.example.com/ http://$PRIVATE/
	[[ $output == *"policy appengine, enforced"* ]]
	[[ $output == *"rule 8, line 25: deny: {net: special}"* ]]
	[[ $output =~ sent\ +[0-9] ]]
	[[ $output =~ received\ +[0-9] ]]
}

@test "the counters are what the wire carried" {
	# one datagram of 100 bytes out, its echo in: 128 bytes each way over IPv4, 148 over IPv6
	local family peer size
	for family in 4 6; do
		peer=$(awk -v column=$((family == 4 ? 2 : 3)) '$1 == "web" { print $column }' tests/box/lab/hosts)
		size=$((family == 4 ? 128 : 148))
		"$SW" run -j -- python3 -c "
import socket
s = socket.socket(socket.AF_INET$([ $family = 6 ] && echo 6), socket.SOCK_DGRAM)
s.sendto(b'x' * 100, ('$peer', 7))
assert len(s.recv(1000)) == 100" 2>"$BATS_TEST_TMPDIR/report"
		grep -q "\"sent_bytes\":$size,\"sent_payload_bytes\":100,\"sent_packets\":1,\"received_bytes\":$size,\"received_payload_bytes\":100,\"received_packets\":1," "$BATS_TEST_TMPDIR/report"
	done
}

@test "what a killed run left is enforced, and gone after the next run" {
	"$SW" run -- sleep 1000 2>/dev/null &
	local pid=$! group
	group=$(cgroup_root)/sockwarden/run-$pid
	until_true has_process "$group"
	kill -KILL $pid
	wait $pid || true
	[ "$("$REACH" $WEB $PRIVATE "$group")" = policy ]
	"$SW" status -j | grep -q "run-$pid"
	echo 1 >"$group/cgroup.kill"
	until_true is_empty "$group"
	"$SW" run -- true 2>/dev/null
	[ "$("$SW" status -j)" = '[]' ]
	[ ! -e "$group" ]
}

@test "log names time, tenant, process, hook, protocol, peer, rule and line" {
	"$SW" log >/dev/null || true
	"$SW" run --tenant shop -- curl -sS -m 5 http://$PRIVATE/ 2>/dev/null || true
	run "$SW" log
	[[ $output =~ 20[0-9-]+T[0-9:.]+Z\ shop\ curl\[[0-9]+\]\ connect4\ tcp\ 10\.1\.2\.3:80\ denied:\ rule\ 8,\ appengine:25 ]]
}

@test "log -f follows, and gives each tenant 100 lines a second and the number it left out" {
	"$SW" attach "$CG"
	"$SW" log >/dev/null
	"$SW" log -f -j >"$BATS_TEST_TMPDIR/log" &
	local reader=$!
	inside python3 -c "
import socket
for i in range(2000):
    try: socket.socket().connect(('$PRIVATE', 80))
    except PermissionError: pass"
	sleep 1.1
	inside python3 -c "
import socket
try: socket.socket().connect(('$PRIVATE', 80))
except PermissionError: pass"
	sleep 0.3
	kill $reader
	wait $reader || true
	local logged dropped
	logged=$(grep -c '"reason":"rule"' "$BATS_TEST_TMPDIR/log")
	dropped=$(grep -o '"dropped":[0-9]*' "$BATS_TEST_TMPDIR/log" | cut -d: -f2 | awk '{ n += $1 } END { print n }')
	[ "$logged" -ge 100 ] && [ "$logged" -le 500 ]
	[ $((logged + dropped)) -eq 2001 ]
}

@test "log has names: of a kind of socket, of what was bound, of an option" {
	local line
	"$SW" attach "$CG"
	"$SW" log >/dev/null
	inside python3 -c '
import socket
def refused(call, *args):
    try: call(*args)
    except OSError: pass
refused(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 262)
refused(socket.socket, socket.AF_INET6, socket.SOCK_STREAM, 262)
refused(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
refused(udp.bind, ("0.0.0.0", 5353))
refused(udp.setsockopt, socket.SOL_SOCKET, socket.SO_MARK, 1)'
	"$SW" log >"$BATS_TEST_TMPDIR/log"
	for line in 'sock_create mptcp denied: protocol' 'sock_create inet6 mptcp denied: protocol' \
		'sock_create raw icmp denied: protocol' 'bind4 udp 0.0.0.0:5353 denied: bind' \
		'setsockopt option SO_MARK denied: option'; do
		grep -q " $line\$" "$BATS_TEST_TMPDIR/log" || { echo "no line '$line':" && cat "$BATS_TEST_TMPDIR/log" && false; }
	done
}

@test "log -n without a daemon shows the last, and says how many it read besides" {
	"$SW" attach "$CG"
	"$SW" log >/dev/null
	inside python3 -c "
import socket
for port in 81, 82, 83:
    try: socket.socket().connect(('$PRIVATE', port))
    except PermissionError: pass"
	run "$SW" log -n 1
	[ "${#lines[@]}" -eq 2 ]
	[[ $output =~ tcp\ 10\.1\.2\.3:83\ denied:\ rule\ [0-9]+,\ appengine:[0-9]+\ deny:\ \{net:\ special\} ]]
	[[ $output == *"2 older ones were read"* ]]
	[ -z "$("$SW" log)" ]
}

@test "a second log is refused while one reads" {
	"$SW" run -- true 2>/dev/null
	"$SW" log -f >/dev/null &
	local reader=$!
	sleep 0.3
	run "$SW" log
	kill $reader
	[ "$status" -eq 1 ]
	[[ $output == *"another 'sockwarden log' reads the denials already"* ]]
}

@test "explain needs no root, and its exit status is the verdict" {
	run setpriv --reuid 65534 --clear-groups "$SW" explain appengine tcp 8.8.4.4:53
	[ "$status" -eq 0 ]
	[[ ${lines[1]} == "rule 2 of appengine, line 16: allow"* ]]
	run setpriv --reuid 65534 --clear-groups "$SW" explain -j appengine udp '[fd00::1]:53'
	[ "$status" -eq 3 ]
	[[ $output == *'"rule":8,"line":25'* ]]
}

@test "resolvers are the name servers of /etc/resolv.conf, and nobody where it names none" {
	"$SW" ranges | grep -qE '^resolvers +2 +- +/etc/resolv.conf$'
	[ "$("$SW" ranges resolvers | tr '\n' ' ')" = '8.8.8.8 192.168.7.7 ' ]
	"$SW" explain appengine udp 192.168.7.7:53 | grep -q '^rule 1 of appengine'
	run "$SW" explain appengine udp 192.168.7.7:54
	[ "$status" -eq 3 ]
	local hide
	for hide in 'mount --bind /dev/null /etc/resolv.conf' 'mount -t tmpfs none /etc'; do
		[ -z "$(unshare -m sh -c "$hide"' && "$0" ranges resolvers' "$SW")" ]
		run unshare -m sh -c "$hide"' && "$0" explain appengine udp 192.168.7.7:53' "$SW"
		[ "$status" -eq 3 ]
		[[ $output == *"rule 8 of appengine"* ]]
	done
	run unshare -m sh -c 'mount -t tmpfs none /etc && mkdir /etc/resolv.conf && "$0" explain appengine udp 8.8.8.8:53' "$SW"
	[ "$status" -eq 1 ]
	[[ $output == *"/etc/resolv.conf: error: Is a directory"* ]]
}

@test "a file of the set resolvers takes the place of /etc/resolv.conf" {
	mkdir "$BATS_TEST_TMPDIR/sets"
	echo 192.168.7.9 >"$BATS_TEST_TMPDIR/sets/resolvers"
	export SOCKWARDEN_PATH=$BATS_TEST_TMPDIR:share
	[ "$("$SW" ranges resolvers)" = 192.168.7.9 ]
	"$SW" ranges | grep -qE "^resolvers +1 +[0-9-]+ \(0 d\) +$BATS_TEST_TMPDIR/sets/resolvers\$"
	run "$SW" explain appengine udp 192.168.7.7:53
	[ "$status" -eq 3 ]
}

@test "a policy is checked from standard input, and a folder with all in it" {
	local folder=$BATS_TEST_TMPDIR/policies
	mkdir "$folder"
	printf 'default: deny\n' | "$SW" policy check - | grep -qx -- '-: good: 0 rules, 1 prefix, 1 answer'
	run "$SW" policy check "$folder/"
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *"no policy is in this folder"* ]]
	printf 'default: deny\n' >"$folder/a.yaml"
	printf 'default: no\n' >"$folder/b.yaml"
	run "$SW" policy check "$folder/"
	[ "$status" -eq 1 ]
	[[ $output == *"a.yaml: good"*"b.yaml:1:10: error"* ]]
	run bash -c 'printf "rules: [{deny: {port: 25}}]\ndefault: allow\n" | "$1" explain - tcp 192.0.2.1:25' _ "$SW"
	[ "$status" -eq 3 ]
}

@test "policy show -j is the policy: it can be read back, and differs in nothing" {
	"$SW" policy show -j appengine >"$BATS_TEST_TMPDIR/appengine.json"
	"$SW" policy show "$BATS_TEST_TMPDIR/appengine.json" | diff - <("$SW" policy show appengine)
	[ -z "$("$SW" policy diff appengine "$BATS_TEST_TMPDIR/appengine.json")" ]
	"$SW" policy show -j appengine | "$SW" policy diff appengine -
}

@test "policy diff -j is data: who, which ports, and the answers with their rules" {
	cd "$BATS_TEST_TMPDIR"
	printf 'rules: [{deny: {port: 25-26}}]\ndefault: allow\nsockopts: {pass: [SO_ERROR]}\n' >old.yaml
	printf 'mode: audit\nrules: [{deny: {net: 10.0.0.0/8, port: 25, proto: tcp}}]\ndefault: allow\nprotocols: tcp\n' >new.yaml
	"$SW" policy diff -j old.yaml new.yaml >diff.json || [ $? -eq 3 ]
	jq -e '.[] | select(.setting == "mode") | .old == "enforce" and .new == "audit"' diff.json
	jq -e '.[] | select(.option == "SO_ERROR") | .old == "pass" and .new == null' diff.json
	jq -e '.[] | select(.prefix == "10.0.0.0/8") | .protocol == "tcp" and .ports == {first: 26, last: 26} and
		.old == {verdict: "deny", exempt: false, rule: 1, line: 1, file: "old", text: "deny: {port: 25-26}"} and
		.new == {verdict: "allow", exempt: false, text: "default"}' diff.json
	[ "$("$SW" policy diff -j old.yaml old.yaml)" = '[]' ]
}

@test "help is there for a verb, and for the first of two words" {
	"$SW" policy --help | grep -q '^  policy diff '
	"$SW" ranges --help | grep -q '^  ranges update '
	[ "$("$SW" help policy)" = "$("$SW" policy --help)" ]
	[ "$("$SW" help policy diff)" = "$("$SW" policy diff --help)" ]
	run "$SW" help nosuch
	[ "$status" -eq 2 ]
	one_line
}

@test "run takes SUDO_UID and SUDO_GID as numbers, both or none" {
	local bad
	for bad in 'SUDO_UID=abc SUDO_GID=1' 'SUDO_UID=1000' 'SUDO_UID=99999999999 SUDO_GID=1' 'SUDO_UID=-1 SUDO_GID=-1'; do
		run env $bad "$SW" run -- id -u
		[ "$status" -eq 125 ]
		[[ ${lines[0]} == *"cannot become the user"* ]]
	done
}

@test "run keeps the status when SIGCHLD came in ignored, and ends when nobody reads the report" {
	run python3 -c "
import signal, subprocess, sys
sys.exit(subprocess.run(['$SW', 'run', '--', 'sh', '-c', 'exit 3'], timeout=20,
	preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)).returncode)"
	[ "$status" -eq 3 ]
	"$SW" run --tenant pipe -- sleep 0.2 2>&1 | true
	[ "$("$SW" status -j)" = '[]' ]
}

@test "a process cannot write to the operator's terminal through its name" {
	"$SW" log >/dev/null || true
	"$SW" run --tenant shop -- python3 -c "
import ctypes, socket
ctypes.CDLL(None).prctl(15, b'\x1b[2Jx\ny', 0, 0, 0)
try: socket.socket().connect(('$PRIVATE', 80))
except PermissionError: pass" 2>/dev/null
	run "$SW" log
	[[ ${lines[0]} == *'shop ?[2Jx?y['* ]]
	one_line
}

@test "what cannot be written is an error" {
	local verb
	for verb in 'status' 'explain appengine tcp 8.8.8.8:53' 'policy show appengine' 'ranges'; do
		run bash -c "'$SW' $verb >/dev/full"
		[ "$status" -eq 1 ]
	done
}

@test "an accepted socket that is disconnected is held to the rules" {
	printf 'listen: allow\nbind: allow\nrules:\n  - allow: {net: 198.51.0.2/32}\n  - deny: {net: loopback}\ndefault: allow\n' >"$BATS_TEST_TMPDIR/server.yaml"
	run --separate-stderr "$SW" run --policy "$BATS_TEST_TMPDIR/server.yaml" -- python3 -c "
import socket, struct, ctypes
listener = socket.socket()
listener.bind(('0.0.0.0', 4000))
listener.listen()
peer = socket.create_connection(('198.51.0.2', 4000))
accepted, _ = listener.accept()
nothing = struct.pack('H14x', socket.AF_UNSPEC)
assert ctypes.CDLL(None).connect(accepted.fileno(), nothing, 16) == 0
accepted.settimeout(1)
try:
    accepted.connect(('0.0.0.0', 80))
    print('reached')
except OSError as error: print('refused')"
	[ "$output" = refused ]
}

@test "a run ends its own tenancy, not another's that has the name by now" {
	local tenant=own-$$ pid
	"$SW" run --tenant "$tenant" -- sleep 1000 2>"$BATS_TEST_TMPDIR/err" &
	pid=$!
	until_true has_process "$(cgroup_root)/sockwarden/$tenant"
	"$SW" detach "$tenant"
	"$SW" attach --tenant "$tenant" "$CG"
	kill -TERM $pid
	wait "$pid" || true
	grep -q "someone detached $tenant meanwhile" "$BATS_TEST_TMPDIR/err"
	[ "$("$REACH" $WEB $PRIVATE "$CG")" = policy ]
	"$SW" status -j "$tenant" | grep -q "\"cgroup\":\"$CG\""
	[ ! -e "$(cgroup_root)/sockwarden/$tenant" ]
	"$SW" detach "$tenant"
}

@test "of two runs with one name the second says who has it, and leaves the first alone" {
	local tenant=two-$$ group pid
	group=$(cgroup_root)/sockwarden/$tenant
	"$SW" run --tenant "$tenant" -- sleep 1000 2>/dev/null &
	pid=$!
	until_true has_process "$group"
	run "$SW" run --tenant "$tenant" -- true
	[ "$status" -eq 125 ]
	one_line
	[[ $output == *"another run's, process $pid"* ]]
	[ "$("$REACH" $WEB $PRIVATE "$group")" = policy ]
	"$SW" status -j "$tenant" | grep -q '"state":"enforced"'
	kill -TERM $pid
	wait "$pid" || true
	[ ! -e "$group" ]
}

# killed_run TENANT: what a run of that name leaves that is killed, and its command too
killed_run() {
	local pid
	"$SW" run --tenant "$1" -- sleep 1000 2>/dev/null &
	pid=$!
	until_true has_process "$FOLDER/$1"
	kill -KILL $pid
	wait "$pid" || true
	echo 1 >"$FOLDER/$1/cgroup.kill"
	until_true is_empty "$FOLDER/$1"
}

@test "a run takes over the name and the cgroup that a killed run left" {
	own_folder
	killed_run "again-$$"
	run "$SW" run --tenant "again-$$" -- sh -c 'exit 4'
	[ "$status" -eq 4 ]
	[[ $output == *"tenant again-$$, policy appengine, enforced"* ]]
	[ "$("$SW" status -j)" = '[]' ]
	[ ! -e "$FOLDER/again-$$" ]
	mkdir "$FOLDER/again-$$" # an operator's
	run "$SW" run --tenant "again-$$" -- true
	[ "$status" -eq 125 ]
	[[ $output == *"is there, and no run made it"* ]]
	rmdir "$FOLDER/again-$$"
}

@test "a run does not take over a cgroup in which processes are" {
	own_folder
	local group=$FOLDER/lived-$$
	mkdir "$group"
	CG=$group inside sleep 1000 &
	until_true has_process "$group"
	run "$SW" run --tenant "lived-$$" -- true
	[ "$status" -eq 125 ]
	one_line
	[[ $output == *"has processes that no run owns"* ]]
	grep -q . "$group/cgroup.procs"
	end_cgroup "$group"
}

not_in_status() {
	[[ $("$SW" status) != *"$1"* ]]
}

@test "every run sweeps what killed runs left, and nothing else" {
	own_folder
	local by_hand=$FOLDER/hand-$$ taken=$FOLDER/taken-$$
	mkdir "$by_hand"
	"$SW" attach "$by_hand"
	killed_run "left-$$"
	mkdir "$FOLDER/left-$$/below" # as its command may have
	killed_run "taken-$$"
	"$SW" detach "taken-$$"
	"$SW" attach --tenant operator "$taken"
	"$SW" run -- true 2>/dev/null
	[ ! -e "$FOLDER/left-$$" ]
	until_true not_in_status "left-$$" # the kernel lets go of a removed cgroup a moment later
	[ "$("$REACH" $WEB $PRIVATE "$by_hand")" = policy ]
	[ "$("$REACH" $WEB $PRIVATE "$taken")" = policy ]
	"$SW" detach operator
	"$SW" detach "hand-$$"
	rmdir "$by_hand" "$taken"
}

@test "run says how many processes left its cgroup" {
	# by hand, as root may: the command itself, one that it waits for, and one that nobody waits for
	run "$SW" run -- sh -c "echo \$\$ >$CG/cgroup.procs"
	[[ $output == *"1 process that the command started left its cgroup: nothing was enforced on it there"* ]]
	run "$SW" run -- sh -c "
		(echo 0 >$CG/cgroup.procs; exec sleep 1000) >/dev/null 2>&1 &
		until grep -q . $CG/cgroup.procs; do sleep 0.02; done
		(setsid sh -c 'echo 0 >$CG/cgroup.procs; exec sleep 1000' >/dev/null 2>&1 &)
		until [ \$(wc -l <$CG/cgroup.procs) -eq 2 ]; do sleep 0.02; done
		exit 3"
	[ "$status" -eq 3 ]
	[[ $output == *"2 processes that the command started left its cgroup: nothing was enforced on them there"* ]]
	run "$SW" run -- sh -c '(sleep 0.01 &) ; sleep 0.1'
	[[ $output != *"left its cgroup"* ]]
}

@test "run says what it did unless it is to be quiet" {
	run "$SW" run -q -- true
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "who is not root is told so before anything else" {
	local command
	for command in 'run --policy nosuch -- true' 'attach --policy nosuch x' 'detach x' reap doctor; do
		run setpriv --reuid 65534 --clear-groups "$SW" $command
		[ "$status" -eq $([ "${command%% *}" = run ] && echo 125 || echo 1) ]
		one_line
		[[ $output == *"needs root"* ]]
	done
}

@test "log names the process, not the thread that did it" {
	"$SW" attach "$CG"
	inside python3 -c "import ctypes, socket, threading
def work():
    ctypes.CDLL(None).prctl(15, b'tokio-rt-worker', 0, 0, 0)  # PR_SET_NAME: of the thread
    print(socket.socket().connect_ex(('$PRIVATE', 80)))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.connect(('$PRIVATE', 7))
    print(datagrams.send(b'x') if not datagrams.connect_ex(('$PRIVATE', 7)) else '')
thread = threading.Thread(target=work)
thread.start()
thread.join()" || true
	run "$SW" log
	[ "$(grep -c ' python3\[[0-9]*\] ' <<<"$output")" -eq 2 ]
	[[ $output != *tokio-rt-worker* ]]
	"$SW" detach "${CG##*/}"
}

@test "run does not take children that were there before for the command's" {
	run bash -c "sleep 3 & exec $SW run -q -- sleep 0.3"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}
