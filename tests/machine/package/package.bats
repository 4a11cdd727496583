# SPDX-License-Identifier: GPL-2.0-only
# The Debian packages on a host with systemd: installed, upgraded under traffic, removed, purged. The cases follow each other.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/lib/common.bash
source "$BATS_TEST_DIRNAME/../../lib/common.bash"

DIR=/root/package
TENANT=$MACHINE_CGROUP/tenant.slice
PINS=/sys/fs/bpf/sockwarden

# install_version NAME: both packages, as apt does once it has them; `later` has maps of another layout than the others
install_version() {
	DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io --install "build/package/$1/"*.deb
}

# files: all that is on the disk, but for dpkg's own list and what goes with time
files() {
	find /usr /etc /var /lib /run/systemd/system -path /usr/share/doc -prune -o -path '/var/lib/dpkg/*' -o -path '/var/log/*' -o -path '/var/lib/systemd/*' \
		-o -path '/etc/*shadow*' -o -path '/etc/group-' -o -path '/etc/passwd-' -o -path /etc/.pwd.lock -o -path '/var/cache/*' -o -print | sort
	getent group | sort
}

# probe: begins, in the tenant's slice
probe() {
	rm -f $DIR/probed $DIR/probed.*
	systemd-run -q --unit=probe --slice=tenant.slice python3 "$PWD/tests/machine/package/probe.py" probe $DIR/probed
	until_true test -e $DIR/probed.begun
}

# probed: it saw nothing but what the policy says, and did so more than once
probed() {
	systemctl kill -s TERM probe
	until_true test -e $DIR/probed
	cat $DIR/probed
	[[ $(<$DIR/probed) =~ ^[0-9]{2,}\ rounds$ ]]
}

# counters: a line of numbers that only grow
counters() {
	sockwarden status --json web | jq -r '[.sent_bytes, .received_bytes, .allowed, .denied.rule] | @tsv'
}

# count_on FILE: writes counters to it, until FILE.end is there
count_on() {
	until [ -e "$1.end" ]; do
		counters >>"$1" 2>>"$1.errors" || :
		sleep 0.1
	done
	counters >>"$1" && mv "$1" "$1.done"
}

# monotonic FILE: no number in a line is below that in the line before, and something was counted
monotonic() {
	awk '{ for (i = 1; i <= 4; i++) { if ($i < last[i]) { print "line " NR ": " $i " after " last[i]; bad = 1 } last[i] = $i } }
		END { exit bad || NR < 2 || last[4] == 0 }' "$1"
}

setup_file() {
	tests/machine/package/bare
	mkdir -p $DIR
	printf 'rules:\n  - allow: {net: 127.0.0.1, port: 4000}\ndefault: deny\n' >$DIR/web.yaml
	systemd-run -q --unit=serve python3 "$PWD/tests/machine/package/probe.py" serve
	until_true eval '</dev/tcp/127.0.0.1/4001'
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl --no-pager -n 15 >&2
}

# listed: file names on the input, as `make install` has them; without documents
listed() {
	sed -E 's,^\.,,; s,^/lib/systemd,/usr/lib/systemd,; s,/vendor-completions/,/site-functions/,; s,\.gz$,,' | grep -vE '/share/(doc|licenses)/|/\.build-id|/$' | sort
}

# Folders are named in one, and not in the other
@test "the RPMs have the files that the Debian packages have" {
	local name
	for name in sockwarden sockwarden-exporter; do
		rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' build/package/rpm/*/"$name"-0*.rpm | sed -n 's/^-[^ ]* //p' | listed >"$DIR/rpm"
		dpkg-deb --contents "build/package/this/$name"_*.deb | awk '$1 ~ /^-/ { print $6 }' | listed | diff "$DIR/rpm" -
	done
}

@test "installed, the daemon and the exporter run, and nobody is held to anything" {
	files >$DIR/before
	install_version this
	[ "$(systemctl is-active sockwarden sockwarden-exporter | xargs)" = 'active active' ]
	[ "$(systemctl is-enabled sockwarden sockwarden-exporter sockwarden-ranges.timer | xargs)" = 'enabled enabled disabled' ]
	run ! systemctl is-active sockwarden-ranges.timer
	[ -z "$(ls $PINS/tenants 2>/dev/null)" ]
	[[ $(sockwarden status) == 'no tenant is attached'* ]]
	[ "$(stat -c '%G' /run/sockwarden/daemon.sock)" = sockwarden ]
	[ "$(ls /usr/share/man/man*/sockwarden{,-run,-exporter,-policy,-metrics}.*.gz | wc -l)" = 6 ]
}

@test "what the package tests itself by, passes" {
	debian/tests/smoke
}

@test "bash completes the names of tenants" {
	systemctl start tenant.slice
	sockwarden attach --tenant web --policy $DIR/web.yaml "$TENANT"
	[ "$(tests/pure/manual/offered.bash /usr/share/bash-completion/completions 'sockwarden detach ' | head -n 1)" = web ]
}

@test "a slice that is enabled starts under its policy" {
	sockwarden enable --policy $DIR/web.yaml held.slice
	systemd-run -q --slice=held.slice -p Type=oneshot bash -c '! </dev/tcp/127.0.0.1/4001'
	systemctl stop held.slice
}

@test "upgraded under traffic: no connection is lost, what is refused stays refused, and counters go on" {
	local pid build
	pid=$(systemctl show -P MainPID sockwarden)
	build=$(sha256sum </usr/bin/sockwarden)
	systemctl enable --now sockwarden-ranges.timer
	probe
	count_on $DIR/counted &
	install_version next
	install_version later
	touch $DIR/counted.end
	until_true test -e $DIR/counted.done
	probed
	monotonic $DIR/counted.done
	[ "$(sha256sum </usr/bin/sockwarden)" != "$build" ]
	[ "$(systemctl show -P MainPID sockwarden)" != "$pid" ]
	[ "$(systemctl is-active sockwarden sockwarden-exporter sockwarden-ranges.timer | xargs)" = 'active active active' ]
	journalctl --no-pager -o cat -u sockwarden | grep 'took over from build .*: 1 tenant'
	[ "$(sockwarden status --json web | jq -r .state)" = enforced ]
}

@test "removed, it says who stays under a policy, and they do; installed again, they still are" {
	local said
	probe
	said=$(dpkg --remove sockwarden-exporter sockwarden 2>&1)
	[[ $said == *'stay under their policies until the host is booted or the package is purged: web'* ]]
	run ! command -v sockwarden
	[[ $said == *'units that were enabled do not start until the package is installed again or purged'* ]]
	[ "$(systemctl show -P LoadState sockwarden.service)" != loaded ]
	run ! systemd-run -q --slice=held.slice -p Type=oneshot true
	install_version next
	probed
	[ "$(sockwarden status --json web | jq -r .state)" = enforced ]
	[ "$(systemctl is-active sockwarden)" = active ]
}

@test "purged, nothing is left: no policy, no file, no pin, no unit, no group" {
	local said
	mkdir -p /etc/sockwarden/policies
	cp $DIR/web.yaml /etc/sockwarden/policies/
	said=$(dpkg --purge sockwarden-exporter sockwarden 2>&1)
	[[ $said == *'these tenants are under no policy any more, and their sockets go on: web'* ]]
	files | diff $DIR/before -
	[ ! -e $PINS ]
	[ ! -e /run/sockwarden ]
	[ ! -e "$MACHINE_CGROUP/sockwarden" ]
	[ -z "$(systemctl list-units --all --no-legend 'sockwarden*')" ]
	[ -z "$(systemctl list-unit-files --no-legend 'sockwarden*')" ]
	systemd-run -q --slice=held.slice -p Type=oneshot bash -c '</dev/tcp/127.0.0.1/4001'
	systemd-run -q --slice=tenant.slice -p Type=oneshot bash -c '</dev/tcp/127.0.0.1/4001'
}
