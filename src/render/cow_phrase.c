// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause_cells.h"
#include "cow_row.h"

/* A sentence in the making: one per row of a table that may have very many, so no buffer that
 * grows. What does not fit is cut: only a file's name can be so long. */
#define SENTENCE_MAX 640

struct sentence {
	char *text;
	size_t len;
};

static void add_bytes(struct sentence *s, const char *bytes, size_t len)
{
	if (len > SENTENCE_MAX - s->len)
		len = SENTENCE_MAX - s->len;
	memcpy(s->text + s->len, bytes, len);
	s->len += len;
}

static void add_text(struct sentence *s, const char *text)
{
	add_bytes(s, text, strlen(text));
}

static void add_number(struct sentence *s, uint64_t value)
{
	char digits[20], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	add_bytes(s, at, (size_t)(digits + sizeof(digits) - at));
}

/* The last part of the object's name, or the role: what the sentence is about. */
static void add_subject(struct sentence *text, const struct cow_row *row)
{
	struct span name = vma_name(row->process, row->vma);
	const char *role = name_of(vma_role_names, row->vma->role);
	const char *slash = name.len ? memrchr(name.ptr, '/', name.len) : NULL;

	if (!slash || row->vma->role == ROLE_FILE) {
		add_text(text, "the ");
		add_text(text, role);
		add_text(text, row->vma->role == ROLE_ANON ? " memory" : "");
		return;
	}
	add_bytes(text, slash + 1, (size_t)(name.ptr + name.len - slash - 1));
	add_text(text, "'s ");
	add_text(text, role);
}

static void add_pages(struct sentence *text, uint64_t pages, const char *one, const char *many)
{
	add_number(text, pages);
	add_text(text, pages == 1 ? one : many);
}

/* How many others map the pages that are private by right but shared in fact. */
static void add_others(struct sentence *text, const struct cow_counts *counts)
{
	uint32_t least = counts->fork_least, most = counts->fork_most;

	if (least < 2) {
		add_text(text, "others");
		return;
	}
	add_number(text, least - 1);
	if (most != least) {
		add_text(text, " to ");
		add_number(text, most - 1);
	}
	add_text(text, most == 2 ? " other process" : " other processes");
}

static void add_causes(struct sentence *text, const struct cause_sums *causes)
{
	CLEANUP(buf_done) struct buf sentence = BUF_INIT;

	if (!causes)
		return;
	cause_sentence(&sentence, causes);
	add_text(text, ": ");
	add_bytes(text, buf_str(&sentence), sentence.len);
}

static void say_file(struct sentence *text, const struct cow_row *row)
{
	const uint64_t *states = row->counts->states;
	uint64_t copies = states[STATE_COPY] + states[STATE_COPY_SHARED];

	if (!copies) {
		add_text(text, "nothing was copied: ");
		add_pages(text, states[STATE_FILE], " page is the file's", " pages are the file's");
		return;
	}
	add_pages(text, copies, " page of ", " pages of ");
	add_subject(text, row);
	add_text(text, copies == 1 ? " was copied on write" : " were copied on write");
	add_causes(text, row->causes);
	if (states[STATE_COPY_SHARED]) {
		add_text(text, "; ");
		add_pages(text, states[STATE_COPY_SHARED], " is still shared with ",
			  " of them are still shared with ");
		add_others(text, row->counts);
		add_text(text, " after fork");
	}
	if (states[STATE_FILE]) {
		add_text(text, "; ");
		add_pages(text, states[STATE_FILE], " is still the file's",
			  " are still the file's");
	}
}

static void say_anon(struct sentence *text, const struct cow_row *row)
{
	const uint64_t *states = row->counts->states;

	if (states[STATE_ANON_SHARED]) {
		add_pages(text, states[STATE_ANON_SHARED], " page is still shared with ",
			  " pages are still shared with ");
		add_others(text, row->counts);
		add_text(text, " after fork");
		if (states[STATE_ANON]) {
			add_text(text, "; ");
			add_pages(text, states[STATE_ANON], " is its own", " are its own");
		}
		return;
	}
	if (states[STATE_ANON])
		add_pages(text, states[STATE_ANON], " page was written and is its own",
			  " pages were written and are its own");
	else
		add_pages(text, states[STATE_ZERO], " page was only read: the zero page",
			  " pages were only read: the zero page");
}

struct remark {
	enum page_state state;
	const char *one;
	const char *many;
};

static const struct remark remarks[] = {
	{ STATE_KSM, " merged by KSM", " merged by KSM" },
	{ STATE_SWAP, " in swap", " in swap" },
	{ STATE_GUARD, " guard page", " guard pages" },
	{ STATE_MARKER, " userfaultfd or poison marker", " userfaultfd or poison markers" },
	{ STATE_MIGRATING, " migrating", " migrating" },
	{ STATE_UNKNOWN, " unreadable", " unreadable" },
};

static void add_remarks(struct sentence *text, const struct cow_counts *counts)
{
	for (size_t i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++) {
		uint64_t pages = counts->states[remarks[i].state];

		if (!pages)
			continue;
		if (text->len)
			add_text(text, "; ");
		add_pages(text, pages, remarks[i].one, remarks[i].many);
	}
}

static void say_object(struct sentence *text, const struct cow_row *row)
{
	add_pages(text, row->counts->states[STATE_OBJECT],
		  " page belongs to a shared object: writes go to all who map it",
		  " pages belong to a shared object: writes go to all who map it");
}

static void say_nothing(struct sentence *text, const struct cow_row *row)
{
	const struct vma *vma = row->vma;

	if (row->counts->states[STATE_OPAQUE])
		add_text(text, "mapped by frame number: pagemap cannot see its pages");
	else if (vma->vma_class == VMA_CLASS_GUARD || !(vma->perms & 7))
		add_text(text, "no access is allowed and nothing is mapped");
	else
		add_text(text, "nothing is mapped: never touched, or given back");
}

struct span cow_sentence(const struct cow_row *row, struct scratch *scratch)
{
	struct sentence text = { scratch_alloc(scratch, SENTENCE_MAX), 0 };
	const uint64_t *states = row->counts->states;

	if (!text.text)
		return (struct span) { NULL, 0 };
	if (states[STATE_COPY] + states[STATE_COPY_SHARED] + states[STATE_FILE])
		say_file(&text, row);
	else if (states[STATE_ANON] + states[STATE_ANON_SHARED] + states[STATE_ZERO])
		say_anon(&text, row);
	else if (states[STATE_OBJECT])
		say_object(&text, row);
	else if (states[STATE_KERNEL])
		add_text(&text, "provided by the kernel");
	add_remarks(&text, row->counts);
	if (!text.len)
		say_nothing(&text, row);
	return (struct span) { text.text, text.len };
}
