// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "vmatlas/render/metrics.h"
#include "vmatlas/render/report_share.h"

/* Series of a fleet: not one for each of thousands of files. */
#define OBJECTS_MAX 50u

static const struct tally_process *process_at(const struct share *share, size_t index)
{
	size_t count;

	return &tally_processes(share->tally, &count)[index];
}

static uint64_t pss_of(const struct share *share, size_t index)
{
	return process_at(share, index)->sum.pss;
}

static uint64_t shared_of(const struct share *share, size_t index)
{
	return share->processes[index].shared;
}

static uint64_t outside_of(const struct share *share, size_t index)
{
	return share->processes[index].outside;
}

static uint64_t freed_of(const struct share *share, size_t index)
{
	return share_freed_memory(&share->processes[index].freed);
}

static const struct {
	struct metric metric;
	uint64_t (*value)(const struct share *share, size_t index);
} process_families[] = {
	{ { "vmatlas_share_process_proportional_bytes", "bytes",
	    "Resident memory, each page divided by the number of its mappings (PSS)." }, pss_of },
	{ { "vmatlas_share_process_shared_bytes", "bytes",
	    "Resident memory that others of the set map as well." }, shared_of },
	{ { "vmatlas_share_process_outside_bytes", "bytes",
	    "Resident memory that processes outside of the set map as well." }, outside_of },
	{ { "vmatlas_share_process_freed_bytes", "bytes",
	    "Memory that would be free if this process alone ended." }, freed_of },
};

static void put_processes(struct metrics *metrics, const struct share *share)
{
	/* Without sets the first alone is known. */
	size_t count = tally_totals(share->tally)->crowd ? 1 : ARRAY_SIZE(process_families);

	for (size_t f = 0; f < count; f++) {
		const struct metric *metric = &process_families[f].metric;

		metrics_family(metrics, metric);
		for (size_t i = 0; i < share->count; i++) {
			const struct tally_process *process = process_at(share, i);
			char pid[16];
			const struct metric_label labels[] = {
				{ "pid", { pid, (size_t)snprintf(pid, sizeof(pid), "%d",
								 process->pid) } },
				{ "comm", buf_span(&share->processes[i].comm) },
			};

			if (process->state == TALLY_COUNTED && process->same_as == TALLY_NONE)
				metrics_sample(metrics, metric, labels, ARRAY_SIZE(labels),
					       (int64_t)process_families[f].value(share, i));
		}
	}
}

static void put_one(struct metrics *metrics, const char *name, const char *unit, const char *help,
		    uint64_t value)
{
	const struct metric metric = { name, unit, help };

	metrics_family(metrics, &metric);
	metrics_sample(metrics, &metric, NULL, 0, (int64_t)value);
}

struct labelled {
	const char *label;
	uint64_t value;
};

static void put_labelled(struct metrics *metrics, const struct metric *metric, const char *name,
			 const struct labelled *values, size_t count)
{
	metrics_family(metrics, metric);
	for (size_t i = 0; i < count; i++) {
		const struct metric_label label = { name, span_of(values[i].label) };

		metrics_sample(metrics, metric, &label, 1, (int64_t)values[i].value);
	}
}

static void put_set(struct metrics *metrics, const struct share *share)
{
	static const struct metric cause = { "vmatlas_share_cause_saved_bytes", "bytes",
		"Memory that sharing saves, by cause." };
	static const struct metric end = { "vmatlas_share_end_bytes", "bytes",
		"What becomes of memory that nobody else maps if the whole set ends." };
	const struct labelled ends[] = {
		{ "anonymous", share->freed.anon }, { "objects", share->freed.objects },
		{ "hugetlb", share->freed.hugetlb }, { "swap", share->freed.swap },
		{ "reclaimable", share->freed.cache }, { "kept", share->freed.kept },
	};
	struct labelled causes[SHARE_CAUSE_MAX];

	for (int i = 0; i < SHARE_CAUSE_MAX; i++)
		causes[i] = (struct labelled) { name_of(share_cause_names, (uint64_t)i),
						share->causes[i].saved };
	put_labelled(metrics, &cause, "cause", causes, SHARE_CAUSE_MAX);
	put_labelled(metrics, &end, "fate", ends, ARRAY_SIZE(ends));
}

static int compare_objects(const void *left, const void *right, void *ctx)
{
	const struct share_object *objects = ctx;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	if (objects[a].pss != objects[b].pss)
		return objects[a].pss < objects[b].pss ? 1 : -1;
	return a > b ? 1 : -1;
}

/* An inode is what makes an object: paths may be the same in two mount namespaces. */
static void put_object(struct metrics *metrics, const struct metric *metric,
		       const struct share_object *object, uint64_t value)
{
	char device[32], inode[24];

	snprintf(device, sizeof(device), "%02x:%02x", object->major, object->minor);
	snprintf(inode, sizeof(inode), "%llu", (unsigned long long)object->inode);
	const struct metric_label labels[] = {
		{ "path", buf_span(&object->name) }, { "kind", span_of(object->kind) },
		{ "device", span_of(device) }, { "inode", span_of(inode) },
	};

	metrics_sample(metrics, metric, labels, ARRAY_SIZE(labels), (int64_t)value);
}

static int put_objects(struct metrics *metrics, const struct share *share)
{
	static const struct metric families[] = {
		{ "vmatlas_share_object_once_bytes", "bytes",
		  "Pages of an object that the set maps, each once." },
		{ "vmatlas_share_object_copied_bytes", "bytes",
		  "Private copies in mappings of an object, each page once." },
		{ "vmatlas_share_object_proportional_bytes", "bytes",
		  "PSS of an object, summed over the processes." },
	};
	CLEANUP_FREE uint32_t *order = calloc(share->object_count + 1, sizeof(*order));
	size_t count = share->object_count < OBJECTS_MAX ? share->object_count : OBJECTS_MAX;

	if (!order)
		return -1;
	for (uint32_t i = 0; i < share->object_count; i++)
		order[i] = i;
	qsort_r(order, share->object_count, sizeof(*order), compare_objects, share->objects);
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		metrics_family(metrics, &families[f]);
		for (size_t i = 0; i < count; i++) {
			const struct share_object *object = &share->objects[order[i]];
			const uint64_t values[] = { object->once, object->copied, object->pss };

			put_object(metrics, &families[f], object, values[f]);
		}
	}
	return 0;
}

int report_share_metrics(FILE *out, const struct share *share, const struct share_show *show,
			 struct error *error)
{
	const struct share_left *left = &show->left;
	CLEANUP(metrics_done) struct metrics metrics;
	const struct tally_totals *t = tally_totals(share->tally);

	metrics_init(&metrics, out);
	metrics.set = show->set_name;
	put_one(&metrics, "vmatlas_share_processes", NULL, "Processes in the sums.", t->counted);
	put_one(&metrics, "vmatlas_share_processes_refused", NULL,
		"Processes that may not be read and are in no sum.", t->refused + left->refused);
	put_one(&metrics, "vmatlas_share_processes_gone", NULL,
		"Processes that ended while they were read.", t->gone + left->gone);
	put_one(&metrics, "vmatlas_share_resident_bytes", "bytes", "Sum of resident memory.",
		t->sum_rss);
	put_one(&metrics, "vmatlas_share_proportional_bytes", "bytes",
		"Sum of proportional memory.", t->sum_pss);
	put_one(&metrics, "vmatlas_share_swap_proportional_bytes", "bytes",
		"Memory in swap, each slot divided by the number of its users.", share->swap.pss);
	if (t->frames_visible) {
		put_one(&metrics, "vmatlas_share_resident_once_bytes", "bytes",
			"Resident memory, each page frame once.", t->bytes_once);
		put_processes(&metrics, share);
	}
	if (t->frames_visible && !t->crowd) {
		put_one(&metrics, "vmatlas_share_outside_bytes", "bytes",
			"Of it mapped outside of the set as well.", t->outside);
		put_one(&metrics, "vmatlas_share_swap_once_bytes", "bytes",
			"Memory in swap, each slot once.", t->swap_once);
		put_one(&metrics, "vmatlas_share_hugetlb_once_bytes", "bytes",
			"Huge pages from a pool, each once, beside resident memory.",
			t->hugetlb_once);
		put_set(&metrics, share);
		if (put_objects(&metrics, share) < 0)
			return error_nomem(error);
	}
	return metrics_end(&metrics, error);
}
