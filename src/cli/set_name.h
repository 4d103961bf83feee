/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SET_NAME_H
#define CLI_SET_NAME_H

#include "select.h"

/*
 * The label `set` of metrics, by which those of two sets of one machine are kept apart: what
 * --set-name says, or what chose the set. A collector keeps each value it ever saw, so numbers of
 * processes, which differ after each restart, are not in it:
 *	--cgroup web --user www-data	"cgroup=web user=www-data"
 *	--tree 4200			"tree"
 *	nginx 4200 4201			"nginx pid"
 */
#define SET_NAME_OPTION \
	{ "set-name", "NAME", "with --openmetrics: the label of all that is printed" }

/* 0, or the status to exit with. All processes have no name unless `name_all` says so. */
int cli_set_name(const struct cli *cli, bool name_all, struct buf *name);

#endif
