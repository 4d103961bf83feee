// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pagecheck: reads what memstate printed on stdin and holds every page of it
 * against smaps, pagemap, PAGEMAP_SCAN, kpageflags and kpagecount. Slow and
 * plain on purpose, and shares no code with what it checks. Needs root.
 * Exit 0: all as said; 1: not; 99: could not look.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BIT(n) (UINT64_C(1) << (n))

enum page_bit {
	KPF_IS_ANON = 12,
	KPF_IS_HUGETLB = 17,
	KPF_IS_KSM = 21,
	KPF_IS_ZERO = 24,
	KPF_IS_EXCLUSIVE = 34,
};

struct vma {
	uint64_t start, end;
	char perms[5];
	uint64_t inode;
	char name[256];
	bool pfn_map;
};

struct page {
	uint64_t entry, flags, count;
	bool huge;
	bool mapped;
	struct vma vma;
};

static int pagemap_fd = -1, flags_fd, count_fd;
static pid_t pid;
static unsigned long pages_seen, errors;

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static int open_or_die(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static uint64_t word(int fd, uint64_t index)
{
	uint64_t value = 0;

	if (pread(fd, &value, sizeof(value), index * sizeof(value)) < 0)
		die("pread");
	return value;
}

static void process_open(pid_t new)
{
	char path[64];

	pid = new;
	if (pagemap_fd >= 0)
		close(pagemap_fd);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap_fd = open_or_die(path);
}

static bool vma_line(const char *line, struct vma *vma)
{
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64 " %n", &vma->start,
		   &vma->end, vma->perms, &vma->inode, &name) < 4)
		return false;
	snprintf(vma->name, sizeof(vma->name), "%s", line + name);
	vma->name[strcspn(vma->name, "\n")] = '\0';
	vma->pfn_map = !strcmp(vma->name, "[vsyscall]");
	return true;
}

/* The VMA of smaps that holds addr, with its "VmFlags: rd ex mr pf ..." */
static bool vma_find(uint64_t addr, struct vma *vma)
{
	char path[64], line[512];
	bool inside = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	file = fopen(path, "re");
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file)) {
		if (inside && !strncmp(line, "VmFlags:", 8)) {
			vma->pfn_map |= strstr(line, " pf") != NULL;
			break;
		}
		if (!inside && vma_line(line, vma))
			inside = addr >= vma->start && addr < vma->end;
	}
	fclose(file);
	return inside;
}

struct scan_region {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, anyof, result;
};

static bool is_huge(uint64_t addr)
{
	struct scan_region region;
	struct scan scan = {
		.size = sizeof(scan), .start = addr, .end = addr + 4096,
		.vec = (uintptr_t)&region, .vec_len = 1, .mask = BIT(6), .result = BIT(6),
	};

	return ioctl(pagemap_fd, _IOWR('f', 16, struct scan), &scan) == 1;
}

static void page_read(uint64_t addr, struct page *page)
{
	uint64_t frame;

	if (!page->mapped || addr < page->vma.start || addr >= page->vma.end)
		page->mapped = vma_find(addr, &page->vma);
	page->entry = page->flags = page->count = 0;
	page->huge = false;
	if (!page->mapped || page->vma.pfn_map)
		return;
	page->entry = word(pagemap_fd, addr / 4096);
	if (!(page->entry & BIT(63)))
		return;
	frame = page->entry & (BIT(55) - 1);
	page->flags = word(flags_fd, frame);
	page->count = word(count_fd, frame);
	page->huge = is_huge(addr) || page->flags & BIT(KPF_IS_HUGETLB);
}

static const char *state_absent(uint64_t entry)
{
	unsigned int type = entry & 31;

	if (!(entry & BIT(62)))
		return "untouched";
	if (entry & BIT(58))
		return "guard";
	if (type == 31)
		return "marker";
	return type <= 21 ? "swap" : "migrating";
}

static const char *state_file(const struct vma *vma)
{
	if (!strncmp(vma->name, "anon_inode:", 11) || !strncmp(vma->name, "socket:", 7))
		return "kernel";
	if (vma->perms[3] == 's') /* inode 0 too: the SysV segment with id 0 */
		return "object";
	return vma->inode ? "file" : "kernel";
}

static const char *state_anon(const struct page *page)
{
	bool file = (page->vma.inode && strncmp(page->vma.name, "/dev/zero", 9) &&
		     strncmp(page->vma.name, "/anon_hugepage", 14)) ||
		    !strcmp(page->vma.name, "[vdso]");	/* the kernel's page, copied */

	if (page->count > 1)
		return file ? "copy-shared" : "anon-shared";
	return file ? "copy" : "anon";
}

static const char *state_of(const struct page *page)
{
	if (!page->mapped)
		return "unmapped";
	if (page->vma.pfn_map)
		return "opaque";
	if (!(page->entry & BIT(63)))
		return state_absent(page->entry);
	if (page->flags & BIT(KPF_IS_ZERO))
		return "zero";
	if (page->flags & BIT(KPF_IS_KSM))
		return "ksm";
	if (page->entry & BIT(61))
		return state_file(&page->vma);
	return state_anon(page);
}

static void differ(uint64_t addr, const char *what, const char *said, const char *seen)
{
	if (errors++ < 20)
		printf("  %d 0x%" PRIx64 ": %s said %s, seen %s\n", pid, addr, what, said, seen);
}

static void check_attr(uint64_t addr, const struct page *page, const char *key, const char *said)
{
	bool anon = page->flags & BIT(KPF_IS_ANON) && !(page->flags & BIT(KPF_IS_KSM));
	char seen[24];

	if (!strcmp(key, "leaf"))
		snprintf(seen, sizeof(seen), "%s", page->huge ? "2M" : "4K");
	else if (!strcmp(key, "mappings"))
		snprintf(seen, sizeof(seen), "%" PRIu64, page->count);
	else if (!strcmp(key, "exclusive") && (anon || strcmp(said, "null")))
		snprintf(seen, sizeof(seen), "%s",
			 page->flags & BIT(KPF_IS_EXCLUSIVE) ? "true" : "false");
	else
		return;
	/* a tail shows its head's bit: nothing to hold "null" against */
	if (strcmp(seen, said) && strcmp(said, "null"))
		differ(addr, key, said, seen);
}

static void check_page(uint64_t addr, struct page *page, const char *state, const char *attrs)
{
	char copy[512], *save = NULL, *attr, *value;

	page_read(addr, page);
	pages_seen++;
	if (strcmp(state, state_of(page)))
		differ(addr, "state", state, state_of(page));
	snprintf(copy, sizeof(copy), "%s", attrs);
	for (attr = strtok_r(copy, " \n", &save); attr; attr = strtok_r(NULL, " \n", &save)) {
		value = strchr(attr, '=');
		if (!value)
			continue;
		*value++ = '\0';
		check_attr(addr, page, attr, value);
	}
}

/* "expect 0x7f... 0x7f... anon leaf=4K mappings=1" */
static bool check_line(const char *line)
{
	struct page page = {0};
	uint64_t start, end;
	char state[32];
	int new, attrs = 0;

	if (sscanf(line, "ready pid=%d", &new) == 1 || sscanf(line, "pid %d", &new) == 1 ||
	    sscanf(line, "child %d", &new) == 1)
		process_open(new);
	if (sscanf(line, "expect %" SCNx64 " %" SCNx64 " %31s%n", &start, &end, state,
		   &attrs) == 3)
		for (uint64_t addr = start; addr < end; addr += 4096)
			check_page(addr, &page, state, line + attrs);
	return strcmp(line, "end\n") != 0;
}

int main(void)
{
	char line[1024];

	flags_fd = open_or_die("/proc/kpageflags");
	count_fd = open_or_die("/proc/kpagecount");
	do {
		if (!fgets(line, sizeof(line), stdin)) {
			fputs("pagecheck: input ends before \"end\"\n", stderr);
			return 99;
		}
	} while (check_line(line));
	printf("%lu pages, %lu differ\n", pages_seen, errors);
	return errors != 0;
}
