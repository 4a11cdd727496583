# Is this host all right? What `doctor` says of each thing that may be wrong.
load lib.bash
load daemon.bash
bats_require_minimum_version 1.5.0

# check WHAT: its state, of the checks of `doctor`
check() {
	"$SW" doctor -j | jq -r ".checks[] | select(.check == \"$1\") | .state" | sort -u | xargs
}

# the daemon's usual socket, which `doctor` asks
begin() {
	SOCKET=/run/sockwarden/daemon.sock
	start -q
}

@test "a host on which all is well has nothing wrong" {
	"$SW" attach "$CG"
	begin
	until_true eval '[ "$("$SW" doctor -j | jq .wrong)" = 0 ]'
	[ "$(check daemon)" = ok ]
	[ "$(check tenants)" = ok ]
	[ "$(check names)" = ok ]
	kill -USR1 "$DAEMON"
	until_true eval '[ "$(check booking)" = ok ]'
	until_true eval '[ "$(check passes)" = ok ]'
	run "$SW" doctor
	[ "${#lines[@]}" -le 24 ]
	[ "$(awk '{ if (length($0) > most) most = length($0) } END { print most }' <<<"$output")" -le 80 ]
}

@test "without a daemon it says what is not done" {
	"$SW" attach "$CG"
	run "$SW" doctor
	[ "$status" -eq 0 ]
	[[ $output == *"WRONG daemon"*"no daemon answers"*"Until it runs nothing is booked"* ]]
}

@test "a policy that lets its tenants ask no name server is named, with what to write" {
	printf 'rules:\n  - deny: {net: special}\n' >"$BATS_TEST_TMPDIR/mute.yaml"
	"$SW" attach --policy "$BATS_TEST_TMPDIR/mute.yaml" "$CG"
	[ "$(check names)" = WRONG ]
	"$SW" doctor -j | jq -r '.checks[].text' | grep -q 'the policy mute .*- allow: {net: resolvers, port: 53}'
}

@test "a tenant that is unprotected is named" {
	"$SW" attach --policy "$POLICY" "$CG"
	begin
	rmdir "$CG"
	until_true eval '[ "$(check tenants)" = WRONG ]'
	"$SW" doctor | grep -q "1 unprotected: ${CG##*/}"
	"$SW" detach "${CG##*/}"
	[ "$(check tenants)" = ok ]
}

@test "a clock before the last row of the ledger is said to be so" {
	echo 86400 >"$BATS_TEST_TMPDIR/clock"
	"$SW" attach --policy "$POLICY" "$CG"
	inside bash -c "echo x >/dev/udp/$WEB/7"
	start LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_CLOCK="$BATS_TEST_TMPDIR/clock" -q
	until_true has_booked_all
	[ "$(check clock)" = WRONG ]
	[ "$(LD_PRELOAD="$PWD/build/tests/faults.so" FAULTS_CLOCK="$BATS_TEST_TMPDIR/clock" check clock)" = '' ]
}

@test "the age of Google's sets is said" {
	mkdir -p "$BATS_TEST_TMPDIR/share/sets"
	printf '# ..., published %s.\n8.8.8.0/24\n' "$(date -u +%FT00:00)" >"$BATS_TEST_TMPDIR/share/sets/google"
	[ "$(SOCKWARDEN_PATH=$BATS_TEST_TMPDIR/share check Google)" = ok ]
	printf '# ..., published 2024-04-25T00:00.\n8.8.8.0/24\n' >"$BATS_TEST_TMPDIR/share/sets/google"
	[ "$(SOCKWARDEN_PATH=$BATS_TEST_TMPDIR/share check Google)" = look ]
}
