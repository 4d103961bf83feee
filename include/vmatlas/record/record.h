/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RECORD_RECORD_H
#define VMATLAS_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/quality.h"
#include "vmatlas/source/source.h"

/*
 * Writes a snapshot, vmatlas-snapshot(5), from any source. Built beside the target under a
 * temporary name and renamed at the end: after a failure there is nothing under the target's name
 * and the temporary is gone.
 */
struct record_options {
	const char *tool;	/* name and version, for the manifest */
	unsigned threads;	/* 0: two where there are two processors */
	bool cmdline;		/* record it too: a read of target memory */
	bool memory;		/* what is in copied pages of files, too */
	bool may_end;		/* a process that ends meanwhile is left out, not a failure */
	bool (*stop)(void *ctx);	/* asked often, by several threads:
					 * true gives up; or NULL */
	void *ctx;
};

/* What became of one process. */
struct record_process {
	pid_t pid;
	bool ended;		/* left out */
	struct buf comm;
	size_t missing;		/* items that could not be read */
	struct buf missing_text;	/* as written: lines "ITEM ERRNO" */
	uint64_t pages;		/* present, valid if pages_gap is GAP_NONE */
	enum gap pages_gap;
};

struct record_result {
	struct record_process *processes;
	size_t count;
	size_t recorded;	/* those that did not end */
	uint64_t frames;	/* that they map, each once */
	uint64_t bytes;		/* of all files */
	uint64_t stored;	/* of the archive; 0 for a folder */
	bool frames_visible;
	struct buf missing_text;	/* of the machine */
};

/* A target that exists is refused: ERROR_SYSTEM with EEXIST. `pids` come each once. */
int record_snapshot(struct source *source, const pid_t *pids, size_t count,
		    const struct record_options *options, const char *target,
		    struct record_result *result, struct error *error);
void record_result_done(struct record_result *result);

#endif
