// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"

#define PROGRESS_FIRST_US 1000000
#define PROGRESS_EVERY_US 200000

void progress_init(struct progress *progress, const char *what)
{
	*progress = (struct progress) {
		.what = what,
		.next_us = report_clock_us() + PROGRESS_FIRST_US,
		/* On one terminal it would stand among the answers. */
		.off = !isatty(STDERR_FILENO) || isatty(STDOUT_FILENO),
	};
}

void progress_step(struct progress *progress, uint64_t done, uint64_t total)
{
	uint64_t now;

	if (progress->off || (now = report_clock_us()) < progress->next_us)
		return;
	progress->next_us = now + PROGRESS_EVERY_US;
	progress->shown = true;
	fprintf(stderr, "\r%s: %3.0f%%\033[K", progress->what,
		total ? 100.0 * (double)done / (double)total : 0.0);
	fflush(stderr);
}

void progress_done(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
