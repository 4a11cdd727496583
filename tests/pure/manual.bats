#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Manual pages and completion say what the programs' own --help says.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	export PATH=$PWD/build:$PATH SOCKWARDEN_PATH=$PWD/share HOME=$BATS_TEST_TMPDIR XDG_CONFIG_HOME=$BATS_TEST_TMPDIR
	mapfile -t verbs < <(sockwarden --help | sed -nE 's/^  ([a-z]+( [a-z]+)?)  .*/\1/p')
	((${#verbs[@]} > 20))
}

# flags VERB: as its --help has them
flags() {
	# shellcheck disable=SC2086 # one word or two
	sockwarden $1 --help | grep -oE '^  (-.,|   ) --[a-z.-]+' | grep -oE -e '--.*'
}

# section VERB: what its page says of it
section() {
	mandoc -Tascii "build/man/sockwarden-${1%% *}.1" | col -b | awk -v verb="sockwarden $1" '
		/^COMMANDS/ { many = 1 }
		/^ {3}[^ ]/ { here = $0 == "   " verb }
		!many || here'
}

@test "every command has a page, in which is every flag that it takes" {
	local verb flag
	for verb in "${verbs[@]}"; do
		section "$verb" >"$BATS_TEST_TMPDIR/section"
		for flag in $(flags "$verb"); do
			grep -qE -e "^ +(-., )?$flag( |$)" "$BATS_TEST_TMPDIR/section" || { echo "$verb: $flag" && return 1; }
		done
	done
}

@test "every command is in sockwarden(1), which names its page" {
	local verb
	mandoc -Tascii -O width=200 build/man/sockwarden.1 | col -b >"$BATS_TEST_TMPDIR/page"
	for verb in "${verbs[@]}"; do
		grep -qF " sockwarden $verb [OPTION...]" "$BATS_TEST_TMPDIR/page" && grep -q "sockwarden-${verb%% *}(1)" "$BATS_TEST_TMPDIR/page" ||
			{ echo "$verb" && return 1; }
	done
}

@test "mandoc finds nothing wrong with the pages, but for paragraphs that scdoc begins twice" {
	run mandoc -T lint -W warning build/man/*.[157]
	[ -z "$(grep -v 'skipping paragraph macro' <<<"$output")" ]
}

# offered SHELL LINE...: to `given`, what it offers behind each line
offered() {
	mapfile -d '' -t given < <("tests/pure/manual/offered.$1" build/completions "${@:2}" | sed 's/^$/\x00/' | sed -z 's/^\n//')
	((${#given[@]} >= $# - 1))
}

# offers_flags SHELL: what each command takes
offers_flags() {
	local lines=() i flag given
	for i in "${verbs[@]}"; do
		lines+=("sockwarden $i --")
	done
	offered "$1" "${lines[@]}"
	for i in "${!verbs[@]}"; do
		for flag in $(flags "${verbs[i]}"); do
			grep -qxF -e "$flag" <<<"${given[i]}" || { echo "${verbs[i]}: $flag is not among: ${given[i]}" && return 1; }
		done
	done
}

# offers_words SHELL: commands, policies, sets, and words that stand for themselves
offers_words() {
	local given
	offered "$1" 'sockwarden ' 'sockwarden policy ' 'sockwarden run --policy app' 'sockwarden explain appengine ' \
		'sockwarden ranges ' 'sockwarden usage --by '
	for i in "${verbs[@]}"; do
		grep -qx "${i%% *}" <<<"${given[0]}" || { echo "$i" && return 1; }
	done
	grep -qx check <<<"${given[1]}" && grep -qx appengine <<<"${given[2]}" && grep -qx tcp <<<"${given[3]}" &&
		grep -qx update <<<"${given[4]}" && grep -qx google <<<"${given[4]}" && [ "$(sort <<<"${given[5]}" | xargs)" = 'day hour month' ]
}

@test "bash completes commands, flags and values" {
	offers_flags bash
	offers_words bash
}

@test "zsh completes commands, flags and values" {
	offers_flags zsh
	offers_words zsh
}

@test "fish completes commands, flags and values" {
	offers_flags fish
	offers_words fish
}
