// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"

/* In the order of the help. */
const struct command *const commands[] = {
	&cmd_map,
	&cmd_cow,
	&cmd_pagetable,
	&cmd_check,
	&cmd_elf,
	&cmd_addr,
	&cmd_diff,
	&cmd_ps,
	&cmd_files,
	&cmd_watch,
	&cmd_record,
	&cmd_share,
	NULL
};
