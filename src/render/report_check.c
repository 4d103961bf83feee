// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "render.h"
#include "report_check_parts.h"

static struct cell value_cell(const struct ledger_value *value)
{
	return value->gap == GAP_NONE ? cell_size(value->value) : cell_missing(value->gap);
}

static struct cell values_cell(const struct ledger_line *line, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, LEDGER_SOURCE_MAX);

	if (!items)
		return cell_null();
	for (int i = 0; i < LEDGER_SOURCE_MAX; i++)
		items[i] = cell_named(ledger_source_names[i].name, value_cell(&line->values[i]));
	return cell_object(items, LEDGER_SOURCE_MAX);
}

/* The largest, which is the one that has to be explained. */
static const struct ledger_finding *worst_of(const struct ledger_line *line)
{
	const struct ledger_finding *worst = NULL;

	for (size_t i = 0; i < line->finding_count; i++) {
		const struct ledger_finding *f = &line->findings[i];

		if (!worst || (worst->explained && !f->explained) ||
		    (worst->explained == f->explained &&
		     llabs(f->difference) > llabs(worst->difference)))
			worst = f;
	}
	return worst;
}

static struct cell difference_cell(const struct ledger_line *line)
{
	const struct ledger_finding *worst = worst_of(line);
	struct cell cell = cell_delta(0, worst ? (uint64_t)worst->difference : 0);

	return line->verdict == LEDGER_SINGLE || line->verdict == LEDGER_MISSING ? cell_null() :
		cell;
}

static struct cell certainty_cell(const struct ledger_line *line)
{
	enum certainty worst = CERTAINTY_OBSERVED;

	if (line->verdict == LEDGER_SINGLE || line->verdict == LEDGER_MISSING)
		return cell_null();
	for (size_t i = 0; i < line->finding_count; i++)
		worst = certainty_worse(worst, line->findings[i].certainty);
	return cell_text(certainty_name(worst));
}

static void add_size(struct buf *text, uint64_t bytes)
{
	struct cell cell = cell_size(bytes);
	char room[CELL_DIGITS];
	const char *digits;
	size_t len = cell_number(room, &cell, false, &digits);

	buf_add(text, digits, len);
}

/* "status, statm and model" */
static size_t add_sources(struct buf *text, uint32_t sources)
{
	size_t count = 0;

	for (int i = 0; i < LEDGER_SOURCE_MAX; i++) {
		uint32_t rest = sources >> i;

		if (!(rest & 1))
			continue;
		if (count++)
			buf_add_str(text, rest == 1 ? " and " : ", ");
		buf_add_str(text, ledger_source_names[i].name);
	}
	return count;
}

static void add_group(struct buf *text, const struct check_group *group)
{
	const struct ledger_finding *f = group->first;
	size_t count;

	buf_add_str(text, text->len ? "; " : "");
	count = add_sources(text, group->sources);
	buf_add_str(text, count > 1 ? " are " : " is ");
	add_size(text, (uint64_t)llabs(f->difference));
	buf_addf(text, " %s than %s: ", f->difference < 0 ? "less" : "more",
		 ledger_source_names[f->reference].name);
	for (int i = 0, n = 0; i < DIFFERS_MAX; i++)
		if (f->rules >> i & 1)
			buf_addf(text, "%s%s", n++ ? ", and " : "", ledger_rule_names[i].meaning);
	if (!f->rules)
		buf_add_str(text, "no rule allows for that");
	if (f->low == f->high)
		return;
	buf_add_str(text, f->explained ? " (at most " : ", but that allows for no more than ");
	add_size(text, (uint64_t)llabs(f->difference < 0 ? f->low : f->high));
	buf_add_str(text, f->explained ? ")" : "");
}

static struct cell explanation_cell(const struct ledger_line *line, struct scratch *scratch)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct check_group group;

	if (!line->finding_count)
		return cell_null();
	for (size_t i = 0; i < line->finding_count; i++)
		if (check_group_at(line, i, &group))
			add_group(&text, &group);
	return cell_words(scratch_printf(scratch, "%s", buf_str(&text)));
}

#define GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct ledger_line *line, expression)

GETTER(name, cell_text(ledger_row_names[line->row].name))
GETTER(meaning, cell_text(ledger_row_names[line->row].meaning))
GETTER(values, values_cell(line, scratch))
GETTER(smaps, value_cell(&line->values[LEDGER_SMAPS]))
GETTER(rollup, value_cell(&line->values[LEDGER_ROLLUP]))
GETTER(status, value_cell(&line->values[LEDGER_STATUS]))
GETTER(statm, value_cell(&line->values[LEDGER_STATM]))
GETTER(stat, value_cell(&line->values[LEDGER_STAT]))
GETTER(pages, value_cell(&line->values[LEDGER_PAGES]))
GETTER(model, value_cell(&line->values[LEDGER_MODEL]))
GETTER(difference, difference_cell(line))
GETTER(verdict, cell_text(ledger_verdict_names[line->verdict].name))
GETTER(ok, cell_bool(line->verdict != LEDGER_UNEXPLAINED))
GETTER(certainty, certainty_cell(line))
GETTER(explanation, explanation_cell(line, scratch))

#define SUM (COLUMN_DEFAULT | COLUMN_RIGHT)

const struct column check_columns[] = {
	{ "name", "NAME", "quantity", BOTH, 0, 13, get_name },
	{ "meaning", "MEANING", "what it is", 0, 0, 30, get_meaning },
	{ "values", "VALUES", "all sources", COLUMN_JSON, 0, 40, get_values },
	{ "smaps", "SMAPS", "sum over all VMAs of smaps", SUM, 0, 6, get_smaps },
	{ "rollup", "ROLLUP", "smaps_rollup", SUM, 0, 6, get_rollup },
	{ "status", "STATUS", "counters of status", SUM, 0, 6, get_status },
	{ "statm", "STATM", "counters of statm", SUM | COLUMN_SPARE, 0, 6, get_statm },
	{ "stat", "STAT", "counters of stat", SUM, 0, 6, get_stat },
	{ "pages", "PAGES", "sum over all pages", SUM, 0, 6, get_pages },
	{ "model", "MODEL", "from VMAs and their flags; the modelled page table", SUM, 0, 6,
	  get_model },
	{ "difference", "DIFF", "the largest difference to the first source", NUMBER,
	  0, 6, get_difference },
	{ "verdict", "VERDICT", "equal, explained, unexplained, single or missing", BOTH,
	  0, 11, get_verdict },
	{ "ok", "OK", "no unexplained difference", COLUMN_JSON, 0, 3, get_ok },
	{ "certainty", "CERTAINTY", "how sure the verdict is", COLUMN_JSON, 0, 9, get_certainty },
	{ "explanation", "EXPLANATION", "why sources differ", COLUMN_JSON, 0, 40, get_explanation },
	{ NULL },
};

static bool says_something(const struct ledger_line *line)
{
	for (int i = 0; i < LEDGER_SOURCE_MAX; i++)
		if (line->values[i].value)
			return true;
	return line->verdict == LEDGER_UNEXPLAINED || line->verdict == LEDGER_EXPLAINED;
}

static int add_rows(struct report *report, const struct ledger *ledger,
		    const struct column_set *columns)
{
	bool all = !report_is_text(report) || report_options(report)->verbose;
	size_t zero = 0, missing = 0;
	int rc = report_table_begin(report, "rows", NULL, columns, NULL, LEDGER_ROW_MAX);

	for (int i = 0; i < LEDGER_ROW_MAX && rc >= 0; i++) {
		if (all || says_something(&ledger->lines[i]))
			rc = report_row(report, &ledger->lines[i]);
		else if (ledger->lines[i].verdict == LEDGER_MISSING)
			missing++;
		else
			zero++;
	}
	if (rc >= 0)
		rc = report_table_end(report);
	if (rc >= 0 && zero)
		rc = report_prose(report, "%zu more rows are 0; -v lists all.", zero);
	if (rc >= 0 && missing)
		rc = report_prose(report, "%zu more rows could not be read; -v lists all.",
				  missing);
	return rc;
}

/* What runs may differ by more than any rule tells. */
static const char *what_to_do(const struct ledger *ledger)
{
	bool runs = ledger->live && (ledger->moved || ledger->facts.ran);

	return runs && ledger->verdicts[LEDGER_UNEXPLAINED] ?
		" --stop lets it stand still." : "";
}

static const char *what_moved(const struct ledger *ledger)
{
	if (!ledger->live)
		return "Whether it moved while it was recorded is not known.";
	if (ledger->moved)
		return "Counters moved while it was read.";
	if (ledger->others_moved)
		return "Others changed what they share with it while it was read.";
	return ledger->facts.ran ? "It may have run while it was read, but no counter moved." :
				   "Nothing moved while it was read.";
}

static int add_summary(struct report *report, const struct ledger *ledger)
{
	const size_t *n = ledger->verdicts;
	struct cell moved = cell_bool(ledger->moved), ran = cell_bool(ledger->facts.ran);
	struct cell others = cell_bool(ledger->others_moved);

	report_fact(report, "ok", NULL, cell_bool(!n[LEDGER_UNEXPLAINED]), REPORT_JSON_ONLY);
	report_fact(report, "equal", NULL, cell_count(n[LEDGER_EQUAL]), REPORT_JSON_ONLY);
	report_fact(report, "explained", NULL, cell_count(n[LEDGER_EXPLAINED]), REPORT_JSON_ONLY);
	report_fact(report, "unexplained", NULL, cell_count(n[LEDGER_UNEXPLAINED]),
		    REPORT_JSON_ONLY);
	if (!ledger->live)
		moved = others = ran = cell_missing(GAP_NOT_RECORDED);
	report_fact(report, "moved", NULL, moved, REPORT_JSON_ONLY);
	report_fact(report, "others_moved", NULL, others, REPORT_JSON_ONLY);
	report_fact(report, "ran", NULL, ran, REPORT_JSON_ONLY);
	report_fact(report, "looks", NULL, cell_count(ledger->looks), REPORT_JSON_ONLY);
	return report_prose(report, "%zu rows equal, %zu explained, %zu unexplained. %s%s",
			    n[LEDGER_EQUAL], n[LEDGER_EXPLAINED], n[LEDGER_UNEXPLAINED],
			    what_moved(ledger), what_to_do(ledger));
}

int report_check(struct report *report, const struct ledger *ledger,
		 const struct column_set *columns)
{
	int rc = add_rows(report, ledger, columns);

	if (rc >= 0)
		rc = report_check_differences(report, ledger);
	return rc < 0 ? rc : add_summary(report, ledger);
}
