#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What bash completion offers comes from the program (here tests/cli/frame).
set -u
top=${srcdir:-.}
fail=0
frame=$PWD/tests/cli/frame
vmatlas() { "$frame" "$@"; }
compopt() { :; }
. "$top/completions/vmatlas.bash" || exit 1

# offers WORDS -- EXPECTED: the last of WORDS is being typed
offers() {
	local expected=$2
	read -ra COMP_WORDS <<<"$1"
	[[ $1 == *' ' ]] && COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_vmatlas
	[[ "${COMPREPLY[*]}" == "$expected" ]] || {
		echo "'$1' offers '${COMPREPLY[*]}', not '$expected'"
		fail=1
	}
}

offers 'vmatlas sh' 'show'
offers 'vmatlas help wo' 'words'
offers 'vmatlas show --ex' '--exit-code'
offers 'vmatlas show --list-c' '--list-columns'
offers 'vmatlas show -o nu' 'number'
offers 'vmatlas show -o number,si' 'number,size'
offers 'vmatlas show -o +na' '+name'
offers 'vmatlas show --color a' 'auto always'
offers 'vmatlas elf config.statu' 'config.status'
offers 'vmatlas show config.statu' ''
offers 'vmatlas show sel' 'self'
offers "vmatlas show $$" "$$"
for file in "$top"/completions/vmatlas.bash; do bash -n "$file" || fail=1; done
! command -v zsh >/dev/null 2>&1 || zsh -n "$top/completions/_vmatlas" || fail=1
! command -v fish >/dev/null 2>&1 || fish -n "$top/completions/vmatlas.fish" || fail=1
exit $fail
