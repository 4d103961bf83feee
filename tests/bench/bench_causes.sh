#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# cow with causes against cow without, on a process with 500 libraries that each have relocations,
# written data and bss. Wanted: at most 2.
set -u
vmatlas=${VMATLAS:-$PWD/vmatlas}
bench=$PWD/tests/bench
count=${COUNT:-500}
CC=${CC:-cc}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 99

cat >lib.c <<'END'
extern int printf(const char *, ...);
static int own[64];
static int *table[900] = { [0 ... 899] = own };
const char *const names[] = { "a", "b", "c", "d" };
int data[1024] = { 1 }, bss[512];
__attribute__((constructor)) static void begin(void) { data[5] = 7; bss[1] = 1; }
int work(int n) { return *table[n] + printf("%s", names[n & 3]); }
END
cat >load.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char name[4096];

	for (int i = 0; i < atoi(argv[2]); i++) {
		snprintf(name, sizeof(name), "%s/l%d.so", argv[1], i);
		if (!dlopen(name, RTLD_NOW))
			return puts(dlerror()), 1;
	}
	printf("ready pid=%d\n", getpid());
	fflush(stdout);
	return pause();
}
END
$CC -O1 -shared -fPIC -o l0.so lib.c && $CC -O1 -o load load.c -ldl || exit 99
i=1
while [ $i -lt "$count" ]; do
	cp l0.so l$i.so
	i=$((i + 1))
done
for format in --color=never --json; do
	echo "$count libraries, $format:"
	"$bench/ratio" -n "${RUNS:-15}" "$work/load" "$work" "$count" -- \
		"$vmatlas" cow $format '{PID}' -- \
		"$vmatlas" cow $format --no-causes '{PID}' || exit 1
done
