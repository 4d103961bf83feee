// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/status.h"

#include "text.h"

/* Mostly in the kernel's order: the key behind the one found last is tried first. */
const struct name status_key_names[] = {
	[STATUS_TGID] = { STATUS_TGID, "Tgid", "process ID" },
	[STATUS_PID] = { STATUS_PID, "Pid", "thread ID" },
	[STATUS_PPID] = { STATUS_PPID, "PPid", "parent" },
	[STATUS_NSTGID] = { STATUS_NSTGID, "NStgid", "process ID in its own PID namespace" },
	[STATUS_UID] = { STATUS_UID, "Uid", "real user ID" },
	[STATUS_GID] = { STATUS_GID, "Gid", "real group ID" },
	[STATUS_THREADS] = { STATUS_THREADS, "Threads", "threads" },
	[STATUS_VM_PEAK] = { STATUS_VM_PEAK, "VmPeak", "largest virtual size" },
	[STATUS_VM_SIZE] = { STATUS_VM_SIZE, "VmSize", "virtual size" },
	[STATUS_VM_LCK] = { STATUS_VM_LCK, "VmLck", "locked" },
	[STATUS_VM_PIN] = { STATUS_VM_PIN, "VmPin", "pinned" },
	[STATUS_VM_HWM] = { STATUS_VM_HWM, "VmHWM", "largest resident size" },
	[STATUS_VM_RSS] = { STATUS_VM_RSS, "VmRSS", "resident" },
	[STATUS_RSS_ANON] = { STATUS_RSS_ANON, "RssAnon", "resident anonymous" },
	[STATUS_RSS_FILE] = { STATUS_RSS_FILE, "RssFile", "resident file pages" },
	[STATUS_RSS_SHMEM] = { STATUS_RSS_SHMEM, "RssShmem", "resident shmem" },
	[STATUS_VM_DATA] = { STATUS_VM_DATA, "VmData", "private writable, not stack" },
	[STATUS_VM_STK] = { STATUS_VM_STK, "VmStk", "stack" },
	[STATUS_VM_EXE] = { STATUS_VM_EXE, "VmExe", "text of the program" },
	[STATUS_VM_LIB] = { STATUS_VM_LIB, "VmLib", "text of libraries" },
	[STATUS_VM_PTE] = { STATUS_VM_PTE, "VmPTE", "page tables" },
	[STATUS_VM_PMD] = { STATUS_VM_PMD, "VmPMD", "second-level page tables" },
	[STATUS_VM_SWAP] = { STATUS_VM_SWAP, "VmSwap", "swapped anonymous" },
	[STATUS_HUGETLB_PAGES] = { STATUS_HUGETLB_PAGES, "HugetlbPages", "hugetlb" },
	[STATUS_CORE_DUMPING] = { STATUS_CORE_DUMPING, "CoreDumping", "1 while dumping core" },
	[STATUS_THP_ENABLED] = { STATUS_THP_ENABLED, "THP_enabled", "0 if disabled by prctl" },
	[STATUS_KEY_MAX] = { 0, NULL, NULL }
};

/* "12\t345": the outermost number first, one per namespace. */
static bool last_number(struct span value, uint64_t *number)
{
	struct span word;
	uint64_t v = 0;
	bool any = false;

	while (span_take_word(&value, &word)) {
		if (!span_take_dec(&word, &v) || word.len)
			return false;
		any = true;
	}
	if (any)
		*number = v;
	return any;
}

/* Uid and Gid: real, effective, saved, file system. */
static bool first_number(struct span value, uint64_t *number)
{
	struct span word;

	return span_take_word(&value, &word) && text_number(word, number);
}

static bool second_number(struct span value, uint64_t *number)
{
	struct span word;

	return span_take_word(&value, &word) && first_number(value, number);
}

static bool key_value(enum status_key key, struct span value, uint64_t *number)
{
	switch (key) {
	case STATUS_NSTGID:
		return last_number(value, number);
	case STATUS_UID:
	case STATUS_GID:
		return first_number(value, number);
	default:
		return key >= STATUS_VM_PEAK && key <= STATUS_HUGETLB_PAGES ?
			text_size(value, number) : text_number(value, number);
	}
}

static void status_other(struct status *status, struct span key, struct span value)
{
	span_skip_blanks(&value);
	if (span_is(key, "Name"))
		status->name = value;
	else if (span_is(key, "State") && value.len)
		status->state = *value.ptr;
}

int status_parse(struct span text, struct status *status, struct error *error)
{
	struct status parsed = { 0 };
	struct span line, key;
	bool any = false;
	size_t guess = 0;

	while (text_take_line(&text, &line)) {
		int index;

		if (!text_take_key(&line, &key))
			continue;
		any = true;
		index = text_key_index(status_key_names, guess, STATUS_KEY_MAX, key);
		if (index < 0) {
			status_other(&parsed, key, line);
			continue;
		}
		guess = (size_t)index + 1;
		if (index == STATUS_UID && !second_number(line, &parsed.effective_uid))
			continue;
		if (key_value((enum status_key)index, line, &parsed.value[index]))
			parsed.present |= 1ULL << index;
	}
	if (!any)
		return error_set(error, ERROR_PARSE, "status",
				 "no line has the form \"Key: value\"");
	*status = parsed;
	return 0;
}

int status_add_comm(const struct status *status, struct buf *comm)
{
	struct span name = status->name;
	int rc = 0;

	while (name.len && rc >= 0) {
		rc = buf_add_span(comm, span_take_until(&name, '\\'));
		if (rc >= 0 && name.len > 1) {
			rc = buf_add_char(comm, name.ptr[1] == 'n' ? '\n' : name.ptr[1]);
			name = (struct span) { name.ptr + 2, name.len - 2 };
		} else if (rc >= 0 && span_take_char(&name, '\\')) {
			rc = buf_add_char(comm, '\\');
		}
	}
	return rc;
}
