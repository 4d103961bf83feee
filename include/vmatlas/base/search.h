/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_SEARCH_H
#define VMATLAS_BASE_SEARCH_H

/*
 * Binary search: of `count` items in ascending order the index of the first that is not `below`,
 * an expression of the index `at`; `count` if all are.
 *
 *	first = SEARCH_FIRST(i, n, vmas[i].end <= address);
 */
#define SEARCH_FIRST(at, count, below)                           \
	({                                                       \
		__typeof__((count) + 0) at, low_ = 0, high_ = (count); \
                                                                 \
		while (low_ < high_) {                           \
			at = low_ + (high_ - low_) / 2;          \
			if (below)                               \
				low_ = at + 1;                   \
			else                                     \
				high_ = at;                      \
		}                                                \
		low_;                                            \
	})

#endif
