# Units that are tenants: what `enable` was told of starts only under its policy. In each is a prober, which tries a peer that
# is refused from its first instruction on.
load lib.bash
bats_require_minimum_version 1.5.0

POLICY=/root/slices.yaml
PROBER=$PWD/tests/machine/systemd/prober
RESULTS=/run/probed
NEXT=$PWD/build/upgrade/same/build/sockwarden # the next build
SLICES_ROUNDS=${SLICES_ROUNDS:-4}

write_policy() {
	printf 'rules:\n  - allow: {net: loopback, port: 4000, proto: udp}\ndefault: deny\n' >"$1"
}

setup_file() {
	systemd-sysusers
	write_policy $POLICY
}

setup() {
	unset SOCKWARDEN_PATH # units have none either
	rm -rf $RESULTS
	mkdir -p $RESULTS
}

# probe ARG...: a transient unit with a prober; ARG... are systemd-run's
probe() {
	systemd-run -q --collect -p Type=oneshot "$@" "$PROBER" $RESULTS/probes
}

# refused NUMBER: so many probers ran, and nothing was let through
refused() {
	[ "$(sort $RESULTS/probes | uniq -c | awk '{ $1 = $1; print }')" = "$1 refused" ] || { cat $RESULTS/probes >&2 && false; }
}

attached() { # TENANT
	sockwarden status "$1" | grep -q ', enforced$'
}

bytes_of() { # TENANT
	sockwarden status "$1" --json | jq .egress.bytes
}

@test "a slice that is enabled starts under its policy" {
	run -0 sockwarden enable 'tenant-*.slice' --policy $POLICY
	[[ $output == "enabled tenant-*.slice"* ]]
	probe --slice=tenant-one.slice
	refused 1
	attached tenant-one.slice
}

@test "a slice in a slice belongs to the tenant around it, whichever is started first" {
	probe --slice=tenant-b-c.slice
	probe --slice=tenant-b.slice
	probe --slice=tenant-b-c-d.slice
	refused 3
	attached tenant-b.slice
	run ! attached tenant-b-c.slice
}

@test "a scope, a timer's service and another user's in a slice are under its policy" {
	systemd-run -q --scope --slice=tenant-s.slice "$PROBER" $RESULTS/probes
	systemd-run -q --on-active=0 --slice=tenant-s.slice --timer-property=AccuracySec=1ms "$PROBER" $RESULTS/probes
	touch $RESULTS/probes
	chown nobody $RESULTS $RESULTS/probes
	probe --slice=tenant-s.slice --uid=nobody
	three() { [ "$(wc -l <$RESULTS/probes)" = 3 ]; }
	until_true three
	refused 3
}

@test "what runs when it is enabled is attached at once" {
	systemd-run -q --collect --unit=sleeper --slice=other-x.slice sleep infinity
	run -0 sockwarden enable 'other-*.slice' --policy $POLICY
	[[ $output == *"attached other-x.slice ("* ]]
	probe --slice=other-x.slice
	refused 1
	systemctl stop sleeper.service
}

@test "a service by its name, and the instances of a template" {
	printf '[Service]\nType=oneshot\nExecStart=%s %s\nExecStart=sleep infinity\n' "$PROBER" $RESULTS/probes |
		tee $OVERRIDES/shop.service >$OVERRIDES/web@.service
	run -0 sockwarden enable shop.service --policy $POLICY
	run -0 sockwarden enable 'web@*.service' --policy $POLICY
	systemctl start --no-block shop.service web@one.service web@two.service
	until_true refused 3
	attached shop.service
	attached web@two.service
	systemctl stop shop.service 'web@*.service'
}

# come_and_go ROUND: services, scopes and nested slices that start, stop and are killed
come_and_go() {
	local slice
	for slice in tenant-r"$1" tenant-r"$1"-in tenant-q; do
		probe --slice=$slice.slice
		systemd-run -q --collect --unit="long-$slice" --slice=$slice.slice "$PROBER" $RESULTS/probes 60
		systemd-run -q --scope --slice=$slice.slice "$PROBER" $RESULTS/probes
		systemctl kill -s KILL "long-$slice"
	done
	systemctl stop tenant-r"$1".slice tenant-q.slice
}

# came NUMBER: so many rounds, of each of which six probers ended by themselves
came() {
	refused $(($1 * 6))
}

@test "units that start, stop and are killed, again and again" {
	for ((round = 0; round < SLICES_ROUNDS; round++)); do
		come_and_go $round
	done
	came "$SLICES_ROUNDS"
	probe --slice=tenant-last.slice
	left() { ! sockwarden status | grep -E 'tenant-(q|r[0-9])'; }
	until_true left
}

@test "the same while systemd reads its files, and executes itself, anew" {
	(for ((i = 0; i < SLICES_ROUNDS; i++)); do systemctl daemon-reload; systemctl daemon-reexec || :; sleep 0.2; done) 3>&- &
	for ((round = 0; round < SLICES_ROUNDS; round++)); do
		until_true probe --slice=tenant-e$round.slice # systemd does not always answer, though it starts what is asked
		until_true systemctl stop tenant-e$round.slice
	done
	wait $!
	refused "$(wc -l <$RESULTS/probes)"
}

@test "the same while another build takes over" {
	for ((round = 0; round < SLICES_ROUNDS; round++)); do
		probe --slice=tenant-u$round.slice
		if ((round % 2)); then sockwarden upgrade; else "$NEXT" upgrade; fi
		probe --slice=tenant-u$round.slice
		systemctl stop tenant-u$round.slice
	done
	sockwarden upgrade
	refused $((2 * SLICES_ROUNDS))
}

@test "a tenant's counters go on when its slice starts again, with and without the daemon" {
	local before
	systemctl start $UNIT
	send 4000 3 one
	systemctl kill -s USR1 $UNIT
	until_true booked 3 tenant-one.slice
	systemctl stop tenant-one.slice
	send 4000 4 one
	systemctl kill -s USR1 $UNIT
	until_true booked 7 tenant-one.slice
	systemctl kill -s KILL $UNIT
	probe --slice=tenant-one.slice
	refused 1
}

# starts_not SLICE TEXT: nothing starts in it, and systemctl status says why
starts_not() {
	run ! probe --slice="$1"
	systemctl status --no-pager -l "sockwarden-attach@$1.service" | grep -qF "$2"
	[ ! -e $RESULTS/probes ]
}

@test "what cannot be attached does not start, and systemctl status says why" {
	echo 'rules: [allow: {net: nonsense}]' >$POLICY
	starts_not tenant-new.slice nonsense
	rm $POLICY
	starts_not tenant-new.slice $POLICY
	write_policy $POLICY
	systemctl stop tenant-q.slice
	probe --slice=tenant-q.slice
	refused 1
}

@test "without its programs and pins a slice is attached anew when it starts" {
	systemctl stop $UNIT other-x.slice tenant-one.slice
	rm -rf /sys/fs/bpf/sockwarden
	probe --slice=tenant-one.slice
	refused 1
}

@test "a slice that runs is attached anew by the daemon when its pins are gone" {
	systemctl start $UNIT
	attached tenant-one.slice
	rm -rf /sys/fs/bpf/sockwarden
	TRIES=3000 until_true attached tenant-one.slice
	probe --slice=tenant-one.slice
	refused 1
	systemctl stop $UNIT
}

@test "a slice says its own policy in a drop-in, and one in another's has none of its own" {
	local own=/root/own.yaml
	write_policy $own
	mkdir -p $OVERRIDES/tenant-own.slice.d $OVERRIDES/tenant-own-in.slice.d
	printf '[X-Sockwarden]\nPolicy=%s\n' $own >$OVERRIDES/tenant-own.slice.d/60-policy.conf
	systemctl daemon-reload
	probe --slice=tenant-own.slice
	refused 1
	sockwarden status tenant-own.slice | grep -q 'policy own'
	rm $RESULTS/probes
	printf '[X-Sockwarden]\nPolicy=%s\n' $POLICY >$OVERRIDES/tenant-own-in.slice.d/60-policy.conf
	systemctl daemon-reload
	starts_not tenant-own-in.slice 'a tenant has one policy'
}

@test "a file of tenants.d names a slice, and is its policy whenever it starts" {
	mkdir -p /etc/sockwarden/tenants.d
	printf 'cgroup: %s\npolicy: %s\n' "$MACHINE_CGROUP/filed.slice/filed-a.slice" $POLICY >/etc/sockwarden/tenants.d/clerk.yaml
	sockwarden apply
	run -0 sockwarden enable 'filed-*.slice'
	for round in 1 2; do
		probe --slice=filed-a.slice
		sockwarden status clerk | grep -q 'policy slices, enforced$'
		systemctl stop filed-a.slice
		probe --slice=filed-b.slice
	done
	refused 4
	sockwarden status filed-b.slice | grep -q 'policy appengine, enforced$'
	run -0 sockwarden apply
	[[ $output == "unchanged: 1 tenant"* ]]
	rm /etc/sockwarden/tenants.d/clerk.yaml
	sockwarden apply
	run -0 sockwarden disable 'filed-*.slice'
}

@test "what is enabled is listed, and what cannot be is refused" {
	run -0 sockwarden enable --list
	[[ ${lines[0]} =~ ^UNITS ]]
	[[ $output =~ 'tenant-*.slice' && $output =~ 'web@*.service' ]]
	run -1 sockwarden enable system.slice
	run -1 sockwarden enable 'a*.slice'
	run -1 sockwarden enable 'new-*.slice' --policy /root/none.yaml
	run ! grep -r new- /etc/systemd/system
}

@test "doctor names what is enabled and runs without its policy" {
	run sockwarden doctor
	[[ $output == *ok\ *units\ * ]]
	sockwarden detach --keep-open tenant-one.slice
	run sockwarden doctor
	[[ $output == *WRONG\ units*tenant-one.slice* ]]
	sockwarden attach --unit tenant-one.slice
	attached tenant-one.slice
}

@test "disable takes it back: what runs is detached, and units start as they did" {
	systemd-run -q --collect --unit=sleeper --slice=other-x.slice sleep infinity
	attached other-x.slice
	run -0 sockwarden disable 'other-*.slice'
	run ! sockwarden status other-x.slice
	[ "$(systemctl is-active sleeper.service)" = active ]
	run -1 sockwarden disable 'other-*.slice'
	[[ $output == *"is not enabled"* ]]
	for pattern in 'tenant-*.slice' shop.service 'web@*.service'; do
		run -0 sockwarden disable "$pattern"
	done
	[ "$(sockwarden status --json | jq length)" = 0 ]
	[ -z "$(find /etc/systemd/system -name '*sockwarden*')" ]
}
