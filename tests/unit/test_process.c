// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include <unistd.h>

#include "vmatlas/model/process.h"

static int marker = 42;

/* This process itself: its own data, stack and vDSO are where the compiler says. */
static void check_self(void)
{
	struct source CLEANUP(source_freep) *source = NULL;
	struct source_process CLEANUP(source_process_freep) *opened = NULL;
	struct process CLEANUP(process_freep) *process = NULL;
	struct error error = ERROR_INIT;
	uint64_t present, value[SMAPS_KEY_MAX];
	uint32_t vma, next;

	CHECK(source_live(&source, &error) == 0);
	CHECK(source_process_open(source, getpid(), &opened, &error) == 0);
	CHECK(process_load(opened, PROCESS_NEED_SMAPS | PROCESS_NEED_ELF, &process, &error) == 0);
	if (!process) {
		printf("%s: %s\n", error.item, error.text);
		exit(1);
	}
	vma = process_find(process, (uintptr_t)&marker, &next);
	CHECK(vma != VMA_NONE && next == vma + 1);
	CHECK(process->vmas[vma].perms == (VMA_READ | VMA_WRITE));
	CHECK(process->vmas[vma].segment != 0);
	CHECK(process->objects[process->vmas[vma].object].is_program);
	CHECK(vma_smaps(process, &process->vmas[vma], &present, value));
	CHECK_U64(value[SMAPS_SIZE], process->vmas[vma].end - process->vmas[vma].start);
	CHECK(value[SMAPS_RSS] >= process->page_size);
	vma = process_find(process, (uintptr_t)&error, &next);
	CHECK_SPAN(vma_name(process, &process->vmas[vma]), "[stack]");
	CHECK(process_find(process, 8, &next) == VMA_NONE && next == 0);
	for (size_t i = 0; i < process->object_count; i++)
		if (!strcmp(process->objects[i].name, "[vdso]"))
			CHECK(process->objects[i].elf && process->objects[i].bias_known);
}

int main(void)
{
	check_self();
	TEST_END;
}
