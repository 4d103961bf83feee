/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_CLEANUP_H
#define VMATLAS_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/* Scope guards: CLEANUP(buf_done) struct buf text = BUF_INIT; */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_CLOSE CLEANUP(cleanup_close)

/* For heap objects: DEFINE_CLEANUP(source_free, struct source) makes source_freep(). */
#define DEFINE_CLEANUP(fn, type)                 \
	static inline void fn##p(type **object)  \
	{                                        \
		fn(*object);                     \
	}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
