// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/base/library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static const struct library *missing;

static bool functions_find(const struct library *library, void *handle)
{
	for (const struct library_function *f = library->functions; f->name; f++) {
		void *address = dlsym(handle, f->name);

		if (!address)
			return false;
		memcpy(f->pointer, &address, sizeof(address));
	}
	return true;
}

static void library_try(struct library *library)
{
	void *handle = dlopen(library->file, RTLD_LAZY | RTLD_LOCAL);

	if (handle && functions_find(library, handle)) {
		library->state = LIBRARY_LOADED;
		return;
	}
	if (handle)
		dlclose(handle);
	library->state = LIBRARY_MISSING;
	library->next_missing = missing;
	missing = library;
}

int library_load(struct library *library, struct error *error)
{
	if (library->state == LIBRARY_NOT_TRIED)
		library_try(library);
	if (library->state == LIBRARY_LOADED)
		return 0;
	return error_set(error, ERROR_NOT_FOUND, library->file,
			 "cannot be loaded, so %s: install the package %s", library->use,
			 library->package);
}

const struct library *library_missing(const struct library *previous)
{
	return previous ? previous->next_missing : missing;
}
