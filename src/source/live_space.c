// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "live.h"

#include <stdlib.h>
#include <sys/syscall.h>

#define KCMP_VM_TYPE 1	/* include/uapi/linux/kcmp.h */

/* Where text and stack begin is set by exec and kept by fork: what differs in that is another
 * address space, and nearly all do. Masked without rights, as 1 and 0. */
uint64_t live_space_key(const struct source_process *process)
{
	const struct live_stat *stat = &((const struct live_process *)process)->stat;

	return stat->start_stack ^ stat->start_code << 17 ^ stat->start_code >> 13;
}

bool live_own_pids(struct live *live)
{
	char link[16] = "";
	ssize_t len = readlinkat(live->proc, "self", link, sizeof(link) - 1);

	source_count(&live->base, len);
	return len > 0 && atoi(link) == getpid();
}

enum source_order live_order_spaces(struct source *source, const struct source_space *a,
				    const struct source_space *b)
{
	static const enum source_order orders[] = {	/* kernel/kcmp.c kcmp_ptr() */
		SOURCE_ORDER_SAME, SOURCE_ORDER_BEFORE, SOURCE_ORDER_BEHIND,
	};
	long order;

	if (!live_of(source)->own_pids)
		return SOURCE_ORDER_UNKNOWN;
	order = syscall(SYS_kcmp, a->tid, b->tid, KCMP_VM_TYPE, 0, 0);
	return order < 0 || order >= (long)ARRAY_SIZE(orders) ? SOURCE_ORDER_UNKNOWN :
		orders[order];
}
