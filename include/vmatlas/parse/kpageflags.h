/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_KPAGEFLAGS_H
#define VMATLAS_PARSE_KPAGEFLAGS_H

#include "vmatlas/base/names.h"

/* One word of /proc/kpageflags: include/uapi/linux/kernel-page-flags.h, fs/proc/page.c
 * stable_page_flags(). Bits from 32 up are for kernel hacking and not ABI. */
#define KPF(bit) (1ULL << (bit))
#define KPF_LOCKED KPF(0)
#define KPF_REFERENCED KPF(2)
#define KPF_UPTODATE KPF(3)
#define KPF_DIRTY KPF(4)
#define KPF_LRU KPF(5)
#define KPF_ACTIVE KPF(6)
#define KPF_SLAB KPF(7)
#define KPF_WRITEBACK KPF(8)
#define KPF_RECLAIM KPF(9)
#define KPF_BUDDY KPF(10)
#define KPF_MMAP KPF(11)
#define KPF_ANON KPF(12)
#define KPF_SWAPCACHE KPF(13)
#define KPF_SWAPBACKED KPF(14)
#define KPF_COMPOUND_HEAD KPF(15)
#define KPF_COMPOUND_TAIL KPF(16)
#define KPF_HUGE KPF(17)
#define KPF_UNEVICTABLE KPF(18)
#define KPF_HWPOISON KPF(19)
#define KPF_NOPAGE KPF(20)
#define KPF_KSM KPF(21)
#define KPF_THP KPF(22)
#define KPF_OFFLINE KPF(23)
#define KPF_ZERO_PAGE KPF(24)
#define KPF_IDLE KPF(25)
#define KPF_PGTABLE KPF(26)
#define KPF_RESERVED KPF(32)
#define KPF_MLOCKED KPF(33)
/* PG_owner_2; PG_anon_exclusive of an anonymous page since 5.19 (page-flags.h). On 6.12+ tails
 * show the head's bit: trustworthy for order-0, PMD-mapped and hugetlb pages only. */
#define KPF_ANON_EXCLUSIVE KPF(34)

/* Lower-case names, "anon", "thp"; bit 34 is "owner-2". */
extern const struct name kpageflag_names[];

#endif
