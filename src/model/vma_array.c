// SPDX-License-Identifier: LGPL-2.1-or-later
#include "load.h"
#include "read_ahead.h"

/*
 * The kernel promises ascending lines without overlap, but since maps is walked under one VMA
 * lock at a time (6.17, CONFIG_PER_VMA_LOCK) a map that changes meanwhile breaks the promise:
 * the later line is cut to what is new in it, or left out.
 */

#define MAPS_CHUNK (16u << 10)	/* the kernel gives 4 KiB at a time */
/* One page less the longest record: the kernel then never begins a record that does not fit and
 * that it would have to walk a second time (fs/seq_file.c seq_read_iter). */
#define SMAPS_CHUNK 3000u
#define VMAS_MAX (1u << 28)

struct vma_reader {
	struct process *process;
	struct object_table table;
	struct lines lines;
	uint64_t last_end;
	enum source_text what;
	struct error unparsed;	/* the first line that did not parse */
};

static void vma_reader_done(struct vma_reader *reader)
{
	object_table_done(&reader->table);
	lines_done(&reader->lines);
}

static void line_unparsed(struct vma_reader *reader, const struct error *why)
{
	if (!reader->process->unparsed++)
		reader->unparsed = *why;
	source_text_damaged(reader->process->source, reader->what, why);
}

/* Cuts the line to what lies above the last VMA; false if nothing does. */
static bool line_clip(struct vma_reader *reader, struct maps_line *line)
{
	uint64_t cut = reader->last_end - line->start;
	struct error why = ERROR_INIT;

	if (!reader->process->clipped) {
		error_set(&why, ERROR_DAMAGED, NULL, "it overlaps the VMA above, or goes back");
		why.line = reader->lines.number;
		source_text_damaged(reader->process->source, reader->what, &why);
	}
	reader->process->clipped++;
	reader->process->vmas[reader->process->vma_count - 1].changed = true;
	if (line->end <= reader->last_end)
		return false;
	line->start = reader->last_end;
	if (line->inode)
		line->offset += cut;
	return true;
}

/* 1 and the new VMA, 0 if the line was left out, negative on failure. */
static int vma_add(struct vma_reader *reader, struct maps_line *line, struct vma **added)
{
	struct process *process = reader->process;
	bool clipped = line->start < reader->last_end;
	struct vma *vma;
	int ret;

	if (clipped && !line_clip(reader, line))
		return 0;
	if (process->vma_count >= VMAS_MAX)
		return -ERROR_LIMIT;
	ret = array_grow((void **)&process->vmas, &process->vma_cap, process->vma_count,
			 sizeof(*vma));
	if (ret < 0)
		return ret;
	vma = &process->vmas[process->vma_count];
	*vma = (struct vma) {
		.start = line->start, .end = line->end, .offset = line->offset,
		.object = OBJECT_NONE, .owner = VMA_NONE, .perms = line->perms,
		.role = ROLE_ANON, .role_second = ROLE_MAX, .vma_class = VMA_CLASS_DYNAMIC,
		.backing = BACKING_ANON, .changed = clipped,
	};
	ret = object_intern(process, &reader->table, line, process->vma_count, &vma->object);
	if (ret < 0)
		return ret;
	process->vma_count++;
	reader->last_end = line->end;
	*added = vma;
	return 1;
}

static int add_error(int code, struct error *error)
{
	return code == -ERROR_NOMEM ? error_nomem(error) :
		error_set(error, (enum error_code)-code, "", "too many VMAs");
}

static int maps_read(struct vma_reader *reader, struct error *error)
{
	struct maps_before before = { .tail_len = 0 };
	struct error why = ERROR_INIT;
	struct maps_line line;
	struct span text;
	struct vma *vma;
	int ret;

	while ((ret = lines_next(&reader->lines, &text, error)) > 0) {
		if (maps_parse_next(text, &before, &line, &why) < 0) {
			why.line = reader->lines.number;
			line_unparsed(reader, &why);
			continue;
		}
		ret = vma_add(reader, &line, &vma);
		if (ret < 0)
			return add_error(ret, error);
	}
	return ret;
}

static int record_add(struct vma_reader *reader, struct smaps_record *record)
{
	struct vma *vma;
	int ret = vma_add(reader, &record->line, &vma);

	if (ret <= 0)
		return ret;
	vma->has_vm_flags = record->has_vm_flags;
	vma->vm_flags = record->vm_flags;
	reader->process->smaps_present |= record->present;
	return smaps_store_add(reader->process, record, &vma->smaps);
}

static int smaps_read(struct vma_reader *reader, struct error *error)
{
	struct smaps_reader CLEANUP(smaps_reader_done) smaps;
	struct smaps_record CLEANUP(smaps_record_done) record;
	int ret;

	smaps_reader_init(&smaps, &reader->lines);
	smaps_record_init(&record);
	while ((ret = smaps_next(&smaps, &record, error)) != 0) {
		if (ret == -ERROR_PARSE) {
			line_unparsed(reader, error);
			continue;
		}
		if (ret < 0)
			return ret;
		ret = record_add(reader, &record);
		if (ret < 0)
			return add_error(ret, error);
	}
	return 0;
}

static int unparsed_warn(const struct vma_reader *reader)
{
	size_t count = reader->process->unparsed;
	const struct error *first = &reader->unparsed;

	if (first->code == ERROR_NONE)
		return 0;
	if (count == 1)
		return process_warn(reader->process, "damaged",
				    "line %lu of the map was left out: %s", first->line,
				    first->text);
	return process_warn(reader->process, "damaged",
			    "%zu lines of the map were left out, first line %lu: %s", count,
			    first->line, first->text);
}

static int clipped_warn(struct process *process)
{
	if (!process->clipped)
		return 0;
	return process_warn(process, "changed",
			    "%zu line%s overlapped or went back: the map changed while it was read",
			    process->clipped, plural(process->clipped));
}

int vma_array_read(struct process *process, bool smaps, struct error *error)
{
	struct vma_reader CLEANUP(vma_reader_done) reader = {
		.process = process, .unparsed = ERROR_INIT,
		.what = smaps ? SOURCE_SMAPS : SOURCE_MAPS,
	};
	struct source_stream CLEANUP(source_stream_freep) *stream = NULL;
	struct read_ahead CLEANUP(read_ahead_done) ahead;
	struct error local = ERROR_INIT;
	int ret, told;

	if (!error)
		error = &local;
	read_ahead_init(&ahead, NULL, smaps ? SMAPS_CHUNK : MAPS_CHUNK);
	ret = source_stream_open(process->source, reader.what, &stream, error);
	if (ret < 0)
		return ret;
	ahead.stream = stream;
	read_ahead_lines(&ahead, &reader.lines);
	ret = smaps ? smaps_read(&reader, error) : maps_read(&reader, error);
	if (ret == -ERROR_LIMIT)
		source_text_damaged(process->source, reader.what, error);
	told = unparsed_warn(&reader);
	if (ret >= 0 && told >= 0)
		told = clipped_warn(process);
	return ret < 0 ? ret : told;
}
