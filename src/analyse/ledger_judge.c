// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger.h"

static bool holds(struct ledger_range range, int64_t number)
{
	return range.low <= number && number <= range.high;
}

static struct ledger_range both(struct ledger_range a, struct ledger_range b)
{
	return (struct ledger_range) { a.low + b.low, a.high + b.high };
}

static bool is_exact(struct ledger_range range)
{
	return range.low == range.high;
}

static void settle(struct ledger_finding *finding, struct ledger_range range, uint32_t used,
		   bool explained, enum certainty certainty)
{
	finding->low = range.low;
	finding->high = range.high;
	finding->rules = used;
	finding->explained = explained;
	finding->certainty = certainty;
}

/* What is known exactly first, then one rule that suffices, then as many as it takes. */
static void explain(const struct ledger_question *q, struct ledger_finding *finding)
{
	struct ledger_range range[DIFFERS_MAX], sum = { 0, 0 };
	uint32_t used = 0;

	for (int i = 0; i < DIFFERS_MAX; i++) {
		range[i] = ledger_rule_allows(q, i, finding);
		if (is_exact(range[i]) && range[i].low) {
			sum = both(sum, range[i]);
			used |= 1u << i;
		}
	}
	if (used && holds(sum, finding->difference)) {
		settle(finding, sum, used, true, CERTAINTY_OBSERVED);
		return;
	}
	for (int i = 0; i < DIFFERS_MAX; i++)
		if (!is_exact(range[i]) && holds(both(sum, range[i]), finding->difference)) {
			settle(finding, both(sum, range[i]), used | 1u << i, true,
			       CERTAINTY_INFERRED);
			return;
		}
	for (int i = 0; i < DIFFERS_MAX; i++)
		if (!is_exact(range[i]) && !holds(sum, finding->difference)) {
			sum = both(sum, range[i]);
			used |= 1u << i;
		}
	settle(finding, sum, used, holds(sum, finding->difference), CERTAINTY_INFERRED);
	if (!finding->explained)
		finding->certainty = CERTAINTY_UNKNOWN;
}

/* How far the row went from the first to the last reading, by the source where it went most. */
static uint64_t row_moved(const struct ledger_reading *reading, enum ledger_row row)
{
	uint64_t most = 0;

	for (int i = 0; i < LEDGER_SOURCE_MAX; i++) {
		struct ledger_value a = ledger_value_of(&reading->before[i], row, i);
		struct ledger_value b = ledger_value_of(&reading->after[i], row, i);
		uint64_t by = a.value > b.value ? a.value - b.value : b.value - a.value;

		if (a.gap == GAP_NONE && b.gap == GAP_NONE && by > most)
			most = by;
	}
	return most;
}

static void compare(const struct ledger_question *q, struct ledger_line *line,
		    enum ledger_source source, enum ledger_source reference)
{
	struct ledger_finding *finding = &line->findings[line->finding_count];
	uint64_t a = line->values[source].value, b = line->values[reference].value;

	if (a == b)
		return;
	*finding = (struct ledger_finding) {
		.source = source, .reference = reference, .difference = (int64_t)(a - b),
	};
	line->finding_count++;
	explain(q, finding);
	if (!finding->explained)
		line->verdict = LEDGER_UNEXPLAINED;
	else if (line->verdict == LEDGER_EQUAL)
		line->verdict = LEDGER_EXPLAINED;
}

/* The first source that has the row is what the others are held against. */
static void judge_line(const struct ledger_question *q, struct ledger_line *line)
{
	enum ledger_source reference = LEDGER_SOURCE_MAX;

	line->verdict = LEDGER_MISSING;
	for (enum ledger_source i = 0; i < LEDGER_SOURCE_MAX; i++) {
		if (line->values[i].gap != GAP_NONE)
			continue;
		if (reference == LEDGER_SOURCE_MAX) {
			reference = i;
			line->verdict = LEDGER_SINGLE;
			continue;
		}
		if (line->verdict == LEDGER_SINGLE)
			line->verdict = LEDGER_EQUAL;
		compare(q, line, i, reference);
	}
}

void ledger_judge(const struct ledger_reading *reading, const struct ledger_facts *facts,
		  struct ledger *ledger)
{
	ledger->facts = *facts;
	ledger->moved = ledger->others_moved = false;
	memset(ledger->verdicts, 0, sizeof(ledger->verdicts));
	for (enum ledger_row row = 0; row < LEDGER_ROW_MAX; row++) {
		struct ledger_line *line = &ledger->lines[row];
		struct ledger_question q = { facts, line, row, row_moved(reading, row) };

		*line = (struct ledger_line) { .row = row };
		for (enum ledger_source i = 0; i < LEDGER_SOURCE_MAX; i++)
			line->values[i] = ledger_value_of(&reading->after[i], row, i);
		judge_line(&q, line);
		ledger->verdicts[line->verdict]++;
		if (q.moved)
			*(ledger_row_by_others(row) ? &ledger->others_moved :
						      &ledger->moved) = true;
	}
}
