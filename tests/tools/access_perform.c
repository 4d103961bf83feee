// SPDX-License-Identifier: LGPL-2.1-or-later
/* The access itself, survived, and its measurement. */
#define _GNU_SOURCE
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "access.h"

#define KPF_IS_ZERO (UINT64_C(1) << 24)
#define PM_FILE (UINT64_C(1) << 61)
#define STACK_SIZE (32 * PAGE)

static sigjmp_buf back;
static volatile sig_atomic_t caught, caught_code;
static volatile uint64_t caught_addr, target;
static volatile bool monitored;
static uint64_t stack_start;

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	caught = number;
	caught_code = info->si_code;
	caught_addr = (uintptr_t)info->si_addr;
	siglongjmp(back, 1);
}

static void signals_catch(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL};
	stack_t stack = {.ss_sp = map_anon(STACK_SIZE / PAGE), .ss_size = STACK_SIZE};
	struct sigaction action = {.sa_sigaction = on_signal};

	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	memset(stack.ss_sp, 0, STACK_SIZE);
	if (sigaltstack(&stack, NULL))
		die("sigaltstack");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], &action, NULL))
			die("sigaction");
}

/* Lets the waiting access go on: the page is filled, or its protection goes away. */
static void monitor_answer(const struct uffd_msg *message)
{
	struct uffdio_range range = {message->arg.pagefault.address & ~(PAGE - 1), PAGE};
	struct uffdio_writeprotect open = {.range = range};
	struct uffdio_zeropage zero = {.range = range};

	if (message->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP)
		ioctl(uffd_descriptor, UFFDIO_WRITEPROTECT, &open);
	else
		ioctl(uffd_descriptor, UFFDIO_ZEROPAGE, &zero);
}

static void *monitor_run(void *arg)
{
	struct uffd_msg message;

	while (read(uffd_descriptor, &message, sizeof(message)) == sizeof(message)) {
		if (message.event != UFFD_EVENT_PAGEFAULT)
			continue;
		monitored = true;
		monitor_answer(&message);
	}
	return arg;
}

static uint64_t stack_vma(void)
{
	struct vma_line vma;

	return vma_named("[stack]", &vma) ? vma.start : 0;
}

/* rax is 0: a page of zeros, "add %al,(%rax)", ends at address 0 and not in the page. */
static void execute(uint64_t addr)
{
#ifdef __x86_64__
	__asm__ volatile("xor %%eax, %%eax\n\tcall *%0" : : "r"(addr)
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
			   "cc");
#else
	((void (*)(void))(uintptr_t)addr)();
#endif
}

static void touch(enum access access, uint64_t addr)
{
	volatile char *byte = (volatile char *)(uintptr_t)addr;

	if (access == ACCESS_READ)
		(void)*byte;
	else if (access == ACCESS_WRITE)
		*byte = (char)CODE;
	else
		execute(addr);
}

/*
 * A signal that is not about the page means that it was fetched and what it
 * holds was run: the access itself succeeded.
 */
static void measure(struct outcome *outcome)
{
	struct rusage before, after;

	memset(&after, 0, sizeof(after));
	caught = 0;
	target = outcome->addr;
	getrusage(RUSAGE_THREAD, &before);
	if (!sigsetjmp(back, 1))
		touch(outcome->access, outcome->addr);
	getrusage(RUSAGE_THREAD, &after);
	outcome->minor = after.ru_minflt - before.ru_minflt;
	outcome->major = after.ru_majflt - before.ru_majflt;
	if (caught == SIGILL || (outcome->access == ACCESS_EXEC && caught_code != SI_KERNEL &&
				 caught_addr / PAGE != target / PAGE))
		caught = 0;
	outcome->signal = caught;
	outcome->code = caught ? caught_code : 0;
}

/* The measurement once for nothing, so that nothing of its own faults later. */
static void rehearse(void)
{
	struct outcome nothing = {.addr = (uintptr_t)map_anon(1)};

	for (int i = 0; i < 2; i++) {
		nothing.access = ACCESS_WRITE;
		measure(&nothing);
		nothing.access = ACCESS_EXEC;
		measure(&nothing);
	}
	munmap((void *)(uintptr_t)nothing.addr, PAGE);
}

void access_prepare(struct outcome *outcome)
{
	struct vma_line vma;
	pthread_t id;

	signals_catch();
	if (uffd_descriptor >= 0 && pthread_create(&id, NULL, monitor_run, NULL))
		die("pthread_create");
	if (vma_at(outcome->addr, &vma))
		outcome->file_vma = vma.perms[3] == 'p' && strchr(vma.name, '/') &&
				    strncmp(vma.name, "/dev/zero", 9) &&
				    strncmp(vma.name, "/anon_hugepage", 14);
	stack_start = stack_vma();
	rehearse();
}

void access_perform(struct outcome *outcome)
{
	void *page = (void *)(uintptr_t)outcome->addr;

	outcome->frame_before = page_frame(page);
	outcome->flags_before = frame_flags(outcome->frame_before);
	measure(outcome);
	outcome->frame_after = page_frame(page);
	outcome->flags_after = frame_flags(outcome->frame_after);
	outcome->file_after = page_entry(page) & PM_FILE;
	outcome->monitor = monitored;
	outcome->grown = stack_vma() < stack_start;
}

static const char *effect_new_frame(const struct outcome *outcome)
{
	bool zero_before = outcome->flags_before & KPF_IS_ZERO;

	if (!outcome->frame_after)
		return "unknown";
	if (outcome->flags_after & KPF_IS_ZERO)
		return "zero";
	if (outcome->file_after)
		return "map";
	if (!outcome->frame_before)
		return outcome->file_vma ? "copy" : "allocate";
	return zero_before ? "allocate" : "copy";
}

const char *outcome_effect(const struct outcome *outcome)
{
	if (outcome->signal == SIGBUS)
		return "bus";
	if (outcome->signal)
		return outcome->code == SEGV_ACCERR ? "segv-access" : "segv-unmapped";
	if (outcome->monitor)
		return "monitor";
	if (outcome->grown)
		return "grow";
	if (outcome->major)
		return "read-in";
	if (outcome->frame_before != outcome->frame_after || !outcome->frame_after)
		return effect_new_frame(outcome);
	if (outcome->access == ACCESS_WRITE)
		return outcome->minor <= 1 ? "in-place" : "unknown";
	return outcome->minor ? "unknown" : "none";
}
