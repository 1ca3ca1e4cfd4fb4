/* cli: frames for other programs, read back by them (tshark, log2asc of can-utils, python3-can); registers as values and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus/candump.h"
#include "bus/pcapng.h"
#include "cli/frame.h"
#include "cli/words.h"

static const uint32_t extended = 0x80000000;

static struct frame frame(const char *line, enum trace_kind kind, int flags, const void *bytes, size_t len)
{
	struct frame f = {.wall_us = 1700000000123456, .kind = kind, .flags = flags, .len = (uint16_t)len};

	(void)snprintf(f.line, sizeof(f.line), "%s", line);
	memcpy(f.bytes, bytes, len);
	return f;
}

static struct frame can(const char *line, uint32_t id, const void *bytes, size_t len)
{
	struct frame f = frame(line, TRACE_CAN, 0, bytes, len);

	f.id = id;
	return f;
}

/* What a command prints; NULL when the program is not there. */
static const char *output_of(const char *program, const char *command)
{
	static char text[60000];
	char which[100];

	(void)snprintf(which, sizeof(which), "command -v %s >/dev/null", program);
	if (system(which)) {
		print_message("SKIPPED: %s is not installed\n", program);
		return NULL;
	}
	FILE *from = popen(command, "r");
	assert_non_null(from);
	text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
	int result = pclose(from);
	if (result)
		fail_msg("%s: %d: %s", command, result, text);
	return text;
}

static void check_holds(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no \"%s\" in:\n%s", what, text);
}

static FILE *new_file(char name[64])
{
	(void)snprintf(name, 64, "/tmp/forecourt-frames-XXXXXX");
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "wb");
	assert_non_null(file);
	return file;
}

/* Pcapng --------------------------------------------------------------------------------------------------------------- */

static const uint8_t tcp_request[] = {0, 7, 0, 0, 0, 6, 1, 3, 0, 16, 0, 2};
static const uint8_t tcp_answer[] = {0, 7, 0, 0, 0, 7, 1, 3, 4, 0x12, 0x34, 0xAB, 0xCD};
static const uint8_t rtu_request[] = {0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87};
static const uint8_t rtu_answer[] = {0x11, 0x03, 0x06, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40, 0x49, 0xAD};

static void write_capture(FILE *to)
{
	struct pcapng p;
	struct frame f;

	assert_int_equal(pcapng_begin(&p, to), 0);
	for (int round = 0; round < 2; round++) {
		f = frame("tcp0", TRACE_TCP, TRACE_SENT, tcp_request, sizeof(tcp_request));
		assert_int_equal(pcapng_frame(&p, &f, ""), 0);
		f = frame("tcp0", TRACE_TCP, 0, tcp_answer, sizeof(tcp_answer));
		assert_int_equal(pcapng_frame(&p, &f, NULL), 0);
	}
	f = frame("line1", TRACE_RTU, TRACE_SENT, rtu_request, sizeof(rtu_request));
	assert_int_equal(pcapng_frame(&p, &f, NULL), 0);
	f = frame("line1", TRACE_RTU, 0, rtu_answer, sizeof(rtu_answer));
	assert_int_equal(pcapng_frame(&p, &f, NULL), 0);
	f = frame("line1", TRACE_RTU, TRACE_THROWN, rtu_answer, 5);
	assert_int_equal(pcapng_frame(&p, &f, "thrown away"), 0);
	f = can("can0", extended | 0x1CEC56F4, "\x10\x31\x00\x07\xff\x00\x02\x00", 8);
	assert_int_equal(pcapng_frame(&p, &f, NULL), 0);
	f = can("can0", 0x123, "\x01\x02\x03", 3);
	assert_int_equal(pcapng_frame(&p, &f, NULL), 0);
	f = frame("ascii", TRACE_ASCII, TRACE_SENT, ":010300280001D3\r\n", 17);
	assert_int_equal(pcapng_frame(&p, &f, "read holding registers 40, 1"), 0);
}

/* By a reader of our own: blocks, lengths at both ends, interfaces before their packets. */
static void the_blocks_of_a_capture(void **state)
{
	static uint8_t bytes[8000];
	size_t size, at = 0;
	uint32_t type, len, again, interface, interfaces = 0, packets = 0;
	char name[64];
	FILE *to = new_file(name);

	(void)state;
	write_capture(to);
	assert_int_equal(fclose(to), 0);
	FILE *from = fopen(name, "rb");
	assert_non_null(from);
	size = fread(bytes, 1, sizeof(bytes), from);
	(void)fclose(from);
	(void)unlink(name);
	while (at < size) {
		memcpy(&type, bytes + at, 4);
		memcpy(&len, bytes + at + 4, 4);
		assert_true(len % 4 == 0 && len >= 12 && at + len <= size);
		memcpy(&again, bytes + at + len - 4, 4);
		assert_int_equal(len, again);
		assert_true(at || type == 0x0A0D0D0A);
		interfaces += type == 1;
		if (type == 6) {
			packets++;
			memcpy(&interface, bytes + at + 8, 4);
			assert_true(interface < interfaces);
		}
		at += len;
	}
	assert_int_equal(at, size);
	assert_int_equal(interfaces, 4);
	assert_int_equal(packets, 10);
}

static void wireshark_reads_it(void **state)
{
	char name[64], command[400];
	FILE *to = new_file(name);

	(void)state;
	write_capture(to);
	assert_int_equal(fclose(to), 0);
	(void)snprintf(command, sizeof(command),
		       "tshark -r %s -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -V 2>&1", name);
	const char *text = output_of("tshark", command);
	if (!text) {
		(void)unlink(name);
		skip();
		return;
	}
	/* The two sides of Modbus/TCP find each other, and the made-up heads are sound. */
	check_holds(text, "Modbus/TCP\n");
	check_holds(text, "Transaction Identifier: 7");
	check_holds(text, "Reference Number: 16");
	check_holds(text, "Register 16 (UINT16): 4660");
	check_holds(text, "Register 17 (UINT16): 43981");
	check_holds(text, "[Header checksum status: Good]");
	check_holds(text, "[Checksum Status: Good]");
	assert_null(strstr(text, "Malformed"));
	assert_null(strstr(text, "TCP Analysis Flags"));
	check_holds(text, "Modbus RTU");
	check_holds(text, "Unit ID: 17");
	check_holds(text, "thrown away");
	check_holds(text, "Controller Area Network");
	check_holds(text, "read holding registers 40, 1");
	check_holds(text, "Interface name: can0");
	(void)snprintf(command, sizeof(command),
		       "tshark -r %s -Y can -T fields -e can.id -e can.len -e data -e frame.time_epoch 2>/dev/null",
		       name);
	text = output_of("tshark", command);
	check_holds(text, "1700000000.123456");
	(void)snprintf(command, sizeof(command),
		       "tshark -r %s -d can.subdissector,j1939 -T fields -e j1939.pgn -e can.id 2>/dev/null", name);
	(void)output_of("tshark", command);
	(void)unlink(name);
}

static void more_lines_than_there_is_room_for(void **state)
{
	struct pcapng p;
	char name[64], line[20];
	FILE *to = new_file(name);

	(void)state;
	assert_int_equal(pcapng_begin(&p, to), 0);
	for (int i = 0; i <= PCAPNG_LINES; i++) {
		(void)snprintf(line, sizeof(line), "line%d", i);
		struct frame f = frame(line, TRACE_RTU, 0, rtu_answer, sizeof(rtu_answer));
		assert_int_equal(pcapng_frame(&p, &f, NULL), i == PCAPNG_LINES ? -1 : 0);
	}
	(void)fclose(to);
	(void)unlink(name);
}

/* Candump -------------------------------------------------------------------------------------------------------------- */

static void write_log(FILE *to)
{
	struct frame f = can("can0", extended | 0x1826F456, "\x01\x01\x00", 3);

	assert_int_equal(candump_frame(to, &f), 1);
	f = can("can0", 0x123, "\xDE\xAD\xBE\xEF", 4);
	assert_int_equal(candump_frame(to, &f), 1);
	f = can("can0", 0x40000000 | 0x7FF, "", 0);
	assert_int_equal(candump_frame(to, &f), 1);
	f = can("can0", extended | 0x123, "", 0);
	assert_int_equal(candump_frame(to, &f), 1);
	f = can("can0", 0x20000000 | 0x80, "\x00\x00\x00\x00\x00\x00\x08\x00", 8);
	assert_int_equal(candump_frame(to, &f), 1);
	f = frame("line1", TRACE_RTU, 0, rtu_answer, sizeof(rtu_answer));
	assert_int_equal(candump_frame(to, &f), 0);
}

static void the_lines_of_a_log(void **state)
{
	static const char expected[] = "(1700000000.123456) can0 1826F456#010100\n"
				       "(1700000000.123456) can0 123#DEADBEEF\n"
				       "(1700000000.123456) can0 7FF#R\n"
				       "(1700000000.123456) can0 00000123#\n"
				       "(1700000000.123456) can0 20000080#0000000000000800\n";
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	assert_non_null(to);
	write_log(to);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, expected);
	free(text);
}

/* What a remote frame asks for is not lost; can-utils writes and reads it so. Found by fuzz_candump. */
static void a_remote_frame_keeps_its_length(void **state)
{
	struct frame f = can("can0", 0x40000000 | extended | 0x1826F456, "\x00\x00\x00\x00", 4);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	assert_non_null(to);
	assert_int_equal(candump_frame(to, &f), 1);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, "(1700000000.123456) can0 1826F456#R4\n");
	free(text);
}

static void can_utils_reads_it(void **state)
{
	char name[64], command[200];
	FILE *to = new_file(name);

	(void)state;
	write_log(to);
	assert_int_equal(fclose(to), 0);
	(void)snprintf(command, sizeof(command), "log2asc -I %s can0", name);
	const char *text = output_of("log2asc", command);
	if (text) {
		check_holds(text, "1826F456x");
		check_holds(text, "d 3 01 01 00");
		check_holds(text, "d 4 DE AD BE EF");
	}
	(void)unlink(name);
	if (!text)
		skip();
}

static void python_can_reads_it(void **state)
{
	char name[64], command[400];
	FILE *to = new_file(name);

	(void)state;
	write_log(to);
	assert_int_equal(fclose(to), 0);
	if (system("/usr/bin/python3 -c 'import can' 2>/dev/null")) {
		print_message("SKIPPED: python3-can is not installed\n");
		(void)unlink(name);
		skip();
		return;
	}
	(void)snprintf(command, sizeof(command),
		       "/usr/bin/python3 -c \"import can\nfor m in can.CanutilsLogReader('%s'):\n"
		       " print('%%.6f' %% m.timestamp, m.channel, '%%X' %% m.arbitration_id, m.is_extended_id, "
		       "m.is_remote_frame, m.is_error_frame, m.data.hex())\"",
		       name);
	const char *text = output_of("python3", command);
	(void)unlink(name);
	assert_non_null(text);
	check_holds(text, "1700000000.123456 can0 1826F456 True False False 010100");
	check_holds(text, "123 False False False deadbeef");
	check_holds(text, "7FF False True False");
	check_holds(text, "123 True False False \n");
	check_holds(text, "False True ");
}

/* Words and meanings ----------------------------------------------------------------------------------------------------- */

static void values_of_registers(void **state)
{
	static const struct {
		enum words_type type;
		int low_first, count;
		uint16_t words[4];
		const char *text;
	} cases[] = {
	    {WORDS_U16, 0, 1, {0xFFFF}, "65535"},
	    {WORDS_S16, 0, 1, {0xFFFF}, "-1"},
	    {WORDS_U32, 0, 2, {0x0144, 0x0000}, "21233664"}, /* chargers.md 4, row 36: 324 s read the wrong way */
	    {WORDS_U32, 1, 2, {0x0144, 0x0000}, "324"},
	    {WORDS_S32, 0, 2, {0xFFFF, 0xFFFE}, "-2"},
	    {WORDS_U64, 0, 4, {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}, "18446744073709551615"},
	    {WORDS_S64, 1, 4, {0xFFFE, 0xFFFF, 0xFFFF, 0xFFFF}, "-2"},
	    {WORDS_F32, 0, 2, {0x4366, 0x0000}, "230"},
	    {WORDS_F32, 1, 2, {0x0000, 0x4366}, "230"},
	    {WORDS_F64, 0, 4, {0x406C, 0xC000, 0, 0}, "230"},
	};
	char text[WORDS_VALUE];
	uint16_t words[4];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		words_show(cases[i].words, cases[i].count, cases[i].type, cases[i].low_first, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(words_make(text, cases[i].type, cases[i].low_first, words), cases[i].count);
		assert_memory_equal(words, cases[i].words, sizeof(uint16_t) * (size_t)cases[i].count);
	}
	words_show((uint16_t[]){0x4142, 0x4300, 0x4444}, 3, WORDS_TEXT, 0, text);
	assert_string_equal(text, "ABC");
	assert_int_equal(words_make("0xFFFE", WORDS_S16, 0, words), 1);
	assert_int_equal(words[0], 0xFFFE);
	assert_int_equal(words_make("-32768", WORDS_S16, 0, words), 1);
	assert_int_equal(words[0], 0x8000);
}

static void what_is_no_value(void **state)
{
	static const struct {
		enum words_type type;
		const char *text;
	} bad[] = {{WORDS_U16, "65536"},
		   {WORDS_U16, "-1"},
		   {WORDS_S16, "32768"},
		   {WORDS_S16, "-32769"},
		   {WORDS_U16, ""},
		   {WORDS_U16, " 1"},
		   {WORDS_U16, "1x"},
		   {WORDS_U16, "-"},
		   {WORDS_U16, "1.5"},
		   {WORDS_F32, "1e39"},
		   {WORDS_F32, "nan"},
		   {WORDS_F64, "inf"},
		   {WORDS_U64, "18446744073709551616"},
		   {WORDS_S64, "-9223372036854775809"},
		   {WORDS_TEXT, "abc"}};
	uint16_t words[4];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (words_make(bad[i].text, bad[i].type, 0, words) != -1)
			fail_msg("\"%s\" was taken", bad[i].text);
}

static void what_frames_mean(void **state)
{
	static const uint8_t exception[] = {0, 7, 0, 0, 0, 3, 1, 0x83, 2};
	const struct cli cli = {0};
	char text[FRAME_MEANING], id[16];

	(void)state;
	struct frame f = frame("a", TRACE_TCP, TRACE_SENT, tcp_request, sizeof(tcp_request));
	frame_explain(&cli, &f, text);
	assert_string_equal(text, "bus unit 1: read holding registers 16, 2");
	f = frame("a", TRACE_TCP, 0, tcp_answer, sizeof(tcp_answer));
	frame_explain(&cli, &f, text);
	assert_string_equal(text, "bus unit 1: answer: 2 registers");
	f = frame("a", TRACE_TCP, 0, exception, sizeof(exception));
	frame_explain(&cli, &f, text);
	assert_string_equal(text, "bus unit 1: exception 2: no such register");
	f = frame("a", TRACE_ASCII, TRACE_SENT, ":010300280001D3\r\n", 17);
	frame_explain(&cli, &f, text);
	assert_string_equal(text, "bus unit 1: read holding registers 40, 1");
	f = frame("a", TRACE_RTU, TRACE_THROWN, rtu_answer, 3);
	frame_explain(&cli, &f, text);
	assert_string_equal(text, "thrown away");
	f = can("a", extended | 0x1C0256F4, "", 0);
	frame_explain(&cli, &f, text);
	frame_id(&f, id);
	assert_string_equal(text, "BRM");
	assert_string_equal(id, "1C0256F4");
	/* Any bytes: nothing behind them is read. */
	for (int kind = TRACE_TCP; kind <= TRACE_CAN; kind++)
		for (size_t len = 0; len < sizeof(tcp_answer); len++)
			for (int flags = 0; flags < 8; flags++) {
				f = frame("a", (enum trace_kind)kind, flags, tcp_answer, len);
				frame_explain(&cli, &f, text);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_blocks_of_a_capture),
	    cmocka_unit_test(wireshark_reads_it),
	    cmocka_unit_test(more_lines_than_there_is_room_for),
	    cmocka_unit_test(the_lines_of_a_log),
	    cmocka_unit_test(a_remote_frame_keeps_its_length),
	    cmocka_unit_test(can_utils_reads_it),
	    cmocka_unit_test(python_can_reads_it),
	    cmocka_unit_test(values_of_registers),
	    cmocka_unit_test(what_is_no_value),
	    cmocka_unit_test(what_frames_mean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
