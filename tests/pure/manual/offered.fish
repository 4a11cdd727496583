#!/usr/bin/env fish
# SPDX-License-Identifier: GPL-2.0-only
# offered.fish FOLDER LINE...: what fish offers behind each line, with the sockwarden.fish of that folder; an empty line after each.
source $argv[1]/sockwarden.fish
for line in $argv[2..]
    complete -C $line | string split -f 1 \t
    echo
end
