/* Asks a Modbus server through the gateway's own transport (core/bus/exchange): what the peers' tests hold against others' servers.
 *
 *   bus_ask tcp HOST:PORT  tcp|rtu|ascii  TIMEOUT_MS [any_unit]
 *   bus_ask rtu DEVICE     rtu|ascii      TIMEOUT_MS [any_unit]        115200 8N1
 *
 * Reads lines "UNIT FUNCTION ADDRESS COUNT" (functions 1 to 4) and "UNIT FUNCTION ADDRESS = VALUE..." (5, 6, 15, 16) and answers each
 * with one: "ok VALUE...", "exception CODE", or the status in words. A line that is broken is opened again before the next one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "bus/exchange.h"

static enum bus_framing framing_named(const char *name)
{
	return !strcmp(name, "ascii") ? BUS_FRAMING_ASCII : !strcmp(name, "rtu") ? BUS_FRAMING_RTU : BUS_FRAMING_TCP;
}

static void wait_until(int64_t us)
{
	int64_t left = us - clock_mono_us();
	const struct timespec time = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};

	if (left > 0)
		(void)nanosleep(&time, NULL);
}

static enum bus_status ask(struct exchange *x, char *line, int64_t timeout_us, uint16_t *words, int *count,
			   uint8_t *exception)
{
	struct bus_write w = {0};
	unsigned unit, function, address, value, used = 0;
	int at;

	if (sscanf(line, "%u %u %u %n", &unit, &function, &address, &at) < 3)
		return BUS_BAD_ANSWER;
	*count = 0;
	if (line[at] != '=') {
		*count = (int)strtol(line + at, NULL, 0);
		const struct bus_read r = {.unit = (uint8_t)unit,
					   .function = (uint8_t)function,
					   .address = (uint16_t)address,
					   .count = (uint16_t)*count};
		return exchange_read(x, &r, timeout_us, words, exception);
	}
	w.unit = (uint8_t)unit;
	w.function = (uint8_t)function;
	w.address = (uint16_t)address;
	for (char *s = line + at + 1; w.count < BUS_WRITE_WORDS_MAX && sscanf(s, "%u%n", &value, (int *)&used) == 1;
	     s += used)
		w.words[w.count++] = (uint16_t)value;
	return exchange_write(x, &w, timeout_us, exception);
}

static void answer(enum bus_status status, const uint16_t *words, int count, uint8_t exception)
{
	if (status == BUS_EXCEPTION)
		(void)printf("exception %u", exception);
	else
		(void)printf("%s", bus_status_name(status));
	for (int i = 0; status == BUS_OK && i < count; i++)
		(void)printf(" %u", words[i]);
	(void)printf("\n");
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct bus_line_config c = {.name = "ask", .baud = 115200, .data_bits = 8, .stop_bits = 1, .parity = 'N'};
	char line[512], *colon;
	int open = 0;

	if (argc < 5)
		return 2;
	c.kind = !strcmp(argv[1], "tcp") ? BUS_TCP : BUS_RTU;
	colon = strrchr(argv[2], ':');
	if (c.kind == BUS_TCP && colon) {
		c.port = (int)strtol(colon + 1, NULL, 10);
		(void)snprintf(c.host, sizeof(c.host), "%.*s", (int)(colon - argv[2]), argv[2]);
	}
	(void)snprintf(c.device, sizeof(c.device), "%s", argv[2]);
	c.framing = framing_named(argv[3]);
	c.response_timeout_ms = (int)strtol(argv[4], NULL, 10);
	c.connect_timeout_ms = 10000;
	c.byte_timeout_ms = 50;
	c.any_unit = argc > 5;
	struct exchange *x = exchange_new(&c);
	while (x && fgets(line, sizeof(line), stdin)) {
		uint16_t words[BUS_WORDS_MAX] = {0};
		uint8_t exception = 0;
		int count = 0;

		if (!open && exchange_connect(x)) {
			char why[320];

			exchange_connect_error(x, errno, why, sizeof(why));
			(void)printf("%s\n", why);
			(void)fflush(stdout);
			continue;
		}
		open = 1;
		wait_until(exchange_quiet_since_us(x) + exchange_silence_us(x));
		(void)exchange_flush(x);
		enum bus_status status = ask(x, line, (int64_t)c.response_timeout_ms * 1000, words, &count, &exception);
		answer(status, words, count, exception);
		if (status == BUS_DISCONNECTED || exchange_is_out_of_step(x)) {
			exchange_close(x);
			open = 0;
		}
	}
	if (open)
		exchange_close(x);
	exchange_free(x);
	return 0;
}
