# shellcheck shell=bash
# For bats: a folder of the case's own with ledgers in it, LEDGER one that has few rows. Sourced.

setup() {
	cd "$(dirname "${BASH_SOURCE[0]}")/../.." || return 1
	DIR=$(mktemp -d)
	build/tests/seeds "$DIR"
	# shellcheck disable=SC2034 # for who sources this
	LEDGER=$DIR/few
}

teardown() {
	rm -rf "$DIR"
}
