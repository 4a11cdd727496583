#!/usr/bin/env -S tests/box/lab/lab bats --tap
# SPDX-License-Identifier: GPL-2.0-only
# What was attached is attached again: when its cgroup is made anew, and after a boot.
load lib.bash
load daemon.bash
bats_require_minimum_version 1.5.0

# A service's directory below a slice's, as a service manager makes and removes them; the tenant is the service
service() {
	SERVICE=$CG/some.slice/web.service
	mkdir -p "$SERVICE"
	"$SW" attach --policy "$POLICY" "$SERVICE"
}

# follow: a daemon that has seen the tenant
follow() {
	start -q
	until_true grep -q web.service $STATE/attached.json
}

# state_is STATE: of the tenant; one that was, and still has sockets, may stand beside it
state_is() {
	[ "$("$SW" status -j | jq -r '.[] | select(.tenant == "web.service" and .state != "gone") | .state')" = "$1" ]
}

under_policy() {
	[ "$("$REACH" $WEB $PRIVATE "$SERVICE")" = "${1-policy}" ]
}

remake() {
	rmdir "$SERVICE" && mkdir "$SERVICE"
}

# the programs and the maps go, and with them all that is attached
boot() {
	stop
	find $PINS -depth -delete
}

setup() {
	daemon_setup
	cp share/policies/appengine.yaml "$POLICY"
}

teardown() {
	"$SW" detach web.service >/dev/null 2>&1 || true
	daemon_teardown
}

@test "a service that restarts is attached again, by name and with its policy" {
	service
	follow
	local i
	for i in 1 2 3 4 5; do
		remake
		until_true under_policy
		until_true state_is enforced
	done
	said "tenant web.service has ended: $SERVICE was removed"
	said "tenant web.service is attached again: $SERVICE, policy $POLICY"
}

@test "a slice that stops is unprotected, and says so, until it is there again" {
	service
	follow
	rmdir "$SERVICE" "$CG/some.slice"
	until_true state_is unprotected
	until_true said "tenant web.service has ended: $SERVICE was removed; it is attached again"
	mkdir "$CG/some.slice"
	mkdir "$SERVICE"
	until_true under_policy
	state_is enforced
}

@test "what is removed while no daemon runs is attached again when one does" {
	service
	follow
	stop
	remake
	run "$SW" status
	[[ $output == *unprotected* ]]
	start -q
	until_true under_policy
}

@test "what was detached by hand is not attached again" {
	service
	follow
	"$SW" detach web.service
	until_true said "tenant web.service has ended: it was detached"
	remake
	"$SW" attach --tenant other "$CG/some.slice" # of which the daemon makes sure, and so has looked
	rmdir "$SERVICE" && mkdir "$SERVICE"
	until_true grep -q other $STATE/attached.json
	run "$SW" status -j web.service
	[ "$status" -eq 1 ]
	"$SW" detach other
}

@test "an unprotected tenant can be detached, and is forgotten" {
	service
	follow
	rmdir "$SERVICE"
	until_true state_is unprotected
	kill -USR1 "$DAEMON" # its slot is given back
	until_true eval '! "$SW" status -j web.service | jq -e ".cgroup_id > 0"'
	run "$SW" detach web.service
	[ "$status" -eq 0 ]
	[ "$("$SW" status -j)" = '[]' ]
	until_true eval '! grep -q web.service $STATE/attached.json'
}

@test "an unprotected tenant is meant by a path with a link in it" {
	service
	follow
	ln -s "$CG" "$BATS_TEST_TMPDIR/link"
	rmdir "$SERVICE"
	until_true state_is unprotected
	"$SW" status "$BATS_TEST_TMPDIR/link/some.slice/web.service/"
	kill -USR1 "$DAEMON" # its slot is given back
	until_true eval '! "$SW" status -j web.service | jq -e ".cgroup_id > 0"'
	"$SW" status "$BATS_TEST_TMPDIR/link/some.slice/web.service"
	"$SW" detach "$BATS_TEST_TMPDIR/link/some.slice/web.service"
	[ "$("$SW" status -j)" = '[]' ]
}

@test "reload reads the policy of an unprotected tenant, and has it attached at once" {
	service
	follow
	printf 'rules: 5\n' >"$POLICY"
	remake
	until_true said "tenant web.service is UNPROTECTED"
	until_true eval 'kill -USR1 "$DAEMON"; ! "$SW" status -j web.service | jq -e ".cgroup_id > 0"' # its slot is given back
	run "$SW" reload --socket "$SOCKET"
	[ "$status" -eq 1 ]
	[[ $output == *"$POLICY:1"*"a policy has mistakes"* ]]
	cp share/policies/appengine.yaml "$POLICY"
	run "$SW" reload --socket "$SOCKET"
	[ "$status" -eq 0 ]
	[ "$output" = 'sockwarden: reload: 1 policy read' ]
	TRIES=350 until_true under_policy # by itself the daemon tries again after 10 s
	state_is enforced
}

@test "what was attached is attached again after a boot" {
	service
	follow
	until_true grep -q web.service $STATE/attached.json
	boot
	run "$SW" status -j
	[[ $output != *web.service* ]]
	start -q
	until_true under_policy
	state_is enforced
	boot
	rmdir "$SERVICE" "$CG/some.slice"
	start -q
	until_true state_is unprotected
	mkdir -p "$SERVICE"
	until_true under_policy
}

@test "a tenant that cannot be attached again is said to be unprotected, and is tried again" {
	service
	follow
	printf 'rules: 5\n' >"$POLICY"
	remake
	until_true said "tenant web.service is UNPROTECTED: $SERVICE is there, but cannot be attached: its policy has mistakes"
	state_is unprotected
	cp share/policies/appengine.yaml "$POLICY"
	remake
	until_true under_policy
}

@test "what was attached with --force is attached again, and the place is warned of" {
	mkdir -p "$CG/some.slice/web.service"
	chown 65534 "$CG/some.slice/cgroup.procs"
	run "$SW" attach --policy "$POLICY" "$CG/some.slice/web.service"
	[ "$status" -eq 1 ]
	one_line
	[[ $output == *"attach $CG/some.slice instead; --force attaches it all the same" ]]
	SERVICE=$CG/some.slice/web.service
	"$SW" attach --force --policy "$POLICY" "$SERVICE"
	follow
	remake
	until_true under_policy
	until_true said "tenant web.service: processes may leave $SERVICE, for another than root may write to $CG/some.slice"
}

@test "a run is not attached again" {
	start -q
	"$SW" run --tenant web.service -- true
	until_true eval '[ "$("$SW" status -j)" = "[]" ]'
	[ ! -e "$STATE/attached.json" ] || ! grep -q web.service $STATE/attached.json
}

@test "a file of notes that is not understood is put aside, and nothing else is held up" {
	service
	follow
	until_true grep -q web.service $STATE/attached.json
	boot
	echo '{"tenants": [{"tenant": "web.service", "cgroup": [' >$STATE/attached.json
	start -q
	until_true said 'attached.json: it is not what the daemon wrote; .* kept as'
	grep -q '"cgroup": \[' $STATE/attached.json.bad
	"$SW" attach --policy "$POLICY" "$SERVICE"
	until_true grep -q web.service $STATE/attached.json
}

@test "a run cannot take the name of a tenant that is to be attached again" {
	service
	follow
	rmdir "$SERVICE"
	until_true state_is unprotected
	run "$SW" run --tenant web.service -- true
	[ "$status" -eq 125 ]
	[[ $output == *"tenant web.service is to be attached when its cgroup is there again"* ]]
	mkdir "$SERVICE"
	until_true under_policy
}
