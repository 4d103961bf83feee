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

/* The folder below the mounts: of v1 the controllers or one of them, of v2 "unified" if any. */
static bool is_folder_of(struct span folder, const struct cgroup_line *line)
{
	struct span rest = line->controllers;

	if (!line->hierarchy)
		return span_is(folder, "unified");
	if (span_starts(rest, "name="))
		rest = (struct span) { rest.ptr + 5, rest.len - 5 };
	if (span_equal(folder, rest))
		return true;
	while (rest.len) {
		if (span_equal(folder, span_take_until(&rest, ',')))
			return true;
		span_take_char(&rest, ',');
	}
	return false;
}

/* "/sys/fs/cgroup/system.slice" names the group "/system.slice", in v1
 * "/sys/fs/cgroup/memory/system.slice" does; NULL: one of another hierarchy. */
static const char *without_mount(const struct cgroup_line *line, const char *pattern)
{
	static const char mount[] = "/sys/fs/cgroup";
	size_t len = sizeof(mount) - 1;
	struct span rest = span_of(pattern);
	struct span folder;

	if (strncmp(pattern, mount, len) || (pattern[len] && pattern[len] != '/'))
		return pattern;
	rest = (struct span) { pattern + len, rest.len - len };
	if (!span_take_char(&rest, '/'))
		return "/";
	folder = span_take_until(&rest, '/');
	if (is_folder_of(folder, line))
		return rest.len ? rest.ptr : "/";
	return line->hierarchy ? NULL : pattern + len;
}

/* The pattern as it is first: systemd writes \x2d into names, which a pattern would eat. */
static bool matches_at(const char *path, const char *pattern, size_t len)
{
	if (!strncmp(path, pattern, len) && (!path[len] || path[len] == '/'))
		return true;
	return !fnmatch(pattern, path, FNM_PATHNAME | FNM_LEADING_DIR);
}

bool cgroup_matches(const struct cgroup_line *line, const char *pattern)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT, wanted = BUF_INIT;
	const char *at;

	pattern = without_mount(line, pattern);
	if (!pattern || buf_add_span(&text, line->path) < 0 ||
	    buf_add_str(&wanted, pattern) < 0)
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
