#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# offered.bash FOLDER LINE...: what bash offers behind each line, with the sockwarden.bash of that folder; an empty line after
# each. compopt(1) works only where words are completed on a terminal.
compopt() { :; }
# shellcheck source=share/completions/sockwarden.bash
source "$1/sockwarden.bash"
for line in "${@:2}"; do
	read -ra COMP_WORDS <<<"$line"
	[[ $line != *' ' ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_sockwarden
	printf '%s\n' "${COMPREPLY[@]}" ''
done
