/* bus/ on Modbus RTU: a PTY with a peer of raw bytes at its far end (bus_fixture.h). */
#include "bus_fixture.h"

static void values_of_four_units_arrive(void **state)
{
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	for (uint8_t unit = 1; unit <= 4; unit++)
		field_read(&f, unit, (uint8_t)(5 - unit), 30, unit == 1 ? 125 : 9, 200);
	field_open(&f, &c);
	for (uint32_t i = 0; i < f.count; i++)
		turn_until(&f, &f.ok_of[i], 3);
	struct bus_write w = {.unit = 2, .function = 16, .address = 4, .count = 3, .deadline_ms = 60000};
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until(&f, &f.write_status[BUS_OK], 1);
	/* Unit 0 would be a broadcast: nobody answers. */
	w.unit = 0;
	assert_int_equal(bus_line_write(f.line, &w), FC_EINVAL);
	w.unit = 255;
	assert_int_equal(bus_line_write(f.line, &w), FC_EINVAL);
	field_stop(&f);
	peer_free(p);
}

/* How often each of the three healthy units was asked while the fourth was asked or due n times. */
static void a_silent_unit_leaves_the_others_their_period(void **state)
{
	enum { HEALTHY = 3, WINDOW_MS = 6000 };
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	double rate[2][HEALTHY];

	(void)state;
	c.response_timeout_ms = 500; /* longer than any gap between two polls */
	for (uint8_t unit = 1; unit <= 4; unit++)
		field_read(&f, unit, 3, 10, 20, 400);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 8);
	for (int k = 0; k < 2; k++) {
		int before[HEALTHY];

		if (k) {
			peer_set(p, 4, SILENT, 0);
			turn_until_slow(&f, 1);
			/* The polls that the first three time-outs held up are made by now. */
			int made = f.ok_of[0];
			turn_until(&f, &f.ok_of[0], made + 3);
		}
		uint64_t due = stats_of(&f).due, missed = stats_of(&f).missed;
		int asked = peer_count(p, &p->requests[4]);
		for (int i = 0; i < HEALTHY; i++)
			before[i] = f.ok_of[i];
		turn_for(&f, WINDOW_MS);
		due = stats_of(&f).due - due;
		missed = stats_of(&f).missed - missed;
		/* Against what fell due in the window: the machine's own slowness is in both. */
		for (int i = 0; i < HEALTHY; i++)
			rate[k][i] = (f.ok_of[i] - before[i]) / ((double)due / (k ? HEALTHY : HEALTHY + 1));
		print_message("window %d: due %llu missed %llu, silent unit asked %d times, made/due %.2f %.2f %.2f\n",
			      k, (unsigned long long)due, (unsigned long long)missed,
			      peer_count(p, &p->requests[4]) - asked, rate[k][0], rate[k][1], rate[k][2]);
		assert_true(missed * 50 <= due);
	}
	for (int i = 0; i < HEALTHY; i++) {
		assert_true(rate[1][i] >= rate[0][i] * 0.9);
		assert_true(rate[1][i] <= rate[0][i] * 1.1);
	}
	/* It was asked, if seldom, and comes back by itself. */
	peer_set(p, 4, NORMAL, 0);
	int before = f.ok_of[3];
	turn_until(&f, &f.ok_of[3], before + 3);
	turn_until_slow(&f, 0);
	field_stop(&f);
	peer_free(p);
}

/* The answer comes when its request was given up and the next one, to the same unit and for as many registers, is not
 * made yet: nothing in an RTU frame tells the two apart. */
static void a_late_answer_is_never_the_next_ones(void **state)
{
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 100;
	field_read(&f, 1, 3, 0, 4, 1000);
	field_read(&f, 1, 3, 100, 4, 1000);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 2);
	for (int k = 1; k <= 3; k++) {
		int asked = peer_count(p, &p->requests[1]);

		peer_set(p, 1, LATE, 200);
		turn_until_asked(&f, p, &p->requests[1], asked + 1);
		peer_set(p, 1, NORMAL, 0);
		int before = f.by_status[BUS_OK];
		turn_until(&f, &f.by_status[BUS_OK], before + 3);
		assert_true(f.by_status[BUS_TIMEOUT] >= k);
	}
	field_stop(&f);
	peer_free(p);
}

static void odd_answers_are_refused(void **state)
{
	static const enum fault faults[] = {TORN, WRONG_UNIT, BAD_CRC, EXCEPTION};
	static const enum bus_status wanted[] = {BUS_BAD_ANSWER, BUS_BAD_ANSWER, BUS_BAD_ANSWER, BUS_EXCEPTION};
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 7, 3, 0, 4, 200);
	field_open(&f, &c);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		int good = f.by_status[BUS_OK], odd = f.by_status[wanted[i]];

		turn_until(&f, &f.by_status[BUS_OK], good + 1);
		peer_set(p, 7, faults[i], 4);
		turn_until(&f, &f.by_status[wanted[i]], odd + 1);
		peer_set(p, 7, NORMAL, 0);
	}
	int good = f.by_status[BUS_OK];
	turn_until(&f, &f.by_status[BUS_OK], good + 1);
	assert_int_equal(stats_of(&f).disconnects, 0);
	field_stop(&f);
	peer_free(p);
}

/* Said once and in words to act on; the tries that follow are quiet. */
static void a_device_that_refuses_is_said_once(void **state)
{
	char path[] = "/tmp/forecourt-bus-XXXXXX", text[4096] = "";
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct bus_write w = {.unit = 1, .function = 6, .count = 1, .deadline_ms = 60000};
	int file = mkstemp(path), saved = dup(2), lines = 0;

	(void)state;
	assert_true(file >= 0 && saved >= 0);
	assert_int_equal(unlink(path), 0);
	c.parity = 'E';
	(void)snprintf(c.device, sizeof(c.device), "/dev/null"); /* no serial port: it refuses all settings */
	field_read(&f, 1, 3, 0, 4, 200);
	assert_true(dup2(file, 2) == 2);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_DISCONNECTED], 1);
	assert_int_equal(bus_line_write(f.line, &w), FC_OK);
	turn_until(&f, &f.write_status[BUS_DISCONNECTED], 1);
	turn_for(&f, 2500); /* a second try at least */
	field_stop(&f);
	assert_true(dup2(saved, 2) == 2);
	close(saved);
	assert_true(pread(file, text, sizeof(text) - 1, 0) > 0);
	close(file);
	for (const char *s = text; (s = strstr(s, "bus: line")); s++)
		lines++;
	assert_int_equal(lines, 1);
	assert_non_null(strstr(text, "parity even"));
	assert_non_null(strstr(text, "/dev/null"));
	peer_free(p);
}

static void a_device_that_goes_is_told(void **state)
{
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 4, 200);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 1);
	peer_free(p); /* the adapter was pulled out */
	turn_until(&f, &f.by_status[BUS_DISCONNECTED], 1);
	field_stop(&f);
}

/* Meters have identifiers and a number of their own, which no request by hand has. */
static void nothing_by_hand_on_a_line_of_meters(void **state)
{
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	const struct bus_read r = {.unit = 1, .function = 3, .count = 2, .period_ms = 1000};
	const struct bus_write w = {.unit = 1, .function = 6, .count = 1, .deadline_ms = 1000};

	(void)state;
	c.framing = BUS_FRAMING_DLT645;
	field_open(&f, &c);
	assert_int_equal(bus_line_read(f.line, &r), FC_EINVAL);
	assert_int_equal(bus_line_write(f.line, &w), FC_EINVAL);
	field_stop(&f);
	peer_free(p);
}

/* A rate that the library does not know would be 9600 without a word, and every unit silent: the port is not opened. */
static void a_rate_that_nobody_has(void **state)
{
	struct peer *p = peer_rtu();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.baud = 14400;
	field_read(&f, 1, 3, 0, 1, 100);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_DISCONNECTED], 1);
	assert_int_equal(stats_of(&f).connected, 0);
	assert_int_equal(peer_count(p, &p->total), 0);
	field_stop(&f);
	/* One that it knows. */
	struct field good = {0};
	c.baud = 19200;
	field_read(&good, 1, 3, 0, 1, 100);
	field_open(&good, &c);
	turn_until(&good, &good.by_status[BUS_OK], 1);
	field_stop(&good);
	peer_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rate_that_nobody_has),
	    cmocka_unit_test(nothing_by_hand_on_a_line_of_meters),
	    cmocka_unit_test(values_of_four_units_arrive),
	    cmocka_unit_test(a_silent_unit_leaves_the_others_their_period),
	    cmocka_unit_test(a_late_answer_is_never_the_next_ones),
	    cmocka_unit_test(odd_answers_are_refused),
	    cmocka_unit_test(a_device_that_refuses_is_said_once),
	    cmocka_unit_test(a_device_that_goes_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
