/* device/agent_gbt: what a listening device gives its host, and what it keeps to itself. */
#include "gbt_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "device/agent.h"

static const char *const names[] = {"phase.name", "BCS.soc",    "BRM.vin",   "BCL.current", "CCS.voltage",
				    "stop.code",  "CSD.energy", "BSM.pause", "edition"};
enum { PHASE, SOC, VIN, CURRENT, VOLTAGE, STOP, ENERGY, PAUSE, EDITION, POINTS };

struct seen {
	struct point_value value;
	int times;
};

static struct {
	struct profile *profile;
	void *agent;
	struct seen points[POINTS];
	int heard, sent;
	char stops[8][DEVICE_TEXT_MAX]; /* each reason that was told */
	int stop_count;
} t;

static int host_send(void *user, const struct can_frame *f)
{
	(void)user;
	(void)f;
	t.sent++;
	return FC_OK;
}

static void host_value(void *user, int number, int point, const struct point_value *value)
{
	(void)user;
	assert_int_equal(number, 0);
	assert_true(point >= 0 && point < POINTS);
	assert_true(value->quality != QUALITY_STALE);
	t.points[point].value = *value;
	t.points[point].times++;
	if (point == STOP && value->quality == QUALITY_GOOD && t.stop_count < 8)
		(void)snprintf(t.stops[t.stop_count++], sizeof(t.stops[0]), "%s", value->text);
}

static void host_heard(void *user, int online)
{
	(void)user;
	t.heard = online;
}

static void host_done(void *user, int number, enum bus_status status)
{
	(void)user;
	(void)number;
	(void)status;
	fail();
}

static int set_up(void **state)
{
	static const struct agent_host host = {
	    .send = host_send, .value = host_value, .heard = host_heard, .done = host_done};
	const struct agent_settings settings = {.name = "bms1", .numbers = {1}, .connectors = 1, .poll_ms = 1000};
	struct error err = {0};

	(void)state;
	memset(&t, 0, sizeof(t));
	t.profile = calloc(1, sizeof(*t.profile));
	if (!t.profile)
		return -1;
	t.profile->point_count = POINTS;
	for (int i = 0; i < POINTS; i++)
		t.profile->points[i].signal = gbt_signal_find(names[i]) + 1;
	t.agent = agent_gbt27930.start(t.profile, &settings, &host, &err);
	return t.agent ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	agent_gbt27930.stop(t.agent);
	free(t.profile);
	return 0;
}

static void assert_told(int point, enum quality quality, int64_t milli, const char *text)
{
	const struct point_value *v = &t.points[point].value;

	assert_true(t.points[point].times > 0);
	if (v->quality != quality || v->milli != milli || strcmp(v->text, text) != 0)
		fail_msg("%s: quality %d, %lld \"%s\"", names[point], (int)v->quality, (long long)v->milli, v->text);
}

/* Frames and runs as a line gives them: a run when the agent wants one. */
static int64_t due_us;

static void play(int64_t until_ms)
{
	for (int i = 0; i < frame_count && frames[i].mono_us < START_US + until_ms * 1000; i++) {
		while (due_us <= frames[i].mono_us)
			due_us = agent_gbt27930.run(t.agent, due_us);
		agent_gbt27930.frame(t.agent, &frames[i]);
	}
}

static void test_a_session(void **state)
{
	(void)state;
	load("2015");
	/* Nothing is told before the port is up. */
	due_us = agent_gbt27930.run(t.agent, START_US - 10);
	for (int i = 0; i < POINTS; i++)
		assert_int_equal(t.points[i].times, 0);
	agent_gbt27930.port(t.agent, 1);
	assert_int_equal(t.heard, 1);
	play(9900);
	assert_told(PHASE, QUALITY_GOOD, 0, "charging");
	assert_told(SOC, QUALITY_GOOD, 44000, "");
	assert_told(VIN, QUALITY_GOOD, 0, "LFCT0000000000123");
	assert_told(CURRENT, QUALITY_GOOD, 120000, "");
	assert_told(VOLTAGE, QUALITY_GOOD, 561000, "");
	assert_told(STOP, QUALITY_UNKNOWN, 0, "");
	assert_told(ENERGY, QUALITY_UNKNOWN, 0, "");
	assert_told(EDITION, QUALITY_GOOD, 2015000, "");
	/* 68 BCL that all say the same, in 3.4 s: told again twice a second, with the time when they were heard. */
	assert_in_range(t.points[CURRENT].times, 6, 12);
	assert_true(t.points[CURRENT].value.mono_us > START_US + 9000000);
	/* What is said once has no age while the session lasts. */
	assert_int_equal(t.points[VIN].value.mono_us, 0);
	assert_true(t.points[VIN].times <= 2);
	play(INT64_MAX / 2000);
	assert_int_equal(t.sent, 0);
}

static void test_the_end(void **state)
{
	(void)state;
	load("2015");
	due_us = START_US;
	agent_gbt27930.port(t.agent, 1);
	play(INT64_MAX / 2000);
	assert_told(STOP, QUALITY_GOOD, 0, "manual");
	assert_told(ENERGY, QUALITY_GOOD, 3700, "");
	assert_told(PHASE, QUALITY_GOOD, 0, "ended");
	/* The car goes: the reason stays, the car does not. */
	for (int i = 0; i < 100; i++)
		due_us = agent_gbt27930.run(t.agent, due_us);
	assert_told(PHASE, QUALITY_GOOD, 0, "idle");
	assert_told(VIN, QUALITY_UNKNOWN, 0, "");
	assert_told(SOC, QUALITY_UNKNOWN, 0, "");
	assert_told(STOP, QUALITY_GOOD, 0, "manual");
	assert_told(ENERGY, QUALITY_GOOD, 3700, "");
}

/* A session that another one follows without an end: its reason is told before it is gone. */
static void test_an_end_between_two_frames(void **state)
{
	struct can_frame c = {
	    .id = 0x1826F456, .extended = 1, .len = 3, .data = {1, 1, 0}, .mono_us = START_US + 9990000};

	(void)state;
	load("2015");
	due_us = START_US;
	agent_gbt27930.port(t.agent, 1);
	play(9900);
	agent_gbt27930.frame(t.agent, &c);
	assert_int_equal(t.stop_count, 1);
	assert_string_equal(t.stops[0], "replaced");
	assert_told(STOP, QUALITY_UNKNOWN, 0, "");
	assert_told(VIN, QUALITY_UNKNOWN, 0, "");
	assert_told(PHASE, QUALITY_GOOD, 0, "handshake");
}

static void test_the_port_goes_down(void **state)
{
	int64_t now = clock_mono_us();

	(void)state;
	load("2015");
	for (int i = 0; i < frame_count; i++)
		frames[i].mono_us += now - 20000000;
	due_us = now;
	agent_gbt27930.port(t.agent, 1);
	for (int i = 0; i < 200; i++)
		agent_gbt27930.frame(t.agent, &frames[i]);
	assert_told(PHASE, QUALITY_GOOD, 0, "charging");
	agent_gbt27930.port(t.agent, 0);
	agent_gbt27930.port(t.agent, 0);
	int before = t.points[PHASE].times;

	/* The host knows that nothing is known; told again when it is up, from nothing. */
	(void)agent_gbt27930.run(t.agent, clock_mono_us());
	assert_int_equal(t.points[PHASE].times, before);
	agent_gbt27930.port(t.agent, 1);
	due_us = agent_gbt27930.run(t.agent, clock_mono_us());
	assert_told(PHASE, QUALITY_UNKNOWN, 0, "");
	assert_told(VIN, QUALITY_UNKNOWN, 0, "");
	for (int i = 0; i < 10; i++)
		due_us = agent_gbt27930.run(t.agent, due_us);
	assert_told(PHASE, QUALITY_GOOD, 0, "idle");
	assert_told(STOP, QUALITY_UNKNOWN, 0, "");
}

/* Seconds in which nothing could be heard are no silence: the bus is idle once it was listened to for a while, and a charge may be
 * going on. Found by fuzz_gbt. */
static void test_a_long_time_down(void **state)
{
	int64_t now = clock_mono_us();

	(void)state;
	due_us = now;
	agent_gbt27930.port(t.agent, 1);
	for (int i = 0; i < 10; i++)
		due_us = agent_gbt27930.run(t.agent, due_us);
	assert_told(PHASE, QUALITY_GOOD, 0, "idle");
	agent_gbt27930.port(t.agent, 0);
	for (int i = 0; i < 20; i++)
		due_us = agent_gbt27930.run(t.agent, due_us);
	agent_gbt27930.port(t.agent, 1);
	due_us = agent_gbt27930.run(t.agent, due_us);
	assert_told(PHASE, QUALITY_UNKNOWN, 0, "");
	for (int i = 0; i < 10; i++)
		due_us = agent_gbt27930.run(t.agent, due_us);
	assert_told(PHASE, QUALITY_GOOD, 0, "idle");
}

/* Exactly what is between the two, whatever its priority and PGN. */
static void test_filters(void **state)
{
	static const struct {
		uint32_t id;
		int passes;
	} cases[] = {{0x1826F456, 1}, {0x1C0256F4, 1}, {0x081E56F4, 1}, {0x1CEC56F4, 1}, {0x0070F4B5, 0},
		     {0x18FF56F5, 0}, {0x1CEBF457, 0}, {0x1801F4F4, 0}, {0x18015656, 0}};
	struct can_filter f[AGENT_FILTERS_MAX];
	int n = agent_gbt27930.filters(t.agent, f, AGENT_FILTERS_MAX);

	(void)state;
	assert_int_equal(n, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int passes = 0;

		for (int k = 0; k < n; k++) {
			assert_true(f[k].extended);
			passes |= (cases[i].id & f[k].mask) == (f[k].id & f[k].mask);
		}
		assert_int_equal(passes, cases[i].passes);
	}
	/* A listener has no commands, and no limit to hold. */
	assert_true(agent_gbt27930.listens);
	assert_null(agent_gbt27930.command);
	assert_null(agent_gbt27930.limit);
}

/* DESIGN.md, rule 8: the vehicle's number is in no line of the log, at any level. */
static void test_the_log(void **state)
{
	char path[] = "/tmp/fc-agent-gbt.XXXXXX", text[16384];
	int fd = mkstemp(path), old = dup(STDERR_FILENO);
	enum log_level level = log_get_level();

	(void)state;
	assert_true(fd >= 0 && old >= 0);
	load("faults");
	due_us = START_US;
	log_set_level(LOG_LEVEL_DEBUG);
	(void)dup2(fd, STDERR_FILENO);
	agent_gbt27930.port(t.agent, 1);
	play(INT64_MAX / 2000);
	(void)dup2(old, STDERR_FILENO);
	close(old);
	log_set_level(level);
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	(void)unlink(path);
	assert_true(n > 0);
	text[n] = 0;
	assert_null(strstr(text, "LFCT0000000000777"));
	assert_non_null(strstr(text, "bms1: charging, vehicle LFC"));
	assert_non_null(strstr(text, "bms1: the charger waited for a demand (BCL)"));
	assert_non_null(strstr(text, "bms1: ended: stopped by the vehicle, no reason given"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_a_session),
	    TEST(test_the_end),
	    TEST(test_an_end_between_two_frames),
	    TEST(test_the_port_goes_down),
	    TEST(test_a_long_time_down),
	    TEST(test_filters),
	    TEST(test_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
