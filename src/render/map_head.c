// SPDX-License-Identifier: LGPL-2.1-or-later
#include "map_row.h"
#include "vmatlas/render/report_map.h"

static struct cell stat_cell(const struct process *process, uint64_t value)
{
	return process->has_stat ? cell_count(value) : cell_missing(process->stat_gap);
}

/* The members every document has, and room for what a map adds. */
static int report_process_begin(struct report *report, const struct process *process)
{
	struct cell exe = process->exe.len ? cell_path(buf_span(&process->exe)) :
					     cell_missing(process->exe_gap);
	struct cell comm = process->comm.len ? cell_path(buf_span(&process->comm)) :
					       cell_missing(process->stat_gap);
	struct cell pid = process->pid ? cell_count((uint64_t)process->pid) :
					 cell_missing(GAP_NOT_RECORDED);
	int ret = report_object_begin(report, "process", "Process");

	if (ret < 0)
		return ret;
	report_fact(report, "pid", "PID", pid, 0);
	report_fact(report, "comm", "Command", comm, 0);
	report_fact(report, "exe", "Executable", exe, 0);
	report_fact(report, "exe_deleted", NULL,
		    process->exe.len ? cell_bool(process->exe_deleted) :
				       cell_missing(process->exe_gap), REPORT_JSON_ONLY);
	report_fact(report, "start_time", NULL, stat_cell(process, process->stat.start_time),
		    REPORT_JSON_ONLY);
	return report_fact(report, "threads", "Threads",
			   stat_cell(process, process->stat.threads), 0);
}

/* Size of the VMAs that count against the commit limit (VM_ACCOUNT). */
static struct cell commit_cell(const struct process *process)
{
	uint64_t account = vm_flag("ac"), bytes = 0;
	bool known = false;

	if (process->smaps_gap)
		return cell_missing(process->smaps_gap);
	for (size_t i = 0; i < process->vma_count; i++) {
		known |= process->vmas[i].has_vm_flags;
		if (process->vmas[i].vm_flags & account)
			bytes += process->vmas[i].end - process->vmas[i].start;
	}
	return known ? cell_size(bytes) : cell_missing(GAP_NOT_IN_KERNEL);
}

static const struct {
	const char *name;
	const char *title;
} limit_titles[LIMIT_KEY_MAX] = {
	[LIMIT_STACK] = { "stack", "Limit of stack" },
	[LIMIT_DATA] = { "data", "Limit of data" },
	[LIMIT_AS] = { "as", "Limit of address space" },
	[LIMIT_MEMLOCK] = { "memlock", "Limit of locked memory" },
};

static struct cell limit_cell(const struct process *process, enum limit_key key, uint64_t value)
{
	if (!process->has_limits)
		return cell_missing(process->limits_gap);
	if (!(process->limits.present >> key & 1))
		return cell_missing(GAP_NOT_IN_KERNEL);
	return value == LIMIT_UNLIMITED ? cell_null() : cell_size(value);
}

static void report_limit(struct report *report, const struct process *process,
			 enum limit_key key)
{
	struct cell soft = limit_cell(process, key, process->limits.soft[key]);
	struct cell items[2] = {
		cell_named("soft", soft),
		cell_named("hard", limit_cell(process, key, process->limits.hard[key])),
	};

	report_fact(report, limit_titles[key].name, NULL, cell_object(items, 2),
		    REPORT_JSON_ONLY);
	if (soft.type == CELL_MISSING && soft.gap == GAP_NOT_APPLICABLE)
		soft = cell_text("unlimited");
	report_fact(report, NULL, limit_titles[key].title, soft, REPORT_TEXT_ONLY);
}

static void report_limits(struct report *report, const struct process *process)
{
	report_object_begin(report, "limits", NULL);
	for (int key = 0; key < LIMIT_KEY_MAX; key++)
		if (limit_titles[key].name)
			report_limit(report, process, key);
	report_object_end(report);
}

/* One fact of mm_struct, and the VMA it lies in. */
struct mm_fact {
	const char *name;
	const char *title;
	uint64_t address;
	bool is_end;	/* the first byte behind: the VMA is the one in front of it */
};

static uint32_t fact_vma(const struct process *process, const struct mm_fact *fact)
{
	uint32_t next;

	return process_find(process, fact->address - (fact->is_end && fact->address), &next);
}

static void report_mm_fact(struct report *report, const struct process *process,
			   const struct mm_fact *fact, struct scratch *scratch)
{
	struct cell items[3], known = cell_hex(fact->address);
	struct span text;
	uint32_t vma;

	scratch_reset(scratch);
	if (!process->has_stat || !process->stat.addresses_known || !fact->address) {
		known = cell_missing(!process->has_stat ? process->stat_gap :
				     !process->stat.addresses_known ? GAP_NEEDS_PRIVILEGE :
								      GAP_NOT_APPLICABLE);
		report_fact(report, fact->name, fact->title, known, 0);
		return;
	}
	vma = fact_vma(process, fact);
	items[0] = cell_named("address", known);
	items[1] = cell_named("vma", vma == VMA_NONE ? cell_null() :
						       cell_hex(process->vmas[vma].start));
	report_fact(report, fact->name, NULL, cell_object(items, 2), REPORT_JSON_ONLY);
	text = scratch_printf(scratch, "%#llx", (unsigned long long)fact->address);
	if (vma != VMA_NONE) {
		const struct vma *v = &process->vmas[vma];
		struct span name = vma_name(process, v), range = map_range(v, scratch);

		text = scratch_printf(scratch, "%.*s  in %.*s %s/%s%s%.*s", (int)text.len,
				      text.ptr, (int)range.len, range.ptr,
				      vma_class_names[v->vma_class].name,
				      vma_role_names[v->role].name, name.len ? " " : "",
				      (int)name.len, name.len ? name.ptr : "");
	}
	report_fact(report, NULL, fact->title, cell_bytes(text), REPORT_TEXT_ONLY);
}

/* The end of the last [heap] is brk rounded up to a page: brk itself is not shown. */
static uint64_t heap_end(const struct process *process)
{
	uint64_t end = 0;

	for (size_t i = 0; i < process->vma_count; i++)
		if (span_is(vma_name(process, &process->vmas[i]), "[heap]"))
			end = process->vmas[i].end;
	return end;
}

static void report_addresses(struct report *report, const struct process *process)
{
	const struct stat_record *stat = &process->stat;
	const struct mm_fact facts[] = {
		{ "start_code", "Start of code", stat->start_code, false },
		{ "end_code", "End of code", stat->end_code, true },
		{ "start_data", "Start of data", stat->start_data, false },
		{ "end_data", "End of data", stat->end_data, true },
		{ "start_brk", "Start of brk", stat->start_brk, false },
		{ "brk_page_end", "End of brk (page)", heap_end(process), true },
		{ "start_stack", "Start of stack", stat->start_stack, false },
		{ "arg_start", "Start of arguments", stat->arg_start, false },
		{ "arg_end", "End of arguments", stat->arg_end, true },
		{ "env_start", "Start of environment", stat->env_start, false },
		{ "env_end", "End of environment", stat->env_end, true },
	};
	struct scratch *scratch = scratch_new();

	report_object_begin(report, "addresses", NULL);
	for (size_t i = 0; scratch && i < ARRAY_SIZE(facts); i++)
		report_mm_fact(report, process, &facts[i], scratch);
	report_object_end(report);
	scratch_free(scratch);
}

static void report_count(struct report *report, const struct process *process)
{
	struct cell most = process->max_map_count ? cell_count(process->max_map_count) :
						    cell_missing(GAP_NOT_RECORDED);
	uint64_t bytes = 0;

	for (size_t i = 0; i < process->vma_count; i++)
		if (process->vmas[i].start < UINT64_C(1) << 63)
			bytes += process->vmas[i].end - process->vmas[i].start;
	report_fact(report, "vma_count", "VMAs", cell_count(process->vma_count), 0);
	report_fact(report, "max_map_count", "VMAs allowed", most, 0);
	report_fact(report, "vss", "Virtual size", cell_size(bytes), 0);
	report_fact(report, "commit_charge", "Commit charge", commit_cell(process), 0);
}

int report_map_head(struct report *report, const struct process *process)
{
	int ret = report_process_begin(report, process);

	if (ret < 0)
		return ret;
	report_count(report, process);
	report_limits(report, process);
	report_addresses(report, process);
	return report_object_end(report);
}
