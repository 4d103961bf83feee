/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_SOURCE_SOURCE_H
#define VMATLAS_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/lines.h"
#include "vmatlas/base/names.h"
#include "vmatlas/base/quality.h"

/*
 * Where everything about processes comes from: the live /proc, or a recorded folder. Nothing
 * outside src/source opens anything of a process or of the system, and nothing here writes,
 * stops or signals. Bytes and 64-bit words leave as the kernel gave them; src/parse reads them.
 *
 * All functions return 0 or a negative value with the record filled.
 *
 * Threads: one source may be used by several, each with processes of its own; a process and its
 * streams belong to one thread at a time.
 *
 * A live process costs a descriptor, a second one when its map or pages are read, a third for
 * memory; who holds many open raises RLIMIT_NOFILE first.
 */

/* Texts of one process (or thread), by file name in /proc/PID. */
enum source_text {
	SOURCE_MAPS,
	SOURCE_SMAPS,
	SOURCE_SMAPS_ROLLUP,
	SOURCE_STATUS,
	SOURCE_STAT,
	SOURCE_STATM,
	SOURCE_COMM,
	SOURCE_LIMITS,
	SOURCE_NUMA_MAPS,
	SOURCE_AUXV,		/* binary */
	SOURCE_CMDLINE,		/* a read of target memory: only when the user asks */
	SOURCE_SYSCALL,
	SOURCE_CHILDREN,	/* of a thread: task/TID/children */
	SOURCE_CGROUP,
	/* /proc/sysvipc/shm, which is of our IPC namespace: ERROR_NOT_FOUND for a process in
	 * another one, whose segments have numbers of their own. */
	SOURCE_SYSV_SHM,
	SOURCE_TEXT_MAX
};

/* Its file name: "smaps_rollup". */
const char *source_text_name(enum source_text what);

/* Texts of the system. */
enum source_system_text {
	SOURCE_MAX_MAP_COUNT,	/* sys/vm/max_map_count */
	SOURCE_OVERCOMMIT,	/* sys/vm/overcommit_memory */
	SOURCE_CPUINFO,
	SOURCE_MEMINFO,
	SOURCE_SWAPS,
	SOURCE_THP_SIZE,	/* /sys/kernel/mm/transparent_hugepage/hpage_pmd_size */
	SOURCE_STACK_GUARD_GAP,	/* /proc/cmdline: the only place where it shows */
	SOURCE_MOUNTS,		/* self/mountinfo */
	SOURCE_KSM_SHARED,	/* /sys/kernel/mm/ksm/pages_shared: frames in use by KSM */
	SOURCE_CPUS_ONLINE,	/* /sys/devices/system/cpu/online: "0-3,8" */
	SOURCE_KERNEL_STAT,	/* /proc/stat: of the moment, never recorded */
	SOURCE_SYSTEM_TEXT_MAX
};

/* Arrays of one word per frame, indexed by PFN. */
enum source_frames {
	SOURCE_KPAGEFLAGS,
	SOURCE_KPAGECOUNT,
	SOURCE_KPAGECGROUP,
	SOURCE_FRAMES_MAX
};

/* What `access` in the JSON tells: one per thing that can be refused. Order of the contract. */
enum source_access {
	ACCESS_MAPS,
	ACCESS_SMAPS,
	ACCESS_SMAPS_ROLLUP,
	ACCESS_STATUS,
	ACCESS_STAT,
	ACCESS_AUXV,
	ACCESS_PAGEMAP,
	ACCESS_PAGEMAP_SCAN,
	ACCESS_KPAGEFLAGS,
	ACCESS_KPAGECOUNT,
	ACCESS_KPAGECGROUP,
	ACCESS_MAP_FILES,
	ACCESS_MEM,
	ACCESS_MAX
};

enum source_kind { SOURCE_KIND_LIVE, SOURCE_KIND_SNAPSHOT };

struct source_host {
	enum source_kind kind;
	char kernel[65];	/* uname release; "" if not recorded */
	char machine[65];	/* uname machine; "" if not recorded */
	uint32_t page_size;	/* bytes; 4096 assumed when not recorded (page_size_known false) */
	bool page_size_known;
	int64_t time;		/* seconds since 1970 of the recording or of opening */
	int64_t boot_time;	/* seconds since 1970 when the machine started, 0: not recorded */
	char boot_id[65];	/* of a snapshot, "" if not recorded; else see source_boot_id() */
	bool frames_visible;	/* pagemap shows PFNs (CAP_SYS_ADMIN of the opener) */
};

/* What reading cost so far. */
struct source_cost {
	uint64_t calls;		/* read, pread, ioctl and open calls on target files */
	uint64_t bytes;
};

struct source;			/* a system, live or recorded */
struct source_process;		/* one address space in it */

int source_live(struct source **source, struct error *error);
/* A folder that holds a recorded process: at least `maps`; beside it whatever was recorded
 * (`smaps status stat auxv limits numa_maps pagemap ...`). Everything else is
 * ERROR_NOT_RECORDED. A path to a maps text itself is also taken. */
int source_folder(struct source **source, const char *path, struct error *error);
void source_free(struct source *source);
DEFINE_CLEANUP(source_free, struct source)

/* The first damage that was found in a snapshot since the last call, as file and line: what was
 * answered is not to be trusted. False if there was none. Damage that was recorded as such is a
 * gap. */
bool source_take_damage(struct source *source, struct error *damage);
/* A text that has not the form of the kernel's: damage, if it is one that `record` wrote down. */
void source_text_damaged(struct source_process *process, enum source_text what,
			 const struct error *why);

/* How many threads one answer may use: 0 (and without the call) as many as there are processors.
 * source_parallel() tells; at least 1. */
void source_set_parallel(struct source *source, unsigned threads);
unsigned source_parallel(const struct source *source);

const struct source_host *source_host(const struct source *source);
const struct source_cost *source_cost(const struct source *source);

/* Ascending. The caller frees *pids. Snapshots list what they hold. */
int source_pids(struct source *source, pid_t **pids, size_t *count, struct error *error);

/* Users of this system, through its name service; a snapshot does not hold them. */
int source_user_id(struct source *source, const char *name, uint64_t *uid, struct error *error);
int source_user_name(struct source *source, uint64_t uid, struct buf *name, struct error *error);

/*
 * Opens one process. A TID is taken and names its process. If the thread-group leader has
 * exited (zombie with other threads alive) the files of a living thread are used and
 * source_process_tid() tells which. ERROR_NOT_FOUND when there is no such process.
 * For a snapshot of one process, pid 0 means "the recorded one".
 */
int source_process_open(struct source *source, pid_t pid, struct source_process **process,
			struct error *error);
void source_process_free(struct source_process *process);
DEFINE_CLEANUP(source_process_free, struct source_process)

pid_t source_process_pid(const struct source_process *process);	/* 0 if not recorded */
pid_t source_process_tid(const struct source_process *process);	/* whose files are read */
/* False: a kernel thread, or a zombie without threads, when it was opened. */
bool source_process_has_space(const struct source_process *process);
struct source *source_process_source(const struct source_process *process);

/* GAP_NOT_READ until somebody needed it, then GAP_NONE once it was ok, or the reason of the first
 * refusal. */
enum gap source_access(const struct source_process *process, enum source_access what);

/*
 * Still the same address space as at open (start time, and exec did not replace it)? 0, or
 * -ERROR_GONE / -ERROR_CHANGED. An exec of the same program at the same addresses is seen if
 * maps, smaps, numa_maps, auxv or pages were read before. A kernel thread passes; what needs an
 * address space is ERROR_NOT_FOUND for it, ERROR_GONE for a zombie.
 */
int source_process_check(struct source_process *process, struct error *error);

/* Ascending thread ids; the caller frees *tids. */
int source_threads(struct source_process *process, pid_t **tids, size_t *count,
		   struct error *error);

/*
 * A text as a stream for lines_init(): lines_init(&lines, source_stream_read, stream, chunk).
 * The kernel ends maps, smaps and numa_maps early when the address space goes: the read at the
 * end then fails with ERROR_GONE or ERROR_CHANGED, so a text that ended well is whole.
 */
struct source_stream;
int source_stream_open(struct source_process *process, enum source_text what,
		       struct source_stream **stream, struct error *error);
ssize_t source_stream_read(void *stream, void *data, size_t len, struct error *error);
struct source *source_stream_source(const struct source_stream *stream);
void source_stream_free(struct source_stream *stream);
DEFINE_CLEANUP(source_stream_free, struct source_stream)

/* A short text whole (up to 1 MiB, else ERROR_LIMIT), appended to text. tid 0: the process. */
int source_text(struct source_process *process, pid_t tid, enum source_text what,
		struct buf *text, struct error *error);
/* The same of a process that is not open, by the number that source_pids() gave: a third of the
 * work where one text of each of many processes is wanted. */
int source_pid_text(struct source *source, pid_t pid, enum source_text what, struct buf *text,
		    struct error *error);
int source_system_text(struct source *source, enum source_system_text what, struct buf *text,
		       struct error *error);
/* The link /proc/PID/exe, raw bytes, with the kernel's " (deleted)" if any. */
int source_exe(struct source_process *process, struct buf *path, struct error *error);
/* The number of one of its namespaces, which names it in this system: /proc/PID/ns. */
enum source_namespace { SOURCE_NAMESPACE_PID, SOURCE_NAMESPACE_MOUNT };
int source_namespace(struct source_process *process, enum source_namespace which,
		     uint64_t *inode, struct error *error);
/* The link of a VMA in /proc/PID/map_files: its name as in maps, but with newlines unescaped. */
int source_mapped_name(struct source_process *process, uint64_t start, uint64_t end,
		       struct buf *name, struct error *error);

/*
 * pagemap words of `count` pages from page index `first` (address / page size). *got is smaller
 * at the end of user space ([vsyscall] has no words) and only there: when the address space
 * went meanwhile the answer is ERROR_GONE or ERROR_CHANGED.
 */
int source_pagemap(struct source_process *process, uint64_t first, uint64_t *words, size_t count,
		   size_t *got, struct error *error);

/* Do the words from `page` on, up to *end, read as 0 because nothing is recorded there? Then they
 * need not be read: a snapshot may claim the largest of holes. Never said of a live process. */
bool source_pagemap_hole(struct source_process *process, uint64_t page, uint64_t *end);

/* PAGEMAP_SCAN, never with a flag that changes the target. Bits are enum scan_category of
 * parse/pagemap.h. Continue from *walked until it reaches end; neighbours with equal
 * categories may come apart. ERROR_NOT_IN_KERNEL before 6.7 and for categories
 * the kernel does not know. Nothing above user space; a range that crosses its end is
 * ERROR_USAGE. */
struct source_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct source_scan {
	uint64_t start;
	uint64_t end;
	uint64_t mask;		/* all of these */
	uint64_t inverted;	/* flipped before matching */
	uint64_t anyof;		/* at least one, 0 for no demand */
	uint64_t report;	/* returned in categories */
};

int source_pagemap_scan(struct source_process *process, const struct source_scan *scan,
			struct source_region *regions, size_t count, size_t *got,
			uint64_t *walked, struct error *error);

/* What the word of a frame is that a snapshot does not hold: a bit that no kernel sets, none of
 * the flags, and no count. */
#define SOURCE_FRAME_NOT_RECORDED (1ULL << 63)

/* `count` words from frame `first`; *got smaller at the end of physical memory. */
int source_frames(struct source *source, enum source_frames what, uint64_t first, uint64_t *words,
		  size_t count, size_t *got, struct error *error);
/* May that array be read at all? GAP_NONE or the reason. */
enum gap source_frames_access(struct source *source, enum source_frames what);
/* One more than the highest readable frame (rounded up to a section); 0 if it cannot be read. */
uint64_t source_frames_end(struct source *source);
/* What names this start of the kernel (/proc/sys/kernel/random/boot_id): frame numbers of two
 * sources mean the same where it is the same. "" where it cannot be told. */
const char *source_boot_id(struct source *source);
/* Does kpageflags show PageAnonExclusive as bit 34 of anonymous pages (5.19 and later)? Told from
 * a page of our own that only we can have; false where that cannot be read. */
bool source_exclusive_mark(struct source *source);
/* The frame of the zero page, 0 where that cannot be told. It is no memory of anybody: neither
 * in Rss nor counted by kpagecount. */
uint64_t source_zero_frame(struct source *source);

/*
 * Which address space a process has, to be compared with that of others, also of processes that
 * were closed meanwhile. Live this is kcmp(2): it reads two pointers of the kernel and touches
 * neither process. UNKNOWN without the right to ask, of a process that has ended, or in a
 * snapshot: equal spaces then show by pages that both map and that are mapped once.
 */
struct source_space {
	pid_t tid;
	uint64_t key;		/* differs: another space; equal: to be asked */
};

/* An order that has no meaning, but holds as long as they live. */
enum source_order {
	SOURCE_ORDER_UNKNOWN, SOURCE_ORDER_SAME, SOURCE_ORDER_BEFORE, SOURCE_ORDER_BEHIND
};

void source_process_space(const struct source_process *process, struct source_space *space);
enum source_order source_order_spaces(struct source *source, const struct source_space *a,
				      const struct source_space *b);

/*
 * Memory of the target through /proc/PID/mem. The caller guarantees that pagemap calls every
 * page of the range present: reading an absent page would populate it. *got may be short.
 */
int source_mem(struct source_process *process, uint64_t address, void *data, size_t len,
	       size_t *got, struct error *error);

/*
 * What a recording tells because it does not hold memory; a live source answers
 * ERROR_NOT_RECORDED, its memory is compared. How a copied page differs from its file: marks of
 * difference.h, one per byte, for the page with that number (address / page size).
 * ERROR_NOT_FOUND: it was not compared.
 */
int source_difference(struct source_process *process, uint64_t page, uint8_t *marks,
		      struct error *error);

/* Headers that malloc of glibc puts in front of its memory. */
enum source_malloc {
	SOURCE_MALLOC_BLOCK,	/* a block with a mapping of its own */
	SOURCE_MALLOC_HEAP,	/* a heap of an arena: its size is what is open of it */
	SOURCE_MALLOC_MAX
};

extern const struct name source_malloc_names[];	/* "block", "heap" */

/* Bytes that the header at the address tells, as recorded. ERROR_NOT_FOUND: there was none. */
int source_malloc_size(struct source_process *process, enum source_malloc what,
		       uint64_t address, uint64_t *size, struct error *error);

/* The file behind a VMA. */
struct source_file_key {
	uint64_t start;		/* of the VMA: names the map_files link */
	uint64_t end;
	uint64_t inode;
	uint32_t major;
	uint32_t minor;
	struct span path;	/* without " (deleted)" when deleted is true */
	bool deleted;
};

enum source_file_match {
	FILE_MATCH_MAPPED,	/* opened through map_files: the mapped file itself */
	FILE_MATCH_SAME,	/* by path; inode and device agree */
	FILE_MATCH_INODE,	/* by path; only the inode agrees (btrfs, overlayfs) */
	FILE_MATCH_OTHER	/* by path; not the mapped file: never trust it silently */
};

/* An opened file: what is known of it here, its bytes through source_file_read(). */
struct source_pieces;
struct recorded_cache;

/* Is the build-id of the file in the pages that the process maps? */
enum source_build_id { BUILD_ID_UNKNOWN, BUILD_ID_SAME, BUILD_ID_DIFFERS };

struct source_file {
	int fd;			/* read only, regular file; -1: it is recorded */
	enum source_file_match match;
	uint64_t size;
	uint64_t inode;
	uint32_t major;
	uint32_t minor;
	int64_t mtime;
	uint64_t links;		/* 0: the name is gone */

	/* What a recording tells because it cannot be looked up in the pieces that it holds. */
	struct source_pieces *pieces, *code;
	const struct recorded_cache *cache;
	enum source_build_id mapped_build_id;
	bool no_elf;		/* it was looked at: not an ELF file */
	bool has_sum;
	uint32_t sum;		/* CRC-32 of all of it, as .gnu_debuglink demands */
};

/*
 * Opens what is mapped, for source_file_free(): map_files first, then /proc/PID/root plus path,
 * each with O_PATH, compared with the key, demanded to be a regular file, and only then reopened
 * for reading (so a FIFO or device is never opened). A file on FUSE or a network file system is
 * ERROR_DENIED unless source_set_remote_files() allowed it; it is recognised by the device of
 * the key, before anything touches it. ERROR_USAGE: no regular file, or a name that is no path.
 * ERROR_CHANGED: another file, or none, is mapped there by now. Without start and end only the
 * name is tried. In a snapshot: the recorded copy.
 */
int source_file_open(struct source_process *process, const struct source_file_key *key,
		     struct source_file **file, struct error *error);
void source_file_free(struct source_file *file);
DEFINE_CLEANUP(source_file_free, struct source_file)
/* Bytes read, short at the end of the file; negative on failure. The only way to the bytes, so
 * that what a recording does not hold is ERROR_NOT_RECORDED, never zeroes. */
ssize_t source_file_read(const struct source_file *file, uint64_t offset, void *data, size_t len,
			 struct error *error);
/* Any file of this system by path, under the same rules (for `elf FILE`, debug files). With a
 * process, the path is looked up under that process's root. */
int source_path_open(struct source *source, struct source_process *process, const char *path,
		     struct source_file **file, struct error *error);
void source_set_remote_files(struct source *source, bool allowed);

/* Pages of a file, in base pages. */
struct source_cached {
	uint64_t pages;		/* in the page cache */
	uint64_t evicted;	/* were there, and of shared memory: are in swap */
};

/*
 * What of a range of an opened file the page cache holds, asked with cachestat(2) (6.5), which
 * loads nothing: a read without waiting (RWF_NOWAIT) would start read-ahead. hugetlb files cannot
 * be asked. ERROR_DENIED where the caller may neither write nor owns the file.
 */
int source_file_cached(struct source *source, const struct source_file *file, uint64_t offset,
		       uint64_t len, struct source_cached *cached, struct error *error);
/* Takes back what reading put into the page cache, in a range where nothing was cached before
 * (len 0: up to the end): whether the next access of the target is a major fault must not depend
 * on us. */
void source_file_forget(struct source *source, const struct source_file *file, uint64_t offset,
			uint64_t len);

#endif
