// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmatlas/base/errnos.h"

int missing_add(struct missing *missing, const char *name, const struct error *failure,
		struct error *error)
{
	char *copy;

	if (array_grow((void **)&missing->items, &missing->cap, missing->count,
		       sizeof(*missing->items)) < 0)
		return error_nomem(error);
	copy = strdup(name);
	if (!copy)
		return error_nomem(error);
	missing->items[missing->count++] = (struct missing_item) {
		copy, errno_of_error(failure)
	};
	return 0;
}

int missing_take(struct missing *missing, struct missing *other, struct error *error)
{
	while (other->count) {
		if (array_grow((void **)&missing->items, &missing->cap, missing->count,
			       sizeof(*missing->items)) < 0)
			return error_nomem(error);
		missing->items[missing->count++] = other->items[--other->count];
	}
	return 0;
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(((const struct missing_item *)a)->name,
		      ((const struct missing_item *)b)->name);
}

/* EIO for one without a name: the table has those that reading a process can give. */
int missing_text(struct missing *missing, struct buf *text, struct error *error)
{
	if (missing->count)
		qsort(missing->items, missing->count, sizeof(*missing->items), compare_items);
	for (size_t i = 0; i < missing->count; i++) {
		const char *name = name_of(errno_names, (uint64_t)missing->items[i].errnum);

		if (buf_addf(text, "%s %s\n", missing->items[i].name,
			     name ? name : name_of(errno_names, EIO)) < 0)
			return error_nomem(error);
	}
	return 0;
}

void missing_done(struct missing *missing)
{
	for (size_t i = 0; i < missing->count; i++)
		free(missing->items[i].name);
	free(missing->items);
}
