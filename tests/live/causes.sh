#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Why pages of files compiled here are private: each cause is made on purpose in a page of its
# own and must be found there, with its symbol. With REPLAY=yes all answers but one come from
# snapshots, and must be those of the process.
. "${srcdir:-.}/tests/live/common.sh"
CC=${CC:-cc}
needs "${CC%% *}" readelf objcopy python3
needs_root 'memory of others is read by'
pid=

cat >lib.c <<'END'
#include <stddef.h>
#define PAGE __attribute__((aligned(4096)))
extern int outer(int);
static int own[4];
PAGE static int *relocated[512] = { [0 ... 511] = own };	/* a page of relocations only */
PAGE volatile char written[4096] = { 1 };			/* a page of data */
PAGE volatile char untouched[4096] = { 1 };
PAGE volatile char same[4096] = { 1 };				/* written with what it holds */
PAGE volatile char hidden_data[4096] = { 1 };
volatile char *hidden = hidden_data;
volatile char last_data[10] = { 1 };
volatile char tail_object[9000];				/* bss from the last page on */
PAGE int patched(int i) { return i * 3 + 1; }
PAGE int plain(int i) { return i * 3 + 2; }
int work(int i)
{
	return outer(i) + *relocated[i] + hidden[0] + plain(i);
}
END
cat >main.c <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
extern volatile char written[], same[], tail_object[], hidden_data[];
extern int work(int), patched(int);
int outer(int i) { return i; }
int main(int argc, char **argv)
{
	char *page = (char *)((unsigned long)patched & -4096UL);

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "write"))
			written[1000] = 77;
		if (!strcmp(argv[i], "same"))
			same[0] = 1;
		if (!strcmp(argv[i], "tail"))
			tail_object[5] = 9;
		if (!strcmp(argv[i], "call"))
			work(0);
		if (!strcmp(argv[i], "patch")) {
			mprotect(page, 4096, PROT_READ | PROT_WRITE);
			*(volatile unsigned char *)patched = 0xcc;
			mprotect(page, 4096, PROT_READ | PROT_EXEC);
		}
	}
	puts("ready");
	fflush(stdout);
	pause();
	return patched(argc);
}
END
cat >ask.py <<'END'
import json, sys

d = json.load(open("doc"))
path = sys.argv[1]
files = {f["path"].rsplit("/", 1)[-1]: f for f in d["files"]}
f = files.get(path)
vmas = [v for v in d["vmas"] if (v["path"] or "").endswith("/" + path)]
c = {x["cause"]: x for x in f["causes"]} if f else {}

def pages(cause):
    return c.get(cause, {}).get("pages", 0)

def names(cause):
    return [s["name"] for s in c.get(cause, {}).get("symbols", [])]

def symbol(cause, name):
    return [s for s in c.get(cause, {}).get("symbols", []) if s["name"] == name][0]

patches = [p for p in d["patches"] if p["path"].endswith("/" + path)]
for v in d["vmas"]:
    copies = sum(v["states"].get(s, 0) for s in ("copy", "copy-shared"))
    if v["causes"] is not None and copies:
        most = max(x["pages"] for x in v["causes"])
        assert most <= copies <= sum(x["pages"] for x in v["causes"]), v
print(eval(sys.argv[2]))
END

start() {	# PROGRAM ARGS...
	rm -f out
	"$@" >out &
	pid=$! started=$!
	for _ in $(seq 200); do
		grep -q ready out 2>/dev/null && return
		sleep 0.05
	done
	bad "$*: did not start"
}

stop() { kill "$pid"; wait "$pid" 2>/dev/null; pid= started=; }

# The stopped process into a snapshot; TOOL is how vmatlas is called.
take() {	# SNAPSHOT TOOL...
	snap=$1
	shift
	rm -rf "$snap"
	"$@" record --memory "$pid" "$snap" >said 2>&1 || bad "record: $(cat said)"
}

# COMMAND OPTIONS...: of the process, or of its snapshot.
ask() {
	command=$1
	shift
	if [ -n "${REPLAY:-}" ]; then
		"$vmatlas" "$command" --from "$snap" "$@"
	else
		"$vmatlas" "$command" "$pid" "$@"
	fi
}

look() {
	if [ -n "${REPLAY:-}" ]; then
		kill -STOP "$pid"
		take snap "$vmatlas"
		"$vmatlas" cow "$pid" --json >live || bad "cow: exit $?"
		kill -CONT "$pid"
	fi
	ask cow --json >doc || bad "cow: exit $?"
	[ -z "${REPLAY:-}" ] || "$top/tests/live/replay_same.py" live doc || bad "replay differs"
	"$top/tests/cli/validate.py" cow doc
	case $? in 0 | 77) ;; *) bad "cow: see above" ;; esac
}

# is TITLE FILE EXPRESSION VALUE
is() {
	got=$(python3 ask.py "$2" "$3") || { bad "$1: $3"; return; }
	[ "$got" = "$4" ] || bad "$1: $3 is $got, not $4"
}

relocs() { readelf -rW "$1" | grep -c "_$2 "; }

# Bound lazily and at start, packed and not.
build() {	# NAME LINKER-OPTIONS...
	name=$1
	shift
	$CC -g -O1 -shared -fPIC "$@" -o "$name.so" lib.c &&
		$CC -O1 -fPIC -o "$name" main.c "./$name.so" -Wl,-rpath,"$work" -rdynamic || exit 99
}
build lazy -Wl,-z,lazy -Wl,-z,norelro
build now -Wl,-z,now -Wl,-z,relro

for kind in lazy now; do
	so=$kind.so
	start "./$kind" call
	look
	is "$kind: relative" $so "c['relocation']['kinds']['relative']" "$(relocs $so RELATIVE)"
	is "$kind: slots" $so "c['relocation']['kinds'].get('plt', 0)" "$(relocs $so JUMP_SLO[T]*)"
	is "$kind: got" $so "c['relocation']['kinds'].get('glob-dat', 0)" "$(relocs $so GLOB_DAT)"
	is "$kind: seen" $so "c['relocation']['certainty']" observed
	is "$kind: largest" $so "names('relocation')[0], symbol('relocation', 'relocated')['bytes']" \
		"('relocated', 4096)"
	is "$kind: no data written" $so "'written' in names('data-write'), patches" "(False, [])"
	is "$kind: outer is bound" $so "c['relocation']['plt_bound'] >= 1" True
	is "$kind: every page has a cause" $so "pages('unknown')" 0
	stop
done
start ./lazy
look
is "not bound yet" lazy.so "c['relocation']['plt_bound'] < c['relocation']['kinds']['plt']" True
stop

start ./now write same tail patch
look
so=now.so
is "written" $so "symbol('data-write', 'written')['bytes'], symbol('data-write', 'written')['pages']" \
	"(1, 1)"
is "tail" $so "pages('zero-tail'), symbol('data-write', 'tail_object')['bytes']" "(1, 1)"
is "untouched" $so "'untouched' in names('data-write')" False
is "same bytes" $so "pages('unknown'), c['unknown']['reasons']" "(1, {'same-bytes': 1})"
is "patched" $so "pages('code-patch'), names('code-patch'), len(patches)" "(1, ['patched'], 1)"
is "patch" $so "patches[0]['symbol'], patches[0]['offset'], patches[0]['length']" \
	"('patched', '0x0', 1)"
case $(uname -m) in
x86_64)
	is "patch, memory" $so "patches[0]['memory_bytes'], patches[0]['memory_code'][0]" \
		"('cc', 'int3')"
	first=$(objdump -d --no-show-raw-insn -M intel $so | awk '/<patched>:/ { getline
		sub(/^[^\t]*\t/, ""); gsub(/ +/, " "); sub(/,.*/, ""); print; exit }')
	is "patch, file" $so "patches[0]['file_code'][0].split(',')[0]" "${first% }"
	;;
esac
if [ -z "${REPLAY:-}" ]; then	# without a disassembler: the bytes, and what to install
	mkdir -p nolib
	for name in $(grep -aoE 'libcapstone\.so\.[0-9]+' "$vmatlas" | sort -u); do
		: >"nolib/$name"
	done
	cp doc full
	LD_LIBRARY_PATH=$PWD/nolib "$vmatlas" cow "$pid" --json >doc || bad "no disassembler: exit $?"
	is "no disassembler" $so "[k for k in patches[0] if 'missing' in k], patches[0]['file_code'], \
any('install the package libcapstone' in w['message'] for w in d['warnings'])" "([], None, True)"
	LD_LIBRARY_PATH=$PWD/nolib "$vmatlas" cow "$pid" >text || bad "no disassembler: exit $?"
	grep -q 'does not offer' text && bad "the kernel is blamed: $(cat text)"
	mv full doc
fi
is "by section" $so "[s['copied'] for s in f['sections'] if s['name'] == '.text'][0] > 0" True
is "bytes" $so "f['copied'] == sum((v['states'].get('copy', 0)) * 4096 for v in vmas)" True
ask cow >text || bad "cow: exit $?"
for word in 'by relocation (' 'by writes to data' 'by clearing the end of data' 'by patched code' \
	'its bytes are those of the file now' 'now.so!patched+0x0'; do
	grep -q -- "$word" text || bad "text: no '$word' in: $(cat text)"
done
ask cow --files --raw -o file,code_patch | grep -q '^now.so 4096$' ||
	bad "--files --raw: $(ask cow --files --raw -o file,code_patch)"
ask cow --no-causes --json >doc
python3 -c "
import json
d = json.load(open('doc'))
assert 'files' not in d and all(v['causes'] is None for v in d['vmas'])" || bad "--no-causes"
stop

# Forecast and process: page by page the same, but for what was written afterwards.
start ./now write patch
[ -z "${REPLAY:-}" ] || take snap "$vmatlas"
ask elf --pages --json >doc || bad "elf: exit $?"
"$top/tests/cli/validate.py" elf doc
case $? in 0 | 77) ;; *) bad "elf: see above" ;; esac
cat >elf.py <<'END'
import json, sys

d = json.load(open("doc"))
o = {x["path"].rsplit("/", 1)[-1]: x for x in d["objects"]}
for x in o.values():
    assert x["agrees"] + x["later"] == x["copied"], x
    assert x["agrees"] + x["not_copied"] == x["foretold"], x
    assert len(x["pages"]) == x["agrees"] + x["later"] + x["not_copied"], x
so, main = o["now.so"], o["now"]
assert main["vmas_found"] == main["vmas_foretold"] > 4, main
assert so["vmas_found"] < so["vmas_foretold"], so	# code was cut to be patched
assert so["not_copied"] == main["not_copied"] == 0, (so, main)
later = [p for p in so["pages"] if p["verdict"] == "later"]
assert sorted(p["causes"] for p in later) == [["code-patch"], ["data-write"]], later
assert so["later"] == 2 and so["foretold"] >= 3, so
assert "1 written by the program, 1 with patched code" in so["explanation"], so
assert "1 VMA cut, changed or unmapped since" in so["explanation"], so
assert main["explanation"] == "as foretold" and main["later"] == 0, main
assert d["file"] == main["path"], d["file"]
END
python3 elf.py || bad "elf of a process: $(head -c 3000 doc)"
ask elf >text || bad "elf: exit $?"
grep -q '^now.so .*1 written by the program, 1 with patched code' text || bad "elf: $(cat text)"
stop

# Statics are found in a separate debug file only.
cp now.so full.so
objcopy --only-keep-debug now.so now.debug
strip --strip-all -o bare.so now.so
objcopy --add-gnu-debuglink=now.debug bare.so linked.so
mv bare.so now.so
start ./now
look
is "stripped" now.so "'relocated' in names('relocation')" False
stop
cp linked.so new.so && mv new.so now.so
start ./now
look
is "debug file" now.so "'relocated' in names('relocation')" True
stop

# Relocated code.
printf '\t.text\n\t.globl f\nf:\t.quad outer\n\t.quad f\n' >text.s
if $CC -shared -nostdlib -Wl,-z,notext -o text.so text.s 2>/dev/null; then
	echo 'extern char f[]; int puts(const char *); int pause(void); int fflush(void *);
	int outer; int main(void) { puts("ready"); fflush(0); pause(); return f[0]; }' >t.c
	$CC -o text t.c ./text.so -Wl,-rpath,"$work" -rdynamic || exit 99
	start ./text
	look
	is "relocated code" text.so "pages('relocation') >= 1, patches" "(True, [])"
	is "its kinds" text.so "c['relocation']['kinds'].get('symbolic', 0)" 2
	stop
fi

# A library that was replaced: through its link in map_files the mapped one is still read.
cp full.so now.so
start ./now write
$CC -O2 -shared -fPIC -o other.so lib.c && cp other.so new.so && mv new.so now.so || exit 99
look
is "replaced" now.so "'written' in names('data-write')" True
stop

# Written in place: the inode is the same, so only its time tells. (Cut to nothing first, all
# pages would go, copies too.)
cp full.so now.so
start ./now write
sleep 2.2
dd if=other.so of=now.so conv=notrunc status=none
look
is "in place" now.so "any('modified after the process began' in w['message'] for w in d['warnings'])" \
	True
stop
cp full.so now.so
start ./now write
look
is "not in place" now.so "[w for w in d['warnings'] if 'now.so' in w['message']]" "[]"
stop

# Without privilege only the name is left: another file there, or none, explains nothing.
if command -v setpriv >/dev/null; then
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	chmod 755 "$work"
	cp "$vmatlas" seen
	mkdir -m 777 open
	for file in other gone; do
		reason=file-gone
		[ $file = gone ] || reason=other-file
		cp full.so now.so
		chmod 755 now.so now
		start $as_nobody ./now write
		$CC -O2 -shared -fPIC -Wl,--build-id=sha1 -o other.so lib.c || exit 99
		if [ $file = other ]; then mv other.so now.so; else rm now.so; fi
		$as_nobody ./seen cow "$pid" --json >doc 2>err || bad "$file: $(cat err)"
		if [ -n "${REPLAY:-}" ]; then
			mv doc live
			take open/snap $as_nobody ./seen
			ask cow --json >doc || bad "cow: exit $?"
			"$top/tests/live/replay_same.py" live doc || bad "$file: replay differs"
		fi
		is "$file: pages" now.so "pages('unknown') == sum(v['states'].get('copy', 0) for v in vmas) > 3" True
		is "$file: no other cause" now.so "list(c)" "['unknown']"
		is "$file: reason" now.so "list(c['unknown']['reasons'])" "['$reason']"
		[ $file = gone ] || is "$file: warning" now.so \
			"any('not the mapped one' in w['message'] for w in d['warnings'])" True
		stop
	done
fi
cp full.so now.so

# Packed relative relocations.
if $CC -g -O1 -shared -fPIC -Wl,-z,pack-relative-relocs -o now.so lib.c 2>/dev/null &&
   readelf -dW now.so | grep -q RELRSZ; then
	start ./now
	look
	is "RELR" now.so "c['relocation']['kinds']['relative'] >= 512, names('relocation')[0]" \
		"(True, 'relocated')"
	stop
fi

# C++ names.
if command -v c++ >/dev/null; then
	cat >cxx.cc <<'END'
#include <cstdio>
#include <unistd.h>
namespace space { volatile int number[2000] = { 1 }; }
int main() { space::number[1000] = 5; std::puts("ready"); std::fflush(nullptr); pause(); }
END
	c++ -O1 -o cxx cxx.cc && {
		start ./cxx
		look
		is "C++" cxx "[s['demangled'] for s in c['data-write']['symbols'] \
			if s['name'] == '_ZN5space6numberE']" "['space::number']"
		stop
	}
fi
exit $fail
