/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_SMAPS_H
#define VMATLAS_PARSE_SMAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/lines.h"
#include "vmatlas/base/names.h"
#include "vmatlas/parse/maps.h"

/* Counters the tool knows by name. The kernel's order in the file differs between versions:
 * records are read by key. Names and meaning: smaps_key_names. */
enum smaps_key {
	SMAPS_SIZE,
	SMAPS_KERNEL_PAGE_SIZE,
	SMAPS_MMU_PAGE_SIZE,
	SMAPS_RSS,
	SMAPS_PSS,
	SMAPS_PSS_DIRTY,
	SMAPS_PSS_ANON,		/* smaps_rollup only, as the next two */
	SMAPS_PSS_FILE,
	SMAPS_PSS_SHMEM,
	SMAPS_SHARED_CLEAN,
	SMAPS_SHARED_DIRTY,
	SMAPS_PRIVATE_CLEAN,
	SMAPS_PRIVATE_DIRTY,
	SMAPS_REFERENCED,
	SMAPS_ANONYMOUS,
	SMAPS_KSM,
	SMAPS_LAZY_FREE,
	SMAPS_ANON_HUGE_PAGES,
	SMAPS_SHMEM_PMD_MAPPED,
	SMAPS_FILE_PMD_MAPPED,
	SMAPS_SHARED_HUGETLB,
	SMAPS_PRIVATE_HUGETLB,
	SMAPS_SWAP,
	SMAPS_SWAP_PSS,
	SMAPS_LOCKED,
	SMAPS_THP_ELIGIBLE,	/* 0 or 1, no unit */
	SMAPS_PROTECTION_KEY,	/* number, no unit */
	SMAPS_KEY_MAX
};

extern const struct name smaps_key_names[];	/* value: enum smaps_key, name: "Rss" */

/* Is the counter in KiB in the text (and in bytes in the record)? */
static inline bool smaps_key_is_size(enum smaps_key key)
{
	return key != SMAPS_THP_ELIGIBLE && key != SMAPS_PROTECTION_KEY;
}

/* VmFlags. Known two-letter codes are bits (index in vm_flag_names, at most 64); codes the
 * table does not have are kept as text. */
/* Value: bit mask, name: "rd", meaning: "readable". */
extern const struct name vm_flag_names[];
uint64_t vm_flag(const char *code);		/* mask of a known code, 0 if none */

/* A line whose key the tool has never heard of. */
struct smaps_unknown {
	struct buf key;
	uint64_t value;		/* bytes if it came with kB, else the number */
	bool is_size;
	bool is_text;		/* no number: `text` holds what stood there, value is 0 */
	struct buf text;
};

#define SMAPS_UNKNOWN_MAX 256	/* per record: more are ERROR_LIMIT and left out */

/*
 * One VMA of smaps, or the one record of smaps_rollup. The maps line and names point into the
 * record's own buffers; the record is used again for the next VMA.
 */
struct smaps_record {
	struct maps_line line;
	struct buf line_text;		/* what line.name points into */
	uint64_t present;		/* bit per enum smaps_key: the text had it */
	uint64_t value[SMAPS_KEY_MAX];	/* bytes, or the number; 0 where not present */
	bool has_vm_flags;
	uint64_t vm_flags;
	struct buf unknown_flags;	/* codes not in the table, separated by a space */
	struct smaps_unknown *unknown;
	size_t unknown_count;
	size_t unknown_cap;		/* elements whose buffers are kept for the next VMA */
};

/*
 * What stood at a place of the last record, as words of its bytes. Most often it stands in the
 * next one too, with another number: 16 bytes of key, 8 of number, " kB" and newline.
 */
#define SMAPS_PREFIX 16
#define SMAPS_DIGITS 8
#define SMAPS_EXPECTED (SMAPS_PREFIX + SMAPS_DIGITS + 4)
#define SMAPS_HINTS 64

struct smaps_hint {
	uint64_t prefix[SMAPS_PREFIX / 8];
	uint64_t digits;		/* with the blanks in front */
	uint64_t value;			/* as in the record */
	uint64_t bit;			/* of its key */
	uint32_t end, end_mask;		/* behind the number: " kB" and newline, or only newline */
	uint8_t len;			/* of the line with its newline, 0: not known */
	uint8_t key;			/* enum smaps_key */
};

struct smaps_reader {
	struct lines *lines;		/* the caller's */
	struct buf pending;		/* the next record's header line, empty if none */
	bool pending_parsed;		/* it says `pending_line`; else it is malformed */
	struct maps_line pending_line;
	unsigned long pending_number;	/* its line */
	struct maps_before before;
	bool skipping;			/* up to the next header: this
					 * record was reported already */
	struct error later;		/* a bad line of the record handed out last */
	struct smaps_hint hints[SMAPS_HINTS];
};

void smaps_record_init(struct smaps_record *record);
void smaps_record_done(struct smaps_record *record);

void smaps_reader_init(struct smaps_reader *reader, struct lines *lines);
void smaps_reader_done(struct smaps_reader *reader);
/*
 * 1 and the next record, 0 at the end, negative on failure; the record then holds nothing of
 * use. A header that does not parse is ERROR_PARSE with its line number, and calling again goes
 * on with the next VMA. A counter that does not parse is left out of its record (see `present`)
 * and reported as ERROR_PARSE by the call after the one that gave the record, the first such
 * line only; calling again goes on.
 */
int smaps_next(struct smaps_reader *reader, struct smaps_record *record, struct error *error);

/*
 * What a header line is: hex, '-', hex, space (no counter has such a key).
 * 7f1c0a000000-7f1c0a021000 rw-p 00001000 fe:00 394275                     /usr/lib/x.so
 * Rss:                   4 kB
 * THPeligible:           0
 * VmFlags: rd wr mr mw me ac
 */
bool smaps_is_header(struct span line);

/*
 * Compact copy of a record's counters for an array of many VMAs: which are present, which
 * are not zero, and those as varints. About 20 bytes for a usual VMA. Appended to `store`.
 * Unpacking takes all of the store behind the copy; values that are cut off read as not present.
 */
int smaps_pack(const struct smaps_record *record, struct buf *store);
void smaps_unpack(struct span packed, uint64_t *present, uint64_t value[SMAPS_KEY_MAX]);

#endif
