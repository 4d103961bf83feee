#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A map that changes all the time while it is read: rows ascend and never overlap, what was cut is
# told, and a library that was loaded twice keeps its parts apart.
set -u
vmatlas=${VMATLAS:-./vmatlas}
cc=${CC:-cc}
work=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$work"' EXIT
fail=0
bad() { echo "failed: $*"; fail=1; }

cat >"$work/change.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void)
{
	size_t pages = 2000, page = 4096;
	char *p = mmap(NULL, pages * page, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned s = 1;

	dlopen("libm.so.6", RTLD_NOW);
	dlmopen(LM_ID_NEWLM, "libm.so.6", RTLD_NOW);
	puts("ready");
	fflush(stdout);
	alarm(60);
	for (;;) {
		s = s * 1103515245 + 12345;
		mprotect(p + (s >> 8) % (pages - 10) * page, page * (1 + (s >> 20) % 9),
			 s >> 5 & 1 ? PROT_READ : 3);
	}
}
END
$cc -o "$work/change" "$work/change.c" -ldl || exit 1
"$work/change" >"$work/said" &
pid=$!
for _ in $(seq 50); do grep -qs ready "$work/said" && break; sleep 0.1; done

for round in $(seq 15); do
	"$vmatlas" map --raw --no-headings -o start,end $pid >"$work/out" 2>"$work/err" ||
		{ bad "exit $?"; cat "$work/err"; }
	# Of equal length once the prefix is padded away: compared as text.
	awk '{ s = sprintf("%20s", substr($1, 3)); e = sprintf("%20s", substr($2, 3))
	       if (s < last || e <= s) { print "failed: " $0; bad = 1 }; last = e }
	     END { exit bad }' "$work/out" || fail=1
	[ ! -s "$work/err" ] || grep -q 'overlapped or went back' "$work/err" ||
		{ bad "other warnings in round $round"; cat "$work/err"; }
	[ "$(wc -l <"$work/out")" -gt 30 ] || bad "only $(wc -l <"$work/out") rows"
done

"$vmatlas" map --raw --no-headings -o kind,path $pid 2>/dev/null >"$work/out"
[ "$(grep -c '^M/text .*/libm' "$work/out")" = 2 ] || { bad "two copies of libm"; grep libm "$work/out"; }
! grep '^M/file .*/libm' "$work/out" || bad "a part of libm is only a file"
exit $fail
