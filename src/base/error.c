// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void error_fill(struct error *error, enum error_code code, const char *item)
{
	*error = (struct error) { .code = code };
	if (item)
		snprintf(error->item, sizeof(error->item), "%s", item);
}

int error_set(struct error *error, enum error_code code, const char *item, const char *fmt, ...)
{
	va_list args;

	if (error) {
		error_fill(error, code, item);
		va_start(args, fmt);
		vsnprintf(error->text, sizeof(error->text), fmt, args);
		va_end(args);
	}
	return -(int)code;
}

static enum error_code error_code_of(int errnum)
{
	switch (errnum) {
	case EACCES:
	case EPERM:
		return ERROR_DENIED;
	case ENOENT:
	case ESRCH:
		return ERROR_GONE;
	case ENOMEM:
		return ERROR_NOMEM;
	case ENOTTY:
	case ENOSYS:
	case EOPNOTSUPP:
		return ERROR_NOT_IN_KERNEL;
	default:
		return ERROR_SYSTEM;
	}
}

int error_errno(struct error *error, int errnum, const char *item, const char *what)
{
	enum error_code code = error_code_of(errnum);

	if (error) {
		error_fill(error, code, item);
		error->errnum = errnum;
		snprintf(error->text, sizeof(error->text), "%s failed: %s", what,
			 strerror(errnum));
	}
	return -(int)code;
}

int error_nomem(struct error *error)
{
	return error_set(error, ERROR_NOMEM, NULL, "out of memory");
}

void error_clear(struct error *error)
{
	if (error)
		*error = (struct error)ERROR_INIT;
}
