// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "set_name.h"

/* What is longer is no name. */
#define NAME_BYTES 200u

static bool is_number(const char *word)
{
	struct span span = span_of(word);
	uint64_t number;

	return span_take_dec(&span, &number) && !span.len;
}

static bool has_word(const struct buf *name, struct span word)
{
	struct span rest = buf_span(name), one;

	while (span_take_word(&rest, &one))
		if (span_equal(one, word))
			return true;
	return false;
}

/* Once, however often it is given. */
static int add_word(struct buf *name, struct span word)
{
	if (has_word(name, word))
		return 0;
	if (name->len && buf_add_char(name, ' ') < 0)
		return -1;
	return buf_add_span(name, word);
}

static int add_option(const struct cli *cli, const char *option, struct buf *name)
{
	const char *value;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && (value = cli_value_at(cli, option, i)); i++) {
		CLEANUP(buf_done) struct buf word = BUF_INIT;

		rc = is_number(value) && !strcmp(option, "tree") ? buf_add_str(&word, option) :
			buf_addf(&word, "%s=%s", option, value);
		if (rc >= 0)
			rc = add_word(name, buf_span(&word));
	}
	return rc;
}

static int add_selection(const struct cli *cli, struct buf *name)
{
	static const char *const options[] = { "tree", "cgroup", "user", "name" };
	int rc = cli_has(cli, "all") || cli_selects_all(cli) ?
		add_word(name, SPAN_LITERAL("all")) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(options) && rc >= 0; i++)
		rc = add_option(cli, options[i], name);
	for (size_t i = 0; i < cli->operand_count && rc >= 0; i++)
		rc = add_word(name, is_number(cli->operands[i]) ? SPAN_LITERAL("pid") :
			      span_of(cli->operands[i]));
	return rc;
}

int cli_set_name(const struct cli *cli, bool name_all, struct buf *name)
{
	const char *given = cli_value(cli, "set-name");
	struct error error = ERROR_INIT;

	if (given && !*given)
		return cli_usage_error(cli, "--set-name needs a name");
	if (given ? buf_add_str(name, given) < 0 :
	    (name_all || !cli_selects_all(cli)) && add_selection(cli, name) < 0) {
		error_nomem(&error);
		return cli_error(&error);
	}
	if (name->len > NAME_BYTES)
		return cli_usage_error(cli, "the name of the set has more than %u bytes: give it "
				       "a short one with --set-name", NAME_BYTES);
	return 0;
}
