// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"
#include "vmatlas/parse/smaps.h"

#define CHUNK 3000	/* the kernel stops before it begins a record that cannot fit */

static uint64_t value_of(const struct smaps_record *record, enum smaps_key key)
{
	return record->present >> key & 1 ? record->value[key] : 0;
}

static void add_record(const struct smaps_record *record, struct tally_sum *sum,
		       bool *swap_pss_known)
{
	sum->rss += value_of(record, SMAPS_RSS);
	sum->pss += value_of(record, SMAPS_PSS);
	sum->anon += value_of(record, SMAPS_ANONYMOUS);
	sum->uss += value_of(record, SMAPS_PRIVATE_CLEAN) +
		value_of(record, SMAPS_PRIVATE_DIRTY);
	sum->swap += value_of(record, SMAPS_SWAP);
	sum->swap_pss += value_of(record, SMAPS_SWAP_PSS);
	sum->hugetlb += value_of(record, SMAPS_SHARED_HUGETLB) +
		value_of(record, SMAPS_PRIVATE_HUGETLB);
	if (record->present >> SMAPS_SWAP_PSS & 1)
		*swap_pss_known = true;
}

static int read_stream(struct source_process *process, enum source_text what,
		       struct tally_sum *sum, bool *swap_pss_known, struct error *error)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(smaps_record_done) struct smaps_record record;
	CLEANUP(smaps_reader_done) struct smaps_reader reader;
	CLEANUP(lines_done) struct lines lines;
	struct tally_sum all = { 0 };
	int rc;

	lines_init(&lines, source_stream_read, NULL, CHUNK);
	smaps_reader_init(&reader, &lines);
	smaps_record_init(&record);
	rc = source_stream_open(process, what, &stream, error);
	if (rc < 0)
		return rc;
	lines.ctx = stream;
	while ((rc = smaps_next(&reader, &record, error)) > 0)
		add_record(&record, &all, swap_pss_known);
	if (!rc)
		*sum = all;
	return rc;
}

int tally_rollup(struct source_process *process, struct tally_sum *sum, bool *swap_pss_known,
		 struct error *error)
{
	struct error local = ERROR_INIT;
	int rc = read_stream(process, SOURCE_SMAPS_ROLLUP, sum, swap_pss_known, &local);

	if (local.code == ERROR_NOT_IN_KERNEL || local.code == ERROR_NOT_RECORDED) {
		error_clear(&local);
		rc = read_stream(process, SOURCE_SMAPS, sum, swap_pss_known, &local);
	}
	if (rc < 0 && error)
		*error = local;
	return rc;
}

int tally_kernels_swap_pss(struct source *source, const struct tally_process *process,
			   uint64_t *bytes, struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *opened = NULL;
	struct tally_sum sum = { 0 };
	bool known = false;
	int rc = source_process_open(source, process->pid, &opened, error);

	if (rc >= 0)
		rc = tally_rollup(opened, &sum, &known, error);
	if (rc < 0)
		return rc;
	if (!known)
		return error_set(error, ERROR_NOT_IN_KERNEL, NULL, "this kernel has no SwapPss");
	*bytes = sum.swap_pss;
	return 0;
}
