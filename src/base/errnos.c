// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/base/errnos.h"

#include <errno.h>
#include <stddef.h>

#define NAME(number) { number, #number, "" }

const struct name errno_names[] = {
	NAME(EPERM), NAME(ENOENT), NAME(ESRCH), NAME(EINTR), NAME(EIO), NAME(ENXIO), NAME(E2BIG),
	NAME(ENOEXEC), NAME(EBADF), NAME(ECHILD), NAME(EAGAIN), NAME(ENOMEM), NAME(EACCES),
	NAME(EFAULT), NAME(EBUSY), NAME(EEXIST), NAME(EXDEV), NAME(ENODEV), NAME(ENOTDIR),
	NAME(EISDIR), NAME(EINVAL), NAME(ENFILE), NAME(EMFILE), NAME(ENOTTY), NAME(ETXTBSY),
	NAME(EFBIG), NAME(ENOSPC), NAME(ESPIPE), NAME(EROFS), NAME(EMLINK), NAME(EPIPE), NAME(EDOM),
	NAME(ERANGE), NAME(EDEADLK), NAME(ENAMETOOLONG), NAME(ENOSYS), NAME(ELOOP), NAME(ENODATA),
	NAME(ETIME), NAME(EOVERFLOW), NAME(EBADMSG), NAME(EPROTO), NAME(EOPNOTSUPP), NAME(ESTALE),
	NAME(EDQUOT), NAME(ECANCELED), NAME(ETIMEDOUT), NAME(ENOTCONN), NAME(EHOSTDOWN),
	NAME(EREMOTEIO),
	{ 0, NULL, NULL }
};

/* The first one of each code stands for it where there is no errno. */
static const struct {
	int errnum;
	enum error_code code;
} meanings[] = {
	{ EACCES, ERROR_DENIED },
	{ EPERM, ERROR_DENIED },
	{ ESRCH, ERROR_GONE },
	{ ENOENT, ERROR_NOT_FOUND },
	{ ENOSYS, ERROR_NOT_IN_KERNEL },
	{ ENOTTY, ERROR_NOT_IN_KERNEL },
	{ EOPNOTSUPP, ERROR_NOT_IN_KERNEL },
	{ ENODATA, ERROR_NOT_RECORDED },
	{ ESTALE, ERROR_CHANGED },
	{ EFBIG, ERROR_LIMIT },
	{ ENOMEM, ERROR_NOMEM },
	{ EBADMSG, ERROR_DAMAGED },
	{ EPROTO, ERROR_PARSE },
	{ EINVAL, ERROR_USAGE },
};

#define MEANINGS (sizeof(meanings) / sizeof(meanings[0]))

enum error_code errno_error_code(int errnum)
{
	for (size_t i = 0; i < MEANINGS; i++)
		if (meanings[i].errnum == errnum)
			return meanings[i].code;
	return ERROR_SYSTEM;
}

int errno_of_error(const struct error *error)
{
	if (error->errnum && errno_error_code(error->errnum) == error->code)
		return error->errnum;
	for (size_t i = 0; i < MEANINGS; i++)
		if (meanings[i].code == error->code)
			return meanings[i].errnum;
	return error->errnum ? error->errnum : EIO;
}
