// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/family.h"

uint64_t family_diverged(const struct family_pages *pages)
{
	return pages->here + pages->there + pages->both + pages->unknown;
}

void family_init(struct family *family)
{
	*family = (struct family) { NULL, 0, 0, GAP_NONE };
}

static void member_done(struct family_member *member)
{
	buf_done(&member->comm);
	free(member->vmas);
}

void family_done(struct family *family)
{
	for (size_t i = 0; i < family->count; i++)
		member_done(&family->members[i]);
	free(family->members);
	family_init(family);
}

int family_add(struct family *family, pid_t pid, enum family_relation relation,
	       struct error *error)
{
	if (array_grow((void **)&family->members, &family->cap, family->count,
		       sizeof(*family->members)) < 0)
		return error_nomem(error);
	family->members[family->count++] =
		(struct family_member) { .pid = pid, .relation = relation };
	return 0;
}

/* Each thread has its own list of the children that it made. */
static int add_children(struct process *process, struct family *family, struct error *error)
{
	CLEANUP_FREE pid_t *tids = NULL;
	struct error local = ERROR_INIT;
	size_t count = 0;

	if (source_threads(process->source, &tids, &count, &local) < 0)
		family->gap = gap_from_error(&local);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_done) struct buf text = BUF_INIT;
		struct span rest, word;
		uint64_t pid;

		if (source_text(process->source, tids[i], SOURCE_CHILDREN, &text, &local) < 0) {
			family->gap = gap_from_error(&local);
			continue;
		}
		rest = buf_span(&text);
		while (span_take_word(&rest, &word))
			if (span_take_dec(&word, &pid) && pid && pid <= INT32_MAX &&
			    family_add(family, (pid_t)pid, FAMILY_CHILD, error) < 0)
				return -ERROR_NOMEM;
	}
	return 0;
}

int family_load(struct process *process, struct family *family, struct error *error)
{
	int rc = 0;

	family_init(family);
	if (process->has_stat && process->stat.ppid > 0)
		rc = family_add(family, (pid_t)process->stat.ppid, FAMILY_PARENT, error);
	if (rc >= 0)
		rc = add_children(process, family, error);
	return rc < 0 ? rc : family_compare(process, family, error);
}
