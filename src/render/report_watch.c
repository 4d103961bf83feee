// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "curve.h"
#include "render.h"

static struct cell value_cell(const struct watch_sample *sample, enum watch_counter counter)
{
	if (sample->gap[counter] != GAP_NONE)
		return cell_missing(sample->gap[counter]);
	return watch_is_size(counter) ? cell_size(sample->value[counter]) :
					cell_count(sample->value[counter]);
}

/* Growth between two samples, signed; missing where either is. */
static struct cell growth_cell(const struct watch_sample *from, const struct watch_sample *to,
			       enum watch_counter counter)
{
	if (to->gap[counter] != GAP_NONE)
		return cell_missing(to->gap[counter]);
	if (!from->number || from->gap[counter] != GAP_NONE)
		return cell_null();
	if (watch_is_size(counter))
		return cell_delta(from->value[counter], to->value[counter]);
	return cell_signed((int64_t)(to->value[counter] - from->value[counter]));
}

static const char *event_name(enum watch_event event)
{
	return event == WATCH_EXEC ? "exec" : event == WATCH_EXIT ? "exit" : NULL;
}

static void add_delta(struct buf *text, const char *before, int64_t bytes, const char *behind)
{
	struct cell cell = cell_delta(0, (uint64_t)bytes);
	char room[CELL_DIGITS];
	const char *digits;
	size_t len = cell_number(room, &cell, false, &digits);

	buf_add_str(text, before);
	buf_add(text, digits, len);
	buf_add_str(text, behind);
}

static void add_subject(struct buf *text, const struct watch_change *change)
{
	const char *slash = change->object ? strrchr(change->object->name, '/') : NULL;

	if (slash && slash[1])
		buf_addf(text, "%s ", slash + 1);
	buf_add_str(text, change->object && change->object->name[0] == '[' ?
		    change->object->name : name_of(vma_role_names, change->role));
}

static void add_change(struct buf *text, const struct watch_change *change)
{
	buf_add_str(text, text->len ? "; " : "");
	add_subject(text, change);
	if (change->change != CHANGE_SAME)
		buf_addf(text, " %s", name_of(compare_change_names, change->change));
	if (change->size)
		add_delta(text, " ", change->size, "");
	if (change->rss && change->rss != change->size)
		add_delta(text, " ", change->rss, change->size ? " resident" : "");
	if (change->copied)
		add_delta(text, " ", change->copied, " copied");
	if (change->shared)
		add_delta(text, " ", change->shared, " shared");
	if (change->swap)
		add_delta(text, " ", change->swap, " swap");
}

#define SAID 3

static struct span what(const struct watch_view *view, struct scratch *scratch)
{
	const struct watched *watched = view->watched;
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (watched->event == WATCH_EXIT)
		return SPAN_LITERAL("exited");
	if (watched->event == WATCH_EXEC)
		buf_addf(&text, "exec: now %.*s", (int)watched->comm.len, buf_str(&watched->comm));
	if (view->met)
		buf_addf(&text, "%smet: %s", text.len ? "; " : "", view->met);
	for (size_t i = 0; i < watched->change_count && i < SAID; i++)
		add_change(&text, &watched->changes[i]);
	if (watched->change_total > SAID)
		buf_addf(&text, "; %zu more", watched->change_total - SAID);
	return scratch_printf(scratch, "%s", buf_str(&text));
}

static struct cell clock_cell(const struct watch_view *view, struct scratch *scratch)
{
	uint64_t us = view->watched->now.at_us - view->watched->began_us;

	return cell_words(scratch_printf(scratch, "%llu.%llu", (unsigned long long)(us / 1000000),
					 (unsigned long long)(us / 100000 % 10)));
}

static struct cell curve_cell(const struct watch_view *view, struct scratch *scratch)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	curve_add_recent(&text, view->curve);
	return cell_words(scratch_printf(scratch, "%s", buf_str(&text)));
}

static struct cell cost_cell(const struct watch_view *view, struct scratch *scratch)
{
	uint64_t us = view->watched->now.cost_us;

	return cell_words(scratch_printf(scratch, "%llu.%02llums", (unsigned long long)us / 1000,
					 (unsigned long long)us / 10 % 100));
}

#define GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct watch_view *view, expression)

#define VALUE(counter) value_cell(&view->watched->now, counter)
#define GROWTH(counter) growth_cell(&view->watched->before, &view->watched->now, counter)

GETTER(time, clock_cell(view, scratch))
GETTER(pid, cell_count((uint64_t)view->watched->pid))
GETTER(comm, cell_bytes(buf_span(&view->watched->comm)))
GETTER(rss, VALUE(WATCH_RSS))
GETTER(pss, VALUE(WATCH_PSS))
GETTER(uss, VALUE(WATCH_USS))
GETTER(swap, VALUE(WATCH_SWAP))
GETTER(copied, VALUE(WATCH_COPIED))
GETTER(shared, VALUE(WATCH_SHARED))
GETTER(anon, VALUE(WATCH_ANON))
GETTER(vss, VALUE(WATCH_VSS))
GETTER(tables, VALUE(WATCH_TABLES))
GETTER(vmas, VALUE(WATCH_VMAS))
GETTER(threads, VALUE(WATCH_THREADS))
GETTER(faults, GROWTH(WATCH_FAULTS))
GETTER(major, GROWTH(WATCH_MAJOR))
GETTER(delta, GROWTH(view->counter))
GETTER(curve, curve_cell(view, scratch))
GETTER(cost, cost_cell(view, scratch))
GETTER(what, cell_bytes(what(view, scratch)))

#define SHOWN COLUMN_DEFAULT
#define RIGHT COLUMN_RIGHT

const struct column watch_columns[] = {
	{ "time", "TIME", "seconds since the first sample", SHOWN | RIGHT, 0, 6, get_time },
	{ "pid", "PID", "process", RIGHT, 0, 7, get_pid },
	{ "comm", "COMM", "its name", 0, 0, 15, get_comm },
	{ "rss", "RSS", "resident memory", SHOWN | RIGHT, WATCH_NEED_STAT, 6, get_rss },
	{ "pss", "PSS", "its share of it", SHOWN | RIGHT, WATCH_NEED_ROLLUP, 6, get_pss },
	{ "uss", "USS", "resident memory that nobody else maps", SHOWN | RIGHT,
	  WATCH_NEED_ROLLUP, 6, get_uss },
	{ "swap", "SWAP", "memory in swap slots", SHOWN | RIGHT | COLUMN_SPARE, WATCH_NEED_STAT,
	  6, get_swap },
	{ "copied", "COPIED", "private copies of file pages", SHOWN | RIGHT, WATCH_NEED_PAGES, 6,
	  get_copied },
	{ "shared", "SHARED", "private memory that others map too", SHOWN | RIGHT,
	  WATCH_NEED_PAGES, 6, get_shared },
	{ "anon", "ANON", "resident anonymous memory", RIGHT, WATCH_NEED_STAT, 6, get_anon },
	{ "vss", "VSS", "address space", RIGHT, WATCH_NEED_STAT, 6, get_vss },
	{ "pagetables", "TABLES", "page tables", RIGHT, WATCH_NEED_STAT, 6, get_tables },
	{ "vmas", "VMAS", "number of VMAs", RIGHT, WATCH_NEED_PAGES, 5, get_vmas },
	{ "threads", "THREADS", "number of threads", RIGHT, WATCH_NEED_STAT, 5, get_threads },
	{ "faults", "FAULTS", "page faults since the sample before", SHOWN | RIGHT,
	  WATCH_NEED_STAT, 6, get_faults },
	{ "majflt", "MAJOR", "major faults since the sample before", RIGHT, WATCH_NEED_STAT, 5,
	  get_major },
	{ "delta", "DELTA", "growth of the counter of the curve", RIGHT, 0, 6, get_delta },
	{ "curve", "CURVE", "the last samples of one counter", SHOWN, 0, 8, get_curve },
	{ "cost", "COST", "time that the sample took", COLUMN_VERBOSE | RIGHT, 0, 8, get_cost },
	{ "what", "WHAT", "what changed since the sample before", SHOWN | COLUMN_TRUNC,
	  WATCH_NEED_PAGES, 20, get_what },
	{ NULL },
};

/* An object of all counters: of a sample, or the growth since another one. */
static void report_counters(struct report *report, const char *name,
			    const struct watch_sample *from, const struct watch_sample *to)
{
	struct cell items[WATCH_COUNTER_MAX];

	for (int i = 0; i < WATCH_COUNTER_MAX; i++)
		items[i] = cell_named(watch_counter_names[i].name, from ?
				      growth_cell(from, to, i) : value_cell(to, i));
	report_fact(report, name, NULL, cell_object(items, WATCH_COUNTER_MAX), REPORT_JSON_ONLY);
}

static void report_change(struct report *report, const struct watch_change *change)
{
	const struct object *object = change->object;
	struct cell items[] = {
		cell_named("start", cell_hex(change->start)),
		cell_named("change", cell_text(name_of(compare_change_names, change->change))),
		cell_named("role", cell_text(name_of(vma_role_names, change->role))),
		cell_named("path", object ? cell_path((struct span) { object->name,
						       object->name_len }) : cell_null()),
		cell_named("size", cell_signed(change->size)),
		cell_named("rss", cell_signed(change->rss)),
		cell_named("copied", cell_signed(change->copied)),
		cell_named("shared", cell_signed(change->shared)),
		cell_named("swap", cell_signed(change->swap)),
	};

	report_element(report, cell_object(items, ARRAY_SIZE(items)));
}

static void report_changes(struct report *report, const struct watched *watched)
{
	if (!watched->changes_known) {
		report_fact(report, "changes", NULL, cell_null(), REPORT_JSON_ONLY);
		return;
	}
	report_array_begin(report, "changes", NULL);
	for (size_t i = 0; i < watched->change_count; i++)
		report_change(report, &watched->changes[i]);
	report_array_end(report);
}

int report_watch_sample(struct report *report, const struct watch_view *view)
{
	const struct watched *watched = view->watched;
	const struct watch_sample *now = &watched->now;
	const char *event = event_name(watched->event);
	struct cell cost[] = {
		cell_named("wall_us", cell_count(now->cost_us)),
		cell_named("bytes_read", cell_count(now->cost_bytes)),
		cell_named("calls", cell_count(now->cost_calls)),
	};
	struct cell process[] = {
		cell_named("pid", cell_count((uint64_t)watched->pid)),
		cell_named("comm", cell_path(buf_span(&watched->comm))),
	};

	report_fact(report, "process", NULL, cell_object(process, 2), REPORT_JSON_ONLY);
	report_fact(report, "sample", NULL, cell_count(now->number), REPORT_JSON_ONLY);
	report_fact(report, "sampled", NULL, (struct cell) { .type = CELL_TIME,
		    .number = now->time }, REPORT_JSON_ONLY);
	report_fact(report, "elapsed_us", NULL, cell_count(now->at_us - watched->began_us),
		    REPORT_JSON_ONLY);
	report_fact(report, "event", NULL, event ? cell_text(event) : cell_null(),
		    REPORT_JSON_ONLY);
	report_fact(report, "met", NULL, view->met ? cell_bytes(span_of(view->met)) : cell_null(),
		    REPORT_JSON_ONLY);
	report_counters(report, "counters", NULL, now);
	report_counters(report, "growth", &watched->before, now);
	report_counters(report, "delta", &watched->first, now);
	report_changes(report, watched);
	report_fact(report, "changes_total", NULL, watched->changes_known ?
		    cell_count(watched->change_total) : cell_null(), REPORT_JSON_ONLY);
	return report_fact(report, "sample_cost", NULL, cell_object(cost, 3), REPORT_JSON_ONLY);
}

int report_watch_summary(struct report *report, const struct watch_view *view)
{
	const struct watch_curve *curve = view->curve;
	CLEANUP(buf_done) struct buf text = BUF_INIT, head = BUF_INIT;
	bool size = watch_is_size(view->counter);

	if (!curve->samples)
		return 0;
	curve_add_points(&text, curve->points, curve->count);
	buf_addf(&head, "%s of %d (%.*s)", watch_counter_names[view->counter].name,
		 (int)view->watched->pid, (int)view->watched->comm.len,
		 buf_str(&view->watched->comm));
	report_heading(report, buf_str(&head));
	report_fact(report, NULL, "curve", cell_text(buf_str(&text)), REPORT_TEXT_ONLY);
	report_fact(report, NULL, "first", size ? cell_size(curve->first) :
		    cell_count(curve->first), REPORT_TEXT_ONLY);
	report_fact(report, NULL, "last", size ? cell_size(curve->last) :
		    cell_count(curve->last), REPORT_TEXT_ONLY);
	report_fact(report, NULL, "least", size ? cell_size(curve->least) :
		    cell_count(curve->least), REPORT_TEXT_ONLY);
	return report_fact(report, NULL, "most", size ? cell_size(curve->most) :
			   cell_count(curve->most), REPORT_TEXT_ONLY);
}
