// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"

#define TABLE_FIRST 64u

static const char *const kind_texts[] = {
	[KIND_FILE] = "file",
	[KIND_NAME] = "kernel",
	[KIND_SHARED_ANON] = "shared-anon",
	[KIND_DEV_ZERO] = "anon",
	[KIND_ANON_HUGETLB] = "hugetlb",
	[KIND_HUGETLB_FILE] = "hugetlb",
	[KIND_SYSV] = "sysv",
	[KIND_POSIX_SHM] = "shm",
	[KIND_MEMFD] = "memfd",
	[KIND_SECRETMEM] = "secretmem",
	[KIND_RING] = "ring",
	[KIND_ANON_INODE] = "kernel",
	[KIND_DEVICE] = "device",
	[KIND_TMPFS_FILE] = "tmpfs",
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static uint64_t object_hash(const struct maps_line *line)
{
	uint64_t hash = mix(line->inode ^ (uint64_t)line->major << 44 ^
			    (uint64_t)line->minor << 24);

	/* Without an inode the name is all there is. */
	for (size_t i = 0; !line->inode && i < line->name.len; i++)
		hash = mix(hash + (unsigned char)line->name.ptr[i]);
	return hash;
}

/* An inode has one name, whatever it is called in the mount namespace of each process. */
static bool is_object(const struct share_object *object, const struct maps_line *line)
{
	return object->inode == line->inode && object->major == line->major &&
	       object->minor == line->minor &&
	       (line->inode || span_equal(buf_span(&object->name), line->name));
}

static uint64_t group_hash(const struct share_group *group)
{
	return mix((uint64_t)group->object << 16 | (uint64_t)group->vma_class << 8 | group->role);
}

static bool is_group(const struct share_group *a, const struct share_group *b)
{
	return a->object == b->object && a->vma_class == b->vma_class && a->role == b->role;
}

static uint64_t object_hash_again(const struct share_object *object)
{
	struct maps_line line = { .inode = object->inode, .major = object->major,
				  .minor = object->minor, .name = buf_span(&object->name) };

	return object_hash(&line);
}

static void table_put(struct share_table *table, uint64_t hash, uint32_t number)
{
	size_t at = hash & (table->cap - 1);

	while (table->buckets[at])
		at = (at + 1) & (table->cap - 1);
	table->buckets[at] = number + 1;
	table->count++;
}

/* Room for one more; a larger table is empty and `grown` is set. */
static int table_reserve(struct share_table *table, bool *grown)
{
	size_t cap = table->cap ? table->cap * 2 : TABLE_FIRST;
	uint32_t *buckets;

	*grown = false;
	if (table->count * 2 < table->cap)
		return 0;
	buckets = calloc(cap, sizeof(*buckets));
	if (!buckets)
		return -ERROR_NOMEM;
	free(table->buckets);
	*table = (struct share_table) { .buckets = buckets, .cap = cap };
	*grown = true;
	return 0;
}

static int object_add(struct share_groups *groups, const struct maps_line *line)
{
	struct share *share = groups->share;
	struct share_object *object;
	bool grown;

	if (table_reserve(&groups->object_table, &grown) < 0 ||
	    array_grow((void **)&share->objects, &groups->object_cap, share->object_count,
		       sizeof(*object)) < 0)
		return -ERROR_NOMEM;
	for (size_t i = 0; grown && i < share->object_count; i++)
		table_put(&groups->object_table, object_hash_again(&share->objects[i]),
			  (uint32_t)i);
	object = &share->objects[share->object_count];
	*object = (struct share_object) {
		.inode = line->inode, .major = line->major, .minor = line->minor,
		.deleted = line->deleted, .newline_escape = line->newline_escape,
		.object_kind = (uint8_t)kind_of(&groups->mounts, line),
	};
	/* Under its own name, but shared: the object behind shared anonymous memory. */
	if (object->object_kind == KIND_DEV_ZERO && line->perms & VMA_SHARED)
		object->object_kind = KIND_SHARED_ANON;
	if (object->object_kind == KIND_SYSV)
		object->deleted_gap = GAP_NOT_READ;
	object->kind = kind_texts[object->object_kind];
	if (buf_add_span(&object->name, line->name) < 0)
		return -ERROR_NOMEM;
	table_put(&groups->object_table, object_hash(line), (uint32_t)share->object_count++);
	return 0;
}

/* [heap], [stack] and names that a process gave its own memory are no objects. */
static bool has_object(const struct maps_line *line)
{
	return line->inode || (line->name.len && !span_is(line->name, "[heap]") &&
			       !span_starts(line->name, "[stack") &&
			       !span_starts(line->name, "[anon"));
}

uint32_t share_object_find(const struct share_groups *groups, const struct maps_line *line)
{
	const struct share_table *table = &groups->object_table;
	size_t at = table->cap ? object_hash(line) & (table->cap - 1) : 0;

	for (; table->cap && table->buckets[at]; at = (at + 1) & (table->cap - 1))
		if (is_object(&groups->share->objects[table->buckets[at] - 1], line))
			return table->buckets[at] - 1;
	return OBJECT_NONE;
}

static int object_of(struct share_groups *groups, const struct maps_line *line, uint32_t *number)
{
	*number = OBJECT_NONE;
	if (!has_object(line))
		return 0;
	*number = share_object_find(groups, line);
	if (*number != OBJECT_NONE)
		return 0;
	*number = (uint32_t)groups->share->object_count;
	return object_add(groups, line);
}

static int group_add(struct share_groups *groups, const struct share_group *group)
{
	bool grown;

	if (table_reserve(&groups->group_table, &grown) < 0 ||
	    array_grow((void **)&groups->items, &groups->cap, groups->count,
		       sizeof(*groups->items)) < 0)
		return -ERROR_NOMEM;
	for (size_t i = 0; grown && i < groups->count; i++)
		table_put(&groups->group_table, group_hash(&groups->items[i]), (uint32_t)i);
	groups->items[groups->count] = *group;
	table_put(&groups->group_table, group_hash(group), (uint32_t)groups->count++);
	return 0;
}

uint32_t share_group_of(struct share_groups *groups, const struct maps_line *line,
			const struct share_vma *vma)
{
	const struct share_table *table = &groups->group_table;
	struct share_group group = {
		.vma_class = vma ? vma->vma_class : VMA_CLASS_MAX,
		.role = vma ? vma->role : ROLE_MAX,
	};
	size_t at;

	if (object_of(groups, line, &group.object) < 0)
		return UINT32_MAX;
	at = table->cap ? group_hash(&group) & (table->cap - 1) : 0;
	for (; table->cap && table->buckets[at]; at = (at + 1) & (table->cap - 1))
		if (is_group(&groups->items[table->buckets[at] - 1], &group))
			return table->buckets[at] - 1;
	return group_add(groups, &group) < 0 ? UINT32_MAX : (uint32_t)groups->count - 1;
}

void share_groups_done(struct share_groups *groups)
{
	free(groups->object_table.buckets);
	free(groups->group_table.buckets);
	free(groups->items);
	kind_mounts_done(&groups->mounts);
}
