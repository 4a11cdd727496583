# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completes words of sockwarden's commands, for bash. @WORDS@ becomes what build/manual prints: see user/manual/manual.h.

# _sockwarden_names KEY COMMAND...: the values of KEY in the JSON that it prints
_sockwarden_names() {
	sockwarden "${@:2}" --json 2>/dev/null | grep -o "\"$1\":\"[^\"]*\"" | cut -d'"' -f4
}

# _sockwarden_values KIND: what can stand for a word of the tables
_sockwarden_values() {
	local kind
	for kind in ${1//|/ }; do
		case $kind in
		TENANT) _sockwarden_names tenant status ;;
		POLICY | OLD | NEW) _sockwarden_names policy policy list && compopt -o default ;;
		SET) _sockwarden_names set ranges ;;
		CGROUP | FOLDER) compopt -o filenames && compgen -d -- "$cur" ;;
		FILE | PATH*) compopt -o filenames && compgen -f -- "$cur" ;;
		UNIT) systemctl list-units --all --no-legend --plain --type=service,slice | cut -d' ' -f1 ;;
		GROUP) compgen -g -- "$cur" ;;
		COMMAND) compgen -c -- "$cur" ;;
		[a-z]*) echo "$kind" ;;
		esac
	done 2>/dev/null
}

# _sockwarden_kind N KIND...: of the N-th argument, from 0 on
_sockwarden_kind() {
	local last=$(($# - 1))
	[[ ${*: -1} == ... ]] && ((last--, $1 >= last)) && set -- $((last - 1)) "${@:2}"
	(($1 < last)) && shift $(($1 + 1)) && echo "$1"
}

_sockwarden() {
	local cur=${COMP_WORDS[COMP_CWORD]} verb word kind at=2 position=0 wanted='' offered=''
	local -A arguments options takes seconds
	local -a firsts=(help --help --version)
	COMPREPLY=()
	while IFS=$'\t' read -r verb word kind _; do
		if [[ $word == - ]]; then
			arguments[$verb]=$kind
			firsts+=("${verb%% *}")
			[[ $verb != *' '* ]] || seconds[${verb% *}]+=" ${verb#* }"
		else
			options[$verb]+=" ${word//,/ }"
			takes["$verb ${word%,*}"]=$kind
			takes["$verb ${word#*,}"]=$kind
		fi
	done <<-'EOF'
		@WORDS@
	EOF
	verb=${COMP_WORDS[1]-}
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "${firsts[*]}" -- "$cur" | sort -u)
		return
	fi
	if [[ -v arguments["$verb ${COMP_WORDS[2]}"] ]] && ((COMP_CWORD > 2)); then
		verb+=" ${COMP_WORDS[2]}"
		at=3
	elif ((COMP_CWORD == 2)); then
		offered=${seconds[$verb]-}
	fi
	for ((; at < COMP_CWORD; at++)); do
		word=${COMP_WORDS[at]}
		kind=${takes["$verb $word"]--}
		if [[ $word == -- ]]; then
			continue
		elif [[ $word != -* ]]; then
			((++position))
		elif [[ $kind != - ]]; then
			((++at))
			((at < COMP_CWORD)) || wanted=$kind
		fi
		if [[ ${arguments[$verb]-} == *COMMAND* ]] && ((position)); then
			compopt -o default
			declare -F _command_offset >/dev/null && _command_offset $at
			return
		fi
	done
	if [[ -z $wanted && $cur == -* ]]; then
		offered=${options[$verb]-}
	else
		# shellcheck disable=SC2086 # words
		[[ -n $wanted ]] || wanted=$(_sockwarden_kind $position ${arguments[$verb]-})
		offered+=" $(_sockwarden_values "$wanted")"
	fi
	mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$cur")
}

complete -F _sockwarden sockwarden
