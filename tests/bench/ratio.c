// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ratio [-n RUNS] GENERATOR ARG... -- COMMAND ARG... -- COMMAND ARG... [-- COMMAND ARG...]
 *
 * Starts a workload generator, waits for its "ready pid=N" line, runs the commands in turn RUNS
 * times on the live workload ({PID}: the generator, {KID}: its first child), output to the null
 * device, and prints for each the medians of wall time and CPU time (user and system), the ratio
 * of both to the last one, the yardstick, and the peak RSS. On a machine that does other work the
 * CPU time is the steadier one. One warm-up round is not counted. Exit 1 if a command fails.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 8
#define RUNS_MAX 101

struct command {
	char **argv;
	double wall[RUNS_MAX];
	double cpu[RUNS_MAX];
	long peak_kib;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double cpu_ms(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

static pid_t generator_start(char **argv, long *ready)
{
	int out[2];
	char line[512];
	pid_t pid;
	FILE *f;

	if (pipe2(out, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		dup2(out[1], 1);
		execvp(argv[0], argv);
		die(argv[0]);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "ready pid=%ld", ready) == 1)
			return pid;
	fprintf(stderr, "%s ended before it was ready\n", argv[0]);
	exit(1);
}

static long first_child(long pid)
{
	char path[64];
	long kid = pid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%ld", &kid) != 1)
		kid = pid;
	if (f)
		fclose(f);
	return kid;
}

/* Replaces {PID} and {KID}, in place of the word. */
static void fill_in(char **argv, long pid, long kid)
{
	for (; *argv; argv++) {
		char *at = strstr(*argv, "{PID}"), *word;
		long value = pid;

		if (!at) {
			at = strstr(*argv, "{KID}");
			value = kid;
		}
		if (!at)
			continue;
		if (asprintf(&word, "%.*s%ld%s", (int)(at - *argv), *argv, value, at + 5) < 0)
			die("asprintf");
		*argv = word;
	}
}

static int run_once(struct command *c, int round)
{
	struct rusage usage;
	double begin = now_ms();
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execvp(c->argv[0], c->argv);
		die(c->argv[0]);
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		die("wait4");
	if (round >= 0) {
		c->wall[round] = now_ms() - begin;
		c->cpu[round] = cpu_ms(&usage);
	}
	if (usage.ru_maxrss > c->peak_kib)
		c->peak_kib = usage.ru_maxrss;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *times, int runs)
{
	qsort(times, runs, sizeof(*times), compare);
	return times[runs / 2];
}

static void print_results(struct command *commands, int count, int runs)
{
	double yard_wall = median(commands[count - 1].wall, runs);
	double yard_cpu = median(commands[count - 1].cpu, runs);

	puts("    wall ms   ratio   CPU ms   ratio  peak MiB  command");
	for (int i = 0; i < count; i++) {
		double wall = median(commands[i].wall, runs), cpu = median(commands[i].cpu, runs);

		printf("%11.1f %7.3f %8.1f %7.3f %9.1f ", wall, wall / yard_wall, cpu,
		       cpu / yard_cpu, commands[i].peak_kib / 1024.0);
		for (char **word = commands[i].argv; *word; word++)
			printf(" %s", *word);
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	static struct command commands[COMMANDS_MAX];
	int count = 0, runs = 9, failed = 0, at = 1;
	long ready = 0, kid;
	pid_t generator;

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		runs = atoi(argv[2]);
		at = 3;
	}
	for (int i = at; i < argc; i++)
		if (!strcmp(argv[i], "--") && count < COMMANDS_MAX) {
			argv[i] = NULL;
			commands[count++].argv = argv + i + 1;
		}
	if (count < 1 || runs < 1 || runs > RUNS_MAX) {
		fprintf(stderr,
			"use: ratio [-n RUNS] GENERATOR ARG... -- COMMAND... -- YARDSTICK...\n");
		return 2;
	}
	generator = generator_start(argv + at, &ready);
	kid = first_child(ready);
	for (int i = 0; i < count; i++)
		fill_in(commands[i].argv, ready, kid);
	for (int round = -1; round < runs; round++)
		for (int i = 0; i < count; i++)
			failed |= run_once(&commands[i], round) < 0;
	kill(generator, SIGTERM);
	waitpid(generator, NULL, 0);
	print_results(commands, count, runs);
	if (failed)
		fprintf(stderr, "a command failed\n");
	return failed;
}
