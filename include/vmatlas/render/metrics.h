/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_METRICS_H
#define VMATLAS_RENDER_METRICS_H

#include <stdio.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/error.h"

/*
 * OpenMetrics text, as far as the older text format of Prometheus understands it as well (the
 * textfile collector of node_exporter reads that one): gauges only, no time stamps.
 *	# TYPE vmatlas_process_resident_bytes gauge
 *	# UNIT vmatlas_process_resident_bytes bytes
 *	# HELP vmatlas_process_resident_bytes Resident memory.
 *	vmatlas_process_resident_bytes{pid="42",comm="sleep"} 1855488
 *	# EOF
 * What is missing has no sample: a collector must not take it for a zero. All samples of a family
 * stand together, each set of labels once; that is the caller's business.
 */
struct metric {
	const char *name;	/* ends in _UNIT where there is one */
	const char *unit;	/* "bytes", "seconds", or NULL */
	const char *help;
};

struct metric_label {
	const char *name;
	struct span value;	/* may be bytes of a target: escaped here */
};

struct metrics {
	FILE *out;
	struct span set;	/* label `set` of every sample; empty: none */
	struct buf pending;
	struct buf work;
	struct error error;	/* the first failure; everything behind it is dropped */
};

void metrics_init(struct metrics *metrics, FILE *out);
void metrics_done(struct metrics *metrics);

void metrics_family(struct metrics *metrics, const struct metric *metric);
void metrics_sample(struct metrics *metrics, const struct metric *metric,
		    const struct metric_label *labels, size_t count, int64_t value);
/* For seconds. */
void metrics_sample_us(struct metrics *metrics, const struct metric *metric,
		       const struct metric_label *labels, size_t count, uint64_t microseconds);
/* "# EOF", without which a reader takes the text for cut off. */
int metrics_end(struct metrics *metrics, struct error *error);

#endif
