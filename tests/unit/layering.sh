#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Includes go leftwards only: base < source < parse < elf < model < analyse, record < render < cli.
# Third-party headers stay where the design cages them.
set -u
top=${srcdir:-.}
fail=0

rank() {
	case $1 in
	base) echo 0 ;; source) echo 1 ;; parse) echo 2 ;; elf) echo 3 ;; model) echo 4 ;;
	analyse) echo 5 ;; record) echo 6 ;; render) echo 7 ;; cli) echo 8 ;;
	*) echo 99 ;;
	esac
}

bad() { echo "$1"; fail=1; }

seen=0
for dir in base source parse elf model analyse record render cli; do
	own=$(rank "$dir")
	for file in "$top/src/$dir"/*.[ch] "$top/include/vmatlas/$dir"/*.h; do
		[ -f "$file" ] || continue
		seen=$((seen + 1))
		for inc in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file"); do
			case $inc in
			config.h) ;;
			vmatlas/*/*)
				to=${inc#vmatlas/} to=${to%%/*}
				[ "$(rank "$to")" -le "$own" ] || bad "$file includes $inc, which lies to its right"
				;;
			*/*) bad "$file includes $inc: use vmatlas/LAYER/NAME.h or a header beside it" ;;
			*) [ -f "$top/src/$dir/$inc" ] || bad "$file includes $inc, which is not beside it" ;;
			esac
		done
	done
done
[ "$seen" -gt 10 ] || bad "only $seen files found below $top: the test looks in the wrong place"

# caged HEADER-PATTERN PATH-PATTERN
caged() {
	for file in $(grep -rlE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<($1)" "$top/src" "$top/include"); do
		case ${file#"$top"/} in
		$2) ;;
		*) bad "$file includes <$1>, which belongs in $2" ;;
		esac
	done
}
caged 'libelf\.h|gelf\.h|elfutils/|dwarf\.h' 'src/elf/*'
caged 'capstone' 'src/elf/disasm.c'
caged 'jansson' 'src/render/json.c'
caged 'libsmartcols' 'src/render/table.c'
caged 'archive' 'src/source/archive_*.c'

# Only the program prints, logs and exits; only the source opens things of a process.
for file in "$top"/src/base/*.c "$top"/src/source/*.c "$top"/src/parse/*.c "$top"/src/elf/*.c \
	"$top"/src/model/*.c "$top"/src/analyse/*.c "$top"/src/record/*.c "$top"/src/render/*.c; do
	[ -f "$file" ] || continue
	if grep -nE '(^|[^a-z_])(printf|puts|putchar|perror|exit|abort)\(|<err\.h>' "$file"; then
		bad "$file prints or exits"
	fi
	case $file in "$top"/src/source/* | "$top"/src/record/*) continue ;; esac
	if grep -nE '"/proc|(^|[^a-z_>])(open|openat|fopen|opendir)\(' "$file"; then
		bad "$file opens something: only src/source does, and src/record what it writes"
	fi
done
exit $fail
