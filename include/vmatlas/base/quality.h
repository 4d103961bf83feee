/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_QUALITY_H
#define VMATLAS_BASE_QUALITY_H

#include "vmatlas/base/error.h"

/* How much a claim is worth; used everywhere a verdict is given. Higher is better. */
enum certainty {
	CERTAINTY_UNKNOWN,	/* nothing can say */
	CERTAINTY_GUESS,	/* a habit of programs, no evidence in this process */
	CERTAINTY_INFERRED,	/* follows from observations by a rule that has exceptions */
	CERTAINTY_OBSERVED,	/* the kernel or the file says so */
	CERTAINTY_MAX
};

/* Why a value is missing. A missing value is never shown as zero. */
enum gap {
	GAP_NONE,		/* it is not missing */
	GAP_NEEDS_PRIVILEGE,
	GAP_NOT_IN_KERNEL,
	GAP_NOT_RECORDED,	/* the snapshot does not hold it */
	GAP_CHANGED,		/* changed while it was read */
	GAP_GONE,		/* the process ended */
	GAP_DAMAGED,		/* the file or text contradicts itself */
	GAP_LIMIT,		/* a bound of ours */
	GAP_NOT_APPLICABLE,	/* there is no such value; a plain null, without a reason code */
	GAP_NOT_READ,		/* the command did not need it; a plain null */
	GAP_MAX
};

/* Names as promised in the JSON contract: "observed", "needs-privilege"; "" for GAP_NONE and
 * for the two plain nulls. */
const char *certainty_name(enum certainty certainty);
const char *gap_name(enum gap gap);
/* One short clause for people: "needs CAP_SYS_ADMIN or more rights". */
const char *gap_phrase(enum gap gap);
enum gap gap_from_error(const struct error *error);
/* Whom the phrase of GAP_NEEDS_PRIVILEGE is about; a user until it is told otherwise. */
enum gap_reader { GAP_READER_USER, GAP_READER_ROOT, GAP_READER_SNAPSHOT };
void gap_set_reader(enum gap_reader reader);

static inline enum certainty certainty_worse(enum certainty a, enum certainty b)
{
	return a < b ? a : b;
}

#endif
