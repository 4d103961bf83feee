// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/source/file_about.h"

#include <inttypes.h>
#include <stdlib.h>

#define PIDS_MAX 65536u
#define BUILD_ID_DIGITS_MAX 128u

static const struct name match_names[] = {
	{ FILE_MATCH_MAPPED, "mapped", "opened through map_files" },
	{ FILE_MATCH_SAME, "same", "by path, device and inode agree" },
	{ FILE_MATCH_INODE, "inode", "by path, only the inode agrees" },
	{ FILE_MATCH_OTHER, "other", "by path, another file" },
	{ 0, NULL, NULL }
};

static const struct name build_id_names[] = {
	{ BUILD_ID_SAME, "same", "in the mapped pages, too" },
	{ BUILD_ID_DIFFERS, "differs", "not in the mapped pages" },
	{ 0, NULL, NULL }
};

static const struct name failed_names[] = {
	{ ERROR_SYSTEM, "system", "a system call failed" },
	{ ERROR_DAMAGED, "damaged", "it contradicts itself" },
	{ ERROR_DENIED, "denied", "a privilege was missing" },
	{ ERROR_GONE, "gone", "it could not be found" },
	{ ERROR_NOT_FOUND, "not-found", "it could not be found" },
	{ ERROR_NOT_IN_KERNEL, "not-in-kernel", "the kernel does not offer it" },
	{ ERROR_NOT_RECORDED, "not-recorded", "the snapshot recorded again does not hold it" },
	{ ERROR_CHANGED, "changed", "another file was there by then" },
	{ ERROR_LIMIT, "limit", "a bound was reached" },
	{ ERROR_USAGE, "not-regular", "not a regular file" },
	{ 0, NULL, NULL }
};

void file_about_init(struct file_about *about)
{
	*about = (struct file_about) { .file = { .fd = -1 } };
}

void file_about_done(struct file_about *about)
{
	buf_done(&about->path);
	buf_done(&about->why);
	buf_done(&about->build_id);
	free(about->pids);
}

int name_escape(struct span name, struct buf *text)
{
	int rc = 0;

	for (size_t i = 0; i < name.len && rc >= 0; i++)
		rc = name.ptr[i] == '\\' ? buf_add_str(text, "\\134") :
		     name.ptr[i] == '\n' ? buf_add_str(text, "\\012") :
					   buf_add_char(text, name.ptr[i]);
	return rc;
}

/* Also other bytes written so, as long as no NUL comes of it. */
int name_unescape(struct span text, struct buf *name)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned c = (unsigned char)text.ptr[i];

		if (!c)
			return -ERROR_DAMAGED;
		if (c == '\\') {
			c = 0;
			for (size_t k = 1; k < 4; k++) {
				if (i + k >= text.len || text.ptr[i + k] < '0' ||
				    text.ptr[i + k] > '7')
					return -ERROR_DAMAGED;
				c = c * 8 + (unsigned)(text.ptr[i + k] - '0');
			}
			if (!c || c > 255)
				return -ERROR_DAMAGED;
			i += 3;
		}
		if (buf_add_char(name, (char)c) < 0)
			return -ERROR_NOMEM;
	}
	return 0;
}

static bool take_device(struct span *s, uint32_t *major, uint32_t *minor)
{
	uint64_t high, low;

	if (!span_take_hex(s, &high) || !span_take_char(s, ':') || !span_take_hex(s, &low) ||
	    high > UINT32_MAX || low > UINT32_MAX)
		return false;
	*major = (uint32_t)high;
	*minor = (uint32_t)low;
	return true;
}

static int take_name(struct buf *name, struct span value)
{
	buf_clear(name);
	return name_unescape(value, name);
}

static int take_flag(bool *flag, struct span value)
{
	*flag = span_is(value, "yes");
	return *flag || span_is(value, "no") ? 0 : -ERROR_DAMAGED;
}

static int take_pids(struct file_about *about, struct span value)
{
	struct span word, rest;
	uint64_t pid;

	while (span_take_word(&value, &word)) {
		rest = word;
		if (!span_take_dec(&rest, &pid) || rest.len || pid > INT32_MAX ||
		    about->pid_count == PIDS_MAX)
			return -ERROR_DAMAGED;
		if (array_grow((void **)&about->pids, &about->pid_cap, about->pid_count,
			       sizeof(pid_t)) < 0)
			return -ERROR_NOMEM;
		about->pids[about->pid_count++] = (pid_t)pid;
	}
	return about->pid_count ? 0 : -ERROR_DAMAGED;
}

static int take_build_id(struct file_about *about, struct span value)
{
	buf_clear(&about->build_id);
	if (value.len > BUILD_ID_DIGITS_MAX)
		return -ERROR_DAMAGED;
	for (size_t i = 0; i < value.len; i++)
		if (!memchr("0123456789abcdef", value.ptr[i], 16))
			return -ERROR_DAMAGED;
	return buf_add_span(&about->build_id, value);
}

/* "denied its name is gone or out of reach" */
static int take_failed(struct file_about *about, struct span value)
{
	struct span code = span_take_until(&value, ' ');
	uint64_t number;

	if (name_value(failed_names, code, &number) < 0)
		return -ERROR_DAMAGED;
	about->failed = (enum error_code)number;
	span_take_char(&value, ' ');
	return take_name(&about->why, value);
}

static int take_word(const struct name *names, struct span value, uint64_t *number)
{
	return name_value(names, value, number) < 0 ? -ERROR_DAMAGED : 0;
}

/* Keys whose value is text. */
static int take_text(struct file_about *about, struct span key, struct span value)
{
	if (span_is(key, "path"))
		return take_name(&about->path, value);
	if (span_is(key, "failed"))
		return take_failed(about, value);
	if (span_is(key, "pids"))
		return take_pids(about, value);
	if (span_is(key, "build_id"))
		return take_build_id(about, value);
	if (span_is(key, "deleted"))
		return take_flag(&about->deleted, value);
	if (span_is(key, "debug"))
		return take_flag(&about->debug, value);
	if (span_is(key, "no_elf"))
		return take_flag(&about->file.no_elf, value);
	return 1;
}

static int take_match(struct file_about *about, struct span key, struct span value)
{
	uint64_t number = 0;
	int rc;

	if (span_is(key, "match")) {
		rc = take_word(match_names, value, &number);
		about->file.match = (enum source_file_match)number;
		return rc;
	}
	if (span_is(key, "mapped_build_id")) {
		rc = take_word(build_id_names, value, &number);
		about->file.mapped_build_id = (enum source_build_id)number;
		return rc;
	}
	return 1;
}

static bool take_opened(struct file_about *about, struct span *value)
{
	return take_device(value, &about->file.major, &about->file.minor) &&
	       span_take_char(value, ' ') && span_take_dec(value, &about->file.inode);
}

static bool take_sum(struct file_about *about, struct span *value)
{
	uint64_t sum;

	if (!span_take_hex(value, &sum) || sum > UINT32_MAX)
		return false;
	about->file.sum = (uint32_t)sum;
	about->file.has_sum = true;
	return true;
}

static int take_number(struct file_about *about, struct span key, struct span value)
{
	struct source_file *file = &about->file;
	bool ok = true;

	if (span_is(key, "device"))
		ok = take_device(&value, &about->major, &about->minor);
	else if (span_is(key, "inode"))
		ok = span_take_dec(&value, &about->inode);
	else if (span_is(key, "opened"))
		ok = take_opened(about, &value);
	else if (span_is(key, "size"))
		ok = span_take_dec(&value, &file->size);
	else if (span_is(key, "mtime"))
		ok = span_take_int(&value, &file->mtime);
	else if (span_is(key, "links"))
		ok = span_take_dec(&value, &file->links);
	else if (span_is(key, "sum"))
		ok = take_sum(about, &value);
	else
		return 0;
	return ok && !value.len ? 0 : -ERROR_DAMAGED;
}

int file_about_take(struct file_about *about, struct span line)
{
	struct span key = span_take_until(&line, ' ');
	int rc;

	if (!span_take_char(&line, ' '))
		return -ERROR_DAMAGED;
	rc = take_text(about, key, line);
	if (rc > 0)
		rc = take_match(about, key, line);
	return rc > 0 ? take_number(about, key, line) : rc;
}

static int add_name(struct buf *text, const char *key, struct span name)
{
	int rc = buf_add_str(text, key);

	if (rc >= 0)
		rc = name_escape(name, text);
	return rc < 0 ? rc : buf_add_char(text, '\n');
}

/* Which file it is. */
static int write_key(const struct file_about *about, struct buf *text)
{
	int rc = add_name(text, "path ", buf_span(&about->path));

	if (rc >= 0 && about->deleted)
		rc = buf_add_str(text, "deleted yes\n");
	if (rc >= 0 && about->debug)
		rc = buf_add_str(text, "debug yes\n");
	if (rc >= 0)
		rc = buf_addf(text, "device %02x:%02x\ninode %" PRIu64 "\n", about->major,
			      about->minor, about->inode);
	if (rc >= 0 && about->pid_count)
		rc = buf_add_str(text, "pids");
	for (size_t i = 0; i < about->pid_count && rc >= 0; i++)
		rc = buf_addf(text, " %d", about->pids[i]);
	return rc >= 0 && about->pid_count ? buf_add_char(text, '\n') : rc;
}

static int write_failure(const struct file_about *about, struct buf *text)
{
	const char *code = name_of(failed_names, about->failed);
	int rc = buf_addf(text, "failed %s ", code ? code : "system");

	return rc < 0 ? rc : add_name(text, "", buf_span(&about->why));
}

static int write_looks(const struct file_about *about, struct buf *text)
{
	const struct source_file *file = &about->file;
	int rc = 0;

	if (file->no_elf)
		rc = buf_add_str(text, "no_elf yes\n");
	if (rc >= 0 && about->build_id.len)
		rc = buf_addf(text, "build_id %s\n", buf_str(&about->build_id));
	if (rc >= 0 && file->mapped_build_id)
		rc = buf_addf(text, "mapped_build_id %s\n",
			      name_of(build_id_names, file->mapped_build_id));
	if (rc >= 0 && file->has_sum)
		rc = buf_addf(text, "sum %08x\n", file->sum);
	return rc;
}

int file_about_write(const struct file_about *about, struct buf *text)
{
	const struct source_file *file = &about->file;
	int rc = write_key(about, text);

	if (rc >= 0 && about->failed)
		rc = write_failure(about, text);
	else if (rc >= 0)
		rc = buf_addf(text, "match %s\nopened %02x:%02x %" PRIu64 "\nsize %" PRIu64
			      "\nmtime %" PRId64 "\nlinks %" PRIu64 "\n",
			      name_of(match_names, file->match), file->major, file->minor,
			      file->inode, file->size, file->mtime, file->links);
	if (rc >= 0)
		rc = write_looks(about, text);
	return rc < 0 ? rc : buf_add_str(text, "end\n");
}
