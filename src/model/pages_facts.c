// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "pages_impl.h"

/* Pages with any of these are looked at one by one. */
#define SPECIAL_FLAGS                                                                          \
	(KPF_SLAB | KPF_BUDDY | KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL | KPF_HUGE | KPF_NOPAGE | \
	 KPF_THP | KPF_ZERO_PAGE | KPF_PGTABLE | SOURCE_FRAME_NOT_RECORDED)

int pages_facts_new(struct pages *pages, struct error *error)
{
	pages->flags_mask = pages->needs & PAGE_JOIN_FRAMES ?
		PAGE_KIND_FLAGS | SOURCE_FRAME_NOT_RECORDED : ~0ULL;
	pages->buckets = calloc(FACT_BUCKETS, sizeof(*pages->buckets));
	pages->output.tallied = malloc((size_t)PAGES_FACTS * FACT_VARIANTS *
					sizeof(*pages->output.tallied));
	if (!pages->buckets || !pages->output.tallied ||
	    array_grow((void **)&pages->facts, &pages->fact_cap, 0, sizeof(*pages->facts)) < 0)
		return error_nomem(error);
	pages->facts[0] = (struct page_fact) { .flags = KPF_NOPAGE, .count = 1 };
	pages->fact_count = 1;
	return 0;
}

void pages_facts_reset(struct pages *pages)
{
	pages->memo_code = 0;
	memset(pages->memo, 0, sizeof(pages->memo));
	memset(pages->buckets, 0, FACT_BUCKETS * sizeof(*pages->buckets));
	pages->fact_count = 1;
}

bool pages_facts_have(const struct pages *pages, uint64_t flags)
{
	for (size_t i = 1; i < pages->fact_count; i++)
		if (pages->facts[i].flags & flags)
			return true;
	return false;
}

static enum fact_plain plain_of(uint64_t flags, uint32_t count)
{
	if (flags & SPECIAL_FLAGS || (flags & KPF_ANON && !count))
		return FACT_SPECIAL;
	return flags & KPF_ANON ? FACT_ANON : FACT_FILE;
}

uint16_t pages_fact(struct pages *pages, uint64_t flags, uint32_t count)
{
	uint64_t hash = (flags + count) * 0x9e3779b97f4a7c15;
	uint16_t *bucket = &pages->buckets[hash >> 32 & (FACT_BUCKETS - 1)];
	uint16_t code = *bucket;

	while (code && (pages->facts[code].flags != flags || pages->facts[code].count != count))
		code = pages->facts[code].next;
	if (code || pages->fact_count == PAGES_FACTS ||
	    array_grow((void **)&pages->facts, &pages->fact_cap, pages->fact_count,
		       sizeof(*pages->facts)) < 0)
		return code;
	code = (uint16_t)pages->fact_count++;
	pages->facts[code] = (struct page_fact) {
		.flags = flags, .count = count, .next = *bucket, .plain = plain_of(flags, count),
	};
	*bucket = code;
	return code;
}

uint16_t pages_fact_counted(struct pages *pages, uint16_t code, uint64_t count)
{
	uint64_t flags = pages->facts[code].flags;
	uint16_t *memo = &pages->memo[count < FACT_MEMO ? count : 0];

	if (count >= FACT_MEMO)
		return pages_fact(pages, flags, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
	if (pages->memo_code != code) {
		memset(pages->memo, 0, sizeof(pages->memo));
		pages->memo_code = code;
	}
	if (!*memo)
		*memo = pages_fact(pages, flags, (uint32_t)count);
	return *memo;
}
