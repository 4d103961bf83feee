// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/base/quality.h"

static const char *const certainty_names[CERTAINTY_MAX] = {
	[CERTAINTY_UNKNOWN] = "unknown",
	[CERTAINTY_GUESS] = "guess",
	[CERTAINTY_INFERRED] = "inferred",
	[CERTAINTY_OBSERVED] = "observed",
};

static const struct {
	const char *name;
	const char *phrase;
} gaps[GAP_MAX] = {
	[GAP_NONE] = { "", "" },
	[GAP_NEEDS_PRIVILEGE] = { "needs-privilege", "" },
	[GAP_NOT_IN_KERNEL] = { "not-in-kernel", "this kernel does not offer it" },
	[GAP_NOT_RECORDED] = { "not-recorded", "the snapshot does not hold it" },
	[GAP_CHANGED] = { "changed", "it changed while it was read" },
	[GAP_GONE] = { "gone", "the process or file is gone" },
	[GAP_DAMAGED] = { "damaged", "the data contradicts itself" },
	[GAP_LIMIT] = { "limit", "a bound on work or memory was reached" },
	[GAP_NOT_APPLICABLE] = { "", "does not apply" },
	[GAP_NOT_READ] = { "", "was not asked for" },
};

static const enum gap gap_of_code[ERROR_CODE_MAX] = {
	[ERROR_NONE] = GAP_NONE,
	[ERROR_SYSTEM] = GAP_DAMAGED,
	[ERROR_NOMEM] = GAP_LIMIT,
	[ERROR_PARSE] = GAP_DAMAGED,
	[ERROR_DAMAGED] = GAP_DAMAGED,
	[ERROR_DENIED] = GAP_NEEDS_PRIVILEGE,
	[ERROR_GONE] = GAP_GONE,
	[ERROR_NOT_FOUND] = GAP_GONE,
	[ERROR_NOT_IN_KERNEL] = GAP_NOT_IN_KERNEL,
	[ERROR_NOT_RECORDED] = GAP_NOT_RECORDED,
	[ERROR_CHANGED] = GAP_CHANGED,
	[ERROR_LIMIT] = GAP_LIMIT,
	[ERROR_USAGE] = GAP_NOT_APPLICABLE,
};

const char *certainty_name(enum certainty certainty)
{
	return (unsigned)certainty < CERTAINTY_MAX ? certainty_names[certainty] : "unknown";
}

const char *gap_name(enum gap gap)
{
	return (unsigned)gap < GAP_MAX ? gaps[gap].name : "";
}

/* What is true of a refusal depends on who was refused. */
static const char *const refusals[] = {
	[GAP_READER_USER] = "needs more privilege; run as root",
	[GAP_READER_ROOT] =
		"refused to root too: by a container, a user namespace or a security module",
	[GAP_READER_SNAPSHOT] = "it was recorded without the privilege for it",
};

static enum gap_reader gap_reader;

void gap_set_reader(enum gap_reader reader)
{
	gap_reader = reader;
}

const char *gap_phrase(enum gap gap)
{
	if (gap == GAP_NEEDS_PRIVILEGE)
		return refusals[gap_reader];
	return (unsigned)gap < GAP_MAX ? gaps[gap].phrase : "";
}

enum gap gap_from_error(const struct error *error)
{
	return (unsigned)error->code < ERROR_CODE_MAX ? gap_of_code[error->code] : GAP_DAMAGED;
}
