// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "bytes.h"
#include "symtab.h"

#define DEBUG_ROOT "/usr/lib/debug"
#define LINK_MAX 4096		/* bytes of .gnu_debuglink read */
#define CHECK_WINDOW 65536

void debug_file_done(struct debug_file *file)
{
	elf_image_free(file->image);
	source_file_free(file->file);
	*file = (struct debug_file) { NULL, NULL };
}

static bool fits(const struct elf_image *image, const struct elf_image *debug)
{
	return debug->is_64 == image->is_64 && debug->big_endian == image->big_endian &&
	       debug->machine == image->machine;
}

static bool build_id_equal(const struct elf_image *a, const struct elf_image *b)
{
	return a->build_id_size == b->build_id_size &&
	       !memcmp(a->build_id, b->build_id, a->build_id_size);
}

static int try_open(const struct elf_image *image, const char *path,
		    const struct elf_opener *opener, struct debug_file *file, struct error *error)
{
	struct debug_file made = { NULL, NULL };
	int ret = opener->open_file(opener->ctx, path, &made.file, error);

	if (ret < 0)
		return ret;
	ret = elf_image_open_file(made.file, &made.image, error);
	if (!ret && !fits(image, made.image))
		ret = error_set(error, ERROR_NOT_FOUND, path, "debug file of another machine");
	if (ret < 0) {
		debug_file_done(&made);
		return ret;
	}
	*file = made;
	return 0;
}

static int open_by_build_id(const struct elf_image *image, const struct elf_opener *opener,
			    struct debug_file *file, struct error *error)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	size_t i;
	int ret;

	if (image->build_id_size < 2)
		return -ERROR_NOT_FOUND;
	ret = buf_add_str(&path, DEBUG_ROOT "/.build-id/");
	for (i = 0; i < image->build_id_size && !ret; i++) {
		ret = buf_add_hex(&path, image->build_id[i], 2);
		if (!ret && i == 0)
			ret = buf_add_char(&path, '/');
	}
	if (ret < 0 || buf_add_str(&path, ".debug") < 0)
		return error_nomem(error);
	ret = try_open(image, path.data, opener, file, error);
	if (ret < 0)
		return ret;
	if (build_id_equal(image, file->image))
		return 0;
	debug_file_done(file);
	return -ERROR_NOT_FOUND;
}

/* CRC-32 (IEEE 802.3, reflected) as objcopy --add-gnu-debuglink sums it. */
static void crc_table_make(uint32_t table[256])
{
	uint32_t i, bit, crc;

	for (i = 0; i < 256; i++) {
		for (crc = i, bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
		table[i] = crc;
	}
}

int elf_file_sum(const struct elf_image *image, uint32_t *sum)
{
	CLEANUP_FREE uint8_t *data = malloc(CHECK_WINDOW);
	uint64_t at, size = image->reader.size;
	uint32_t table[256], crc = UINT32_MAX;
	size_t n, i;

	if (!data)
		return -ERROR_NOMEM;
	if (size > ELF_DEBUGLINK_CHECK_MAX)
		return -ERROR_LIMIT;
	crc_table_make(table);
	for (at = 0; at < size; at += n) {
		n = size - at < CHECK_WINDOW ? size - at : CHECK_WINDOW;
		if (elf_image_read(image, at, data, n, NULL) < 0)
			return -ERROR_DAMAGED;
		for (i = 0; i < n; i++)
			crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
	}
	*sum = ~crc;
	return 0;
}

/* Content of .gnu_debuglink: a file name, NUL, padding to 4, the sum. The name comes from a
 * hostile file: a path in it is not followed. */
static int read_link(const struct elf_image *image, char name[LINK_MAX], uint32_t *sum)
{
	const struct elf_section *s = elf_image_section_named(image, ".gnu_debuglink");
	size_t len, at;

	if (!s || s->size > LINK_MAX || s->flags & SHF_COMPRESSED || s->type == SHT_NOBITS ||
	    elf_image_read(image, s->offset, name, s->size, NULL) < 0)
		return -ERROR_NOT_FOUND;
	len = strnlen(name, s->size);
	at = (len + 4) & ~3ul;
	if (!len || at + 4 > s->size || memchr(name, '/', len) || !strcmp(name, "..") ||
	    !strcmp(name, "."))
		return -ERROR_DAMAGED;
	*sum = elf_u32(image, (uint8_t *)name + at);
	return 0;
}

static int try_link(const struct elf_image *image, const struct buf *path, uint32_t sum,
		    const struct elf_opener *opener, struct debug_file *file, struct error *error)
{
	uint32_t got;
	int ret = try_open(image, path->data, opener, file, error);

	if (ret < 0)
		return ret;
	/* A recording holds the sum instead of all bytes. */
	if (file->file->has_sum)
		got = file->file->sum;
	else if (elf_file_sum(file->image, &got) < 0)
		got = ~sum;
	if (got == sum)
		return 0;
	debug_file_done(file);
	return error_set(error, ERROR_NOT_FOUND, path->data, "checksum of the debug file differs");
}

/* Where debuggers look: beside the file, in .debug, and under the debug root. */
static const struct {
	const char *root;
	const char *folder;
} link_places[] = {
	{ "", "" },
	{ "", ".debug/" },
	{ DEBUG_ROOT, "" },
};

static int open_by_link(const struct elf_image *image, const char *path,
			const struct elf_opener *opener, struct debug_file *file,
			struct error *error)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	CLEANUP(buf_done) struct buf candidate = BUF_INIT;
	char name[LINK_MAX];
	uint32_t sum;
	size_t i;

	if (!slash || path[0] != '/' || read_link(image, name, &sum) < 0)
		return -ERROR_NOT_FOUND;
	for (i = 0; i < ARRAY_SIZE(link_places); i++) {
		buf_clear(&candidate);
		if (buf_add_str(&candidate, link_places[i].root) < 0 ||
		    buf_add(&candidate, path, (size_t)(slash - path + 1)) < 0 ||
		    buf_add_str(&candidate, link_places[i].folder) < 0 ||
		    buf_add_str(&candidate, name) < 0)
			return error_nomem(error);
		if (!try_link(image, &candidate, sum, opener, file, error))
			return 0;
	}
	return -ERROR_NOT_FOUND;
}

int debug_file_open(const struct elf_image *image, const char *path,
		    const struct elf_opener *opener, struct debug_file *file,
		    struct error *error)
{
	if (!open_by_build_id(image, opener, file, error))
		return 0;
	return open_by_link(image, path, opener, file, error);
}
