// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "confined.h"
#include "vmatlas/elf/symbols.h"

/* A name may unfold without end (substitutions double), so the child gets little. */
static const struct confined_limits demangle_limits = {
	.memory = 192u << 20, .seconds = 2,
	.output = ELF_DEMANGLE_BATCH_MAX * (ELF_DEMANGLE_NAME_MAX / 8),
};
#define CRASHES_MAX 4	/* children lost before the rest stays mangled */

/* Names [first, count) of which the child answers as many as it can, each as a 16-bit length
 * and bytes; length 0 means "stays as it is". */
struct demangle_job {
	const char *const *names;
	size_t first;
	size_t count;
};

static bool is_mangled(const char *name)
{
	return name[0] == '_' && name[1] == 'Z' &&
	       strnlen(name, ELF_DEMANGLE_NAME_MAX) < ELF_DEMANGLE_NAME_MAX;
}

static char *demangle_one(char *(*demangle)(const char *, char *, size_t *, int *),
			  const char *name)
{
	CLEANUP_FREE char *plain = NULL;
	int status = 0;

	if (!is_mangled(name))
		return NULL;
	plain = strndup(name, strcspn(name, "@"));	/* without the version */
	return plain ? demangle(plain, NULL, NULL, &status) : NULL;
}

static void demangle_all(void *ctx, int out)
{
	const struct demangle_job *job = ctx;
	void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
	char *(*demangle)(const char *, char *, size_t *, int *);
	size_t i;

	if (!library)
		return;
	*(void **)&demangle = dlsym(library, "__cxa_demangle");
	for (i = job->first; demangle && i < job->count; i++) {
		CLEANUP_FREE char *text = demangle_one(demangle, job->names[i]);
		size_t len = text ? strnlen(text, ELF_DEMANGLE_NAME_MAX) : 0;
		uint16_t size = len < ELF_DEMANGLE_NAME_MAX ? (uint16_t)len : 0;

		confined_write(out, &size, sizeof(size));
		confined_write(out, text, size);
	}
}

/* Stores the whole records; returns how many there were, or a negative value. */
static ssize_t take_records(const struct buf *answer, char **out, size_t max)
{
	size_t at = 0, n = 0;
	uint16_t size;

	while (n < max && answer->len - at >= sizeof(size)) {
		memcpy(&size, answer->data + at, sizeof(size));
		if (answer->len - at - sizeof(size) < size)
			break;
		if (size) {
			out[n] = strndup(answer->data + at + sizeof(size), size);
			if (!out[n])
				return -ERROR_NOMEM;
		}
		at += sizeof(size) + size;
		n++;
	}
	return (ssize_t)n;
}

static int demangle_rest(struct demangle_job *job, char **out, struct error *error)
{
	unsigned crashes;

	for (crashes = 0; job->first < job->count && crashes < CRASHES_MAX; crashes++) {
		CLEANUP(buf_done) struct buf answer = BUF_INIT;
		int ret = confined_run(demangle_all, job, &demangle_limits, &answer, error);
		ssize_t n;

		if (ret < 0 && ret != -ERROR_DAMAGED)
			return ret;
		n = take_records(&answer, out + job->first, job->count - job->first);
		if (n < 0)
			return error_nomem(error);
		if (!ret)
			return 0;
		job->first += (size_t)n + 1;	/* the one that it died of stays mangled */
	}
	error_clear(error);
	return 0;
}

int elf_demangle(const char *const *names, size_t count, char **out, struct error *error)
{
	struct demangle_job job = { names, 0, count };
	size_t i;
	int ret = 0;

	if (count > ELF_DEMANGLE_BATCH_MAX)
		return error_set(error, ERROR_LIMIT, NULL, "too many names at once");
	memset(out, 0, count * sizeof(*out));
	for (i = 0; i < count && !is_mangled(names[i]); i++)
		;
	if (i < count)
		ret = demangle_rest(&job, out, error);
	for (i = 0; ret < 0 && i < count; i++) {
		free(out[i]);
		out[i] = NULL;
	}
	return ret;
}
