/* bus/ on Modbus TCP against a peer of raw bytes (bus_fixture.h). Runs under TSan too. */
#include "bus_fixture.h"

#include "bus/exchange.h"

static void values_of_every_function_arrive(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 125, 100);
	field_read(&f, 1, 4, 65535, 1, 100);
	field_read(&f, 2, 1, 7, 19, 100);
	field_read(&f, 255, 2, 100, 125, 100);
	field_read(&f, 0, 3, 40, 2, 100);
	field_open(&f, &c);
	for (uint32_t i = 0; i < f.count; i++)
		turn_until(&f, &f.ok_of[i], 3);
	assert_int_equal(stats_of(&f).connected, 1);
	assert_int_equal(stats_of(&f).units, 4);
	assert_int_equal(stats_of(&f).disconnects, 0);
	field_stop(&f);
	assert_int_equal(p->connections, 1);
	peer_free(p);
}

/* field_stop looks at every failed read: no count, no words. */
static void a_failed_read_carries_no_words(void **state)
{
	static const struct {
		enum fault fault;
		int value;
		enum bus_status status;
	} cases[] = {
	    {EXCEPTION, 2, BUS_EXCEPTION}, {SILENT, 0, BUS_TIMEOUT},        {TORN, 0, BUS_TIMEOUT},
	    {STALE, 0, BUS_BAD_ANSWER},    {WRONG_UNIT, 0, BUS_BAD_ANSWER}, {HANG_UP, 0, BUS_DISCONNECTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer *p = peer_tcp();
		struct field f = {0};
		struct bus_line_config c = config_of(p);

		peer_set(p, 5, cases[i].fault, cases[i].value);
		field_read(&f, 5, 3, 10, 4, 100);
		field_open(&f, &c);
		turn_until(&f, &f.by_status[cases[i].status], 1);
		assert_int_equal(f.exception, cases[i].fault == EXCEPTION ? 2 : 0);
		assert_int_equal(f.by_status[BUS_OK], 0);
		/* And it is good again as soon as the device is. */
		peer_set(p, 5, NORMAL, 0);
		turn_until(&f, &f.by_status[BUS_OK], 1);
		field_stop(&f);
		peer_free(p);
	}
}

/* Answers come after their time-out, between two requests or into the next one: for no request but their own. */
static void a_late_answer_is_never_the_next_ones(void **state)
{
	static const int delays[] = {150, 190, 230, 320};
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 100;
	for (uint16_t i = 0; i < 8; i++)
		field_read(&f, (uint8_t)(1 + i % 2), 3, (uint16_t)(i * 16), 4, 800);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 8);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		int asked = peer_count(p, &p->requests[1]);

		peer_set(p, 1, LATE, delays[i]);
		turn_until_asked(&f, p, &p->requests[1], asked + 5);
		peer_set(p, 1, NORMAL, 0);
		asked = f.ok_of[0];
		turn_until(&f, &f.ok_of[0], asked + 2);
	}
	assert_true(f.by_status[BUS_TIMEOUT] > 0);
	field_stop(&f);
	peer_free(p);
}

static void two_answers_in_one_segment(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 4, 100);
	field_read(&f, 1, 3, 50, 4, 100);
	peer_set(p, 1, TWO_ANSWERS, 0);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 6);
	assert_int_equal(f.by_status[BUS_BAD_ANSWER] + f.by_status[BUS_TIMEOUT], 0);
	assert_true(stats_of(&f).stale >= 6);
	assert_int_equal(stats_of(&f).disconnects, 0);
	field_stop(&f);
	peer_free(p);
}

static void the_line_comes_back_after_a_close(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 4, 100);
	field_open(&f, &c);
	for (int i = 1; i <= 3; i++) {
		int before = f.by_status[BUS_OK];

		turn_until(&f, &f.by_status[BUS_OK], before + 3);
		peer_set(p, 1, HANG_UP, 0);
		turn_until(&f, &f.by_status[BUS_DISCONNECTED], i);
		peer_set(p, 1, NORMAL, 0);
	}
	int before = f.by_status[BUS_OK];
	turn_until(&f, &f.by_status[BUS_OK], before + 1);
	assert_true(stats_of(&f).disconnects >= 3);
	field_stop(&f);
	peer_free(p);
}

/* chargers.md 4, rows 19 and 21: taken and dropped at once, again and again. A slow machine connects less often. */
static void a_peer_that_drops_us_is_not_stormed(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	peer_set(p, 0, HANG_UP, 0);
	for (uint16_t i = 0; i < 10; i++)
		field_read(&f, (uint8_t)(1 + i), 3, i, 1, 100);
	field_open(&f, &c);
	/* Every unit is told, although not each was asked. */
	for (uint32_t i = 0; i < f.count; i++)
		turn_until(&f, &f.told_of[i], 1);
	int64_t start = clock_mono_ms();
	int before = peer_count(p, &p->connections);
	turn_for(&f, 3000);
	int64_t seconds = (clock_mono_ms() - start) / 1000;
	assert_true(peer_count(p, &p->connections) - before <= seconds + 1);
	peer_set(p, 0, NORMAL, 0);
	turn_until(&f, &f.ok_of[0], 1);
	assert_int_equal(stats_of(&f).connected, 1);
	field_stop(&f);
	peer_free(p);
}

/* neuron#1602: the silence of one unit is no reason to cut the line of the others. */
static void a_silent_unit_keeps_the_connection(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 100;
	field_read(&f, 1, 3, 0, 1, 6000); /* asked so seldom that many time-outs of unit 2 come in a row */
	field_read(&f, 2, 3, 0, 1, 200);
	peer_set(p, 2, SILENT, 0);
	field_open(&f, &c);
	turn_until(&f, &f.ok_of[0], 1);
	turn_until_asked(&f, p, &p->requests[2], 6);
	assert_int_equal(stats_of(&f).units_slow, 1);
	assert_int_equal(stats_of(&f).disconnects, 0);
	assert_int_equal(peer_count(p, &p->connections), 1);
	field_stop(&f);
	peer_free(p);
}

static void all_units_silent_reopen_the_connection(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 100;
	for (uint8_t unit = 1; unit <= 3; unit++)
		field_read(&f, unit, 3, 0, 1, 400);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 3);
	for (uint8_t unit = 1; unit <= 3; unit++)
		peer_set(p, unit, SILENT, 0);
	turn_until_asked(&f, p, &p->connections, 2);
	assert_true(stats_of(&f).disconnects >= 1);
	for (uint8_t unit = 1; unit <= 3; unit++)
		peer_set(p, unit, NORMAL, 0);
	int before = f.by_status[BUS_OK];
	turn_until(&f, &f.by_status[BUS_OK], before + 3);
	field_stop(&f);
	peer_free(p);
}

/* A converter that answers for its dead unit (exception 11) keeps the line busy as the silent one does; any other
 * exception comes from the device itself. */
static void a_gateways_exception_is_the_units_silence(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	peer_set(p, 2, EXCEPTION, 11);
	peer_set(p, 3, EXCEPTION, 2);
	for (uint8_t unit = 1; unit <= 3; unit++)
		field_read(&f, unit, 3, 0, 1, 100);
	field_open(&f, &c);
	turn_until(&f, &f.told_of[2], 8);
	turn_until(&f, &f.told_of[1], 3);
	turn_until_slow(&f, 1);
	peer_set(p, 2, NORMAL, 0);
	turn_until(&f, &f.ok_of[1], 3);
	turn_until_slow(&f, 0);
	field_stop(&f);
	peer_free(p);
}

static struct bus_write write_of(uint8_t unit, uint8_t function, uint16_t count)
{
	return (struct bus_write){
	    .unit = unit, .function = function, .address = 40, .count = count, .tag = 9, .deadline_ms = 60000};
}

static void every_write_function_is_confirmed(void **state)
{
	static const uint8_t functions[] = {5, 6, 15, 16};
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_open(&f, &c);
	for (int i = 0; i < 4; i++) {
		struct bus_write w = write_of(3, functions[i], functions[i] < 15 ? 1 : 16);

		assert_int_equal(bus_line_write(f.line, &w), FC_OK);
		turn_until(&f, &f.writes, i + 1);
		assert_int_equal(f.write_status[BUS_OK], i + 1);
		assert_int_equal(p->notes[i], functions[i]);
	}
	struct bus_write w = write_of(3, 6, 1);
	peer_set(p, 3, WRONG_UNIT, 0);
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until(&f, &f.write_status[BUS_BAD_ANSWER], 1);
	peer_set(p, 3, SILENT, 0);
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until(&f, &f.write_status[BUS_TIMEOUT], 1);
	field_stop(&f);
	peer_free(p);
}

static void a_write_that_can_not_be_is_refused(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	const struct bus_write bad[] = {write_of(1, 16, 17), write_of(1, 16, 0), write_of(1, 3, 1), write_of(250, 6, 1),
					write_of(1, 6, 2)};

	(void)state;
	field_open(&f, &c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(bus_line_write(f.line, &bad[i]), FC_EINVAL);
	field_stop(&f);
	assert_int_equal(p->total, 0);
	peer_free(p);
}

/* The line is busy without a pause; a write is the next request but for the one in flight. */
static void a_write_goes_before_the_reads(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct bus_write w = write_of(1, 6, 1);

	(void)state;
	peer_set(p, 1, LATE, 20);
	for (uint16_t i = 0; i < 40; i++)
		field_read(&f, 1, 3, i, 1, 100);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 10);
	for (int k = 1; k <= 5; k++) {
		/* Not at once after the last: four writes in a row owe the reads their turn. */
		turn_until(&f, &f.by_status[BUS_OK], f.by_status[BUS_OK] + 2);
		int at = peer_count(p, &p->total);
		uint64_t late = stats_of(&f).timeouts + stats_of(&f).retries;

		assert_int_equal(bus_line_write(f.line, &w), FC_OK);
		/* What was asked until here went before it by right, however long this thread had to wait for its turn. */
		int queued = peer_count(p, &p->total);
		turn_until(&f, &f.writes, k);
		pthread_mutex_lock(&p->lock);
		while (p->notes[at] != 6)
			at++;
		pthread_mutex_unlock(&p->lock);
		late = stats_of(&f).timeouts + stats_of(&f).retries - late;
		/* One that was in flight, and one that had been chosen when we wrote; what a busy machine answered too late is asked
		 * once more before it counts as failed. */
		if (at - queued > 2 + (int)late)
			fail_msg("%d requests went before the write, %d of them late", at - queued, (int)late);
	}
	assert_int_equal(f.write_status[BUS_OK], 5);
	assert_true(stats_of(&f).missed > 0); /* it was busy indeed */
	field_stop(&f);
	peer_free(p);
}

/* A command that is too old is answered but never sent. */
static void a_write_too_late_is_not_sent(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct bus_write first = write_of(1, 6, 1), second = write_of(2, 5, 1);

	(void)state;
	peer_set(p, 1, SILENT, 0);
	second.deadline_ms = 1;
	field_open(&f, &c);
	assert_int_equal(bus_line_write(f.line, &first), FC_OK);
	assert_int_equal(bus_line_write(f.line, &second), FC_OK);
	turn_until(&f, &f.writes, 2);
	assert_int_equal(f.write_status[BUS_TIMEOUT], 2);
	assert_int_equal(peer_count(p, &p->requests[2]), 0);
	field_stop(&f);
	peer_free(p);
}

static void turn_until_ended(struct field *f)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (bus_ending(f->bus)) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 20), FC_OK);
	}
}

/* 32 commands to a silent unit: its worker ends with the one in flight, and nobody waits for it. */
static void closing_waits_for_the_request_in_flight_only(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct bus_write w = write_of(1, 6, 1);

	(void)state;
	peer_set(p, 1, SILENT, 0);
	field_open(&f, &c);
	turn_until_asked(&f, p, &p->connections, 1);
	for (int i = 0; i < 32; i++)
		assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until_asked(&f, p, &p->total, 1);
	int before = peer_count(p, &p->total);
	int told = f.writes;
	bus_line_close(f.line);
	assert_int_equal(bus_ending(f.bus), 1);
	turn_until_ended(&f);
	assert_true(peer_count(p, &p->total) <= before + 1);
	turn_for(&f, 100);
	assert_int_equal(f.writes, told); /* nothing of it after */
	f.line = NULL;
	field_stop(&f);
	peer_free(p);
}

/* The device has one slot: while the old worker waits for its answer the new one does not connect; nor does the one after it, when
 * that one is closed before its turn came. */
static void a_line_waits_for_the_worker_of_before(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct bus_line_stats stats;

	(void)state;
	c.response_timeout_ms = 2000;
	peer_set(p, 1, LATE, 1000);
	field_read(&f, 1, 3, 0, 1, 100);
	field_open(&f, &c);
	turn_until_asked(&f, p, &p->total, 1);
	bus_line_close(f.line);
	for (int i = 0; i < 3; i++) {
		f.line = NULL;
		field_open(&f, &c);
		/* As long as one of before is there, nobody else is. */
		for (int k = 0; k < 5 && bus_ending(f.bus); k++) {
			bus_line_get_stats(f.line, &stats);
			assert_int_equal(stats.connected, 0);
			assert_true(peer_clients(p) <= 1);
			assert_int_equal(peer_count(p, &p->connections), 1);
			assert_int_equal(loop_step(f.loop, 10), FC_OK);
		}
		if (i < 2)
			bus_line_close(f.line);
	}
	peer_set(p, 1, NORMAL, 0);
	int before = f.by_status[BUS_OK];
	turn_until(&f, &f.by_status[BUS_OK], before + 3);
	assert_int_equal(bus_ending(f.bus), 0);
	assert_int_equal(peer_count(p, &p->connections), 2);
	assert_int_equal(f.foreign, 0);
	field_stop(&f);
	peer_free(p);
}

/* A connect that nobody answers: the loop goes on, other endpoints too, and the end of all waits for the worker. */
static void closing_does_not_wait_for_a_connect(void **state)
{
	enum { FULL = 8 };
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fillers[FULL];
	struct error err = {0};

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	/* Its queue is full: the kernel answers no further connect. */
	for (int i = 0; i < FULL; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
	}
	struct peer nobody = {.port = ntohs(address.sin_port)};
	struct bus_line_config c = config_of(&nobody), other = config_of(p);
	c.connect_timeout_ms = 3000;
	field_read(&f, 1, 3, 0, 1, 100);
	field_open(&f, &c);
	(void)usleep(300000);
	int64_t begun = clock_mono_us();
	bus_line_close(f.line);
	int64_t took = clock_mono_us() - begun;
	if (!bus_ending(f.bus))
		print_message("SKIPPED: this kernel answered the connect\n");
	f.line = bus_line_open(f.bus, &other, f.reads, f.count, &err);
	assert_non_null(f.line);
	turn_until(&f, &f.by_status[BUS_OK], 3);
	begun = clock_mono_us();
	turn_until_ended(&f);
	print_message("closing took %lld us, its worker %lld ms more\n", (long long)took,
		      (long long)(clock_mono_us() - begun) / 1000);
	field_stop(&f);
	for (int i = 0; i < FULL; i++)
		close(fillers[i]);
	close(listener);
	peer_free(p);
}

static void nothing_is_delivered_after_the_close(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	for (uint16_t i = 0; i < 20; i++)
		field_read(&f, 1, 3, i, 1, 100);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 20);
	/* The queue fills while the loop rests. */
	while (stats_of(&f).ok < 60)
		(void)usleep(5000);
	bus_line_close(f.line);
	f.line = NULL;
	int told = f.by_status[BUS_OK];
	turn_for(&f, 100);
	assert_int_equal(f.by_status[BUS_OK], told);
	/* The endpoint is free again. */
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], told + 5);
	assert_int_equal(f.foreign, 0);
	field_stop(&f);
	peer_free(p);
}

static void thirty_two_lines_open_and_close(void **state)
{
	enum { LINES = 32 };
	struct peer *p[LINES];
	struct field f = {0};
	struct bus_line *lines[LINES];
	struct error err = {0};

	(void)state;
	/* An hour to the next poll: every wait must be broken off. */
	field_read(&f, 1, 3, 0, 1, 3600000);
	field_start(&f);
	for (int i = 0; i < LINES; i++)
		p[i] = peer_tcp();
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < LINES; i++) {
			struct bus_line_config c = config_of(p[i]);

			lines[i] = bus_line_open(f.bus, &c, f.reads, f.count, &err);
			assert_non_null(lines[i]);
			assert_null(bus_line_open(f.bus, &c, f.reads, f.count, &err));
			assert_int_equal(err.code, FC_EEXIST);
		}
		turn_until(&f, &f.by_status[BUS_OK], LINES * round);
		for (int i = 0; i < LINES; i++)
			bus_line_close(lines[i]);
	}
	field_stop(&f);
	for (int i = 0; i < LINES; i++)
		peer_free(p[i]);
}

/* More is lost at once than the queue holds: the workers wait for the loop with what may not be dropped, also while
 * the loop waits for one of them. */
static void closing_one_line_costs_the_others_nothing(void **state)
{
	enum { LINES = 12, READS = 120 };
	struct field f = {0};
	struct bus_line *lines[LINES];
	struct error err = {0};

	(void)state;
	for (uint16_t i = 0; i < READS; i++)
		field_read(&f, 1, 3, i, 1, 1000);
	field_start(&f);
	for (int i = 0; i < LINES; i++) {
		struct peer nobody = {.port = 1 + i};
		struct bus_line_config c = config_of(&nobody);

		lines[i] = bus_line_open(f.bus, &c, f.reads, f.count, &err);
		assert_non_null(lines[i]);
	}
	(void)usleep(500000); /* most have filled the queue by now; if not, the test is only less sharp */
	for (int i = 0; i < 3; i++)
		bus_line_close(lines[i]);
	for (int i = 0; i < READS; i++)
		turn_until(&f, &f.told_of[i], LINES - 3);
	for (int i = 3; i < LINES; i++) {
		struct bus_line_stats s;

		bus_line_get_stats(lines[i], &s);
		assert_int_equal(s.queue_dropped, 0);
	}
	field_stop(&f);
}

/* Other reads for a line that runs: connection, slow units and writes stay; who asked hears at once what can't be read now. */
static void other_reads_keep_the_line(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct error err = {0};

	(void)state;
	c.response_timeout_ms = 100;
	field_read(&f, 1, 3, 0, 2, 200);
	field_read(&f, 2, 3, 0, 1, 200);
	peer_set(p, 2, SILENT, 0);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_DISCONNECTED], 1); /* unit 2 is asked slowly */
	field_read(&f, 1, 3, 40, 3, 200);
	field_read(&f, 2, 3, 40, 1, 200);
	const struct bus_write write = {
	    .unit = 1, .function = 6, .address = 7, .count = 1, .words = {1}, .deadline_ms = PATIENCE_MS};
	assert_int_equal(bus_line_write(f.line, &write), FC_OK);
	assert_int_equal(bus_line_replan(f.line, f.reads + 2, 2, &err), FC_OK);
	turn_until(&f, &f.ok_of[2], 1);
	turn_until(&f, &f.told_of[3], 1);
	turn_until(&f, &f.writes, 1);
	assert_int_equal(f.write_status[BUS_OK], 1);
	/* What was asked before is asked no more. */
	int before = f.told_of[0];
	turn_until(&f, &f.ok_of[2], f.ok_of[2] + 3);
	assert_int_equal(f.told_of[0], before);
	assert_int_equal(stats_of(&f).units_slow, 1);
	/* However often: reads that stay the same keep their times, and are made. */
	for (int made = f.ok_of[2]; f.ok_of[2] < made + 5;) {
		assert_int_equal(bus_line_replan(f.line, f.reads + 2, 2, &err), FC_OK);
		assert_int_equal(loop_step(f.loop, 5), FC_OK);
	}
	/* One that can't be changes nothing. */
	const struct bus_read bad = {.unit = 1, .function = 9, .count = 1, .period_ms = 200};
	assert_int_equal(bus_line_replan(f.line, &bad, 1, &err), FC_EINVAL);
	turn_until(&f, &f.ok_of[2], f.ok_of[2] + 1);
	peer_set(p, 2, NORMAL, 0);
	turn_until(&f, &f.ok_of[3], 1);
	assert_int_equal(stats_of(&f).disconnects, 0);
	assert_int_equal(peer_count(p, &p->connections), 1);
	field_stop(&f);
	peer_free(p);
}

/* A converter that sends without end, faster than anybody reads: what is thrown away before a request is bounded, so that the worker looks
 * up again, at its clock and at whether it is to end. */
static void a_flood_is_thrown_away_in_bounds(void **state)
{
	static const uint8_t junk[4096];
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(any);
	int listener = socket(AF_INET, SOCK_STREAM, 0), sent = 0, flushed, all = 0, calls = 0;
	struct bus_line_config c = {.name = "line",
				    .kind = BUS_TCP,
				    .framing = BUS_FRAMING_RTU,
				    .host = "127.0.0.1",
				    .connect_timeout_ms = 2000};

	(void)state;
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&any, &size), 0);
	c.port = ntohs(any.sin_port);
	struct exchange *x = exchange_new(&c);
	assert_non_null(x);
	assert_int_equal(exchange_connect(x), 0);
	int fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	for (ssize_t n; sent < 60000 && (n = send(fd, junk, sizeof(junk), MSG_DONTWAIT)) > 0;)
		sent += (int)n;
	assert_true(sent >= 60000);
	while ((flushed = exchange_flush(x)) > 0) {
		assert_true(flushed < 20000);
		all += flushed;
		calls++;
	}
	assert_int_equal(all, sent);
	assert_true(calls > 2);
	exchange_close(x);
	exchange_free(x);
	close(fd);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_of_every_function_arrive),
	    cmocka_unit_test(a_failed_read_carries_no_words),
	    cmocka_unit_test(a_late_answer_is_never_the_next_ones),
	    cmocka_unit_test(two_answers_in_one_segment),
	    cmocka_unit_test(the_line_comes_back_after_a_close),
	    cmocka_unit_test(a_peer_that_drops_us_is_not_stormed),
	    cmocka_unit_test(a_flood_is_thrown_away_in_bounds),
	    cmocka_unit_test(a_silent_unit_keeps_the_connection),
	    cmocka_unit_test(all_units_silent_reopen_the_connection),
	    cmocka_unit_test(a_gateways_exception_is_the_units_silence),
	    cmocka_unit_test(every_write_function_is_confirmed),
	    cmocka_unit_test(a_write_that_can_not_be_is_refused),
	    cmocka_unit_test(a_write_goes_before_the_reads),
	    cmocka_unit_test(a_write_too_late_is_not_sent),
	    cmocka_unit_test(closing_waits_for_the_request_in_flight_only),
	    cmocka_unit_test(nothing_is_delivered_after_the_close),
	    cmocka_unit_test(a_line_waits_for_the_worker_of_before),
	    cmocka_unit_test(closing_does_not_wait_for_a_connect),
	    cmocka_unit_test(thirty_two_lines_open_and_close),
	    cmocka_unit_test(closing_one_line_costs_the_others_nothing),
	    cmocka_unit_test(other_reads_keep_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
