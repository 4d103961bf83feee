#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# vmatlas record: what it makes, with which rights, and that it replaces and leaves nothing.
command=record
. "${srcdir:-.}/tests/cli/common.sh"

# nothing_in DIR: neither a snapshot nor what was to become one
nothing_in() { [ -z "$(ls -A "$1")" ] || { bad "something is left in $1:"; ls -lA "$1"; }; }

secret=hidden-31415926535897
argument=27182818284590

umask 000
sleeper
quiet=$sleeper
# Nothing of the machine has these words by chance.
SECRET=$secret sleep $argument &
other=$!
started="$started $other"
until [ "$(cat /proc/$other/comm)" = sleep ]; do sleep 0.05; done
kill -STOP $quiet $other
sleep 0.1

mkdir "$work/empty"
run 0 --json $quiet $other "$work/two"; valid two
for name in manifest host/meminfo $quiet/maps $quiet/smaps $quiet/pagemap $other/status $quiet/task/$quiet/stat; do
	[ -f "$work/two/$name" ] || bad "no $name"
done
[ -z "$(find "$work/two" -type f ! -perm 600)" ] || bad "a file is not 0600"
[ -z "$(find "$work/two" -type d ! -perm 700)" ] || bad "a folder is not 0700"
cat /proc/$quiet/maps | cmp -s "$work/two/$quiet/maps" - || bad "maps is not verbatim"
grep -qx 'vmatlas-snapshot 1' "$work/two/manifest" || bad "no version"
[ "$(grep -c '^process ' "$work/two/manifest")" = 2 ] || bad "not two processes in the manifest"
grep -qx "boot_id $(cat /proc/sys/kernel/random/boot_id)" "$work/two/manifest" || bad "no boot_id"
run 0 --from "$work/two" "$work/twice"
diff "$work/two/manifest" "$work/twice/manifest" || bad "a recording of it has another manifest"
! grep -rlqa -e $secret -e $argument "$work/two/$other" || bad "arguments or environment are in it"
! [ -e "$work/two/$other/cmdline" ] || bad "cmdline was not asked for"
run 0 --cmdline $other "$work/with"
tr '\0' ' ' <"$work/with/$other/cmdline" | grep -q "sleep $argument" || bad "no cmdline"
cat /proc/$other/cmdline | cmp -s "$work/with/$other/cmdline" - || bad "another cmdline"
! grep -rqa $secret "$work/with/$other" || bad "the environment is in it"

# Nothing is replaced, whatever it is.
: >"$work/file"
ln -s nowhere "$work/link"
for target in two file link; do
	run 1 $quiet "$work/$target"; says 'already' err
done
[ -L "$work/link" ] && [ ! -s "$work/file" ] || bad "something was replaced"
run 1 $quiet "$work/none/x"; says 'none' err
run 2 $quiet "$work/x.tar.lz4"; says 'no archive is packed like that' err
run 2 $quiet "$work/x.zip"; says 'another name makes a folder' err
[ ! -e "$work/x.tar.lz4" ] && [ ! -e "$work/x.zip" ] || bad "a folder with the name of an archive"
run 1 $quiet "$work/empty/."; run 1 $quiet /
run 0 $quiet "$work/slash//"; [ -f "$work/slash/manifest" ] || bad "a slash at the end"

# Mistakes in the call.
run 2; says 'which\|what' err
run 2 "$work/empty/x"; run 2 $quiet; says 'looks like a process' err
run 2 $quiet $other; says "./$other" err
run 2 --contents $quiet "$work/empty/x"
run 1 $quiet 999999999 "$work/empty/x"
run 1 no-such-name-at-all "$work/empty/x"
run 1 2 "$work/empty/x" # a kernel thread, or nothing, in a container
[ "$(cat /proc/2/comm 2>/dev/null)" != kthreadd ] || says 'kernel threads have none' err
# It ends long after the shell, which might wait for it, has become one that does not.
sh -c 'sleep 1 & echo $! >"$1"; exec sleep 600' - "$work/pid" &
started="$started $!"
tries=0
until zombie=$(cat "$work/pid") && grep -q '^State:.Z' "/proc/$zombie/status" || [ $((tries += 1)) -gt 600 ]; do
	sleep 0.05
done 2>/dev/null
run 1 "$zombie" "$work/empty/x"; says 'zombies have it no more' err
[ "$(wc -l <"$work/err")" = 1 ] || bad "a zombie: more than a line: $(cat "$work/err")"
nothing_in "$work/empty"
run 0 "$zombie" $quiet "$work/part"; says 'no address space .*: 1 of 2 processes' err
[ ! -e "$work/part/$zombie" ] && [ -d "$work/part/$quiet" ] || bad "the set without its zombie is not there"

# names: one a line, without those of what the page cache and swap have of files just then.
names() { sed 's,/$,,; /^files\/[0-9]*\/\(cached\|swapped\)$/d' | sort; }

# An archive is the folder. (Recorded again: the kernel may do something to pages meanwhile.)
if command -v tar >/dev/null && command -v zstd >/dev/null; then
	run 0 --json $quiet $other "$work/live.tar.zst"; valid live.tar.zst
	[ "$(tar -tf "$work/live.tar.zst" | sed 's,^live/*,,' | names)" = \
		"$(cd "$work/two" && { echo; find . -mindepth 1; } | sed 's,^./,,' | names)" ] || bad "an archive has other files"
	for kind in tar tar.gz tar.zst; do
		run 0 --json --from "$work/two" "$work/set.$kind"; valid "$kind"
		[ "$(stat -c %a "$work/set.$kind")" = 600 ] || bad "$kind is not 0600"
		mkdir "$work/un"
		tar -C "$work/un" -xf "$work/set.$kind" || bad "$kind cannot be unpacked"
		[ "$(ls "$work/un")" = set ] || bad "$kind is not one folder"
		diff -r "$work/un/set" "$work/two" || bad "$kind has something else"
		[ "$(tar -tf "$work/set.$kind" | sed -n 2p)" = set/manifest ] || bad "$kind: the manifest is not first"
		rm -r "$work/un"
	done
fi

# What was recorded elsewhere can be recorded again; from then on it is the same.
for one in "$top"/fixtures/recorded/*/ "$top"/fixtures/machines/*/; do
	rm -rf "$work/first" "$work/second"
	run 0 --from "$one" "$work/first"
	run 0 --from "$work/first" "$work/second"
	diff -r "$work/first" "$work/second" >"$work/out" || { bad "$one again and again"; head "$work/out"; }
	case $one in
	*/recorded/*) diff -r "$one" "$work/first" >"$work/out" || { bad "$one again"; head "$work/out"; } ;;
	esac
done

# Without privilege: what could not be read is named, and is not an empty file.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir -m 777 "$work/nobody"
	chmod 755 "$work"
	cp "$vmatlas" "$work/vmatlas" 2>/dev/null
	chmod 755 "$work/vmatlas"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$work/vmatlas" record $quiet "$work/nobody/x" \
		>"$work/out" 2>"$work/err" || { bad "unprivileged"; cat "$work/err"; }
	says 'EACCES' out
	says " sleep *-\\* auxv EACCES" out
	grep -qx 'pagemap EACCES' "$work/nobody/x/$quiet/missing" || bad "pagemap is not missing"
	grep -qx 'frames/kpageflags EACCES' "$work/nobody/x/missing" || bad "kpageflags is not missing"
	grep -qx 'frames no' "$work/nobody/x/manifest" || bad "frames"
	[ ! -e "$work/nobody/x/$quiet/pagemap" ] && [ -s "$work/nobody/x/$quiet/stat" ] || bad "empty files"
	! grep -q 'frame numbers' "$work/err" || bad "a warning of frame numbers that are not there"
fi

# A disk that is full on the way, and a tree.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir "$work/small"
	for size in 4k 32k 64k; do
		unshare -m sh -c "mount -t tmpfs -o size=$size none '$work/small' &&
			{ '$vmatlas' record $quiet $other '$work/small/x'; echo status \$?; ls -A '$work/small'; }" \
			>"$work/out" 2>"$work/err"
		[ "$(cat "$work/out")" = "status 1" ] || { bad "full disk of $size:"; cat "$work/out" "$work/err"; }
		says 'No space left' err
		unshare -m sh -c "mount -t tmpfs -o size=$size none '$work/small' &&
			{ '$vmatlas' record $quiet '$work/small/x.tar.gz'; echo status \$?; ls -A '$work/small'; }" \
			>"$work/out" 2>"$work/err"
		[ "$(cat "$work/out")" = "status 1" ] || { bad "archive, full disk of $size:"; cat "$work/out" "$work/err"; }
	done
fi
run 0 --tree $$ "$work/tree"
[ -d "$work/tree/$quiet" ] && [ -d "$work/tree/$other" ] && [ -d "$work/tree/$$" ] || bad "--tree"
exit $fail
