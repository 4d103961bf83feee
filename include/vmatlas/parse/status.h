/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_STATUS_H
#define VMATLAS_PARSE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/names.h"
#include "vmatlas/base/span.h"

/* Lines of /proc/PID/status that are used; sizes in bytes. fs/proc/array.c, and task_mem() in
 * task_mmu.c. */
enum status_key {
	STATUS_TGID,
	STATUS_PID,
	STATUS_PPID,
	STATUS_NSTGID,		/* innermost */
	STATUS_UID,		/* real */
	STATUS_GID,
	STATUS_THREADS,
	STATUS_VM_PEAK,
	STATUS_VM_SIZE,
	STATUS_VM_LCK,
	STATUS_VM_PIN,
	STATUS_VM_HWM,
	STATUS_VM_RSS,
	STATUS_RSS_ANON,
	STATUS_RSS_FILE,
	STATUS_RSS_SHMEM,
	STATUS_VM_DATA,
	STATUS_VM_STK,
	STATUS_VM_EXE,
	STATUS_VM_LIB,
	STATUS_VM_PTE,
	STATUS_VM_PMD,		/* 4.0 to 4.14 only */
	STATUS_VM_SWAP,
	STATUS_HUGETLB_PAGES,
	STATUS_CORE_DUMPING,
	STATUS_THP_ENABLED,
	STATUS_KEY_MAX
};

extern const struct name status_key_names[];	/* value: enum status_key, name: "VmPTE" */

struct status {
	uint64_t present;		/* bit per key; kernel threads and
					 * zombies have no Vm lines */
	uint64_t value[STATUS_KEY_MAX];
	uint64_t effective_uid;		/* where Uid is present */
	char state;			/* 'R' 'S' 'Z' ..., 0 if absent */
	struct span name;		/* comm with the kernel's escapes
					 * (backslash n); into the text */
};

/* Never fails on unknown or missing lines; ERROR_PARSE only if no line has the form "Key:". */
int status_parse(struct span text, struct status *status, struct error *error);

/* Undoes the kernel's escapes of the name (proc_task_name in fs/proc/array.c: newline and
 * backslash). Appends to comm; 0 or -ERROR_NOMEM. */
int status_add_comm(const struct status *status, struct buf *comm);

static inline bool status_has(const struct status *status, enum status_key key)
{
	return status->present >> key & 1;
}

#endif
