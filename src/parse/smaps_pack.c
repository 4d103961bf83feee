// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/smaps.h"

#define VARINT_MAX 10	/* bytes of 64 bits in groups of seven */

static size_t varint_put(unsigned char *at, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		at[n++] = (unsigned char)(value | 0x80);
	at[n++] = (unsigned char)value;
	return n;
}

static bool varint_take(struct span *s, uint64_t *value)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s->len && i < VARINT_MAX; i++) {
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

static uint64_t nonzero_mask(const struct smaps_record *record)
{
	uint64_t mask = 0;
	int key;

	for (key = 0; key < SMAPS_KEY_MAX; key++)
		if (record->present >> key & 1 && record->value[key])
			mask |= 1ULL << key;
	return mask;
}

int smaps_pack(const struct smaps_record *record, struct buf *store)
{
	uint64_t rest = nonzero_mask(record);
	unsigned char text[(SMAPS_KEY_MAX + 2) * VARINT_MAX];
	size_t n = varint_put(text, record->present);

	n += varint_put(text + n, rest);
	for (; rest; rest &= rest - 1) {
		int key = __builtin_ctzll(rest);
		uint64_t value = record->value[key];

		n += varint_put(text + n, smaps_key_is_size(key) ? turn(value) : value);
	}
	return buf_add(store, text, n);
}

void smaps_unpack(struct span packed, uint64_t *present, uint64_t value[SMAPS_KEY_MAX])
{
	uint64_t nonzero = 0, v;

	memset(value, 0, SMAPS_KEY_MAX * sizeof(*value));
	*present = 0;
	if (!varint_take(&packed, present) || !varint_take(&packed, &nonzero))
		*present = 0;
	*present &= (1ULL << SMAPS_KEY_MAX) - 1;
	for (nonzero &= *present; nonzero; nonzero &= nonzero - 1) {
		int key = __builtin_ctzll(nonzero);

		if (!varint_take(&packed, &v)) {
			*present &= ~nonzero;
			return;
		}
		value[key] = smaps_key_is_size(key) ? turn_back(v) : v;
	}
}
