// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "diff_row.h"

static const struct compare_member *member_of(const void *row)
{
	return row;
}

static struct cell change_cell(const struct diff_ctx *ctx, const struct compare_member *member)
{
	if (member->change == CHANGE_SAME && !ctx->json)
		return member->differs ? cell_text("changed") : cell_null();
	return cell_text(name_of(compare_change_names, member->change));
}

static struct cell pages_cell(const struct diff_ctx *ctx, const struct compare_member *member,
			      uint64_t pages)
{
	if (ctx->gaps.pages != GAP_NONE)
		return cell_missing(ctx->gaps.pages);
	return member->change == CHANGE_SAME ? cell_count(pages) : cell_null();
}

#define SUM(which) diff_sum_cell(ctx, member_of(row)->sum, which, scratch)

DIFF_GETTER(pid, cell_count((uint64_t)member_of(row)->pid))
DIFF_GETTER(comm, member_of(row)->comm.len ? cell_path(buf_span(&member_of(row)->comm)) :
					      cell_null())
DIFF_GETTER(change, change_cell(ctx, member_of(row)))
DIFF_GETTER(differs, cell_bool(member_of(row)->differs))
DIFF_GETTER(rss, SUM(DIFF_RSS))
DIFF_GETTER(pss, SUM(DIFF_PSS))
DIFF_GETTER(uss, SUM(DIFF_USS))
DIFF_GETTER(swap, SUM(DIFF_SWAP))
DIFF_GETTER(copied, SUM(DIFF_COPIED))
DIFF_GETTER(shared, SUM(DIFF_SHARED))
DIFF_GETTER(changed, pages_cell(ctx, member_of(row), member_of(row)->changed))
DIFF_GETTER(eroded, pages_cell(ctx, member_of(row), member_of(row)->eroded))

static const struct column member_columns[] = {
	{ "pid", "PID", "process", NUMBER, 0, 7, get_pid },
	{ "comm", "COMM", "its name", BOTH, 0, 15, get_comm },
	{ "change", "CHANGE", "added, removed, or changed", BOTH, 0, 7, get_change },
	{ "differs", "DIFFERS", "is there a difference", COLUMN_JSON, 0, 5, get_differs },
	{ "rss", "RSS", "resident", NUMBER, 0, 6, get_rss },
	{ "pss", "PSS", "share of it", NUMBER, 0, 6, get_pss },
	{ "uss", "USS", "only here", NUMBER, 0, 6, get_uss },
	{ "swap", "SWAP", "in swap", COLUMN_JSON | COLUMN_RIGHT, 0, 6, get_swap },
	{ "copied", "COPIED", "copied file pages", NUMBER, 0, 6, get_copied },
	{ "shared", "SHARED", "private, still shared", NUMBER, 0, 6, get_shared },
	{ "changed", "PAGES", "pages in another state", NUMBER, 0, 6, get_changed },
	{ "eroded", "ERODED", "pages shared after fork that were copied since", NUMBER, 0, 6,
	  get_eroded },
	{ NULL },
};

static int add_members(struct report *report, const struct compare_group *group,
		       const struct diff_ctx *ctx, struct error *error)
{
	struct column_set set;
	int rc = column_set_choose(&set, member_columns, NULL, false, error);

	if (rc >= 0)
		rc = report_table_begin(report, "processes", "Processes", &set, ctx,
					group->count + 1);
	for (size_t i = 0; i < group->count && rc >= 0; i++)
		rc = report_row(report, &group->members[i]);
	return rc < 0 ? rc : report_table_end(report);
}

static void say(const struct compare_group *group, const struct diff_ctx *ctx, struct buf *text)
{
	size_t came = 0, went = 0, changed = 0;
	uint64_t eroded = 0;

	for (size_t i = 0; i < group->count; i++) {
		const struct compare_member *member = &group->members[i];

		came += member->change == CHANGE_ADDED;
		went += member->change == CHANGE_REMOVED;
		changed += member->change == CHANGE_SAME && member->differs;
		eroded += member->eroded;
	}
	buf_addf(text, "Of %zu process%s %zu came, %zu went and %zu changed.", group->count,
		 group->count == 1 ? "" : "es", came, went, changed);
	if (ctx->gaps.pages == GAP_NONE && eroded)
		buf_addf(text, " Copied since, of what was shared after fork: %llu page%s, which "
			 "cost the family %llu KiB.", (unsigned long long)eroded, plural(eroded),
			 (unsigned long long)eroded * group->page_size / 1024);
}

static void report_side(struct report *report, const char *name, struct span operand)
{
	struct cell item = cell_named("operand", cell_path(operand));

	report_fact(report, name, NULL, cell_object(&item, 1), REPORT_JSON_ONLY);
	report_fact(report, NULL, name, cell_bytes(operand), REPORT_TEXT_ONLY);
}

int report_diff_group(struct report *report, const struct compare_group *group,
		      const struct diff_show *show, struct error *error)
{
	struct diff_ctx ctx = {
		.gaps = { group->pages_gap, group->smaps_gap, group->count_gap },
		.page_size = group->page_size, .kin = KIN_SAME, .frames = true,
		.json = report_is_json(report),
	};
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int rc;

	report_side(report, "before", show->operand[BEFORE]);
	report_side(report, "after", show->operand[AFTER]);
	report_fact(report, "differs", NULL, cell_bool(group->differs), REPORT_JSON_ONLY);
	say(group, &ctx, &text);
	report_line(report, "");
	report_prose(report, "%s", buf_str(&text));
	rc = add_members(report, group, &ctx, error);
	if (rc >= 0)
		rc = report_diff_transitions(report, &ctx, &group->total, error);
	return rc < 0 ? rc : report_diff_totals(report, &ctx, group->total.sum, error);
}
