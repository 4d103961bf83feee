/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_LIMITS_H
#define VMATLAS_PARSE_LIMITS_H

#include <stdint.h>

#include "vmatlas/base/error.h"
#include "vmatlas/base/span.h"

/* /proc/PID/limits (fs/proc/base.c proc_pid_limits):
 * Max stack size             8388608              unlimited            bytes     */
enum limit_key { LIMIT_STACK, LIMIT_DATA, LIMIT_AS, LIMIT_MEMLOCK, LIMIT_RSS, LIMIT_KEY_MAX };

#define LIMIT_UNLIMITED UINT64_MAX

struct limits {
	uint32_t present;		/* bit per key */
	uint64_t soft[LIMIT_KEY_MAX];	/* bytes or LIMIT_UNLIMITED */
	uint64_t hard[LIMIT_KEY_MAX];
};

int limits_parse(struct span text, struct limits *limits, struct error *error);

#endif
