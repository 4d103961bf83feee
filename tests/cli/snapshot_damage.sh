#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Snapshots that are damaged, contradict themselves or were made to do harm: exit 1 and one line
# that names the file and, in texts, the line; soon, and in little memory.
set -u
vmatlas=${VMATLAS:-./vmatlas}
fail=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
snap=$work/snap

put() {
	mkdir -p "$snap/$(dirname "$1")"
	cat >"$snap/$1"
}

# A process of one heap and one mapped file, three pages of them present.
make() {
	rm -rf "$snap"
	put manifest <<-END
	vmatlas-snapshot 1
	tool by hand
	time 2026-11-21T13:05:00Z
	kernel 6.12.0
	machine x86_64
	page_size 4096
	frames yes
	frames_end 100000
	exclusive_mark yes
	process 41
	END
	put 41/maps <<-END
	00400000-00404000 r-xp 00000000 08:01 7 /bin/one
	00500000-00504000 rw-p 00000000 00:00 0 [heap]
	END
	sed 's/$/\nRss: 4 kB/' "$snap/41/maps" | put 41/smaps
	echo "41 (one) S 1 41 41 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 5 16384 3 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0" |
		put 41/stat
	printf 'Name:\tone\nVmRSS:\t12 kB\n' | put 41/status
	printf '3 3 1 1 0 2 0\n' | put 41/statm
	echo one | put 41/comm
	printf 'word_size 8\n6 1000\n0 0\n' | put 41/auxv
	printf '400 a000000000000100\n500+2 8100000000000200+1\nend\n' | put 41/pagemap
	printf 'categories 178\n400 8\n500+2 8\nend\n' | put 41/scan
	printf '100 868\n200+2 401828\nend\n' | put frames/kpageflags
	printf '100 3\nend\n' | put frames/kpagecount
	printf '100 1\n200+2 1\nend\n' | put frames/kpagecgroup
	printf 'exe EACCES\n' | put 41/missing
}

commands="map cow pagetable addr check"
run() {
	case $1 in
	addr) shift; timeout 20 "$vmatlas" addr --from "$snap" "$@" 0x500000 0x400000 ;;
	check) # the numbers are made up, and do not fit
		timeout 20 "$vmatlas" "$@" --from "$snap"
		set -- $?
		return "$(($1 == 4 ? 0 : $1))" ;;
	*) timeout 20 "$vmatlas" "$@" --from "$snap" ;;
	esac
}

make
for command in $commands; do
	run $command >"$work/out" 2>"$work/err" || { echo "failed: $command of the good one"; fail=1; }
	[ ! -s "$work/err" ] || { echo "failed: $command of the good one says:"; cat "$work/err"; fail=1; }
done
run cow --raw --no-headings -o start,rss,uss,states >"$work/out" 2>&1
printf '0x400000 4096 0 untouched=3,file=1\n0x500000 8192 8192 untouched=2,anon=2\n' | cmp -s - "$work/out" ||
	{ echo "failed: cow of the good one:"; cat "$work/out"; fail=1; }

# damaged "COMMANDS" WORDS: each exits 1 and says WORDS, and nothing else on stderr
damaged() {
	for command in $1; do
		run $command >"$work/out" 2>"$work/err"
		status=$?
		[ $status -eq 1 ] && grep -q -e "$2" "$work/err" && [ "$(wc -l <"$work/err")" -eq 1 ] && continue
		echo "failed: $command, wanted \"$2\", exit $status:"
		head -3 "$work/err"
		fail=1
	done
	run ${1##* } --json >"$work/json" 2>/dev/null
	[ ! -s "$work/json" ] || grep -q '"code": "\(damaged\|limit\)"' "$work/json" ||
		{ echo "failed: the JSON of ${1##* } does not say \"$2\""; fail=1; }
	make
}

echo "vmatlas-snapshot 2" | put manifest
damaged "$commands" "manifest: version 2 of the format is newer than this program.*(line 1)"
sed -i 's/page_size 4096/page_size 4097/' "$snap/manifest"
damaged "$commands" "manifest: not a page size (line 6)"
: | put manifest
damaged "$commands" "manifest: not a manifest"
head -c 4000000 /dev/zero | put manifest
damaged "$commands" "manifest: not a manifest"
sed -i '/^process/d' "$snap/manifest"
damaged "$commands" "no process is recorded there"
sed -i '/^process/d' "$snap/manifest"
timeout 20 "$vmatlas" map --from "$snap" 41 >"$work/out" 2>"$work/err"
[ $? -eq 1 ] && grep -q "the snapshot does not hold process 41" "$work/err" ||
	{ echo "failed: a snapshot without a process has one"; cat "$work/err"; fail=1; }
make
echo "process 42" >>"$snap/manifest"
run map >"$work/out" 2>"$work/err"
[ $? -eq 1 ] && grep -q "42: the manifest names it, but there is no such folder" "$work/err" &&
	grep -q /bin/one "$work/out" || { echo "failed: a process without its folder"; fail=1; }
make

printf 'maps\n' | put 41/missing
damaged "$commands" "41/missing: not the form ITEM ERROR (line 1)"

printf '400 a000000000000100\n500+2 810000' | put 41/pagemap
damaged "cow pagetable addr check" '41/pagemap: cut off: its last line is not "end"'
printf '400 a000000000000100\n3ff 8100000000000200\nend\n' | put 41/pagemap
damaged "cow pagetable addr check" "41/pagemap: it overlaps the line above, or goes back (line 2)"
printf '400+101 a000000000000100\n500 8100000000000200\nend\n' | put 41/pagemap
damaged "cow pagetable check" "41/pagemap: it overlaps the line above, or goes back (line 2)"
printf '400 a0000000000001000\nend\n' | put 41/pagemap
damaged "cow pagetable addr check" "41/pagemap: not the form of a run (line 1)"
printf '400 a000000\000000\nend\n' | put 41/pagemap
damaged "cow pagetable addr check" "41/pagemap: not the form of a run (line 1)"
printf '400+3ffffffffffff a000000000000100\nend\n' | put 41/pagemap
damaged "cow pagetable addr check" "41/pagemap: more than 8589934592 pages"
{ head -c 50000000 /dev/zero; echo; echo end; } | put 41/pagemap
damaged "cow pagetable addr check" "41/pagemap: not the form of a run (line 1)"
{ head -c 5000000 /dev/zero | tr '\0' 1; echo; echo end; } | put 41/pagemap
damaged "cow pagetable addr check" "41/pagemap: not the form of a run (line 1)"
rm "$snap/41/pagemap" && ln -s /etc/passwd "$snap/41/pagemap"
damaged "cow pagetable addr check" "41/pagemap: a symbolic link in a snapshot is not followed"
rm "$snap/41/pagemap" && mkfifo "$snap/41/pagemap"
damaged "cow pagetable addr check" "41/pagemap: not a regular file"
rm "$snap/41/pagemap" && mkdir "$snap/41/pagemap"
damaged "cow pagetable addr check" "41/pagemap: not a regular file"
rm "$snap/41/pagemap" && truncate -s 70G "$snap/41/pagemap" 2>/dev/null &&
	damaged "cow pagetable addr check" "41/pagemap: longer than 64 GiB"
make

printf '100 868\n200+2 401828\n' | put frames/kpageflags
damaged "cow addr" 'frames/kpageflags: cut off: its last line is not "end"'
printf '90 3\n90 3\nend\n' | put frames/kpagecount
damaged "cow addr" "frames/kpagecount: it overlaps the line above, or goes back (line 2)"
printf '100 x\nend\n' | put frames/kpagecgroup
damaged addr "frames/kpagecgroup: not the form of a run (line 1)"

printf 'word_size 8\n6 1000\n0' | put 41/auxv
damaged "$commands" "41/auxv: cut off, or without end (line 3)"
echo "41 (one S 1" | put 41/stat
damaged "$commands" "41/stat: no name in parentheses"
head -c 5000000 /dev/zero | put 41/status
damaged "$commands" "41/status: longer than\|41/status: no line has the form\|status: longer"
echo "00400000-00404000 r-xp 00000000 08:01 7 /bin/one
00403000-00405000 r--p 00003000 08:01 7 /bin/one" | put 41/maps
damaged "pagetable addr" "41/maps: it overlaps the VMA above, or goes back (line 2)"
echo "00400000-00404000 r-xp 00000000 08:01 7 /bin/one
10000000000000000-10000000000001000 r--p 00003000 08:01 7 /bin/one" | put 41/maps
damaged "pagetable addr" "41/maps: maps line has no valid address range (line 2)"
truncate -s 10G "$snap/41/maps" 2>/dev/null &&
	damaged "pagetable addr" "41/maps: line 3 is longer than 1048576 bytes"
truncate -s 10G "$snap/41/smaps" 2>/dev/null &&
	damaged cow "41/smaps: line 5 is longer than 1048576 bytes"
sed 's/0050/0040/g' "$snap/41/smaps" >"$snap/41/s" && mv "$snap/41/s" "$snap/41/smaps"
damaged "map cow" "41/smaps: it overlaps the VMA above, or goes back (line 4)"

# Both sides of a comparison, and sets of processes.
cp -r "$snap" "$work/other"
printf '400 a000000000000100\n500+2 810000' | put 41/pagemap
for words in "diff $snap $work/other" "diff $work/other $snap" "share --from $snap" "files --from $snap" \
	"ps --from $snap"; do
	# shellcheck disable=SC2086
	"$vmatlas" $words >"$work/out" 2>"$work/err"
	[ $? -eq 1 ] && grep -q '41/pagemap: cut off: its last line is not "end"' "$work/err" ||
		{ echo "failed: $words of a damaged one:"; cat "$work/err"; fail=1; }
done
make

# Frames that nobody recorded have no flags and no counts, rather than none set.
printf '100 868\nend\n' | put frames/kpageflags
run cow --json --pages >"$work/out" 2>&1 || { echo "failed: a frame that is not recorded"; fail=1; }
grep '"start": "0x500000", "pages": 2' "$work/out" | grep -q '"exclusive_missing": "not-recorded"' ||
	{ echo "failed: a frame that is not recorded is not told as such"; fail=1; }
make

# The largest of memories, with a frame at either end of it.
sed -i 's/^frames_end .*/frames_end 100000000/' "$snap/manifest"
printf '400 a000000000000100\n500 8000000000000001\n501 80000000fffffff0\nend\n' | put 41/pagemap
for command in cow pagetable addr check; do
	(ulimit -t 10; run $command >"$work/out" 2>"$work/err") ||
		{ echo "failed: $command of 16 TiB"; cat "$work/err"; fail=1; }
done
make

# The shadow of AddressSanitizer is larger than any bound.
bound() {
	ulimit -t 5
	grep -q __asan_init "$vmatlas" || ulimit -v 2000000
}

# The largest of holes, with and without a scan, are soon walked.
echo "00001000-7ffffffff000 rw-p 00000000 00:00 0" | put 41/maps
echo "00001000-7ffffffff000 rw-p 00000000 00:00 0" | put 41/smaps
for command in cow pagetable check "cow --no-scan" "cow --pages"; do
	(bound; run $command >"$work/out" 2>"$work/err") ||
		{ echo "failed: $command of 128 TiB"; cat "$work/err"; fail=1; }
done
printf '400 8\nend\n' | put 41/scan
run cow >"$work/out" 2>"$work/err"
[ $? -eq 1 ] && grep -q '41/scan: its first line is not "categories NUMBER"' "$work/err" ||
	{ echo "failed: a scan without categories"; cat "$work/err"; fail=1; }
rm "$snap/41/scan"
for command in cow pagetable check; do
	(bound; run $command >"$work/out" 2>"$work/err") ||
		{ echo "failed: $command of 128 TiB without a scan"; cat "$work/err"; fail=1; }
done
exit $fail
