// SPDX-License-Identifier: LGPL-2.1-or-later
#include <time.h>

#include "config.h"
#include "render.h"

static const char *const access_names[ACCESS_MAX] = {
	[ACCESS_MAPS] = "maps",
	[ACCESS_SMAPS] = "smaps",
	[ACCESS_SMAPS_ROLLUP] = "smaps_rollup",
	[ACCESS_STATUS] = "status",
	[ACCESS_STAT] = "stat",
	[ACCESS_AUXV] = "auxv",
	[ACCESS_PAGEMAP] = "pagemap",
	[ACCESS_PAGEMAP_SCAN] = "pagemap_scan",
	[ACCESS_KPAGEFLAGS] = "kpageflags",
	[ACCESS_KPAGECOUNT] = "kpagecount",
	[ACCESS_KPAGECGROUP] = "kpagecgroup",
	[ACCESS_MAP_FILES] = "map_files",
	[ACCESS_MEM] = "mem",
};

uint64_t report_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct cell recorded(const char *text)
{
	return text[0] ? cell_bytes(span_of(text)) : cell_missing(GAP_NOT_RECORDED);
}

static void document_host(struct report *report, const struct source_host *host)
{
	struct cell items[] = {
		cell_named("kernel", recorded(host->kernel)),
		cell_named("machine", recorded(host->machine)),
		cell_named("page_size", host->page_size_known ? cell_count(host->page_size) :
			   cell_missing(GAP_NOT_RECORDED)),
	};

	report_fact(report, "host", NULL, cell_object(items, ARRAY_SIZE(items)),
		    REPORT_JSON_ONLY);
}

int report_document_begin(struct report *report, struct source *source,
			  struct source_process *process, uint64_t start_us)
{
	const struct source_host *host = source_host(source);
	bool live = host->kind == SOURCE_KIND_LIVE;
	struct cell kind = cell_named("kind", cell_text(live ? "live" : "snapshot"));
	struct cell when = { .type = CELL_TIME, .number = host->time };

	report->source = source;
	report->process = process;
	report->start_us = start_us;
	report_fact(report, "tool", NULL, cell_text(PACKAGE_STRING), REPORT_JSON_ONLY);
	report_fact(report, "time", NULL, host->time ? when : cell_missing(GAP_NOT_RECORDED),
		    REPORT_JSON_ONLY);
	report_fact(report, "source", NULL, cell_object(&kind, 1), REPORT_JSON_ONLY);
	if (report_is_json(report))
		document_host(report, host);
	return report->rc;
}

static void document_access(struct report *report)
{
	struct cell items[ACCESS_MAX];

	for (int i = 0; i < ACCESS_MAX; i++) {
		enum gap gap = source_access(report->process, i);

		/* The reason is the value here, not a gap of the report. */
		items[i] = gap == GAP_NONE ? cell_text("ok") :
			gap_name(gap)[0] ? cell_text(gap_name(gap)) : cell_null();
		items[i].name = access_names[i];
	}
	report_fact(report, "access", NULL, cell_object(items, ACCESS_MAX), REPORT_JSON_ONLY);
}

static void document_cost(struct report *report)
{
	const struct source_cost *cost = source_cost(report->source);
	struct cell items[] = {
		cell_named("wall_us", cell_count(report_clock_us() - report->start_us)),
		cell_named("bytes_read", cell_count(cost->bytes)),
		cell_named("calls", cell_count(cost->calls)),
	};

	report_fact(report, "cost", NULL, cell_object(items, ARRAY_SIZE(items)),
		    REPORT_JSON_ONLY);
}

int document_end(struct report *report)
{
	if (report->source && !report->has_process)
		document_process_missing(report);
	if (report->source && report->process)
		document_access(report);
	else if (report->source)
		report_fact(report, "access", NULL, cell_null(), REPORT_JSON_ONLY);
	json_warnings(report);
	if (report->source)
		document_cost(report);
	return report->rc;
}
