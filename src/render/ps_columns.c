// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "ps_row.h"
#include "vmatlas/render/report_ps.h"

#define GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct ps_row *row, expression)

struct cell ps_number(const struct roster_number *number)
{
	return number->gap == GAP_NONE ? cell_count(number->value) : cell_missing(number->gap);
}

struct cell ps_size(const struct roster_number *number)
{
	return number->gap == GAP_NONE ? cell_size(number->value) : cell_missing(number->gap);
}

struct cell ps_counted(const struct ps_row *row, uint64_t bytes)
{
	return row->counted->state == TALLY_COUNTED ? cell_size(bytes) :
		cell_missing(row->counted->gap);
}

/* The kernel's own counter stands in where pages may not be looked at. */
struct cell ps_rss(const struct ps_row *row)
{
	return row->counted->state == TALLY_COUNTED ? cell_size(row->counted->sum.rss) :
		ps_size(&row->process->vm_rss);
}

struct cell ps_vss(const struct ps_row *row)
{
	if (row->process->vm_size.gap == GAP_NONE)
		return cell_size(row->process->vm_size.value);
	return row->counted->vss ? cell_size(row->counted->vss) : ps_counted(row, 0);
}

struct cell ps_swap_pss(const struct ps_row *row)
{
	return ps_size(&row->process->swap_pss);
}

static struct cell rss_from(const struct ps_row *row)
{
	if (row->counted->state != TALLY_COUNTED)
		return cell_text("counter");
	return cell_text(row->counted->from_rollup ? "rollup" : "pages");
}

/* A user without a name, and one of a snapshot, is its number. */
static struct cell user_of(const struct ps_row *row, struct scratch *scratch)
{
	const struct roster_number *uid = &row->process->uid;
	struct span name;

	if (uid->gap != GAP_NONE)
		return cell_missing(uid->gap);
	name = roster_user_name(row->roster, uid->value);
	return name.len ? cell_bytes(name) :
		cell_words(scratch_dec(scratch, uid->value));
}

static struct cell inner_pid(const struct ps_row *row)
{
	const struct roster_number *pid = &row->process->inner_pid;

	if (pid->gap == GAP_NONE && pid->value == (uint64_t)row->counted->pid)
		return cell_null();
	return ps_number(pid);
}

static struct cell same_mm(const struct ps_row *row)
{
	size_t count;

	if (row->counted->same_as == TALLY_NONE)
		return cell_null();
	return cell_count((uint64_t)tally_processes(row->roster->tally, &count)
			  [row->counted->same_as].pid);
}

static struct cell cgroup_of(const struct ps_row *row)
{
	return row->process->cgroup_gap == GAP_NONE ?
		cell_bytes(buf_span(&row->process->cgroup)) :
		cell_missing(row->process->cgroup_gap);
}

/* Words end with NUL; a blank does for people. */
static struct cell cmdline_of(const struct ps_row *row, struct scratch *scratch)
{
	const struct buf *words = &row->process->cmdline;
	size_t len = words->len;
	char *text;

	if (row->process->cmdline_gap != GAP_NONE)
		return cell_missing(row->process->cmdline_gap);
	while (len && !words->data[len - 1])
		len--;
	text = scratch_alloc(scratch, len + 1);
	if (!text)
		return cell_null();
	for (size_t i = 0; i < len; i++)
		text[i] = words->data[i] ? words->data[i] : ' ';
	return cell_bytes((struct span) { text, len });
}

GETTER(pid, row->counted->pid ? cell_count((uint64_t)row->counted->pid) :
	cell_missing(GAP_NOT_RECORDED))
GETTER(inner_pid, inner_pid(row))
GETTER(ppid, ps_number(&row->process->ppid))
GETTER(user, user_of(row, scratch))
GETTER(uid, ps_number(&row->process->uid))
GETTER(comm, row->process->ppid.gap == GAP_NONE ? cell_path(buf_span(&row->process->comm)) :
	cell_missing(row->process->ppid.gap))
GETTER(vss, ps_vss(row))
GETTER(rss, ps_rss(row))
GETTER(pss, ps_counted(row, row->counted->sum.pss))
GETTER(uss, ps_counted(row, row->counted->sum.uss))
GETTER(anon, ps_counted(row, row->counted->sum.anon))
GETTER(hugetlb, ps_counted(row, row->counted->sum.hugetlb))
GETTER(swap, ps_counted(row, row->counted->sum.swap))
GETTER(swap_pss, ps_swap_pss(row))
GETTER(pagetables, ps_size(&row->process->pagetables))
GETTER(threads, ps_number(&row->process->threads))
GETTER(vmas, row->counted->state == TALLY_COUNTED ? cell_count(row->counted->vmas) :
	cell_missing(row->counted->gap))
GETTER(rss_from, rss_from(row))
GETTER(same_mm, same_mm(row))
GETTER(cgroup, cgroup_of(row))
GETTER(pid_namespace, ps_number(&row->process->pid_namespace))
GETTER(mount_namespace, ps_number(&row->process->mount_namespace))
GETTER(cmdline, cmdline_of(row, scratch))

#define MORE (COLUMN_JSON | COLUMN_RIGHT)

const struct column ps_columns[] = {
	{ "pid", "PID", "process", NUMBER, 0, 7, get_pid },
	{ "inner_pid", "INNER", "its number in its own PID namespace, where that is another",
	  MORE | COLUMN_VERBOSE | COLUMN_SPARE, 0, 6, get_inner_pid },
	{ "ppid", "PPID", "parent", MORE | COLUMN_VERBOSE | COLUMN_SPARE, 0, 7, get_ppid },
	{ "user", "USER", "effective user", BOTH | COLUMN_TRUNC, 0, 8, get_user },
	{ "uid", "UID", "its number", MORE, 0, 6, get_uid },
	{ "vss", "VSS", "address space in use", NUMBER, 0, 6, get_vss },
	{ "rss", "RSS", "resident", NUMBER, 0, 6, get_rss },
	{ "pss", "PSS", "resident, each page divided by its mappings", NUMBER, 0, 6, get_pss },
	{ "uss", "USS", "resident, mapped nowhere else", NUMBER, 0, 6, get_uss },
	{ "anon", "ANON", "of the resident: anonymous", MORE | COLUMN_VERBOSE | COLUMN_SPARE,
	  0, 6, get_anon },
	{ "hugetlb", "HUGETLB", "huge pages from a pool; not in RSS", MORE, 0, 7, get_hugetlb },
	{ "swap", "SWAP", "in swap", NUMBER, 0, 6, get_swap },
	{ "swap_pss", "SWAPPSS", "in swap, each slot divided by its users",
	  NUMBER | COLUMN_SPARE, 0, 7, get_swap_pss },
	{ "pagetables", "TABLES", "page tables", NUMBER, 0, 6, get_pagetables },
	{ "threads", "THR", "threads", NUMBER | COLUMN_SPARE, 0, 4, get_threads },
	{ "vmas", "VMAS", "mappings", MORE, 0, 5, get_vmas },
	{ "rss_from", "FROM", "RSS from pages, from smaps_rollup, or the kernel's counter",
	  COLUMN_JSON, 0, 7, get_rss_from },
	{ "same_mm", "SAME-MM", "process with the same address space, which is counted",
	  MORE | COLUMN_VERBOSE | COLUMN_SPARE, 0, 7, get_same_mm },
	{ "comm", "COMM", "name", BOTH, 0, 15, get_comm },
	{ "cgroup", "CGROUP", "control group that the memory is charged to",
	  COLUMN_JSON | COLUMN_VERBOSE | COLUMN_TRUNC | COLUMN_HEX_BYTES, ROSTER_NEED_CGROUP, 20,
	  get_cgroup },
	{ "pid_namespace", "PIDNS", "PID namespace", COLUMN_RIGHT, ROSTER_NEED_NAMESPACES, 10,
	  get_pid_namespace },
	{ "mount_namespace", "MNTNS", "mount namespace", COLUMN_RIGHT, ROSTER_NEED_NAMESPACES,
	  10, get_mount_namespace },
	{ "cmdline", "CMDLINE", "command line; reads memory of the process",
	  COLUMN_TRUNC | COLUMN_HEX_BYTES, ROSTER_NEED_CMDLINE, 30, get_cmdline },
	{ NULL },
};
