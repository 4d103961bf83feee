// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the factories say they built, kept until all of it is true, then printed at once. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "memstate.h"

enum { RUNS_MAX = 64, NOTES_MAX = 32 };

struct note {
	const char *word;
	uint64_t start;
	uint64_t end;
	char text[160];
};

static struct run runs[RUNS_MAX];
static size_t nruns;
static struct note notes[NOTES_MAX];
static size_t nnotes;

void expect_in(pid_t pid, const void *start, size_t pages, const char *state, const char *attrs)
{
	errno = ENOSPC;
	if (nruns == RUNS_MAX)
		die("too many runs");
	runs[nruns++] = (struct run){
		.pid = pid,
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + pages * PAGE,
		.state = state,
		.attrs = attrs,
	};
}

void expect(const void *start, size_t pages, const char *state, const char *attrs)
{
	expect_in(getpid(), start, pages, state, attrs);
}

void expect_line(const void *start, size_t len, const char *word, const char *format, ...)
{
	struct note *note = &notes[nnotes];
	va_list ap;

	errno = ENOSPC;
	if (nnotes == NOTES_MAX)
		die("too many lines");
	nnotes++;
	note->word = word;
	note->start = (uintptr_t)start;
	note->end = note->start + len;
	va_start(ap, format);
	vsnprintf(note->text, sizeof(note->text), format, ap);
	va_end(ap);
}

const struct run *run_get(size_t index)
{
	return index < nruns ? &runs[index] : NULL;
}

static void print_run(const struct run *run)
{
	printf("expect 0x%" PRIx64 " 0x%" PRIx64 " %s", run->start, run->end, run->state);
	printf("%s%s\n", run->attrs ? " " : "", run->attrs ? run->attrs : "");
}

static void print_note(const struct note *note)
{
	printf("%s ", note->word);
	if (note->start)
		printf("0x%" PRIx64 " 0x%" PRIx64 " ", note->start, note->end);
	puts(note->text);
}

void report_print(void)
{
	pid_t self = getpid(), current = self;

	printf("ready pid=%d\n", self);
	for (size_t i = 0; i < nnotes; i++)
		print_note(&notes[i]);
	for (size_t i = 0; i < nruns; i++) {
		if (runs[i].pid != current)
			printf("%s %d\n", runs[i].pid == self ? "pid" : "child", runs[i].pid);
		current = runs[i].pid;
		print_run(&runs[i]);
	}
	puts("end");
	fflush(stdout);
}
