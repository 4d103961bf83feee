// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/analyse/roster.h"

#include <stdlib.h>

#include "tally.h"
#include "vmatlas/parse/cgroup.h"
#include "vmatlas/parse/status.h"

struct reading {
	const struct roster_request *request;
	struct roster *roster;
};

static struct roster_number number_of(const struct status *status, enum status_key key)
{
	bool has = status_has(status, key);

	/* A process that is ending has no Vm lines; older kernels lack others. */
	return (struct roster_number) { has ? status->value[key] : 0,
					has ? GAP_NONE : GAP_NOT_IN_KERNEL };
}

static int read_status(struct roster_process *process, struct source_process *source)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error error = ERROR_INIT;
	struct status status = { 0 };
	int rc = source_text(source, 0, SOURCE_STATUS, &text, &error);
	struct roster_number missing = { 0, rc < 0 ? gap_from_error(&error) : GAP_DAMAGED };

	process->seen = true;
	process->ppid = process->inner_pid = process->uid = process->threads = missing;
	process->vm_size = process->vm_rss = process->pagetables = missing;
	if (rc < 0 || status_parse(buf_span(&text), &status, NULL) < 0)
		return 0;
	process->ppid = number_of(&status, STATUS_PPID);
	process->inner_pid = number_of(&status, STATUS_NSTGID);
	process->uid = number_of(&status, STATUS_UID);
	process->uid.value = status.effective_uid;
	process->threads = number_of(&status, STATUS_THREADS);
	process->vm_size = number_of(&status, STATUS_VM_SIZE);
	process->vm_rss = number_of(&status, STATUS_VM_RSS);
	process->pagetables = number_of(&status, STATUS_VM_PTE);
	return status_add_comm(&status, &process->comm);
}

static int read_cgroup(struct roster_process *process, struct source_process *source)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error error = ERROR_INIT;
	struct cgroup_line line;

	process->cgroup_gap = GAP_NONE;
	if (source_text(source, 0, SOURCE_CGROUP, &text, &error) < 0)
		process->cgroup_gap = gap_from_error(&error);
	else if (!cgroup_of_memory(buf_span(&text), &line))
		process->cgroup_gap = GAP_NOT_APPLICABLE;
	else
		return buf_add_span(&process->cgroup, line.path);
	return 0;
}

static void read_cmdline(struct roster_process *process, struct source_process *source)
{
	struct error error = ERROR_INIT;

	process->cmdline_gap = GAP_NONE;
	if (source_text(source, 0, SOURCE_CMDLINE, &process->cmdline, &error) < 0)
		process->cmdline_gap = gap_from_error(&error);
}

static struct roster_number read_namespace(struct source_process *source,
					   enum source_namespace which)
{
	struct error error = ERROR_INIT;
	struct roster_number number = { 0, GAP_NONE };

	if (source_namespace(source, which, &number.value, &error) < 0)
		number.gap = gap_from_error(&error);
	return number;
}

/* By several threads at a time, each with a process of its own. */
static int read_process(void *ctx, size_t index, struct source_process *source)
{
	struct reading *reading = ctx;
	struct roster_process *process = &reading->roster->processes[index];
	unsigned needs = reading->request->needs;
	int rc;

	/* A process that changed while it was read is read again. */
	buf_clear(&process->comm);
	buf_clear(&process->cgroup);
	buf_clear(&process->cmdline);
	rc = read_status(process, source);
	if (rc >= 0 && needs & ROSTER_NEED_CGROUP)
		rc = read_cgroup(process, source);
	if (needs & ROSTER_NEED_CMDLINE)
		read_cmdline(process, source);
	if (needs & ROSTER_NEED_NAMESPACES) {
		process->pid_namespace = read_namespace(source, SOURCE_NAMESPACE_PID);
		process->mount_namespace = read_namespace(source, SOURCE_NAMESPACE_MOUNT);
	}
	return rc;
}

static void report_progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct roster_request *request = ((struct reading *)ctx)->request;

	if (request->progress)
		request->progress(request->ctx, done, total);
}

static int compare_users(const void *a, const void *b)
{
	uint64_t x = ((const struct roster_user *)a)->uid, y = ((const struct roster_user *)b)->uid;

	return (x > y) - (x < y);
}

static struct roster_user *find_user(const struct roster *roster, uint64_t uid)
{
	struct roster_user key = { .uid = uid };

	return roster->user_count ? bsearch(&key, roster->users, roster->user_count, sizeof(key),
					    compare_users) : NULL;
}

static void process_init(struct roster_process *process)
{
	*process = (struct roster_process) {
		.cgroup_gap = GAP_NOT_READ, .cmdline_gap = GAP_NOT_READ,
		.pid_namespace.gap = GAP_NOT_READ, .mount_namespace.gap = GAP_NOT_READ,
	};
}

static struct roster_number kernels_swap_pss(struct source *source,
					     const struct tally_process *counted)
{
	struct roster_number number = { counted->sum.swap_pss, GAP_NONE };
	struct error error = ERROR_INIT;
	uint64_t bytes;

	if (tally_kernels_swap_pss(source, counted, &bytes, &error) < 0)
		number.gap = gap_from_error(&error);
	else if (bytes + TALLY_ROLLUP_UNIT <= number.value)
		number.value = bytes;
	return number;
}

/* Nothing shows who else uses a slot, but the kernel divides by all its users. */
static void settle_swap(struct source *source, struct roster *roster, bool outside)
{
	size_t count;
	const struct tally_process *list = tally_processes(roster->tally, &count);
	enum gap frames_gap = tally_totals(roster->tally)->frames_gap;

	for (size_t i = 0; i < count; i++) {
		struct roster_number *swap_pss = &roster->processes[i].swap_pss;

		if (list[i].state != TALLY_COUNTED)
			*swap_pss = (struct roster_number) { 0, list[i].gap };
		else if (!list[i].swap_pss_known)
			*swap_pss = (struct roster_number) { 0, frames_gap != GAP_NONE ?
							     frames_gap : GAP_NOT_IN_KERNEL };
		else if (outside && list[i].sum.swap && !list[i].from_rollup)
			*swap_pss = kernels_swap_pss(source, &list[i]);
		else
			*swap_pss = (struct roster_number) { list[i].sum.swap_pss, GAP_NONE };
	}
}

int roster_read(struct source *source, const struct roster_request *request,
		struct roster *roster, struct error *error)
{
	struct roster found = { .count = request->count };
	struct reading reading = { request, &found };
	struct tally_request tally = {
		.pids = request->pids, .count = request->count, .threads = request->threads,
		.needs = (request->needs & ROSTER_NEED_OUTSIDE ? TALLY_NEED_COUNTS : 0) |
			(request->needs & ROSTER_LISTED ? TALLY_LISTED : 0),
		.visit = read_process, .progress = report_progress, .ctx = &reading,
	};
	int rc;

	found.processes = calloc(request->count ? request->count : 1, sizeof(*found.processes));
	if (!found.processes)
		return error_nomem(error);
	for (size_t i = 0; i < found.count; i++)
		process_init(&found.processes[i]);
	rc = tally_run(source, &tally, &found.tally, error);
	if (rc < 0) {
		roster_done(&found);
		return rc;
	}
	settle_swap(source, &found, request->needs & ROSTER_NEED_OUTSIDE);
	*roster = found;
	return 0;
}

void roster_done(struct roster *roster)
{
	for (size_t i = 0; roster->processes && i < roster->count; i++) {
		buf_done(&roster->processes[i].comm);
		buf_done(&roster->processes[i].cgroup);
		buf_done(&roster->processes[i].cmdline);
	}
	for (size_t i = 0; i < roster->user_count; i++)
		buf_done(&roster->users[i].name);
	free(roster->processes);
	free(roster->users);
	tally_free(roster->tally);
	*roster = (struct roster) { 0 };
}

int roster_name_users(struct roster *roster, struct source *source, struct error *error)
{
	size_t kept = 0;

	roster->users = calloc(roster->count ? roster->count : 1, sizeof(*roster->users));
	if (!roster->users)
		return error_nomem(error);
	for (size_t i = 0; i < roster->count; i++)
		if (roster->processes[i].seen && roster->processes[i].uid.gap == GAP_NONE)
			roster->users[roster->user_count++].uid = roster->processes[i].uid.value;
	qsort(roster->users, roster->user_count, sizeof(*roster->users), compare_users);
	for (size_t i = 0; i < roster->user_count; i++)
		if (!kept || roster->users[kept - 1].uid != roster->users[i].uid)
			roster->users[kept++].uid = roster->users[i].uid;
	roster->user_count = kept;
	for (size_t i = 0; i < kept; i++)
		source_user_name(source, roster->users[i].uid, &roster->users[i].name, NULL);
	return 0;
}

struct span roster_user_name(const struct roster *roster, uint64_t uid)
{
	const struct roster_user *user = find_user(roster, uid);

	return user ? buf_span(&user->name) : (struct span) { NULL, 0 };
}
