// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "ledger.h"

void ledger_sharers_done(struct ledger_sharers *sharers)
{
	free(sharers->items);
	*sharers = (struct ledger_sharers) { NULL, 0, 0 };
}

int ledger_sharers_add(struct ledger_sharers *sharers, uint32_t mappings, enum ledger_kind kind,
		       uint64_t bytes)
{
	size_t at = sharers->count;

	while (at && sharers->items[at - 1].mappings > mappings)
		at--;
	if (!at || sharers->items[at - 1].mappings != mappings) {
		if (array_grow((void **)&sharers->items, &sharers->cap, sharers->count,
			       sizeof(*sharers->items)) < 0)
			return -ERROR_NOMEM;
		memmove(sharers->items + at + 1, sharers->items + at,
			(sharers->count - at) * sizeof(*sharers->items));
		sharers->items[at] = (struct ledger_sharer) { .mappings = mappings };
		sharers->count++;
		at++;
	}
	sharers->items[at - 1].bytes[kind] += bytes;
	return 0;
}

/* How far the share of such pages can go when up to `others` mappings of each come or go. Nobody
 * else can map an anonymous page that only this process has. */
static uint64_t share_drift(uint64_t bytes, uint64_t mappings, uint64_t others,
			    enum ledger_kind kind)
{
	uint64_t fewer = mappings > others ? mappings - others : 1;

	if (mappings > 1)
		return bytes / fewer - bytes / mappings + 1;
	return kind == LEDGER_KIND_ANON ? 0 : bytes;
}

static bool may_turn(uint64_t mappings, uint64_t others, enum ledger_kind kind)
{
	return mappings > 1 ? mappings - 1 <= others : kind != LEDGER_KIND_ANON;
}

void ledger_drift(const struct ledger_sharers *sharers, uint64_t others,
		  struct ledger_facts *facts)
{
	if (!others)
		return;
	for (size_t i = 0; i < sharers->count; i++) {
		const struct ledger_sharer *sharer = &sharers->items[i];

		for (enum ledger_kind kind = 0; kind < LEDGER_KIND_MAX; kind++) {
			uint64_t bytes = sharer->bytes[kind];

			facts->share_drift[kind] += share_drift(bytes, sharer->mappings, others,
								kind);
			if (may_turn(sharer->mappings, others, kind))
				facts->mapped_drift += bytes;
		}
	}
}
