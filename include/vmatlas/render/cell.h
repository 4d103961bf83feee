/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_CELL_H
#define VMATLAS_RENDER_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmatlas/base/names.h"
#include "vmatlas/base/quality.h"
#include "vmatlas/base/span.h"

/*
 * A typed value on its way out. Nothing is formatted before the renderer: a size is an integer
 * here, "1.5G" in a table, 1572864 with --bytes and in JSON. Spans are borrowed and must live
 * until the row or member is written.
 */
enum cell_type {
	CELL_MISSING,		/* gap says why: "-" and a footnote; null and <name>_missing */
	CELL_BOOL,
	CELL_COUNT,		/* unsigned integer; JSON integer */
	CELL_SIGNED,		/* signed integer */
	CELL_SIZE,		/* bytes; human in text unless --bytes, JSON integer of bytes */
	CELL_DELTA,		/* bytes more or less: "+1.5M" "-4K" "0" in text */
	CELL_HEX,		/* address or raw word: "0x7f.." in JSON, hex in text */
	CELL_DEVICE,		/* count holds major << 32 | minor: "08:01" */
	CELL_TEXT,		/* our own words, plain ASCII/UTF-8 */
	CELL_BYTES,		/* bytes of a target: escaped on every way out; JSON adds <name>_hex
				 * when they are no UTF-8 and the column asks for it */
	CELL_PATH,		/* the same for a name of a target, of
				 * whatever: always asks for it */
	CELL_PERCENT,		/* ratio 0..1 */
	CELL_TIME,		/* seconds since 1970: RFC 3339 */
	CELL_FLAGS,		/* bits named by `names`; array of names, the rest in hex */
	CELL_LIST,		/* items: array in JSON, joined by a comma in text */
	CELL_OBJECT		/* items with names: object in JSON, name=value in text */
};

struct cell {
	enum cell_type type;
	const char *name;		/* member name inside a CELL_OBJECT or a document */
	union {
		bool yes;
		uint64_t count;
		int64_t number;
		double ratio;
		struct span text;
		enum gap gap;
		struct {
			const struct name *names;
			uint64_t bits;
			struct span extra;	/* further names separated by spaces */
		} flags;
		struct {
			const struct cell *items;
			size_t count;
		} list;
	};
};

/* Members beside the one that the type names stay as they are: nobody reads them, and setting
 * them would take longer than everything else that a row does. */
static inline struct cell cell_typed(enum cell_type type)
{
	struct cell cell;

	cell.type = type;
	cell.name = NULL;
	return cell;
}
static inline struct cell cell_missing(enum gap gap)
{
	struct cell cell = cell_typed(CELL_MISSING);

	cell.gap = gap;
	return cell;
}
static inline struct cell cell_null(void)
{
	return cell_missing(GAP_NOT_APPLICABLE);
}
static inline struct cell cell_bool(bool yes)
{
	struct cell cell = cell_typed(CELL_BOOL);

	cell.yes = yes;
	return cell;
}
static inline struct cell cell_count(uint64_t count)
{
	struct cell cell = cell_typed(CELL_COUNT);

	cell.count = count;
	return cell;
}
static inline struct cell cell_signed(int64_t number)
{
	struct cell cell = cell_typed(CELL_SIGNED);

	cell.number = number;
	return cell;
}
static inline struct cell cell_size(uint64_t bytes)
{
	struct cell cell = cell_typed(CELL_SIZE);

	cell.count = bytes;
	return cell;
}
static inline struct cell cell_delta(uint64_t before, uint64_t after)
{
	struct cell cell = cell_typed(CELL_DELTA);

	cell.number = (int64_t)(after - before);
	return cell;
}
static inline struct cell cell_hex(uint64_t word)
{
	struct cell cell = cell_typed(CELL_HEX);

	cell.count = word;
	return cell;
}
static inline struct cell cell_words(struct span words)
{
	struct cell cell = cell_typed(CELL_TEXT);

	cell.text = words;
	return cell;
}
static inline struct cell cell_text(const char *text)
{
	return cell_words(span_of(text));
}
static inline struct cell cell_bytes(struct span bytes)
{
	struct cell cell = cell_typed(CELL_BYTES);

	cell.text = bytes;
	return cell;
}
static inline struct cell cell_path(struct span bytes)
{
	struct cell cell = cell_typed(CELL_PATH);

	cell.text = bytes;
	return cell;
}
static inline struct cell cell_list(const struct cell *items, size_t count)
{
	struct cell cell = cell_typed(CELL_LIST);

	cell.list.items = items;
	cell.list.count = count;
	return cell;
}
static inline struct cell cell_object(const struct cell *items, size_t count)
{
	struct cell cell = cell_typed(CELL_OBJECT);

	cell.list.items = items;
	cell.list.count = count;
	return cell;
}
static inline struct cell cell_named(const char *name, struct cell cell)
{
	cell.name = name;
	return cell;
}

#endif
