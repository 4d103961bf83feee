// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "pieces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "snapshot_lines.h"
#include "vmatlas/base/search.h"

#define PIECES_MAX (4u << 20)

struct source_pieces {
	struct source *source;
	const struct piece_list *list;
	struct snapshot_file bytes;
};

void piece_list_done(struct piece_list *list)
{
	free(list->items);
	*list = (struct piece_list) { NULL, 0, 0 };
}

static uint64_t total(const struct piece_list *list)
{
	const struct piece *last;

	if (!list->count)
		return 0;
	last = &list->items[list->count - 1];
	return last->at + last->len;
}

/* "5a8+1f" */
static bool take_range(struct span line, uint64_t size, struct piece *piece)
{
	return span_take_hex(&line, &piece->offset) && span_take_char(&line, '+') &&
	       span_take_hex(&line, &piece->len) && !line.len && piece->len &&
	       piece->offset <= size && piece->len <= size - piece->offset;
}

static int add_line(struct piece_list *list, struct snapshot_lines *text, struct span line,
		    uint64_t size)
{
	const struct piece *last = list->count ? &list->items[list->count - 1] : NULL;
	struct piece piece = { .at = total(list) };

	if (!take_range(line, size, &piece))
		return snapshot_lines_bad(text, "not a range that lies in the file");
	if (last && piece.offset <= last->offset + last->len)
		return snapshot_lines_bad(text, "ranges overlap, touch or go back");
	if (list->count == PIECES_MAX)
		return error_set(text->error, ERROR_LIMIT, text->name, "too many ranges");
	if (array_grow((void **)&list->items, &list->cap, list->count, sizeof(piece)) < 0)
		return error_nomem(text->error);
	list->items[list->count++] = piece;
	return 0;
}

static int read_ranges(struct piece_list *list, struct snapshot_store *store, const char *name,
		       uint64_t size, struct error *error)
{
	CLEANUP(snapshot_lines_done) struct snapshot_lines text;
	struct span line;
	int rc = snapshot_lines_open(&text, store, name, error);

	while (rc >= 0 && (rc = snapshot_lines_next(&text, &line)) > 0)
		rc = add_line(list, &text, line, size);
	return rc;
}

int piece_list_ranges(struct piece_list *list, struct snapshot_store *store, const char *name,
		      uint64_t size, struct error *error)
{
	struct piece_list made = { NULL, 0, 0 };
	int rc = read_ranges(&made, store, name, size, error);

	if (rc < 0)
		piece_list_done(&made);
	else
		*list = made;
	return rc;
}

static int open_bytes(struct snapshot_store *store, const char *folder,
		      const struct piece_list *list, struct snapshot_file *bytes,
		      struct error *error)
{
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "%s/bytes", folder);
	rc = snapshot_store_file(store, name, bytes, error);
	if (rc == -ERROR_NOT_RECORDED)
		return error_set(error, ERROR_DAMAGED, name, "missing, but its ranges are there");
	if (!rc && bytes->size != total(list))
		rc = error_set(error, ERROR_DAMAGED, name,
			       "%" PRIu64 " bytes long, but its ranges have %" PRIu64,
			       bytes->size, total(list));
	return rc;
}

int piece_list_load(struct piece_list *list, struct snapshot_store *store, const char *name,
		    uint64_t size, struct error *error)
{
	CLEANUP(snapshot_file_done) struct snapshot_file bytes = SNAPSHOT_FILE_INIT;
	struct piece_list made = { NULL, 0, 0 };
	char ranges[SNAPSHOT_NAME_MAX];
	int rc;

	snprintf(ranges, sizeof(ranges), "%s/ranges", name);
	rc = read_ranges(&made, store, ranges, size, error);
	if (!rc)
		rc = open_bytes(store, name, &made, &bytes, error);
	if (rc < 0)
		piece_list_done(&made);
	else
		*list = made;
	return rc;
}

void pieces_free(struct source_pieces *pieces)
{
	if (!pieces)
		return;
	snapshot_file_done(&pieces->bytes);
	free(pieces);
}

DEFINE_CLEANUP(pieces_free, struct source_pieces)

int pieces_open(struct snapshot_store *store, const char *name, const struct piece_list *list,
		struct source_pieces **pieces, struct error *error)
{
	CLEANUP(pieces_freep) struct source_pieces *made = malloc(sizeof(*made));
	int rc;

	if (!made)
		return error_nomem(error);
	*made = (struct source_pieces) { store->source, list, SNAPSHOT_FILE_INIT };
	rc = open_bytes(store, name, list, &made->bytes, error);
	if (rc < 0)
		return rc;
	*pieces = made;
	made = NULL;
	return 0;
}

/* Index of the first piece that ends behind the offset. */
static size_t first_ending_behind(const struct piece_list *list, uint64_t offset)
{
	const struct piece *items = list->items;

	return SEARCH_FIRST(i, list->count, items[i].offset + items[i].len <= offset);
}

/* The piece that holds the offset, or NULL. */
static const struct piece *find(const struct piece_list *list, uint64_t offset)
{
	size_t at = first_ending_behind(list, offset);

	return at < list->count && list->items[at].offset <= offset ? &list->items[at] : NULL;
}

uint64_t piece_list_covered(const struct piece_list *list, uint64_t offset, uint64_t len)
{
	uint64_t end = len > UINT64_MAX - offset ? UINT64_MAX : offset + len, covered = 0;

	for (size_t i = first_ending_behind(list, offset); i < list->count; i++) {
		const struct piece *piece = &list->items[i];
		uint64_t from = piece->offset > offset ? piece->offset : offset;
		uint64_t to = piece->offset + piece->len < end ? piece->offset + piece->len : end;

		if (from >= end)
			break;
		covered += to - from;
	}
	return covered;
}

ssize_t pieces_read(const struct source_pieces *pieces, uint64_t offset, void *data, size_t len,
		    struct error *error)
{
	const struct piece *piece = find(pieces->list, offset);
	uint64_t skip;
	ssize_t got;

	if (!len)
		return 0;
	if (!piece)
		return error_set(error, ERROR_NOT_RECORDED, NULL,
				 "the snapshot does not hold these bytes");
	skip = offset - piece->offset;
	if (len > piece->len - skip)
		len = piece->len - skip;
	got = source_pread(pieces->source, pieces->bytes.fd, data, len,
			   pieces->bytes.base + piece->at + skip);
	if (got < 0)
		return error_errno(error, -(int)got, "bytes", "read");
	return got ? got : error_set(error, ERROR_DAMAGED, "bytes", "it became shorter");
}
