/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One access to one address, and what came of it. */
#ifndef TESTS_TOOLS_ACCESS_H
#define TESTS_TOOLS_ACCESS_H

#include "memstate.h"

enum access {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_EXEC,
};

/* The first page of run number "run" (from 0) that the state's factory describes */
struct situation {
	const char *name;
	const char *state;
	size_t run;
	enum access access;
};

/* situations.c; ended by an entry without name */
extern const struct situation situations[];

/* Frames are 0 where nothing is mapped or frame numbers are hidden. */
struct outcome {
	enum access access;
	uint64_t addr;
	int signal;
	int code;
	long minor;
	long major;
	uint64_t frame_before;
	uint64_t frame_after;
	uint64_t flags_before; /* of /proc/kpageflags */
	uint64_t flags_after;
	bool file_before; /* pagemap bit 61 */
	bool file_after;
	bool monitor; /* the userfaultfd descriptor told of it */
	bool grown;   /* the VMA of the stack starts lower than before */
	bool file_vma; /* private mapping of a file */
};

/* Everything that could fault by itself is touched before "ready". */
void access_prepare(struct outcome *outcome);
void access_perform(struct outcome *outcome);
/* The word of the effect that the outcome shows, "unknown" if it fits none */
const char *outcome_effect(const struct outcome *outcome);

#endif
