// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/render/metrics.h"

#include <errno.h>

#include "vmatlas/render/escape.h"

#define PENDING_MAX 65536

void metrics_init(struct metrics *metrics, FILE *out)
{
	*metrics = (struct metrics) { .out = out };
}

void metrics_done(struct metrics *metrics)
{
	buf_done(&metrics->pending);
	buf_done(&metrics->work);
}

static void metrics_flush(struct metrics *metrics)
{
	size_t len = metrics->pending.len;

	errno = 0;
	if (!metrics->error.code && len &&
	    fwrite(metrics->pending.data, 1, len, metrics->out) != len)
		error_errno(&metrics->error, errno, "output", "write");
	buf_clear(&metrics->pending);
}

static void metrics_check(struct metrics *metrics, int rc)
{
	if (rc < 0 && !metrics->error.code)
		error_nomem(&metrics->error);
	if (metrics->pending.len >= PENDING_MAX)
		metrics_flush(metrics);
}

void metrics_family(struct metrics *metrics, const struct metric *metric)
{
	struct buf *out = &metrics->pending;
	int rc = buf_addf(out, "# TYPE %s gauge\n", metric->name);

	if (rc >= 0 && metric->unit)
		rc = buf_addf(out, "# UNIT %s %s\n", metric->name, metric->unit);
	if (rc >= 0)
		rc = buf_addf(out, "# HELP %s %s\n", metric->name, metric->help);
	metrics_check(metrics, rc);
}

/* Valid UTF-8 without control bytes comes from the escape; quoting is ours. */
static int add_label(struct metrics *metrics, const struct metric_label *label, char before)
{
	struct buf *out = &metrics->pending;
	int rc = buf_addf(out, "%c%s=\"", before, label->name);

	buf_clear(&metrics->work);
	if (rc >= 0)
		rc = escape_add(&metrics->work, label->value, ESCAPE_JSON);
	for (size_t i = 0; i < metrics->work.len && rc >= 0; i++) {
		char c = metrics->work.data[i];

		rc = c == '"' || c == '\\' ? buf_add_char(out, '\\') : 0;
		if (rc >= 0)
			rc = buf_add_char(out, c);
	}
	return rc < 0 ? rc : buf_add_char(out, '"');
}

static int add_labels(struct metrics *metrics, const struct metric *metric,
		      const struct metric_label *labels, size_t count)
{
	const struct metric_label set = { "set", metrics->set };
	int rc = buf_add_str(&metrics->pending, metric->name);
	char before = '{';

	if (rc >= 0 && set.value.len) {
		rc = add_label(metrics, &set, before);
		before = ',';
	}
	for (size_t i = 0; i < count && rc >= 0; i++) {
		rc = add_label(metrics, &labels[i], before);
		before = ',';
	}
	return rc >= 0 && before == ',' ? buf_add_char(&metrics->pending, '}') : rc;
}

void metrics_sample(struct metrics *metrics, const struct metric *metric,
		    const struct metric_label *labels, size_t count, int64_t value)
{
	int rc = add_labels(metrics, metric, labels, count);

	if (rc >= 0)
		rc = buf_addf(&metrics->pending, " %lld\n", (long long)value);
	metrics_check(metrics, rc);
}

void metrics_sample_us(struct metrics *metrics, const struct metric *metric,
		       const struct metric_label *labels, size_t count, uint64_t microseconds)
{
	int rc = add_labels(metrics, metric, labels, count);

	if (rc >= 0)
		rc = buf_addf(&metrics->pending, " %llu.%06llu\n",
			      (unsigned long long)(microseconds / 1000000),
			      (unsigned long long)(microseconds % 1000000));
	metrics_check(metrics, rc);
}

int metrics_end(struct metrics *metrics, struct error *error)
{
	metrics_check(metrics, buf_add_str(&metrics->pending, "# EOF\n"));
	metrics_flush(metrics);
	if (metrics->error.code && error)
		*error = metrics->error;
	return -(int)metrics->error.code;
}
