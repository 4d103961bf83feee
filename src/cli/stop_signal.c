// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <signal.h>
#include <sys/syscall.h>

#include "stop.h"
#include "vmatlas/parse/stat.h"
#include "vmatlas/parse/syscall.h"

/* The same on every architecture. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* So long all may take together until they stand still. */
#define SETTLE_US 1000000u
#define SETTLE_STEP_US 500u

int stop_send(const struct stop_process *process, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, process->pidfd, signal, NULL, 0);
}

char stop_state(const struct stop *stop, const struct stop_process *process)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;

	if (source_pid_text(stop->cli->source, process->pid, SOURCE_STAT, &text, NULL) < 0 ||
	    stat_parse(buf_span(&text), &stat, NULL) < 0 ||
	    stat.start_time != process->start_time)
		return 0;
	return stat.state;
}

static bool stands(char state)
{
	return state == 'T' || state == 't' || state == 'Z' || state == 'X';
}

/* Until its child ends or executes a program: in the kernel, where no signal but SIGKILL wakes it
 * up, and from where it stops before it runs (kernel/fork.c wait_for_vfork_done()). */
static bool waits_for_vfork(struct source_process *process, pid_t tid)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct syscall_line line;

	if (source_text(process, tid, SOURCE_SYSCALL, &text, NULL) < 0 ||
	    syscall_parse(buf_span(&text), &line, NULL) < 0)
		return false;
#ifdef SYS_vfork
	if (line.number == SYS_vfork)
		return true;
#endif
	return line.number == SYS_clone || line.number == SYS_clone3;
}

static bool thread_stands(struct source_process *process, pid_t tid)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;

	return source_text(process, tid, SOURCE_STAT, &text, NULL) < 0 ||
	       stat_parse(buf_span(&text), &stat, NULL) < 0 || stands(stat.state) ||
	       (stat.state == 'D' && waits_for_vfork(process, tid));
}

/* Each thread stops by itself. One that is gone stands still. */
static bool process_stands(const struct stop *stop, pid_t pid)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP_FREE pid_t *tids = NULL;
	size_t count = 0;

	if (source_process_open(stop->cli->source, pid, &process, NULL) < 0 ||
	    source_threads(process, &tids, &count, NULL) < 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (!thread_stands(process, tids[i]))
			return false;
	return true;
}

/* How many of these do not stand still before the end. */
static size_t settle(const struct stop *stop, size_t from, size_t to, uint64_t end)
{
	size_t late = 0;

	for (size_t i = from; i < to; i++) {
		pid_t pid = stop->set.items[i].pid;

		while (!process_stands(stop, pid) && report_clock_us() < end)
			usleep(SETTLE_STEP_US);
		late += report_clock_us() >= end && !process_stands(stop, pid);
	}
	return late;
}

size_t stop_settle(const struct stop *stop)
{
	return settle(stop, 0, stop->set.count, report_clock_us() + SETTLE_US);
}

/* One that waits for its child sees it stop only if it runs itself. */
void stop_all(const struct stop *stop)
{
	const struct stop_list *set = &stop->set;
	uint64_t end = report_clock_us() + SETTLE_US;
	size_t from = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i].depth != set->items[from].depth) {
			settle(stop, from, i, end);
			from = i;
		}
		stop_send(&set->items[i], SIGSTOP);
	}
}

/* The last first. How many of them stood still. */
static uint32_t continue_stopped(const struct stop *stop, const struct stop_list *list)
{
	uint32_t count = 0;

	for (size_t i = list->count; i-- > 0;) {
		if (stop_state(stop, &list->items[i]) != 'T')
			continue;
		stop_send(&list->items[i], SIGCONT);
		count++;
	}
	return count;
}

/*
 * A parent outside that stopped itself has had the whole reading to do so. If it was late, or what
 * one of them does makes another one stop, a later look finds it. What stops itself again and again
 * is left to itself.
 */
void stop_resume(const struct stop *stop, struct stop_end *end)
{
	static const unsigned looks_us[] = { 0, 500, 2000, 10000, 10000, 10000 };
	size_t enough = stop->outside.count ? 4 : 2;

	for (size_t i = stop->set.count; i-- > 0;)
		stop_send(&stop->set.items[i], SIGCONT);
	*end = (struct stop_end) { .end_us = report_clock_us() };
	for (size_t i = 0; i < enough; i++) {
		uint32_t again, outside;

		usleep(looks_us[i]);
		again = continue_stopped(stop, &stop->set);
		outside = continue_stopped(stop, &stop->outside);
		end->again += again;
		end->parents += outside;
		if ((again || outside) && enough < ARRAY_SIZE(looks_us))
			enough++;
	}
}
