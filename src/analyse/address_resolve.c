// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "address_resolve.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#define CANDIDATES_MAX 64u	/* listed; the count goes on */
#define HEX_DIGITS_MIN 8	/* what maps prints at least */

int resolve_fail(struct resolve *r, enum error_code code, const char *text)
{
	char item[256];

	snprintf(item, sizeof(item), "%.*s", (int)(r->query.len < 255 ? r->query.len : 255),
		 r->query.len ? r->query.ptr : "");
	return error_set(r->error, code, item, "%s", text);
}

int resolve_add(struct resolve *r, uint64_t address, struct span file, struct span name,
		const char *what)
{
	int rc = 0;

	if (r->found && r->last == address)
		return 0;	/* an alias */
	r->found++;
	r->last = address;
	if (r->found > CANDIDATES_MAX)
		return 0;
	rc = buf_addf(r->candidates, "0x%" PRIx64 " ", address);
	if (rc == 0)
		rc = buf_add_span(r->candidates, file);
	if (rc == 0 && name.len)
		rc = buf_add_char(r->candidates, '!');
	if (rc == 0)
		rc = buf_add_span(r->candidates, name);
	if (rc == 0)
		rc = buf_addf(r->candidates, " %s\n", what);
	return rc < 0 ? error_nomem(r->error) : 0;
}

int resolve_finish(struct resolve *r, const char *what)
{
	char text[128];

	if (r->found == 1) {
		*r->address = r->last + r->offset;
		buf_clear(r->candidates);
		return 0;
	}
	if (r->found)
		snprintf(text, sizeof(text), "%zu %s have this name; give one of these", r->found,
			 what);
	else
		snprintf(text, sizeof(text), "none of the %s has this name", what);
	return resolve_fail(r, ERROR_NOT_FOUND, text);
}

/* "libc" names libc.so.6 and libc-2.31.so. */
static bool is_stem(struct span name, struct span word)
{
	const char *so = name.len ? memmem(name.ptr, name.len, ".so", 3) : NULL;

	return so && word.len && word.len < name.len && !memcmp(name.ptr, word.ptr, word.len) &&
		(name.ptr[word.len] == '-' || name.ptr + word.len == so);
}

bool resolve_object_is(const struct object *object, struct span word)
{
	struct span name = object_name(object), last = span_last_part(name);

	return span_equal(name, word) || span_equal(last, word) || is_stem(last, word);
}

bool resolve_is_object(const struct process *process, struct span word)
{
	for (size_t i = 0; i < process->object_count; i++)
		if (process->objects[i].inode && resolve_object_is(&process->objects[i], word))
			return true;
	return false;
}

/* "7f1c0a000abc" as maps prints it: hexadecimal without 0x, with at least one letter. */
static bool bare_hex(struct span s, uint64_t *value)
{
	struct span rest = s;
	bool letter = false;

	for (size_t i = 0; i < s.len; i++)
		letter |= isalpha((unsigned char)s.ptr[i]) != 0;
	return letter && s.len >= HEX_DIGITS_MIN && span_take_hex(&rest, value) && !rest.len;
}

/* "+off" at the end, if what follows the last plus is a number; C++ names have pluses, too. */
static void split_offset(struct resolve *r)
{
	const char *plus = memrchr(r->query.ptr, '+', r->query.len);
	struct span behind;

	r->name = r->query;
	if (!plus || plus == r->query.ptr)
		return;
	behind = (struct span) { plus + 1, (size_t)(r->query.ptr + r->query.len - plus - 1) };
	if (span_number(behind, &r->offset))
		r->name.len = (size_t)(plus - r->query.ptr);
}

/* Words that begin like a number but are none are mistyped, not symbols. */
static bool is_malformed(struct span s)
{
	return !s.len || isdigit((unsigned char)s.ptr[0]) || s.ptr[0] == '-' ||
		s.ptr[0] == '+' || memchr(s.ptr, '\0', s.len);
}

int address_resolve(struct address_context *ctx, struct span query, uint64_t *address,
		    struct buf *candidates, struct error *error)
{
	struct resolve r = { .ctx = ctx, .query = query, .address = address,
			     .candidates = candidates, .error = error };
	const char *mark;
	struct span file;
	int rc;

	if (span_number(query, address) || bare_hex(query, address))
		return 0;
	if (is_malformed(query))
		return resolve_fail(&r, ERROR_USAGE, "not an address: give a number (0x for "
				    "hexadecimal), a symbol, file!symbol or file+offset");
	rc = resolve_place(&r);
	if (rc)
		return rc < 0 ? rc : 0;
	split_offset(&r);
	mark = memchr(r.name.ptr, '!', r.name.len);
	if (mark) {
		file = (struct span) { r.name.ptr, (size_t)(mark - r.name.ptr) };
		r.name.ptr = mark + 1;
		r.name.len -= file.len + 1;
		return resolve_symbol(&r, file);
	}
	if (r.name.len < r.query.len && resolve_is_object(ctx->process, r.name))
		return resolve_file_offset(&r);
	return resolve_symbol(&r, span_of(NULL));
}
