# SPDX-License-Identifier: GPL-2.0-only
# Completes words of sockwarden's commands, for fish. @WORDS@ becomes what build/manual prints: see user/manual/manual.h.

set -g __sockwarden_rows (string split -n \n -- '
@WORDS@
')

# KEY COMMAND...: the values of KEY in the JSON that it prints
function __sockwarden_names
    sockwarden $argv[2..] --json 2>/dev/null | string match -ra '"'$argv[1]'":"[^"]*"' | string split -f 4 '"'
end

# KIND...: what can stand for a word of the tables
function __sockwarden_values
    for kind in (string split '|' -- $argv)
        switch $kind
            case TENANT
                __sockwarden_names tenant status
            case POLICY OLD NEW
                __sockwarden_names policy policy list
                __fish_complete_suffix .yaml
            case SET
                __sockwarden_names set ranges
            case CGROUP FOLDER
                __fish_complete_directories
            case FILE 'PATH*'
                __fish_complete_path
            case UNIT
                systemctl list-units --all --no-legend --plain --type=service,slice 2>/dev/null | cut -d' ' -f1
            case GROUP
                __fish_complete_groups
            case COMMAND
                __fish_complete_subcommand
            case '...' -- -
            case '*'
                string match -r '^[a-z].*' -- $kind
        end
    end
end

# VERB: is this what the words before the cursor say?
function __sockwarden_is
    set -l words (commandline -opc)
    test "$words[2]" = "$argv"; or test "$words[2..3]" = "$argv"
end

# N [WORD]: are there so many words before the cursor, this the last?
function __sockwarden_after
    set -l words (commandline -opc)
    test (count $words) = $argv[1]; and begin
        test (count $argv) = 1; or test "$words[-1]" = "$argv[2]"
    end
end

complete -c sockwarden -f
for row in $__sockwarden_rows
    set -l fields (string split \t -- $row)
    set -l words (string split ' ' -- $fields[1])
    set -l is "__sockwarden_is '$fields[1]'"
    if test "$fields[2]" != -
        set -l option
        for word in (string split , -- $fields[2])
            string match -q -- '--*' $word; and set -a option -l (string sub -s 3 -- $word); or set -a option -s (string sub -s 2 -- $word)
        end
        test "$fields[3]" = -; or set -a option -x -a "(__sockwarden_values '$fields[3]')"
        complete -c sockwarden -n $is $option -d $fields[4]
        continue
    end
    if test (count $words) = 1
        complete -c sockwarden -n '__sockwarden_after 1' -a $words -d $fields[4]
    else
        complete -c sockwarden -n '__sockwarden_after 1' -a $words[1]
        complete -c sockwarden -n "__sockwarden_after 2 $words[1]" -a $words[2] -d $fields[4]
    end
    complete -c sockwarden -n $is -a "(__sockwarden_values "(string escape -- (string split ' ' -- $fields[3]) | string join ' ')")"
end
