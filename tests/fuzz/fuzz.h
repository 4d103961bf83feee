/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A fuzz target is LLVMFuzzerTestOneInput() and where its seeds are. driver.c runs it as a plain
 * test; with --enable-fuzzing (clang) libFuzzer does, and the seeds are given as arguments. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every file of `folder` (below the source tree), with `prefix` put before it if not negative.
 * The last entry has folder NULL. */
struct fuzz_seed {
	const char *folder;
	int prefix;
};

extern const struct fuzz_seed fuzz_seeds[];

#define FUZZ_CHECK(condition)                                                          \
	do {                                                                           \
		if (!(condition)) {                                                    \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__,     \
				#condition);                                           \
			abort();                                                       \
		}                                                                      \
	} while (0)

#endif
