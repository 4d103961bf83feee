// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharers.h"

#include <stdlib.h>

const struct name sharers_scope_names[] = {
	{ SHARERS_NONE, "none", "there is no frame to search for" },
	{ SHARERS_OBJECT, "object", "processes that map the same part of the object" },
	{ SHARERS_FAMILY, "family", "the same address in processes with the same executable" },
	{ SHARERS_ALL, "all", "every mapping of every process" },
	{ 0, NULL, NULL },
};

const struct name sharers_why_names[] = {
	{ SHARERS_WHY_REFUSED, "refused", "some processes may not be read" },
	{ SHARERS_WHY_SCOPE, "scope", "it may be mapped at another address or by another "
	  "program; --all searches everything" },
	{ SHARERS_WHY_KSM, "ksm", "KSM merges pages of any address; --all searches everything" },
	{ SHARERS_WHY_CHANGED, "changed", "processes came, went or remapped meanwhile, or cannot "
	  "be seen from here" },
	{ SHARERS_WHY_SPACE, "same-space", "some of them share one address space" },
	{ 0, NULL, NULL },
};

void sharers_done(struct sharers *sharers)
{
	for (size_t i = 0; i < sharers->count; i++)
		buf_done(&sharers->items[i].comm);
	free(sharers->items);
	*sharers = (struct sharers) { 0 };
}

int sharer_add(struct sharer_search *search, uint64_t address)
{
	struct sharers *out = search->out;
	struct sharer *item;

	if (array_grow((void **)&out->items, &out->cap, out->count, sizeof(*out->items)) < 0)
		return error_nomem(search->error);
	item = &out->items[out->count++];
	*item = (struct sharer) { .pid = search->pid };
	item->address = address + (search->address->address - search->page);
	if (source_text(search->process, 0, SOURCE_COMM, &item->comm, NULL) == 0 &&
	    span_ends(buf_span(&item->comm), "\n"))
		item->comm.len--;
	return 0;
}

static bool word_matches(const struct sharer_search *search, uint64_t word)
{
	if (search->swap)
		return word & PAGEMAP_SWAP &&
			pagemap_frame(word) == pagemap_frame(search->frame);
	return word & PAGEMAP_PRESENT && pagemap_frame(word) == search->frame;
}

int sharer_try(struct sharer_search *search, uint64_t address)
{
	uint64_t word = 0;
	size_t got = 0;

	if (search->process == search->ctx->process->source && address == search->page)
		return 0;
	if (source_pagemap(search->process, address / search->ctx->process->page_size, &word, 1,
			   &got, NULL) < 0 || !got || !word_matches(search, word))
		return 0;
	return sharer_add(search, address);
}

static bool same_exe(const struct sharer_search *search)
{
	CLEANUP(buf_done) struct buf exe = BUF_INIT;

	return source_exe(search->process, &exe, NULL) == 0 &&
		span_equal(buf_span(&exe), buf_span(&search->exe));
}

/* Pages of a process that may not be read show as a refused pagemap. */
static void note_refusal(struct sharer_search *search)
{
	enum gap gap = source_access(search->process, ACCESS_PAGEMAP);

	if (gap == GAP_NONE)
		search->out->looked++;
	if (gap == GAP_NEEDS_PRIVILEGE ||
	    source_access(search->process, ACCESS_MAPS) == GAP_NEEDS_PRIVILEGE)
		search->out->refused++;
}

static int search_process(struct sharer_search *search)
{
	switch (search->out->scope) {
	case SHARERS_OBJECT:
		return sharer_search_object(search);
	case SHARERS_FAMILY:
		return same_exe(search) ? sharer_try(search, search->page) : 0;
	case SHARERS_ALL:
		return sharer_search_all(search);
	default:
		return 0;
	}
}

static int search_pid(struct sharer_search *search, pid_t pid)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	const struct process *self = search->ctx->process;
	int rc;

	search->pid = pid;
	search->process = self->source;
	if (pid == source_process_pid(self->source))
		return search->out->scope == SHARERS_FAMILY ? 0 : search_process(search);
	if (source_process_open(address_source(search->ctx), pid, &process, NULL) < 0)
		return 0;
	search->process = process;
	rc = search_process(search);
	note_refusal(search);
	return rc;
}

/* All that the kernel counts were found: nobody else can have it. */
static bool is_complete(const struct sharers *out)
{
	return out->counted_known && sharers_found(out) >= out->counted;
}

static void explain(const struct sharer_search *search)
{
	struct sharers *out = search->out;
	size_t found = sharers_found(out);

	if (!out->counted_known || found == out->counted)
		return;
	if (found > out->counted) {
		out->why = SHARERS_WHY_SPACE;
		return;
	}
	if (out->refused)
		out->why |= SHARERS_WHY_REFUSED;
	if (search->address->page.verdict.state == STATE_KSM && out->scope != SHARERS_ALL)
		out->why |= SHARERS_WHY_KSM;
	else if (out->scope == SHARERS_FAMILY)
		out->why |= SHARERS_WHY_SCOPE;
	if (!out->why)
		out->why = SHARERS_WHY_CHANGED;
}

static int search_pids(struct sharer_search *search)
{
	CLEANUP_FREE pid_t *pids = NULL;
	size_t count = 0;
	int rc = source_pids(address_source(search->ctx), &pids, &count, search->error);

	for (size_t i = 0; i < count && rc >= 0 && !is_complete(search->out); i++)
		rc = search_pid(search, pids[i]);
	explain(search);
	return rc;
}

/* Is it a page of an object that others map by its own right, not through fork? */
static bool of_object(const struct address *address)
{
	enum page_state state = address->page.verdict.state;

	return state == STATE_FILE || state == STATE_OBJECT || state == STATE_KERNEL;
}

/* What can be looked for at all? The zero page is everybody's. */
static enum gap search_gap(const struct address *address)
{
	const struct page_run *run = &address->page.run;

	if (!address->page.known || address->page.verdict.state == STATE_ZERO)
		return GAP_NOT_APPLICABLE;
	if (run->kind == PAGE_PRESENT)
		return run->frame_known ? GAP_NONE :
			run->gap != GAP_NONE ? run->gap : GAP_NEEDS_PRIVILEGE;
	if (run->kind == PAGE_SWAP)
		return run->swap.kind == SWAP_SLOT ? GAP_NONE :
			run->swap.kind == SWAP_UNKNOWN ? GAP_NEEDS_PRIVILEGE : GAP_NOT_APPLICABLE;
	return run->kind == PAGE_UNREADABLE ? run->gap : GAP_NOT_APPLICABLE;
}

static void search_init(struct sharer_search *search, bool all)
{
	const struct process *process = search->ctx->process;
	const struct vma *vma = address_vma(search->ctx, search->address);
	const struct object *object = vma_object(process, vma);
	const struct page_run *run = &search->address->page.run;
	struct sharers *out = search->out;

	search->swap = run->kind == PAGE_SWAP;
	search->frame = search->swap ? run->entry : run->frame;
	search->page = address_page_start(search->ctx, search->address->address);
	out->scope = all ? SHARERS_ALL : SHARERS_FAMILY;
	out->counted_known = !search->swap && search->address->page.verdict.mappings_known;
	out->counted = search->address->page.verdict.mappings;
	if (!object || !of_object(search->address) || all)
		return;
	out->scope = SHARERS_OBJECT;
	search->offset = vma->offset + (search->page - vma->start);
	search->object = (struct maps_line) {
		.inode = object->inode, .major = object->major, .minor = object->minor,
		.name = object_name(object),
	};
}

int sharers_find(const struct address_context *ctx, const struct address *address, bool all,
		 struct sharers *sharers, struct error *error)
{
	struct sharer_search search = { .ctx = ctx, .address = address, .out = sharers,
					.error = error };
	int rc;

	*sharers = (struct sharers) { .gap = search_gap(address) };
	if (sharers->gap != GAP_NONE)
		return 0;
	search_init(&search, all);
	if (sharers->scope == SHARERS_FAMILY)
		source_exe(ctx->process->source, &search.exe, NULL);
	rc = is_complete(sharers) ? 0 : search_pids(&search);
	buf_done(&search.exe);
	return rc;
}
