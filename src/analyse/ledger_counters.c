// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <unistd.h>

#include "ledger.h"
#include "vmatlas/parse/stat.h"
#include "vmatlas/parse/status.h"

#define CHUNK 4096	/* smaps_rollup is one record */

_Static_assert(STATUS_KEY_MAX <= LEDGER_NUMBERS && SMAPS_KEY_MAX <= LEDGER_NUMBERS,
	       "numbers of one source");

static int read_rollup(struct source_process *source, struct ledger_numbers *numbers,
		       struct error *error)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(smaps_record_done) struct smaps_record record;
	CLEANUP(smaps_reader_done) struct smaps_reader reader;
	CLEANUP(lines_done) struct lines lines;
	int rc;

	lines_init(&lines, source_stream_read, NULL, CHUNK);
	smaps_reader_init(&reader, &lines);
	smaps_record_init(&record);
	rc = source_stream_open(source, SOURCE_SMAPS_ROLLUP, &stream, error);
	if (rc < 0)
		return rc;
	lines.ctx = stream;
	rc = smaps_next(&reader, &record, error);
	if (rc <= 0)
		return rc < 0 ? rc : error_set(error, ERROR_GONE, NULL, "smaps_rollup is empty");
	numbers->present = record.present;
	memcpy(numbers->value, record.value, sizeof(record.value));
	return 0;
}

/* Before 4.15 PMD tables had a line of their own. */
static int read_status(struct source_process *source, struct ledger_numbers *numbers,
		       struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct status status;
	int rc = source_text(source, 0, SOURCE_STATUS, &text, error);

	if (rc >= 0)
		rc = status_parse(buf_span(&text), &status, error);
	if (rc < 0)
		return rc;
	numbers->present = status.present;
	memcpy(numbers->value, status.value, sizeof(status.value));
	numbers->value[STATUS_VM_PTE] += status.value[STATUS_VM_PMD];
	return 0;
}

static int read_statm(struct source_process *source, uint32_t page_size,
		      struct ledger_numbers *numbers, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct statm_record statm;
	int rc = source_text(source, 0, SOURCE_STATM, &text, error);

	if (rc >= 0)
		rc = statm_parse(buf_span(&text), &statm, error);
	if (rc < 0)
		return rc;
	numbers_set(numbers, STATM_SIZE, statm.size * page_size);
	numbers_set(numbers, STATM_RESIDENT, statm.resident * page_size);
	numbers_set(numbers, STATM_SHARED, statm.shared * page_size);
	if (statm.has_data) {
		numbers_set(numbers, STATM_TEXT, statm.text * page_size);
		numbers_set(numbers, STATM_DATA, statm.data * page_size);
	}
	return 0;
}

static int read_stat(struct source_process *source, uint32_t page_size,
		     struct ledger_numbers *numbers, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;
	int rc = source_text(source, 0, SOURCE_STAT, &text, error);

	if (rc >= 0)
		rc = stat_parse(buf_span(&text), &stat, error);
	if (rc < 0)
		return rc;
	numbers_set(numbers, STAT_VSIZE, stat.vsize);
	numbers_set(numbers, STAT_RSS, stat.rss * page_size);
	return 0;
}

void ledger_read_counters(struct source_process *source, uint32_t page_size,
			  struct ledger_numbers numbers[LEDGER_SOURCE_MAX])
{
	struct error error = ERROR_INIT;

	for (enum ledger_source i = LEDGER_ROLLUP; i <= LEDGER_STAT; i++)
		numbers[i] = (struct ledger_numbers) { .gap = GAP_NONE };
	if (read_rollup(source, &numbers[LEDGER_ROLLUP], &error) < 0)
		numbers[LEDGER_ROLLUP].gap = gap_from_error(&error);
	if (read_status(source, &numbers[LEDGER_STATUS], &error) < 0)
		numbers[LEDGER_STATUS].gap = gap_from_error(&error);
	if (read_statm(source, page_size, &numbers[LEDGER_STATM], &error) < 0)
		numbers[LEDGER_STATM].gap = gap_from_error(&error);
	if (read_stat(source, page_size, &numbers[LEDGER_STAT], &error) < 0)
		numbers[LEDGER_STAT].gap = gap_from_error(&error);
}

/* "processor\t: 0"; s390 has "processor 0: version". */
static uint64_t count_processors(struct span text)
{
	uint64_t count = 0;

	while (text.len) {
		count += span_starts(span_take_until(&text, '\n'), "processor");
		span_take_char(&text, '\n');
	}
	return count;
}

/* Do statm and stat contradict each other, though nothing moved? Then the one adds up all CPUs and
 * the other does not: fs/proc/task_mmu.c task_mem() and task_statm() since 6.16. */
static bool adds_up(struct source_process *source, uint32_t page_size)
{
	struct ledger_numbers first = { .gap = GAP_NONE }, again = first, stat = first;

	return read_statm(source, page_size, &first, NULL) == 0 &&
	       read_stat(source, page_size, &stat, NULL) == 0 &&
	       read_statm(source, page_size, &again, NULL) == 0 &&
	       first.value[STATM_RESIDENT] == again.value[STATM_RESIDENT] &&
	       first.value[STATM_RESIDENT] != stat.value[STAT_RSS];
}

/* Where it cannot be seen on the target, perhaps on ourselves. */
static bool we_add_up(struct source *source, uint32_t page_size)
{
	CLEANUP(source_process_freep) struct source_process *self = NULL;

	return source_host(source)->kind == SOURCE_KIND_LIVE &&
	       source_process_open(source, getpid(), &self, NULL) == 0 &&
	       adds_up(self, page_size);
}

/* PAGEMAP_SCAN (6.7) and the line KSM of smaps (6.6) are younger than counters per CPU (6.2). */
static bool is_batched(const struct process *process)
{
	return process->smaps_present >> SMAPS_KSM & 1 ||
	       source_access(process->source, ACCESS_PAGEMAP_SCAN) == GAP_NONE;
}

void ledger_read_kernel(const struct process *process, struct ledger_facts *facts)
{
	struct source *source = source_process_source(process->source);
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (source_system_text(source, SOURCE_CPUINFO, &text, NULL) == 0)
		facts->processors = count_processors(buf_span(&text));
	facts->threads = process->has_stat ? process->stat.threads : 0;
	facts->batched = is_batched(process);
	facts->summed = adds_up(process->source, process->page_size) ||
		we_add_up(source, process->page_size);
}
