// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "ps_row.h"
#include "vmatlas/render/metrics.h"
#include "vmatlas/render/report_ps.h"

static struct cell pss_of(const struct ps_row *row)
{
	return ps_counted(row, row->counted->sum.pss);
}

static struct cell uss_of(const struct ps_row *row)
{
	return ps_counted(row, row->counted->sum.uss);
}

static struct cell anon_of(const struct ps_row *row)
{
	return ps_counted(row, row->counted->sum.anon);
}

static struct cell hugetlb_of(const struct ps_row *row)
{
	return ps_counted(row, row->counted->sum.hugetlb);
}

static struct cell swap_of(const struct ps_row *row)
{
	return ps_counted(row, row->counted->sum.swap);
}

static struct cell pagetables_of(const struct ps_row *row)
{
	return ps_size(&row->process->pagetables);
}

static struct cell threads_of(const struct ps_row *row)
{
	return ps_number(&row->process->threads);
}

static const struct {
	struct metric metric;
	struct cell (*value)(const struct ps_row *row);
} families[] = {
	{ { "vmatlas_process_virtual_bytes", "bytes", "Address space in use." }, ps_vss },
	{ { "vmatlas_process_resident_bytes", "bytes", "Resident memory (RSS)." }, ps_rss },
	{ { "vmatlas_process_proportional_bytes", "bytes",
	    "Resident memory, each page divided by the number of its mappings (PSS)." }, pss_of },
	{ { "vmatlas_process_unique_bytes", "bytes",
	    "Resident memory that is mapped nowhere else (USS)." }, uss_of },
	{ { "vmatlas_process_anonymous_bytes", "bytes", "Resident anonymous memory." }, anon_of },
	{ { "vmatlas_process_hugetlb_bytes", "bytes",
	    "Huge pages from a pool, beside resident memory." }, hugetlb_of },
	{ { "vmatlas_process_swap_bytes", "bytes", "Memory in swap." }, swap_of },
	{ { "vmatlas_process_swap_proportional_bytes", "bytes",
	    "Memory in swap, each slot divided by the number of its users." }, ps_swap_pss },
	{ { "vmatlas_process_page_table_bytes", "bytes", "Page tables." }, pagetables_of },
	{ { "vmatlas_process_threads", NULL, "Threads." }, threads_of },
};

/* Rows in the order of their PSS, or of RSS where that is unknown. */
struct ranked {
	uint64_t pss;
	uint64_t rss;
	size_t index;
};

static int compare_ranked(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->pss != b->pss)
		return a->pss < b->pss ? 1 : -1;
	if (a->rss != b->rss)
		return a->rss < b->rss ? 1 : -1;
	return a->index > b->index ? 1 : -1;
}

static struct ps_row row_at(const struct roster *roster, size_t index)
{
	size_t count;

	return (struct ps_row) { roster, &roster->processes[index],
				 &tally_processes(roster->tally, &count)[index] };
}

static size_t rank(const struct roster *roster, struct ranked *ranked, size_t top)
{
	size_t count = 0;

	for (size_t i = 0; i < roster->count; i++) {
		struct ps_row row = row_at(roster, i);
		struct cell rss = ps_rss(&row);

		if (ps_has_row(roster, i))
			ranked[count++] = (struct ranked) {
				row.counted->sum.pss, rss.type == CELL_SIZE ? rss.count : 0, i };
	}
	qsort(ranked, count, sizeof(*ranked), compare_ranked);
	return top && top < count ? top : count;
}

/* room for a number; empty where nobody knows. */
static struct span user_of(const struct ps_row *row, char room[24])
{
	const struct roster_number *uid = &row->process->uid;
	struct span name = { NULL, 0 };

	if (uid->gap == GAP_NONE)
		name = roster_user_name(row->roster, uid->value);
	if (name.len || uid->gap != GAP_NONE)
		return name;
	snprintf(room, 24, "%llu", (unsigned long long)uid->value);
	return span_of(room);
}

static void put_process(struct metrics *metrics, size_t family, const struct ps_row *row)
{
	const struct roster_process *process = row->process;
	struct cell value = families[family].value(row);
	char pid[16], user[24];
	const struct metric_label labels[] = {
		{ "pid", { pid, (size_t)snprintf(pid, sizeof(pid), "%d", row->counted->pid) } },
		{ "comm", buf_span(&process->comm) },
		{ "user", user_of(row, user) },
		{ "cgroup", buf_span(&process->cgroup) },
	};

	if (value.type != CELL_MISSING)
		metrics_sample(metrics, &families[family].metric, labels, ARRAY_SIZE(labels),
			       (int64_t)value.count);
}

static void put_one(struct metrics *metrics, const char *name, const char *unit, const char *help,
		    int64_t value)
{
	const struct metric metric = { name, unit, help };

	metrics_family(metrics, &metric);
	metrics_sample(metrics, &metric, NULL, 0, value);
}

static void put_totals(struct metrics *metrics, const struct roster *roster,
		       const struct ps_left *left)
{
	static const struct metric took = { "vmatlas_set_sampling_seconds", "seconds",
					    "Time from the first process to the last." };
	const struct tally_totals *t = tally_totals(roster->tally);

	put_one(metrics, "vmatlas_set_processes", NULL, "Processes in the sums.",
		(int64_t)t->counted);
	put_one(metrics, "vmatlas_set_processes_refused", NULL,
		"Processes that may not be read and are in no sum.",
		(int64_t)(t->refused + left->refused));
	put_one(metrics, "vmatlas_set_processes_gone", NULL,
		"Processes that ended while they were read.", (int64_t)(t->gone + left->gone));
	put_one(metrics, "vmatlas_set_resident_bytes", "bytes", "Sum of resident memory.",
		(int64_t)t->sum_rss);
	put_one(metrics, "vmatlas_set_proportional_bytes", "bytes",
		"Sum of proportional memory.", (int64_t)t->sum_pss);
	put_one(metrics, "vmatlas_set_swap_bytes", "bytes", "Sum of memory in swap.",
		(int64_t)t->sum_swap);
	if (t->frames_visible) {
		put_one(metrics, "vmatlas_set_resident_once_bytes", "bytes",
			"Resident memory, each page frame once.", (int64_t)t->bytes_once);
		put_one(metrics, "vmatlas_set_anonymous_once_bytes", "bytes",
			"Of it anonymous.", (int64_t)t->anon_once);
		put_one(metrics, "vmatlas_set_file_once_bytes", "bytes",
			"Of it page cache and shared memory.", (int64_t)t->file_once);
	}
	metrics_family(metrics, &took);
	metrics_sample_us(metrics, &took, NULL, 0, t->duration_us);
}

static void put_machine(struct metrics *metrics, const struct machine *machine)
{
	static const struct metric use = { "vmatlas_machine_memory_bytes", "bytes",
					   "What MemTotal is used for, each byte once." };

	metrics->set = (struct span) { NULL, 0 };
	put_one(metrics, "vmatlas_machine_memory_total_bytes", "bytes", "MemTotal.",
		(int64_t)machine->total);
	metrics_family(metrics, &use);
	for (int i = 0; i < MACHINE_ITEM_MAX; i++) {
		struct metric_label label = { "use", span_of(name_of(machine_item_names,
								     (uint64_t)i)) };

		if (machine->rows[i].gap == GAP_NONE)
			metrics_sample(metrics, &use, &label, 1, machine->rows[i].bytes);
	}
}

int report_ps_metrics(FILE *out, const struct roster *roster, const struct ps_show *show,
		      struct error *error)
{
	CLEANUP(metrics_done) struct metrics metrics;
	CLEANUP_FREE struct ranked *ranked = calloc(roster->count + 1, sizeof(*ranked));
	size_t count;

	metrics_init(&metrics, out);
	metrics.set = show->set_name;
	if (!ranked)
		return error_nomem(error);
	count = rank(roster, ranked, show->top);
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		metrics_family(&metrics, &families[f].metric);
		for (size_t i = 0; i < count; i++) {
			struct ps_row row = row_at(roster, ranked[i].index);

			put_process(&metrics, f, &row);
		}
	}
	put_totals(&metrics, roster, &show->left);
	if (show->machine)
		put_machine(&metrics, show->machine);
	return metrics_end(&metrics, error);
}
