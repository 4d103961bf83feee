// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>

#define MISSING_BYTES (64u << 20)
#define ERRNO_MAX 255

/* "EACCES" */
static int errno_named(struct span name)
{
	for (int errnum = 1; errnum <= ERRNO_MAX; errnum++) {
		const char *known = strerrorname_np(errnum);

		if (known && span_is(name, known))
			return errnum;
	}
	return 0;
}

/* "task/4243/syscall EPERM": an error that this system does not know has no meaning here. */
static int add_line(struct snapshot_missing *missing, struct span line, struct error *error)
{
	struct snapshot_lack lack = { .item = span_take_until(&line, ' ') };

	if (!lack.item.len || !span_take_char(&line, ' ') || !line.len)
		return error_set(error, ERROR_DAMAGED, NULL, "not the form ITEM ERROR");
	if (missing->count &&
	    span_compare(missing->lacks[missing->count - 1].item, lack.item) >= 0)
		return error_set(error, ERROR_DAMAGED, NULL, "not in order, or twice");
	lack.errnum = errno_named(line);
	if (!lack.errnum)
		lack.errnum = EIO;
	if (array_grow((void **)&missing->lacks, &missing->cap, missing->count, sizeof(lack)) < 0)
		return error_nomem(error);
	missing->lacks[missing->count++] = lack;
	return 0;
}

static int parse(struct snapshot_missing *missing, const char *name, struct error *error)
{
	struct span rest = buf_span(&missing->text), line;

	for (unsigned long number = 1; rest.len; number++) {
		struct error local = ERROR_INIT;
		int rc;

		line = span_take_until(&rest, '\n');
		rc = span_take_char(&rest, '\n') ? add_line(missing, line, &local) :
			error_set(&local, ERROR_DAMAGED, NULL, "cut off");
		if (rc < 0) {
			error_set(error, local.code, name, "%s", local.text);
			if (error)
				error->line = number;
			return rc;
		}
	}
	return 0;
}

int snapshot_missing_load(struct snapshot_missing *missing, struct snapshot_store *store,
			  const char *name, struct error *error)
{
	CLEANUP(snapshot_file_done) struct snapshot_file file = SNAPSHOT_FILE_INIT;
	struct error local = ERROR_INIT;
	int rc = snapshot_store_file(store, name, &file, &local);

	if (rc == -ERROR_NOT_RECORDED)
		return 0;
	if (!rc)
		rc = snapshot_file_text(store->source, &file, name, MISSING_BYTES, &missing->text,
					&local);
	if (!rc)
		rc = parse(missing, name, &local);
	if (rc < 0 && error)
		*error = local;
	return rc;
}

void snapshot_missing_done(struct snapshot_missing *missing)
{
	buf_done(&missing->text);
	free(missing->lacks);
	*missing = (struct snapshot_missing) { .lacks = NULL };
}

static int compare_lack(const void *key, const void *element)
{
	return span_compare(*(const struct span *)key,
			    ((const struct snapshot_lack *)element)->item);
}

static const struct snapshot_lack *find(const struct snapshot_missing *missing, const char *item)
{
	struct span key = span_of(item);

	return missing->count ? bsearch(&key, missing->lacks, missing->count,
					sizeof(*missing->lacks), compare_lack) : NULL;
}

bool snapshot_missing_has(const struct snapshot_missing *missing, const char *item)
{
	return find(missing, item);
}

/* The other way round than record does it; EACCES and the like are as for a system call. */
int snapshot_missing_why(const struct snapshot_missing *missing, const char *item,
			 struct error *error)
{
	const struct snapshot_lack *lack = find(missing, item);
	int rc;

	switch (lack ? lack->errnum : ENODATA) {
	case ENODATA:
		return error_set(error, ERROR_NOT_RECORDED, item, "the snapshot does not hold it");
	case ESTALE:
		rc = error_set(error, ERROR_CHANGED, item, "it changed while it was recorded");
		break;
	case EFBIG:
		rc = error_set(error, ERROR_LIMIT, item, "it was too long to be recorded");
		break;
	case EBADMSG:
		rc = error_set(error, ERROR_DAMAGED, item, "it was damaged when it was recorded");
		break;
	case ENOENT:
		rc = error_set(error, ERROR_NOT_FOUND, item, "there was no such thing");
		break;
	default:
		return error_errno(error, lack->errnum, item, "reading it for the snapshot");
	}
	if (error)
		error->errnum = lack->errnum;
	return rc;
}
