/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_COLUMNS_H
#define RENDER_COLUMNS_H

#include "vmatlas/render/report.h"

/* What all lists of columns are made with. Most columns are for people and in the JSON. */
#define BOTH (COLUMN_DEFAULT | COLUMN_JSON)
#define NUMBER (BOTH | COLUMN_RIGHT)

#define UNUSED __attribute__((unused))

/* Begins the function that struct column calls get(): `about` is the table's context, `data` the
 * row. The cell is null before. */
#define COLUMN_GETTER(function)                                                       \
	static void function(UNUSED const void *about, UNUSED const void *data,       \
			     struct cell *cell, UNUSED struct scratch *scratch)

/* A whole one: the cell becomes the value of `expression`, which may use `row`, the declaration
 * of a pointer to it, and scratch. */
#define COLUMN_VALUE(function, row, expression)                                       \
	COLUMN_GETTER(function)                                                       \
	{                                                                             \
		UNUSED row = data;                                                    \
                                                                                      \
		*cell = (expression);                                                 \
	}

/* The same with the context. */
#define COLUMN_VALUE_OF(function, context, row, expression)                           \
	COLUMN_GETTER(function)                                                       \
	{                                                                             \
		UNUSED context = about;                                               \
		UNUSED row = data;                                                    \
                                                                                      \
		*cell = (expression);                                                 \
	}

#endif
