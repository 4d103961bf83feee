// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/model/process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "load.h"
#include "vmatlas/base/search.h"

static void warnings_free(struct process *process)
{
	for (size_t i = 0; i < process->warning_count; i++)
		buf_done(&process->warnings[i].message);
	free(process->warnings);
}

void process_free(struct process *process)
{
	if (!process)
		return;
	for (size_t i = 0; i < process->object_count; i++)
		object_done(&process->objects[i]);
	for (size_t i = 0; i < process->smaps_unknown_count; i++)
		buf_done(&process->smaps_unknown[i]);
	warnings_free(process);
	free(process->objects);
	free(process->smaps_unknown);
	free(process->vmas);
	free(process->numa_at);
	free(process->threads);
	buf_done(&process->comm);
	buf_done(&process->exe);
	buf_done(&process->smaps_store);
	buf_done(&process->numa_store);
	buf_done(&process->stat_text);
	buf_done(&process->status_text);
	buf_done(&process->auxv_text);
	free(process);
}

int process_warn(struct process *process, const char *code, const char *fmt, ...)
{
	struct process_warning *warning;
	char *text = NULL;
	va_list args;
	int ret = array_grow((void **)&process->warnings, &process->warning_cap,
			     process->warning_count, sizeof(*warning));

	if (ret < 0)
		return ret;
	va_start(args, fmt);
	ret = vasprintf(&text, fmt, args);
	va_end(args);
	if (ret < 0)
		return -ERROR_NOMEM;
	warning = &process->warnings[process->warning_count];
	*warning = (struct process_warning) { .code = code };
	ret = buf_add(&warning->message, text, (size_t)ret);
	free(text);
	if (ret == 0)
		process->warning_count++;
	return ret;
}

uint32_t process_find(const struct process *process, uint64_t address, uint32_t *next)
{
	size_t low = SEARCH_FIRST(i, process->vma_count, process->vmas[i].end <= address);

	if (low == process->vma_count) {
		*next = VMA_NONE;
		return VMA_NONE;
	}
	if (process->vmas[low].start > address) {
		*next = (uint32_t)low;
		return VMA_NONE;
	}
	*next = low + 1 < process->vma_count ? (uint32_t)low + 1 : VMA_NONE;
	return (uint32_t)low;
}

/* A text that is not needed for an answer: its absence is a gap. */
static bool text_read(struct process *process, enum source_text what, struct buf *text,
		      enum gap *gap)
{
	struct error error = ERROR_INIT;

	if (source_text(process->source, 0, what, text, &error) == 0)
		return true;
	*gap = gap_from_error(&error);
	return false;
}

static enum gap text_damaged(struct process *process, enum source_text what,
			     const struct error *why)
{
	source_text_damaged(process->source, what, why);
	return gap_from_error(why);
}

static void stat_read(struct process *process)
{
	struct error error = ERROR_INIT;

	if (!text_read(process, SOURCE_STAT, &process->stat_text, &process->stat_gap))
		return;
	process->has_stat = stat_parse(buf_span(&process->stat_text), &process->stat, &error) == 0;
	if (!process->has_stat)
		process->stat_gap = text_damaged(process, SOURCE_STAT, &error);
}

static void status_read(struct process *process)
{
	struct error error = ERROR_INIT;

	if (!text_read(process, SOURCE_STATUS, &process->status_text, &process->status_gap))
		return;
	process->has_status =
		status_parse(buf_span(&process->status_text), &process->status, &error) == 0;
	if (!process->has_status)
		process->status_gap = text_damaged(process, SOURCE_STATUS, &error);
}

static void auxv_read(struct process *process)
{
	struct error error = ERROR_INIT;

	if (!text_read(process, SOURCE_AUXV, &process->auxv_text, &process->auxv_gap))
		return;
	process->has_auxv = auxv_parse(buf_span(&process->auxv_text), &process->auxv, &error) == 0;
	if (!process->has_auxv)
		process->auxv_gap = text_damaged(process, SOURCE_AUXV, &error);
}

static void limits_read(struct process *process)
{
	struct buf CLEANUP(buf_done) text = BUF_INIT;
	struct error error = ERROR_INIT;

	if (!text_read(process, SOURCE_LIMITS, &text, &process->limits_gap))
		return;
	process->has_limits = limits_parse(buf_span(&text), &process->limits, &error) == 0;
	if (!process->has_limits)
		process->limits_gap = text_damaged(process, SOURCE_LIMITS, &error);
}

static void max_map_count_read(struct process *process)
{
	struct buf CLEANUP(buf_done) text = BUF_INIT;

	if (source_system_text(source_process_source(process->source), SOURCE_MAX_MAP_COUNT, &text,
			       NULL) == 0)
		span_number(span_trim(buf_span(&text)), &process->max_map_count);
}

static void comm_read(struct process *process)
{
	enum gap gap;

	if (text_read(process, SOURCE_COMM, &process->comm, &gap)) {
		if (span_ends(buf_span(&process->comm), "\n"))
			process->comm.len--;
	} else if (process->has_stat) {
		buf_add_span(&process->comm, process->stat.comm);
	}
}

static void exe_read(struct process *process)
{
	static const char deleted[] = " (deleted)";
	struct error error = ERROR_INIT;

	if (source_exe(process->source, &process->exe, &error) < 0) {
		process->exe_gap = gap_from_error(&error);
		return;
	}
	process->exe_deleted = span_ends(buf_span(&process->exe), deleted);
	if (process->exe_deleted)
		process->exe.len -= sizeof(deleted) - 1;
}

static void texts_read(struct process *process, unsigned needs)
{
	struct error error = ERROR_INIT;

	stat_read(process);
	status_read(process);
	auxv_read(process);
	comm_read(process);
	exe_read(process);
	max_map_count_read(process);
	process->limits_gap = GAP_NOT_READ;
	process->threads_gap = GAP_NOT_READ;
	if (needs & PROCESS_NEED_LIMITS)
		limits_read(process);
	if (needs & PROCESS_NEED_THREADS) {
		process->threads_gap = GAP_NONE;
		if (threads_read(process, &error) < 0)
			process->threads_gap = gap_from_error(&error);
	}
}

/* An empty map is not an answer: says why there is none. */
static int empty_error(const struct process *process, struct error *error)
{
	if (process->has_stat && process->stat.flags & STAT_PF_KTHREAD)
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "it is a kernel thread: it has no user address space");
	if (process->has_stat && (process->stat.state == 'Z' || process->stat.state == 'X'))
		return error_set(error, ERROR_GONE, NULL,
				 "it has ended (zombie): its address space is gone");
	if (process->unparsed)
		return error_set(error, ERROR_DAMAGED, NULL,
				 "no line of it describes a VMA: is it a maps text?");
	return error_set(error, ERROR_GONE, NULL,
			 "it has no memory map: it is ending, or the map is empty");
}

/* A map that breaks off is answered as far as it goes. */
static int maps_cut(struct process *process, const struct error *why, struct error *error)
{
	if (!process->vma_count || why->code == ERROR_NOMEM) {
		if (error)
			*error = *why;
		return -(int)why->code;
	}
	process->maps_gap = gap_from_error(why);
	return process_warn(process, gap_name(process->maps_gap), "the map breaks off: %s",
			    why->text);
}

static int maps_load(struct process *process, unsigned needs, struct error *error)
{
	struct error why = ERROR_INIT;

	process->smaps_gap = GAP_NOT_READ;
	if (needs & PROCESS_NEED_SMAPS) {
		if (vma_array_read(process, true, &why) == 0) {
			process->smaps_gap = GAP_NONE;
			return 0;
		}
		process->smaps_gap = gap_from_error(&why);
		if (process->vma_count)
			return maps_cut(process, &why, error);
		error_clear(&why);
	}
	if (vma_array_read(process, false, &why) < 0)
		return maps_cut(process, &why, error);
	return 0;
}

static int process_fill(struct process *process, unsigned needs, struct error *error)
{
	struct error local = ERROR_INIT;
	int ret = maps_load(process, needs, error);

	if (ret < 0)
		return ret;
	texts_read(process, needs);
	if (!process->vma_count)
		return empty_error(process, error);
	process->numa_gap = GAP_NOT_READ;
	if (needs & PROCESS_NEED_NUMA) {
		process->numa_gap = GAP_NONE;
		if (numa_read(process, &local) < 0)
			process->numa_gap = gap_from_error(&local);
	}
	if (objects_settle(process) < 0 ||
	    (needs & PROCESS_NEED_ELF && objects_open_elf(process) < 0))
		return error_nomem(error);
	error_clear(&local);
	/* A map that breaks off has told why. */
	if (process->maps_gap == GAP_NONE && source_process_check(process->source, &local) < 0)
		return process_warn(process, gap_name(gap_from_error(&local)), "%s", local.text);
	return 0;
}

bool process_is_sparse(const struct process *process, uint64_t bytes)
{
	uint64_t resident = process->has_stat ? process->stat.rss * process->page_size : 0;

	return bytes > 8 * resident + (1ULL << 30);
}

int process_load(struct source_process *source, unsigned needs, struct process **process,
		 struct error *error)
{
	struct process CLEANUP(process_freep) *loaded = calloc(1, sizeof(*loaded));
	int ret;

	if (!loaded)
		return error_nomem(error);
	loaded->source = source;
	loaded->pid = source_process_pid(source);
	loaded->page_size = source_host(source_process_source(source))->page_size;
	ret = process_fill(loaded, needs, error);
	if (ret < 0)
		return ret;
	*process = loaded;
	loaded = NULL;
	return 0;
}
