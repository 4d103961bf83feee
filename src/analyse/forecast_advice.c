// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "forecast.h"

#include <elf.h>

/* Below this RELR is not worth a word. */
#define RELR_WORTH 512u

const struct name forecast_advice_names[] = {
	{ ADVICE_RELR, "relr", "relative relocations could be packed" },
	{ ADVICE_NOW, "now", "binding at start would let more pages be closed" },
	{ ADVICE_RELRO, "relro", "relocated pages stay writable" },
	{ ADVICE_TEXTREL, "textrel", "code is relocated, so its pages are private" },
	{ ADVICE_WRITE_EXECUTE, "write-execute", "a segment is writable and executable" },
	{ ADVICE_EXEC_STACK, "exec-stack", "the file asks for an executable stack" },
	{ ADVICE_PAGE_SIZE, "page-size", "the file cannot be loaded with larger pages" },
	{ 0, NULL, NULL }
};

static void advise(struct forecast *forecast, const struct forecast_advice *advice)
{
	forecast->advice[forecast->advice_count++] = *advice;
}

static void advise_relr(struct forecast *forecast)
{
	const struct elf_relr_estimate *relr = &forecast->relr;

	if (relr->bytes_now > relr->bytes_relr + RELR_WORTH)
		advise(forecast, &(struct forecast_advice) {
			.code = ADVICE_RELR,
			.before = relr->bytes_now, .after = relr->bytes_relr,
		});
}

/* Pages outside RELRO with relocations: of the lazily bound functions only, or of any kind. */
static uint64_t open_pages(const struct forecast *forecast, bool plt_only)
{
	uint64_t pages = 0, last = UINT64_MAX;

	for (size_t i = 0; i < forecast->index->count; i++) {
		const struct elf_reloc_place *place = &forecast->index->places[i];
		uint64_t page = place->place & ~(forecast->page_size - 1);
		bool closed = page >= forecast->relro_start && page < forecast->relro_end;

		if (closed || page == last || (plt_only && place->kind != ELF_RELOC_PLT))
			continue;
		last = page;
		pages++;
	}
	return pages;
}

static void advise_relro(struct forecast *forecast)
{
	bool has_relro = forecast->image->relro_end > forecast->image->relro_start;
	bool lazy = forecast->index->by_kind[ELF_RELOC_PLT] && !forecast->dynamic.bind_now;
	struct forecast_advice now = { .code = ADVICE_NOW };
	struct forecast_advice relro = { .code = ADVICE_RELRO };

	if (!forecast->dynamic.present)
		return;
	if (!has_relro && (relro.pages = open_pages(forecast, false)))
		advise(forecast, &relro);
	else if (has_relro && lazy && (now.pages = open_pages(forecast, true)))
		advise(forecast, &now);
}

static uint64_t text_pages(const struct forecast *forecast)
{
	uint64_t pages = 0, last = UINT64_MAX;

	for (size_t i = 0; forecast->index->text && i < forecast->index->count; i++) {
		uint64_t place = forecast->index->places[i].place;
		uint64_t page = place & ~(forecast->page_size - 1);
		const struct elf_segment *load;

		if (page == last)
			continue;
		load = elf_image_load(forecast->image, place);
		if (!load || load->flags & PF_W)
			continue;
		last = page;
		pages++;
	}
	return pages;
}

static uint64_t write_execute(const struct elf_image *image)
{
	uint64_t count = 0;

	for (size_t i = 0; i < image->load_count; i++)
		count += !(~image->segments[image->loads[i]].flags & (PF_W | PF_X));
	return count;
}

static void advise_page_size(struct forecast *forecast)
{
	for (int i = 0; i < FORECAST_SIZES; i++) {
		const struct forecast_size *size = &forecast->sizes[i];

		if (size->loadable || size->page_size <= forecast->page_size)
			continue;
		advise(forecast, &(struct forecast_advice) {
			.code = ADVICE_PAGE_SIZE, .after = size->page_size });
		return;
	}
}

void forecast_advise(struct forecast *forecast)
{
	const struct elf_image *image = forecast->image;
	uint64_t wx = write_execute(image);

	forecast->text_pages = text_pages(forecast);
	if (forecast->index->text)
		advise(forecast, &(struct forecast_advice) {
			.code = ADVICE_TEXTREL, .before = forecast->index->text,
			.pages = forecast->text_pages });
	if (wx)
		advise(forecast, &(struct forecast_advice) {
			.code = ADVICE_WRITE_EXECUTE, .before = wx });
	if (image->exec_stack && image->load_count)
		advise(forecast, &(struct forecast_advice) { .code = ADVICE_EXEC_STACK });
	advise_relro(forecast);
	advise_relr(forecast);
	advise_page_size(forecast);
}
