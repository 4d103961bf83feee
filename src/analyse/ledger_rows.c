// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger.h"
#include "vmatlas/parse/status.h"

const struct name ledger_source_names[] = {
	{ LEDGER_SMAPS, "smaps", "sum over all VMAs" },
	{ LEDGER_ROLLUP, "rollup", "smaps_rollup" },
	{ LEDGER_STATUS, "status", "counters of the address space" },
	{ LEDGER_STATM, "statm", "the same counters in pages" },
	{ LEDGER_STAT, "stat", "the same again, perhaps not added up" },
	{ LEDGER_PAGES, "pages", "sum over all pages: pagemap, kpageflags, kpagecount" },
	{ LEDGER_MODEL, "model", "from the VMAs and their flags, and the modelled page table" },
	{ 0, NULL, NULL },
};

const struct name ledger_row_names[] = {
	{ LEDGER_VSS, "vss", "address space" },
	{ LEDGER_RSS, "rss", "resident" },
	{ LEDGER_RSS_ANON, "rss_anon", "resident anonymous, copies of file pages too" },
	{ LEDGER_RSS_FILE, "rss_file", "resident pages of files" },
	{ LEDGER_RSS_SHMEM, "rss_shmem", "resident shared memory" },
	{ LEDGER_RSS_OBJECTS, "rss_objects", "resident, not anonymous: files and shared memory" },
	{ LEDGER_PSS, "pss", "resident, each page divided by its mappings" },
	{ LEDGER_PSS_DIRTY, "pss_dirty", "dirty part of pss" },
	{ LEDGER_PSS_ANON, "pss_anon", "anonymous part of pss" },
	{ LEDGER_PSS_FILE, "pss_file", "file part of pss" },
	{ LEDGER_PSS_SHMEM, "pss_shmem", "shared memory in pss" },
	{ LEDGER_SHARED, "shared", "mapped more than once" },
	{ LEDGER_SHARED_CLEAN, "shared_clean", "clean part of shared" },
	{ LEDGER_SHARED_DIRTY, "shared_dirty", "dirty part of shared" },
	{ LEDGER_PRIVATE, "private", "mapped once: USS" },
	{ LEDGER_PRIVATE_CLEAN, "private_clean", "clean part of private" },
	{ LEDGER_PRIVATE_DIRTY, "private_dirty", "dirty part of private" },
	{ LEDGER_REFERENCED, "referenced", "accessed recently" },
	{ LEDGER_KSM, "ksm", "merged by KSM" },
	{ LEDGER_LAZY_FREE, "lazy_free", "to be freed when memory is short" },
	{ LEDGER_ANON_HUGE, "anon_huge", "anonymous, mapped huge" },
	{ LEDGER_SHMEM_HUGE, "shmem_huge", "shared memory, mapped huge" },
	{ LEDGER_FILE_HUGE, "file_huge", "files, mapped huge" },
	{ LEDGER_HUGETLB, "hugetlb", "hugetlb pages, which are not in rss" },
	{ LEDGER_SWAP, "swap", "swapped" },
	{ LEDGER_SWAP_PSS, "swap_pss", "swapped, each slot divided by its users" },
	{ LEDGER_LOCKED_PSS, "locked_pss", "pss of locked VMAs" },
	{ LEDGER_LOCKED, "locked", "address space of locked VMAs" },
	{ LEDGER_PINNED, "pinned", "pinned by drivers" },
	{ LEDGER_DATA, "data", "private writable address space" },
	{ LEDGER_STACK, "stack", "address space of the stack" },
	{ LEDGER_DATA_STACK, "data_stack", "data and stack" },
	{ LEDGER_EXE, "exe", "text of the program" },
	{ LEDGER_LIB, "lib", "other executable address space" },
	{ LEDGER_TABLES, "tables", "page tables" },
	{ 0, NULL, NULL },
};

/* A value is the sum of some numbers less that of others; both are bits of the source's enum. */
struct formula {
	uint64_t plus, minus;
};

#define BIT(n) (1ULL << (n))
#define SMAPS(plus_, minus_) [LEDGER_SMAPS] = { plus_, minus_ }
#define ROLLUP(plus_, minus_) [LEDGER_ROLLUP] = { plus_, minus_ }
#define BOTH(plus_, minus_) SMAPS(plus_, minus_), ROLLUP(plus_, minus_)
#define STATUS(plus_) [LEDGER_STATUS] = { plus_, 0 }
#define STATM(plus_, minus_) [LEDGER_STATM] = { plus_, minus_ }
#define STAT(n) [LEDGER_STAT] = { BIT(n), 0 }
#define PAGES(n) [LEDGER_PAGES] = { BIT(n), 0 }
#define MODEL(plus_) [LEDGER_MODEL] = { plus_, 0 }

static const struct formula formulas[LEDGER_ROW_MAX][LEDGER_SOURCE_MAX] = {
	[LEDGER_VSS] = { SMAPS(BIT(SMAPS_SIZE), 0), STATUS(BIT(STATUS_VM_SIZE)),
			 STATM(BIT(STATM_SIZE), 0), STAT(STAT_VSIZE), MODEL(BIT(MODEL_VSS)) },
	[LEDGER_RSS] = { BOTH(BIT(SMAPS_RSS), 0), STATUS(BIT(STATUS_VM_RSS)),
			 STATM(BIT(STATM_RESIDENT), 0), STAT(STAT_RSS), PAGES(PAGES_RSS) },
	[LEDGER_RSS_ANON] = { BOTH(BIT(SMAPS_ANONYMOUS), 0), STATUS(BIT(STATUS_RSS_ANON)),
			      STATM(BIT(STATM_RESIDENT), BIT(STATM_SHARED)), PAGES(PAGES_ANON) },
	[LEDGER_RSS_FILE] = { STATUS(BIT(STATUS_RSS_FILE)), PAGES(PAGES_FILE) },
	[LEDGER_RSS_SHMEM] = { STATUS(BIT(STATUS_RSS_SHMEM)), PAGES(PAGES_SHMEM) },
	[LEDGER_RSS_OBJECTS] = { BOTH(BIT(SMAPS_RSS), BIT(SMAPS_ANONYMOUS)),
				 STATUS(BIT(STATUS_RSS_FILE) | BIT(STATUS_RSS_SHMEM)),
				 STATM(BIT(STATM_SHARED), 0), PAGES(PAGES_OBJECTS) },
	[LEDGER_PSS] = { BOTH(BIT(SMAPS_PSS), 0), PAGES(PAGES_PSS) },
	[LEDGER_PSS_DIRTY] = { BOTH(BIT(SMAPS_PSS_DIRTY), 0) },
	[LEDGER_PSS_ANON] = { ROLLUP(BIT(SMAPS_PSS_ANON), 0), PAGES(PAGES_PSS_ANON) },
	[LEDGER_PSS_FILE] = { ROLLUP(BIT(SMAPS_PSS_FILE), 0), PAGES(PAGES_PSS_FILE) },
	[LEDGER_PSS_SHMEM] = { ROLLUP(BIT(SMAPS_PSS_SHMEM), 0), PAGES(PAGES_PSS_SHMEM) },
	[LEDGER_SHARED] = { BOTH(BIT(SMAPS_SHARED_CLEAN) | BIT(SMAPS_SHARED_DIRTY), 0),
			    PAGES(PAGES_SHARED) },
	[LEDGER_SHARED_CLEAN] = { BOTH(BIT(SMAPS_SHARED_CLEAN), 0) },
	[LEDGER_SHARED_DIRTY] = { BOTH(BIT(SMAPS_SHARED_DIRTY), 0) },
	[LEDGER_PRIVATE] = { BOTH(BIT(SMAPS_PRIVATE_CLEAN) | BIT(SMAPS_PRIVATE_DIRTY), 0),
			     PAGES(PAGES_PRIVATE) },
	[LEDGER_PRIVATE_CLEAN] = { BOTH(BIT(SMAPS_PRIVATE_CLEAN), 0) },
	[LEDGER_PRIVATE_DIRTY] = { BOTH(BIT(SMAPS_PRIVATE_DIRTY), 0) },
	[LEDGER_REFERENCED] = { BOTH(BIT(SMAPS_REFERENCED), 0) },
	[LEDGER_KSM] = { BOTH(BIT(SMAPS_KSM), 0), PAGES(PAGES_KSM) },
	[LEDGER_LAZY_FREE] = { BOTH(BIT(SMAPS_LAZY_FREE), 0) },
	[LEDGER_ANON_HUGE] = { BOTH(BIT(SMAPS_ANON_HUGE_PAGES), 0), PAGES(PAGES_ANON_HUGE) },
	[LEDGER_SHMEM_HUGE] = { BOTH(BIT(SMAPS_SHMEM_PMD_MAPPED), 0), PAGES(PAGES_SHMEM_HUGE) },
	[LEDGER_FILE_HUGE] = { BOTH(BIT(SMAPS_FILE_PMD_MAPPED), 0), PAGES(PAGES_FILE_HUGE) },
	[LEDGER_HUGETLB] = { BOTH(BIT(SMAPS_SHARED_HUGETLB) | BIT(SMAPS_PRIVATE_HUGETLB), 0),
			     STATUS(BIT(STATUS_HUGETLB_PAGES)), PAGES(PAGES_HUGETLB) },
	[LEDGER_SWAP] = { BOTH(BIT(SMAPS_SWAP), 0), STATUS(BIT(STATUS_VM_SWAP)),
			  PAGES(PAGES_SWAP) },
	[LEDGER_SWAP_PSS] = { BOTH(BIT(SMAPS_SWAP_PSS), 0) },
	[LEDGER_LOCKED_PSS] = { BOTH(BIT(SMAPS_LOCKED), 0) },
	[LEDGER_LOCKED] = { STATUS(BIT(STATUS_VM_LCK)), MODEL(BIT(MODEL_LOCKED)) },
	[LEDGER_PINNED] = { STATUS(BIT(STATUS_VM_PIN)) },
	[LEDGER_DATA] = { STATUS(BIT(STATUS_VM_DATA)), MODEL(BIT(MODEL_DATA)) },
	[LEDGER_STACK] = { STATUS(BIT(STATUS_VM_STK)), MODEL(BIT(MODEL_STACK)) },
	[LEDGER_DATA_STACK] = { STATUS(BIT(STATUS_VM_DATA) | BIT(STATUS_VM_STK)),
				STATM(BIT(STATM_DATA), 0),
				MODEL(BIT(MODEL_DATA) | BIT(MODEL_STACK)) },
	[LEDGER_EXE] = { STATUS(BIT(STATUS_VM_EXE)), STATM(BIT(STATM_TEXT), 0),
			 MODEL(BIT(MODEL_EXE)) },
	[LEDGER_LIB] = { STATUS(BIT(STATUS_VM_LIB)), MODEL(BIT(MODEL_LIB)) },
	[LEDGER_TABLES] = { STATUS(BIT(STATUS_VM_PTE)), MODEL(BIT(MODEL_TABLES)) },
};

#define LARGEST (1ULL << 60)	/* more than there is address space */

static uint64_t sum(const struct ledger_numbers *numbers, uint64_t bits)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < LEDGER_NUMBERS; i++)
		if (bits >> i & 1)
			all += numbers->value[i];
	return all;
}

struct ledger_value ledger_value_of(const struct ledger_numbers *numbers, enum ledger_row row,
				    enum ledger_source source)
{
	const struct formula *formula = &formulas[row][source];
	uint64_t plus, minus;

	if (!formula->plus)
		return (struct ledger_value) { 0, GAP_NOT_APPLICABLE };
	if ((formula->plus | formula->minus) & ~numbers->present)
		return (struct ledger_value) { 0, numbers->gap != GAP_NONE ? numbers->gap :
					       GAP_NOT_IN_KERNEL };
	plus = sum(numbers, formula->plus);
	minus = sum(numbers, formula->minus);
	if (minus > plus || plus > LARGEST)	/* a text of no kernel */
		return (struct ledger_value) { 0, GAP_DAMAGED };
	return (struct ledger_value) { plus - minus, GAP_NONE };
}
