/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_SYSCALL_H
#define VMATLAS_PARSE_SYSCALL_H

#include <stdint.h>

#include "vmatlas/base/error.h"
#include "vmatlas/base/span.h"

/*
 * /proc/PID/task/TID/syscall (fs/proc/base.c proc_pid_syscall): the number (-1: blocked outside
 * a system call), six arguments unless -1, stack pointer, program counter. A thread that is not
 * blocked prints "running" and has neither: ERROR_CHANGED.
 * 202 0x7f80 0x189 0x0 0x0 0x0 0xffffffff 0x7f7fd1bff8f0 0x7f7fd24a9f16
 */
struct syscall_line {
	int64_t number;
	uint64_t sp;
	uint64_t pc;
};

int syscall_parse(struct span text, struct syscall_line *out, struct error *error);

#endif
