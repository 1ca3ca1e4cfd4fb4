/* bus/progress and what a line's worker tells by it: a driver that does not come back is seen, a worker that waits is not. The clock of
 * the watcher is brought by the test, so that nothing waits for minutes. Runs under TSan too. */
#include "bus_fixture.h"

#include "bus/progress.h"

static const int64_t second = 1000000;

/* The driver's: whoever waits for bytes is held in it while hold is set. */
static atomic_int hold, held;

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	(void)mask;
	if (atomic_load(&hold)) {
		atomic_store(&held, 1);
		while (atomic_load(&hold))
			(void)usleep(1000);
		atomic_store(&held, 0);
	}
	/* Not by way of the C library's own ppoll, which a static program has none of any more. */
	return poll(fds, count, timeout ? (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000) : -1);
}

static void what_is_allowed_is_waited_for(void **state)
{
	struct progress p = {0};
	int64_t now = 7000 * second;

	(void)state;
	/* At rest from the beginning, as long as it likes. */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(progress_stuck_us(&p, now += 5 * second), 0);
	progress_work(&p, 20 * second);
	assert_int_equal(progress_stuck_us(&p, now += second), 0);
	/* 20 s and 10 s of grace, from when it was seen first. */
	for (int i = 0; i < 30; i++)
		assert_int_equal(progress_stuck_us(&p, now += second), 0);
	assert_int_equal(progress_stuck_us(&p, now += second), 31 * second);
	assert_int_equal(progress_stuck_us(&p, now += second), 32 * second);
	/* The next step is progress, and so is rest. */
	progress_work(&p, 20 * second);
	for (int i = 0; i < 31; i++)
		assert_int_equal(progress_stuck_us(&p, now += second), 0);
	progress_rest(&p);
	for (int i = 0; i < 100; i++)
		assert_int_equal(progress_stuck_us(&p, now += second), 0);
}

/* A watcher that was held up itself, or whose clock jumped, blames nobody for that time. */
static void the_watchers_own_absence_is_not_counted(void **state)
{
	struct progress p = {0};
	int64_t now = second;

	(void)state;
	progress_work(&p, second);
	assert_int_equal(progress_stuck_us(&p, now), 0);
	assert_int_equal(progress_stuck_us(&p, now += 10000 * second), 0);
	assert_int_equal(progress_stuck_us(&p, now += 10000 * second), 0);
	assert_true(progress_stuck_us(&p, now += 10000 * second) > 0);
}

/* Half of the word is the counter: 65536 steps later it reads the same, but for what is allowed; and any number of steps but such is
 * seen. */
static void the_counter_goes_round(void **state)
{
	struct progress p = {0};
	int64_t now = second;

	(void)state;
	for (int i = 0; i < 70000; i++) {
		progress_work(&p, second);
		assert_int_equal(progress_stuck_us(&p, now += 5 * second), 0);
	}
}

static void look_until(struct field *f, int is_stuck)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while ((bus_line_stuck_us(f->line, clock_mono_us()) > 0) != is_stuck) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 20), FC_OK);
	}
}

static void wait_held(struct field *f, int wanted)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (atomic_load(&held) != wanted) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 20), FC_OK);
	}
}

static void a_driver_that_does_not_come_back_is_seen(void **state)
{
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 4, 100);
	field_open(&f, &c);
	turn_until(&f, &f.ok_of[0], 3);
	assert_int_equal(bus_line_stuck_us(f.line, clock_mono_us()), 0);
	atomic_store(&hold, 1);
	wait_held(&f, 1);
	int64_t now = clock_mono_us();
	assert_int_equal(bus_line_stuck_us(f.line, now), 0);
	/* 300 ms and what belongs to it, twice, and 10 s of grace: not before. */
	for (int i = 0; i < 16; i++)
		assert_int_equal(bus_line_stuck_us(f.line, now += second), 0);
	for (int i = 0; i < 10; i++)
		(void)bus_line_stuck_us(f.line, now += second);
	assert_in_range(bus_line_stuck_us(f.line, now += second), 20 * second, 30 * second);
	/* It comes back: all is well, and values come. */
	atomic_store(&hold, 0);
	wait_held(&f, 0);
	look_until(&f, 0);
	turn_until(&f, &f.ok_of[0], f.ok_of[0] + 3);
	assert_int_equal(bus_line_stuck_us(f.line, clock_mono_us()), 0);
	field_stop(&f);
	peer_free(p);
}

/* Nothing is due for an hour; and a line that can't connect only waits for its next try. */
static void a_worker_that_waits_is_not_stuck(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 4, 3600000);
	field_open(&f, &c);
	turn_until(&f, &f.ok_of[0], 1);
	turn_for(&f, 200);
	int64_t now = clock_mono_us();
	for (int i = 0; i < 700; i++)
		assert_int_equal(bus_line_stuck_us(f.line, now += 5 * second), 0);
	field_stop(&f);
	peer_free(p);

	f = (struct field){0};
	(void)snprintf(c.device, sizeof(c.device), "/dev/forecourt-no-such-port");
	c.kind = BUS_RTU;
	field_read(&f, 1, 3, 0, 4, 100);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_DISCONNECTED], 1);
	turn_for(&f, 200);
	now = clock_mono_us();
	for (int i = 0; i < 40; i++)
		assert_int_equal(bus_line_stuck_us(f.line, now += second / 100), 0);
	field_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_allowed_is_waited_for),
	    cmocka_unit_test(the_watchers_own_absence_is_not_counted),
	    cmocka_unit_test(the_counter_goes_round),
	    cmocka_unit_test(a_driver_that_does_not_come_back_is_seen),
	    cmocka_unit_test(a_worker_that_waits_is_not_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
