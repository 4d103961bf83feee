// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Prints what src/elf finds in a file, one fact a line, for comparison with readelf and the
 * like: elf_dump WHAT FILE [ARGUMENT...]
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmatlas/elf/debug_line.h"
#include "vmatlas/elf/dynamic.h"
#include "vmatlas/elf/image.h"
#include "vmatlas/elf/layout.h"
#include "vmatlas/elf/relocs.h"
#include "vmatlas/elf/symbols.h"

#define LINES 100000	/* a hostile table must not fill the disk */

static int open_path(void *ctx, const char *path, struct source_file **file, struct error *error)
{
	struct source_file *made = calloc(1, sizeof(*made));
	struct stat st;

	(void)ctx;
	if (!made)
		return error_nomem(error);
	made->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (made->fd < 0 || fstat(made->fd, &st) < 0) {
		source_file_free(made);
		return error_errno(error, errno, path, "open");
	}
	made->size = (uint64_t)st.st_size;
	*file = made;
	return 0;
}

/* Debug files: under $ELF_DUMP_ROOT where a test has put some. */
static int open_debug(void *ctx, const char *path, struct source_file **file, struct error *error)
{
	const char *root = getenv("ELF_DUMP_ROOT");
	char moved[4096];

	if (!root)
		return open_path(ctx, path, file, error);
	snprintf(moved, sizeof(moved), "%s%s", root, path);
	return open_path(ctx, moved, file, error);
}

static const char *name_or(const struct name *table, uint64_t value)
{
	static char text[32];
	const char *name = name_of(table, value);

	if (name)
		return name;
	snprintf(text, sizeof(text), "%#" PRIx64, value);
	return text;
}

static void print_damage(uint32_t damage)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	names_add_bits(&text, elf_damage_names, damage, ",");
	printf("damage %s\n", damage ? text.data : "none");
}

static int dump_image(const struct elf_image *image, char **args)
{
	size_t i;

	(void)args;
	printf("type %s machine %s entry %" PRIx64 "\n", name_or(elf_type_names, image->type),
	       name_or(elf_machine_names, image->machine), image->entry);
	printf("build-id ");
	for (i = 0; i < image->build_id_size; i++)
		printf("%02x", image->build_id[i]);
	printf("\ninterpreter %s\nexec-stack %d\n", image->interpreter ? image->interpreter : "-",
	       image->exec_stack);
	for (i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];

		printf("segment %s %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %x %" PRIx64
		       "\n", name_or(elf_segment_type_names, s->type), s->offset, s->vaddr,
		       s->filesz, s->memsz, s->flags, s->align);
	}
	for (i = 1; i < image->section_count; i++) {
		const struct elf_section *s = &image->sections[i];

		printf("section %s %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", s->name, s->addr,
		       s->offset, s->size);
	}
	print_damage(image->damage);
	return 0;
}

static void print_symbol(const struct elf_symbol *s)
{
	printf("%016" PRIx64 " %" PRIu64 " %s %s\n", s->address, s->size,
	       name_or(elf_symbol_type_names, s->type), s->name);
}

static struct elf_symbols *load_symbols(const struct elf_image *image, const char *path)
{
	const struct elf_opener opener = { open_debug, NULL };
	struct elf_symbols *symbols = NULL;
	struct error error = ERROR_INIT;

	if (elf_symbols_load(image, path, &opener, &symbols, &error) < 0) {
		fprintf(stderr, "symbols: %s\n", error.text);
		exit(1);
	}
	return symbols;
}

/* symbols FILE PATH: PATH is where the file is said to lie. */
static int dump_symbols(const struct elf_image *image, char **args)
{
	CLEANUP(elf_symbols_freep) struct elf_symbols *symbols = load_symbols(image, args[0]);
	struct elf_symbol symbol;
	size_t i;

	printf("origin %s\n", name_of(elf_symbols_origin_names, elf_symbols_origin(symbols)));
	print_damage(elf_symbols_damage(symbols));
	for (i = 0; i < elf_symbols_count(symbols); i++) {
		elf_symbols_get(symbols, i, &symbol);
		print_symbol(&symbol);
	}
	return 0;
}

/* at FILE ADDRESS...: the symbol that covers it. */
static int dump_at(const struct elf_image *image, char **args)
{
	CLEANUP(elf_symbols_freep) struct elf_symbols *symbols = load_symbols(image, NULL);

	for (; *args; args++) {
		struct elf_symbol symbol;
		uint64_t offset;
		bool covered;

		if (elf_symbols_at(symbols, strtoull(*args, NULL, 16), &symbol, &offset, &covered))
			printf("%s -\n", *args);
		else
			printf("%s %s+%" PRIx64 "%s\n", *args, symbol.name, offset,
			       covered ? "" : " near");
	}
	return 0;
}

/* named FILE NAME */
static int dump_named(const struct elf_image *image, char **args)
{
	CLEANUP(elf_symbols_freep) struct elf_symbols *symbols = load_symbols(image, NULL);
	struct elf_symbol found[16];
	size_t n = args[0] ? elf_symbols_named(symbols, args[0], found, 16) : 0, i;

	for (i = 0; i < n && i < 16; i++)
		print_symbol(&found[i]);
	return !n;
}

/* demangle FILE: every C++ name of the file with what it says. */
static int dump_demangled(const struct elf_image *image, char **args)
{
	CLEANUP(elf_symbols_freep) struct elf_symbols *symbols = load_symbols(image, NULL);
	const char *names[ELF_DEMANGLE_BATCH_MAX];
	char *out[ELF_DEMANGLE_BATCH_MAX];
	struct elf_symbol symbol;
	size_t i, n = 0;

	(void)args;
	for (i = 0; i < elf_symbols_count(symbols) && n < ELF_DEMANGLE_BATCH_MAX; i++) {
		elf_symbols_get(symbols, i, &symbol);
		names[n++] = symbol.name;
	}
	if (elf_demangle(names, n, out, NULL) < 0)
		return 1;
	for (i = 0; i < n; i++) {
		if (out[i])
			printf("%s %s\n", names[i], out[i]);
		free(out[i]);
	}
	return 0;
}

static int read_dynamic(const struct elf_image *image, struct elf_dynamic *dynamic)
{
	return elf_dynamic_read(image, dynamic, NULL) < 0 ? 1 : 0;
}

/* relocs FILE: place, type, symbol of each in the order of the tables. */
static int dump_relocs(const struct elf_image *image, char **args)
{
	CLEANUP(elf_relocs_freep) struct elf_relocs *relocs = NULL;
	struct elf_dynamic dynamic;
	struct elf_reloc r;
	size_t n;

	(void)args;
	if (read_dynamic(image, &dynamic) || elf_relocs_open(image, &dynamic, &relocs, NULL) < 0)
		return 1;
	for (n = 0; elf_relocs_next(relocs, &r); n++) {
		const char *type = elf_reloc_type_name(image->machine, r.type);
		CLEANUP(buf_done) struct buf name = BUF_INIT;

		if (n >= LINES)
			continue;
		elf_dynamic_symbol_name(image, &dynamic, r.symbol, &name, NULL);
		printf("%016" PRIx64 " %s %s\n", r.place,
		       r.table == ELF_RELOC_TABLE_RELR ? "relr" : type ? type : "?",
		       name.len ? name.data : "-");
	}
	print_damage(elf_relocs_damage(relocs));
	return 0;
}

/* counts FILE: per kind and table, pages, what RELR would take. */
static int dump_counts(const struct elf_image *image, char **args)
{
	CLEANUP(elf_reloc_index_freep) struct elf_reloc_index *index = NULL;
	struct elf_relr_estimate estimate;
	struct elf_dynamic dynamic;
	size_t i;

	(void)args;
	if (read_dynamic(image, &dynamic) ||
	    elf_reloc_index_build(image, &dynamic, &index, NULL) < 0)
		return 1;
	for (i = 0; i < ELF_RELOC_KIND_MAX; i++)
		printf("%s %" PRIu64 "\n", name_of(elf_reloc_kind_names, i), index->by_kind[i]);
	for (i = 0; i < ELF_RELOC_TABLE_MAX; i++)
		printf("table-%s %" PRIu64 "\n", name_of(elf_reloc_table_names, i),
		       index->by_table[i]);
	elf_relr_size_estimate(image, index, &estimate);
	printf("text %" PRIu64 "\nrelr-now %" PRIu64 "\nrelr-bytes %" PRIu64 "\n", index->text,
	       estimate.bytes_now, estimate.bytes_relr);
	printf("pages %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	       elf_reloc_index_pages(index, 4096), elf_reloc_index_pages(index, 16384),
	       elf_reloc_index_pages(index, 65536));
	printf("textrel %d\nnow %d\npie %d\n", dynamic.textrel, dynamic.bind_now, dynamic.pie);
	print_damage(index->damage | dynamic.damage);
	return 0;
}

/* landing FILE START END: the places that touch the range. */
static int dump_landing(const struct elf_image *image, char **args)
{
	CLEANUP(elf_reloc_index_freep) struct elf_reloc_index *index = NULL;
	struct elf_reloc_cursor cursor;
	struct elf_reloc_place place;
	struct elf_dynamic dynamic;
	size_t n;

	if (!args[0] || !args[1] || read_dynamic(image, &dynamic) ||
	    elf_reloc_index_build(image, &dynamic, &index, NULL) < 0)
		return 1;
	cursor = elf_reloc_index_seek(index, strtoull(args[0], NULL, 16),
				      strtoull(args[1], NULL, 16));
	for (n = 0; elf_reloc_index_next(index, &cursor, &place) && n < LINES; n++)
		printf("%016" PRIx64 " %u %s\n", place.place, place.size,
		       name_of(elf_reloc_kind_names, place.kind));
	return 0;
}

static void print_vma(const struct elf_vma *v)
{
	printf("%s %" PRIx64 " %" PRIx64 " %c%c%cp %08" PRIx64 " %s%s", name_of(elf_vma_kind_names,
	       v->kind), v->start, v->end, v->perms & PF_R ? 'r' : '-',
	       v->perms & PF_W ? 'w' : '-', v->perms & PF_X ? 'x' : '-', v->offset,
	       v->relro ? "relro " : "", v->shares_page ? "shares " : "");
	if (v->zero_end > v->zero_start)
		printf("zeroed %" PRIx64 " %" PRIx64, v->zero_start, v->zero_end);
	printf("\n");
}

/* layout FILE PAGE_SIZE: the VMAs of the loader that the file itself asks for. */
static int dump_layout(const struct elf_image *image, char **args)
{
	CLEANUP(elf_layout_freep) struct elf_layout *layout = NULL;
	CLEANUP(elf_reloc_index_freep) struct elf_reloc_index *index = NULL;
	uint64_t page_size = args[0] ? strtoull(args[0], NULL, 10) : 4096;
	struct elf_dynamic dynamic;
	struct elf_dirty dirty;
	enum elf_loader loader;
	size_t i;

	if (read_dynamic(image, &dynamic))
		return 1;
	loader = elf_loader_of(image, &dynamic);
	if (elf_layout_predict(image, loader, page_size, &layout, NULL) < 0 ||
	    elf_reloc_index_build(image, &dynamic, &index, NULL) < 0 ||
	    elf_dirty_forecast(image, &dynamic, index, loader, page_size, &dirty, NULL) < 0)
		return 1;
	printf("loadable %d\nshared-pages %" PRIu64 "\n", layout->loadable,
	       layout->shared_pages);
	printf("dirty %" PRIu64 " relocation %" PRIu64 " relro %" PRIu64 " zeroed %" PRIu64
	       " dynamic %" PRIu64 "\n", dirty.pages, dirty.relocation, dirty.relro, dirty.zeroed,
	       dirty.dynamic);
	for (i = 0; i < layout->count; i++)
		print_vma(&layout->vmas[i]);
	return 0;
}

/* section FILE ADDRESS: the section and the file offset of an address. */
static int dump_section(const struct elf_image *image, char **args)
{
	uint64_t address = args[0] ? strtoull(args[0], NULL, 16) : 0, offset, available;
	const struct elf_section *section = elf_image_section(image, address);

	printf("section %s\n", section ? section->name : "-");
	if (!elf_image_offset(image, address, &offset, &available))
		printf("offset %" PRIx64 " available %" PRIx64 "\n", offset, available);
	return 0;
}

/* line FILE ADDRESS...: where in the source. */
static int dump_line(const struct elf_image *image, char **args)
{
	const struct elf_opener opener = { open_debug, NULL };
	uint64_t addresses[64];
	struct elf_line lines[64];
	size_t n, i;
	bool damaged = false;

	for (n = 0; n < 64 && args[n]; n++)
		addresses[n] = strtoull(args[n], NULL, 16);
	if (elf_lines_find(image, image->reader.ctx, NULL, &opener, addresses, n, lines, &damaged,
			   NULL) < 0)
		return 1;
	for (i = 0; i < n; i++)
		printf("%s:%u\n", lines[i].file ? lines[i].file : "??", lines[i].line);
	elf_lines_done(lines, n);
	print_damage(damaged ? ELF_DAMAGE_DEBUG : 0);
	return 0;
}

/* rss FILE: can the memory of this program be measured? */
static int dump_rss(const struct elf_image *image, char **args)
{
	(void)image;
	(void)args;
#ifdef __SANITIZE_ADDRESS__
	printf("sanitizer 1\n");
#else
	printf("sanitizer 0\n");
#endif
	return 0;
}

static void print_rss(void)
{
	struct rusage usage;

	if (getenv("ELF_DUMP_RSS") && !getrusage(RUSAGE_SELF, &usage))
		fprintf(stderr, "rss %ld\n", usage.ru_maxrss);
}

static const struct {
	const char *what;
	int (*dump)(const struct elf_image *image, char **args);
} dumps[] = {
	{ "image", dump_image },
	{ "symbols", dump_symbols },
	{ "at", dump_at },
	{ "named", dump_named },
	{ "demangle", dump_demangled },
	{ "relocs", dump_relocs },
	{ "counts", dump_counts },
	{ "landing", dump_landing },
	{ "layout", dump_layout },
	{ "section", dump_section },
	{ "line", dump_line },
	{ "rss", dump_rss },
};

/* all FILE: every question once, for files that may be damaged in any way. */
static int dump_all(const struct elf_image *image)
{
	static const char *const args[][3] = {
		{ "image" }, { "symbols" }, { "relocs" }, { "counts" }, { "demangle" },
		{ "layout", "4096" }, { "layout", "65536" }, { "named", "main" },
		{ "at", "1000", "ffffffffffffffff" },
		{ "landing", "0", "ffffffffffffffff" }, { "section", "1000" },
		{ "section", "ffffffffffffffff" }, { "line", "1150" },
	};
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(args); i++) {
		char *rest[] = { (char *)args[i][1], (char *)args[i][2], NULL };

		fprintf(stderr, "asking %s\n", args[i][0]);
		for (k = 0; k < ARRAY_SIZE(dumps); k++)
			if (!strcmp(dumps[k].what, args[i][0]))
				dumps[k].dump(image, rest);
	}
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	CLEANUP(elf_image_freep) struct elf_image *image = NULL;
	struct error error = ERROR_INIT;
	int ret = 2;
	size_t i;

	if (argc < 3)
		return 2;
	if (open_path(NULL, argv[2], &file, &error) < 0 ||
	    elf_image_open_file(file, &image, &error) < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], error.text);
		return 1;
	}
	for (i = 0; i < ARRAY_SIZE(dumps); i++)
		if (!strcmp(dumps[i].what, argv[1]))
			ret = dumps[i].dump(image, argv + 3);
	if (!strcmp(argv[1], "all"))
		ret = dump_all(image);
	print_rss();
	return ret;
}
