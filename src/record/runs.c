// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include "vmatlas/base/digits.h"

#define SLOT_STEP 0x20		/* the offset of a swap entry begins at bit 5 */
#define LINE_MAX_BYTES (DIGITS_MAX + 4 * 16 + 8)

/* Written from its end: "7f1c2a400+200 8180000000123400+1". */
static int runs_flush(struct runs *runs, struct error *error)
{
	char line[LINE_MAX_BYTES], *end = line + sizeof(line), *at = end;
	bool down = runs->step >> 63;

	if (!runs->count)
		return 0;
	if (runs->done)
		runs->done(runs->ctx, runs->word, runs->count, runs->step);
	*--at = '\n';
	if (runs->count > 1 && runs->step) {
		at = digits_put_hex(at, down ? -runs->step : runs->step);
		*--at = down ? '-' : '+';
	}
	at = digits_put_hex(at, runs->word);
	*--at = ' ';
	if (runs->count > 1) {
		at = digits_put_hex(at, runs->count);
		*--at = '+';
	}
	at = digits_put_hex(at, runs->first);
	runs->count = 0;
	return out_add(runs->out, at, (size_t)(end - at), error);
}

/* May the second word of a run be this one? */
static bool runs_step(struct runs *runs, uint64_t next)
{
	uint64_t word = runs->word, step = next - word;
	bool up, slots;

	runs->step = step;
	if (!step || !runs->steps)
		return !step;
	up = step == 1 || step == (uint64_t)-1;
	slots = step == SLOT_STEP || step == (uint64_t)-SLOT_STEP;
	if ((word | next) & PAGEMAP_PRESENT)
		return word & next & PAGEMAP_PRESENT && up;
	return word & next & PAGEMAP_SWAP && slots;
}

int runs_words(struct runs *runs, uint64_t first, const uint64_t *words, size_t count,
	       struct error *error)
{
	size_t i = 0;

	while (i < count) {
		bool follows = runs->count && runs->first + runs->count == first + i;
		uint64_t next;

		if (!words[i] && runs->skip_zero) {
			i++;
			continue;
		}
		if (follows && (runs->count > 1 || runs_step(runs, words[i]))) {
			size_t begin = i;

			next = runs->word + runs->step * runs->count;
			for (; i < count && words[i] == next; i++)
				next += runs->step;
			runs->count += i - begin;
			if (i > begin)
				continue;
		}
		if (runs_flush(runs, error) < 0)
			return -1;
		runs->first = first + i;
		runs->word = words[i++];
		runs->count = 1;
		runs->step = 0;
	}
	return 0;
}

int runs_same(struct runs *runs, uint64_t first, uint64_t count, uint64_t word,
	      struct error *error)
{
	bool follows = runs->count && runs->first + runs->count == first;

	if (!follows || runs->word != word || runs->step) {
		if (runs_flush(runs, error) < 0)
			return -1;
		runs->first = first;
		runs->word = word;
		runs->step = 0;
	}
	runs->count += count;
	return 0;
}

int runs_end(struct runs *runs, struct error *error)
{
	static const char end[] = "end\n";

	if (runs_flush(runs, error) < 0 || out_add(runs->out, end, sizeof(end) - 1, error) < 0)
		return -1;
	return out_end(runs->out, error);
}
