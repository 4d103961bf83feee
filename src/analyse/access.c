// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/access.h"

static void step(struct access_verdict *verdict, enum access_step what)
{
	if (verdict->step_count < ACCESS_STEPS_MAX)
		verdict->steps[verdict->step_count++] = (uint8_t)what;
}

static void outcome(struct access_verdict *verdict, enum effect effect, enum certainty certainty)
{
	verdict->effect = effect;
	verdict->certainty = certainty;
	step(verdict, STEP_OUTCOME);
}

static bool right_missing(uint8_t perms, enum touch touch)
{
	static const uint8_t needed[TOUCH_MAX] = {
		[TOUCH_READ] = VMA_READ | VMA_WRITE | VMA_EXEC,
		[TOUCH_WRITE] = VMA_WRITE,
		[TOUCH_EXEC] = VMA_EXEC,
	};

	return !(perms & needed[touch]);
}

/* The kernel expands the stack before it looks at the rights of the access. */
static void predict_growth(const struct access_evidence *evidence, enum touch touch,
			   struct access_verdict *verdict)
{
	const struct growth_verdict *growth = &evidence->growth;

	step(verdict, STEP_GROWTH);
	if (growth->growth == GROWTH_UNKNOWN) {
		outcome(verdict, EFFECT_SEGV_UNMAPPED, CERTAINTY_INFERRED);
	} else if (growth->growth != GROWTH_YES) {
		outcome(verdict, EFFECT_SEGV_UNMAPPED, growth->certainty);
	} else if (right_missing(evidence->above_perms, touch)) {
		step(verdict, STEP_RIGHT);
		outcome(verdict, EFFECT_SEGV_ACCESS, growth->certainty);
	} else {
		outcome(verdict, EFFECT_GROW, growth->certainty);
	}
}

static void predict_unmapped(const struct access_evidence *evidence, enum touch touch,
			     struct access_verdict *verdict)
{
	if (evidence->kind != ADDRESS_USER) {
		step(verdict, STEP_KIND);
		outcome(verdict, EFFECT_SEGV_UNMAPPED, CERTAINTY_OBSERVED);
		return;
	}
	step(verdict, STEP_NO_VMA);
	predict_growth(evidence, touch, verdict);
}

/* Would the access have to fetch the page from a file or object? */
static bool is_first_touch(const struct effect_verdict *next)
{
	return next->reason == REASON_FILE_READ || next->reason == REASON_FILE_WRITE ||
		next->reason == REASON_OBJECT_FAULT ||
		(next->reason == REASON_UFFD_MISSING && next->effect == EFFECT_MONITOR) ||
		next->reason == REASON_HUGETLB_FAULT;
}

/* hugetlb_no_page(): without a reservation each page comes from the pool at the fault. */
static bool pool_is_empty(const struct access_evidence *evidence, const struct state_facts *facts)
{
	return facts->hugetlb && evidence->no_reserve && evidence->pool_known &&
		!evidence->pool_free && evidence->file.cached != FILE_CACHED_YES;
}

/* What the page's own verdict would be if no userfaultfd waited for it. */
static enum effect unmonitored(const struct access_evidence *evidence,
			       const struct state_facts *facts, enum touch touch)
{
	bool write = touch == TOUCH_WRITE;

	if (facts->perms & VMA_SHARED)
		return EFFECT_MAP;
	if (evidence->file.applies)
		return write ? EFFECT_COPY : EFFECT_MAP;
	return write ? EFFECT_ALLOCATE : EFFECT_ZERO;
}

/* userfaultfd looks at the page cache of shmem first: a page that is there is no missing one
 * (shmem_get_folio_gfp(), do_fault()). */
static bool monitor_waits(const struct access_evidence *evidence,
			  const struct effect_verdict *next)
{
	return next->effect == EFFECT_MONITOR &&
		(!evidence->file.applies || evidence->file.cached == FILE_CACHED_NO ||
		 evidence->file.cached == FILE_CACHED_UNKNOWN);
}

static void predict_cache(const struct access_evidence *evidence, enum effect effect,
			  enum certainty known, struct access_verdict *verdict)
{
	const struct file_evidence *file = &evidence->file;

	step(verdict, STEP_CACHE);
	if (file->cached == FILE_CACHED_SWAPPED ||
	    (file->cached == FILE_CACHED_NO && !evidence->shmem))
		outcome(verdict, EFFECT_READ_IN, CERTAINTY_INFERRED);
	else if (file->cached == FILE_CACHED_UNKNOWN)
		outcome(verdict, effect, CERTAINTY_GUESS);
	else
		outcome(verdict, effect, known);
}

static void predict_touch(const struct access_evidence *evidence, const struct state_facts *facts,
			  const struct effect_verdict *next, enum touch touch,
			  struct access_verdict *verdict)
{
	const struct file_evidence *file = &evidence->file;
	enum certainty known = facts->flags_known ? CERTAINTY_OBSERVED : CERTAINTY_INFERRED;
	enum effect effect = next->effect;

	if (file->applies && file->past_end) {
		step(verdict, STEP_PAST_END);
		outcome(verdict, EFFECT_BUS, CERTAINTY_OBSERVED);
		return;
	}
	if (monitor_waits(evidence, next)) {
		step(verdict, STEP_REASON);
		outcome(verdict, EFFECT_MONITOR, next->certainty);
		return;
	}
	if (evidence->minor_monitor && file->cached == FILE_CACHED_YES) {
		step(verdict, STEP_MINOR_MONITOR);
		outcome(verdict, EFFECT_MONITOR, CERTAINTY_OBSERVED);
		return;
	}
	if (pool_is_empty(evidence, facts)) {
		step(verdict, STEP_POOL);
		outcome(verdict, EFFECT_BUS, CERTAINTY_INFERRED);
		return;
	}
	if (effect == EFFECT_MONITOR)
		effect = unmonitored(evidence, facts, touch);
	else
		step(verdict, STEP_REASON);
	if (file->applies && !facts->hugetlb)
		predict_cache(evidence, effect, known, verdict);
	else
		outcome(verdict, effect, next->certainty);
}

/* On x86 an absent page is sought before the right to execute is checked: the end of the file
 * counts first. */
static bool fetch_past_end(const struct access_evidence *evidence, const struct state_facts *facts,
			   const struct page_verdict *page, enum touch touch)
{
	return touch == TOUCH_EXEC && evidence->file.applies && evidence->file.past_end &&
		page->state == STATE_UNTOUCHED && !right_missing(facts->perms, TOUCH_READ);
}

void access_predict(const struct access_evidence *evidence, const struct state_facts *facts,
		    const struct page_verdict *page, enum touch touch,
		    struct access_verdict *verdict)
{
	const struct effect_verdict *next = page ? &page->next[touch] : NULL;
	bool past_end;

	*verdict = (struct access_verdict) { .reason = next ? next->reason : REASON_MAX };
	if (!evidence->mapped) {
		predict_unmapped(evidence, touch, verdict);
		return;
	}
	past_end = fetch_past_end(evidence, facts, page, touch);
	step(verdict, STEP_RIGHT);
	if (next->effect == EFFECT_SEGV_ACCESS && !past_end) {
		outcome(verdict, next->effect, next->certainty);
		return;
	}
	step(verdict, STEP_PAGE);
	if (past_end || is_first_touch(next)) {
		predict_touch(evidence, facts, next, touch, verdict);
		return;
	}
	step(verdict, STEP_REASON);
	outcome(verdict, next->effect, next->certainty);
}
