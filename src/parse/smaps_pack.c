// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/smaps.h"

/* A bit per enum smaps_key: the text had it, and it is not zero. */
struct masks {
	uint32_t present;
	uint32_t nonzero;
};

_Static_assert(SMAPS_KEY_MAX <= 32, "a mask has 32 bits");

#define VARINT_MAX 10	/* bytes of 64 bits in groups of seven */

static size_t varint_put(unsigned char *at, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		at[n++] = (unsigned char)(value | 0x80);
	at[n++] = (unsigned char)value;
	return n;
}

static inline bool varint_take(struct span *s, uint64_t *value)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s->len && i < VARINT_MAX; i++) {
		unsigned char c = (unsigned char)s->ptr[i];

		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c & 0x80)
			continue;
		s->ptr += i + 1;
		s->len -= i + 1;
		*value = v;
		return true;
	}
	return false;
}

/* Sizes are multiples of 1024: turned, they are small numbers, and none is lost. */
static uint64_t turn(uint64_t value)
{
	return value >> 10 | value << 54;
}

static uint64_t turn_back(uint64_t value)
{
	return value << 10 | value >> 54;
}

/* What is not present is zero. */
static uint32_t nonzero_mask(const struct smaps_record *record)
{
	uint32_t mask = 0;

	for (int key = 0; key < SMAPS_KEY_MAX; key++)
		mask |= (uint32_t)!!record->value[key] << key;
	return mask;
}

int smaps_pack(const struct smaps_record *record, struct buf *store)
{
	const struct masks masks = { (uint32_t)record->present, nonzero_mask(record) };
	unsigned char text[sizeof(masks) + SMAPS_KEY_MAX * VARINT_MAX];
	size_t n = sizeof(masks);

	memcpy(text, &masks, sizeof(masks));
	for (uint32_t rest = masks.nonzero; rest; rest &= rest - 1) {
		int key = __builtin_ctz(rest);
		uint64_t value = record->value[key];

		n += varint_put(text + n, smaps_key_is_size(key) ? turn(value) : value);
	}
	return buf_add(store, text, n);
}

void smaps_unpack(struct span packed, uint64_t *present, uint64_t value[SMAPS_KEY_MAX])
{
	struct masks masks = { 0, 0 };
	uint64_t v;

	memset(value, 0, SMAPS_KEY_MAX * sizeof(*value));
	if (packed.len >= sizeof(masks)) {
		memcpy(&masks, packed.ptr, sizeof(masks));
		packed.ptr += sizeof(masks);
		packed.len -= sizeof(masks);
	}
	*present = masks.present & ((1ULL << SMAPS_KEY_MAX) - 1);
	for (uint32_t rest = masks.nonzero & *present; rest; rest &= rest - 1) {
		int key = __builtin_ctz(rest);

		if (!varint_take(&packed, &v)) {
			*present &= ~(uint64_t)rest;
			return;
		}
		value[key] = smaps_key_is_size(key) ? turn_back(v) : v;
	}
}
