/* bus/: what a line does for its units: pace, pauses, requests by hand, a slot that is given back. Peers of raw bytes (bus_fixture.h). Tests
 * named row_NN are of chargers.md section 4. */
#include "bus_fixture.h"

static struct bus_unit_stats unit_of(const struct field *f, uint8_t unit)
{
	struct bus_unit_stats all[16];
	int n = bus_line_get_units(f->line, all, 16);

	for (int i = 0; i < n; i++)
		if (all[i].unit == unit)
			return all[i];
	fail_msg("unit %u has no figures", unit);
	return all[0];
}

/* Turns the loop until the condition holds. The limit is for a program that is stuck. */
#define TURN_UNTIL(f, condition)                                       \
	do {                                                           \
		int64_t stuck = clock_mono_ms() + PATIENCE_MS;         \
		while (!(condition)) {                                 \
			assert_true(clock_mono_ms() < stuck);          \
			assert_int_equal(loop_step((f)->loop, 10), 0); \
		}                                                      \
	} while (0)

/* The device takes longer and longer: asked half as often until it is quick again. Nobody else is. */
static void row_05_a_slower_device_is_asked_less(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 1000;
	field_read(&f, 1, 3, 0, 1, 100);
	field_read(&f, 2, 3, 0, 1, 100);
	field_open(&f, &c);
	turn_until(&f, &f.ok_of[0], 20);
	assert_int_equal(unit_of(&f, 1).pace, 100);
	peer_set(p, 1, LATE, 150);
	TURN_UNTIL(&f, unit_of(&f, 1).pace < 100);
	assert_int_equal(unit_of(&f, 2).pace, 100);
	assert_int_equal(f.by_status[BUS_TIMEOUT], 0);
	peer_set(p, 1, NORMAL, 0);
	TURN_UNTIL(&f, unit_of(&f, 1).pace == 100);
	field_stop(&f);
	peer_free(p);
}

/* Another unit's answer on a shared converter: dropped, and the pause when the unit changes grows. The right answer still counts. */
static void row_06_wrong_unit_lengthens_the_gap(void **state)
{
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 4, 200);
	field_read(&f, 5, 3, 0, 4, 200);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 4);
	assert_int_equal(stats_of(&f).unit_gap_ms, 0);
	peer_set(p, 1, WRONG_UNIT, 0);
	TURN_UNTIL(&f, stats_of(&f).unit_gap_ms == 20);
	/* Nothing of it is taken: results come in order, so after the first bad one all that was right before has come. */
	turn_until(&f, &f.by_status[BUS_BAD_ANSWER], 1);
	int before = f.ok_of[0];
	turn_until(&f, &f.by_status[BUS_BAD_ANSWER], 2);
	assert_int_equal(f.ok_of[0], before);
	peer_set(p, 1, NORMAL, 0);
	turn_until(&f, &f.ok_of[0], before + 3);
	assert_true(stats_of(&f).unit_gap_ms >= 20);
	field_stop(&f);
	peer_free(p);
}

/* A disturbance that is over: the pause goes, bit by bit. */
static void row_06_the_longer_gap_is_not_for_ever(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	for (uint16_t i = 0; i < 40; i++)
		field_read(&f, 1, 3, i, 1, 100);
	field_read(&f, 5, 3, 0, 1, 500);
	peer_set(p, 5, WRONG_UNIT, 0);
	field_open(&f, &c);
	TURN_UNTIL(&f, stats_of(&f).unit_gap_ms == 20);
	peer_set(p, 5, NORMAL, 0);
	TURN_UNTIL(&f, stats_of(&f).unit_gap_ms == 0);
	assert_true(stats_of(&f).ok >= 2000);
	field_stop(&f);
	peer_free(p);
}

/* The pause before a request counts from the end of the last byte, other units' too. */
static void row_18_the_gap_counts_from_the_last_byte(void **state)
{
	enum { GAP_MS = 60 };
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	int pauses = 0;

	(void)state;
	peer_set(p, 1, LATE, 30);
	field_read(&f, 1, 3, 0, 40, 100);
	field_read(&f, 2, 3, 0, 4, 100);
	for (uint32_t i = 0; i < f.count; i++)
		f.reads[i].gap_ms = GAP_MS;
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 20);
	field_stop(&f);
	pthread_mutex_lock(&p->lock);
	for (int i = 1; i < p->total && i < NOTES_MAX; i++) {
		/* The peer looks up from its sleep after a byte has come, never before. */
		assert_true(p->asked_us[i] - p->answered_us[i - 1] >= GAP_MS * 1000 - 500);
		pauses++;
	}
	pthread_mutex_unlock(&p->lock);
	assert_true(pauses > 10);
	peer_free(p);
}

/* Exceptions 5 and 6 are no refusal: asked again after a pause, told only when it stays so; writes too, and in their order. */
static void row_07_a_busy_unit_is_asked_again(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct bus_write w = {.unit = 1, .function = 6, .address = 4, .count = 1, .deadline_ms = 60000};

	(void)state;
	field_read(&f, 1, 3, 0, 1, 60000);
	field_read(&f, 2, 3, 0, 1, 100);
	peer_set(p, 1, EXCEPTION, 6);
	field_open(&f, &c);
	turn_until_asked(&f, p, &p->requests[1], 2);
	peer_set(p, 1, NORMAL, 0);
	turn_until(&f, &f.ok_of[0], 1);
	assert_int_equal(f.told_of[0], 1);
	assert_true(unit_of(&f, 1).retries >= 2);
	assert_true(unit_of(&f, 1).exceptions[6] >= 2);
	assert_int_equal(unit_of(&f, 1).slow, 0);
	peer_set(p, 1, EXCEPTION, 5);
	int asked = peer_count(p, &p->requests[1]), others = f.ok_of[1];
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until_asked(&f, p, &p->requests[1], asked + 2);
	assert_int_equal(f.writes, 0);
	peer_set(p, 1, NORMAL, 0);
	turn_until(&f, &f.write_status[BUS_OK], 2);
	assert_true(f.ok_of[1] > others); /* nobody else waited */
	/* It stays busy: said in the end, once. */
	peer_set(p, 1, EXCEPTION, 6);
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until(&f, &f.write_status[BUS_EXCEPTION], 1);
	assert_int_equal(f.writes, 3);
	field_stop(&f);
	peer_free(p);
}

/* Writes without end, and some to a unit that is dead: polls go on all the time. */
static void a_flood_of_writes_does_not_stop_the_polls(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct bus_write w = {.unit = 1, .function = 6, .address = 4, .count = 1, .deadline_ms = 60000};

	(void)state;
	peer_set(p, 1, LATE, 10);
	peer_set(p, 3, SILENT, 0);
	field_read(&f, 2, 3, 0, 1, 100);
	field_open(&f, &c);
	turn_until(&f, &f.ok_of[0], 3);
	int before = f.ok_of[0], writes = f.writes;
	for (int sent = 0; f.ok_of[0] < before + 20;) {
		w.unit = sent % 10 ? 1 : 3;
		sent += bus_line_write(f.line, &w) == FC_OK;
		assert_int_equal(loop_step(f.loop, 1), FC_OK);
	}
	/* Four for one, and one when it is lost: the polls that are due come at last after that. */
	print_message("%d polls beside %d writes\n", f.ok_of[0] - before, f.writes - writes);
	assert_true(f.writes - writes > 20);
	assert_true(f.writes - writes < 20 * 4 * 20);
	field_stop(&f);
	peer_free(p);
}

struct by_hand {
	int results, ok, tag, words;
};

static void take_by_hand(void *user, const struct bus_result *r)
{
	struct by_hand *h = user;

	assert_true(r->by_hand);
	h->results++;
	h->ok += r->status == BUS_OK;
	h->tag = (int)r->tag;
	h->words = r->count ? r->words[0] : -1;
}

/* Through the one connection of a running line, of any unit, ahead of the polls, and told to nobody but the one who asked. */
static void reads_by_hand_are_answered_once(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct by_hand h = {0};
	struct bus_line_config c = config_of(p);
	struct bus_read r = {.unit = 9, .function = 4, .address = 77, .count = 3, .period_ms = 60000, .tag = 4711};
	struct bus_write w = {
	    .unit = 1, .function = 6, .address = 4, .count = 1, .tag = 12, .deadline_ms = 60000, .by_hand = 1};

	(void)state;
	field_read(&f, 1, 3, 0, 1, 100);
	field_open(&f, &c);
	bus_set_by_hand(f.bus, take_by_hand, &h);
	turn_until(&f, &f.ok_of[0], 2);
	assert_int_equal(bus_line_read(f.line, &r), FC_OK);
	turn_until(&f, &h.results, 1);
	assert_int_equal(h.ok, 1);
	assert_int_equal(h.tag, 4711);
	assert_int_equal(h.words, 9 << 8 | 77);
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until(&f, &h.results, 2);
	assert_int_equal(h.tag, 12);
	assert_int_equal(f.writes, 0);
	/* A unit that is silent: its own time-out, not the line's. */
	peer_set(p, 9, SILENT, 0);
	r.timeout_ms = 50;
	for (int i = 0; i < 3; i++)
		assert_int_equal(bus_line_read(f.line, &r), FC_OK);
	turn_until(&f, &h.results, 5);
	assert_int_equal(h.ok, 2);
	assert_int_equal(h.words, -1);
	/* What can't be is refused; what comes too late is answered. */
	r.count = 0;
	assert_int_equal(bus_line_read(f.line, &r), FC_EINVAL);
	r.count = 126;
	assert_int_equal(bus_line_read(f.line, &r), FC_EINVAL);
	assert_int_equal(peer_count(p, &p->connections), 1);
	assert_int_equal(stats_of(&f).units, 1);
	field_stop(&f);
	peer_free(p);
}

/* Between two rounds nobody of us is connected, for as long as was said; a command does not wait for it. */
static void row_20_the_slot_is_given_back(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct bus_write w = {.unit = 1, .function = 6, .address = 4, .count = 1, .deadline_ms = 60000};

	(void)state;
	c.release_ms = 1500;
	field_read(&f, 1, 3, 0, 1, 1000);
	field_read(&f, 1, 3, 50, 1, 1000);
	field_open(&f, &c);
	turn_until(&f, &f.ok_of[0], 4);
	int connections = peer_count(p, &p->connections);
	assert_in_range(connections, 3, 4);
	/* By the peer's own clock: from the last answer of a session to the first request of the next one. */
	pthread_mutex_lock(&p->lock);
	int long_ones = 0;
	for (int i = 1; i < p->total; i++)
		long_ones += p->asked_us[i] - p->answered_us[i - 1] >= 1500000;
	pthread_mutex_unlock(&p->lock);
	assert_true(long_ones >= connections - 1);
	/* Released is not gone: no disconnect, no value lost. */
	assert_int_equal(stats_of(&f).disconnects, 0);
	assert_int_equal(stats_of(&f).connected, 1);
	assert_int_equal(f.by_status[BUS_DISCONNECTED], 0);
	TURN_UNTIL(&f, peer_clients(p) == 0);
	int before = peer_count(p, &p->total);
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until(&f, &f.write_status[BUS_OK], 1);
	pthread_mutex_lock(&p->lock);
	int first = p->notes[before];
	pthread_mutex_unlock(&p->lock);
	assert_int_equal(first, 6);
	field_stop(&f);
	peer_free(p);
}

/* A device that reboots while its slot is given back between the rounds: it is looked for all the same, and found. */
static void row_20_a_silent_unit_is_looked_for_though_the_slot_is_given_back(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.release_ms = 300;
	c.response_timeout_ms = 100;
	field_read(&f, 1, 3, 0, 1, 500);
	field_open(&f, &c);
	turn_until(&f, &f.ok_of[0], 2);
	peer_set(p, 1, SILENT, 0);
	turn_until_slow(&f, 1);
	/* Given back once more, with nothing but a probe to come. */
	TURN_UNTIL(&f, peer_clients(p) == 0);
	int asked = peer_count(p, &p->total);
	turn_until_asked(&f, p, &p->total, asked + 2);
	peer_set(p, 1, NORMAL, 0);
	int before = f.ok_of[0];
	turn_until(&f, &f.ok_of[0], before + 2);
	assert_int_equal(unit_of(&f, 1).slow, 0);
	field_stop(&f);
	peer_free(p);
}

/* Somebody else takes the only slot, and we take it back: that is said, once. */
static void row_20_sessions_that_flap_are_told(void **state)
{
	char path[] = "/tmp/forecourt-bus-XXXXXX", text[8192] = "";
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	int file = mkstemp(path), saved = dup(2), said = 0;

	(void)state;
	assert_true(file >= 0 && saved >= 0);
	assert_int_equal(unlink(path), 0);
	field_read(&f, 1, 3, 0, 1, 100);
	assert_true(dup2(file, 2) == 2);
	field_open(&f, &c);
	for (int i = 0; i < 8; i++) {
		int ok = f.ok_of[0], lost = f.by_status[BUS_DISCONNECTED];

		turn_until(&f, &f.ok_of[0], ok + 1);
		peer_set(p, 1, HANG_UP, 0);
		turn_until(&f, &f.by_status[BUS_DISCONNECTED], lost + 1);
		peer_set(p, 1, NORMAL, 0);
	}
	field_stop(&f);
	assert_true(dup2(saved, 2) == 2);
	close(saved);
	assert_true(pread(file, text, sizeof(text) - 1, 0) > 0);
	close(file);
	for (const char *s = text; (s = strstr(s, "only slot")); s++)
		said++;
	assert_int_equal(said, 1);
	peer_free(p);
}

static void figures_of_units_and_line(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct error err = {0};

	(void)state;
	c.response_timeout_ms = 200;
	peer_set(p, 1, LATE, 20);
	peer_set(p, 2, SILENT, 0);
	peer_set(p, 3, EXCEPTION, 2);
	for (uint8_t unit = 1; unit <= 4; unit++)
		field_read(&f, unit, 3, 0, 1, 100);
	field_open(&f, &c);
	turn_until(&f, &f.ok_of[0], 30);
	turn_until_slow(&f, 1);
	struct bus_unit_stats late = unit_of(&f, 1), silent = unit_of(&f, 2), refusing = unit_of(&f, 3);
	assert_true(late.answers >= 30);
	assert_true(late.latency_p50_us >= 15000 && late.latency_p50_us <= late.latency_p99_us);
	assert_true(late.latency_p99_us <= late.latency_max_us);
	assert_true(late.answer_age_us >= 0);
	assert_true(silent.slow && silent.timeouts >= 3 && silent.answer_age_us == -1);
	assert_true(refusing.exceptions[2] > 0 && !refusing.slow && refusing.answer_age_us >= 0);
	struct bus_line_stats s = stats_of(&f);
	assert_true(s.load > 0 && s.load <= 1000);
	assert_int_equal(s.wire, 0); /* no serial line */
	/* They outlive another plan; what is not in it any more has none. */
	assert_int_equal(bus_line_replan(f.line, f.reads, 1, &err), FC_OK);
	TURN_UNTIL(&f, stats_of(&f).units == 1);
	assert_true(unit_of(&f, 1).answers >= late.answers);
	field_stop(&f);
	peer_free(p);
}

/* 9600 baud, by the bits: half a line of polls is half a line of load, and too many are said to be too many. */
static void the_plan_of_a_serial_line_is_weighed(void **state)
{
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.baud = 9600;
	/* 8 + 205 bytes of 10 bits and t3.5 are 226 ms. */
	field_read(&f, 1, 3, 0, 100, 500);
	field_open(&f, &c);
	TURN_UNTIL(&f, stats_of(&f).planned);
	assert_in_range(stats_of(&f).planned, 400, 500);
	turn_until(&f, &f.ok_of[0], 2);
	assert_true(stats_of(&f).wire > 0);
	field_stop(&f);
	peer_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(row_05_a_slower_device_is_asked_less),
	    cmocka_unit_test(row_06_wrong_unit_lengthens_the_gap),
	    cmocka_unit_test(row_06_the_longer_gap_is_not_for_ever),
	    cmocka_unit_test(row_07_a_busy_unit_is_asked_again),
	    cmocka_unit_test(row_18_the_gap_counts_from_the_last_byte),
	    cmocka_unit_test(row_20_the_slot_is_given_back),
	    cmocka_unit_test(row_20_a_silent_unit_is_looked_for_though_the_slot_is_given_back),
	    cmocka_unit_test(row_20_sessions_that_flap_are_told),
	    cmocka_unit_test(a_flood_of_writes_does_not_stop_the_polls),
	    cmocka_unit_test(reads_by_hand_are_answered_once),
	    cmocka_unit_test(figures_of_units_and_line),
	    cmocka_unit_test(the_plan_of_a_serial_line_is_weighed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
