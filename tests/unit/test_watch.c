// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/analyse/watch.h"
#include "vmatlas/render/report_watch.h"

static const struct {
	const char *text;
	enum watch_counter counter;
	enum watch_measure measure;
	enum watch_relation relation;
	int64_t number;
} good[] = {
	{ "copied>100M", WATCH_COPIED, MEASURE_VALUE, RELATION_ABOVE, 100ll << 20 },
	{ "rss >= 1.5G", WATCH_RSS, MEASURE_VALUE, RELATION_NOT_BELOW, 3ll << 29 },
	{ " rss<4096 ", WATCH_RSS, MEASURE_VALUE, RELATION_BELOW, 4096 },
	{ "pss<=2KiB", WATCH_PSS, MEASURE_VALUE, RELATION_NOT_ABOVE, 2048 },
	{ "swap==0", WATCH_SWAP, MEASURE_VALUE, RELATION_EQUAL, 0 },
	{ "swap=0B", WATCH_SWAP, MEASURE_VALUE, RELATION_EQUAL, 0 },
	{ "swap!=0", WATCH_SWAP, MEASURE_VALUE, RELATION_NOT_EQUAL, 0 },
	{ "delta.copied>1T", WATCH_COPIED, MEASURE_DELTA, RELATION_ABOVE, 1ll << 40 },
	{ "delta.rss<-10M", WATCH_RSS, MEASURE_DELTA, RELATION_BELOW, -10 * (1ll << 20) },
	{ "rss/s > 10M", WATCH_RSS, MEASURE_RATE, RELATION_ABOVE, 10ll << 20 },
	{ "faults/s>1000", WATCH_FAULTS, MEASURE_RATE, RELATION_ABOVE, 1000 },
	{ "vmas>60000", WATCH_VMAS, MEASURE_VALUE, RELATION_ABOVE, 60000 },
	{ "uss>0.5K", WATCH_USS, MEASURE_VALUE, RELATION_ABOVE, 512 },
	{ "rss>9223372036854775807", WATCH_RSS, MEASURE_VALUE, RELATION_ABOVE, INT64_MAX },
	{ "rss>0.9999999999999999999999K", WATCH_RSS, MEASURE_VALUE, RELATION_ABOVE, 1023 },
};

static const char *const bad[] = {
	"", ">", "rss", "rss>", ">1", "rss>>1", "rss>1>2", "rss=>1", "rss>1X", "rss>1 M", "rss>-1",
	"rss>+1", "rss>1.M", "rss>.5M", "rss>1.5", "rss>1,5M", "rss>0x10", "rss > ", "RSS>1",
	"delta>1", "delta.>1", "delta.rss/s>1", "rss/m>1", "/s>1", "nonsense>1", "vmas>1K",
	"rss>9223372036854775808", "rss>99999999999999999999999", "rss>8388608T", "rss>9000000G9",
	"delta.rss>--1", "rss>1MM", "rss>1KB", "rss>1\n2", "rss!1", "!=1", "rss>1e9",
	"rss<>1", "rss>nan", "rss>%d%n%s", "delta.delta.rss>1", "faults>1.5", "faults>1B",
};

static void test_conditions(void)
{
	struct watch_condition condition;
	struct error error;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		error = (struct error) ERROR_INIT;
		if (watch_condition_parse(span_of(good[i].text), &condition, &error) < 0) {
			printf("%s: %s\n", good[i].text, error.text);
			test_failures++;
			continue;
		}
		CHECK_U64(condition.counter, good[i].counter);
		CHECK_U64(condition.measure, good[i].measure);
		CHECK_U64(condition.relation, good[i].relation);
		CHECK_U64((uint64_t)condition.number, (uint64_t)good[i].number);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		error = (struct error) ERROR_INIT;
		if (watch_condition_parse(span_of(bad[i]), &condition, &error) >= 0 ||
		    error.code != ERROR_USAGE || !error.text[0]) {
			printf("\"%s\" was taken\n", bad[i]);
			test_failures++;
		}
	}
}

/* Any bytes: taken or refused, but never read behind their end. */
static void test_damaged(void)
{
	unsigned state = 1;

	for (int round = 0; round < 200000; round++) {
		const char *seed = good[round % ARRAY_SIZE(good)].text;
		size_t len = strlen(seed);
		char *text = malloc(len + 1);
		struct watch_condition condition;

		memcpy(text, seed, len);
		for (int i = 0; len && i < 1 + round % 3; i++) {
			state = state * 1103515245u + 12345u;
			text[(state >> 16) % len] = (char)(state >> 8);
		}
		state = state * 1103515245u + 12345u;
		len = (state >> 16) % (len + 1);
		text = realloc(text, len ? len : 1);
		watch_condition_parse((struct span) { text, len }, &condition, NULL);
		free(text);
	}
}

static void test_met(void)
{
	struct watched watched = { .pid = 1 };
	struct watch_condition condition;
	int64_t number = 0;

	watched.first = (struct watch_sample) { .number = 1, .value[WATCH_RSS] = 1000 };
	watched.before = (struct watch_sample) {
		.number = 2, .at_us = 5000000, .value[WATCH_RSS] = 3000,
	};
	watched.now = (struct watch_sample) {
		.number = 3, .at_us = 5500000, .value[WATCH_RSS] = 2000, .gap[WATCH_PSS] = GAP_GONE,
	};
	CHECK(watch_condition_parse(span_of("rss>1999"), &condition, NULL) == 0);
	CHECK(watch_condition_met(&condition, &watched, &number) == 1 && number == 2000);
	CHECK(watch_condition_parse(span_of("rss>2000"), &condition, NULL) == 0);
	CHECK(watch_condition_met(&condition, &watched, &number) == 0);
	CHECK(watch_condition_parse(span_of("delta.rss==1000"), &condition, NULL) == 0);
	CHECK(watch_condition_met(&condition, &watched, &number) == 1 && number == 1000);
	CHECK(watch_condition_parse(span_of("rss/s==-2000"), &condition, NULL) == 0);
	CHECK(watch_condition_met(&condition, &watched, &number) == 1 && number == -2000);
	CHECK(watch_condition_parse(span_of("pss>=0"), &condition, NULL) == 0);
	CHECK(watch_condition_met(&condition, &watched, &number) < 0);
	watched.before.number = 0;
	CHECK(watch_condition_parse(span_of("rss/s<0"), &condition, NULL) == 0);
	CHECK(watch_condition_met(&condition, &watched, &number) < 0);
	watched.event = WATCH_EXIT;
	CHECK(watch_condition_parse(span_of("rss>0"), &condition, NULL) == 0);
	CHECK(watch_condition_met(&condition, &watched, &number) < 0);
}

static void test_times(void)
{
	uint64_t ms;

	CHECK(watch_time_parse(span_of("250ms"), &ms) && ms == 250);
	CHECK(watch_time_parse(span_of("2"), &ms) && ms == 2000);
	CHECK(watch_time_parse(span_of("1.5s"), &ms) && ms == 1500);
	CHECK(watch_time_parse(span_of("5m"), &ms) && ms == 300000);
	CHECK(watch_time_parse(span_of("1h"), &ms) && ms == 3600000);
	CHECK(!watch_time_parse(span_of("1d"), &ms) && !watch_time_parse(span_of("s"), &ms));
	CHECK(!watch_time_parse(span_of("-1s"), &ms) && !watch_time_parse(span_of(""), &ms));
}

/* However many samples there are: the curve has all of them, in few points. */
static void test_curve(void)
{
	static struct watch_curve curve;

	for (uint64_t i = 0; i < 1000000; i++)
		watch_curve_add(&curve, i == 700000 ? 5000000 : i);
	CHECK_U64(curve.samples, 1000000);
	CHECK_U64(curve.first, 0);
	CHECK_U64(curve.last, 999999);
	CHECK_U64(curve.least, 0);
	CHECK_U64(curve.most, 5000000);
	CHECK(curve.count > WATCH_POINTS / 2 && curve.count <= WATCH_POINTS);
	CHECK_U64(curve.points[curve.count - 1], 999999);
	CHECK_U64(curve.points[700000 / curve.span], 5000000);
}

int main(void)
{
	test_conditions();
	test_damaged();
	test_met();
	test_times();
	test_curve();
	TEST_END;
}
