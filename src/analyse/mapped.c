// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/analyse/mapped.h"

#include <stdlib.h>

#include "share.h"

#define USERS_MAX (1u << 24)	/* names and processes of a set that is no machine's */

/* Objects and groups are those of share; here are their users. */
struct mapped_load {
	const struct mapped_request *request;
	struct mapped *mapped;
	struct share share;
	struct share_groups groups;
	size_t user_cap;
	bool failed;
};

static int visit(void *ctx, size_t process, struct source_process *source)
{
	struct buf *comm = &((struct mapped_load *)ctx)->mapped->comms[process];

	buf_clear(comm);
	source_text(source, 0, SOURCE_COMM, comm, NULL);
	if (span_ends(buf_span(comm), "\n"))
		comm->data[--comm->len] = '\0';
	return 0;
}

static int note_user(struct mapped_load *load, uint32_t object, size_t process,
		     const struct maps_line *line)
{
	struct mapped *mapped = load->mapped;
	struct mapped_user *user = mapped->user_count ?
		&mapped->users[mapped->user_count - 1] : NULL;

	/* VMAs of one file mostly follow one another. */
	if (user && user->object == object && user->process == process)
		return 0;
	if (mapped->user_count >= USERS_MAX ||
	    array_grow((void **)&mapped->users, &load->user_cap, mapped->user_count,
		       sizeof(*mapped->users)) < 0)
		return -ERROR_NOMEM;
	user = &mapped->users[mapped->user_count++];
	*user = (struct mapped_user) {
		.object = object, .process = (uint32_t)process,
		.start = line->start, .end = line->end,
	};
	if (span_equal(line->name, buf_span(&load->share.objects[object].name)))
		return 0;
	return buf_add_span(&user->name, line->name);
}

static uint32_t group(void *ctx, size_t process, const struct maps_line *line)
{
	struct mapped_load *load = ctx;
	uint32_t number = share_group_of(&load->groups, line, NULL);
	uint32_t object = number == UINT32_MAX ? OBJECT_NONE : load->groups.items[number].object;

	if (number == UINT32_MAX)
		load->failed = true;
	if (object != OBJECT_NONE && note_user(load, object, process, line) < 0)
		load->failed = true;
	return number == UINT32_MAX ? 0 : number;
}

static void progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct mapped_request *request = ((struct mapped_load *)ctx)->request;

	if (request->progress)
		request->progress(request->ctx, done, total);
}

static int compare_users(const void *left, const void *right)
{
	const struct mapped_user *a = left, *b = right;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return (a->process > b->process) - (a->process < b->process);
}

/* Users of processes that are not there (any more), and of spaces that an earlier one has, go. */
static void settle_users(struct mapped *mapped, const struct tally_process *processes)
{
	size_t kept = 0;

	if (mapped->user_count)
		qsort(mapped->users, mapped->user_count, sizeof(*mapped->users), compare_users);
	for (size_t i = 0; i < mapped->user_count; i++) {
		struct mapped_user *user = &mapped->users[i];
		const struct tally_process *process = &processes[user->process];

		if (process->state == TALLY_GONE || process->state == TALLY_NO_SPACE ||
		    process->same_as != TALLY_NONE ||
		    (kept && !compare_users(&mapped->users[kept - 1], user)))
			buf_done(&user->name);
		else
			mapped->users[kept++] = *user;
	}
	mapped->user_count = kept;
}

static struct mapped_user *find_user(struct mapped *mapped, uint32_t object, uint32_t process)
{
	struct mapped_user key = { .object = object, .process = process };

	return mapped->user_count ? bsearch(&key, mapped->users, mapped->user_count, sizeof(key),
					    compare_users) : NULL;
}

static void add_sum(struct tally_sum *to, const struct tally_sum *sum)
{
	to->rss += sum->rss;
	to->anon += sum->anon;
	to->pss += sum->pss;
	to->uss += sum->uss;
	to->swap += sum->swap;
	to->swap_pss += sum->swap_pss;
	to->hugetlb += sum->hugetlb;
}

/* A user without a member has nothing resident: its sums are 0, and known. */
static void sum_users(struct mapped_load *load, const struct tally_process *processes)
{
	struct mapped *mapped = load->mapped;
	size_t count;
	const struct tally_member *members = tally_members(mapped->tally, &count);

	for (size_t i = 0; i < mapped->user_count; i++) {
		const struct tally_process *process = &processes[mapped->users[i].process];

		mapped->users[i].known = process->state == TALLY_COUNTED && !process->from_rollup;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t object = load->groups.items[members[i].group].object;
		struct mapped_user *user = object == OBJECT_NONE ? NULL :
			find_user(mapped, object, members[i].space);

		if (user)
			add_sum(&user->sum, &members[i].sum);
	}
}

/* A set whose group no set above has stands for all frames below it. */
static void sum_once(struct mapped_load *load)
{
	size_t count, member_count;
	const struct tally_set *sets = tally_sets(load->mapped->tally, &count);
	const struct tally_member *members = tally_members(load->mapped->tally, &member_count);
	uint64_t page = tally_page_size(load->mapped->tally);

	for (size_t i = TALLY_KIND_MAX; i < count; i++) {
		const struct tally_set *set = &sets[i];
		struct mapped_object *object;
		uint32_t number;

		if (set->member == TALLY_NONE || !set->first_of_group)
			continue;
		number = load->groups.items[members[set->member].group].object;
		if (number == OBJECT_NONE || set->kind == TALLY_SWAP)
			continue;
		object = &load->mapped->objects[number];
		*(set->kind == TALLY_ANON ? &object->copied : set->kind == TALLY_FILE ?
		  &object->once : &object->hugetlb) += set->below * page;
	}
}

static bool has_file_name(uint8_t kind)
{
	return kind == KIND_FILE || kind == KIND_TMPFS_FILE || kind == KIND_POSIX_SHM ||
	       kind == KIND_HUGETLB_FILE;
}

static int make_objects(struct mapped_load *load, enum gap sums_gap)
{
	struct mapped *mapped = load->mapped;

	mapped->object_count = load->share.object_count;
	mapped->objects = calloc(mapped->object_count + 1, sizeof(*mapped->objects));
	if (!mapped->objects)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < mapped->object_count; i++) {
		struct share_object *from = &load->share.objects[i];
		struct mapped_object *object = &mapped->objects[i];

		object->name = from->name;
		from->name = (struct buf) BUF_INIT;
		object->kind = from->object_kind == KIND_NAME ? NULL : from->kind;
		object->major = from->major;
		object->minor = from->minor;
		object->inode = from->inode;
		object->deleted = from->deleted;
		object->newline_escape = from->newline_escape;
		object->named = has_file_name(from->object_kind);
		object->size.gap = object->cached.gap = object->evicted.gap = GAP_NOT_READ;
		object->state_gap = GAP_NOT_READ;
		object->sums_gap = sums_gap;
	}
	return 0;
}

static int compare_sums(const void *left, const void *right)
{
	const struct mapped_user *a = left, *b = right;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	if (a->sum.pss != b->sum.pss)
		return a->sum.pss < b->sum.pss ? 1 : -1;
	return (a->process > b->process) - (a->process < b->process);
}

static void join_users(struct mapped *mapped)
{
	if (mapped->user_count)
		qsort(mapped->users, mapped->user_count, sizeof(*mapped->users), compare_sums);
	for (size_t i = 0; i < mapped->user_count; i++) {
		struct mapped_object *object = &mapped->objects[mapped->users[i].object];

		if (!object->user_count++)
			object->first_user = i;
		add_sum(&object->sum, &mapped->users[i].sum);
	}
}

static enum gap sums_gap_of(const struct tally_totals *totals)
{
	return totals->crowd ? GAP_LIMIT : totals->frames_gap;
}

static int read_all(struct source *source, struct mapped_load *load, struct error *error)
{
	const struct mapped_request *request = load->request;
	struct mapped *mapped = load->mapped;
	struct tally_request tally = {
		.pids = request->pids, .count = request->count, .threads = request->threads,
		.needs = TALLY_NEED_SETS | (request->outside ? TALLY_NEED_COUNTS : 0),
		.visit = visit, .group = group, .progress = progress, .ctx = load,
	};
	const struct tally_process *processes;
	size_t count;
	int rc = tally_run(source, &tally, &mapped->tally, error);

	if (rc < 0)
		return rc;
	processes = tally_processes(mapped->tally, &count);
	if (load->failed ||
	    make_objects(load, sums_gap_of(tally_totals(mapped->tally))) < 0)
		return error_nomem(error);
	settle_users(mapped, processes);
	if (tally_totals(mapped->tally)->frames_visible) {
		sum_users(load, processes);
		sum_once(load);
	}
	join_users(mapped);
	return 0;
}

static void load_done(struct mapped_load *load)
{
	for (size_t i = 0; i < load->share.object_count; i++)
		buf_done(&load->share.objects[i].name);
	free(load->share.objects);
	share_groups_done(&load->groups);
}

int mapped_load(struct source *source, const struct mapped_request *request,
		struct mapped **mapped, struct error *error)
{
	CLEANUP(mapped_freep) struct mapped *m = calloc(1, sizeof(*m));
	CLEANUP(load_done) struct mapped_load load = { .request = request, .mapped = m };
	int rc;

	if (!m)
		return error_nomem(error);
	m->count = request->count;
	m->comms = calloc(request->count + 1, sizeof(*m->comms));
	if (!m->comms)
		return error_nomem(error);
	load.groups.share = &load.share;
	kind_mounts_read(source, &load.groups.mounts);
	rc = read_all(source, &load, error);
	if (rc < 0)
		return rc;
	*mapped = m;
	m = NULL;
	return 0;
}

void mapped_free(struct mapped *mapped)
{
	if (!mapped)
		return;
	for (size_t i = 0; mapped->comms && i < mapped->count; i++)
		buf_done(&mapped->comms[i]);
	for (size_t i = 0; i < mapped->object_count; i++)
		buf_done(&mapped->objects[i].name);
	for (size_t i = 0; i < mapped->user_count; i++)
		buf_done(&mapped->users[i].name);
	tally_free(mapped->tally);
	free(mapped->comms);
	free(mapped->objects);
	free(mapped->users);
	free(mapped);
}
