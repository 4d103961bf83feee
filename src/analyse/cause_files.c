// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <stdlib.h>
#include <string.h>

static int compare_files(const void *a, const void *b)
{
	const struct cause_file *x = *(struct cause_file *const *)a;
	const struct cause_file *y = *(struct cause_file *const *)b;

	if (x->copied + x->swapped != y->copied + y->swapped)
		return x->copied + x->swapped > y->copied + y->swapped ? -1 : 1;
	if (x->resident != y->resident)
		return x->resident > y->resident ? -1 : 1;
	return x->object < y->object ? -1 : x->object > y->object;
}

/* All names in one go: each call of the demangler is a child process. */
struct batch {
	const char *names[ELF_DEMANGLE_BATCH_MAX];
	struct cause_symbol *symbols[ELF_DEMANGLE_BATCH_MAX];
	char *out[ELF_DEMANGLE_BATCH_MAX];
	size_t count;
};

static void batch_add(struct batch *batch, struct cause_sums *sums)
{
	for (int i = 0; i < CAUSE_MAX; i++)
		for (size_t k = 0; k < sums->sum[i].symbol_count; k++) {
			struct cause_symbol *symbol = &sums->sum[i].symbols[k];

			if (batch->count == ELF_DEMANGLE_BATCH_MAX ||
			    strncmp(symbol->name, "_Z", 2) || symbol->demangled)
				continue;
			batch->names[batch->count] = symbol->name;
			batch->symbols[batch->count++] = symbol;
		}
}

/* Without a demangler names stay as they are. */
static int demangle_all(struct causes *causes)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	int rc = 0;

	if (!batch)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < causes->file_count; i++)
		batch_add(batch, &causes->sorted[i]->sums);
	if (batch->count)
		rc = elf_demangle(batch->names, batch->count, batch->out, NULL);
	for (size_t i = 0; i < batch->count && rc >= 0; i++)
		batch->symbols[i]->demangled = batch->out[i];
	free(batch);
	return rc == -ERROR_NOMEM ? rc : 0;
}

int causes_files(struct causes *causes, struct cause_file *const **files, size_t *count)
{
	size_t objects = causes->process->object_count;
	int rc = 0;

	if (!causes->sorted) {
		causes->sorted = calloc(objects + 1, sizeof(struct cause_file *));
		if (!causes->sorted)
			return -ERROR_NOMEM;
		for (size_t i = 0; i < objects; i++)
			if (causes->files[i] && (causes->files[i]->resident ||
						 causes->files[i]->swapped ||
						 causes->files[i]->bss))
				causes->sorted[causes->file_count++] = causes->files[i];
		qsort(causes->sorted, causes->file_count, sizeof(struct cause_file *),
		      compare_files);
		rc = demangle_all(causes);
	}
	*files = causes->sorted;
	*count = causes->file_count;
	return rc;
}
