// SPDX-License-Identifier: LGPL-2.1-or-later
#include "load.h"

/*
 * smaps has no index: whoever wants one VMA reads all before it, and the kernel walks their page
 * tables; and that of the next one, whose header ends the record. That is worth it only where
 * little lies before it.
 */

/* Less than one record: the kernel then makes no further one, and walks no further VMA, than asked
 * for (fs/seq_file.c seq_read_iter). */
#define CHUNK 512u
#define COST_VMA 400u		/* text of a VMA costs about as much as walking so many pages */

uint64_t process_flags_cost(const struct process *process, uint32_t index)
{
	uint64_t pages = 0, resident = UINT64_MAX;

	for (uint32_t i = 0; i <= index + 1 && i < process->vma_count; i++)
		pages += vma_pages(process, &process->vmas[i]);
	if (process->has_status && status_has(&process->status, STATUS_VM_RSS))
		resident = process->status.value[STATUS_VM_RSS] / process->page_size;
	return (pages < resident ? pages : resident) + (uint64_t)COST_VMA * (index + 2);
}

static int take(struct process *process, struct vma *vma, const struct smaps_record *record,
		struct error *error)
{
	if (smaps_store_add(process, record, &vma->smaps) < 0)
		return error_nomem(error);
	vma->has_vm_flags = record->has_vm_flags;
	vma->vm_flags = record->vm_flags;
	process->smaps_present |= record->present;
	return 0;
}

static int find(struct process *process, struct vma *vma, struct smaps_reader *reader,
		struct smaps_record *record, struct error *error)
{
	int ret;

	while ((ret = smaps_next(reader, record, error)) != 0) {
		if (ret == -ERROR_PARSE)
			continue;
		if (ret < 0)
			return ret;
		if (record->line.start == vma->start && record->line.end == vma->end)
			return take(process, vma, record, error);
		if (record->line.start > vma->start)
			break;
	}
	return error_set(error, ERROR_CHANGED, "smaps", "the VMA is not there any more");
}

int process_read_flags(struct process *process, uint32_t index, struct error *error)
{
	struct source_stream CLEANUP(source_stream_freep) *stream = NULL;
	struct lines CLEANUP(lines_done) lines;
	struct smaps_reader CLEANUP(smaps_reader_done) reader;
	struct smaps_record CLEANUP(smaps_record_done) record;
	struct error local = ERROR_INIT;
	int ret;

	if (!error)
		error = &local;
	lines_init(&lines, source_stream_read, NULL, CHUNK);
	smaps_reader_init(&reader, &lines);
	smaps_record_init(&record);
	ret = source_stream_open(process->source, SOURCE_SMAPS, &stream, error);
	lines.ctx = stream;
	if (ret == 0)
		ret = find(process, &process->vmas[index], &reader, &record, error);
	return ret;
}
