// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/elf/debug_line.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "confined.h"
#include "symtab.h"
#include "vmatlas/base/library.h"

/* Loaded when a line is wanted: libdw, libelf and what they need take every other command a
 * third of a millisecond. */
#define FUNCTIONS(F) \
	F(elf_version) F(elf_begin) F(dwarf_begin_elf) F(dwarf_addrdie) F(dwarf_get_units) \
	F(dwarf_haspc) F(dwarf_getsrc_die) F(dwarf_linesrc) F(dwarf_lineno) F(dwarf_linecol)

LIBRARY_FUNCTIONS(FUNCTIONS);

static struct library library = {
	.file = "libdw.so.1",
	.package = "libdw1 (Debian, Ubuntu) or elfutils",
	.use = "lines of the source are not shown",
	.functions = functions,
};

static const struct confined_limits line_limits = {
	.memory = 512u << 20, .seconds = 5, .output = 4u << 20, .no_files = true,
};

struct line_job {
	int fd;
	const uint64_t *addresses;
	size_t count;
};

/* One answer on its way from the child; the file's name follows. */
struct line_record {
	uint32_t line;
	uint32_t column;
	uint32_t name_len;	/* 0: not known */
};

/* The unit that holds the address: by .debug_aranges, else by asking each. */
static Dwarf_Die *unit_of(Dwarf *dwarf, uint64_t address, Dwarf_Die *die)
{
	Dwarf_CU *unit = NULL;

	if (lib.dwarf_addrdie(dwarf, address, die))
		return die;
	while (!lib.dwarf_get_units(dwarf, unit, &unit, NULL, NULL, die, NULL))
		if (lib.dwarf_haspc(die, address) > 0)
			return die;
	return NULL;
}

static void answer(Dwarf *dwarf, uint64_t address, int out)
{
	struct line_record record = { 0 };
	const char *name = NULL;
	Dwarf_Die unit;
	Dwarf_Line *line = NULL;
	int number = 0, column = 0;

	if (dwarf && unit_of(dwarf, address, &unit))
		line = lib.dwarf_getsrc_die(&unit, address);
	if (line) {
		name = lib.dwarf_linesrc(line, NULL, NULL);
		lib.dwarf_lineno(line, &number);
		lib.dwarf_linecol(line, &column);
	}
	if (name) {
		record.line = number > 0 ? (uint32_t)number : 0;
		record.column = column > 0 ? (uint32_t)column : 0;
		record.name_len = (uint32_t)strnlen(name, PATH_MAX);
	}
	confined_write(out, &record, sizeof(record));
	confined_write(out, name, record.name_len);
}

static void find_all(void *ctx, int out)
{
	const struct line_job *job = ctx;
	Dwarf *dwarf = NULL;
	Elf *elf;
	size_t i;

	lib.elf_version(EV_CURRENT);
	elf = lib.elf_begin(job->fd, ELF_C_READ, NULL);	/* pread, no mapping */
	if (elf)
		dwarf = lib.dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	for (i = 0; i < job->count; i++)
		answer(dwarf, job->addresses[i], out);
}

static int take_answers(const struct buf *text, struct elf_line *lines, size_t count)
{
	struct line_record record;
	size_t at = 0, i;

	for (i = 0; i < count && text->len - at >= sizeof(record); i++) {
		memcpy(&record, text->data + at, sizeof(record));
		at += sizeof(record);
		if (text->len - at < record.name_len)
			break;
		if (record.name_len) {
			lines[i].file = strndup(text->data + at, record.name_len);
			if (!lines[i].file)
				return -ERROR_NOMEM;
			lines[i].line = record.line;
			lines[i].column = record.column;
		}
		at += record.name_len;
	}
	return 0;
}

static bool has_lines(const struct elf_image *image)
{
	return elf_image_section_named(image, ".debug_line") ||
	       elf_image_section_named(image, ".zdebug_line");
}

static int find_in(const struct source_file *file, const uint64_t *addresses, size_t count,
		   struct elf_line *lines, bool *damaged, struct error *error)
{
	struct line_job job = { file->fd, addresses, count };
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int ret;

	if (file->fd < 0)
		return error_set(error, ERROR_NOT_RECORDED, NULL,
				 "the snapshot does not hold source lines");
	ret = library_load(&library, error);	/* here: the child can open nothing */
	if (ret == 0)
		ret = confined_run(find_all, &job, &line_limits, &text, error);
	if (ret < 0 && ret != -ERROR_DAMAGED)
		return ret;
	*damaged = ret < 0;
	error_clear(error);
	if (take_answers(&text, lines, count) < 0) {
		elf_lines_done(lines, count);
		return error_nomem(error);
	}
	return 0;
}

int elf_lines_find(const struct elf_image *image, const struct source_file *own, const char *path,
		   const struct elf_opener *opener, const uint64_t *addresses, size_t count,
		   struct elf_line *lines, bool *damaged, struct error *error)
{
	struct debug_file file = { NULL, NULL };
	int ret = 0;

	if (count > ELF_LINES_MAX)
		return error_set(error, ERROR_LIMIT, NULL, "too many addresses at once");
	memset(lines, 0, count * sizeof(*lines));
	*damaged = false;
	if (has_lines(image))
		return own ? find_in(own, addresses, count, lines, damaged, error) : 0;
	if (!opener || debug_file_open(image, path, opener, &file, NULL) < 0)
		return 0;
	if (has_lines(file.image))
		ret = find_in(file.file, addresses, count, lines, damaged, error);
	debug_file_done(&file);
	return ret;
}

void elf_lines_done(struct elf_line *lines, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(lines[i].file);
		lines[i] = (struct elf_line) { NULL, 0, 0 };
	}
}
