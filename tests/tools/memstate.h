/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by memstate and access: factories that put the calling process (and
 * children it forks) into a known memory state and say what was built.
 *
 * Nothing here comes from vmatlas: the programs are the other side of the test.
 */
#ifndef TESTS_TOOLS_MEMSTATE_H
#define TESTS_TOOLS_MEMSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE ((size_t)4096)
#define HUGE ((size_t)2 << 20)
#define CODE 0xc3 /* x86 "ret": pages filled with it can be jumped to */

enum exit_code {
	EXIT_SKIP = 77,
	EXIT_FRAMEWORK = 99,
};

/*
 * A state: make() builds it and describes it with expect() and expect_line().
 * needs is for people: "root", or the kernel feature that is probed by make().
 */
struct state {
	const char *name;
	const char *description;
	const char *needs;
	void (*make)(void);
};

/* A run of pages of one process, as said by a factory. */
struct run {
	pid_t pid;
	uint64_t start;
	uint64_t end;
	const char *state; /* state word of the page, or "unmapped" */
	const char *attrs; /* "key=value ..." */
};

/* Attributes that many runs have. "none" needs no fault; a write to it is "in-place". */
#define ATTR_UNTOUCHED "next_read=zero next_write=allocate"
#define ATTR_ZERO "leaf=4K mappings=0 exclusive=null next_read=none next_write=allocate"
#define ATTR_OWN "leaf=4K mappings=1 exclusive=true next_read=none next_write=in-place"
#define ATTR_OWN_EXEC ATTR_OWN " next_exec=segv-access"
#define ATTR_LAST "leaf=4K mappings=1 exclusive=false next_read=none next_write=in-place"
#define ATTR_COW "leaf=4K mappings=2 exclusive=false next_read=none next_write=copy"
#define ATTR_FILE "leaf=4K mappings=1 exclusive=null next_read=none next_write=copy"
#define ATTR_FILE2 "leaf=4K mappings=2 exclusive=null next_read=none next_write=copy"
#define ATTR_FILE_NEW "next_read=map next_write=copy"
#define ATTR_OBJECT "leaf=4K mappings=1 exclusive=null next_read=none next_write=in-place"
#define ATTR_OBJECT2 "leaf=4K mappings=2 exclusive=null next_read=none next_write=in-place"
#define ATTR_OBJECT_NEW "next_read=map next_write=map"
#define ATTR_SWAP "next_read=read-in next_write=read-in"
#define ATTR_UNMAPPED "next_read=segv-unmapped next_write=segv-unmapped next_exec=segv-unmapped"

/* The tables of the state_*.c files, each ended by an entry without name. */
extern const struct state anon_states[], fork_states[], file_states[], shared_states[],
	huge_states[], hugetlb_states[], system_states[], uffd_states[], layout_states[],
	special_states[], tables_states[], process_states[];

/* state_table.c */
const struct state *state_find(const char *name);
void state_list(void);

/* report.c: what was built. expect() is about the calling process. */
void expect(const void *start, size_t pages, const char *state, const char *attrs);
void expect_in(pid_t pid, const void *start, size_t pages, const char *state, const char *attrs);
/* Another line about a range: "WORD START END " and the formatted text; no range if start is
 * NULL */
void expect_line(const void *start, size_t len, const char *word, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* format gives "CLASS ROLE [tid=N] [path=...]" */
#define expect_vma(start, len, ...) expect_line(start, len, "vma", __VA_ARGS__)
const struct run *run_get(size_t index);
void report_print(void);

/* process.c: ends, children, own maps */
void die(const char *what) __attribute__((noreturn));
void skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Stay on this CPU, with all children */
void cpu_keep(void);
/* Fork; the child does fn(arg), says so, then sleeps until this process ends. */
pid_t child_start(void (*fn)(void *arg), void *arg);
/* For fn of a child that does not return */
void child_ready(void);
/* A process made in another way, to be ended with the rest */
void child_adopt(pid_t pid);
void child_end(pid_t pid);
void children_end(void);

/* The VMA of /proc/self/maps that holds addr; false if there is none. */
struct vma_line {
	uint64_t start;
	uint64_t end;
	char perms[5];
	char name[256];
};
bool vma_at(uint64_t addr, struct vma_line *out);
bool vma_named(const char *name, struct vma_line *out);

/* map.c: mappings with a hole on both sides, refusing huge pages unless aligned to HUGE */
void *map_place(size_t len, size_t align);
void *map_new(size_t pages, int prot, int flags, int fd, off_t offset);
void *map_anon(size_t pages);
void *map_huge_area(size_t len);
void touch_read(const void *start, size_t pages);
void touch_write(void *start, size_t pages);
int file_new(size_t pages);	     /* unlinked file on a real file system, CODE everywhere */
const char *file_named(size_t pages); /* the same with a name; removed by the guardian */
const char *scratch_dir(void);

/* own page tables, for factories that must wait for the kernel */
uint64_t page_entry(const void *addr);
uint64_t page_frame(const void *addr);
bool page_swapped(const void *addr);
bool page_huge(const void *addr);
uint64_t frame_flags(uint64_t frame);
uint64_t frame_count(uint64_t frame);

/*
 * guardian.c: a process that makes changes to the system for us and undoes
 * them, in reverse, when this process ends in whatever way.
 */
int guardian_main(void);
void guardian_set(const char *path, const char *value);
void guardian_add(const char *path, long more);
void guardian_remove(const char *path);
void guardian_swap(const char *path);
void guardian_end(void);

/* state_uffd.c: the descriptor of the state, -1 if it has none */
extern int uffd_descriptor;

#endif
