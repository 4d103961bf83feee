/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_PREDICT_H
#define VMATLAS_ANALYSE_PREDICT_H

#include "vmatlas/base/names.h"
#include "vmatlas/base/quality.h"

/* What an access would do: one word per access, the first that applies. */
enum effect {
	EFFECT_SEGV_UNMAPPED,	/* SEGV_MAPERR; guard regions too */
	EFFECT_SEGV_ACCESS,	/* SEGV_ACCERR */
	EFFECT_BUS,
	EFFECT_MONITOR,		/* goes to a userfaultfd monitor */
	EFFECT_GROW,		/* the stack grows */
	EFFECT_READ_IN,		/* I/O or swap-in, even if a copy follows */
	EFFECT_COPY,		/* content is copied into private memory */
	EFFECT_ZERO,		/* the zero page is mapped */
	EFFECT_ALLOCATE,	/* a new zeroed page of private memory */
	EFFECT_MAP,		/* first touch of a page of an object, or of a file for reading */
	EFFECT_IN_PLACE,	/* at most a minor fault, no copy */
	EFFECT_NONE,		/* no fault */
	EFFECT_UNKNOWN,
	EFFECT_MAX
};

extern const struct name effect_names[];

enum touch { TOUCH_READ, TOUCH_WRITE, TOUCH_EXEC, TOUCH_MAX };

/* Why; the sentence of each is in effect_reason_names. */
enum effect_reason {
	REASON_PRESENT,			/* mapped, and the right is there */
	REASON_NO_RIGHT,
	REASON_GUARD_REGION,
	REASON_VSYSCALL,
	REASON_POISON,
	REASON_UFFD_MISSING,
	REASON_UFFD_WP,
	REASON_SWAP,
	REASON_SPECIAL_ENTRY,		/* migration, device, hwpoison: cannot be told apart */
	REASON_PFN_MAP,			/* pagemap is blind */
	REASON_ANON_READ,		/* untouched anonymous memory: zero page */
	REASON_ANON_WRITE,
	REASON_HUGETLB_FAULT,		/* private hugetlb has no zero page: any access allocates */
	REASON_FILE_READ,		/* the page cache was not asked */
	REASON_FILE_WRITE,
	REASON_OBJECT_FAULT,
	REASON_ZERO_PAGE,
	REASON_SHARED_OBJECT,		/* goes to the object all mappers see */
	REASON_FILE_PAGE,		/* private mapping of a page that is the file's */
	REASON_KSM,
	REASON_EXCLUSIVE,		/* the kernel's anon-exclusive mark */
	REASON_MAPPED_MORE,		/* somebody else maps the anonymous page */
	REASON_LAST_MAPPER,		/* the others are gone: reused unless pinned */
	REASON_SWAP_CACHE,		/* a swap slot others may still use */
	REASON_FOLIO_SHARED,		/* another page of the large folio is shared */
	REASON_FOLIO_PARTIAL,		/* pages of the large folio may be mapped by others */
	REASON_MAPPED_ONCE,		/* bit 56 only: frames are hidden */
	REASON_NOT_ONCE,
	REASON_UNREADABLE,
	REASON_MAX
};

extern const struct name effect_reason_names[];

struct effect_verdict {
	enum effect effect;
	enum effect_reason reason;
	enum certainty certainty;
};

#endif
