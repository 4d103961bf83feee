/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_ERROR_H
#define VMATLAS_BASE_ERROR_H

/*
 * The error record belongs to the caller and lives on its stack; a function that fails fills it
 * and returns a negative value. A NULL record is allowed and means "only the return value".
 * Text starts in lower case, has no full stop, and says what to do next where that is known.
 * `item` may hold bytes of a target (a path): whoever prints it escapes it.
 */
enum error_code {
	ERROR_NONE,
	ERROR_SYSTEM,		/* a system call failed; see errnum */
	ERROR_NOMEM,
	ERROR_PARSE,		/* text that does not have the documented form; see line */
	ERROR_DAMAGED,		/* a file contradicts itself (ELF, snapshot) */
	ERROR_DENIED,		/* the caller lacks a privilege */
	ERROR_GONE,		/* the process or file ended meanwhile */
	ERROR_NOT_FOUND,
	ERROR_NOT_IN_KERNEL,	/* this kernel does not offer it */
	ERROR_NOT_RECORDED,	/* the snapshot does not hold it */
	ERROR_CHANGED,		/* what was read contradicts what was read before */
	ERROR_LIMIT,		/* a bound of ours on work or memory was reached */
	ERROR_USAGE,
	ERROR_CODE_MAX
};

struct error {
	enum error_code code;
	int errnum;		/* errno, 0 if none */
	unsigned long line;	/* 1-based line of the parsed text, 0 if none */
	char item[256];		/* what it was about, cut if longer; may be empty */
	char text[256];		/* the reason, cut if longer */
};

#define ERROR_INIT { .code = ERROR_NONE }

/* The same for a record in a hot path, where clearing half a KiB shows. */
static inline void error_init(struct error *error)
{
	error->code = ERROR_NONE;
	error->errnum = 0;
	error->line = 0;
	error->item[0] = error->text[0] = '\0';
}

/* Fills the record (also when a former error is in it) and returns -code. */
int error_set(struct error *error, enum error_code code, const char *item, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for a failed system call: chooses the code from errnum (EACCES and EPERM are
 * ERROR_DENIED; ENOENT and ESRCH are ERROR_GONE; ENOMEM; ENOTTY, ENOSYS and EOPNOTSUPP are
 * ERROR_NOT_IN_KERNEL). `what` says what was tried: "open", "read". */
int error_errno(struct error *error, int errnum, const char *item, const char *what);

int error_nomem(struct error *error);

/* Forgets an expected failure. */
void error_clear(struct error *error);

#endif
