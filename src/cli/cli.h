/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <sys/types.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/model/moved.h"
#include "vmatlas/model/process.h"
#include "vmatlas/render/document.h"
#include "vmatlas/render/report.h"
#include "vmatlas/source/source.h"

/*
 * A command is data (struct command, listed in commands.c) and a run function. The common
 * options are parsed before it runs; its own ones are declared in an array, from which parsing,
 * help and completion come alike.
 */
enum exit_status {
	STATUS_OK,		/* answered; gaps are marked */
	STATUS_FAILED,
	STATUS_USAGE,
	STATUS_MISSING,		/* --strict, and something was missing */
	STATUS_CONDITION	/* what --exit-code or --fail-if asked for was met; of check:
				 * a difference is unexplained */
};

#define CLI_OWN_OPTIONS 24	/* options of one command */

struct cli;

struct cli_option {
	const char *name;	/* long name without "--"; NULL ends the array */
	const char *argument;	/* what it is called in the help, NULL: takes none */
	const char *help;
};

/* Rows of another shape, which an option of the command asks for; option NULL ends the array. */
struct cli_rows {
	const char *option;			/* "pages" */
	const struct column *columns;
};

struct command {
	const char *name;
	const char *operands;			/* "PID..." as shown in the usage line */
	const char *summary;			/* one line */
	const struct cli_option *options;	/* own options, or NULL */
	const struct column *columns;		/* for -o, --sort and --list-columns, or NULL */
	const struct cli_rows *others;		/* rows that an option asks for, or NULL */
	bool own_paths;				/* operands with a / are its own business, not a
						 * snapshot: FILE of elf, DIR of record */
	bool filters;				/* --vma and --range choose among its VMAs */
	int (*run)(struct cli *cli);		/* returns an enum exit_status */
};

struct cli_given {
	const struct cli_option *option;
	const char *value;			/* NULL if it takes none */
};

struct cli {
	const struct command *command;
	struct report_options report;
	const char *columns;			/* -o, NULL: the default */
	const char *from;			/* --from, or the path given as operand */
	const char *vma;			/* --vma ADDR|NAME */
	uint64_t range_start, range_end;	/* --range START-END; all when it was not given */
	unsigned threads;			/* --threads; 0: as many as useful */
	bool strict;
	bool remote_files;	/* read files on FUSE and network file systems */
	char **operands;
	size_t operand_count;
	struct cli_given *given;
	size_t given_count;
	uint64_t start_us;
	size_t documents;			/* begun so far */
	struct source *source;			/* cli_source() opens it */
	void *own;				/* what the command wants to hand to its `one` */
};

/* Own options by name; asking for one that is not declared is a mistake of the program. */
bool cli_has(const struct cli *cli, const char *option);
const char *cli_value(const struct cli *cli, const char *option);	/* last one, or NULL */
/* The nth value of an option that may be repeated, NULL behind the last. */
const char *cli_value_at(const struct cli *cli, const char *option, size_t nth);

extern const struct command cmd_check;
extern const struct command cmd_cow;
extern const struct command cmd_diff;
extern const struct command cmd_elf;
extern const struct command cmd_addr;
extern const struct command cmd_map;
extern const struct command cmd_files;
extern const struct command cmd_pagetable;
extern const struct command cmd_ps;
extern const struct command cmd_watch;
extern const struct command cmd_record;
extern const struct command cmd_share;

/* options.c. 0, or a status + 1 to exit with at once (help and lists were printed). */
int cli_parse(struct cli *cli, int argc, char **argv);
void cli_done(struct cli *cli);
void cli_usage(FILE *out, const struct command *command);
void cli_help(FILE *out);
/* Help, wrapped at 80 columns: `used` columns of the line are taken, the text begins at
 * `column`. */
void cli_wrapped(FILE *out, size_t used, size_t column, const char *text);
const struct command *cli_command(const char *name);
extern const struct command *const commands[];				/* NULL ends it */
const char *cli_nearest(const char *word, const char *const *names);	/* NULL: none is near */

/* One line on stderr, escaped: "vmatlas: ITEM: reason". Returns STATUS_FAILED, or STATUS_USAGE
 * for ERROR_USAGE. A closed pipe is not worth a line. */
int cli_error(const struct error *error);
int cli_usage_error(const struct cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* target.c */
int cli_source(struct cli *cli, struct error *error);		/* live, or --from; kept in cli */
void cli_set_reader(bool live);		/* what a missing right is said to be due to */
/* The process that one operand names; cli_source() came before. Writes the candidates of an
 * ambiguous name. */
int cli_pid(struct cli *cli, const char *word, pid_t *pid, struct error *error);
/* How many processes have this name. */
int cli_named(struct cli *cli, const char *name, size_t *count, struct error *error);
/* PIDs that the operands name, in their order, each once; the caller frees *pids. A snapshot
 * without a PID operand gives what it holds. Writes the candidates of an ambiguous name. */
int cli_pids(struct cli *cli, pid_t **pids, size_t *count, struct error *error);

/*
 * The usual frame of a command: for each process the operands name, opens it, begins a document
 * of that schema ("vmatlas/map") on stdout, lets `one` fill it (starting with the process
 * object) and ends it. A failure of one process is told and the next one is done; the worst
 * status is returned. `one` returns 0 or negative with the record filled, or a positive exit
 * status such as STATUS_CONDITION.
 */
typedef int cli_one_fn(struct cli *cli, struct report *report, struct source_process *process,
		       struct error *error);
int cli_each_process(struct cli *cli, const char *schema, cli_one_fn *one);
/* The same for a command about none or several processes: one document, process NULL. */
int cli_one_document(struct cli *cli, const char *schema, cli_one_fn *one);
/* Of two statuses: failures outweigh the rest; among answers the larger number says more. */
int cli_worse(int a, int b);

/* A snapshot that contradicts itself is no answer, whatever of it could be shown: turns what came
 * of the answer into that failure. The frame does it for the source of the command. */
int cli_damage(struct source *source, int rc, struct error *error);

/* First step of `one` in commands that use the model: loads the process and writes its object
 * and warnings. The caller frees *loaded. */
int cli_load(struct report *report, struct source_process *process, unsigned needs,
	     struct process **loaded, struct error *error);
/* What moved since `before` is no longer where the answer says: a warning. Not of snapshots. */
int cli_warn_moved(struct report *report, const struct process *process,
		   const struct activity *before, struct error *error);
/* Do --vma and --range leave this VMA in? --vma is an address it holds, its name or the last
 * part of it (shell patterns allowed), a role, or the letter of a class. */
bool cli_wants_vma(const struct cli *cli, const struct process *process, const struct vma *vma);
bool cli_filters(const struct cli *cli);	/* was one of them given? */
/* ERROR_NOT_FOUND if they leave no VMA: an empty answer would look like a process without memory.
 * The process was classified. */
int cli_filter_check(const struct cli *cli, const struct process *process, struct error *error);

/* progress.c: a line on stderr for work of more than a second, when that is a
 * terminal and stdout is none. */
struct progress {
	const char *what;
	uint64_t next_us;
	bool shown;
	bool off;
};
void progress_init(struct progress *progress, const char *what);
void progress_step(struct progress *progress, uint64_t done, uint64_t total);
void progress_done(struct progress *progress);			/* wipes the line */

#endif
