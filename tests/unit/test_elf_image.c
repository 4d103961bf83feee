// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE 1

#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_writer.h"
#include "test.h"
#include "vmatlas/elf/symbols.h"

#define PAGE 0x1000

static const char names[] = "\0.text\0.data\0.tbss\0.shstrtab";

static const struct elf_segment segments[] = {
	{ PT_LOAD, PF_R | PF_X, 0, 0, 0, 0x900, 0x900, PAGE },
	{ PT_LOAD, PF_R | PF_W, 0xa00, 0x1a00, 0x1a00, 0x600, 0x2600, PAGE },
	{ PT_INTERP, PF_R, 0x780, 0x780, 0x780, 8, 8, 1 },
	{ PT_NOTE, PF_R, 0x790, 0x790, 0x790, 0x18, 0x18, 4 },
	{ PT_GNU_RELRO, PF_R, 0xa00, 0x1a00, 0x1a00, 0x600, 0x700, 1 },
	{ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 },
};

static const struct elf_section sections[] = {
	{ .type = SHT_NULL },
	{ .type = SHT_PROGBITS, .flags = SHF_ALLOC, .addr = 0x800, .offset = 0x800, .size = 0x100 },
	{ .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_WRITE, .addr = 0x1a00, .offset = 0xa00,
	  .size = 0x600 },
	{ .type = SHT_NOBITS, .flags = SHF_ALLOC | SHF_TLS, .addr = 0x1a00, .offset = 0xa00,
	  .size = 0x80 },
	{ .type = SHT_STRTAB, .offset = 0x1000, .size = sizeof(names) },
};

static const uint32_t name_offsets[] = { 0, 1, 7, 13, 19 };

/* One file with everything the image has to find; shnum 0 puts the counts into section 0. */
static void write_file(struct elf_writer *w, uint16_t machine, bool counts_in_section0)
{
	struct elf_section null = sections[0];
	size_t i;

	if (counts_in_section0)
		null = (struct elf_section) { .size = ARRAY_SIZE(sections), .link = 4,
					      .info = ARRAY_SIZE(segments) };
	elf_put_header(w, ET_DYN, machine, 0x100, counts_in_section0 ? PN_XNUM :
		       ARRAY_SIZE(segments), 0x400, counts_in_section0 ? 0 : ARRAY_SIZE(sections),
		       counts_in_section0 ? SHN_XINDEX : 4);
	elf_pad(w, 0x100);
	for (i = 0; i < ARRAY_SIZE(segments); i++)
		elf_put_segment(w, &segments[i]);
	elf_pad(w, 0x400);
	elf_put_section(w, 0, &null);
	for (i = 1; i < ARRAY_SIZE(sections); i++)
		elf_put_section(w, name_offsets[i], &sections[i]);
	elf_pad(w, 0x780);
	buf_add(&w->bytes, "/ld.so\0", 8);
	elf_pad(w, 0x790);
	elf_put(w, 4, 4);
	elf_put(w, 8, 4);
	elf_put(w, NT_GNU_BUILD_ID, 4);
	buf_add(&w->bytes, "GNU\0\x01\x02\x03\x04\x05\x06\x07\x08", 12);
	elf_pad(w, 0x1000);
	buf_add(&w->bytes, names, sizeof(names));
}

static struct elf_image *open_buf(struct buf *bytes)
{
	struct elf_reader reader = { elf_read_buf, bytes, bytes->len };
	struct elf_image *image = NULL;
	struct error error = ERROR_INIT;

	if (elf_image_open(&reader, &image, &error) < 0)
		printf("open: %s\n", error.text);
	return image;
}

static void check_lookups(const struct elf_image *image)
{
	uint64_t offset = 0, available = 0, start, end;

	CHECK(!elf_image_offset(image, 0x1b00, &offset, &available));
	CHECK_U64(offset, 0xb00);
	CHECK_U64(available, 0x500);
	CHECK(elf_image_offset(image, 0x2000, &offset, &available) == -ERROR_NOT_FOUND);
	CHECK(elf_image_offset(image, 0x900, &offset, &available) == -ERROR_NOT_FOUND);
	CHECK(elf_image_load(image, 0x3fff) == &image->segments[1]);
	CHECK(!elf_image_load(image, 0x4000) && !elf_image_load(image, 0x1000));
	CHECK(elf_image_section(image, 0x8ff) == &image->sections[1]);
	CHECK(!elf_image_section(image, 0x900));
	CHECK(elf_image_section(image, 0x1a10) == &image->sections[2]);
	elf_image_relro_pages(image, PAGE, &start, &end);
	CHECK(start == 0x1000 && end == 0x2000);
	elf_image_relro_pages(image, 0x10000, &start, &end);
	CHECK(start == end);
}

static void test_classes(void)
{
	static const uint16_t machines[] = { EM_386, EM_X86_64, EM_ARM, EM_AARCH64, EM_RISCV,
					     EM_PPC, EM_PPC64, EM_S390, EM_MIPS, EM_SPARCV9 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(machines) * 8; i++) {
		struct elf_writer w = { BUF_INIT, i & 1, i & 2 };
		CLEANUP(elf_image_freep) struct elf_image *image = NULL;

		write_file(&w, machines[i / 8], i & 4);
		image = open_buf(&w.bytes);
		if (image) {
			CHECK(image->is_64 == w.is_64 && image->big_endian == w.big_endian);
			CHECK(image->machine == machines[i / 8] && !image->damage);
			CHECK(image->segment_count == 6 && image->section_count == 5);
			CHECK_STR(image->interpreter ? image->interpreter : "", "/ld.so");
			CHECK(image->build_id_size == 8 && image->build_id[7] == 8);
			CHECK_STR(image->sections[4].name, ".shstrtab");
			CHECK(!image->exec_stack && image->entry == 0x1040);
			check_lookups(image);
		}
		CHECK(image);
		buf_done(&w.bytes);
	}
}

/* Every prefix of a good file, and every single byte of its headers set to all ones: an
 * answer or an error, and a file that was cut in its tables is called damaged. */
static void test_damage(void)
{
	struct elf_writer w = { BUF_INIT, true, false };
	size_t len, full, i;

	write_file(&w, EM_X86_64, false);
	full = w.bytes.len;
	for (len = 0; len < full; len += 7) {
		CLEANUP(elf_image_freep) struct elf_image *image = NULL;
		struct elf_reader reader = { elf_read_buf, &w.bytes, len };
		int ret = elf_image_open(&reader, &image, NULL);

		CHECK(ret < 0 ? len < 0x400 : image->damage != 0);
	}
	for (i = 0; i < 0x780; i++) {
		CLEANUP(elf_image_freep) struct elf_image *image = NULL;
		struct elf_reader reader = { elf_read_buf, &w.bytes, full };
		char saved = w.bytes.data[i];

		w.bytes.data[i] = (char)0xff;
		if (!elf_image_open(&reader, &image, NULL))
			elf_image_section(image, 0x1a10);
		w.bytes.data[i] = saved;
	}
	buf_done(&w.bytes);
}

static int compare_program(struct dl_phdr_info *info, size_t size, void *ctx)
{
	const struct elf_image *image = ctx;
	size_t i;

	(void)size;
	CHECK_U64(image->segment_count, info->dlpi_phnum);
	for (i = 0; i < info->dlpi_phnum && i < image->segment_count; i++) {
		CHECK_U64(image->segments[i].vaddr, info->dlpi_phdr[i].p_vaddr);
		CHECK_U64(image->segments[i].memsz, info->dlpi_phdr[i].p_memsz);
		CHECK_U64(image->segments[i].flags, info->dlpi_phdr[i].p_flags);
	}
	return 1;
}

static void test_self(void)
{
	CLEANUP(elf_image_freep) struct elf_image *image = NULL;
	CLEANUP_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct source_file file;
	struct stat st;

	CHECK(!fstat(fd, &st));
	file = (struct source_file) { .fd = fd, .size = (uint64_t)st.st_size };
	CHECK(!elf_image_open_file(&file, &image, NULL));
	if (!image)
		return;
	CHECK_U64(image->damage, 0);
	dl_iterate_phdr(compare_program, image);
	CHECK(elf_image_section_named(image, ".text"));
}

static ssize_t read_vdso(void *ctx, uint64_t offset, void *data, size_t len, struct error *error)
{
	(void)error;
	memcpy(data, (const char *)ctx + offset, len);
	return (ssize_t)len;
}

static uint64_t vdso_size(uint64_t start)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uint64_t from = 0, to = 0;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps) && from != start)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) != 2)
			break;
	if (maps)
		fclose(maps);
	return from == start ? to - from : 0;
}

/* Read from memory; it has dynamic symbols only. */
static void test_vdso(void)
{
	void *vdso = (void *)getauxval(AT_SYSINFO_EHDR);
	struct elf_reader reader = { read_vdso, vdso, vdso_size((uintptr_t)vdso) };
	CLEANUP(elf_image_freep) struct elf_image *image = NULL;
	CLEANUP(elf_symbols_freep) struct elf_symbols *symbols = NULL;
	struct elf_symbol symbol;

	if (!vdso)
		return;
	CHECK(!elf_image_open(&reader, &image, NULL));
	if (!image)
		return;
	CHECK(image->load_count == 1 && image->build_id_size == 20);
	CHECK(!elf_symbols_load(image, NULL, NULL, &symbols, NULL));
	CHECK(elf_symbols_origin(symbols) == ELF_SYMBOLS_DYNSYM);
	CHECK(elf_symbols_named(symbols, "__vdso_clock_gettime", &symbol, 1) ||
	      elf_symbols_named(symbols, "__kernel_clock_gettime", &symbol, 1));
}

static void test_not_elf(void)
{
	static char text[] =
		"#!/bin/sh\necho this is no ELF file at all, and long enough to be one\n";
	struct buf bytes = { text, sizeof(text), sizeof(text) };
	struct elf_reader reader = { elf_read_buf, &bytes, sizeof(text) };
	struct elf_image *image = NULL;

	CHECK(elf_image_open(&reader, &image, NULL) == -ERROR_NOT_FOUND);
	memcpy(text, "\177ELF\003\001", 6);
	CHECK(elf_image_open(&reader, &image, NULL) == -ERROR_DAMAGED);
	CHECK(!image);
}

int main(void)
{
	test_classes();
	test_damage();
	test_self();
	test_vdso();
	test_not_elf();
	TEST_END;
}
