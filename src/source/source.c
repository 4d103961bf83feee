// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "source_impl.h"

#include <sched.h>

static const enum source_frames frames_of_access[ACCESS_MAX] = {
	[ACCESS_KPAGEFLAGS] = SOURCE_KPAGEFLAGS,
	[ACCESS_KPAGECOUNT] = SOURCE_KPAGECOUNT,
	[ACCESS_KPAGECGROUP] = SOURCE_KPAGECGROUP,
};

void source_init(struct source *source, const struct source_ops *ops, enum source_kind kind)
{
	*source = (struct source) { .ops = ops, .host.kind = kind };
	for (int i = 0; i < SOURCE_FRAMES_MAX; i++)
		source->frames_gap[i] = GAP_NOT_READ;
}

void source_process_init(struct source_process *process, struct source *source, pid_t pid)
{
	*process = (struct source_process) { .source = source, .pid = pid, .tid = pid };
	for (int i = 0; i < ACCESS_MAX; i++)
		process->access[i] = GAP_NOT_READ;
}

int source_note_damage(struct source *source, int rc, const struct error *error)
{
	if ((rc == -ERROR_DAMAGED || rc == -ERROR_LIMIT) && !error->errnum &&
	    source->host.kind == SOURCE_KIND_SNAPSHOT &&
	    !__atomic_exchange_n(&source->damaged, true, __ATOMIC_RELAXED))
		source->damage = *error;
	return rc;
}

int source_tell(struct source *source, int rc, const struct error *local, struct error *error)
{
	if (rc < 0 && error)
		*error = *local;
	return source_note_damage(source, rc, local);
}

bool source_take_damage(struct source *source, struct error *damage)
{
	if (!source->damaged)
		return false;
	*damage = source->damage;
	source->damaged = false;
	return true;
}

int source_note(struct source_process *process, enum source_access what, int rc,
		const struct error *error)
{
	source_note_damage(process->source, rc, error);
	if (what == ACCESS_MAX)
		return rc;
	if (rc >= 0)
		process->access[what] = GAP_NONE;
	else if (process->access[what] == GAP_NOT_READ)
		process->access[what] = gap_from_error(error);
	return rc;
}

int source_tell_access(struct source_process *process, enum source_access what, int rc,
		       const struct error *local, struct error *error)
{
	if (rc < 0 && error)
		*error = *local;
	return source_note(process, what, rc, local);
}

void source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
}

const struct source_host *source_host(const struct source *source)
{
	return &source->host;
}

const struct source_cost *source_cost(const struct source *source)
{
	return &source->cost;
}

void source_set_remote_files(struct source *source, bool allowed)
{
	source->remote_files = allowed;
}

void source_set_parallel(struct source *source, unsigned threads)
{
	source->parallel = threads;
}

unsigned source_parallel(const struct source *source)
{
	cpu_set_t cpus;

	if (source->parallel)
		return source->parallel;
	return sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 : (unsigned)CPU_COUNT(&cpus);
}

int source_pids(struct source *source, pid_t **pids, size_t *count, struct error *error)
{
	return source->ops->pids(source, pids, count, error);
}

int source_process_open(struct source *source, pid_t pid, struct source_process **process,
			struct error *error)
{
	return source->ops->process_open(source, pid, process, error);
}

void source_process_free(struct source_process *process)
{
	if (process)
		process->source->ops->process_free(process);
}

pid_t source_process_pid(const struct source_process *process)
{
	return process->pid;
}

bool source_process_has_space(const struct source_process *process)
{
	return !process->no_space;
}

pid_t source_process_tid(const struct source_process *process)
{
	return process->tid;
}

struct source *source_process_source(const struct source_process *process)
{
	return process->source;
}

enum gap source_access(const struct source_process *process, enum source_access what)
{
	if (what == ACCESS_KPAGEFLAGS || what == ACCESS_KPAGECOUNT || what == ACCESS_KPAGECGROUP)
		return process->source->frames_gap[frames_of_access[what]];
	return process->access[what];
}

int source_process_check(struct source_process *process, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->check ? ops->check(process, error) : 0;
}

int source_threads(struct source_process *process, pid_t **tids, size_t *count,
		   struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->threads ? ops->threads(process, tids, count, &local) :
		source_not_recorded(&local, "task");
	return source_tell(process->source, rc, &local, error);
}

int source_exe(struct source_process *process, struct buf *path, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->exe ? ops->exe(process, path, &local) : source_not_recorded(&local, "exe");
	return source_tell(process->source, rc, &local, error);
}

int source_namespace(struct source_process *process, enum source_namespace which,
		     uint64_t *inode, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->ns ? ops->ns(process, which, inode, error) : source_not_recorded(error, "ns");
}

int source_mapped_name(struct source_process *process, uint64_t start, uint64_t end,
		       struct buf *name, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->mapped_name ? ops->mapped_name(process, start, end, name, &local) :
		source_not_recorded(&local, "map_files");
	return source_tell(process->source, rc, &local, error);
}

const char *source_boot_id(struct source *source)
{
	if (!source->host.boot_id[0] && source->ops->boot_id)
		source->ops->boot_id(source);
	return source->host.boot_id;
}

void source_process_space(const struct source_process *process, struct source_space *space)
{
	const struct source_ops *ops = process->source->ops;

	space->tid = process->tid;
	space->key = ops->space_key ? ops->space_key(process) : 0;
}

enum source_order source_order_spaces(struct source *source, const struct source_space *a,
				      const struct source_space *b)
{
	if (a->key != b->key)
		return a->key < b->key ? SOURCE_ORDER_BEFORE : SOURCE_ORDER_BEHIND;
	if (!source->ops->order_spaces)
		return SOURCE_ORDER_UNKNOWN;
	return a->tid == b->tid ? SOURCE_ORDER_SAME : source->ops->order_spaces(source, a, b);
}

int source_file_open(struct source_process *process, const struct source_file_key *key,
		     struct source_file **file, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	if (ops->file_open)
		return ops->file_open(process, key, file, error);
	source_note(process, ACCESS_MAP_FILES, -ERROR_NOT_RECORDED,
		    &(struct error) { .code = ERROR_NOT_RECORDED });
	return source_not_recorded(error, "files");
}

int source_path_open(struct source *source, struct source_process *process, const char *path,
		     struct source_file **file, struct error *error)
{
	return source->ops->path_open ?
		source->ops->path_open(source, process, path, file, error) :
		source_not_recorded(error, path);
}
