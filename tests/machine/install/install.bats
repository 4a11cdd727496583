# `make install` and `make uninstall` on a host with systemd.
bats_require_minimum_version 1.5.0

UNITS=(sockwarden.service sockwarden-exporter.service sockwarden-ranges.timer)

# It installs where it runs: that is to be the machine that `all` boots
setup_file() {
	[ -n "$MACHINE_CGROUP" ]
}

setup() {
	unset SOCKWARDEN_PATH MAKEFLAGS MAKELEVEL DESTDIR PREFIX
}

# files: all there is below /usr and /etc, but for the databases of users and groups, and empty folders, which may be everybody's
files() {
	find /usr /etc -path /usr/share/doc -prune -o -path '/etc/*shadow*' -o -path '/etc/group*' -o -path /etc/.pwd.lock -o -type d -empty -o -print | sort
}

# goes_round PREFIX: installed there, the units start, and afterwards all is as it was
goes_round() {
	files >"$BATS_TEST_TMPDIR/before"
	make -s install PREFIX="$1"
	run ! systemctl is-active "${UNITS[@]}"
	run ! systemctl is-enabled "${UNITS[@]}"
	systemctl enable --now "${UNITS[@]}"
	[ "$(readlink "/proc/$(systemctl show -P MainPID sockwarden.service)/exe")" = "$1/bin/sockwarden" ]
	[ "$(stat -c %G /run/sockwarden/daemon.sock)" = sockwarden ]
	[[ $("$1/bin/sockwarden" ranges) == *"$1/share/sockwarden/sets/google"* ]]
	make -s uninstall PREFIX="$1"
	run ! systemctl is-active "${UNITS[@]}"
	[[ $(systemctl show -P LoadState sockwarden.service) = not-found ]]
	files | diff "$BATS_TEST_TMPDIR/before" -
	[ -e /var/lib/sockwarden/ledger.db ]
}

@test "installed below /usr, the units start; uninstalled, nothing is left but the ledger" {
	goes_round /usr
}

@test "the same below /usr/local" {
	goes_round /usr/local
}

@test "another version's units are in force at once" {
	make -s install
	sed 's/^Description=.*/Description=of another version/' share/systemd/sockwarden.service >/usr/lib/systemd/system/sockwarden.service
	systemctl daemon-reload
	systemctl start sockwarden.service
	make -s install
	[ "$(systemctl show -P Description sockwarden.service)" = "$(sed -n 's/^Description=//p' share/systemd/sockwarden.service)" ]
	make -s uninstall
}

@test "below DESTDIR the host is left alone, and uninstall says what it leaves" {
	local root=$BATS_TEST_TMPDIR/root
	(umask 077 && make -s install DESTDIR="$root" PREFIX=/usr/local)
	grep -q '^ExecStart=/usr/local/bin/sockwarden daemon ' "$root/usr/local/lib/systemd/system/sockwarden.service"
	[ -z "$(find "$root" ! -perm -004 -o -type d ! -perm -001)" ] # everybody may read it
	[ "$(systemctl show -P LoadState sockwarden.service)" = not-found ]
	mkdir -p "$root/usr/local/share/sockwarden/sets"
	touch "$root/usr/local/share/sockwarden/sets/mine"
	run make -s uninstall DESTDIR="$root" PREFIX=/usr/local
	[[ $output == *'Left: ledgers in /var/lib/sockwarden'* ]]
	[ "$(find "$root" -type f)" = "$root/usr/local/share/sockwarden/sets/mine" ]
}
