// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "vmatlas/render/report_files.h"

#define GETTER(name, type, expression) \
	COLUMN_VALUE_OF(get_##name, const struct mapped *mapped, const struct type *row, expression)

#define OBJECT(name, expression) GETTER(name, mapped_object, expression)
#define USER(name, expression) GETTER(user_##name, mapped_user, expression)

static struct cell size_of(const struct mapped_number *number)
{
	return number->gap == GAP_NONE ? cell_size(number->value) : cell_missing(number->gap);
}

static struct cell sum_of(const struct mapped_object *object, uint64_t bytes)
{
	return object->sums_gap == GAP_NONE ? cell_size(bytes) : cell_missing(object->sums_gap);
}

static struct cell state_of(const struct mapped_object *object)
{
	return object->state_gap == GAP_NONE ?
		cell_text(name_of(mapped_state_names, object->state)) :
		cell_missing(object->state_gap);
}

static struct cell device_of(const struct mapped_object *object)
{
	struct cell cell = cell_typed(CELL_DEVICE);

	cell.count = (uint64_t)object->major << 32 | object->minor;
	return cell;
}

static const struct tally_process *process_of(const struct mapped *mapped,
					      const struct mapped_user *user)
{
	size_t count;

	return &tally_processes(mapped->tally, &count)[user->process];
}

static struct cell user_sum(const struct mapped *mapped, const struct mapped_user *user,
			    uint64_t bytes)
{
	const struct tally_process *process = process_of(mapped, user);

	if (user->known)
		return cell_size(bytes);
	return cell_missing(process->state == TALLY_COUNTED ?
			    tally_totals(mapped->tally)->frames_gap : process->gap);
}

static struct cell user_pid(const struct mapped *mapped, const struct mapped_user *user)
{
	pid_t pid = process_of(mapped, user)->pid;

	return pid ? cell_count((uint64_t)pid) : cell_missing(GAP_NOT_RECORDED);
}

static struct cell user_name(const struct mapped *mapped, const struct mapped_user *user)
{
	return cell_bytes(buf_span(user->name.len ? &user->name :
				   &mapped->objects[user->object].name));
}

#define USER_MEMBERS 7

static void user_items(const struct mapped *mapped, const struct mapped_user *user,
		       struct cell *items)
{
	const struct tally_sum *sum = &user->sum;

	items[0] = cell_named("pid", user_pid(mapped, user));
	items[1] = cell_named("comm", cell_path(buf_span(&mapped->comms[user->process])));
	items[2] = cell_named("rss", user_sum(mapped, user, sum->rss));
	items[3] = cell_named("pss", user_sum(mapped, user, sum->pss));
	items[4] = cell_named("uss", user_sum(mapped, user, sum->uss));
	items[5] = cell_named("copied", user_sum(mapped, user, sum->anon));
	items[6] = cell_named("path", user->name.len ? cell_path(buf_span(&user->name)) :
			      cell_null());
}

static struct cell users_of(const struct mapped *mapped, const struct mapped_object *object,
			    struct scratch *scratch)
{
	struct cell *list = scratch_cells(scratch, object->user_count + 1);

	for (size_t i = 0; list && i < object->user_count; i++) {
		struct cell *items = scratch_cells(scratch, USER_MEMBERS);

		if (!items)
			return cell_null();
		user_items(mapped, &mapped->users[object->first_user + i], items);
		list[i] = cell_object(items, USER_MEMBERS);
	}
	return list ? cell_list(list, object->user_count) : cell_null();
}

OBJECT(path, cell_bytes(buf_span(&row->name)))
OBJECT(device, device_of(row))
OBJECT(inode, cell_count(row->inode))
OBJECT(kind, cell_text(row->kind))
OBJECT(state, state_of(row))
OBJECT(size, size_of(&row->size))
OBJECT(cached, size_of(&row->cached))
OBJECT(evicted, size_of(&row->evicted))
OBJECT(once, sum_of(row, row->once))
OBJECT(copied, sum_of(row, row->copied))
OBJECT(rss, sum_of(row, row->sum.rss))
OBJECT(pss, sum_of(row, row->sum.pss))
OBJECT(uss, sum_of(row, row->sum.uss))
OBJECT(swap, sum_of(row, row->sum.swap))
OBJECT(hugetlb, sum_of(row, row->hugetlb))
OBJECT(count, cell_count(row->user_count))
OBJECT(processes, users_of(mapped, row, scratch))

USER(pid, user_pid(mapped, row))
USER(comm, cell_path(buf_span(&mapped->comms[row->process])))
USER(rss, user_sum(mapped, row, row->sum.rss))
USER(pss, user_sum(mapped, row, row->sum.pss))
USER(uss, user_sum(mapped, row, row->sum.uss))
USER(copied, user_sum(mapped, row, row->sum.anon))
USER(swap, user_sum(mapped, row, row->sum.swap))
USER(state, state_of(&mapped->objects[row->object]))
USER(path, user_name(mapped, row))

#define MORE (COLUMN_JSON | COLUMN_VERBOSE | COLUMN_RIGHT)
#define NAME (BOTH | COLUMN_TRUNC | COLUMN_TAIL | COLUMN_HEX_BYTES)

const struct column files_columns[] = {
	{ "size", "SIZE", "of the file", NUMBER, 0, 6, get_size },
	{ "cached", "CACHED", "of it in the page cache", NUMBER, 0, 6, get_cached },
	{ "once", "MAPPED", "of it mapped by these processes, each page once", NUMBER, 0, 6,
	  get_once },
	{ "copied", "COPIED", "private copies in its mappings, each page once", NUMBER, 0, 6,
	  get_copied },
	{ "rss", "RSS", "sum over the processes, copies included", MORE, 0, 6, get_rss },
	{ "pss", "PSS", "sum over the processes, each page divided by its mappings", NUMBER, 0,
	  6, get_pss },
	{ "uss", "USS", "sum over the processes of what nobody else maps", MORE, 0, 6, get_uss },
	{ "swap", "SWAP", "copies in swap, sum over the processes", MORE, 0, 6, get_swap },
	{ "hugetlb", "HUGETLB", "huge pages from a pool, each once", MORE, 0, 7, get_hugetlb },
	{ "evicted", "EVICTED", "left the page cache; of shared memory: is in swap", MORE, 0, 7,
	  get_evicted },
	{ "count", "PROCS", "processes that map it", NUMBER, 0, 5, get_count },
	{ "kind", "KIND", "file, tmpfs, shm, memfd, sysv, ...", BOTH, 0, 6, get_kind },
	{ "state", "STATE", "named, deleted, or replaced by another file", BOTH, 0, 8,
	  get_state },
	{ "device", "DEVICE", "device number", COLUMN_JSON | COLUMN_VERBOSE, 0, 6, get_device },
	{ "inode", "INODE", "inode number", MORE | COLUMN_HEX_HUGE, 0, 8, get_inode },
	{ "path", "PATH", "name as maps shows it", NAME, 0, 30, get_path },
	{ "processes", "PROCESSES", "who maps it, with RSS and PSS", COLUMN_JSON, 0, 20,
	  get_processes },
	{ NULL },
};

const struct column files_user_columns[] = {
	{ "pid", "PID", "process", NUMBER, 0, 7, get_user_pid },
	{ "comm", "COMM", "its name", BOTH, 0, 15, get_user_comm },
	{ "rss", "RSS", "resident in mappings of the object", NUMBER, 0, 6, get_user_rss },
	{ "pss", "PSS", "each page divided by its mappings", NUMBER, 0, 6, get_user_pss },
	{ "uss", "USS", "mapped nowhere else", NUMBER, 0, 6, get_user_uss },
	{ "copied", "COPIED", "of the resident: private copies", NUMBER, 0, 6, get_user_copied },
	{ "swap", "SWAP", "copies in swap", NUMBER, 0, 6, get_user_swap },
	{ "state", "STATE", "named, deleted, or replaced by another file", BOTH, 0, 8,
	  get_user_state },
	{ "path", "PATH", "name as this process sees it", NAME, 0, 30, get_user_path },
	{ NULL },
};
