// SPDX-License-Identifier: LGPL-2.1-or-later
#include "columns.h"
#include "vmatlas/render/report_map.h"

#include "map_row.h"

/* Sums of one class. */
struct class_total {
	enum vma_class vma_class;
	uint64_t vmas;
	uint64_t bytes;
	uint64_t rss;
	uint64_t pss;
	uint64_t uss;
	uint64_t swap;
	const struct process *process;
};

static void total_add(struct class_total *total, const struct map_ctx *ctx,
		      const struct vma *vma)
{
	const uint64_t *value;

	map_smaps(ctx, vma, &value);
	total->vmas++;
	total->bytes += vma->end - vma->start;
	total->rss += value[SMAPS_RSS];
	total->pss += value[SMAPS_PSS];
	total->uss += value[SMAPS_PRIVATE_CLEAN] + value[SMAPS_PRIVATE_DIRTY];
	total->swap += value[SMAPS_SWAP];
}

#define TOTAL_GETTER(name, expression) \
	COLUMN_VALUE(total_##name, const struct class_total *total, expression)

static struct cell total_smaps(const struct class_total *total, uint64_t bytes)
{
	return total->process->smaps_gap ? cell_missing(total->process->smaps_gap) :
					   cell_size(bytes);
}

TOTAL_GETTER(class, cell_text(vma_class_names[total->vma_class].name))
TOTAL_GETTER(vmas, cell_count(total->vmas))
TOTAL_GETTER(size, cell_size(total->bytes))
TOTAL_GETTER(rss, total_smaps(total, total->rss))
TOTAL_GETTER(pss, total_smaps(total, total->pss))
TOTAL_GETTER(uss, total_smaps(total, total->uss))
TOTAL_GETTER(swap, total_smaps(total, total->swap))
TOTAL_GETTER(meaning, cell_text(vma_class_names[total->vma_class].meaning))

static const struct column total_columns[] = {
	{ "class", "C", "class", BOTH, 0, 1, total_class },
	{ "vmas", "VMAS", "number of VMAs", NUMBER, 0, 6, total_vmas },
	{ "size", "SIZE", "size", NUMBER, 0, 7, total_size },
	{ "rss", "RSS", "resident", NUMBER, 0, 7, total_rss },
	{ "pss", "PSS", "resident, shared divided", NUMBER, 0, 7, total_pss },
	{ "uss", "USS", "resident here only", NUMBER, 0, 7, total_uss },
	{ "swap", "SWAP", "swapped out", NUMBER, 0, 7, total_swap },
	{ "meaning", "MEANING", "what the class is", COLUMN_DEFAULT | COLUMN_PROSE, 0, 40,
	  total_meaning },
	{ NULL }
};

static int report_totals(struct report *report, const struct process *process,
			 struct class_total totals[VMA_CLASS_MAX])
{
	struct column_set set;
	int ret = column_set_choose(&set, total_columns, NULL, false, NULL);

	if (ret == 0)
		ret = report_table_begin(report, "classes", "Totals per class", &set, process,
					 VMA_CLASS_MAX);
	for (int i = 0; ret == 0 && i < VMA_CLASS_MAX; i++)
		if (totals[i].vmas)
			ret = report_row(report, &totals[i]);
	return ret < 0 ? ret : report_table_end(report);
}

static int report_rows(struct report *report, const struct process *process,
		       const struct column_set *columns, const struct map_filter *filter,
		       struct class_total totals[VMA_CLASS_MAX])
{
	struct map_row_cache cache = { .vma = NULL };
	struct map_ctx ctx = { process, &cache };
	bool given = columns->given;
	int ret = report_table_begin(report, "vmas", "Map", columns, &ctx, process->vma_count);

	for (size_t i = 0; ret >= 0 && i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];

		if (!filter->wants(filter->ctx, process, vma))
			continue;
		ret = report_row(report, vma);
		if (!given)
			total_add(&totals[vma->vma_class], &ctx, vma);
	}
	return ret < 0 ? ret : report_table_end(report);
}

int report_map(struct report *report, const struct process *process,
	       const struct column_set *columns, const struct map_filter *filter)
{
	struct class_total totals[VMA_CLASS_MAX] = { 0 };
	int ret;

	for (int i = 0; i < VMA_CLASS_MAX; i++) {
		totals[i].vma_class = i;
		totals[i].process = process;
	}
	for (size_t i = 0; i < process->warning_count; i++)
		report_warning(report, process->warnings[i].code,
			       buf_span(&process->warnings[i].message));
	/* Chosen columns are for a script or an eye that wants just these. */
	ret = columns->given && report_is_text(report) ? 0 : report_map_head(report, process);
	if (ret >= 0)
		ret = report_rows(report, process, columns, filter, totals);
	if (ret >= 0 && !columns->given)
		ret = report_totals(report, process, totals);
	return ret;
}
