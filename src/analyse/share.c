// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"
#include "vmatlas/parse/stat.h"

const struct name share_cause_names[] = {
	{ SHARE_FORK, "fork", "anonymous memory from before a fork" },
	{ SHARE_PAGE_CACHE, "page-cache", "pages of files" },
	{ SHARE_OBJECT, "shared-object", "shared memory: tmpfs, memfd, SysV, shared anonymous" },
	{ SHARE_KSM, "ksm", "equal pages merged by KSM" },
	{ SHARE_KERNEL, "kernel", "pages of the kernel: the vDSO" },
	{ 0, NULL, NULL },
};

uint64_t share_freed_memory(const struct share_freed *freed)
{
	return freed->anon + freed->objects + freed->hugetlb;
}

/* By several threads at a time, each with another process. */
static int visit(void *ctx, size_t process, struct source_process *source)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct share_load *load = ctx;
	struct share_process *record = &load->share->processes[process];
	struct stat_record stat;

	if (source_text(source, 0, SOURCE_STAT, &text, NULL) < 0 ||
	    stat_parse(buf_span(&text), &stat, NULL) < 0)
		return 0;
	record->ppid = stat.ppid > 0 ? (pid_t)stat.ppid : 0;
	buf_clear(&record->comm);
	record->has_comm = true;
	return buf_add_span(&record->comm, stat.comm);
}

static uint32_t group(void *ctx, size_t process, const struct maps_line *line)
{
	struct share_load *load = ctx;
	const struct share_vma *vma = load->vmas ? share_vma_at(&load->vmas[process],
								line->start) : NULL;
	uint32_t number = share_group_of(&load->groups, line, vma);

	if (number != UINT32_MAX &&
	    share_users_note(load, process, load->groups.items[number].object, line) >= 0)
		return number;
	load->failed = true;
	return 0;
}

static void progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct share_load *load = ctx;

	if (load->request->progress)
		load->request->progress(load->request->ctx, done, total);
}

static int read_tally(struct source *source, struct share_load *load, struct error *error)
{
	struct tally_request request = {
		.pids = load->request->pids, .count = load->request->count,
		.needs = TALLY_NEED_COUNTS | TALLY_NEED_KSM | TALLY_NEED_SETS,
		.threads = load->request->threads,
		.visit = visit, .group = group, .progress = progress, .ctx = load,
	};
	int rc = tally_run(source, &request, &load->share->tally, error);

	return rc >= 0 && load->failed ? error_nomem(error) : rc;
}

static void load_done(struct share_load *load)
{
	for (size_t i = 0; load->vmas && i < load->request->count; i++)
		free(load->vmas[i].items);
	free(load->vmas);
	share_groups_done(&load->groups);
	share_users_done(&load->users);
}

int share_load(struct source *source, const struct share_request *request,
	       struct share **share, struct error *error)
{
	CLEANUP(share_freep) struct share *s = calloc(1, sizeof(*s));
	CLEANUP(load_done) struct share_load load = { .request = request, .share = s };
	int rc = 0;

	if (!s)
		return error_nomem(error);
	s->count = request->count;
	s->processes = calloc(request->count + 1, sizeof(*s->processes));
	load.users.last = calloc(request->count + 1, sizeof(*load.users.last));
	if (!s->processes || !load.users.last)
		return error_nomem(error);
	load.groups.share = s;
	kind_mounts_read(source, &load.groups.mounts);
	if (request->classes)
		rc = share_classes_read(source, &load, error);
	if (rc >= 0)
		rc = read_tally(source, &load, error);
	if (rc >= 0)
		rc = share_names_settle(source, s, error);
	if (rc >= 0) {
		share_users_settle(&load);
		share_sysv_settle(source, &load);
		share_outside_find(source, &load);
		rc = share_sum(&load, error);
	}
	if (rc >= 0)
		rc = share_swap_check(source, request, s, error);
	if (rc >= 0)
		rc = share_forks(source, request, s, error);
	if (rc < 0)
		return rc;
	*share = s;
	s = NULL;
	return 0;
}

void share_free(struct share *share)
{
	if (!share)
		return;
	for (size_t i = 0; share->processes && i < share->count; i++)
		buf_done(&share->processes[i].comm);
	for (size_t i = 0; i < share->object_count; i++)
		buf_done(&share->objects[i].name);
	tally_free(share->tally);
	free(share->processes);
	free(share->objects);
	free(share->classes);
	free(share->forks);
	free(share->pairs);
	free(share);
}
