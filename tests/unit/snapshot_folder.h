/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_UNIT_SNAPSHOT_FOLDER_H
#define TESTS_UNIT_SNAPSHOT_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A snapshot made by hand, in a folder of our own. */
static char snapshot_folder[] = "/tmp/vmatlas-snapshot-XXXXXX";

static inline const char *snapshot_path(const char *name)
{
	static char path[4][256];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", snapshot_folder, name);
	return path[next];
}

static inline void snapshot_put_bytes(const char *name, const char *text, size_t len)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s", snapshot_path(name));
	for (char *slash = path + strlen(snapshot_folder) + 1; (slash = strchr(slash, '/'));
	     *slash++ = '/') {
		*slash = '\0';
		mkdir(path, 0700);
	}
	file = fopen(path, "w");
	if (!file || fwrite(text, 1, len, file) != len || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static inline void snapshot_put(const char *name, const char *text)
{
	snapshot_put_bytes(name, text, strlen(text));
}

static int snapshot_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void snapshot_remove(const char *name)
{
	nftw(snapshot_path(name), snapshot_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void snapshot_make(void)
{
	if (!mkdtemp(snapshot_folder)) {
		perror(snapshot_folder);
		exit(1);
	}
}

#endif
