// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recorded.h"

#include <elf.h>

#include "vmatlas/analyse/classify.h"
#include "vmatlas/render/phrases.h"

static const struct vma *vma_at(const struct recorded *r, uint64_t address)
{
	uint32_t next, vma = process_find(r->process, address, &next);

	return vma == VMA_NONE ? NULL : &r->process->vmas[vma];
}

/* "D/heap anon" of the VMA at the address. */
static const char *verdict(const struct recorded *r, uint64_t address)
{
	static char text[128];
	const struct vma *vma = vma_at(r, address);

	if (!vma)
		return "none";
	snprintf(text, sizeof(text), "%s/%s %s %s", vma_class_names[vma->vma_class].name,
		 vma_role_names[vma->role].name, vma_backing_names[vma->backing].name,
		 certainty_name(vma->certainty));
	return text;
}

struct line {
	const char *perms;
	const char *name;
	const char *want;
	int tid;
};

/* Each on pages of its own, with holes between. */
static const struct line lines[] = {
	{ "rw-p", "00:00 0 [heap]", "D/heap anon observed", 0 },
	{ "---p", "00:00 0 [heap]", "G/reserved anon observed", 0 },
	{ "rw-p", "00:00 0 [stack]", "P/stack anon observed", 0 },
	{ "rw-p", "00:00 0 [stack:4242]", "T/thread-stack anon observed", 4242 },
	{ "r-xp", "00:00 0 [vdso]", "X/vdso kernel observed", 0 },
	{ "r--p", "00:00 0 [vvar]", "X/vvar kernel observed", 0 },
	{ "r--p", "00:00 0 [vvar_vclock]", "X/vvar kernel observed", 0 },
	{ "--xp", "00:00 0 [uprobes]", "X/uprobes kernel observed", 0 },
	{ "r-xp", "00:00 0 [uprobes-trampoline]", "X/uprobes kernel observed", 0 },
	{ "r-xp", "00:00 0 [sigpage]", "X/kernel kernel inferred", 0 },
	{ "r-xp", "00:00 0 [of-a-later-kernel]", "X/kernel kernel inferred", 0 },
	{ "rw-p", "00:00 0 [anon: glibc: pthread stack: 77]", "T/thread-stack anon observed", 77 },
	{ "rw-p", "00:00 0 [anon: glibc: pthread user stack: 78]",
	  "T/thread-stack anon observed", 78 },
	{ "rw-p", "00:00 0 [anon: glibc: unused stack]", "T/thread-stack anon observed", 0 },
	{ "rw-p", "00:00 0 [anon:stack_and_tls:79]", "T/thread-stack anon observed", 79 },
	{ "rw-p", "00:00 0 [anon: glibc: malloc arena]", "D/arena anon observed", 0 },
	{ "---p", "00:00 0 [anon: glibc: malloc arena]", "G/reserved anon observed", 0 },
	{ "rw-p", "00:00 0 [anon: glibc: malloc]", "D/malloc-large anon observed", 0 },
	{ "rw-p", "00:00 0 [anon: glibc: .bss /lib/x.so]", "M/bss anon observed", 0 },
	{ "---p", "00:00 0 [anon:thread stack guard]", "G/reserved anon observed", 0 },
	{ "rw-p", "00:00 0 [anon:dalvik main space]", "D/anon anon observed", 0 },
	{ "r-xp", "00:00 0 [anon:dalvik-jit-code-cache]", "D/jit anon observed", 0 },
	{ "rw-s", "00:01 9 [anon_shmem:shared]", "D/anon shmem observed", 0 },
	{ "rw-s", "00:01 1025 /dev/zero (deleted)", "D/anon shmem observed", 0 },
	{ "---s", "00:01 1026 /dev/zero (deleted)", "G/reserved shmem inferred", 0 },
	{ "rw-p", "00:06 4 /dev/zero", "D/anon anon observed", 0 },
	{ "rw-s", "00:01 7 /SYSV0000002a (deleted)", "M/sysv shmem observed", 0 },
	{ "rw-s", "00:1a 3 /dev/shm/sem.x", "M/shm shmem observed", 0 },
	{ "rw-s", "00:01 5 /memfd:a name (deleted)", "M/memfd shmem observed", 0 },
	{ "rw-s", "00:01 6 /memfd:jit (deleted)", "D/jit shmem inferred", 0 },
	{ "r-xs", "00:01 6 /memfd:jit (deleted)", "D/jit shmem inferred", 0 },
	{ "r-xs", "00:01 8 /memfd:no twin (deleted)", "M/memfd shmem observed", 0 },
	{ "rw-p", "00:0f 11 /anon_hugepage (deleted)", "D/anon hugetlb observed", 0 },
	{ "rw-s", "00:1f 12 /dev/hugepages/x", "M/hugetlb hugetlb observed", 0 },
	{ "rw-s", "00:08 13 /secretmem (deleted)", "M/secretmem shmem observed", 0 },
	{ "rw-s", "00:0e 14 anon_inode:[perf_event]", "X/ring kernel observed", 0 },
	{ "rw-s", "00:0e 14 anon_inode:[io_uring]", "X/ring kernel observed", 0 },
	{ "rw-s", "00:0e 15 /[aio] (deleted)", "X/ring kernel observed", 0 },
	{ "rw-s", "00:09 16 socket:[4711]", "X/ring kernel observed", 0 },
	{ "rw-s", "00:0e 17 anon_inode:kvm-vcpu:0", "X/kernel kernel inferred", 0 },
	{ "rw-s", "00:06 18 /dev/dri/card0", "M/device device observed", 0 },
	{ "r--p", "08:01 19 /usr/share/zoneinfo/UTC", "M/file file observed", 0 },
	{ "rw-s", "08:01 20 /var/x (deleted)", "M/file file observed", 0 },
	{ "rwxp", "00:00 0", "D/jit anon inferred", 0 },
	{ "r--p", "00:00 0", "D/anon anon guess", 0 },
};

#define LINE_ADDRESS(i) (0x10000000ull + 0x100000ull * (i))

static void check_names(void)
{
	struct recorded CLEANUP(recorded_done) r = { 0 };
	struct buf CLEANUP(buf_done) text = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		buf_addf(&text, "%08llx-%08llx %s 00000000 %s\n",
			 (unsigned long long)LINE_ADDRESS(i),
			 (unsigned long long)LINE_ADDRESS(i) + 0x2000, lines[i].perms,
			 lines[i].name);
	buf_addf(&text, "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n");
	recorded_load(&r, buf_str(&text));
	CHECK(classify_process(r.process, NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct vma *vma = vma_at(&r, LINE_ADDRESS(i));

		if (strcmp(verdict(&r, LINE_ADDRESS(i)), lines[i].want))
			printf("%s %s:\n", lines[i].perms, lines[i].name);
		CHECK_STR(verdict(&r, LINE_ADDRESS(i)), lines[i].want);
		CHECK_U64(vma->tid, lines[i].tid);
	}
	CHECK_STR(verdict(&r, 0xffffffffff600000), "X/vsyscall kernel observed");
}

/* Every VMA has a sentence, whatever the rule. */
static void check_phrases(void)
{
	struct recorded CLEANUP(recorded_done) r = { 0 };
	struct scratch *scratch = scratch_new();

	recorded_load(&r, "00400000-00401000 r-xp 00000000 08:01 1 /a\n");
	for (int rule = RULE_NONE + 1; rule < RULE_MAX; rule++) {
		struct vma vma = r.process->vmas[0];

		if (rule >= RULE_ELF_TEXT && rule <= RULE_ELF_RELRO)
			continue;
		vma.rule = (uint16_t)rule;
		if (!phrase_reason(r.process, &vma, scratch).len)
			printf("rule %d:\n", rule);
		CHECK(phrase_reason(r.process, &vma, scratch).len > 0);
	}
	scratch_free(scratch);
}

static void check_stacks(void)
{
	struct recorded CLEANUP(recorded_done) r = { 0 };

	/* A closed page and 8 MiB; an arena with its tail, one whose tail merged with more, a
	 * reservation that only begins like one. */
	recorded_load(&r, "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
			  "7f0000021000-7f0004000000 ---p 00000000 00:00 0 \n"
			  "7f0010000000-7f0010021000 rw-p 00000000 00:00 0 \n"
			  "7f0010021000-7f0080000000 ---p 00000000 00:00 0 \n"
			  "7f1000000000-7f1000001000 ---p 00000000 00:00 0 \n"
			  "7f1000001000-7f1000801000 rw-p 00000000 00:00 0 \n"
			  "7f1100000000-7f1100001000 ---p 00000000 00:00 0 \n"
			  "7f1100001000-7f1100005000 rw-p 00000000 00:00 0 \n"
			  "7ffc00000000-7ffc00001000 ---p 00000000 00:00 0 \n"
			  "7ffc00001000-7ffc00021000 rw-p 00000000 00:00 0 [stack]\n");
	CHECK(classify_process(r.process, NULL) == 0);
	CHECK_STR(verdict(&r, 0x7f0000000000), "D/arena anon inferred");
	CHECK_STR(verdict(&r, 0x7f0000021000), "G/reserved anon inferred");
	CHECK_U64(vma_at(&r, 0x7f0000021000)->owner, 0);
	CHECK_STR(verdict(&r, 0x7f0010000000), "D/anon anon guess");
	CHECK_STR(verdict(&r, 0x7f0010021000), "G/reserved anon inferred");
	CHECK_STR(verdict(&r, 0x7f1000001000), "T/thread-stack anon guess");
	CHECK_STR(verdict(&r, 0x7f1000000000), "G/guard anon inferred");
	CHECK_STR(verdict(&r, 0x7f1100001000), "D/anon anon guess");
	CHECK_STR(verdict(&r, 0x7f1100000000), "G/guard anon guess");
	CHECK_STR(verdict(&r, 0x7ffc00000000), "G/guard anon inferred");
	CHECK_U64(vma_at(&r, 0x7ffc00000000)->owner, 9);
}

/* bss up to 0x604000 in front of other memory, of which `end` tells how much. */
static void merged(struct recorded *r, const char *tail, bool heap)
{
	static struct elf_segment segments[] = {
		{ PT_LOAD, PF_R | PF_X, 0, 0x400000, 0x400000, 0x1000, 0x1000, 0x1000 },
		{ PT_LOAD, PF_R | PF_W, 0x1000, 0x601000, 0x601000, 0x800, 0x3000, 0x1000 },
	};
	struct buf CLEANUP(buf_done) text = BUF_INIT;
	struct elf_image *image = calloc(1, sizeof(*image));
	struct object *program;

	buf_addf(&text, "00400000-00401000 r-xp 00000000 08:01 1 /bin/p\n"
			"00601000-00602000 rw-p 00001000 08:01 1 /bin/p\n%s", tail);
	recorded_load(r, buf_str(&text));
	image->type = ET_EXEC;
	image->is_64 = true;
	image->segments = malloc(sizeof(segments));
	memcpy(image->segments, segments, sizeof(segments));
	image->segment_count = 2;
	program = &r->process->objects[0];
	program->elf = image;
	program->bias_known = program->is_program = true;
	r->process->vmas[0].segment = 1;
	r->process->vmas[1].segment = 2;
	if (heap) {
		r->process->has_stat = r->process->stat.addresses_known = true;
		r->process->stat.start_brk = 0x604000;
	}
	CHECK(classify_process(r->process, NULL) == 0);
}

static void check_merged(void)
{
	static const struct {
		const char *tail;
		bool heap;
		const char *want;
		enum vma_role second;
	} cases[] = {
		{ "00602000-00604000 rw-p 00000000 00:00 0 \n", false,
		  "D/bss anon observed", ROLE_MAX },
		{ "00602000-00605000 rw-p 00000000 00:00 0 [heap]\n", true, "D/bss anon inferred",
		  ROLE_HEAP },
		{ "00602000-00605000 rwxp 00000000 00:00 0 \n", true, "D/bss anon inferred",
		  ROLE_HEAP },
		{ "00602000-00704000 rw-p 00000000 00:00 0 [heap]\n", true, "D/heap anon inferred",
		  ROLE_BSS },
		{ "00602000-00704000 rw-p 00000000 00:00 0 \n", false, "D/anon anon inferred",
		  ROLE_BSS },
		{ "00604000-00704000 rw-p 00000000 00:00 0 [heap]\n", true, "D/heap anon observed",
		  ROLE_MAX },
		{ "00605000-00704000 rw-p 00000000 00:00 0 \n", false, "D/anon anon guess",
		  ROLE_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct recorded CLEANUP(recorded_done) r = { 0 };

		merged(&r, cases[i].tail, cases[i].heap);
		CHECK_STR(verdict(&r, r.process->vmas[2].start), cases[i].want);
		CHECK_U64(r.process->vmas[2].role_second, cases[i].second);
		CHECK_STR(verdict(&r, 0x601000), "S/data file observed");
	}
}

/* The getters index the tables by value. */
static void check_tables(void)
{
	for (size_t i = 0; i < VMA_CLASS_MAX; i++)
		CHECK_U64(vma_class_names[i].value, i);
	for (size_t i = 0; i < ROLE_MAX; i++)
		CHECK_U64(vma_role_names[i].value, i);
	for (size_t i = 0; i < BACKING_MAX; i++)
		CHECK_U64(vma_backing_names[i].value, i);
	CHECK(!vma_role_names[ROLE_MAX].name && !vma_class_names[VMA_CLASS_MAX].name);
}

int main(void)
{
	check_tables();
	check_names();
	check_phrases();
	check_stacks();
	check_merged();
	TEST_END;
}
