// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/sysv_shm.h"

#include "text.h"

#define SHM_DEST 01000	/* include/linux/shm.h, in the mode, which is octal */

static bool take_octal(struct span *line, uint64_t *value)
{
	struct span word;

	if (!span_take_word(line, &word) || word.len > 10)
		return false;
	*value = 0;
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] < '0' || word.ptr[i] > '7')
			return false;
		*value = *value << 3 | (uint64_t)(word.ptr[i] - '0');
	}
	return true;
}

static bool take_number(struct span *line, uint64_t *value)
{
	struct span word;

	return span_take_word(line, &word) && span_take_dec(&word, value) && !word.len;
}

static bool sysv_shm_parse(struct span line, struct sysv_shm_line *parsed)
{
	struct span key;
	uint64_t mode, pid;

	if (!span_take_word(&line, &key) || !take_number(&line, &parsed->id) ||
	    !take_octal(&line, &mode) || !take_number(&line, &parsed->size) ||
	    !take_number(&line, &pid) || !take_number(&line, &pid) ||
	    !take_number(&line, &parsed->attached))
		return false;
	parsed->destroyed = mode & SHM_DEST;
	return true;
}

bool sysv_shm_take_line(struct span *text, struct sysv_shm_line *line)
{
	struct sysv_shm_line parsed;
	struct span one;

	while (text_take_line(text, &one))
		if (sysv_shm_parse(one, &parsed)) {
			*line = parsed;
			return true;
		}
	return false;
}
