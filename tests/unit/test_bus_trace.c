/* bus: the ring of the last frames: many writers, readers by number who learn what they missed; also under the thread sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "bus/trace.h"

static void put_number(struct bus_trace *t, uint32_t line, uint32_t n, size_t len)
{
	uint8_t bytes[TRACE_BYTES_MAX];

	memset(bytes, (int)(n & 0xFF), sizeof(bytes));
	memcpy(bytes, &n, sizeof(n));
	trace_put(t, line, TRACE_RTU, TRACE_SENT, n, bytes, len);
}

/* A frame that put_number made. */
static void check_whole(const struct trace_entry *e)
{
	uint32_t n;

	memcpy(&n, e->bytes, sizeof(n));
	assert_int_equal(n, e->can_id);
	for (size_t i = sizeof(n); i < e->len; i++)
		if (e->bytes[i] != (n & 0xFF))
			fail_msg("frame %u: byte %zu is 0x%02X", n, i, e->bytes[i]);
}

static void a_frame_comes_back_as_it_was(void **state)
{
	static const uint8_t frame[] = {0x00, 0x01, 0x00, 0x00, 0x00, 0x06, 0x01, 0x03, 0x00, 0x10, 0x00, 0x02};
	struct bus_trace *t = trace_new(4);
	struct trace_entry e;
	uint64_t lost = 9;

	(void)state;
	assert_non_null(t);
	assert_int_equal(trace_newest(t), 0);
	assert_int_equal(trace_next(t, 0, &e, &lost), FC_ENOENT);
	trace_put(t, 7, TRACE_TCP, TRACE_SENT, 0, frame, sizeof(frame));
	trace_put_at(t, 8, TRACE_CAN, 0, 0x9826F456u, frame, 3, 1234567, 1700000000000001);
	trace_put(t, 7, TRACE_TCP, TRACE_THROWN, 0, NULL, 0);
	assert_int_equal(trace_newest(t), 3);
	assert_int_equal(trace_next(t, 0, &e, &lost), FC_OK);
	assert_int_equal(lost, 0);
	assert_int_equal(e.number, 1);
	assert_int_equal(e.line, 7);
	assert_int_equal(e.kind, TRACE_TCP);
	assert_int_equal(e.flags, TRACE_SENT);
	assert_int_equal(e.len, sizeof(frame));
	assert_memory_equal(e.bytes, frame, sizeof(frame));
	assert_true(e.mono_us > 0 && e.wall_us > 1500000000000000);
	assert_int_equal(trace_next(t, e.number, &e, &lost), FC_OK);
	assert_int_equal(e.can_id, 0x9826F456u);
	assert_int_equal(e.mono_us, 1234567);
	assert_int_equal(e.wall_us, 1700000000000001);
	assert_int_equal(e.len, 3);
	assert_int_equal(trace_next(t, 2, &e, &lost), FC_OK);
	assert_int_equal(e.len, 0);
	assert_int_equal(e.flags, TRACE_THROWN);
	assert_int_equal(trace_next(t, 3, &e, &lost), FC_ENOENT);
	/* Of a daemon that ran before. */
	assert_int_equal(trace_next(t, 1000, &e, &lost), FC_OK);
	assert_int_equal(e.number, 1);
	trace_free(t);
}

static void a_long_frame_is_cut_and_says_so(void **state)
{
	uint8_t long_one[2 * TRACE_BYTES_MAX];
	struct bus_trace *t = trace_new(1);
	struct trace_entry e;

	(void)state;
	memset(long_one, 0xA5, sizeof(long_one));
	trace_put(t, 1, TRACE_ASCII, 0, 0, long_one, TRACE_BYTES_MAX);
	trace_put(t, 1, TRACE_ASCII, 0, 0, long_one, sizeof(long_one));
	/* Both do not fit into so small a ring. */
	assert_int_equal(trace_next(t, 0, &e, NULL), FC_OK);
	assert_int_equal(e.number, 2);
	assert_int_equal(e.len, TRACE_BYTES_MAX);
	assert_int_equal(e.flags, TRACE_CUT);
	assert_memory_equal(e.bytes, long_one, TRACE_BYTES_MAX);
	trace_free(t);
}

/* Every length, often round the end of the ring. */
static void the_oldest_give_way(void **state)
{
	struct bus_trace *t = trace_new(3);
	struct trace_entry e;
	uint64_t lost;

	(void)state;
	for (uint32_t n = 1; n <= 5000; n++) {
		put_number(t, 1, n, 4 + n * 37 % (TRACE_BYTES_MAX - 3));
		uint64_t at = 0, kept = 0;
		size_t bytes = 0;
		while (!trace_next(t, at, &e, &lost)) {
			check_whole(&e);
			assert_int_equal(e.can_id, e.number);
			assert_true(!at || (e.number == at + 1 && !lost));
			at = e.number;
			bytes += 32u + e.len;
			kept++;
		}
		assert_int_equal(at, n);
		/* No more than was asked for, and not much less. */
		assert_in_range(bytes, n < 30 ? 1 : 3 * 1024 / 2, 3 * 1024);
		assert_true(kept >= 1);
	}
	trace_free(t);
}

static void who_falls_behind_learns_how_many_were_lost(void **state)
{
	struct bus_trace *t = trace_new(2);
	struct trace_entry e;
	uint64_t lost = 0;

	(void)state;
	for (uint32_t n = 1; n <= 10; n++)
		put_number(t, 1, n, 8);
	assert_int_equal(trace_next(t, 4, &e, &lost), FC_OK);
	assert_int_equal(e.number, 5);
	assert_int_equal(lost, 0);
	for (uint32_t n = 11; n <= 500; n++)
		put_number(t, 1, n, 8);
	assert_int_equal(trace_next(t, 5, &e, &lost), FC_OK);
	assert_true(e.number > 400);
	assert_int_equal(lost, e.number - 6);
	/* From the beginning nothing counts as lost: there is no telling what was wanted. */
	assert_int_equal(trace_next(t, 0, &e, &lost), FC_OK);
	assert_int_equal(lost, 0);
	trace_free(t);
}

static void off_and_other_sizes(void **state)
{
	struct bus_trace *t = trace_new(0);
	struct trace_entry e;
	uint64_t lost;

	(void)state;
	assert_non_null(t);
	put_number(t, 1, 1, 8);
	trace_put(NULL, 1, TRACE_RTU, 0, 0, NULL, 0);
	assert_int_equal(trace_next(t, 0, &e, &lost), FC_ENOENT);
	assert_int_equal(trace_resize(t, 64), FC_OK);
	assert_int_equal(trace_size_kb(t), 64);
	for (uint32_t n = 1; n <= 100; n++)
		put_number(t, 1, n, 8);
	/* The same size forgets nothing; another does, and goes on counting. */
	assert_int_equal(trace_resize(t, 64), FC_OK);
	assert_int_equal(trace_next(t, 0, &e, &lost), FC_OK);
	assert_int_equal(trace_resize(t, 8), FC_OK);
	assert_int_equal(trace_next(t, 0, &e, &lost), FC_ENOENT);
	put_number(t, 1, 101, 8);
	assert_int_equal(trace_next(t, 50, &e, &lost), FC_OK);
	assert_int_equal(e.number, 101);
	assert_int_equal(lost, 50);
	assert_int_equal(trace_resize(t, 0), FC_OK);
	put_number(t, 1, 102, 8);
	assert_int_equal(trace_newest(t), 101);
	trace_free(t);
}

enum { WRITERS = 4, EACH = 20000 };
static struct bus_trace *shared;
static atomic_int writing, ended;

static void *write_many(void *user)
{
	uint32_t line = (uint32_t)(size_t)user;

	for (uint32_t n = 1; n <= EACH; n++)
		put_number(shared, line, n, 4 + (n * 13 + line) % 300);
	atomic_fetch_sub(&writing, 1);
	return NULL;
}

/* What a reader sees is whole and in each writer's order; what it has not seen is counted as lost. */
static void *read_all(void *user)
{
	uint64_t after = 0, seen = 0, missed = 0, lost, *sum = user;
	uint32_t last[WRITERS + 1] = {0};
	struct trace_entry e;

	for (;;) {
		int last_look = atomic_load(&ended);

		while (!trace_next(shared, after, &e, &lost)) {
			check_whole(&e);
			assert_in_range(e.line, 1, WRITERS);
			assert_true(e.can_id > last[e.line]);
			assert_int_equal(e.len, 4 + (e.can_id * 13 + e.line) % 300);
			last[e.line] = e.can_id;
			if (!after)
				lost = e.number - 1;
			missed += lost;
			seen++;
			after = e.number;
		}
		if (last_look)
			break;
	}
	*sum = seen + missed;
	return NULL;
}

static void *change_size(void *user)
{
	(void)user;
	for (size_t i = 0; atomic_load(&writing); i++)
		assert_int_equal(trace_resize(shared, 16 + i % 3 * 16), FC_OK);
	return NULL;
}

static void many_at_once(void **state)
{
	pthread_t writers[WRITERS], readers[2], sizer;
	uint64_t sums[2];

	(void)state;
	shared = trace_new(16);
	assert_non_null(shared);
	atomic_store(&writing, WRITERS);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_all, &sums[i]), 0);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, write_many, (void *)(i + 1)), 0);
	assert_int_equal(pthread_create(&sizer, NULL, change_size, NULL), 0);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(writers[i], NULL), 0);
	assert_int_equal(pthread_join(sizer, NULL), 0);
	/* Behind it nothing is forgotten any more: every frame was seen, or counted as lost. */
	put_number(shared, 1, EACH + 1, 4 + ((EACH + 1) * 13 + 1) % 300);
	atomic_store(&ended, 1);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(readers[i], NULL), 0);
	assert_int_equal(trace_newest(shared), WRITERS * EACH + 1);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(sums[i], WRITERS * EACH + 1);
	trace_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_frame_comes_back_as_it_was),
	    cmocka_unit_test(a_long_frame_is_cut_and_says_so),
	    cmocka_unit_test(the_oldest_give_way),
	    cmocka_unit_test(who_falls_behind_learns_how_many_were_lost),
	    cmocka_unit_test(off_and_other_sizes),
	    cmocka_unit_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
