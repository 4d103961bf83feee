// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "addr_parts.h"
#include "vmatlas/parse/limits.h"

static const char *const touch_verbs[] = {
	[TOUCH_READ] = "reading", [TOUCH_WRITE] = "writing", [TOUCH_EXEC] = "execution",
};

static struct span say_kind(const struct addr_part *p)
{
	if (p->address->kind == ADDRESS_NON_CANONICAL)
		return span_of("the address is not canonical: the processor faults before it looks "
			       "at any table, and the signal tells no address");
	return span_of("the address belongs to the kernel");
}

static struct span say_growth(const struct addr_part *p)
{
	const struct growth_verdict *growth = &p->address->evidence.growth;

	switch (growth->growth) {
	case GROWTH_LIMIT:
		return scratch_printf(p->scratch, "the stack above would have to grow to %" PRIu64
				      " KiB, its limit is %" PRIu64 " KiB", growth->size / 1024,
				      growth->limit / 1024);
	case GROWTH_GAP:
		return scratch_printf(p->scratch, "the stack above may not grow nearer than %"
				      PRIu64 " KiB to the mapping below", growth->gap / 1024);
	case GROWTH_YES:
		return scratch_printf(p->scratch, "the stack above grows down, to %" PRIu64
				      " KiB, which its limit allows", growth->size / 1024);
	default:
		return span_of(name_meaning(growth_names, growth->growth));
	}
}

static struct span say_right(const struct addr_part *p, enum touch touch)
{
	const struct access_verdict *access = &p->address->access[touch];
	uint8_t perms = p->vma ? p->vma->perms : p->address->evidence.above_perms;
	const char *sharing = perms & VMA_SHARED ? "shared" : "private";
	static const char *const may[] = { "readable", "writable", "executable" };

	if (access->effect == EFFECT_SEGV_ACCESS)
		return scratch_printf(p->scratch, "the VMA is %s and does not allow %s", sharing,
				      touch_verbs[touch]);
	if (!(perms & (VMA_READ | VMA_WRITE | VMA_EXEC)))
		return scratch_printf(p->scratch, "the VMA is %s", sharing);
	if (touch == TOUCH_READ && !(perms & VMA_READ))
		return scratch_printf(p->scratch, "the VMA is %s and not readable by its rights, "
				      "which the processor does not check", sharing);
	if (touch == TOUCH_WRITE && !(perms & VMA_WRITE))
		return scratch_printf(p->scratch, "the VMA is %s and not writable", sharing);
	if (touch == TOUCH_EXEC && !(perms & VMA_EXEC) && p->view->ctx->geometry->executes_all)
		return scratch_printf(p->scratch, "the VMA is %s and not executable by its rights, "
				      "which page-table entries here have no bit for", sharing);
	if (touch == TOUCH_EXEC && !(perms & VMA_EXEC))
		return scratch_printf(p->scratch, "the VMA is %s and not executable, which is "
				      "checked only once a page is there", sharing);
	return scratch_printf(p->scratch, "the VMA is %s and %s", sharing, may[touch]);
}

/* What follows "the page is". */
static const char *const page_phrases[STATE_MAX] = {
	[STATE_UNTOUCHED] = "not mapped yet",
	[STATE_ZERO] = "the shared zero page",
	[STATE_ANON] = "anonymous",
	[STATE_ANON_SHARED] = "anonymous",
	[STATE_FILE] = "the file's own",
	[STATE_COPY] = "a private copy of the file's",
	[STATE_COPY_SHARED] = "a private copy of the file's",
	[STATE_OBJECT] = "the shared object's",
	[STATE_KSM] = "merged by KSM",
	[STATE_SWAP] = "in a swap slot",
	[STATE_GUARD] = "a guard region",
	[STATE_MARKER] = "not mapped, but marked (userfaultfd write protection or poison)",
	[STATE_MIGRATING] = "being migrated, or a device's, or poisoned",
	[STATE_KERNEL] = "provided by the kernel",
	[STATE_OPAQUE] = "not visible in pagemap",
	[STATE_UNKNOWN] = "not known",
};

struct span phrase_page(const struct addr_part *p)
{
	const struct page_verdict *verdict = &p->address->page.verdict;
	const char *what = page_phrases[verdict->state];

	if (p->address->page.run.kind != PAGE_PRESENT || verdict->state == STATE_ZERO ||
	    !verdict->mappings_known)
		return span_of(what);
	if (verdict->mappings == 1)
		return scratch_printf(p->scratch, "%s, mapped once", what);
	return scratch_printf(p->scratch, "%s, mapped %" PRIu32 " times", what,
			      verdict->mappings);
}

static struct span say_cache(const struct addr_part *p)
{
	const struct file_evidence *file = &p->address->evidence.file;
	bool shmem = p->address->evidence.shmem;

	switch (file->cached) {
	case FILE_CACHED_YES:
		return span_of("the page cache has the page");
	case FILE_CACHED_NO:
		return span_of(shmem ? "the object has no page there yet" :
			       "the page cache does not have the page");
	case FILE_CACHED_SWAPPED:
		return span_of("the object's page is in swap");
	default:
		return scratch_printf(p->scratch, "whether the page cache has the page is not "
				      "known (%s)", gap_phrase(file->cached_gap));
	}
}

/* The codes of predict.c, where they say more than the other links do. */
static struct span say_reason(enum effect_reason reason)
{
	switch (reason) {
	case REASON_PRESENT:
	case REASON_NO_RIGHT:
	case REASON_MAPPED_MORE:
	case REASON_FILE_READ:
		return span_of(NULL);
	case REASON_FILE_WRITE:
		return span_of("the first write to a private file page copies it at once");
	default:
		return span_of(name_meaning(effect_reason_names, reason));
	}
}

static struct span say_copy(const struct addr_part *p)
{
	const struct page_verdict *verdict = &p->address->page.verdict;
	bool anonymous = verdict->state == STATE_ANON_SHARED ||
		verdict->state == STATE_COPY_SHARED;

	if (anonymous && verdict->mappings_known && verdict->mappings == 2)
		return span_of("the kernel will copy it; the other keeps the old frame");
	if (anonymous)
		return span_of("the kernel will copy it; the others keep the old frame");
	if (verdict->state == STATE_KSM)
		return span_of("the kernel will copy it; the merged page stays as it is");
	return span_of("the kernel will copy it into private memory; the file stays as it is");
}

static struct span say_read_in(const struct addr_part *p)
{
	if (p->address->page.run.kind == PAGE_SWAP ||
	    p->address->evidence.file.cached == FILE_CACHED_SWAPPED)
		return span_of("the kernel reads it back from swap: a major fault, unless the "
			       "swap cache still has it");
	return span_of("the kernel reads it from the file: a major fault");
}

static struct span say_outcome(const struct addr_part *p, enum touch touch)
{
	switch (p->address->access[touch].effect) {
	case EFFECT_SEGV_UNMAPPED:
		return span_of(p->address->kind == ADDRESS_NON_CANONICAL ?
			       "SIGSEGV (SI_KERNEL)" : "SIGSEGV (SEGV_MAPERR)");
	case EFFECT_SEGV_ACCESS:
		return span_of("SIGSEGV (SEGV_ACCERR)");
	case EFFECT_BUS:
		return span_of("SIGBUS");
	case EFFECT_MONITOR:
		return span_of("the thread waits until the userfaultfd monitor answers");
	case EFFECT_GROW:
		return span_of("the kernel extends the VMA and maps a new page: a minor fault");
	case EFFECT_READ_IN:
		return say_read_in(p);
	case EFFECT_COPY:
		return say_copy(p);
	case EFFECT_ZERO:
		return span_of("the kernel maps the shared zero page: a minor fault");
	case EFFECT_ALLOCATE:
		return span_of("the kernel maps a new page of zeros: a minor fault");
	case EFFECT_MAP:
		return span_of("the kernel maps the object's page: a minor fault");
	case EFFECT_IN_PLACE:
		return span_of("the page stays where it is: at most a minor fault");
	case EFFECT_NONE:
		return span_of("no fault");
	default:
		return span_of("nothing can say what happens");
	}
}

struct span phrase_access_step(const struct addr_part *p, enum touch touch, enum access_step step)
{
	switch (step) {
	case STEP_KIND:
		return say_kind(p);
	case STEP_NO_VMA:
		return span_of("no VMA holds the address");
	case STEP_GROWTH:
		return say_growth(p);
	case STEP_RIGHT:
		return say_right(p, touch);
	case STEP_PAGE:
		return scratch_printf(p->scratch, "the page is %s", phrase_page(p).ptr);
	case STEP_REASON:
		return say_reason(p->address->access[touch].reason);
	case STEP_PAST_END:
		return span_of("the page lies beyond the end of the file");
	case STEP_CACHE:
		return say_cache(p);
	case STEP_MINOR_MONITOR:
		return span_of("userfaultfd waits for pages that are cached but not mapped");
	case STEP_POOL:
		return span_of("the pool has no free huge page, and none was reserved");
	case STEP_OUTCOME:
		return say_outcome(p, touch);
	default:
		return span_of(NULL);
	}
}

struct span phrase_access(const struct addr_part *p, enum touch touch)
{
	const struct access_verdict *access = &p->address->access[touch];
	struct span all = span_of("");

	for (unsigned i = 0; i < access->step_count; i++) {
		struct span text = phrase_access_step(p, touch, access->steps[i]);

		if (text.len)
			all = scratch_printf(p->scratch, "%.*s%s%.*s", (int)all.len, all.ptr,
					     all.len ? "; " : "", (int)text.len, text.ptr);
	}
	return all;
}
