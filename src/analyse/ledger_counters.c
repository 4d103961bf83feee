// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <unistd.h>

#include "ledger.h"
#include "vmatlas/parse/stat.h"
#include "vmatlas/parse/status.h"

#define MOST_PROCESSORS 1000000
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

void ledger_read_counters(struct source_process *source,
			  struct ledger_numbers numbers[LEDGER_SOURCE_MAX])
{
	uint32_t page_size = source_host(source_process_source(source))->page_size;
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

/* "0-3,8": /sys/devices/system/cpu/online. */
static uint64_t count_processors(struct span text)
{
	uint64_t count = 0, first, last;

	while (span_take_dec(&text, &first)) {
		last = first;
		if (span_take_char(&text, '-') && !span_take_dec(&text, &last))
			break;
		if (last < first || last > MOST_PROCESSORS)
			return 0;
		count += last - first + 1;
		if (!span_take_char(&text, ','))
			break;
	}
	return count;
}

bool ledger_read_switches(struct source *source, uint64_t *switches)
{
	CLEANUP(buf_done) struct buf buf = BUF_INIT;
	struct span text, line;

	if (source_system_text(source, SOURCE_KERNEL_STAT, &buf, NULL) < 0)
		return false;
	text = buf_span(&buf);
	while (text.len) {
		line = span_take_until(&text, '\n');
		span_take_char(&text, '\n');
		if (!span_starts(line, "ctxt "))
			continue;
		line = (struct span) { line.ptr + 5, line.len - 5 };
		return span_take_dec(&line, switches);
	}
	return false;
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

/* Since 6.2 counters are kept per CPU. The line KSM is younger (6.6), and so is PAGEMAP_SCAN. */
static bool has_ksm(const struct ledger_numbers *numbers)
{
	return numbers->present >> SMAPS_KSM & 1;
}

/* What cannot be seen on the target, perhaps on ourselves. */
static void ask_ourselves(struct source *source, uint32_t page_size, struct ledger_facts *facts)
{
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	struct ledger_numbers rollup = { .gap = GAP_NONE };

	if (source_host(source)->kind != SOURCE_KIND_LIVE ||
	    source_process_open(source, getpid(), &self, NULL) < 0)
		return;
	facts->summed = facts->summed || adds_up(self, page_size);
	if (!facts->batched && read_rollup(self, &rollup, NULL) == 0)
		facts->batched = has_ksm(&rollup);
}

void ledger_read_kernel(struct source_process *process, const struct ledger_reading *reading,
			struct ledger_facts *facts)
{
	struct source *source = source_process_source(process);
	uint32_t page_size = source_host(source)->page_size;
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	facts->page_size = page_size;
	if (source_system_text(source, SOURCE_CPUS_ONLINE, &text, NULL) == 0)
		facts->processors = count_processors(buf_span(&text));
	facts->threads = reading->after[LEDGER_STATUS].value[STATUS_THREADS];
	facts->batched = has_ksm(&reading->after[LEDGER_ROLLUP]) ||
		has_ksm(&reading->after[LEDGER_SMAPS]) ||
		source_access(process, ACCESS_PAGEMAP_SCAN) == GAP_NONE;
	facts->summed = adds_up(process, page_size);
	if (!facts->batched || !facts->summed)
		ask_ourselves(source, page_size, facts);
}
