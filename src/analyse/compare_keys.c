// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

/* FNV-1a. Names are hostile, but a collision only pairs two ranges wrongly. */
#define HASH_START 0xcbf29ce484222325ull
#define HASH_PRIME 0x100000001b3ull

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *at = data;

	while (len--)
		hash = (hash ^ *at++) * HASH_PRIME;
	return hash;
}

static uint64_t hash_number(uint64_t hash, uint64_t value)
{
	return hash_bytes(hash, &value, sizeof(value));
}

static uint64_t hash_end(uint64_t hash)
{
	return hash ? hash : 1;
}

static uint64_t hash_name(uint64_t hash, const struct object *object)
{
	return hash_bytes(hash, object->name, object->name_len);
}

/* A file or another object with offsets of its own. */
static bool has_offsets(const struct object *object)
{
	return object && object->name[0] != '[';
}

uint64_t compare_key_object(const struct matcher *matcher, enum compare_side side,
			    const struct compare_range *range)
{
	const struct vma *vma = matcher_vma(matcher, side, range);
	const struct object *object = vma_object(matcher->process[side], vma);

	if (!has_offsets(object) || vma_is_private_anon(vma))
		return 0;
	return hash_end(hash_number(hash_name(HASH_START, object), vma->perms & VMA_SHARED));
}

uint64_t compare_key_exact(const struct matcher *matcher, enum compare_side side,
			   const struct compare_range *range)
{
	const struct vma *vma = matcher_vma(matcher, side, range);
	uint64_t hash = compare_key_object(matcher, side, range);

	if (!hash)
		return 0;
	hash = hash_number(hash_number(hash, vma->offset + (range->start - vma->start)),
			   vma->perms);
	return hash_end(hash_number(hash, range->end - range->start));
}

/* [heap] [stack] [vdso] [anon:NAME] */
static uint64_t key_name(const struct matcher *matcher, enum compare_side side,
			 const struct compare_range *range)
{
	const struct vma *vma = matcher_vma(matcher, side, range);
	const struct object *object = vma_object(matcher->process[side], vma);

	return object && object->name[0] == '[' ? hash_end(hash_name(HASH_START, object)) : 0;
}

static uint64_t key_name_perms(const struct matcher *matcher, enum compare_side side,
			       const struct compare_range *range)
{
	uint64_t hash = key_name(matcher, side, range);

	return hash ? hash_end(hash_number(hash, matcher_vma(matcher, side, range)->perms)) : 0;
}

static uint64_t hash_role(const struct vma *vma)
{
	return hash_number(hash_number(HASH_START, vma->role), vma->perms);
}

/* The zero-filled memory or hole of a file, by that file. */
static uint64_t key_owner(const struct matcher *matcher, enum compare_side side,
			  const struct compare_range *range)
{
	const struct process *process = matcher->process[side];
	const struct vma *vma = matcher_vma(matcher, side, range);
	const struct object *owner;

	if (vma->object != OBJECT_NONE || vma->owner == VMA_NONE)
		return 0;
	owner = vma_object(process, &process->vmas[vma->owner]);
	return owner ? hash_end(hash_name(hash_role(vma), owner)) : 0;
}

uint64_t compare_key_shape(const struct matcher *matcher, enum compare_side side,
			   const struct compare_range *range)
{
	const struct vma *vma = matcher_vma(matcher, side, range);

	if (compare_key_object(matcher, side, range))
		return 0;
	return hash_end(hash_number(hash_role(vma), range->end - range->start));
}

static uint64_t key_shape_place(const struct matcher *matcher, enum compare_side side,
				const struct compare_range *range)
{
	uint64_t hash = compare_key_shape(matcher, side, range);

	return hash ? hash_end(hash_number(hash, matcher->anchor[side][range->vma])) : 0;
}

static uint64_t key_role_place(const struct matcher *matcher, enum compare_side side,
			       const struct compare_range *range)
{
	const struct vma *vma = matcher_vma(matcher, side, range);

	if (compare_key_object(matcher, side, range))
		return 0;
	return hash_end(hash_number(hash_role(vma), matcher->anchor[side][range->vma]));
}

/* Roles of which the nth is likely to be the nth again, whatever its size. */
static const bool countable[ROLE_MAX] = {
	[ROLE_HEAP] = true, [ROLE_ARENA] = true, [ROLE_JIT] = true, [ROLE_STACK] = true,
	[ROLE_THREAD_STACK] = true, [ROLE_SHADOW_STACK] = true, [ROLE_GUARD] = true,
	[ROLE_RESERVED] = true, [ROLE_VDSO] = true, [ROLE_VVAR] = true,
};

static uint64_t key_role(const struct matcher *matcher, enum compare_side side,
			 const struct compare_range *range)
{
	const struct vma *vma = matcher_vma(matcher, side, range);

	return countable[vma->role] ? hash_end(hash_role(vma)) : 0;
}

/* From what is certain to what is likely. */
const struct compare_pass compare_passes[] = {
	{ key_name_perms, CERTAINTY_INFERRED },
	{ key_name, CERTAINTY_INFERRED },
	{ key_owner, CERTAINTY_INFERRED },
	{ key_shape_place, CERTAINTY_INFERRED },
	{ key_role_place, CERTAINTY_GUESS },
	{ compare_key_shape, CERTAINTY_GUESS },
	{ key_role, CERTAINTY_GUESS },
	{ NULL, CERTAINTY_UNKNOWN },
};

uint64_t *compare_anchors(const struct process *process)
{
	uint64_t *anchors = calloc(process->vma_count + 1, sizeof(*anchors));
	uint64_t last = 1;

	for (size_t i = 0; anchors && i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];
		const struct object *object = vma_object(process, vma);

		if (object)
			last = hash_number(hash_number(hash_name(HASH_START, object), vma->offset),
					   vma->perms);
		anchors[i] = last;
	}
	return anchors;
}
