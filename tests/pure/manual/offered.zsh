#!/usr/bin/env zsh
# SPDX-License-Identifier: GPL-2.0-only
# offered.zsh FOLDER LINE...: what zsh offers behind each line, with the _sockwarden of that folder; an empty line after each.
# Words are completed on a terminal only: so another zsh sits at one, is typed the line and a tab, and tells instead of showing.
# What it tells is between the characters 1 and 2.
zmodload zsh/zpty
typing='stty -echo
PS1= PS2= RPS1=
unset zle_bracketed_paste
fpath=('${(q)1}' $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
	local -a hits
	if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
		builtin compadd -A hits "$@"
		told+=("$hits[@]")
	fi
	builtin compadd "$@"
}
tell() {
	told=()
	zle complete-word
	print -rn -- $'\''\1'\''"${(F)told}"$'\''\2'\''
	zle kill-buffer
}
zle -C complete-word complete-word _main_complete
zle -N tell
bindkey "^I" tell
print -n $'\''\1ready\2'\''
'
zpty z zsh -f -i
zpty -w z $typing
zpty -r -m z got $'*\1ready\2*' || exit
for line in "${@[2,-1]}"; do
	zpty -n -w z "$line"$'\t'
	zpty -r -m z got $'*\1*\2*' || exit
	print -r -- "${${${got#*$'\1'}%$'\2'*}//$'\r'}"
	print
done
zpty -d z
