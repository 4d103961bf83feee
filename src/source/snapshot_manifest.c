// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot.h"

#define FORMAT 1
#define HEAD "vmatlas-snapshot "
#define MANIFEST_BYTES (256u << 20)	/* a line for each of PID_MAX_LIMIT processes and more */

static int bad(struct error *error, const char *text)
{
	return error_set(error, ERROR_DAMAGED, "manifest", "%s", text);
}

/* Room in the record of the host; a NUL would cut it. */
static int set_name(char (*name)[65], struct span value, struct error *error)
{
	if (!value.len || value.len >= sizeof(*name) || memchr(value.ptr, '\0', value.len))
		return bad(error, "not a name of at most 64 bytes");
	memcpy(*name, value.ptr, value.len);
	(*name)[value.len] = '\0';
	return 0;
}

static int set_kernel(struct snapshot *snapshot, struct span value, struct error *error)
{
	return set_name(&snapshot->base.host.kernel, value, error);
}

static int set_machine(struct snapshot *snapshot, struct span value, struct error *error)
{
	return set_name(&snapshot->base.host.machine, value, error);
}

static bool take_digits(struct span *s, unsigned digits, int *value)
{
	*value = 0;
	for (unsigned i = 0; i < digits; i++) {
		if (!s->len || s->ptr[0] < '0' || s->ptr[0] > '9')
			return false;
		*value = *value * 10 + (s->ptr[0] - '0');
		*s = (struct span) { s->ptr + 1, s->len - 1 };
	}
	return true;
}

/* Days since 1970 in the Gregorian calendar, of a year that begins with March. timegm() would
 * read the time zone of this machine. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t from_march = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return 365 * y + y / 4 - y / 100 + y / 400 + from_march - 719468;
}

/* "2026-11-21T13:05:00Z" */
static int set_time(struct snapshot *snapshot, struct span value, struct error *error)
{
	int year, month, day, hour, minute, second;

	if (!take_digits(&value, 4, &year) || !span_take_char(&value, '-') ||
	    !take_digits(&value, 2, &month) || !span_take_char(&value, '-') ||
	    !take_digits(&value, 2, &day) || !span_take_char(&value, 'T') ||
	    !take_digits(&value, 2, &hour) || !span_take_char(&value, ':') ||
	    !take_digits(&value, 2, &minute) || !span_take_char(&value, ':') ||
	    !take_digits(&value, 2, &second) || !span_take_char(&value, 'Z') || value.len ||
	    !month || month > 12 || !day || day > 31 || hour > 23 || minute > 59 || second > 60)
		return bad(error, "not a time as 2026-11-21T13:05:00Z");
	snapshot->base.host.time = days_of(year, month, day) * 86400 + hour * 3600 +
				   minute * 60 + second;
	return 0;
}

#define BOOT_TIME_MAX (1ull << 40)	/* sums with it do not overflow */

static int set_boot_time(struct snapshot *snapshot, struct span value, struct error *error)
{
	uint64_t seconds;

	if (!span_take_dec(&value, &seconds) || value.len || seconds > BOOT_TIME_MAX)
		return bad(error, "not a time in seconds");
	snapshot->base.host.boot_time = (int64_t)seconds;
	return 0;
}

static int set_boot_id(struct snapshot *snapshot, struct span value, struct error *error)
{
	return set_name(&snapshot->base.host.boot_id, value, error);
}

/* From 1 KiB to 1 MiB, a power of two: what processors have. */
static int set_page_size(struct snapshot *snapshot, struct span value, struct error *error)
{
	uint64_t size;

	if (!span_take_dec(&value, &size) || value.len || size < 1024 || size > 1 << 20 ||
	    size & (size - 1))
		return bad(error, "not a page size");
	snapshot->base.host.page_size = (uint32_t)size;
	snapshot->base.host.page_size_known = true;
	return 0;
}

static int set_flag(bool *flag, struct span value, struct error *error)
{
	*flag = span_is(value, "yes");
	return *flag || span_is(value, "no") ? 0 : bad(error, "neither yes nor no");
}

static int set_frames(struct snapshot *snapshot, struct span value, struct error *error)
{
	return set_flag(&snapshot->base.host.frames_visible, value, error);
}

static int set_exclusive_mark(struct snapshot *snapshot, struct span value, struct error *error)
{
	return set_flag(&snapshot->exclusive_mark, value, error);
}

static int set_frames_end(struct snapshot *snapshot, struct span value, struct error *error)
{
	uint64_t end;

	if (!span_take_hex(&value, &end) || value.len || end > SNAPSHOT_FRAMES_MAX)
		return bad(error, "not a number of frames");
	snapshot->frames_end = end;
	return 0;
}

static bool take_pid(struct span *value, pid_t *pid)
{
	uint64_t number;

	if (!span_take_dec(value, &number) || !number || number > INT32_MAX)
		return false;
	*pid = (pid_t)number;
	return true;
}

/* "4242", or "4242 4250" where the files are those of thread 4250. */
static int add_process(struct snapshot *snapshot, struct span value, struct error *error)
{
	struct snapshot_member member;

	if (!take_pid(&value, &member.pid))
		return bad(error, "not a process id");
	member.tid = member.pid;
	if (span_take_char(&value, ' ') && !take_pid(&value, &member.tid))
		return bad(error, "not a thread id");
	if (value.len)
		return bad(error, "more than a process id and a thread id");
	if (snapshot->member_count &&
	    snapshot->members[snapshot->member_count - 1].pid >= member.pid)
		return bad(error, "process ids do not ascend");
	if (array_grow((void **)&snapshot->members, &snapshot->member_cap, snapshot->member_count,
		       sizeof(member)) < 0)
		return error_nomem(error);
	snapshot->members[snapshot->member_count++] = member;
	return 0;
}

static const struct manifest_key {
	const char *name;
	int (*set)(struct snapshot *snapshot, struct span value, struct error *error);
	bool required;
	bool repeated;
} keys[] = {
	{ "time", set_time, true, false },
	{ "boot_time", set_boot_time, false, false },
	{ "boot_id", set_boot_id, false, false },
	{ "kernel", set_kernel, false, false },
	{ "machine", set_machine, false, false },
	{ "page_size", set_page_size, true, false },
	{ "frames", set_frames, true, false },
	{ "frames_end", set_frames_end, false, false },
	{ "exclusive_mark", set_exclusive_mark, false, false },
	{ "process", add_process, false, true },
};

/* "kernel 6.12.9": a key that is not known is of no meaning here. */
static int manifest_line(struct snapshot *snapshot, struct span line, unsigned *seen,
			 struct error *error)
{
	struct span key = span_take_until(&line, ' ');

	if (!key.len || !span_take_char(&line, ' '))
		return bad(error, "not the form KEY VALUE");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!span_is(key, keys[i].name))
			continue;
		if (*seen & 1u << i && !keys[i].repeated)
			return bad(error, "a key that was there before");
		*seen |= 1u << i;
		return keys[i].set(snapshot, line, error);
	}
	return 0;
}

static int manifest_head(struct span line, struct error *error)
{
	uint64_t version;

	if (!span_starts(line, HEAD))
		return bad(error, "not a manifest of vmatlas");
	line = (struct span) { line.ptr + strlen(HEAD), line.len - strlen(HEAD) };
	if (!span_take_dec(&line, &version) || line.len || !version)
		return bad(error, "not a version of the format");
	if (version > FORMAT)
		return error_set(error, ERROR_DAMAGED, "manifest", "version %llu of the format is "
				 "newer than this program, which reads version %d",
				 (unsigned long long)version, FORMAT);
	return 0;
}

static int manifest_complete(unsigned seen, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].required && !(seen & 1u << i))
			return error_set(error, ERROR_DAMAGED, "manifest", "it lacks %s",
					 keys[i].name);
	return 0;
}

int snapshot_manifest_parse(struct snapshot *snapshot, struct span text, struct error *error)
{
	unsigned seen = 0;

	for (unsigned long number = 1; text.len || number == 1; number++) {
		struct span line = span_take_until(&text, '\n');
		int rc;

		if (!span_take_char(&text, '\n'))
			rc = bad(error, number == 1 ? "not a manifest of vmatlas" : "cut off");
		else if (number == 1)
			rc = manifest_head(line, error);
		else
			rc = manifest_line(snapshot, line, &seen, error);
		if (rc < 0 && error && error->code != ERROR_NOMEM)
			error->line = number;
		if (rc < 0)
			return rc;
	}
	return manifest_complete(seen, error);
}

int snapshot_manifest_load(struct snapshot *snapshot, struct error *error)
{
	CLEANUP(snapshot_file_done) struct snapshot_file file = SNAPSHOT_FILE_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int rc = snapshot_store_file(&snapshot->store, "manifest", &file, error);

	if (!rc)
		rc = snapshot_file_text(&snapshot->base, &file, "manifest", MANIFEST_BYTES, &text,
					error);
	if (!rc)
		rc = snapshot_manifest_parse(snapshot, buf_span(&text), error);
	snapshot->has_manifest = snapshot->base.texts_whole = !rc;
	return rc;
}
