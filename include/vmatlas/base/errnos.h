/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_ERRNOS_H
#define VMATLAS_BASE_ERRNOS_H

#include "vmatlas/base/error.h"
#include "vmatlas/base/names.h"

/*
 * How a snapshot writes down why something could not be read: the name of an errno, since
 * numbers differ between architectures. vmatlas-snapshot(5) lists what each means.
 */
extern const struct name errno_names[];		/* "EACCES"; the common ones of errno.h */

/* The errno that stands for a failure: its own if that means the same, else the one that does.
 * ENODATA where nothing was recorded, EIO where nothing better fits; never 0. */
int errno_of_error(const struct error *error);
/* What a recorded errno means. errno_of_error() gives it back for that code and errno. */
enum error_code errno_error_code(int errnum);

#endif
