# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for vmatlas. Commands, options and columns are asked of the program itself.

_vmatlas_processes() {
	local file
	for file in /proc/[0-9]*/comm; do
		REPLY=${file#/proc/}
		printf '%s\n' "${REPLY%/comm}"
	done
}

_vmatlas() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]-} list word
	COMPREPLY=()
	if ((COMP_CWORD == 1)) || [[ $command == help ]]; then
		list="$(vmatlas --list-commands 2>/dev/null) help --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$list" -- "$cur")
		return
	fi
	[[ $cur == = ]] && cur=
	[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
	case $prev in
	--from)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-o | --columns | --sort)
		list=$(vmatlas "$command" --list-columns 2>/dev/null | cut -d' ' -f1)
		word=${cur##*[,+-]}
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -P "${cur%"$word"}" -W "$list" -- "$word")
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
		return
		;;
	esac
	case $cur in
	-*)
		list=$(vmatlas "$command" --list-options 2>/dev/null)
		mapfile -t COMPREPLY < <(compgen -W "${list//=/}" -- "$cur")
		;;
	*/* | *.tar*)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "self $(_vmatlas_processes)" -- "$cur")
		# What is made may stand anywhere, and so may the file that elf looks at.
		[[ $command != record && $command != elf ]] || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}

complete -F _vmatlas vmatlas
