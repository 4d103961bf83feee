/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_PIECES_H
#define SOURCE_PIECES_H

#include "snapshot.h"

/*
 * Recorded ranges of a file or of a process's memory: a folder with the text `ranges`, lines
 *	5a8+1f
 *	1000+40
 *	end
 * (offset and length, ascending, apart), and `bytes`, which holds them one behind the other.
 */
struct piece {
	uint64_t offset;
	uint64_t len;
	uint64_t at;		/* in `bytes` */
};

struct piece_list {
	struct piece *items;
	size_t count;
	size_t cap;
};

/* Those in the folder `name`. -ERROR_NOT_RECORDED: there are none. -ERROR_DAMAGED with file and
 * line, also where a range ends behind `size` and where `bytes` has another length. */
int piece_list_load(struct piece_list *list, struct snapshot_store *store, const char *name,
		    uint64_t size, struct error *error);
/* Only the text with that name. */
int piece_list_ranges(struct piece_list *list, struct snapshot_store *store, const char *name,
		      uint64_t size, struct error *error);
void piece_list_done(struct piece_list *list);
/* Bytes of [offset, offset + len) that are in it. */
uint64_t piece_list_covered(const struct piece_list *list, uint64_t offset, uint64_t len);

/* The list must live as long. */
int pieces_open(struct snapshot_store *store, const char *name, const struct piece_list *list,
		struct source_pieces **pieces, struct error *error);
void pieces_free(struct source_pieces *pieces);

/* Bytes read, up to the end of the piece; -ERROR_NOT_RECORDED where there is none. */
ssize_t pieces_read(const struct source_pieces *pieces, uint64_t offset, void *data, size_t len,
		    struct error *error);

#endif
