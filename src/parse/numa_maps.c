// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/numa_maps.h"

/* "prefer (many)" is the one policy with a space in its name (mm/mempolicy.c policy_modes). */
static bool take_policy(struct span *line, struct span *policy)
{
	struct span rest, word;

	if (!span_take_word(line, policy))
		return false;
	rest = *line;
	if (span_take_word(&rest, &word) && span_starts(word, "(")) {
		policy->len = (size_t)(word.ptr + word.len - policy->ptr);
		*line = rest;
	}
	return true;
}

static void add_node(struct numa_line *out, uint64_t node, uint64_t pages)
{
	if (node >= NUMA_NODES_MAX) {
		out->other += pages;
		return;
	}
	out->nodes |= 1ULL << node;
	out->pages[node] += pages;
}

/* "N0=2" and "kernelpagesize_kB=4"; all other words (anon=3 file=/x heap) are passed over. In
 * file names the kernel escapes blanks and "=" (fs/proc/task_mmu.c show_numa_map). */
static bool add_word(struct numa_line *out, struct span word)
{
	static const char page_size[] = "kernelpagesize_kB=";
	struct span rest = word;
	uint64_t node, value;

	if (span_starts(word, page_size)) {
		rest.ptr += sizeof(page_size) - 1;
		rest.len -= sizeof(page_size) - 1;
		return span_take_dec(&rest, &out->page_kb) && !rest.len;
	}
	if (!span_take_char(&rest, 'N') || !span_take_dec(&rest, &node))
		return true;
	if (!span_take_char(&rest, '=') || !span_take_dec(&rest, &value) || rest.len)
		return false;
	add_node(out, node, value);
	return true;
}

int numa_parse_line(struct span line, struct numa_line *out, struct error *error)
{
	struct numa_line parsed = { 0 };
	struct span word;

	if (!span_take_hex(&line, &parsed.start) || !span_take_char(&line, ' ') ||
	    !take_policy(&line, &parsed.policy))
		return error_set(error, ERROR_PARSE, NULL, "numa_maps line has no policy");
	while (span_take_word(&line, &word))
		if (!add_word(&parsed, word))
			return error_set(error, ERROR_PARSE, NULL,
					 "numa_maps line has a count that is no number");
	*out = parsed;
	return 0;
}
