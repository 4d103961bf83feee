// SPDX-License-Identifier: LGPL-2.1-or-later
#include "load.h"

/*
 * The counters of one VMA in process->smaps_store:
 *	varint number of unknown counters, for each: varint (name << 2 | enum unknown_kind),
 *	varint value (for a text its length, and the text)
 *	varint length of the unknown flags' text, the text
 *	what smaps_pack() made
 * Usually two zero bytes and about twenty of counters.
 */

enum unknown_kind { UNKNOWN_NUMBER, UNKNOWN_SIZE, UNKNOWN_TEXT };

static int varint_add(struct buf *buf, uint64_t value)
{
	unsigned char bytes[10];
	size_t len = 0;

	do {
		bytes[len] = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		value >>= 7;
		len++;
	} while (value);
	return buf_add(buf, bytes, len);
}

static uint64_t varint_take(struct span *s)
{
	uint64_t value = 0;
	unsigned shift = 0;
	unsigned char byte;

	do {
		if (!s->len)
			return value;
		byte = (unsigned char)*s->ptr;
		s->ptr++;
		s->len--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && shift < 64);
	return value;
}

static int unknown_name(struct process *process, const struct buf *key, uint64_t *index)
{
	struct buf *names = process->smaps_unknown;
	int ret;

	for (size_t i = 0; i < process->smaps_unknown_count; i++)
		if (span_equal(buf_span(&names[i]), buf_span(key))) {
			*index = i;
			return 0;
		}
	ret = array_grow((void **)&process->smaps_unknown, &process->smaps_unknown_cap,
			 process->smaps_unknown_count, sizeof(*names));
	if (ret < 0)
		return ret;
	names = &process->smaps_unknown[process->smaps_unknown_count];
	*names = (struct buf) BUF_INIT;
	ret = buf_add_span(names, buf_span(key));
	if (ret < 0)
		return ret;
	*index = process->smaps_unknown_count++;
	return 0;
}

static int unknown_add_one(struct process *process, const struct smaps_unknown *unknown)
{
	struct buf *store = &process->smaps_store;
	enum unknown_kind kind = unknown->is_text ? UNKNOWN_TEXT :
				 unknown->is_size ? UNKNOWN_SIZE : UNKNOWN_NUMBER;
	uint64_t index = 0;
	int ret = unknown_name(process, &unknown->key, &index);

	if (ret == 0)
		ret = varint_add(store, index << 2 | kind);
	if (ret == 0)
		ret = varint_add(store, unknown->is_text ? unknown->text.len : unknown->value);
	if (ret == 0 && unknown->is_text)
		ret = buf_add_span(store, buf_span(&unknown->text));
	return ret;
}

static int unknown_add(struct process *process, const struct smaps_record *record)
{
	struct buf *store = &process->smaps_store;
	int ret;

	if (!record->unknown_count && !record->unknown_flags.len)
		return buf_add(store, "\0", 2);
	ret = varint_add(store, record->unknown_count);
	for (size_t i = 0; ret == 0 && i < record->unknown_count; i++)
		ret = unknown_add_one(process, &record->unknown[i]);
	if (ret == 0)
		ret = varint_add(store, record->unknown_flags.len);
	if (ret == 0)
		ret = buf_add_span(store, buf_span(&record->unknown_flags));
	return ret;
}

int smaps_store_add(struct process *process, const struct smaps_record *record, uint32_t *at)
{
	struct buf *store = &process->smaps_store;
	size_t start = store->len;
	int ret;

	if (start >= UINT32_MAX)
		return -ERROR_LIMIT;
	ret = unknown_add(process, record);
	if (ret == 0)
		ret = smaps_pack(record, store);
	if (ret == 0)
		*at = (uint32_t)start + 1;
	return ret;
}

static struct span store_at(const struct process *process, const struct vma *vma)
{
	const struct buf *store = &process->smaps_store;

	if (!vma->smaps || vma->smaps > store->len)
		return (struct span) { NULL, 0 };
	return (struct span) { store->data + vma->smaps - 1, store->len - vma->smaps + 1 };
}

void vma_unknown_begin(const struct process *process, const struct vma *vma,
		       struct unknown_cursor *cursor)
{
	cursor->rest = store_at(process, vma);
	cursor->left = varint_take(&cursor->rest);
}

bool vma_unknown_next(const struct process *process, struct unknown_cursor *cursor,
		      struct vma_unknown *out)
{
	uint64_t word;

	if (!cursor->left)
		return false;
	cursor->left--;
	word = varint_take(&cursor->rest);
	*out = (struct vma_unknown) {
		.name = buf_span(&process->smaps_unknown[word >> 2]),
		.value = varint_take(&cursor->rest),
		.is_size = (word & 3) == UNKNOWN_SIZE,
		.is_text = (word & 3) == UNKNOWN_TEXT,
	};
	if (out->is_text) {
		out->text = (struct span) { cursor->rest.ptr, out->value };
		cursor->rest.ptr += out->value;
		cursor->rest.len -= out->value;
	}
	return true;
}

/* Leaves in *rest what smaps_pack() wrote. */
static struct span unknown_flags(const struct process *process, const struct vma *vma,
				 struct span *rest)
{
	struct unknown_cursor cursor;
	struct vma_unknown unknown;
	struct span flags;

	vma_unknown_begin(process, vma, &cursor);
	while (vma_unknown_next(process, &cursor, &unknown))
		continue;
	flags.len = varint_take(&cursor.rest);
	flags.ptr = cursor.rest.ptr;
	rest->ptr = cursor.rest.ptr + flags.len;
	rest->len = cursor.rest.len - flags.len;
	return flags;
}

struct span vma_unknown_flags(const struct process *process, const struct vma *vma)
{
	struct span rest;

	if (!vma->smaps)
		return (struct span) { NULL, 0 };
	return unknown_flags(process, vma, &rest);
}

bool vma_smaps(const struct process *process, const struct vma *vma, uint64_t *present,
	       uint64_t value[SMAPS_KEY_MAX])
{
	struct span packed;

	if (!vma->smaps)
		return false;
	unknown_flags(process, vma, &packed);
	smaps_unpack(packed, present, value);
	return true;
}
