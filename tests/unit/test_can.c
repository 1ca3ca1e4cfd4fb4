/* bus/can: the notation, the bits on the wire, replay and datagram ports on a real loop, what error frames tell. SocketCAN itself is
 * tested in a virtual machine (tests/vm). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus/can.h"
#include "bus/can_load.h"
#include "bus/can_port.h"
#include "bus/can_text.h"
#include "bus/trace.h"
#include "folder.h"

enum { PATIENCE_MS = 30000, KEPT = 64 };

static struct loop *loop;
static char folder[64];

static const char *in_folder(const char *name)
{
	static char paths[4][128];
	static int next;

	next = (next + 1) % 4;
	(void)snprintf(paths[next], sizeof(paths[next]), "%s/%s", folder, name);
	return paths[next];
}

static int set_up(void **state)
{
	(void)state;
	folder_make(folder, sizeof(folder), "can");
	loop = loop_new(NULL);
	return loop ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	folder_remove(folder);
	return 0;
}

/* What a port told. */
struct heard {
	struct can_port *port;
	uint64_t frames;
	struct can_frame first[KEPT];
	uint32_t next_id; /* frames that do not come in order are counted */
	int out_of_order, in_order;
	int states;
	enum can_state state, all[KEPT];
	uint64_t echo_left; /* answer so many frames */
};

static void on_frame(void *user, const struct can_frame *frame)
{
	struct heard *h = user;

	if (h->frames < KEPT)
		h->first[h->frames] = *frame;
	h->frames++;
	if (h->in_order && frame->id != h->next_id++)
		h->out_of_order++;
}

static void on_state(void *user, enum can_state state)
{
	struct heard *h = user;

	if (h->states < KEPT)
		h->all[h->states] = state;
	h->states++;
	h->state = state;
}

static struct can_config config_of(const char *device)
{
	struct can_config config = {.name = "c1", .bitrate = 250000};

	(void)snprintf(config.device, sizeof(config.device), "%s", device);
	return config;
}

static void open_port(struct heard *h, const struct can_config *config)
{
	struct error err = {0};

	h->port = can_open(loop, config, &(struct can_hooks){.user = h, .frame = on_frame, .state = on_state}, &err);
	if (!h->port)
		fail_msg("%s", err.text);
}

static const char *open_fails(const char *device, int code)
{
	static struct error err;
	struct can_config config = config_of(device);

	memset(&err, 0, sizeof(err));
	assert_null(can_open(loop, &config, &(struct can_hooks){0}, &err));
	assert_int_equal(err.code, code);
	return err.text;
}

static void until_frames(const struct heard *h, uint64_t frames)
{
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; h->frames < frames;) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(loop, 50), FC_OK);
	}
}

static void until_state(const struct heard *h, enum can_state state)
{
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; h->state != state || !h->states;) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(loop, 50), FC_OK);
	}
}

static void write_log(const char *text, size_t len)
{
	FILE *file = fopen(in_folder("log"), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static struct can_config replay_of(const char *prefix, const char *text)
{
	char device[200];

	write_log(text, strlen(text));
	(void)snprintf(device, sizeof(device), "%s%s", prefix, in_folder("log"));
	return config_of(device);
}

/* --- notation */

static struct can_frame parsed(const char *text)
{
	struct can_frame frame;
	struct error err = {0};

	if (can_frame_parse(text, &frame, &err))
		fail_msg("%s: %s", text, err.text);
	return frame;
}

static const char *refused(const char *text)
{
	static struct error err;
	struct can_frame frame;

	assert_int_equal(can_frame_parse(text, &frame, &err), FC_EINVAL);
	return err.text;
}

static void the_notation_of_can_utils_is_read(void **state)
{
	struct can_frame f = parsed("1826F456#010100");

	(void)state;
	assert_int_equal(f.id, 0x1826F456);
	assert_true(f.extended && !f.remote && !f.error);
	assert_int_equal(f.len, 3);
	assert_memory_equal(f.data, "\1\1\0\0\0\0\0\0", 8);
	f = parsed("7ff#");
	assert_true(f.id == 0x7ff && !f.extended && f.len == 0);
	f = parsed("000007FF#11.22.33.44.55.66.77.88");
	assert_true(f.id == 0x7ff && f.extended && f.len == 8 && f.data[7] == 0x88);
	f = parsed("123#R");
	assert_true(f.remote && f.len == 0);
	f = parsed("123#R8");
	assert_true(f.remote && f.len == 8 && f.data[0] == 0);
	f = parsed("20000040#0000000000000000");
	assert_true(f.error && !f.extended && f.id == 0x40);
	f = parsed("123#1122334455667788_B");
	assert_int_equal(f.len, 8);
	assert_string_equal(refused("7FF"), "no # behind the identifier");
	assert_string_equal(refused(""), "an identifier has 3 or 8 hexadecimal digits");
	assert_string_equal(refused("1826F4561#00"), "an identifier has 3 or 8 hexadecimal digits");
	assert_string_equal(refused("800#00"), "identifier 800 is over 7FF");
	assert_string_equal(refused("5826F456#00"), "identifier 5826F456 is over 1FFFFFFF");
	assert_string_equal(refused("123#1"), "a byte has two hexadecimal digits");
	assert_string_equal(refused("123#1x"), "a byte has two hexadecimal digits");
	assert_string_equal(refused("123#112233445566778899"), "over 8 bytes");
	assert_string_equal(refused("123#R9"), "over 8 bytes");
	assert_string_equal(refused("20000040#R"), "an error frame asks for nothing");
	assert_string_equal(refused("123##1112233"), "a CAN FD frame (##): classic CAN only");
	assert_string_equal(refused("123#00 "), "more text behind the frame");
}

static void what_is_written_reads_as_the_same(void **state)
{
	static const char *const texts[] = {
	    "1826F456#010100", "7FF#", "123#R", "123#R8", "20000040#0000000000000000", "00000001#0011223344556677"};
	char out[CAN_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct can_frame frame = parsed(texts[i]);

		assert_string_equal(can_frame_format(&frame, out), texts[i]);
	}
}

static struct can_log_line log_line_of(const char *text)
{
	struct can_log_line line;
	struct error err = {0};

	if (can_log_parse(text, &line, &err))
		fail_msg("%s: %s", text, err.text);
	return line;
}

static void lines_of_candump_are_read(void **state)
{
	struct can_log_line l = log_line_of("(1436509052.249713) can0 1826F456#010100\n");
	struct error err;

	(void)state;
	assert_string_equal(l.interface, "can0");
	assert_true(l.timed);
	assert_int_equal(l.frame.wall_us, 1436509052249713);
	assert_int_equal(l.frame.id, 0x1826F456);
	assert_true(log_line_of("(1.5) can0 123#00 T\r\n").sent);
	assert_int_equal(log_line_of("(1.5) can0 123#00 R").frame.wall_us, 1500000);
	l = log_line_of("  can0  1826F456   [3]  01 01 00");
	assert_true(!l.timed && l.frame.extended && l.frame.len == 3 && l.frame.data[1] == 1);
	l = log_line_of(" (1436509052.249713)  can0  RX - -  1826F456   [3]  01 01 00   '...'\n");
	assert_true(l.timed && l.frame.len == 3);
	l = log_line_of("  can0  7FF   [4]  remote request");
	assert_true(l.frame.remote && !l.frame.extended && l.frame.len == 4);
	l = log_line_of("  can0  20000004   [8]  00 08 00 00 00 00 60 00   ERRORFRAME");
	assert_true(l.frame.error && l.frame.len == 8 && l.frame.data[1] == 8);
	assert_int_equal(can_log_parse("\n", &l, &err), FC_ENOENT);
	assert_int_equal(can_log_parse("# a comment", &l, &err), FC_ENOENT);
	static const char *const bad[] = {
	    "(1436509052.249713 can0 123#00",
	    "(x) can0 123#00",
	    "(1436509052.249713)",
	    "(1436509052.249713) can0",
	    "(1436509052.249713) aninterfacenamethatistoolong 123#00",
	    "can0 123#00 more",
	    "can0  123   [9]  00 00 00 00 00 00 00 00 00",
	    "can0  123   [2]  00",
	    "can0  123   [1]  00 00",
	    "can0  123   8  00 00",
	    "(99999999999999999999.0) can0 123#00",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (can_log_parse(bad[i], &l, &err) != FC_EINVAL)
			fail_msg("taken: %s", bad[i]);
}

/* --- bits on the wire: worked out here the plain way, as a text of 0 and 1 */

static void bits_of(char *out, uint32_t value, int count)
{
	for (size_t n = strlen(out); count--; out[n] = '\0')
		out[n++] = value >> count & 1 ? '1' : '0';
}

static unsigned plain_bits(const struct can_frame *f)
{
	char raw[200] = "", stuffed[260] = "";
	unsigned crc = 0;

	bits_of(raw, 0, 1);
	bits_of(raw, f->extended ? f->id >> 18 : f->id, 11);
	if (f->extended) {
		strcat(raw, "11");
		bits_of(raw, f->id & 0x3ffff, 18);
	}
	strcat(raw, f->remote ? "1" : "0");
	strcat(raw, "00");
	bits_of(raw, f->len, 4);
	for (int i = 0; i < f->len && !f->remote; i++)
		bits_of(raw, f->data[i], 8);
	/* The remainder of the division by x15+x14+x10+x8+x7+x4+x3+1. */
	for (const char *c = raw; *c || c < raw + strlen(raw); c++) {
		crc = crc << 1 ^ (unsigned)(*c - '0') << 15;
		if (crc & 0x8000)
			crc ^= 0xc599;
		crc &= 0x7fff;
	}
	bits_of(raw, crc, 15);
	size_t n = 0;
	for (const char *c = raw; *c; c++) {
		stuffed[n++] = *c;
		if (n >= 5 && strspn(stuffed + n - 5, *c == '0' ? "0" : "1") == 5)
			stuffed[n++] = *c == '0' ? '1' : '0';
		stuffed[n] = '\0';
	}
	return (unsigned)n + 13;
}

static void bits_of_a_frame_are_counted_exactly(void **state)
{
	unsigned least = 1000, most = 0;

	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		struct can_frame f = {.extended = i & 1, .remote = i % 16 == 15, .len = (uint8_t)(i / 2 % 9)};

		f.id = (uint32_t)random() & (f.extended ? CAN_ID_EXTENDED_MAX : CAN_ID_STANDARD_MAX);
		/* Bytes as they are met: full of zeros and ones. */
		for (int b = 0; b < f.len && !f.remote; b++)
			f.data[b] = (uint8_t)(random() % 3 ? random() : random() % 2 * 255);
		unsigned bits = can_frame_bits(&f);

		assert_int_equal(bits, plain_bits(&f));
		least = bits < least ? bits : least;
		most = bits > most ? bits : most;
	}
	assert_in_range(least, 47, 60);
	assert_in_range(most, 140, 160);
	int64_t begun = clock_mono_us();
	struct can_frame f = parsed("1826F456#0011223344556677");
	unsigned sum = 0;

	for (int i = 0; i < 100000; i++) {
		f.data[0] = (uint8_t)i;
		sum += can_frame_bits(&f);
	}
	assert_true(sum > 0);
	print_message("counting the bits of a frame: %.2f us\n", (double)(clock_mono_us() - begun) / 100000);
}

static void the_load_is_that_of_the_last_full_second(void **state)
{
	struct can_load load = {0};
	const int64_t s = 1000000;

	(void)state;
	for (int i = 0; i < 10; i++)
		can_load_add(&load, 100, 5 * s + i * s / 10);
	assert_int_equal(can_load_last(&load, 5 * s + s - 1), 0);
	assert_int_equal(can_load_last(&load, 6 * s), 1000);
	can_load_add(&load, 50, 6 * s + 1);
	assert_int_equal(can_load_last(&load, 7 * s + 1), 50);
	assert_int_equal(can_load_last(&load, 9 * s), 0);
	assert_int_equal(load.highest, 1000);
}

/* --- replay */

static void a_log_is_played_fast(void **state)
{
	struct can_config config = replay_of("replay-fast:", "(1436509052.249713) can0 1826F456#010100\n"
							     "# the vehicle\n"
							     "\n"
							     "(1436509152.000001) can0 182756F4#030101\n"
							     "  can0  123   [2]  AA BB");
	struct heard h = {0};
	struct can_stats stats;

	(void)state;
	open_port(&h, &config);
	assert_int_equal(h.states, 0); /* nothing from within can_open */
	until_frames(&h, 3);
	until_state(&h, CAN_DOWN);
	assert_int_equal(h.states, 2);
	assert_int_equal(h.all[0], CAN_ACTIVE);
	assert_string_equal(can_reason(h.port), "end of file");
	assert_int_equal(h.first[0].wall_us, 1436509052249713);
	assert_int_equal(h.first[1].id, 0x182756F4);
	assert_true(h.first[2].wall_us > 1436509152000001);
	assert_true(h.first[2].mono_us <= clock_mono_us() && h.first[0].mono_us <= h.first[1].mono_us);
	can_get_stats(h.port, &stats);
	assert_int_equal(stats.received, 3);
	assert_int_equal(stats.received_bytes, 8);
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(can_send(h.port, &h.first[0]), FC_EIO);
	can_close(h.port);
}

static void a_log_is_played_at_its_pace(void **state)
{
	/* 100 ms, then a clock that was set back, then one of long after: neither is waited for. */
	struct can_config config =
	    replay_of("replay:", "(1000.000000) can0 001#\n(1000.100000) can0 002#\n"
				 "(10.000000) can0 003#\n(10.050000) can0 004#\n(99999.0) can0 005#\n");
	struct heard h = {.in_order = 1, .next_id = 1};

	(void)state;
	open_port(&h, &config);
	until_frames(&h, 5);
	assert_int_equal(h.out_of_order, 0);
	/* Never before its time; a slow machine may be late. */
	assert_true(h.first[1].mono_us - h.first[0].mono_us >= 100000);
	assert_true(h.first[3].mono_us - h.first[2].mono_us >= 50000);
	assert_true(h.first[4].mono_us - h.first[0].mono_us < (int64_t)PATIENCE_MS * 1000);
	can_close(h.port);
}

static void a_log_is_repeated(void **state)
{
	struct can_config config = replay_of("replay-fast:", "(1.0) can0 001#\n(2.0) can0 002#\n");
	struct heard h = {0};

	(void)state;
	config.repeat = 1;
	open_port(&h, &config);
	until_frames(&h, 1001);
	assert_int_equal(h.first[2].id, 1);
	assert_int_equal(h.states, 1);
	can_close(h.port);
	/* One without a frame ends all the same. */
	memset(&h, 0, sizeof(h));
	config = replay_of("replay-fast:", "# nothing\nnothing\n");
	config.repeat = 1;
	open_port(&h, &config);
	until_state(&h, CAN_DOWN);
	assert_string_equal(can_reason(h.port), "end of file, 1 lines were no CAN frames");
	can_close(h.port);
}

static void a_log_that_is_none_is_counted_and_ends(void **state)
{
	static char rubbish[300000];
	char device[200];
	struct heard h = {0};
	struct can_stats stats;
	struct can_config config;

	(void)state;
	srandom(7);
	for (size_t i = 0; i < sizeof(rubbish); i++)
		rubbish[i] = (char)random();
	memset(rubbish, 'a', 5000); /* one long line */
	memcpy(rubbish + 200000, "\n(1.0) can0 123#55\n", strlen("\n(1.0) can0 123#55\n"));
	write_log(rubbish, sizeof(rubbish));
	(void)snprintf(device, sizeof(device), "replay-fast:%s", in_folder("log"));
	config = config_of(device);
	open_port(&h, &config);
	until_state(&h, CAN_DOWN);
	can_get_stats(h.port, &stats);
	assert_int_equal(h.frames, 1);
	assert_true(stats.malformed > 1000);
	can_close(h.port);
	/* A folder can be opened, but not read. */
	memset(&h, 0, sizeof(h));
	(void)snprintf(device, sizeof(device), "replay:%s", folder);
	config = config_of(device);
	open_port(&h, &config);
	until_state(&h, CAN_DOWN);
	assert_non_null(strstr(can_reason(h.port), "can't be read"));
	can_close(h.port);
}

static void what_can_never_work_is_said_at_once(void **state)
{
	struct can_config config = config_of("can0");
	struct error err;

	(void)state;
	assert_non_null(strstr(open_fails("replay:/nowhere/x.log", FC_ENOENT), "/nowhere/x.log"));
	assert_non_null(strstr(open_fails("", FC_EINVAL), "neither an interface"));
	assert_non_null(strstr(open_fails("relay:x", FC_EINVAL), "\"relay:x\" is neither"));
	assert_non_null(strstr(open_fails("an-interface-too-long", FC_EINVAL), "neither"));
	assert_non_null(strstr(open_fails("datagram:", FC_EINVAL), "OWN_PATH,PEER_PATH"));
	assert_non_null(strstr(open_fails("datagram:/tmp/a", FC_EINVAL), "OWN_PATH,PEER_PATH"));
	assert_non_null(strstr(open_fails("datagram:a,b,c", FC_EINVAL), "OWN_PATH,PEER_PATH"));
	assert_non_null(strstr(open_fails("datagram:/nowhere/a,/nowhere/b", FC_EIO), "/nowhere/a"));
	config.bitrate = 2000000;
	assert_null(can_open(loop, &config, &(struct can_hooks){0}, &err));
	assert_non_null(strstr(err.text, "1000 to 1000000"));
	config.bitrate = 250000;
	config.sample_point = 20;
	assert_null(can_open(loop, &config, &(struct can_hooks){0}, &err));
	assert_non_null(strstr(err.text, "sample point"));
}

static void an_interface_that_is_missing_is_no_error(void **state)
{
	struct can_config config = config_of("fcnone0");
	struct heard h = {0};

	(void)state;
	open_port(&h, &config);
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !*can_reason(h.port) && clock_mono_ms() < end;)
		assert_int_equal(loop_step(loop, 50), FC_OK);
	assert_string_equal(can_reason(h.port), "there is no such interface");
	assert_int_equal(h.states, 0);
	assert_int_equal(can_send(h.port, &(struct can_frame){.id = 1}), FC_EIO);
	can_close(h.port);
	/* And one that is no CAN. */
	config = config_of("lo");
	config.bring_up = 1;
	open_port(&h, &config);
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !*can_reason(h.port) && clock_mono_ms() < end;)
		assert_int_equal(loop_step(loop, 50), FC_OK);
	assert_string_equal(can_reason(h.port), "this is no CAN interface");
	can_close(h.port);
}

/* --- filters, trace, error frames */

static void filters_keep_the_rest_away(void **state)
{
	struct can_config config =
	    replay_of("replay-fast:", "can0 001#\ncan0 00000001#\ncan0 1826F456#00\ncan0 1027F456#00\n"
				      "can0 1826F457#00\ncan0 002#\ncan0 00000002#\ncan0 20000040#0000000000000000\n");
	struct can_filter filters[CAN_FILTERS_MAX + 1] = {{.id = 0x0026F456, .mask = 0x00ffffff, .extended = 1},
							  {.id = 2, .mask = 0x7ff}};
	struct heard h = {0};
	struct can_stats stats;

	(void)state;
	open_port(&h, &config);
	assert_int_equal(can_set_filters(h.port, filters, CAN_FILTERS_MAX + 1), FC_EINVAL);
	assert_int_equal(can_set_filters(h.port, filters, -1), FC_EINVAL);
	assert_int_equal(can_set_filters(h.port, filters, 2), FC_OK);
	until_state(&h, CAN_DOWN);
	assert_int_equal(h.frames, 2);
	assert_int_equal(h.first[0].id, 0x1826F456);
	assert_int_equal(h.first[1].id, 2);
	can_get_stats(h.port, &stats);
	assert_int_equal(stats.bus_offs, 1); /* errors pass */
	can_close(h.port);
	memset(&h, 0, sizeof(h));
	open_port(&h, &config);
	assert_int_equal(can_set_filters(h.port, filters, 0), FC_OK);
	until_state(&h, CAN_DOWN);
	assert_int_equal(h.frames, 0);
	can_close(h.port);
	memset(&h, 0, sizeof(h));
	open_port(&h, &config);
	assert_int_equal(can_set_filters(h.port, filters, 0), FC_OK);
	assert_int_equal(can_set_filters(h.port, NULL, 0), FC_OK);
	until_state(&h, CAN_DOWN);
	assert_int_equal(h.frames, 7);
	can_close(h.port);
}

static void every_frame_is_traced(void **state)
{
	struct can_config config = replay_of("replay-fast:", "(1436509052.249713) can0 1826F456#010100\ncan0 123#R4\n"
							     "can0 20000040#0000000000000000\n");
	struct bus_trace *trace = trace_new(16);
	struct trace_entry e;
	struct heard h = {0};

	(void)state;
	assert_non_null(trace);
	config.trace = trace;
	config.trace_line = 77;
	open_port(&h, &config);
	assert_int_equal(can_set_filters(h.port, &(struct can_filter){0}, 0), FC_OK);
	until_state(&h, CAN_DOWN);
	assert_int_equal(trace_next(trace, 0, &e, NULL), FC_OK);
	assert_int_equal(e.can_id, 0x9826F456);
	assert_int_equal(e.line, 77);
	assert_int_equal(e.kind, TRACE_CAN);
	assert_int_equal(e.flags, 0);
	assert_int_equal(e.len, 3);
	assert_memory_equal(e.bytes, "\1\1\0", 3);
	assert_int_equal(e.wall_us, 1436509052249713);
	assert_int_equal(trace_next(trace, e.number, &e, NULL), FC_OK);
	assert_int_equal(e.can_id, 0x40000123);
	assert_int_equal(e.len, 0);
	assert_int_equal(trace_next(trace, e.number, &e, NULL), FC_OK);
	assert_int_equal(e.can_id, 0x20000040);
	assert_int_equal(trace_next(trace, e.number, &e, NULL), FC_ENOENT);
	can_close(h.port);
	trace_free(trace);
}

static void error_frames_change_the_state(void **state)
{
	/* As the SJA1000's driver tells a bus that gets worse, goes off and comes back. */
	struct can_config config = replay_of("replay-fast:", "can0 20000004#0008000000006000\n"
							     "can0 2000008C#0020080000008000\n"
							     "can0 20000020#0000000000000000\n"
							     "can0 20000040#0000000000000000\n"
							     "can0 20000100#0000000000000000\n"
							     "can0 20000204#0004000000000060\n"
							     "can0 20000204#0040000000000500\n"
							     "can0 20000004#0001000000000000\n"
							     "can0 20000013#0000000000000000\n");
	static const enum can_state want[] = {CAN_ACTIVE, CAN_WARNING, CAN_PASSIVE, CAN_BUS_OFF,
					      CAN_ACTIVE, CAN_WARNING, CAN_ACTIVE,  CAN_DOWN};
	struct heard h = {0};
	struct can_stats stats;

	(void)state;
	config.error_frames = 1;
	open_port(&h, &config);
	until_state(&h, CAN_DOWN);
	assert_int_equal(h.states, 8);
	assert_memory_equal(h.all, want, sizeof(want));
	assert_int_equal(h.frames, 9);
	assert_true(h.first[0].error && h.first[0].id == 4 && h.first[0].data[1] == 8);
	can_get_stats(h.port, &stats);
	assert_int_equal(stats.errors, 9);
	assert_int_equal(stats.received, 0);
	assert_int_equal(stats.warnings, 2);
	assert_int_equal(stats.passives, 1);
	assert_int_equal(stats.bus_offs, 1);
	assert_int_equal(stats.restarts, 1);
	assert_int_equal(stats.protocol, 1);
	assert_int_equal(stats.bus_error, 1);
	assert_int_equal(stats.no_ack, 1);
	assert_int_equal(stats.overflows, 1);
	assert_int_equal(stats.lost_arbitration, 1);
	assert_int_equal(stats.transceiver, 1);
	assert_int_equal(stats.tx_timeout, 1);
	assert_int_equal(stats.tx_errors, 5);
	assert_int_equal(stats.rx_errors, 0);
	can_close(h.port);
}

/* --- datagrams */

static struct can_config datagram_of(const char *own, const char *peer)
{
	char device[240];

	(void)snprintf(device, sizeof(device), "datagram:%s,%s", in_folder(own), in_folder(peer));
	return config_of(device);
}

static void two_ports_talk_by_datagrams(void **state)
{
	struct can_config config = datagram_of("a", "b");
	struct heard a = {0}, b = {0};
	struct can_frame frame = parsed("1826F456#0102");
	struct can_stats stats;

	(void)state;
	open_port(&a, &config);
	until_state(&a, CAN_ACTIVE);
	/* Nobody there yet. */
	assert_int_equal(can_send(a.port, &frame), FC_OK);
	config = datagram_of("b", "a");
	open_port(&b, &config);
	assert_int_equal(can_send(a.port, &frame), FC_OK);
	frame = parsed("123#R4");
	assert_int_equal(can_send(a.port, &frame), FC_OK);
	until_frames(&b, 2);
	assert_true(b.first[0].extended && b.first[0].id == 0x1826F456 && b.first[0].len == 2 &&
		    b.first[0].data[1] == 2);
	assert_true(b.first[1].remote && !b.first[1].extended && b.first[1].len == 4);
	assert_int_equal(can_send(b.port, &frame), FC_OK);
	until_frames(&a, 1);
	can_get_stats(a.port, &stats);
	assert_int_equal(stats.sent, 3);
	assert_int_equal(stats.sent_bytes, 4);
	assert_int_equal(stats.received, 1);
	/* The peer goes, and its place can be taken again. */
	can_close(b.port);
	assert_int_equal(can_send(a.port, &frame), FC_OK);
	memset(&b, 0, sizeof(b));
	open_port(&b, &config);
	assert_int_equal(can_send(a.port, &frame), FC_OK);
	until_frames(&b, 1);
	can_close(b.port);
	can_close(a.port);
}

static void what_is_no_frame_is_not_sent(void **state)
{
	struct can_config config = datagram_of("a", "b");
	struct heard a = {0};
	struct can_stats stats;

	(void)state;
	open_port(&a, &config);
	assert_int_equal(can_send(a.port, &(struct can_frame){.id = 0x800}), FC_EINVAL);
	assert_int_equal(can_send(a.port, &(struct can_frame){.id = 0x20000000, .extended = 1}), FC_EINVAL);
	assert_int_equal(can_send(a.port, &(struct can_frame){.id = 1, .len = 9}), FC_EINVAL);
	assert_int_equal(can_send(a.port, &(struct can_frame){.id = 1, .error = 1}), FC_EINVAL);
	can_close(a.port);
	/* Nothing at all where we only listen (DESIGN.md, rule 9). */
	config.listen_only = 1;
	open_port(&a, &config);
	until_state(&a, CAN_ACTIVE);
	assert_int_equal(can_send(a.port, &(struct can_frame){.id = 1}), FC_EINVAL);
	can_get_stats(a.port, &stats);
	assert_int_equal(stats.sent, 0);
	can_close(a.port);
}

static int raw_socket(struct sockaddr_un *to, const char *name)
{
	to->sun_family = AF_UNIX;
	(void)snprintf(to->sun_path, sizeof(to->sun_path), "%s", in_folder(name));
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void hostile_datagrams_are_counted(void **state)
{
	struct can_config config = datagram_of("a", "b");
	struct heard a = {0};
	struct sockaddr_un to;
	struct can_stats stats;
	uint8_t bytes[64] = {0};
	int fd = raw_socket(&to, "a");

	(void)state;
	assert_true(fd >= 0);
	open_port(&a, &config);
	static const struct {
		uint8_t flags, id_high, len;
		size_t size;
		int good;
	} tries[] = {{0, 0, 8, 16, 1}, {0x80, 0xff, 8, 16, 1}, {0, 0, 9, 16, 0},      {0, 0, 255, 16, 0},
		     {0, 8, 1, 16, 0}, {0, 0, 8, 15, 0},       {0, 0, 8, 17, 0},      {0, 0, 8, 64, 0},
		     {0, 0, 0, 0, 0},  {0, 0, 0, 1, 0},        {0x9f, 0xff, 0, 16, 1}};
	int good = 0;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		bytes[0] = tries[i].flags;
		bytes[2] = tries[i].id_high;
		bytes[4] = tries[i].len;
		good += tries[i].good;
		assert_int_equal(sendto(fd, bytes, tries[i].size, 0, (struct sockaddr *)&to, sizeof(to)),
				 tries[i].size);
		loop_step(loop, 1); /* its queue holds ten */
	}
	until_frames(&a, (uint64_t)good);
	loop_step(loop, 10);
	can_get_stats(a.port, &stats);
	assert_int_equal(stats.received, good);
	assert_int_equal(stats.malformed, sizeof(tries) / sizeof(tries[0]) - (size_t)good);
	close(fd);
	can_close(a.port);
}

static void a_full_peer_is_busy_and_a_place_in_use_is_kept(void **state)
{
	struct can_config config = datagram_of("a", "b");
	struct heard a = {0}, other = {0};
	struct can_frame frame = parsed("123#00");
	struct can_stats stats;
	struct sockaddr_un at;
	struct error err;
	int fd = raw_socket(&at, "b"), busy = 0;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	open_port(&a, &config);
	for (int i = 0; i < 100000 && !busy; i++) {
		int result = can_send(a.port, &frame);

		assert_true(result == FC_OK || result == FC_EBUSY);
		busy = result == FC_EBUSY;
	}
	assert_true(busy);
	can_get_stats(a.port, &stats);
	assert_int_equal(stats.busy, 1);
	/* Two ports can't have one place, nor may a file be overwritten. */
	assert_null(can_open(loop, &config, &(struct can_hooks){.user = &other}, &err));
	assert_int_equal(err.code, FC_EIO);
	write_log("precious", 8);
	config = datagram_of("log", "b");
	assert_null(can_open(loop, &config, &(struct can_hooks){.user = &other}, &err));
	struct stat st;
	assert_int_equal(stat(in_folder("log"), &st), 0);
	assert_int_equal(st.st_size, 8);
	/* The leftover of a process that ended is taken. */
	close(fd);
	config = datagram_of("b", "a");
	open_port(&other, &config);
	can_close(other.port);
	can_close(a.port);
}

/* Both ends on one loop: what the transport takes at most, its load counted. */
static void nothing_is_lost_however_fast(void **state)
{
	enum { FRAMES = 200000 };
	struct can_config config = datagram_of("a", "b");
	struct heard a = {0}, b = {.in_order = 1};
	struct can_stats stats;
	int64_t begun, took, paused;
	struct loop_pauses pauses;

	(void)state;
	open_port(&a, &config);
	config = datagram_of("b", "a");
	open_port(&b, &config);
	until_state(&b, CAN_ACTIVE);
	begun = clock_mono_us();
	for (uint32_t i = 0; i < FRAMES;) {
		struct can_frame frame = {.id = i, .extended = 1, .len = 8, .data = {1, 2, 3, 4, 5, 6, 7, 8}};
		int result = can_send(a.port, &frame);

		if (result == FC_EBUSY)
			assert_int_equal(loop_step(loop, 50), FC_OK);
		else
			i++;
		assert_true(result == FC_OK || result == FC_EBUSY);
	}
	until_frames(&b, FRAMES);
	took = clock_mono_us() - begun;
	assert_int_equal(b.out_of_order, 0);
	can_get_stats(b.port, &stats);
	assert_int_equal(stats.received, FRAMES);
	assert_int_equal(stats.dropped, 0);
	loop_get_pauses(loop, &pauses);
	paused = pauses.longest_us;
	print_message("datagram transport, both ends on one loop: %.0f frames/s, %.1f us a frame; a full bus of 250 "
		      "kbit/s has at most "
		      "3731 (no data) or 1923 (8 bytes, no stuffing) extended frames a second; longest pause %lld us\n",
		      FRAMES * 1e6 / (double)took, (double)took / FRAMES, (long long)paused);
	/* Frames of 8 bytes with some 135 bits, faster than any bus: the load is over the top and says so. */
	print_message("bus load counted: highest %u per mille\n", stats.load_max_permille);
	can_close(a.port);
	can_close(b.port);
}

static void a_fast_replay_does_not_hold_the_loop(void **state)
{
	enum { LINES = 100000 };
	FILE *file = fopen(in_folder("log"), "w");
	char device[200];
	struct heard h = {.in_order = 1};
	struct can_config config;
	struct can_stats stats;
	int turns = 0;

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < LINES; i++)
		(void)fprintf(file, "(1436509052.%06d) can0 %08X#0011223344556677\n", i, (unsigned)i);
	assert_int_equal(fclose(file), 0);
	(void)snprintf(device, sizeof(device), "replay-fast:%s", in_folder("log"));
	config = config_of(device);
	open_port(&h, &config);
	int64_t begun = clock_mono_us();

	for (; h.state != CAN_DOWN || !h.states; turns++) {
		uint64_t before = h.frames;

		assert_true(turns < LINES);
		assert_int_equal(loop_step(loop, 50), FC_OK);
		assert_true(h.frames - before <= 2 * CAN_TURN_MAX);
	}
	int64_t took = clock_mono_us() - begun;

	assert_int_equal(h.frames, LINES);
	assert_int_equal(h.out_of_order, 0);
	can_get_stats(h.port, &stats);
	print_message("replay: %.0f frames/s, %d turns\n", LINES * 1e6 / (double)took, turns);
	can_close(h.port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_notation_of_can_utils_is_read),
	    cmocka_unit_test(what_is_written_reads_as_the_same),
	    cmocka_unit_test(lines_of_candump_are_read),
	    cmocka_unit_test(bits_of_a_frame_are_counted_exactly),
	    cmocka_unit_test(the_load_is_that_of_the_last_full_second),
	    cmocka_unit_test(a_log_is_played_fast),
	    cmocka_unit_test(a_log_is_played_at_its_pace),
	    cmocka_unit_test(a_log_is_repeated),
	    cmocka_unit_test(a_log_that_is_none_is_counted_and_ends),
	    cmocka_unit_test(what_can_never_work_is_said_at_once),
	    cmocka_unit_test(an_interface_that_is_missing_is_no_error),
	    cmocka_unit_test(filters_keep_the_rest_away),
	    cmocka_unit_test(every_frame_is_traced),
	    cmocka_unit_test(error_frames_change_the_state),
	    cmocka_unit_test(two_ports_talk_by_datagrams),
	    cmocka_unit_test(what_is_no_frame_is_not_sent),
	    cmocka_unit_test(hostile_datagrams_are_counted),
	    cmocka_unit_test(a_full_peer_is_busy_and_a_place_in_use_is_kept),
	    cmocka_unit_test(nothing_is_lost_however_fast),
	    cmocka_unit_test(a_fast_replay_does_not_hold_the_loop),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
