// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger.h"
#include "vmatlas/analyse/classify.h"
#include "vmatlas/model/moved.h"

#define LOOKS 3		/* a process that runs is not looked at for ever */

const struct name ledger_verdict_names[] = {
	{ LEDGER_EQUAL, "equal", "all sources agree" },
	{ LEDGER_EXPLAINED, "explained", "they differ by no more than rules of the kernel allow" },
	{ LEDGER_UNEXPLAINED, "unexplained", "they differ by more than that" },
	{ LEDGER_SINGLE, "single", "told by one source only" },
	{ LEDGER_MISSING, "missing", "told by none" },
	{ 0, NULL, NULL },
};

static bool is_live(struct source_process *source)
{
	return source_host(source_process_source(source))->kind == SOURCE_KIND_LIVE;
}

static int read_process(struct source_process *source, struct ledger *ledger,
			struct ledger_reading *reading, struct ledger_facts *facts,
			struct error *error)
{
	struct ledger_numbers *now = reading->after;
	struct process *process;
	int rc;

	process_free(ledger->process);
	ledger->process = NULL;
	rc = process_load(source, PROCESS_NEED_SMAPS, &ledger->process, error);
	if (rc >= 0)
		rc = classify_process(ledger->process, error);
	if (rc < 0)
		return rc;
	process = ledger->process;
	facts->page_size = process->page_size;
	ledger_sum_smaps(process, &now[LEDGER_SMAPS], facts);
	ledger_sum_vmas(process, &now[LEDGER_MODEL]);
	rc = ledger_sum_pages(process, &now[LEDGER_PAGES], facts, error);
	return rc < 0 ? rc : ledger_sum_tables(process, &now[LEDGER_MODEL], facts, error);
}

static int look(struct source_process *source, struct ledger *ledger, struct error *error)
{
	uint32_t page_size = source_host(source_process_source(source))->page_size;
	struct ledger_reading reading = { 0 };
	struct ledger_facts facts = { 0 };
	struct activity before, after;
	int rc;

	activity_read(source, &before);
	ledger_read_counters(source, page_size, reading.before);
	rc = read_process(source, ledger, &reading, &facts, error);
	if (rc < 0)
		return rc;
	ledger_read_counters(source, page_size, reading.after);
	activity_read(source, &after);
	facts.ran = is_live(source) && !activity_none(&before, &after);
	ledger_read_kernel(ledger->process, &facts);
	ledger_judge(&reading, &facts, ledger);
	return 0;
}

int ledger_read(struct source_process *source, struct ledger *ledger, struct error *error)
{
	int rc;

	*ledger = (struct ledger) { .looks = 0 };
	do {
		rc = look(source, ledger, error);
		ledger->looks++;
	} while (rc >= 0 && ledger->verdicts[LEDGER_UNEXPLAINED] &&
		 (ledger->moved || ledger->facts.ran) && ledger->looks < LOOKS &&
		 is_live(source));
	return rc;
}

void ledger_done(struct ledger *ledger)
{
	process_free(ledger->process);
	ledger->process = NULL;
}
