// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "vmatlas/base/errnos.h"

#define MISSING_BYTES (64u << 20)

/* "task/4243/syscall EPERM": an error that this system does not know has no meaning here. */
static int add_line(struct snapshot_missing *missing, struct span line, struct error *error)
{
	struct snapshot_lack lack = { .item = span_take_until(&line, ' ') };
	uint64_t errnum;

	if (!lack.item.len || !span_take_char(&line, ' ') || !line.len)
		return error_set(error, ERROR_DAMAGED, NULL, "not the form ITEM ERROR");
	if (missing->count &&
	    span_compare(missing->lacks[missing->count - 1].item, lack.item) >= 0)
		return error_set(error, ERROR_DAMAGED, NULL, "not in order, or twice");
	lack.errnum = name_value(errno_names, line, &errnum) < 0 ? EIO : (int)errnum;
	if (array_grow((void **)&missing->lacks, &missing->cap, missing->count, sizeof(lack)) < 0)
		return error_nomem(error);
	missing->lacks[missing->count++] = lack;
	return 0;
}

int snapshot_missing_parse(struct snapshot_missing *missing, struct span rest, const char *name,
			   struct error *error)
{
	struct span line;

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
		rc = snapshot_missing_parse(missing, buf_span(&missing->text), name, &local);
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

static const char *const phrases[ERROR_CODE_MAX] = {
	[ERROR_NOT_RECORDED] = "the snapshot does not hold it",
	[ERROR_CHANGED] = "it changed while it was recorded",
	[ERROR_LIMIT] = "it was too long to be recorded",
	[ERROR_DAMAGED] = "it was damaged when it was recorded",
	[ERROR_PARSE] = "it had not the form of the kernel's when it was recorded",
	[ERROR_NOT_FOUND] = "there was no such thing",
};

int snapshot_missing_why(const struct snapshot_missing *missing, const char *item,
			 struct error *error)
{
	const struct snapshot_lack *lack = find(missing, item);
	int errnum = lack ? lack->errnum : ENODATA;
	enum error_code code = errno_error_code(errnum);

	if (phrases[code])
		error_set(error, code, item, "%s", phrases[code]);
	else
		error_set(error, code, item, "reading it for the snapshot failed: %s",
			  strerror(errnum));
	if (error)
		error->errnum = errnum;
	return -(int)code;
}
