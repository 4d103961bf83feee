# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for vmatlas. Commands, options and columns are asked of the program itself.

function __vmatlas_command
	set -l words (commandline -opc)
	test (count $words) -ge 2; and echo $words[2]
end

complete -c vmatlas -f
complete -c vmatlas -n 'test (count (commandline -opc)) -eq 1' -a '(vmatlas --list-commands) help'
complete -c vmatlas -n 'test (count (commandline -opc)) -ge 2' -a 'self (__fish_complete_pids)'
complete -c vmatlas -n 'string match -q -- "-*" (commandline -ct)' \
	-a '(vmatlas (__vmatlas_command) --list-options 2>/dev/null | string trim -r -c =)'
complete -c vmatlas -s o -l columns -x -a '(vmatlas (__vmatlas_command) --list-columns 2>/dev/null | string split -f1 " ")'
complete -c vmatlas -l sort -x -a '(vmatlas (__vmatlas_command) --list-columns 2>/dev/null | string split -f1 " ")'
complete -c vmatlas -l color -x -a 'auto always never'
complete -c vmatlas -l from -r -F
complete -c vmatlas -n 'contains -- "$(__vmatlas_command)" record elf' -F
complete -c vmatlas -n 'test "$(__vmatlas_command)" = help' -a '(vmatlas --list-commands)'
