// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "report_share.h"

#define CAUSE(row) (&(row)->share->causes[(row)->index])
#define OBJECT(row) (&(row)->share->objects[(row)->index])
#define CLASS(row) (&(row)->share->classes[(row)->index])
#define FORK(row) (&(row)->share->forks[(row)->index])

SHARE_GETTER(cause, cause, cell_text(name_of(share_cause_names, row->index)))
SHARE_GETTER(cause, once, share_size(row->share, CAUSE(row)->once))
SHARE_GETTER(cause, saved, share_size(row->share, CAUSE(row)->saved))
SHARE_GETTER(cause, meaning, cell_text(name_meaning(share_cause_names, row->index)))

static const struct column cause_columns[] = {
	{ "cause", "CAUSE", "why several have it", BOTH, 0, 13, cause_cause },
	{ "once", "ONCE", "memory that more than one entry maps", NUMBER, 0, 6,
	  cause_once },
	{ "saved", "SAVED", "what copies of their own would take beside", NUMBER, 0, 6,
	  cause_saved },
	{ "meaning", "MEANING", "what that is", COLUMN_DEFAULT | COLUMN_PROSE, 0, 40,
	  cause_meaning },
	{ NULL },
};

int share_add_causes(struct report *report, const struct share *share)
{
	struct share_row row = { share, share_list(share), 0 };
	struct column_set set;
	const struct tally_totals *totals = tally_totals(share->tally);
	int rc = column_set_choose(&set, cause_columns, NULL, false, NULL);

	if (!report_is_json(report) &&
	    (!totals->frames_visible || totals->sum_rss == totals->bytes_once))
		return 0;
	if (rc >= 0)
		rc = report_table_begin(report, "causes", "Shared in the set, by cause", &set, NULL,
					SHARE_CAUSE_MAX);
	for (; row.index < SHARE_CAUSE_MAX && rc >= 0; row.index++)
		if (report_is_json(report) || CAUSE(&row)->once)
			rc = report_row(report, &row);
	return rc < 0 ? rc : report_table_end(report);
}

SHARE_GETTER(object, path, cell_bytes(buf_span(&OBJECT(row)->name)))
SHARE_GETTER(object, kind, cell_text(OBJECT(row)->kind))
SHARE_GETTER(object, inode, OBJECT(row)->inode ? cell_count(OBJECT(row)->inode) : cell_null())
SHARE_GETTER(object, deleted, OBJECT(row)->deleted_gap == GAP_NONE ?
	     cell_bool(OBJECT(row)->deleted) : cell_missing(OBJECT(row)->deleted_gap))
SHARE_GETTER(object, once, share_size(row->share, OBJECT(row)->once))
SHARE_GETTER(object, copied, share_size(row->share, OBJECT(row)->copied))
SHARE_GETTER(object, rss, share_size(row->share, OBJECT(row)->rss))
SHARE_GETTER(object, pss, share_size(row->share, OBJECT(row)->pss))
SHARE_GETTER(object, saved, share_size(row->share, OBJECT(row)->saved))
SHARE_GETTER(object, outside, share_size(row->share, OBJECT(row)->outside))
SHARE_GETTER(object, hugetlb, share_size(row->share, OBJECT(row)->hugetlb))
SHARE_GETTER(object, processes, cell_count(OBJECT(row)->processes))

COLUMN_GETTER(object_device)
{
	const struct share_row *row = data;

	*cell = cell_null();
	if (!OBJECT(row)->inode)
		return;
	*cell = cell_typed(CELL_DEVICE);
	cell->count = (uint64_t)OBJECT(row)->major << 32 | OBJECT(row)->minor;
}

const struct column share_object_columns[] = {
	{ "once", "ONCE", "pages of it, each once", NUMBER, 0, 6, object_once },
	{ "copied", "COPIED", "private copies in mappings of it, each once", NUMBER, 0, 6,
	  object_copied },
	{ "rss", "RSS", "resident in all processes, copies included", NUMBER, 0, 6,
	  object_rss },
	{ "pss", "PSS", "their parts of that", NUMBER, 0, 6, object_pss },
	{ "saved", "SAVED", "what copies of their own would take beside", NUMBER, 0, 6,
	  object_saved },
	{ "outside", "OUTSIDE", "pages that somebody outside of the set maps too", SHARE_MORE, 0,
	  7, object_outside },
	{ "processes", "PROCS", "address spaces that have pages of it", NUMBER, 0, 5,
	  object_processes },
	{ "kind", "KIND", "file, tmpfs, shm, memfd, sysv, shared-anon, ...", BOTH, 0, 11,
	  object_kind },
	{ "hugetlb", "HUGETLB", "hugetlb pages, each once; beside the others", SHARE_MORE, 0, 7,
	  object_hugetlb },
	{ "device", "DEVICE", "device of its file system", COLUMN_JSON, 0, 6, object_device },
	{ "inode", "INODE", "inode", SHARE_MORE | COLUMN_HEX_HUGE, 0, 8, object_inode },
	{ "deleted", "DELETED", "it has no name any more, or IPC_RMID was called",
	  COLUMN_JSON, 0, 7, object_deleted },
	{ "path", "PATH", "its name, as the first process sees it",
	  BOTH | COLUMN_TRUNC | COLUMN_TAIL | COLUMN_HEX_BYTES, 0, 40, object_path },
	{ NULL },
};

int share_add_objects(struct report *report, const struct share *share,
		      const struct share_show *show)
{
	bool all = report_is_json(report) || show->rows == SHARE_ROWS_OBJECTS;
	struct share_row row = { share, share_list(share), 0 };
	size_t left = 0;
	int rc;

	if (!all && (!share->object_count || !share->objects[0].saved))
		return 0;
	rc = report_table_begin(report, "objects", all ? "Mapped objects" :
				"Objects that are shared most", &show->columns[SHARE_ROWS_OBJECTS],
				NULL, share->object_count);
	for (; row.index < share->object_count && rc >= 0; row.index++) {
		if (all || (row.index < SHARE_ROWS_SHORT && OBJECT(&row)->saved))
			rc = report_row(report, &row);
		else
			left++;
	}
	if (rc >= 0)
		rc = report_table_end(report);
	if (rc >= 0 && left)
		rc = report_prose(report, "%zu more with less; --files lists all.", left);
	return rc;
}

/* VMAs of a process that began or executed a program since the classes were told have none. */
static struct cell class_name(const struct share_row *row, const struct name *names,
			      uint8_t value)
{
	return CLASS(row)->vma_class == VMA_CLASS_MAX ? cell_missing(GAP_CHANGED) :
		cell_text(name_of(names, value));
}

SHARE_GETTER(class, class, class_name(row, vma_class_names, CLASS(row)->vma_class))
SHARE_GETTER(class, role, class_name(row, vma_role_names, CLASS(row)->role))
SHARE_GETTER(class, once, share_size(row->share, CLASS(row)->once))
SHARE_GETTER(class, rss, share_size(row->share, CLASS(row)->rss))
SHARE_GETTER(class, pss, share_size(row->share, CLASS(row)->pss))
SHARE_GETTER(class, saved, share_size(row->share, CLASS(row)->saved))
SHARE_GETTER(class, processes, cell_count(CLASS(row)->processes))

const struct column share_class_columns[] = {
	{ "class", "C", "class of the VMAs", BOTH, 0, 1, class_class },
	{ "role", "ROLE", "what they are for", BOTH, 0, 12, class_role },
	{ "once", "ONCE", "memory, each frame once; in several classes, in the first",
	  NUMBER, 0, 6, class_once },
	{ "rss", "RSS", "resident in all processes", NUMBER, 0, 6, class_rss },
	{ "pss", "PSS", "their parts of that", NUMBER, 0, 6, class_pss },
	{ "saved", "SAVED", "what copies of their own would take beside", NUMBER, 0, 6,
	  class_saved },
	{ "processes", "PROCS", "address spaces with such memory", NUMBER, 0, 5,
	  class_processes },
	{ NULL },
};

int share_add_classes(struct report *report, const struct share *share,
		      const struct share_show *show)
{
	struct share_row row = { share, share_list(share), 0 };
	int rc;

	if (!share->classes)
		return report_fact(report, "classes", NULL,
				   tally_totals(share->tally)->frames_visible ? cell_null() :
				   cell_missing(tally_totals(share->tally)->frames_gap),
				   REPORT_JSON_ONLY);
	rc = report_table_begin(report, "classes", "By class of memory",
				&show->columns[SHARE_ROWS_CLASSES], NULL, share->class_count);
	for (; row.index < share->class_count && rc >= 0; row.index++)
		/* A guard has VMAs and no memory at all. */
		if (report_is_json(report) || CLASS(&row)->processes)
			rc = report_row(report, &row);
	return rc < 0 ? rc : report_table_end(report);
}

/* Something to say: neither a child that executed a program, nor one that may not be read. */
static bool fork_is_shown(const struct share_fork *fork)
{
	return !fork->executed && fork->gap != GAP_NEEDS_PRIVILEGE && fork->gap != GAP_GONE;
}

static bool any_forked(const struct share *share)
{
	for (size_t i = 0; i < share->fork_count; i++)
		if (fork_is_shown(&share->forks[i]))
			return true;
	return false;
}

static struct cell fork_pages(const struct share_row *row, uint64_t pages)
{
	const struct share_fork *fork = FORK(row);

	if (fork->gap != GAP_NONE)
		return cell_missing(fork->gap);
	return fork->same_mm || fork->executed ? cell_null() :
		cell_size(pages * tally_page_size(row->share->tally));
}

static struct cell fork_same_mm(const struct share_row *row)
{
	return FORK(row)->gap == GAP_NONE || FORK(row)->same_mm ? cell_bool(FORK(row)->same_mm) :
		cell_missing(FORK(row)->gap);
}

SHARE_GETTER(fork, parent, cell_count((uint64_t)row->list[FORK(row)->parent].pid))
SHARE_GETTER(fork, child, cell_count((uint64_t)row->list[FORK(row)->child].pid))
SHARE_GETTER(fork, same, fork_same_mm(row))
SHARE_GETTER(fork, executed, FORK(row)->gap == GAP_NONE ? cell_bool(FORK(row)->executed) :
	     cell_missing(FORK(row)->gap))
SHARE_GETTER(fork, shared, fork_pages(row, FORK(row)->pages.shared))
SHARE_GETTER(fork, by_parent, fork_pages(row, FORK(row)->pages.here))
SHARE_GETTER(fork, by_child, fork_pages(row, FORK(row)->pages.there))
SHARE_GETTER(fork, by_both, fork_pages(row, FORK(row)->pages.both))
SHARE_GETTER(fork, unknown, fork_pages(row, FORK(row)->pages.unknown))
SHARE_GETTER(fork, only_parent, fork_pages(row, FORK(row)->pages.only_here))
SHARE_GETTER(fork, only_child, fork_pages(row, FORK(row)->pages.only_there))

const struct column share_fork_columns[] = {
	{ "parent", "PARENT", "process", NUMBER, 0, 7, fork_parent },
	{ "child", "CHILD", "its child", NUMBER, 0, 7, fork_child },
	{ "same_mm", "SAME-MM", "one address space: vfork or CLONE_VM", COLUMN_JSON, 0, 7,
	  fork_same },
	{ "executed", "EXEC", "it executed a program since: nothing is common", COLUMN_JSON, 0, 5,
	  fork_executed },
	{ "shared", "SHARED", "anonymous memory that is still the same", NUMBER, 0, 6,
	  fork_shared },
	{ "written_parent", "BY-PARENT", "unshared: the parent wrote", NUMBER, 0, 9,
	  fork_by_parent },
	{ "written_child", "BY-CHILD", "unshared: the child wrote", NUMBER, 0, 8,
	  fork_by_child },
	{ "written_both", "BOTH", "unshared: both wrote", NUMBER, 0, 6, fork_by_both },
	{ "unshared_unknown", "EITHER", "unshared: nothing tells who wrote", NUMBER, 0, 6,
	  fork_unknown },
	{ "only_parent", "ONLY-PARENT", "anonymous only in the parent", NUMBER, 0, 11,
	  fork_only_parent },
	{ "only_child", "ONLY-CHILD", "anonymous only in the child", NUMBER, 0, 10,
	  fork_only_child },
	{ NULL },
};

int share_add_forks(struct report *report, const struct share *share,
		    const struct share_show *show)
{
	bool all = report_is_json(report) || show->rows == SHARE_ROWS_FORKS;
	struct share_row row = { share, share_list(share), 0 };
	size_t left = 0;
	int rc;

	if (!all && !any_forked(share))
		return 0;
	rc = report_table_begin(report, "forks", "Parents and children: unshared since fork",
				&show->columns[SHARE_ROWS_FORKS], NULL, share->fork_count);
	for (; row.index < share->fork_count && rc >= 0; row.index++) {
		if (FORK(&row)->gap == GAP_LIMIT && !all)
			left++;
		else if (all || fork_is_shown(FORK(&row)))
			rc = report_row(report, &row);
	}
	if (rc >= 0)
		rc = report_table_end(report);
	if (rc >= 0 && left)
		rc = report_prose(report, "%zu pairs have too many pages to compare them unasked; "
				  "--forks compares all.", left);
	return rc;
}
