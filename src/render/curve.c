// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "curve.h"

/* Joins neighbours, so that there is room for as many again. */
static void halve(struct watch_curve *curve)
{
	for (size_t i = 0; i < WATCH_POINTS / 2; i++) {
		uint64_t a = curve->points[2 * i], b = curve->points[2 * i + 1];

		curve->points[i] = a > b ? a : b;
	}
	curve->count = WATCH_POINTS / 2;
	curve->span *= 2;
}

static void add_point(struct watch_curve *curve, uint64_t value)
{
	uint64_t *last;

	if (!curve->span)
		curve->span = 1;
	if (!curve->count || curve->filled == curve->span) {
		if (curve->count == WATCH_POINTS)
			halve(curve);
		curve->points[curve->count++] = value;
		curve->filled = 1;
		return;
	}
	last = &curve->points[curve->count - 1];
	*last = value > *last ? value : *last;
	curve->filled++;
}

void watch_curve_add(struct watch_curve *curve, uint64_t value)
{
	if (!curve->samples)
		curve->first = curve->least = curve->most = value;
	curve->least = value < curve->least ? value : curve->least;
	curve->most = value > curve->most ? value : curve->most;
	curve->last = value;
	curve->recent[curve->samples++ % ARRAY_SIZE(curve->recent)] = value;
	add_point(curve, value);
}

/* Eight heights each. */
static const char *const blocks[] = {
	"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588",
};
static const char *const ascii[] = { "_", ".", ":", "-", "=", "+", "*", "#" };

void curve_add_points(struct buf *text, const uint64_t *values, size_t count)
{
	const char *const *marks = escape_is_utf8() ? blocks : ascii;
	uint64_t least = UINT64_MAX, most = 0;

	for (size_t i = 0; i < count; i++) {
		least = values[i] < least ? values[i] : least;
		most = values[i] > most ? values[i] : most;
	}
	for (size_t i = 0; i < count; i++) {
		double part = most > least ? (double)(values[i] - least) / (double)(most - least) :
					     0;

		buf_add_str(text, marks[(size_t)(part * 7 + 0.5)]);
	}
}

void curve_add_recent(struct buf *text, const struct watch_curve *curve)
{
	uint64_t values[ARRAY_SIZE(curve->recent)];
	size_t most = ARRAY_SIZE(curve->recent);
	size_t count = curve->samples < most ? curve->samples : most;

	for (size_t i = 0; i < count; i++)
		values[i] = curve->recent[(curve->samples - count + i) % most];
	curve_add_points(text, values, count);
}
