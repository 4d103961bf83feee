// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "render.h"

#define PENDING_MAX 65536
#define PROSE_COLUMNS 80
#define NAME_MIN 10u		/* with less the end of a name tells nothing */

static const struct report_ops *const ops_of[] = {
	[REPORT_TEXT] = &text_ops,
	[REPORT_RAW] = &raw_ops,
	[REPORT_PAIRS] = &pairs_ops,
	[REPORT_JSON] = &json_ops,
};

static void report_terminal(struct report *report)
{
	struct winsize size = { 0 };
	int fd = fileno(report->out);
	bool terminal = fd >= 0 && isatty(fd);

	report->width = report->options.width;
	if (!report->width && terminal && !ioctl(fd, TIOCGWINSZ, &size))
		report->width = size.ws_col;
	report->cut = report->width != 0;
	if (!report->width)
		report->width = PROSE_COLUMNS;
	report->color = report->options.color == REPORT_ALWAYS ||
		(report->options.color == REPORT_AUTO && terminal);
}

int report_new(FILE *out, const char *schema, const struct report_options *options,
	       struct report **report, struct error *error)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r || !(r->scratch = scratch_new())) {
		free(r);
		return error_nomem(error);
	}
	r->out = out;
	r->options = *options;
	r->ops = ops_of[options->format];
	report_terminal(r);
	if (r->ops->begin)
		report_fail(r, r->ops->begin(r, schema));
	*report = r;
	return 0;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->warning_count; i++)
		buf_done(&report->warnings[i].message);
	free(report->warnings);
	table_rows_free(&report->table);
	layout_free(&report->table);
	buf_done(&report->pending);
	buf_done(&report->work);
	buf_done(&report->facts);
	scratch_free(report->scratch);
	free(report);
}

int report_fail(struct report *report, int rc)
{
	if (rc >= 0 || report->rc < 0)
		return report->rc;
	report->rc = rc;
	if (report->error.code == ERROR_NONE)
		error_nomem(&report->error);
	return rc;
}

int report_flush(struct report *report)
{
	size_t len = report->pending.len;

	if (!len)
		return 0;
	errno = 0;
	if (fwrite(report->pending.data, 1, len, report->out) != len)
		return error_errno(&report->error, errno, "output", "write");
	buf_clear(&report->pending);
	return 0;
}

int report_flush_full(struct report *report)
{
	return report->pending.len < PENDING_MAX ? 0 : report_flush(report);
}

int report_sync(struct report *report)
{
	if (report_fail(report, report_flush(report)) < 0)
		return report->rc;
	errno = 0;
	if (fflush(report->out) == 0)
		return 0;
	return report_fail(report, error_errno(&report->error, errno, "output", "write"));
}

bool cell_is_missing(const struct cell *cell)
{
	if (cell->type == CELL_LIST || cell->type == CELL_OBJECT) {
		for (size_t i = 0; i < cell->list.count; i++)
			if (cell_is_missing(&cell->list.items[i]))
				return true;
		return false;
	}
	return cell->type == CELL_MISSING && (unsigned)cell->gap < GAP_MAX &&
		gap_name(cell->gap)[0];
}

void report_note_gaps(struct report *report, const struct cell *cell)
{
	if (cell->type == CELL_LIST || cell->type == CELL_OBJECT) {
		for (size_t i = 0; i < cell->list.count; i++)
			report_note_gaps(report, &cell->list.items[i]);
		return;
	}
	if (!cell_is_missing(cell) || report->gaps & 1u << cell->gap)
		return;
	report->gaps |= 1u << cell->gap;
	report->gap_order[cell->gap] = ++report->gap_count;
}

/* Is this meant for the format at work? */
static bool wanted(const struct report *report, unsigned flags)
{
	bool json = report->options.format == REPORT_JSON;

	return report->rc >= 0 && !report->ended &&
		!(flags & (json ? REPORT_TEXT_ONLY : REPORT_JSON_ONLY));
}

int report_fact(struct report *report, const char *name, const char *title, struct cell cell,
		unsigned flags)
{
	if (!wanted(report, flags))
		return report->rc;
	report_note_gaps(report, &cell);
	return report_fail(report, report->ops->fact(report, name, title, &cell));
}

static int report_open(struct report *report, const char *name, const char *title, bool array)
{
	if (!wanted(report, 0))
		return report->rc;
	if (report->depth + 1 >= REPORT_DEPTH)
		return report_fail(report, error_set(&report->error, ERROR_LIMIT, name,
						     "report nested too deep"));
	if (report->ops->open && report_fail(report, report->ops->open(report, name, title,
								      array)) < 0)
		return report->rc;
	report->depth++;
	report->array[report->depth] = array;
	report->comma[report->depth] = false;
	return 0;
}

static int report_close(struct report *report)
{
	bool array = report->array[report->depth];

	if (report->rc < 0 || !report->depth)
		return report->rc;
	report->depth--;
	return report_fail(report, report->ops->close ? report->ops->close(report, array) : 0);
}

int report_object_begin(struct report *report, const char *name, const char *title)
{
	return report_open(report, name, title, false);
}

int report_object_end(struct report *report)
{
	return report_close(report);
}

int report_array_begin(struct report *report, const char *name, const char *title)
{
	return report_open(report, name, title, true);
}

int report_array_end(struct report *report)
{
	return report_close(report);
}

int report_element(struct report *report, struct cell cell)
{
	if (!wanted(report, 0))
		return report->rc;
	report_note_gaps(report, &cell);
	return report_fail(report, report->ops->element(report, &cell));
}

int report_heading(struct report *report, const char *text)
{
	if (!wanted(report, REPORT_TEXT_ONLY) || !report->ops->heading)
		return report->rc;
	return report_fail(report, report->ops->heading(report, text));
}

int report_prose(struct report *report, const char *fmt, ...)
{
	CLEANUP_FREE char *text = NULL;
	va_list args;
	int len;

	if (!wanted(report, REPORT_TEXT_ONLY) || !report->ops->prose)
		return report->rc;
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		text = NULL;
		return report_fail(report, error_nomem(&report->error));
	}
	return report_fail(report, report->ops->prose(report, (struct span) { text, (size_t)len }));
}

int report_line(struct report *report, const char *text)
{
	if (!wanted(report, REPORT_TEXT_ONLY) || !report->ops->line)
		return report->rc;
	return report_fail(report, report->ops->line(report, text));
}

static size_t escaped_columns(struct report *report, struct span bytes)
{
	buf_clear(&report->work);
	escape_add(&report->work, bytes, ESCAPE_TERMINAL);
	return text_columns(buf_span(&report->work));
}

/* How many bytes of a name stay away so that the rest fits. A byte takes up to 4 columns. */
static size_t name_front(struct report *report, struct span name, size_t room)
{
	size_t columns = escaped_columns(report, name), front = 0;

	if (columns <= room)
		return 0;
	for (room -= strlen(TEXT_CUT); columns > room;) {
		front += (columns - room + 3) / 4;
		while (front < name.len && (name.ptr[front] & 0xc0) == 0x80)
			front++;
		columns = escaped_columns(report, (struct span) { name.ptr + front,
								  name.len - front });
	}
	return front;
}

int report_line_named(struct report *report, const char *before, struct span name,
		      const char *behind)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	size_t used = text_columns(span_of(before)) + text_columns(span_of(behind));
	size_t front = report->cut && used + NAME_MIN <= report->width ?
		name_front(report, name, report->width - used) : 0;

	name = (struct span) { name.ptr + front, name.len - front };
	if (buf_addf(&line, "%s%s", before, front ? TEXT_CUT : "") < 0 ||
	    buf_add_span(&line, name) < 0 || buf_add_str(&line, behind) < 0)
		return report_fail(report, error_nomem(&report->error));
	return report_line(report, buf_str(&line));
}

int report_painted(struct report *report, const char *text, const char *const *colors)
{
	if (!wanted(report, REPORT_TEXT_ONLY) || !report_is_text(report))
		return report->rc;
	return report_fail(report, text_painted(report, text, colors));
}

int report_warning(struct report *report, const char *code, struct span message)
{
	struct warning *w;

	if (array_grow((void **)&report->warnings, &report->warning_cap, report->warning_count,
		       sizeof(*w)) < 0)
		return report_fail(report, error_nomem(&report->error));
	w = &report->warnings[report->warning_count];
	*w = (struct warning) { .code = code };
	if (buf_add_span(&w->message, message) < 0)
		return report_fail(report, error_nomem(&report->error));
	report->warning_count++;
	return 0;
}

bool report_warning_get(const struct report *report, size_t nth, struct buf *text)
{
	if (nth >= report->warning_count)
		return false;
	escape_add(text, buf_span(&report->warnings[nth].message), ESCAPE_TERMINAL);
	return true;
}

bool report_incomplete(const struct report *report)
{
	return report->incomplete || report->gaps || report->warning_count;
}

bool report_is_text(const struct report *report)
{
	return report->options.format == REPORT_TEXT;
}

bool report_is_json(const struct report *report)
{
	return report->options.format == REPORT_JSON;
}

bool report_is_empty(const struct report *report)
{
	return !report->wrote && !report->facts.len;
}

const struct report_options *report_options(const struct report *report)
{
	return &report->options;
}

/* Closes what a failed command left open. What was lost by an earlier failure of the report
 * cannot be mended, but a full disk is no reason to give up on memory or nesting troubles. */
int report_end(struct report *report, struct error *error)
{
	int first = report->rc;

	if (report->error.code != ERROR_SYSTEM)
		report->rc = 0;
	if (report->in_table)
		report_table_end(report);
	while (report->depth && report->rc >= 0)
		report_close(report);
	if (report->rc >= 0)
		report_fail(report, report->ops->end(report));
	if (report->rc >= 0)
		report_fail(report, report_flush(report));
	report->ended = true;
	report->rc = first < 0 ? first : report->rc;
	if (report->rc < 0 && error)
		*error = report->error;
	return report->rc;
}
