// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "report_check_parts.h"

static bool same_group(const struct ledger_finding *a, const struct ledger_finding *b)
{
	return a->difference == b->difference && a->rules == b->rules && a->low == b->low &&
	       a->high == b->high;
}

bool check_group_at(const struct ledger_line *line, size_t at, struct check_group *group)
{
	*group = (struct check_group) { line, &line->findings[at], 0 };
	for (size_t i = 0; i < line->finding_count; i++) {
		if (!same_group(group->first, &line->findings[i]))
			continue;
		if (i < at)
			return false;
		group->sources |= 1u << line->findings[i].source;
	}
	return true;
}

static struct cell names_cell(const struct name *names, uint32_t bits, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, 32);
	size_t count = 0;

	if (!items)
		return cell_null();
	for (size_t i = 0; names[i].name; i++)
		if (bits >> names[i].value & 1)
			items[count++] = cell_text(names[i].name);
	return cell_list(items, count);
}

static struct cell allowed_cell(const struct ledger_finding *finding)
{
	return cell_delta(0, (uint64_t)(finding->difference < 0 ? finding->low : finding->high));
}

#define GROUP_GETTER(name, expression) \
	COLUMN_VALUE(get_group_##name, const struct check_group *group, expression)

GROUP_GETTER(name, cell_text(ledger_row_names[group->line->row].name))
GROUP_GETTER(sources, names_cell(ledger_source_names, group->sources, scratch))
GROUP_GETTER(reference, cell_text(ledger_source_names[group->first->reference].name))
GROUP_GETTER(difference, cell_delta(0, (uint64_t)group->first->difference))
GROUP_GETTER(allowed, allowed_cell(group->first))
GROUP_GETTER(low, cell_signed(group->first->low))
GROUP_GETTER(high, cell_signed(group->first->high))
GROUP_GETTER(rules, names_cell(ledger_rule_names, group->first->rules, scratch))
GROUP_GETTER(explained, cell_bool(group->first->explained))
GROUP_GETTER(certainty, cell_text(certainty_name(group->first->certainty)))

static const struct column group_columns[] = {
	{ "name", "NAME", "quantity", BOTH, 0, 13, get_group_name },
	{ "sources", "SOURCE", "sources that differ", BOTH, 0, 12, get_group_sources },
	{ "reference", "FROM", "by so much from this one", BOTH, 0, 6,
	  get_group_reference },
	{ "difference", "DIFF", "source less reference", NUMBER, 0, 6,
	  get_group_difference },
	{ "allowed", "ALLOWED", "what the rules allow for", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 7,
	  get_group_allowed },
	{ "low", "LOW", "the least difference that the rules allow for", COLUMN_JSON, 0, 7,
	  get_group_low },
	{ "high", "HIGH", "the largest", COLUMN_JSON, 0, 7, get_group_high },
	{ "rules", "RULES", "rules of the kernel that apply", BOTH, 0, 20,
	  get_group_rules },
	{ "explained", "EXPLAINED", "the rules allow for it", COLUMN_JSON, 0, 5,
	  get_group_explained },
	{ "certainty", "CERTAINTY", "how sure that is", BOTH, 0, 9,
	  get_group_certainty },
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
};

static int add_groups(struct report *report, const struct ledger_line *line)
{
	struct check_group group;
	int rc = 0;

	for (size_t i = 0; i < line->finding_count && rc >= 0; i++)
		if (check_group_at(line, i, &group))
			rc = report_row(report, &group);
	return rc;
}

static uint32_t used_rules(const struct ledger *ledger)
{
	uint32_t used = 0;

	for (int i = 0; i < LEDGER_ROW_MAX; i++)
		for (size_t f = 0; f < ledger->lines[i].finding_count; f++)
			used |= ledger->lines[i].findings[f].rules;
	return used;
}

static bool differs(const struct ledger *ledger)
{
	return ledger->verdicts[LEDGER_EXPLAINED] || ledger->verdicts[LEDGER_UNEXPLAINED];
}

int report_check_differences(struct report *report, const struct ledger *ledger)
{
	uint32_t used = used_rules(ledger);
	struct column_set set;
	int rc;

	if (!differs(ledger) && report_is_text(report))
		return 0;
	rc = column_set_choose(&set, group_columns, NULL, false, NULL);
	if (rc >= 0)
		rc = report_table_begin(report, "differences", "Differences", &set, NULL,
					LEDGER_ROW_MAX);
	for (int i = 0; i < LEDGER_ROW_MAX && rc >= 0; i++)
		rc = add_groups(report, &ledger->lines[i]);
	if (rc >= 0)
		rc = report_table_end(report);
	for (int i = 0; i < DIFFERS_MAX && rc >= 0; i++)
		if (used >> i & 1)
			rc = report_prose(report, "%s: %s.", ledger_rule_names[i].name,
					  ledger_rule_names[i].meaning);
	return rc;
}
