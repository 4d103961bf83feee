/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_CGROUP_H
#define VMATLAS_PARSE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/span.h"

/*
 * One line of /proc/PID/cgroup (kernel/cgroup/cgroup.c proc_cgroup_show), one per hierarchy:
 * 4:memory:/docker/1f2e
 * 0::/system.slice/ssh.service
 * Hierarchy 0 is cgroup v2. A v1 hierarchy names its controllers, "name=systemd" if it has none.
 * The path is seen from the reader's cgroup namespace: above its root it begins with "/..".
 */
struct cgroup_line {
	uint64_t hierarchy;
	struct span controllers;	/* separated by commas; empty in v2 */
	struct span path;		/* raw bytes without " (deleted)", into the text */
	bool deleted;			/* the group was removed; it lives on in its members */
};

/* The next line of the text that has this form; false at the end. */
bool cgroup_take_line(struct span *text, struct cgroup_line *line);

/*
 * The group that memory is charged to: that of the v1 memory controller where there is such a
 * hierarchy with the process outside its root, else the one of v2; false if there is neither.
 */
bool cgroup_of_memory(struct span text, struct cgroup_line *line);

/*
 * Is the group of the line the one that the pattern means, or below it? A pattern with a slash is
 * a path from the root, as the kernel prints it or as it stands below /sys/fs/cgroup; without one
 * it is the name of a group at any depth. Shell patterns are allowed, none crosses a slash.
 */
bool cgroup_matches(const struct cgroup_line *line, const char *pattern);

#endif
