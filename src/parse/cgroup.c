// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/parse/cgroup.h"

#include <fnmatch.h>

#include "text.h"
#include "vmatlas/base/buf.h"
#include "vmatlas/base/cleanup.h"

#define DELETED " (deleted)"

bool cgroup_take_line(struct span *text, struct cgroup_line *line)
{
	struct span rest;

	while (text_take_line(text, &rest)) {
		struct cgroup_line parsed = { 0 };

		if (!span_take_dec(&rest, &parsed.hierarchy) || !span_take_char(&rest, ':'))
			continue;
		parsed.controllers = span_take_until(&rest, ':');
		if (!span_take_char(&rest, ':') || !span_starts(rest, "/"))
			continue;
		parsed.deleted = span_ends(rest, DELETED);
		if (parsed.deleted)
			rest.len -= sizeof(DELETED) - 1;
		parsed.path = rest;
		*line = parsed;
		return true;
	}
	return false;
}

static bool controls_memory(struct span controllers)
{
	while (controllers.len) {
		if (span_is(span_take_until(&controllers, ','), "memory"))
			return true;
		span_take_char(&controllers, ',');
	}
	return false;
}

bool cgroup_of_memory(struct span text, struct cgroup_line *line)
{
	struct cgroup_line one, best;
	bool found = false;

	while (cgroup_take_line(&text, &one)) {
		bool memory = controls_memory(one.controllers);

		/* Where both exist v1 is often mounted and not used. */
		if (!memory && one.hierarchy)
			continue;
		if (!found || (memory ? one.path.len > 1 : best.path.len <= 1))
			best = one;
		found = true;
	}
	if (found)
		*line = best;
	return found;
}

/* "/sys/fs/cgroup/system.slice" names the same group as "/system.slice". In v1 the folder of the
 * controllers stands in between; it is left to the caller. */
static const char *without_mount(const char *pattern)
{
	static const char mount[] = "/sys/fs/cgroup";
	size_t len = sizeof(mount) - 1;

	if (strncmp(pattern, mount, len) || (pattern[len] && pattern[len] != '/'))
		return pattern;
	return pattern[len] ? pattern + len : "/";
}

/* The pattern as it is first: systemd writes \x2d into names, which a pattern would eat. */
static bool matches_at(const char *path, const char *pattern, size_t len)
{
	if (!strncmp(path, pattern, len) && (!path[len] || path[len] == '/'))
		return true;
	return !fnmatch(pattern, path, FNM_PATHNAME | FNM_LEADING_DIR);
}

bool cgroup_matches(struct span path, const char *pattern)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT, wanted = BUF_INIT;
	const char *at;

	pattern = without_mount(pattern);
	if (buf_add_span(&text, path) < 0 || buf_add_str(&wanted, pattern) < 0)
		return false;
	while (wanted.len && wanted.data[wanted.len - 1] == '/')
		wanted.data[--wanted.len] = '\0';
	if (!wanted.len)
		return *pattern == '/';
	if (strchr(wanted.data, '/'))
		return matches_at(buf_str(&text), wanted.data, wanted.len);
	for (at = strchr(buf_str(&text), '/'); at; at = strchr(at + 1, '/'))
		if (matches_at(at + 1, wanted.data, wanted.len))
			return true;
	return false;
}
