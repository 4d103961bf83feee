// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger.h"
#include "vmatlas/analyse/classify.h"
#include "vmatlas/model/moved.h"

#define LOOKS 3		/* at a process that runs, or whose pages others map: not for ever */

const struct name ledger_verdict_names[] = {
	{ LEDGER_EQUAL, "equal", "all sources agree" },
	{ LEDGER_EXPLAINED, "explained", "they differ by no more than rules of the kernel allow" },
	{ LEDGER_UNEXPLAINED, "unexplained", "they differ by more than that" },
	{ LEDGER_SINGLE, "single", "told by one source only" },
	{ LEDGER_MISSING, "missing", "told by none" },
	{ 0, NULL, NULL },
};

/* One look, and what all looks have in common. */
struct look {
	struct source_process *source;
	struct ledger *ledger;
	struct ledger_reading reading;
	struct ledger_facts facts;
	struct ledger_sharers sharers;
	uint64_t switches;		/* of the machine while this look went on */
	int64_t differences[LEDGER_ROW_MAX];	/* that were not explained at the last look */
};

static void look_done(struct look *look)
{
	ledger_sharers_done(&look->sharers);
}

/* What pages and the page table tell. */
static int read_pages(struct look *look, struct error *error)
{
	struct process *process = look->ledger->process;
	struct ledger_numbers *now = look->reading.after;
	int rc;

	ledger_sum_smaps(process, &now[LEDGER_SMAPS], &look->facts);
	ledger_sum_vmas(process, &now[LEDGER_MODEL], &look->facts);
	rc = ledger_sum_pages(process, &now[LEDGER_PAGES], &look->sharers, &look->facts, error);
	if (rc >= 0)
		rc = ledger_sum_tables(process, &now[LEDGER_MODEL], &look->facts, error);
	return rc;
}

/* Whose map may not be read has counters all the same. */
static int no_process(struct look *look)
{
	struct ledger_numbers *now = look->reading.after;

	now[LEDGER_SMAPS].gap = now[LEDGER_PAGES].gap = now[LEDGER_MODEL].gap =
		GAP_NEEDS_PRIVILEGE;
	return 0;
}

static int read_process(struct look *look, struct error *error)
{
	struct ledger *ledger = look->ledger;
	int rc;

	process_free(ledger->process);
	ledger->process = NULL;
	rc = process_load(look->source, PROCESS_NEED_SMAPS, &ledger->process, error);
	if (rc < 0)
		return rc == -ERROR_DENIED ? no_process(look) : rc;
	rc = classify_process(ledger->process, error);
	return rc < 0 ? rc : read_pages(look, error);
}

/* Are there more tables than the model has? Looking for them takes a scan. */
static void read_emptied(struct look *look)
{
	struct ledger_value a = ledger_value_of(&look->reading.after[LEDGER_STATUS],
						LEDGER_TABLES, LEDGER_STATUS);
	struct ledger_value b = ledger_value_of(&look->reading.after[LEDGER_MODEL],
						LEDGER_TABLES, LEDGER_MODEL);

	if (a.gap == GAP_NONE && b.gap == GAP_NONE && a.value > b.value)
		ledger_find_emptied(look->ledger->process, &look->facts);
}

static int read_all(struct look *look, struct error *error)
{
	struct source *source = source_process_source(look->source);
	struct activity before, after;
	uint64_t first = 0, last = 0;
	int rc;

	/* It costs more on a large machine than all else of a small process. */
	if (look->ledger->looks)
		ledger_read_switches(source, &first);
	activity_read(look->source, &before);
	ledger_read_counters(look->source, look->reading.before);
	rc = read_process(look, error);
	if (rc < 0)
		return rc;
	ledger_read_counters(look->source, look->reading.after);
	activity_read(look->source, &after);
	look->facts.ran = look->ledger->live && !activity_none(&before, &after);
	ledger_read_kernel(look->source, &look->reading, &look->facts);
	read_emptied(look);
	if (first && ledger_read_switches(source, &last))
		look->switches = last - first + look->facts.processors;
	else
		look->switches = UINT64_MAX;
	return 0;
}

/* What is wrong in the same way again and again was not changed by others meanwhile. */
static void note_repeated(struct look *look)
{
	struct ledger *ledger = look->ledger;
	uint64_t same = 0;

	for (int row = 0; row < LEDGER_ROW_MAX; row++) {
		const struct ledger_line *line = &ledger->lines[row];
		int64_t difference = 0;

		for (size_t i = 0; i < line->finding_count && !difference; i++)
			if (!line->findings[i].explained)
				difference = line->findings[i].difference;
		if (difference && difference == look->differences[row])
			same |= 1ULL << row;
		look->differences[row] = difference;
	}
	look->facts.repeated = same;
}

/* Others run while we look. They get the blame only for what came and went. */
static void blame_others(struct look *look)
{
	const struct ledger_numbers *smaps = &look->reading.after[LEDGER_SMAPS];
	struct ledger_facts *facts = &look->facts;

	ledger_drift(&look->sharers, look->switches, facts);
	facts->flags_drift = smaps->value[SMAPS_RSS];
	ledger_judge(&look->reading, facts, look->ledger);
}

static int look_once(struct look *look, struct error *error)
{
	int rc;

	look->reading = (struct ledger_reading) { .before[0].present = 0 };
	look->facts = (struct ledger_facts) { .page_size = 0 };
	ledger_sharers_done(&look->sharers);
	rc = read_all(look, error);
	if (rc < 0)
		return rc;
	ledger_judge(&look->reading, &look->facts, look->ledger);
	note_repeated(look);
	look->ledger->looks++;
	return 0;
}

int ledger_read(struct source_process *source, struct ledger *ledger, struct error *error)
{
	CLEANUP(look_done) struct look look = { .source = source, .ledger = ledger };
	int rc;

	*ledger = (struct ledger) { .looks = 0 };
	ledger->live = source_host(source_process_source(source))->kind == SOURCE_KIND_LIVE;
	do
		rc = look_once(&look, error);
	while (rc >= 0 && ledger->live && ledger->verdicts[LEDGER_UNEXPLAINED] &&
	       ledger->looks < LOOKS);
	if (rc >= 0 && ledger->verdicts[LEDGER_UNEXPLAINED])
		blame_others(&look);
	return rc;
}

void ledger_done(struct ledger *ledger)
{
	process_free(ledger->process);
	ledger->process = NULL;
}
