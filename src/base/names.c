// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/base/names.h"

#include "vmatlas/base/error.h"

const char *name_of(const struct name *table, uint64_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}

const char *name_meaning(const struct name *table, uint64_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->meaning;
	return NULL;
}

int name_value(const struct name *table, struct span name, uint64_t *value)
{
	for (; table->name; table++)
		if (span_is(name, table->name)) {
			*value = table->value;
			return 0;
		}
	return -ERROR_NOT_FOUND;
}

static int add_separated(struct buf *buf, size_t begin, const char *sep)
{
	return buf->len > begin ? buf_add_str(buf, sep) : 0;
}

int names_add_bits(struct buf *buf, const struct name *table, uint64_t bits, const char *sep)
{
	size_t begin = buf->len;

	for (; bits && table->name; table++) {
		if (!table->value || (bits & table->value) != table->value)
			continue;
		bits &= ~table->value;
		if (add_separated(buf, begin, sep) < 0 || buf_add_str(buf, table->name) < 0)
			return -ERROR_NOMEM;
	}
	if (!bits)
		return 0;
	if (add_separated(buf, begin, sep) < 0 || buf_add_str(buf, "0x") < 0)
		return -ERROR_NOMEM;
	return buf_add_hex(buf, bits, 1);
}
