#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# vmatlas map: documents are valid, options choose, and what cannot be answered is told in one line.
command=map
. "${srcdir:-.}/tests/cli/common.sh"

one_line() { [ "$(wc -l <"$work/err")" = 1 ] || { bad "not one line on stderr:"; cat "$work/err"; }; }
clean() { ! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$work/$1" || bad "control bytes in $1"; }
# starts PID: until it no longer runs this shell's program
starts() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ "$(readlink "/proc/$1/exe")" = "$(readlink /proc/$$/exe)" ] || return 0
		sleep 0.1
	done
}
sleeper
quiet=$sleeper

run 0 --json $quiet; valid live
run 0 --json -o start,class,reason,elf $quiet; valid "-o"
run 0 --json --from "$top/fixtures/classic/classic-2.4-init.maps"; valid snapshot
run 3 --strict --json --from "$top/fixtures/classic/classic-2.4-init.maps"; valid strict
run 0 -v $quiet; says 'REASON' out; says 'holds text' out; says 'Totals per class' out
says 'VMAs allowed' out; says 'Start of stack.*P/stack' out; says 'Commit charge' out
run 1 --vma nothing self; says 'no VMA is left by --vma' err
run 0 --vma '[stack]' -o kind --raw --no-headings $quiet
[ "$(cat "$work/out")" = P/stack ] || bad "--vma [stack]"
run 0 --sort -size -o size --raw --bytes --no-headings $quiet
sort -rn "$work/out" | cmp -s - "$work/out" || bad "--sort -size"
run 0 -o vpn,vpn_end,numa,flag_words $quiet; says 'readable' out
run 2 -o nonsense $quiet; says 'nonsense' err; one_line

# Without the columns that need it smaps is not opened.
if command -v strace >/dev/null 2>&1 && strace -o "$work/trace" true 2>/dev/null; then
	strace -f -o "$work/trace" "$vmatlas" map -o range,kind,part $quiet >/dev/null
	! grep -q '"smaps\|/smaps' "$work/trace" || bad "smaps was read for columns without counters"
	strace -f -o "$work/trace" "$vmatlas" map -o rss $quiet >/dev/null
	grep -q 'smaps' "$work/trace" || bad "smaps was not read for -o rss"
	! grep -q '"maps"' "$work/trace" || bad "maps was read beside smaps"
fi

# On a narrow terminal rows do not wrap: spare columns give way unless they were chosen.
on_terminal() {
	COLUMNS=$1 script -qec "$vmatlas map --color=never $2 $quiet" /dev/null </dev/null |
		tr -d '\r' | sed -n '/^RANGE/,/^$/p' >"$work/out"
}
if command -v script >/dev/null 2>&1; then
	on_terminal 80 ""
	[ "$(wc -L <"$work/out")" -le 80 ] || bad "rows are wider than 80 columns"
	says 'PERM CLASS .* RSS PART' out
	on_terminal 200 ""
	says 'PAGES PERM CLASS .* BACKING .* COPIED PART' out
	on_terminal 80 '-o range,pages,perms,kind,store,rss,copied,part'
	says 'BACKING .* COPIED PART' out
fi

# What is no process with a map.
run 1 2147483000; says '2147483000' err; one_line
run 1 99999999999; one_line
run 1 no-such-name; one_line
if [ "$(cat /proc/2/comm 2>/dev/null)" = kthreadd ]; then
	run 1 2; says 'kernel thread' err; one_line
fi
sh -c 'sleep 0.3 & echo $!; exec sleep 1000' >"$work/zombie" &
started="$started $!"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	grep -q '^State:.Z' "/proc/$(cat "$work/zombie")/status" 2>/dev/null && break
	sleep 0.1
done
run 1 "$(cat "$work/zombie")"; says 'zombie\|ended' err; one_line

# Names with bytes that a terminal would obey.
name=$(printf '%s/a\033[31m \\012\302\233b ' "$work")
cp /bin/sleep "$name" 2>/dev/null && { "$name" 1000 & started="$started $!"; hostile=$!; }
starts "$hostile"
run 0 "$hostile"; clean out; clean err
run 0 --json "$hostile"; clean out; valid hostile
says 'x1b' out

# Names that look like what the kernel adds to names.
deleted="$work/real (deleted)"
newline="$work/new
line"
literal="$work/new\\012line"
both="$work/both
 (deleted)"
for name in "$deleted" "$newline" "$literal" "$both"; do
	cp /bin/sleep "$name"
	"$name" 1000 &
	started="$started $!"
	eval "map$((n = ${n:-0} + 1))=$!"
	starts $!
done
run 0 --raw --no-headings -o path,deleted --vma text "$map1"; says '/real\\x20(deleted) \(no\|false\)' out
run 0 --raw --no-headings -o path --vma text "$map2"; says '/new\\x0aline' out
run 0 --raw --no-headings -o path --vma text "$map3"; says '/new\\x5c012line' out
rm "$literal" "$newline"
run 0 --raw --no-headings -o path,deleted --vma text "$map2"; says '/new\\x0aline \(yes\|true\)' out
run 0 --raw --no-headings -o path,deleted --vma text "$map4"; says '/both\\x0a\\x20(deleted) \(no\|false\)' out
run 0 --raw --no-headings -o path,deleted --vma text "$map3"; says 'line \(yes\|true\)' out

# An executable mapping of what only looks like an ELF file: the warning says what is wrong with it.
if [ -n "${PYTHON:-}" ]; then
	head -c 100 /proc/self/exe >"$work/cut.so"
	"$PYTHON" -c "import mmap, sys, time
f = open(sys.argv[1], 'rb')
m = mmap.mmap(f.fileno(), 100, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)
print('ready', flush=True)
time.sleep(1000)" "$work/cut.so" >"$work/ready" &
	cut=$!
	started="$started $cut"
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -q ready "$work/ready" && break
		sleep 0.1
	done
	run 0 --remote-files --json "$cut"; valid "damaged ELF"
	says 'cut.so: not read (.*header.*): its parts' out
fi

# Lines that overlap, go back or are none.
printf '%s\n' '00400000-00402000 r-xp 00000000 08:01 1 /a' '00401000-00403000 rw-p 00001000 08:01 1 /a' \
	'00401000-00402000 rw-p 00000000 00:00 0 ' 'nonsense' '00500000-00501000 rw-p 00000000 00:00 0 ' '00600000-00601000 rwxz 0' >"$work/maps"
run 0 --raw --no-headings -o start,end,offset --from "$work/maps"
[ "$(sed -n 2p "$work/out")" = "0x402000 0x403000 0x2000" ] || { bad "clip"; cat "$work/out"; }
[ "$(wc -l <"$work/out")" = 3 ] || bad "lines of a damaged map"
says '2 lines overlapped' err; says '2 lines of the map were left out, first line 4' err
echo nonsense >"$work/maps"
run 1 --from "$work/maps"; one_line; says 'maps: no line of it describes a VMA' err
: >"$work/maps"
run 1 --from "$work/maps"; one_line

# A long text is read by a thread ahead of the one that parses: lines that end in another block than
# they begin in, one longer than the room for that, and a last one without its newline.
awk 'BEGIN {
	for (i = 0; i < 3; i++) long = long long "abcdefghijklmnopqrstuvwxyz012345"
	while (length(long) < 30000) long = long long
	for (i = 0; i < 12000; i++) {
		name = i % 3 ? "/lib/" substr(long, 1, i % 97) : ""
		if (i % 3000 == 2999)
			name = "/" long
		printf "%s%012x-%012x r--p %08x 08:01 %d %s", i ? "\n" : "", 4096 * (i + 16), 4096 * (i + 17), i, i + 1, name
	}
}' >"$work/maps"
run 0 --threads 1 --raw -o range,offset,inode,path --from "$work/maps"
mv "$work/out" "$work/alone"
run 0 --threads 2 --raw -o range,offset,inode,path --from "$work/maps"
cmp "$work/out" "$work/alone" || bad "two threads read another map than one"
[ "$(wc -l <"$work/out")" = 12001 ] || bad "lines of a long map: $(wc -l <"$work/out")"
grep -q '^2eee000-2eef000 0x2ede 11999 /lib/abc' "$work/out" || bad "a line near the end of a long map"

run 2 --threads 0 self; says 'from 1 to 1024' err
run 2 -o nope self; says 'no such column; --list-columns lists them' err
"$vmatlas" mpa 1 2>"$work/err"; says 'did you mean map?' err
for page in '' $("$vmatlas" --list-commands); do
	"$vmatlas" help $page >"$work/out" || bad "help $page"
	[ "$(wc -L <"$work/out")" -le 80 ] || bad "help $page is wider than 80 columns"
done

# As somebody who may not look.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1; then
	cp "$vmatlas" "$work/vmatlas" && chmod 755 "$work" "$work/vmatlas"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$work/vmatlas" map $quiet >"$work/out" 2>"$work/err"
	[ $? = 1 ] || bad "as nobody: not 1"
	says 'run as its user, or as root' err; one_line
fi

# Root is not told to become root: in a user namespace of its own it may not look at others.
if unshare -Ur true 2>/dev/null; then
	unshare -Ur "$vmatlas" map $quiet >"$work/out" 2>"$work/err"
	[ $? = 1 ] || bad "as root of a user namespace: not 1"
	says 'although as root: .*user namespace' err; one_line
	unshare -Ur "$vmatlas" cow self >"$work/out" 2>"$work/err" || bad "cow of itself in a user namespace"
	says '^-\* refused to root too' out
fi
exit $fail
