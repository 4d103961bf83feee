// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <stdio.h>
#include <time.h>

/* What has no name here is not recorded. */
static const char *const names[SOURCE_SYSTEM_TEXT_MAX] = {
	[SOURCE_MAX_MAP_COUNT] = "max_map_count",
	[SOURCE_OVERCOMMIT] = "overcommit_memory",
	[SOURCE_CPUINFO] = "cpuinfo",
	[SOURCE_MEMINFO] = "meminfo",
	[SOURCE_SWAPS] = "swaps",
	[SOURCE_THP_SIZE] = "hpage_pmd_size",
	[SOURCE_STACK_GUARD_GAP] = "stack_guard_gap",
	[SOURCE_MOUNTS] = "mountinfo",
	[SOURCE_KSM_SHARED] = "ksm_pages_shared",
	[SOURCE_CPUS_ONLINE] = "cpus_online",
};

/* Lines of cpuinfo that tell the speed of the moment: x86 and s390, powerpc. */
static bool is_speed(struct span line)
{
	struct span key = span_trim(span_take_until(&line, ':'));

	return span_starts(key, "cpu MHz") || span_is(key, "clock");
}

/* One processor: there may be thousands of equal ones. */
static int first_processor(struct span text, struct buf *out)
{
	while (text.len) {
		struct span line = span_take_until(&text, '\n');

		span_take_char(&text, '\n');
		if (!line.len)
			break;
		if (!is_speed(line) &&
		    (buf_add_span(out, line) < 0 || buf_add_char(out, '\n') < 0))
			return -1;
	}
	return 0;
}

/* The command line of the kernel may hold secrets of the one who started it. */
static int guard_gap_words(struct span text, struct buf *out)
{
	while (text.len) {
		struct span line = span_take_until(&text, '\n'), word;

		span_take_char(&text, '\n');
		while (span_take_word(&line, &word))
			if (span_starts(word, "stack_guard_gap=") &&
			    (buf_add_span(out, word) < 0 || buf_add_char(out, '\n') < 0))
				return -1;
	}
	return 0;
}

static int system_text(struct recording *recording, int dir, enum source_system_text what,
		       struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(buf_done) struct buf part = BUF_INIT;
	struct error failure = ERROR_INIT;
	char item[40];
	int rc = 0;

	if (source_system_text(recording->source, what, &text, &failure) < 0) {
		snprintf(item, sizeof(item), "host/%s", names[what]);
		return missing_add(&recording->missing[0], item, &failure, error);
	}
	if (what == SOURCE_CPUINFO)
		rc = first_processor(buf_span(&text), &part);
	else if (what == SOURCE_STACK_GUARD_GAP)
		rc = guard_gap_words(buf_span(&text), &part);
	else
		rc = buf_add_span(&part, buf_span(&text));
	if (rc < 0)
		return error_nomem(error);
	return out_text(recording, dir, names[what], buf_span(&part), error);
}

int host_record(struct recording *recording, struct error *error)
{
	CLEANUP_CLOSE int dir = place_folder(recording->place.root, "host", error);
	int rc = dir;

	for (int what = 0; what < SOURCE_SYSTEM_TEXT_MAX && rc >= 0; what++)
		if (names[what])
			rc = system_text(recording, dir, (enum source_system_text)what, error);
	return rc < 0 ? rc : 0;
}

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

static int add_time(struct buf *text, int64_t seconds)
{
	time_t when = (time_t)seconds;
	char stamp[40];
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return 0;
	return buf_addf(text, "time %s\n", stamp);
}

static int add_machine(struct recording *recording, struct buf *text)
{
	const struct source_host *host = source_host(recording->source);
	const char *boot_id = source_boot_id(recording->source);
	int rc = buf_addf(text, "vmatlas-snapshot 1\ntool %s\n", recording->options->tool);

	if (rc >= 0)
		rc = add_time(text, host->time);
	if (rc >= 0 && host->boot_time)
		rc = buf_addf(text, "boot_time %lld\n", (long long)host->boot_time);
	if (rc >= 0 && boot_id[0])
		rc = buf_addf(text, "boot_id %s\n", boot_id);
	if (rc >= 0 && host->kernel[0])
		rc = buf_addf(text, "kernel %s\n", host->kernel);
	if (rc >= 0 && host->machine[0])
		rc = buf_addf(text, "machine %s\n", host->machine);
	if (rc >= 0 && host->page_size_known)
		rc = buf_addf(text, "page_size %u\n", host->page_size);
	return rc < 0 ? rc :
		buf_addf(text, "frames %s\nframes_end %llx\nexclusive_mark %s\n",
			 yes(host->frames_visible),
			 (unsigned long long)source_frames_end(recording->source),
			 yes(source_exclusive_mark(recording->source)));
}

int manifest_record(struct recording *recording, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int rc = add_machine(recording, &text);

	for (size_t i = 0; i < recording->count && rc >= 0; i++) {
		const struct recorded *process = &recording->processes[i];

		if (process->ended)
			continue;
		rc = process->tid != process->pid ?
			buf_addf(&text, "process %d %d\n", process->pid, process->tid) :
			buf_addf(&text, "process %d\n", process->pid);
	}
	return rc < 0 ? error_nomem(error) :
		out_text(recording, recording->place.root, "manifest", buf_span(&text), error);
}
