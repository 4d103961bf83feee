// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "source_impl.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#define USER_BYTES_MAX (1u << 20)

/* Names are of this machine: those of the recorded one are not known. */
static int users_refuse(struct source *source, const char *item, struct error *error)
{
	return source->host.kind == SOURCE_KIND_LIVE ? 0 :
		error_set(error, ERROR_NOT_RECORDED, item,
			  "a snapshot does not hold the names of users; give the number");
}

typedef int users_lookup_fn(const void *key, struct passwd *entry, char *text, size_t size,
			    struct passwd **found);

static int lookup_name(const void *key, struct passwd *entry, char *text, size_t size,
		       struct passwd **found)
{
	return getpwnam_r(key, entry, text, size, found);
}

static int lookup_uid(const void *key, struct passwd *entry, char *text, size_t size,
		      struct passwd **found)
{
	return getpwuid_r(*(const uid_t *)key, entry, text, size, found);
}

/* ERROR_NOT_FOUND is left to the caller to word. *text is the caller's to free, the entry points
 * into it. */
static int users_find(users_lookup_fn *lookup, const void *key, struct passwd *entry, char **text,
		      struct error *error)
{
	struct passwd *found = NULL;

	for (size_t size = 1024; size <= USER_BYTES_MAX; size *= 4) {
		char *grown = realloc(*text, size);
		int rc;

		if (!grown)
			return error_nomem(error);
		*text = grown;
		rc = lookup(key, entry, *text, size, &found);
		if (rc != ERANGE)
			break;
	}
	return found ? 0 : -ERROR_NOT_FOUND;
}

int source_user_id(struct source *source, const char *name, uint64_t *uid, struct error *error)
{
	CLEANUP_FREE char *text = NULL;
	struct passwd entry;
	int rc = users_refuse(source, name, error);

	if (!rc)
		rc = users_find(lookup_name, name, &entry, &text, error);
	if (rc == -ERROR_NOT_FOUND)
		return error_set(error, ERROR_NOT_FOUND, name, "no such user");
	if (!rc)
		*uid = entry.pw_uid;
	return rc;
}

int source_user_name(struct source *source, uint64_t uid, struct buf *name, struct error *error)
{
	CLEANUP_FREE char *text = NULL;
	uid_t key = (uid_t)uid;
	struct passwd entry;
	int rc = users_refuse(source, NULL, error);

	if (!rc)
		rc = users_find(lookup_uid, &key, &entry, &text, error);
	if (rc == -ERROR_NOT_FOUND)
		return error_set(error, ERROR_NOT_FOUND, NULL, "no such user");
	if (!rc && buf_add_str(name, entry.pw_name) < 0)
		rc = error_nomem(error);
	return rc;
}
