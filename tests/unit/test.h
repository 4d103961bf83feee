/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Smallest harness that does: a failed check prints where and what and the program goes on;
 * TEST_END gives the exit status. A skip prints its reason and exits 77.
 */
static int test_failures;

#define CHECK(condition)                                                               \
	do {                                                                           \
		if (!(condition)) {                                                    \
			printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			test_failures++;                                               \
		}                                                                      \
	} while (0)

#define CHECK_U64(got, want)                                                                 \
	do {                                                                                 \
		uint64_t got_ = (got), want_ = (want);                                       \
		if (got_ != want_) {                                                         \
			printf("%s:%d: %s is %" PRIu64 " (0x%" PRIx64 "), not %" PRIu64 "\n", \
			       __FILE__, __LINE__, #got, got_, got_, want_);                 \
			test_failures++;                                                     \
		}                                                                            \
	} while (0)

#define CHECK_STR(got, want)                                                           \
	do {                                                                           \
		const char *got_ = (got), *want_ = (want);                             \
		if (strcmp(got_, want_)) {                                             \
			printf("%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, \
			       #got, got_, want_);                                     \
			test_failures++;                                               \
		}                                                                      \
	} while (0)

#define CHECK_SPAN(got, want)                                                                \
	do {                                                                                 \
		struct span got_ = (got);                                                    \
		const char *want_ = (want);                                                  \
		if (got_.len != strlen(want_) ||                                             \
		    (got_.len && memcmp(got_.ptr, want_, got_.len))) {                       \
			printf("%s:%d: %s is \"%.*s\", not \"%s\"\n", __FILE__, __LINE__,    \
			       #got, (int)got_.len, got_.ptr ? got_.ptr : "", want_);        \
			test_failures++;                                                     \
		}                                                                            \
	} while (0)

#define TEST_SKIP(reason)                          \
	do {                                       \
		printf("skipped: %s\n", (reason)); \
		exit(77);                          \
	} while (0)

#define TEST_END return test_failures ? 1 : 0

#endif
