// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sets of mappers: the same whatever the order, and tables that grow. */
#include "test.h"

#include "../../src/analyse/tally.h"

static struct tally_nodes nodes;

/* The set with these members, added by a thread of that number. */
static uint32_t set_of(const uint32_t *members, size_t count, unsigned thread)
{
	uint32_t set = TALLY_ANON;

	for (size_t i = 0; i < count; i++)
		set = tally_step(&nodes, set, members[i], thread);
	return set;
}

static void test_order(void)
{
	uint32_t up[] = { 0, 1, 2, 3 }, down[] = { 3, 2, 1, 0 }, mixed[] = { 2, 0, 3, 1 };
	uint32_t twice[] = { 0, 1, 1 }, other[] = { 0, 0, 1 };
	uint32_t set = set_of(up, 4, 0);

	CHECK_U64(set_of(down, 4, 1), set);
	CHECK_U64(set_of(mixed, 4, 0), set);
	CHECK_U64(set_of(up, 4, 1), set);
	CHECK(set_of(up, 3, 0) != set);
	CHECK(set_of(twice, 3, 0) != set_of(other, 3, 0));
	CHECK(set_of(twice, 3, 0) != set_of(twice, 2, 0));
	CHECK(tally_step(&nodes, TALLY_FILE, 0, 0) != tally_step(&nodes, TALLY_ANON, 0, 0));
}

/* All subsets of sixteen members, as a server with as many children has them. */
static void test_many(void)
{
	size_t before = nodes.count;
	uint32_t first[16];

	for (uint32_t i = 0; i < 16; i++)
		first[i] = 100 + i;
	for (unsigned pass = 0; pass < 2; pass++)
		for (uint32_t bits = 0; bits < 1u << 16; bits++) {
			uint32_t set = TALLY_ANON, count = 0, at;

			for (uint32_t i = 0; i < 16; i++)
				if (bits >> (pass ? 15 - i : i) & 1)
					set = tally_step(&nodes, set, first[pass ? 15 - i : i],
							 bits & 1);
			for (at = set; at >= TALLY_KIND_MAX; at = nodes.items[at].parent)
				count++;
			CHECK_U64(count, (uint64_t)__builtin_popcount(bits));
			CHECK_U64(at, TALLY_ANON);
		}
	CHECK_U64(nodes.count - before, (1u << 16) - 1);
	for (uint32_t i = TALLY_KIND_MAX; i < nodes.count; i++)
		CHECK(nodes.items[i].parent < i);
}

/* No set is made beyond the limit, but who is in the crowd is known. */
static void test_crowd(void)
{
	struct tally_nodes few;
	uint32_t first, second, set, joined = 0;

	CHECK(tally_nodes_init(&few, TALLY_KIND_MAX + 2) == 0);
	first = tally_step(&few, TALLY_FILE, 1, 0);
	second = tally_step(&few, first, 2, 0);
	set = tally_step(&few, second, 3, 0);
	CHECK(tally_is_crowd(&few.items[set]));
	CHECK_U64(few.items[set].parent, TALLY_FILE);
	CHECK(few.items[second].left);
	CHECK(!few.items[first].left);
	CHECK_U64(tally_step(&few, TALLY_FILE, 1, 1), first);
	for (uint32_t member = 3; member < 9; member++)
		for (unsigned thread = 0; thread < 2; thread++)
			CHECK_U64(tally_step(&few, set, member, thread), set);
	CHECK(tally_step(&few, TALLY_ANON, 1, 0) != set);
	for (uint32_t i = TALLY_KIND_MAX; i < few.count; i++)
		joined += few.items[i].parent == set;
	CHECK_U64(joined, 6);
	tally_nodes_done(&few);
}

/* A page of the crowd that says "mapped once" was not seen under any one PID. */
static void test_crowd_twin(void)
{
	struct tally_member member = { .space = 1 };
	struct tally_work works[2] = { { .twin = TALLY_NONE }, { .twin = TALLY_NONE } };
	struct tally tally = { .members = &member, .member_count = 1, .works = works };
	uint32_t set;

	CHECK(tally_nodes_init(&tally.nodes, TALLY_KIND_MAX + 1) == 0);
	set = tally_step(&tally.nodes, TALLY_FILE, 0, 0);
	tally_space_note(&tally, 0, set);
	CHECK(works[0].twin == 1 && works[0].twin_pages == 1);
	set = tally_step(&tally.nodes, set, 0, 0);
	CHECK(tally_is_crowd(&tally.nodes.items[set]));
	tally_space_note(&tally, 0, set);
	CHECK_U64(works[0].twin_pages, 1);
	tally_nodes_done(&tally.nodes);
}

static void test_slots(void)
{
	struct tally_slots slots = { NULL, 0, NULL, 0, 0 };
	uint64_t far = 1 << 20;

	CHECK(tally_slots_grow(&slots, 10) == 0);
	CHECK(slots.count >= 10 && slots.count % TALLY_BLOCK == 0);
	CHECK_U64(*tally_slot(&slots, 9), 0);
	*tally_slot_make(&slots, 9) = 7;
	CHECK(tally_slots_grow(&slots, far) == 0);
	CHECK(slots.count >= far);
	CHECK_U64(*tally_slot(&slots, 9), 7);
	CHECK_U64(*tally_slot(&slots, far - 1), 0);
	*tally_slot_make(&slots, far - 1) = 8;
	CHECK_U64(slots.used, 2);
	/* Words move when there are many blocks, and keep what they are. */
	for (uint64_t at = TALLY_BLOCK; at < far; at += TALLY_BLOCK)
		*tally_slot_make(&slots, at) = (uint32_t)at;
	for (uint64_t at = TALLY_BLOCK; at < far; at += TALLY_BLOCK)
		CHECK_U64(*tally_slot(&slots, at), at);
	CHECK_U64(*tally_slot(&slots, 9), 7);
	CHECK_U64(*tally_slot(&slots, far - 1), 8);
	CHECK_U64(slots.used, far / TALLY_BLOCK);
	tally_slots_done(&slots);
}

int main(void)
{
	if (tally_nodes_init(&nodes, 1u << 20) < 0)
		return 1;
	test_order();
	test_many();
	test_crowd();
	test_crowd_twin();
	test_slots();
	tally_nodes_done(&nodes);
	TEST_END;
}
