// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "report_elf_parts.h"

static struct span advice_now(const struct forecast_advice *a, struct scratch *scratch)
{
	return scratch_printf(scratch,
		"Functions are bound when they are first called, so %llu page%s with their "
		"addresses stay%s writable, and a forked child that binds another one copies the "
		"page. Linked with -z now, %s would be filled at start, closed and shared with all "
		"children.", (unsigned long long)a->pages, plural(a->pages),
		a->pages == 1 ? "s" : "", a->pages == 1 ? "it" : "they");
}

static struct span advice_relr(const struct forecast_advice *a, const struct forecast *forecast,
			       struct scratch *scratch)
{
	return scratch_printf(scratch,
		"%llu relative relocations take %llu bytes of the file; linked with "
		"-z pack-relative-relocs (RELR) they would take %llu.",
		(unsigned long long)forecast->relr.relative, (unsigned long long)a->before,
		(unsigned long long)a->after);
}

static struct span advice_text(const struct forecast *forecast, const struct forecast_advice *a,
			       struct scratch *scratch)
{
	switch (a->code) {
	case ADVICE_RELR:
		return advice_relr(a, forecast, scratch);
	case ADVICE_NOW:
		return advice_now(a, scratch);
	case ADVICE_RELRO:
		return scratch_printf(scratch,
			"Relocations land in %llu page%s that stay%s writable. Linked with "
			"-z relro -z now, what only the loader writes would be closed and shared "
			"with all children.", (unsigned long long)a->pages, plural(a->pages),
			a->pages == 1 ? "s" : "");
	case ADVICE_TEXTREL:
		return scratch_printf(scratch,
			"%llu relocation%s in code make%s %llu page%s of it private in every "
			"process. Compile with -fPIC.", (unsigned long long)a->before,
			plural(a->before), a->before == 1 ? "s" : "",
			(unsigned long long)a->pages, plural(a->pages));
	case ADVICE_WRITE_EXECUTE:
		return scratch_printf(scratch,
			"%llu segment%s can be written and executed: code can be changed there.",
			(unsigned long long)a->before, plural(a->before));
	case ADVICE_EXEC_STACK:
		return SPAN_LITERAL(
			"The file asks for an executable stack (PT_GNU_STACK with x, or "
			"none). Link with -z noexecstack unless it runs code there.");
	case ADVICE_PAGE_SIZE:
		return scratch_printf(scratch,
			"With pages of %llu bytes the file cannot be loaded: its segments are not "
			"aligned to that. Link with -z max-page-size=65536.",
			(unsigned long long)a->after);
	case ADVICE_MAX:
		break;
	}
	return SPAN_LITERAL("");
}

static int report_one(struct report *report, const struct forecast *forecast,
		      const struct forecast_advice *a, struct scratch *scratch)
{
	struct span text = advice_text(forecast, a, scratch);

	report_object_begin(report, NULL, NULL);
	report_fact(report, "code", NULL, cell_text(name_of(forecast_advice_names, a->code)),
		    REPORT_JSON_ONLY);
	report_fact(report, "before", NULL, cell_count(a->before), REPORT_JSON_ONLY);
	report_fact(report, "after", NULL, cell_count(a->after), REPORT_JSON_ONLY);
	report_fact(report, "pages", NULL, cell_count(a->pages), REPORT_JSON_ONLY);
	report_fact(report, "message", NULL, cell_words(text), REPORT_JSON_ONLY);
	report_prose(report, "%.*s", (int)text.len, text.ptr);
	return report_object_end(report);
}

int report_elf_advice(struct report *report, const struct forecast *forecast)
{
	struct scratch *scratch = scratch_new();
	int rc;

	if (!scratch)
		return -ERROR_NOMEM;
	report_array_begin(report, "advice", forecast->advice_count ? "Advice" : NULL);
	for (size_t i = 0; i < forecast->advice_count; i++)
		report_one(report, forecast, &forecast->advice[i], scratch);
	rc = report_array_end(report);
	scratch_free(scratch);
	return rc;
}
