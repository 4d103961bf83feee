// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <fnmatch.h>

#include "totals.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/render/report_files.h"

static bool name_matches(const struct mapped_object *object, const char *pattern)
{
	const char *name = buf_str(&object->name), *last = strrchr(name, '/');

	return !pattern || !fnmatch(pattern, name, 0) ||
	       (last && !fnmatch(pattern, last + 1, 0));
}

static bool is_shown(const struct mapped_object *object, const struct files_show *show)
{
	if (!object->kind || !object->user_count)
		return false;
	if (show->deleted && object->state != MAPPED_DELETED && object->state != MAPPED_REPLACED)
		return false;
	return name_matches(object, show->path);
}

static int add_objects(struct report *report, const struct mapped *mapped,
		       const struct files_show *show)
{
	int rc = report_table_begin(report, "objects", NULL, show->objects, mapped,
				    mapped->object_count + 1);

	for (size_t i = 0; i < mapped->object_count && rc >= 0; i++)
		if (is_shown(&mapped->objects[i], show))
			rc = report_row(report, &mapped->objects[i]);
	return rc < 0 ? rc : report_table_end(report);
}

static int add_users(struct report *report, const struct mapped *mapped,
		     const struct files_show *show)
{
	int rc = report_table_begin(report, "users", NULL, show->users, mapped,
				    mapped->user_count + 1);

	for (size_t i = 0; i < mapped->user_count && rc >= 0; i++)
		if (is_shown(&mapped->objects[mapped->users[i].object], show))
			rc = report_row(report, &mapped->users[i]);
	return rc < 0 ? rc : report_table_end(report);
}

struct sums {
	size_t objects;
	size_t lost;
	uint64_t once;
	uint64_t copied;
	uint64_t pss;
	uint64_t lost_once;
};

static void sum_up(const struct mapped *mapped, const struct files_show *show, struct sums *sums)
{
	for (size_t i = 0; i < mapped->object_count; i++) {
		const struct mapped_object *object = &mapped->objects[i];
		bool lost = object->state == MAPPED_DELETED || object->state == MAPPED_REPLACED;

		if (!is_shown(object, show))
			continue;
		sums->objects++;
		sums->once += object->once;
		sums->copied += object->copied;
		sums->pss += object->sum.pss;
		sums->lost += lost;
		sums->lost_once += lost ? object->once : 0;
	}
}

static int add_sums(struct report *report, const struct tally_totals *t, const struct sums *sums)
{
	struct cell unknown = cell_missing(t->frames_gap);
	bool known = t->frames_visible;
	const struct total totals[] = {
		{ "objects", "objects", cell_count(sums->objects) },
		{ "once", "mapped, each page once", known ? cell_size(sums->once) : unknown },
		{ "copied", "private copies of their pages",
		  known ? cell_size(sums->copied) : unknown },
		{ "pss", "PSS, copies included", known ? cell_size(sums->pss) : unknown },
	};
	int rc = totals_add(report, totals, ARRAY_SIZE(totals));

	if (rc >= 0)
		rc = report_fact(report, "lost", "objects whose name is gone or another's",
				 cell_count(sums->lost), sums->lost ? 0 : REPORT_JSON_ONLY);
	return rc < 0 ? rc : report_fact(report, "lost_once", "  mapped of these, each page once",
					 known ? cell_size(sums->lost_once) : unknown,
					 sums->lost ? 0 : REPORT_JSON_ONLY);
}

static int add_processes(struct report *report, const struct tally_totals *t,
			 const struct files_show *show)
{
	const struct total rare[] = {
		{ "refused", "processes that may not be read",
		  cell_count(t->refused + show->refused) },
		{ "gone", "processes that ended meanwhile", cell_count(t->gone + show->gone) },
		{ "failed", "processes that could not be read", cell_count(t->failed) },
	};
	int rc = report_fact(report, "counted", "processes", cell_count(t->counted), 0);

	if (rc >= 0)
		rc = totals_add_rare(report, rare, ARRAY_SIZE(rare));
	return rc < 0 ? rc : totals_add_duration(report, t->duration_us);
}

static int add_totals(struct report *report, const struct mapped *mapped,
		      const struct files_show *show)
{
	const struct tally_totals *t = tally_totals(mapped->tally);
	int rc = report_object_begin(report, "totals", "In all");
	struct sums sums = { 0 };

	sum_up(mapped, show, &sums);
	if (rc >= 0)
		rc = add_sums(report, t, &sums);
	if (rc >= 0)
		rc = add_processes(report, t, show);
	return rc < 0 ? rc : report_object_end(report);
}

int report_files(struct report *report, const struct mapped *mapped,
		 const struct files_show *show)
{
	int rc = report_fact(report, "process", NULL, cell_null(), REPORT_JSON_ONLY);

	if (rc >= 0 && (!show->users || report_is_json(report)))
		rc = add_objects(report, mapped, show);
	if (rc >= 0 && show->users)
		rc = add_users(report, mapped, show);
	return rc < 0 ? rc : add_totals(report, mapped, show);
}
