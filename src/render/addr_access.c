// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "addr_parts.h"

static const char *const members[] = {
	[TOUCH_READ] = "read", [TOUCH_WRITE] = "write", [TOUCH_EXEC] = "execute",
};
static const char *const titles[] = {
	[TOUCH_READ] = "Read", [TOUCH_WRITE] = "Write", [TOUCH_EXEC] = "Execute",
};

static void member_access(const struct addr_part *p, enum touch touch)
{
	const struct access_verdict *access = &p->address->access[touch];
	struct cell reasons[ACCESS_STEPS_MAX];
	size_t count = 0;

	for (unsigned i = 0; i < access->step_count; i++) {
		struct span text = phrase_access_step(p, touch, access->steps[i]);

		if (text.len)
			reasons[count++] = cell_bytes(text);
	}
	report_object_begin(p->report, members[touch], NULL);
	addr_member(p, "effect", addr_word(effect_names, access->effect));
	addr_member(p, "certainty", cell_text(certainty_name(access->certainty)));
	addr_member(p, "reasons", cell_list(reasons, count));
	report_object_end(p->report);
}

static void say_accesses(const struct addr_part *p)
{
	for (int touch = 0; touch < TOUCH_MAX; touch++) {
		const struct access_verdict *access = &p->address->access[touch];

		addr_say(p, titles[touch],
			 scratch_printf(p->scratch, "%s (%s)",
					name_of(effect_names, access->effect),
					certainty_name(access->certainty)));
	}
	report_line(p->report, "");
	for (int touch = 0; touch < TOUCH_MAX; touch++)
		report_prose(p->report, "%s: %s.", titles[touch],
			     phrase_access(p, (enum touch)touch).ptr);
}

void addr_report_accesses(const struct addr_part *p)
{
	if (!report_is_json(p->report)) {
		say_accesses(p);
		return;
	}
	report_object_begin(p->report, "accesses", NULL);
	for (int touch = 0; touch < TOUCH_MAX; touch++)
		member_access(p, (enum touch)touch);
	report_object_end(p->report);
}
