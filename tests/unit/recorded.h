/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_UNIT_RECORDED_H
#define TESTS_UNIT_RECORDED_H

#include <unistd.h>

#include "test.h"
#include "vmatlas/model/process.h"

/* A process that is only the text of a map. */
struct recorded {
	struct source *source;
	struct source_process *opened;
	struct process *process;
};

static inline void recorded_done(struct recorded *r)
{
	process_free(r->process);
	source_process_free(r->opened);
	source_free(r->source);
}

static inline void recorded_load(struct recorded *r, const char *maps)
{
	char path[] = "/tmp/test-recorded-XXXXXX";
	struct error error = ERROR_INIT;
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, maps, strlen(maps)) != (ssize_t)strlen(maps))
		TEST_SKIP("cannot write to /tmp");
	close(fd);
	if (source_folder(&r->source, path, &error) < 0 ||
	    source_process_open(r->source, 0, &r->opened, &error) < 0 ||
	    process_load(r->opened, 0, &r->process, &error) < 0) {
		printf("%s: %s\n", error.item, error.text);
		exit(1);
	}
	unlink(path);
}

#endif
