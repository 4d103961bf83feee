// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "diff_row.h"

#define ANY 255

struct meaning {
	uint8_t from, to;
	uint8_t frame;		/* enum compare_frame, ANY */
	const char *text;
};

/* The first that fits. */
static const struct meaning meanings[] = {
	{ STATE_UNMAPPED, STATE_UNTOUCHED, ANY, "new address space, not touched" },
	{ STATE_UNMAPPED, ANY, ANY, "in new address space" },
	{ ANY, STATE_UNMAPPED, ANY, "no address space any more" },
	{ STATE_ANON, STATE_ANON, FRAME_OTHER, "migrated, or given back and touched again" },
	{ STATE_COPY, STATE_COPY, FRAME_OTHER, "migrated, or discarded and copied again" },
	{ STATE_FILE, STATE_FILE, FRAME_OTHER, "migrated, or read again" },
	{ STATE_OBJECT, STATE_OBJECT, FRAME_OTHER, "migrated, or replaced" },
	{ STATE_ANON_SHARED, STATE_ANON_SHARED, FRAME_OTHER, "copied since, and shared again" },
	{ STATE_COPY_SHARED, STATE_COPY_SHARED, FRAME_OTHER, "copied since, and shared again" },
	{ STATE_UNTOUCHED, STATE_ANON, ANY, "first touched" },
	{ STATE_UNTOUCHED, STATE_ANON_SHARED, ANY, "first touched, then shared by a fork" },
	{ STATE_UNTOUCHED, STATE_ZERO, ANY, "first read: the zero page" },
	{ STATE_UNTOUCHED, STATE_FILE, ANY, "first touched, or mapped around a fault" },
	{ STATE_UNTOUCHED, STATE_OBJECT, ANY, "first touched, or mapped around a fault" },
	{ STATE_UNTOUCHED, STATE_COPY, ANY, "first touched by a write" },
	{ STATE_UNTOUCHED, STATE_KERNEL, ANY, "first touched" },
	{ STATE_KERNEL, STATE_UNTOUCHED, ANY, "no longer mapped" },
	{ STATE_UNTOUCHED, STATE_SWAP, ANY, "touched, then swapped out" },
	{ STATE_ANON_SHARED, STATE_ANON, FRAME_OTHER, "copied since" },
	{ STATE_ANON_SHARED, STATE_ANON, FRAME_SAME,
	  "its own now: the others copied it or are gone" },
	{ STATE_ANON_SHARED, STATE_ANON, ANY, "copied since, or the others are gone" },
	{ STATE_COPY_SHARED, STATE_COPY, FRAME_OTHER, "copied since" },
	{ STATE_COPY_SHARED, STATE_COPY, FRAME_SAME,
	  "its own now: the others copied it or are gone" },
	{ STATE_COPY_SHARED, STATE_COPY, ANY, "copied since, or the others are gone" },
	{ STATE_ANON, STATE_ANON_SHARED, ANY, "shared by a fork since" },
	{ STATE_COPY, STATE_COPY_SHARED, ANY, "shared by a fork since" },
	{ STATE_ZERO, STATE_ANON, ANY, "written since" },
	{ STATE_FILE, STATE_COPY, ANY, "written since" },
	{ STATE_FILE, STATE_COPY_SHARED, ANY, "written since, then shared by a fork" },
	{ STATE_COPY, STATE_FILE, ANY, "copy discarded: the file's page again" },
	{ STATE_KSM, STATE_ANON, ANY, "unmerged: written since, or split by KSM" },
	{ ANY, STATE_KSM, ANY, "merged by KSM" },
	{ STATE_SWAP, STATE_UNTOUCHED, ANY, "given back" },
	{ STATE_SWAP, STATE_GUARD, ANY, "guarded since" },
	{ STATE_SWAP, ANY, ANY, "swapped in" },
	{ ANY, STATE_SWAP, ANY, "swapped out" },
	{ STATE_ANON, STATE_UNTOUCHED, ANY, "given back" },
	{ STATE_ANON_SHARED, STATE_UNTOUCHED, ANY, "given back" },
	{ STATE_ZERO, STATE_UNTOUCHED, ANY, "given back" },
	{ STATE_COPY, STATE_UNTOUCHED, ANY, "copy discarded" },
	{ STATE_COPY_SHARED, STATE_UNTOUCHED, ANY, "copy discarded" },
	{ STATE_FILE, STATE_UNTOUCHED, ANY, "no longer mapped: reclaimed or given back" },
	{ STATE_OBJECT, STATE_UNTOUCHED, ANY, "no longer mapped: reclaimed or given back" },
	{ STATE_GUARD, ANY, ANY, "guard taken away" },
	{ ANY, STATE_GUARD, ANY, "guarded since" },
	{ ANY, STATE_MARKER, ANY, "marked by userfaultfd or as poisoned" },
	{ STATE_MARKER, ANY, ANY, "marker taken away" },
	{ ANY, STATE_MIGRATING, ANY, "being migrated" },
	{ STATE_MIGRATING, ANY, ANY, "migrated" },
};

/* Two that live side by side, laid out alike: nothing became of the other. */
static const struct meaning fork_meanings[] = {
	{ STATE_ANON, STATE_ANON, FRAME_OTHER, "each has its own: one of them wrote" },
	{ STATE_COPY, STATE_COPY, FRAME_OTHER, "each has its own: one of them wrote" },
	{ STATE_ANON_SHARED, STATE_ANON, FRAME_OTHER, "copied" },
	{ STATE_COPY_SHARED, STATE_COPY, FRAME_OTHER, "copied" },
	{ STATE_FILE, STATE_UNTOUCHED, ANY, "not touched there: fork leaves tables of files out" },
	{ STATE_OBJECT, STATE_UNTOUCHED, ANY,
	  "not touched there: fork leaves tables of files out" },
	{ STATE_FILE, STATE_FILE, FRAME_OTHER, "of another file or filesystem" },
};

static bool fits(const struct meaning *meaning, const struct compare_transition *transition)
{
	return (meaning->from == ANY || meaning->from == transition->from) &&
	       (meaning->to == ANY || meaning->to == transition->to) &&
	       (meaning->frame == ANY || meaning->frame == transition->frame);
}

const char *diff_meaning(enum compare_kin kin, const struct compare_transition *transition)
{
	if (!transition_changes(transition) && transition->frame != FRAME_OTHER)
		return "";
	/* Of two runs one is not what became of the other. */
	if (kin == KIN_OTHER)
		return transition->from == STATE_UNMAPPED ? "only after" :
		       transition->to == STATE_UNMAPPED ? "only before" : "";
	for (size_t i = 0; kin == KIN_FORK && i < ARRAY_SIZE(fork_meanings); i++)
		if (fits(&fork_meanings[i], transition))
			return fork_meanings[i].text;
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (fits(&meanings[i], transition))
			return meanings[i].text;
	return "";
}

static void add_subject(struct buf *text, const struct process *process, const struct vma *vma)
{
	struct span name = vma_name(process, vma);
	const char *slash = name.len ? memrchr(name.ptr, '/', name.len) : NULL;

	if (slash && slash + 1 < name.ptr + name.len)
		buf_add(text, slash + 1, (size_t)(name.ptr + name.len - slash - 1));
	else if (name.len && name.ptr[0] == '[')
		buf_add_span(text, name);
	else if (!name.len)
		buf_add_str(text, "anonymous memory");
}

static void add_clause(struct buf *text, const char *between)
{
	if (text->len)
		buf_add_str(text, between);
}

static void add_moves(struct buf *text, const struct comparison *comparison,
		      const struct compare_match *match)
{
	char before[5], after[5];

	if (match->changes >> CHANGE_MOVED & 1) {
		add_clause(text, ": ");
		buf_addf(text, "from 0x%llx", (unsigned long long)match->side[BEFORE].start);
	}
	if (match->changes >> CHANGE_PROTECTION & 1) {
		maps_perms_text(comparison->process[BEFORE]->vmas[match->side[BEFORE].vma].perms,
				before);
		maps_perms_text(comparison->process[AFTER]->vmas[match->side[AFTER].vma].perms,
				after);
		add_clause(text, ": ");
		buf_addf(text, "%s -> %s", before, after);
	}
}

#define SAID 3	/* transitions in a sentence */

static bool is_worth_saying(const struct compare_transition *item)
{
	return transition_changes(item) || diff_meaning(KIN_SAME, item)[0];
}

/* The next one with fewer pages than `last`, in order of pages. */
static const struct compare_transition *largest(const struct compare_transition *items,
						uint32_t count, const bool *said)
{
	const struct compare_transition *best = NULL;

	for (uint32_t i = 0; i < count; i++)
		if (!said[i] && is_worth_saying(&items[i]) &&
		    (!best || items[i].pages > best->pages))
			best = &items[i];
	return best;
}

static void add_transitions(struct buf *text, const struct comparison *comparison,
			    const struct compare_row *row, struct scratch *scratch)
{
	const struct compare_transition *items = comparison->pool + row->first, *item;
	bool *said = scratch_alloc(scratch, row->count + 1);

	for (int i = 0; said && i < SAID && (item = largest(items, row->count, said)); i++) {
		const char *meaning = diff_meaning(comparison->map.kin, item);

		said[item - items] = true;
		add_clause(text, i ? "; " : ": ");
		buf_addf(text, "%llu %s -> %s", (unsigned long long)item->pages,
			 compare_state_name(item->from), compare_state_name(item->to));
		if (meaning[0])
			buf_addf(text, ", %s", meaning);
	}
	if (said && largest(items, row->count, said))
		buf_add_str(text, "; ...");
}

struct span diff_sentence(const struct comparison *comparison, size_t index,
			  struct scratch *scratch)
{
	const struct compare_match *match = &comparison->map.matches[index];
	enum compare_side side = match->side[AFTER].vma == VMA_NONE ? BEFORE : AFTER;
	const struct process *process = comparison->process[side];
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	add_subject(&text, process, &process->vmas[match->side[side].vma]);
	if (match->side[BEFORE].vma != VMA_NONE && side == AFTER) {
		add_moves(&text, comparison, match);
		add_transitions(&text, comparison, &comparison->rows[index], scratch);
	}
	return scratch_printf(scratch, "%s", buf_str(&text));
}

static void count_changes(const struct comparison *comparison, size_t counts[CHANGE_MAX])
{
	for (size_t i = 0; i < comparison->map.count; i++)
		counts[compare_change_of(&comparison->map.matches[i])]++;
}

static void add_changes(const struct comparison *comparison, struct buf *text)
{
	static const char *const words[CHANGE_MAX] = {
		[CHANGE_ADDED] = "added", [CHANGE_REMOVED] = "removed", [CHANGE_GROWN] = "grown",
		[CHANGE_SHRUNK] = "shrunk", [CHANGE_MOVED] = "moved",
		[CHANGE_PROTECTION] = "with other permissions", [CHANGE_SPLIT] = "split",
		[CHANGE_MERGED] = "merged", [CHANGE_FILE] = "with another file",
		[CHANGE_FLAGS] = "with other flags",
	};
	size_t counts[CHANGE_MAX] = { 0 };
	const char *between = "VMAs: ";

	count_changes(comparison, counts);
	for (int i = 0; i < CHANGE_SAME; i++)
		if (counts[i]) {
			buf_addf(text, "%s%zu %s", between, counts[i], words[i]);
			between = ", ";
		}
	buf_add_str(text, between[0] == ',' ? ". " : "No VMA came, went or changed. ");
}

static void add_pages(const struct comparison *comparison, struct buf *text)
{
	const struct compare_tally *total = &comparison->total;
	uint64_t changed = 0, moved = 0;

	for (size_t i = 0; i < total->count; i++) {
		if (transition_changes(&total->items[i]))
			changed += total->items[i].pages;
		else if (total->items[i].frame == FRAME_OTHER)
			moved += total->items[i].pages;
	}
	if (comparison->pages_gap != GAP_NONE)
		buf_addf(text, "The state of pages was not compared: %s.",
			 gap_phrase(comparison->pages_gap));
	else
		buf_addf(text, "%llu page%s in another state", (unsigned long long)changed,
			 changed == 1 ? " is" : "s are");
	if (moved)
		buf_addf(text, ", and %llu in the same state in another frame",
			 (unsigned long long)moved);
	buf_add_str(text, comparison->pages_gap == GAP_NONE ? "." : "");
}

void diff_summary(const struct comparison *comparison, struct buf *text)
{
	if (!comparison_differs(comparison)) {
		buf_addf(text, "No difference: %zu VMA%s as before%s.", comparison->map.count,
			 comparison->map.count == 1 ? " is" : "s are",
			 comparison->pages_gap == GAP_NONE ?
			 ", and so is the state of every page" : "");
		if (comparison->pages_gap == GAP_NONE)
			return;
		buf_add_char(text, ' ');
	} else {
		add_changes(comparison, text);
	}
	add_pages(comparison, text);
}
