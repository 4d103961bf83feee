// SPDX-License-Identifier: LGPL-2.1-or-later
/* All states by name. */
#include <stdio.h>
#include <string.h>

#include "memstate.h"

static const struct state *const tables[] = {
	anon_states, fork_states, file_states, shared_states, huge_states, hugetlb_states,
	system_states, uffd_states, layout_states, special_states, tables_states,
	process_states,
};

const struct state *state_find(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct state *state = tables[i]; state->name; state++)
			if (!strcmp(state->name, name))
				return state;
	return NULL;
}

void state_list(void)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct state *state = tables[i]; state->name; state++)
			printf("%-22s %-20s %s\n", state->name, *state->needs ? state->needs : "-",
			       state->description);
}
