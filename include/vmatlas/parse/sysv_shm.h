/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_SYSV_SHM_H
#define VMATLAS_PARSE_SYSV_SHM_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/span.h"

/*
 * A segment of /proc/sysvipc/shm (ipc/shm.c sysvipc_shm_proc_show):
 *       key      shmid perms                  size  cpid  lpid nattch   uid ...
 *      4660     524292  1600                 32768 13459 13459      2     0 ...
 * Behind IPC_RMID the key is 0, and the segment goes with its last VMA.
 */
struct sysv_shm_line {
	uint64_t id;		/* the inode that maps shows */
	uint64_t size;
	uint64_t attached;	/* VMAs of it, in all processes */
	bool destroyed;		/* SHM_DEST: IPC_RMID was called */
};

/* The next segment; lines that are none are passed over. False at the end. */
bool sysv_shm_take_line(struct span *text, struct sysv_shm_line *line);

#endif
