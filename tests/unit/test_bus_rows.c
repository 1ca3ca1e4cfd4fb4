/* The transport rows of chargers.md section 4 on a line, against a peer of raw bytes (bus_fixture.h). What framings decide by
 * themselves is in test_framing.c; reconnecting, the slow lane and late answers are in test_bus_tcp.c and test_bus_rtu.c too. */
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <linux/serial.h>

#include "bus/exchange.h"
#include "bus/port.h"
#include "bus/serial.h"
#include "bus/wire.h"
#include "bus_fixture.h"

/* --- every framing on every kind of line --- */

static struct peer *peers(int i)
{
	static const enum peer_framing framings[] = {PEER_TCP, PEER_RTU, PEER_ASCII};

	return i < 3 ? peer_on_tcp(framings[i]) : peer_on_line(framings[i - 2]);
}
enum { LINES = 5 }; /* Modbus/TCP, RTU over TCP, ASCII over TCP, RTU, ASCII */

static void every_framing_on_every_line(void **state)
{
	(void)state;
	for (int i = 0; i < LINES; i++) {
		struct peer *p = peers(i);
		struct field f = {0};
		struct bus_line_config c = config_of(p);
		const struct bus_write writes[] = {
		    {.unit = 2, .function = 5, .address = 4, .count = 1, .words = {1}, .deadline_ms = PATIENCE_MS},
		    {.unit = 2, .function = 6, .address = 4, .count = 1, .words = {9}, .deadline_ms = PATIENCE_MS},
		    {.unit = 2,
		     .function = 15,
		     .address = 4,
		     .count = 9,
		     .words = {1, 0, 1},
		     .deadline_ms = PATIENCE_MS},
		    {.unit = 2, .function = 16, .address = 4, .count = 16, .words = {7}, .deadline_ms = PATIENCE_MS},
		};

		field_read(&f, 1, 3, 0, 125, 200);
		field_read(&f, 1, 4, 7, 1, 200);
		field_read(&f, 248, 1, 7, 19, 200);
		field_read(&f, 3, 2, 100, 125, 200);
		field_open(&f, &c);
		for (uint32_t k = 0; k < f.count; k++)
			turn_until(&f, &f.ok_of[k], 2);
		for (int k = 0; k < 4; k++) {
			assert_int_equal(bus_line_write(f.line, &writes[k]), FC_OK);
			turn_until(&f, &f.write_status[BUS_OK], k + 1);
		}
		assert_int_equal(stats_of(&f).disconnects, 0);
		assert_int_equal(stats_of(&f).bad + stats_of(&f).timeouts, 0);
		field_stop(&f);
		peer_free(p);
	}
}

/* What each framing makes of a fault: the good answer all the same, or a status. */
static void every_fault_on_every_line(void **state)
{
	static const struct {
		enum fault fault;
		int value;
		int on; /* bits by line */
		enum bus_status status;
	} cases[] = {
	    {AFTER_OTHER, 0, 0x1F, BUS_OK},        {AFTER_NOISE, 0, 0x1E, BUS_OK},
	    {IN_PIECES, 2, 0x1F, BUS_OK},          {TORN, 0, 0x18, BUS_BAD_ANSWER},
	    {BAD_CRC, 0, 0x1E, BUS_BAD_ANSWER},    {HEADLESS, 0, 0x1A, BUS_BAD_ANSWER},
	    {WRONG_UNIT, 0, 0x1F, BUS_BAD_ANSWER}, {LONGER, 0, 0x1F, BUS_BAD_ANSWER},
	    {SILENT, 0, 0x1F, BUS_TIMEOUT},        {EXCEPTION, 2, 0x1F, BUS_EXCEPTION},
	    {NO_MODBUS, 0, 0x1F, BUS_BAD_ANSWER},
	};

	(void)state;
	for (int i = 0; i < LINES; i++)
		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			if (!(cases[k].on >> i & 1))
				continue;
			struct peer *p = peers(i);
			struct field f = {0};
			struct bus_line_config c = config_of(p);

			c.response_timeout_ms = 150;
			peer_set(p, 5, cases[k].fault, cases[k].value);
			field_read(&f, 5, 3, 10, 4, 200);
			field_open(&f, &c);
			turn_until(&f, &f.by_status[cases[k].status], 2);
			for (int s = BUS_OK; s < BUS_DISCONNECTED; s++)
				if (f.by_status[s] != (s == (int)cases[k].status ? f.by_status[s] : 0))
					fail_msg("line %d, fault %d: %d times %s", i, cases[k].fault, f.by_status[s],
						 bus_status_name((enum bus_status)s));
			peer_set(p, 5, NORMAL, 0);
			turn_until(&f, &f.by_status[BUS_OK], 3);
			field_stop(&f);
			peer_free(p);
		}
}

/* --- rows --- */

/* grid-x/modbus#26, evcc#23395: the peer stays one transaction behind. Nothing of it is taken; after three requests the
 * connection is made anew. */
static void row_01_and_02_answers_that_stay_behind_bring_a_new_connection(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 100;
	field_read(&f, 1, 3, 0, 4, 200);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 2);
	peer_set(p, 1, STALE, 0);
	turn_until_asked(&f, p, &p->connections, 2);
	assert_true(stats_of(&f).stale >= 3);
	assert_true(stats_of(&f).disconnects >= 1);
	peer_set(p, 1, NORMAL, 0);
	int before = f.by_status[BUS_OK];
	turn_until(&f, &f.by_status[BUS_OK], before + 2);
	field_stop(&f);
	peer_free(p);
}

/* neuron#1602: one unit whose answers are always too late is no reason to disturb the others behind the gateway. */
static void row_02_stale_answers_between_good_ones_keep_the_connection(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 100;
	field_read(&f, 1, 3, 0, 4, 200);
	field_read(&f, 2, 3, 0, 4, 300);
	peer_set(p, 2, LATE, 150);
	field_open(&f, &c);
	turn_until_asked(&f, p, &p->requests[2], 5);
	turn_until(&f, &f.ok_of[0], 5);
	assert_int_equal(stats_of(&f).disconnects, 0);
	assert_int_equal(peer_count(p, &p->connections), 1);
	field_stop(&f);
	peer_free(p);
}

static void row_03_two_answers_in_one_segment(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	peer_set(p, 1, TWO_ANSWERS, 0);
	field_read(&f, 1, 3, 0, 4, 100);
	field_read(&f, 1, 3, 50, 4, 100);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 10);
	assert_int_equal(f.by_status[BUS_BAD_ANSWER] + f.by_status[BUS_TIMEOUT], 0);
	assert_int_equal(peer_count(p, &p->connections), 1);
	field_stop(&f);
	peer_free(p);
}

/* evcc#10491: dropped, waited on, counted: the right answer comes behind it. */
static void row_06_the_other_units_answer_is_counted(void **state)
{
	struct peer *p = peer_on_line(PEER_RTU);
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	peer_set(p, 1, AFTER_OTHER, 0);
	field_read(&f, 1, 3, 0, 4, 100);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 5);
	assert_true(stats_of(&f).foreign >= 5);
	assert_int_equal(f.by_status[BUS_BAD_ANSWER], 0);
	field_stop(&f);
	peer_free(p);
}

/* modbus-esp8266#356: a converter that answers in the name of another unit. */
static void row_07_any_unit_is_an_option_of_the_line(void **state)
{
	(void)state;
	for (int option = 0; option <= 1; option++) {
		struct peer *p = peer_tcp();
		struct field f = {0};
		struct bus_line_config c = config_of(p);
		const struct bus_write w = {.unit = 1, .function = 6, .count = 1, .deadline_ms = PATIENCE_MS};

		c.response_timeout_ms = 100;
		c.any_unit = option;
		peer_set(p, 1, WRONG_UNIT, 0);
		field_open(&f, &c);
		assert_int_equal(bus_line_write(f.line, &w), FC_OK);
		turn_until(&f, &f.write_status[option ? BUS_OK : BUS_BAD_ANSWER], 1);
		field_stop(&f);
		peer_free(p);
	}
}

/* Busy and "it will take a while" are answers of a living device, and so are codes that nobody knows: it is asked again in its
 * time, and is not sent to the slow lane. */
static void row_07_busy_is_asked_again(void **state)
{
	static const uint8_t codes[] = {5, 6, 12, 200};
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 4, 100);
	field_open(&f, &c);
	for (size_t i = 0; i < sizeof(codes); i++) {
		int before = f.by_status[BUS_EXCEPTION], good = f.by_status[BUS_OK];

		peer_set(p, 1, EXCEPTION, codes[i]);
		turn_until(&f, &f.by_status[BUS_EXCEPTION], before + 5);
		assert_int_equal(f.exception, codes[i]);
		peer_set(p, 1, NORMAL, 0);
		turn_until(&f, &f.by_status[BUS_OK], good + 2);
	}
	assert_int_equal(stats_of(&f).units_slow, 0);
	assert_int_equal(stats_of(&f).disconnects, 0);
	field_stop(&f);
	peer_free(p);
}

/* evcc#16866: 9600 baud would bring a byte a millisecond; this peer takes 30 ms for each. Within 50 ms a byte it is one answer,
 * although all of it takes longer than the response time-out. */
static void row_09_from_byte_to_byte_counts_the_byte_timeout(void **state)
{
	struct peer *p = peer_on_line(PEER_RTU);
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 200;
	c.byte_timeout_ms = 400; /* a loaded machine is late too */
	peer_set(p, 2, IN_PIECES, 30);
	field_read(&f, 2, 3, 0x0101, 4, 1000);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 3);
	assert_true(stats_of(&f).latency_max_us > 200000);
	field_stop(&f);
	peer_free(p);
}

/* The answer stops in its middle: known after the byte time-out, long before the response time-out. */
static void row_09_a_torn_answer_does_not_cost_the_response_timeout(void **state)
{
	struct peer *p = peer_on_line(PEER_RTU);
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	int64_t begin = clock_mono_ms();

	(void)state;
	c.response_timeout_ms = PATIENCE_MS; /* would never end */
	peer_set(p, 2, TORN, 0);
	field_read(&f, 2, 3, 0, 4, 100);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_BAD_ANSWER], 1);
	assert_true(clock_mono_ms() - begin < PATIENCE_MS);
	assert_true(stats_of(&f).damaged >= 1);
	field_stop(&f);
	peer_free(p);
}

/* libmodbus#776: the line's response time-out is what counts; the device that is slower than it is heard with a longer one. */
static void row_10_the_response_timeout_is_a_setting(void **state)
{
	(void)state;
	for (int k = 0; k <= 1; k++) {
		struct peer *p = peer_tcp();
		struct field f = {0};
		struct bus_line_config c = config_of(p);

		c.response_timeout_ms = k ? 20000 : 100;
		peer_set(p, 1, LATE, 400);
		field_read(&f, 1, 3, 0, 1, 1000);
		field_open(&f, &c);
		turn_until(&f, &f.by_status[k ? BUS_OK : BUS_TIMEOUT], 1);
		field_stop(&f);
		peer_free(p);
	}
}

/* nut#1847, libmodbus#732: what came after its time-out is thrown away before the next request, and counted. */
static void row_11_and_12_left_over_bytes_are_flushed_and_counted(void **state)
{
	(void)state;
	for (int i = 0; i < LINES; i++) {
		struct peer *p = peers(i);
		struct field f = {0};
		struct bus_line_config c = config_of(p);

		c.response_timeout_ms = 100;
		field_read(&f, 1, 3, 0, 4, 1000);
		peer_set(p, 1, LATE, 300);
		field_open(&f, &c);
		turn_until(&f, &f.by_status[BUS_TIMEOUT], 2);
		peer_set(p, 1, NORMAL, 0);
		turn_until(&f, &f.by_status[BUS_OK], 2);
		/* A transaction number tells them apart where there is one: they need not be thrown away before the request. */
		assert_true((i ? stats_of(&f).flushed : stats_of(&f).stale) > 0);
		field_stop(&f);
		peer_free(p);
	}
}

/* libmodbus#400: t3.5 by the baud rate, fixed from 19200 on. */
static void row_13_silence_before_a_request(void **state)
{
	static const struct {
		int baud;
		int64_t us;
	} cases[] = {{1200, 32083}, {9600, 4010}, {19200, 2005}, {38400, 1750}, {115200, 1750}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bus_line_config c = {.kind = BUS_RTU, .baud = cases[i].baud};

		assert_in_range(wire_silence_us(&c), cases[i].us - 1, cases[i].us + 1);
	}
	/* chargers.md 3.4: 255 bytes at 9600 8E1 take 292 ms. */
	const struct bus_line_config wire = {
	    .kind = BUS_RTU, .baud = 9600, .data_bits = 8, .stop_bits = 1, .parity = 'E'};
	assert_in_range(wire_bytes_us(&wire, 255), 292000, 293000);
}

/* libmodbus#380: every request comes back. With the option reads and writes are good; without it reads are too. */
static void row_16_an_echo_is_no_answer(void **state)
{
	(void)state;
	for (int i = 3; i < LINES; i++)
		for (int option = 0; option <= 1; option++) {
			struct peer *p = peers(i);
			struct field f = {0};
			struct bus_line_config c = config_of(p);
			const struct bus_write w = {
			    .unit = 1, .function = 6, .address = 3, .count = 1, .deadline_ms = PATIENCE_MS};

			p->echo = 1;
			c.echo = option;
			c.response_timeout_ms = 150;
			field_read(&f, 1, 3, 0, 4, 200);
			field_open(&f, &c);
			turn_until(&f, &f.by_status[BUS_OK], 3);
			peer_set(p, 1, SILENT, 0);
			turn_until(&f, &f.by_status[BUS_TIMEOUT], 1);
			/* A write that the device never answered. */
			assert_int_equal(bus_line_write(f.line, &w), FC_OK);
			turn_until(&f, &f.writes, 1);
			assert_int_equal(f.write_status[option ? BUS_TIMEOUT : BUS_OK], 1);
			peer_set(p, 1, NORMAL, 0);
			field_stop(&f);
			peer_free(p);
		}
}

/* evcc#15437: the device's own pause, from the last byte on. */
static void row_18_the_gap_is_kept(void **state)
{
	struct peer *p = peer_on_line(PEER_RTU);
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	field_read(&f, 1, 3, 0, 4, 100);
	field_read(&f, 1, 3, 50, 4, 100);
	f.reads[0].gap_ms = f.reads[1].gap_ms = 150;
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 3);
	int before = peer_count(p, &p->total);
	int64_t begin = clock_mono_ms();
	turn_until_asked(&f, p, &p->total, before + 6);
	assert_true(clock_mono_ms() - begin >= 5 * 150);
	field_stop(&f);
	peer_free(p);
}

/* evcc#23133, evcc#15912: one connection to an endpoint, and one framing. */
static void row_19_and_41_one_connection_and_one_framing_an_endpoint(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);
	struct error err = {0};

	(void)state;
	field_read(&f, 1, 3, 0, 1, 100);
	field_open(&f, &c);
	c.framing = BUS_FRAMING_RTU;
	assert_null(bus_line_open(f.bus, &c, f.reads, f.count, &err));
	assert_int_equal(err.code, FC_EEXIST);
	turn_until(&f, &f.by_status[BUS_OK], 3);
	assert_int_equal(peer_count(p, &p->connections), 1);
	field_stop(&f);
	peer_free(p);
}

/* evcc#17712: a converter's "no path" and "no answer" are not the device's word; its own exceptions are. */
static void row_41_the_device_said_no_or_the_path_is_broken(void **state)
{
	(void)state;
	for (unsigned code = 1; code <= 255; code++) {
		const struct bus_result r = {.status = BUS_EXCEPTION, .exception = (uint8_t)code};

		assert_int_equal(bus_unit_answered(&r), code != 10 && code != 11);
	}
}

/* grid-x/modbus#97: answered, then closed by the peer, again and again: connections are reconnect_ms apart all the same. */
static void row_21_connections_are_apart(void **state)
{
	enum { APART_MS = 700 };
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.reconnect_ms = APART_MS;
	field_read(&f, 1, 3, 0, 1, 100);
	field_read(&f, 2, 3, 0, 1, 100);
	peer_set(p, 2, HANG_UP, 0);
	field_open(&f, &c);
	turn_until_asked(&f, p, &p->connections, 1);
	int64_t begin = clock_mono_ms();
	turn_until_asked(&f, p, &p->connections, 4);
	assert_true(clock_mono_ms() - begin >= 3 * APART_MS - 100);
	assert_true(f.ok_of[0] > 0);
	field_stop(&f);
	peer_free(p);
}

/* evcc#32955: how long connecting may take is another setting than how long an answer may. */
static void row_22_the_connect_timeout_is_its_own(void **state)
{
	struct peer *p = peer_tcp();
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.connect_timeout_ms = 60000;
	c.response_timeout_ms = 100;
	peer_set(p, 1, SILENT, 0);
	field_read(&f, 1, 3, 0, 1, 200);
	field_open(&f, &c);
	int64_t begin = clock_mono_ms();
	turn_until(&f, &f.by_status[BUS_TIMEOUT], 2);
	assert_true(clock_mono_ms() - begin < 60000);
	field_stop(&f);
	peer_free(p);
}

/* A listener that takes nobody, its queue full: nothing comes back, as from an Alfen that is busy with itself. */
static void row_22_connecting_takes_no_longer_than_that(void **state)
{
	enum { MOST = 32, WAIT_MS = 300 };
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fds[MOST], n = 0;
	struct bus_line_config c = {
	    .name = "line", .kind = BUS_TCP, .host = "127.0.0.1", .connect_timeout_ms = WAIT_MS};

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	c.port = ntohs(address.sin_port);
	struct exchange *x = exchange_new(&c);
	int64_t took = 0;
	/* Until one is kept waiting. */
	while (n < MOST) {
		int64_t begin = clock_mono_ms();

		if (exchange_connect(x)) {
			assert_int_equal(errno, ETIMEDOUT);
			took = clock_mono_ms() - begin;
			break;
		}
		exchange_close(x);
		fds[n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[n++], (struct sockaddr *)&address, size);
	}
	assert_true(took >= WAIT_MS - 10);
	/* A later try finds it as it should be. */
	for (int i = 0; i < n; i++)
		close(fds[i]);
	close(listener);
	exchange_free(x);
}

/* peers.md, row 12: what a dead link held back does not reach the device when the link is given up. */
static void unsent_bytes_are_dropped_with_the_connection(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), small = 2048;
	struct bus_line_config c = {.name = "line", .kind = BUS_TCP, .host = "127.0.0.1", .connect_timeout_ms = 5000};
	static uint8_t bytes[65536];
	size_t sent = 0, came = 0;

	(void)state;
	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	c.port = ntohs(address.sin_port);
	struct port *port = port_new(&c);
	assert_int_equal(port_open(port), 0);
	int fd = accept(listener, NULL, NULL);
	while (!port_send(port, bytes, sizeof(bytes)))
		sent += sizeof(bytes);
	port_free(port);
	ssize_t n;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		came += (size_t)n;
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	assert_true(came < sent);
	close(fd);
	close(listener);
}

/* SmartApplianceEnabler#137. */
static void row_25_longer_answers_by_the_read(void **state)
{
	(void)state;
	for (int i = 0; i < LINES; i++)
		for (int longer = 0; longer <= 1; longer++) {
			struct peer *p = peers(i);
			struct field f = {0};
			struct bus_line_config c = config_of(p);

			c.response_timeout_ms = 150;
			peer_set(p, 1, LONGER, 0);
			field_read(&f, 1, 3, 0x3FC, 1, 100);
			f.reads[0].longer = (uint8_t)longer;
			field_open(&f, &c);
			turn_until(&f, &f.by_status[longer ? BUS_OK : BUS_BAD_ANSWER], 4);
			/* It is in step: no reason to connect anew. */
			assert_int_equal(stats_of(&f).disconnects, 0);
			field_stop(&f);
			peer_free(p);
		}
}

/* chargers.md 1.1, ABL eMH1: the first request after a pause is lost. */
static void a_sleeping_device_is_asked_again_at_once(void **state)
{
	struct peer *p = peer_on_line(PEER_ASCII);
	struct field f = {0};
	struct bus_line_config c = config_of(p);

	(void)state;
	c.response_timeout_ms = 150;
	c.wake_ms = 500;
	/* Whoever asks again after the response time-out is heard. */
	peer_set(p, 1, ASLEEP, 600);
	field_read(&f, 1, 3, 0x2E, 5, 2000);
	field_open(&f, &c);
	turn_until(&f, &f.by_status[BUS_OK], 2);
	assert_int_equal(f.by_status[BUS_TIMEOUT], 0);
	assert_true(peer_count(p, &p->requests[1]) >= 4);
	field_stop(&f);
	peer_free(p);
}

/* --- the serial port's own: a driver made of an ioctl() --- */

static struct {
	int has_mode, has_rts;
	struct serial_rs485 mode;
	int sets, rts_on, rts_off, looks;
} driver;
static int driver_fd = -1;

#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request; /* as POSIX says */
#endif

int ioctl(int fd, ioctl_request request, ...)
{
	va_list args;
	va_start(args, request);
	void *arg = va_arg(args, void *);
	va_end(args);

	if (fd != driver_fd)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	errno = ENOTTY;
	switch (request) {
	case TIOCGRS485:
		if (driver.has_mode)
			memcpy(arg, &driver.mode, sizeof(driver.mode));
		return driver.has_mode ? 0 : -1;
	case TIOCSRS485:
		driver.sets++;
		memcpy(&driver.mode, arg, sizeof(driver.mode));
		return 0;
	case TIOCMBIS:
	case TIOCMBIC:
		driver.rts_on += request == TIOCMBIS;
		driver.rts_off += request == TIOCMBIC;
		return driver.has_rts ? 0 : -1;
	case TIOCSERGETLSR:
		/* Empty at the third look. */
		*(unsigned *)arg = ++driver.looks >= 3;
		return 0;
	default:
		return -1;
	}
}

static struct bus_line_config serial_config(enum bus_rs485 rs485)
{
	struct bus_line_config c = {
	    .kind = BUS_RTU, .rs485 = rs485, .baud = 115200, .data_bits = 8, .stop_bits = 1, .parity = 'N'};

	(void)snprintf(c.name, sizeof(c.name), "line");
	(void)snprintf(c.device, sizeof(c.device), "/dev/ttyX");
	c.rts_before_us = 1500;
	c.rts_after_us = 200;
	return c;
}

/* libmodbus#606, #502: the driver's mode where there is one; without it a port that turns round by itself is normal. */
static void row_14_and_15_rs485_by_the_driver_else_by_rts_else_not_at_all(void **state)
{
	static const struct {
		enum bus_rs485 option;
		int has_mode, has_rts;
		enum serial_turn turn;
	} cases[] = {
	    {BUS_RS485_AUTO, 1, 1, SERIAL_TURN_KERNEL}, {BUS_RS485_AUTO, 0, 1, SERIAL_TURN_NONE},
	    {BUS_RS485_ON, 1, 1, SERIAL_TURN_KERNEL},   {BUS_RS485_ON, 0, 1, SERIAL_TURN_RTS},
	    {BUS_RS485_ON, 0, 0, SERIAL_TURN_NONE},     {BUS_RS485_OFF, 1, 1, SERIAL_TURN_NONE},
	};

	(void)state;
	driver_fd = 12345;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bus_line_config c = serial_config(cases[i].option);

		memset(&driver, 0, sizeof(driver));
		driver.has_mode = cases[i].has_mode;
		driver.has_rts = cases[i].has_rts;
		/* What the board chose about RTS's sense stays. */
		driver.mode.flags = SER_RS485_ENABLED | (i == 2 ? SER_RS485_RTS_AFTER_SEND : 0);
		assert_int_equal(serial_set_rs485(driver_fd, &c, 0), cases[i].turn);
		if (!cases[i].has_mode)
			continue;
		int on = cases[i].option != BUS_RS485_OFF;
		unsigned sense = i == 2 ? SER_RS485_RTS_AFTER_SEND : SER_RS485_RTS_ON_SEND;
		assert_int_equal(driver.sets, 1);
		assert_int_equal(driver.mode.flags, on ? SER_RS485_ENABLED | sense : 0);
		assert_int_equal(driver.mode.delay_rts_before_send, on ? 2 : 0); /* whole milliseconds */
		assert_int_equal(driver.mode.delay_rts_after_send, on ? 1 : 0);
	}
	driver_fd = -1;
}

/* RTS is on before the first byte and off only when the transmitter is empty, and off again when nothing could be sent. */
static void row_14_rts_waits_for_the_empty_transmitter(void **state)
{
	const struct bus_line_config c = serial_config(BUS_RS485_ON);
	static const uint8_t frame[] = {1, 3, 0, 0, 0, 1, 0x84, 0x0A};
	uint8_t back[16];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	memset(&driver, 0, sizeof(driver));
	driver.has_rts = 1;
	driver_fd = ends[1];
	int64_t begin = clock_mono_us();
	assert_int_equal(serial_send_by_rts(ends[1], &c, frame, sizeof(frame)), 0);
	assert_true(clock_mono_us() - begin >= c.rts_before_us + c.rts_after_us);
	assert_int_equal(driver.rts_on, 1);
	assert_int_equal(driver.rts_off, 1);
	assert_int_equal(driver.looks, 3);
	assert_int_equal(read(ends[0], back, sizeof(back)), sizeof(frame));
	driver_fd = ends[0]; /* can't be written to */
	assert_int_equal(serial_send_by_rts(ends[0], &c, frame, sizeof(frame)), -1);
	assert_int_equal(driver.rts_off, 2);
	driver_fd = -1;
	close(ends[0]);
	close(ends[1]);
}

/* A PTY has no RS-485 mode: said nowhere as a trouble, and the line works. */
static void row_15_no_rs485_is_normal(void **state)
{
	(void)state;
	for (int option = BUS_RS485_AUTO; option <= BUS_RS485_OFF; option++) {
		struct peer *p = peer_on_line(PEER_RTU);
		struct field f = {0};
		struct bus_line_config c = config_of(p);

		c.rs485 = (enum bus_rs485)option;
		field_read(&f, 1, 3, 0, 1, 100);
		field_open(&f, &c);
		turn_until(&f, &f.by_status[BUS_OK], 2);
		field_stop(&f);
		peer_free(p);
	}
}

/* --- the tap --- */

struct tapped {
	int sent, received, dropped, echoes;
	size_t bytes;
};

static void tap(void *user, int flags, const uint8_t *bytes, size_t len)
{
	struct tapped *t = user;

	assert_non_null(bytes);
	t->sent += flags == EXCHANGE_SENT;
	t->received += flags == 0;
	t->dropped += flags == EXCHANGE_DROPPED;
	t->echoes += flags == EXCHANGE_ECHO;
	t->bytes += len;
}

/* Every byte of the wire is told once, as part of a frame. */
static void the_tap_sees_the_wire(void **state)
{
	struct peer *p = peer_on_line(PEER_RTU);
	struct bus_line_config c = config_of(p);
	const struct bus_read read = {.unit = 1, .function = 3, .count = 2};
	struct tapped t = {0};
	uint16_t words[BUS_WORDS_MAX];
	uint8_t exception = 0;

	(void)state;
	c.echo = 1;
	p->echo = 1;
	peer_set(p, 1, AFTER_OTHER, 0);
	struct exchange *x = exchange_new(&c);
	assert_non_null(x);
	exchange_set_tap(x, tap, &t);
	assert_int_equal(exchange_connect(x), 0);
	assert_int_equal(exchange_read(x, &read, 10000000, words, &exception), BUS_OK);
	assert_int_equal(words[1], register_of(1, 1));
	assert_int_equal(t.sent, 1);
	assert_int_equal(t.echoes, 1);
	assert_int_equal(t.dropped, 1);
	assert_int_equal(t.received, 1);
	assert_int_equal(t.bytes, 8 + 8 + 9 + 9);
	exchange_close(x);
	exchange_free(x);
	peer_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_framing_on_every_line),
	    cmocka_unit_test(every_fault_on_every_line),
	    cmocka_unit_test(row_01_and_02_answers_that_stay_behind_bring_a_new_connection),
	    cmocka_unit_test(row_02_stale_answers_between_good_ones_keep_the_connection),
	    cmocka_unit_test(row_03_two_answers_in_one_segment),
	    cmocka_unit_test(row_06_the_other_units_answer_is_counted),
	    cmocka_unit_test(row_07_any_unit_is_an_option_of_the_line),
	    cmocka_unit_test(row_07_busy_is_asked_again),
	    cmocka_unit_test(row_09_from_byte_to_byte_counts_the_byte_timeout),
	    cmocka_unit_test(row_09_a_torn_answer_does_not_cost_the_response_timeout),
	    cmocka_unit_test(row_10_the_response_timeout_is_a_setting),
	    cmocka_unit_test(row_11_and_12_left_over_bytes_are_flushed_and_counted),
	    cmocka_unit_test(row_13_silence_before_a_request),
	    cmocka_unit_test(row_14_and_15_rs485_by_the_driver_else_by_rts_else_not_at_all),
	    cmocka_unit_test(row_14_rts_waits_for_the_empty_transmitter),
	    cmocka_unit_test(row_15_no_rs485_is_normal),
	    cmocka_unit_test(row_16_an_echo_is_no_answer),
	    cmocka_unit_test(row_18_the_gap_is_kept),
	    cmocka_unit_test(row_19_and_41_one_connection_and_one_framing_an_endpoint),
	    cmocka_unit_test(row_21_connections_are_apart),
	    cmocka_unit_test(row_22_the_connect_timeout_is_its_own),
	    cmocka_unit_test(row_22_connecting_takes_no_longer_than_that),
	    cmocka_unit_test(unsent_bytes_are_dropped_with_the_connection),
	    cmocka_unit_test(row_25_longer_answers_by_the_read),
	    cmocka_unit_test(row_41_the_device_said_no_or_the_path_is_broken),
	    cmocka_unit_test(a_sleeping_device_is_asked_again_at_once),
	    cmocka_unit_test(the_tap_sees_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
