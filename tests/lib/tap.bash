# shellcheck shell=bash
# TAP for tests whose cases are rows of a table or made as they go; cases that stand alone are written for bats. Sourced.

tests=0 failures=0 trouble=()

# expect WHAT WANTED FOUND: note it when they differ
expect() {
	[[ $2 == "$3" ]] || trouble+=("$1: wanted '$2', found '$3'")
}

# verdict NAME: the test's line, and what was noted since the last one
verdict() {
	((tests += 1))
	if ((${#trouble[@]} == 0)); then
		echo "ok $tests - $1"
		return
	fi
	((failures += 1))
	echo "not ok $tests - $1"
	printf '#   %s\n' "${trouble[@]}"
	trouble=()
}

# plan: at the end; false when a test failed
plan() {
	echo "1..$tests"
	((failures == 0))
}

# bail TEXT: nothing that follows would mean anything
bail() {
	echo "Bail out! $*"
	exit 1
}
