/* A serial line as slow as in the field, on a PTY: this program is wire and units at once (raw bytes, nothing of the code under
 * test), and lets the bus room poll more over it than fits. Bytes take their time at 9600 baud in both directions, a unit answers after
 * t3.5 of silence, and a request that comes sooner than t3.5 after an answer is counted as a breach.
 *
 * The limit is what these very frames and gaps take, the figure what the line really took from the first request to the last.
 *
 *   bench_line9600 SECONDS BITS_A_CHARACTER */
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/bus.h"

enum { BAUD = 9600, UNITS = 4, FRAME_MAX = 260, T35_US = 4010 };

struct wire {
	int master;
	int64_t byte_us;
	atomic_int stop;
	/* what was seen */
	int64_t first_us, last_us; /* requests began */
	int64_t quiet_us;          /* end of the last answer */
	double limit_us, limit_before_us;
	long exchanges, breaches, broken;
	double pause_us, late_us; /* sums: silence beyond t3.5; how late this program put out last bytes */
	long asked[UNITS + 1];
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void sleep_until(int64_t us)
{
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

static unsigned crc16(const uint8_t *data, size_t len)
{
	unsigned crc = 0xFFFF;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
	}
	return crc;
}

static size_t answer_to(const uint8_t *q, uint8_t *a)
{
	unsigned count = (unsigned)(q[4] << 8 | q[5]);
	size_t n = 3;

	a[0] = q[0];
	a[1] = q[1];
	a[2] = (uint8_t)(2 * count);
	for (unsigned i = 0; i < 2 * count; i++)
		a[n++] = (uint8_t)i;
	unsigned crc = crc16(a, n);
	a[n++] = (uint8_t)crc;
	a[n++] = (uint8_t)(crc >> 8);
	return n;
}

/* Puts the answer out at the line's speed: byte by byte would wake the other side for each, as a UART does for a few. */
static void put_out(struct wire *w, const uint8_t *bytes, size_t len, int64_t start_us)
{
	for (size_t done = 0; done < len;) {
		size_t part = len - done < 14 ? len - done : 14;

		done += part;
		sleep_until(start_us + (int64_t)done * w->byte_us);
		if (write(w->master, bytes + done - part, part) != (ssize_t)part)
			w->broken++;
	}
	w->quiet_us = start_us + (int64_t)len * w->byte_us;
	w->late_us += (double)(now_us() - w->quiet_us);
}

static void *serve(void *user)
{
	struct wire *w = user;
	uint8_t in[FRAME_MAX], out[FRAME_MAX];
	size_t len = 0;
	int64_t began = 0;

	while (!atomic_load(&w->stop)) {
		struct pollfd p = {.fd = w->master, .events = POLLIN};

		if (poll(&p, 1, 50) <= 0 || !(p.revents & POLLIN))
			continue;
		ssize_t n = read(w->master, in + len, sizeof(in) - len);
		if (n <= 0)
			continue;
		if (!len)
			began = now_us();
		len += (size_t)n;
		if (len < 8)
			continue;
		if (len != 8 || crc16(in, 8) || in[0] < 1 || in[0] > UNITS || in[1] != 3) {
			w->broken++;
			len = 0;
			continue;
		}
		if (w->exchanges) {
			w->pause_us += (double)(began - w->quiet_us - T35_US);
			w->breaches += began < w->quiet_us + T35_US - 50;
		} else {
			w->first_us = began;
		}
		w->last_us = began;
		w->limit_before_us = w->limit_us;
		w->exchanges++;
		w->asked[in[0]]++;
		size_t answer = answer_to(in, out);
		int64_t request_us = 8 * w->byte_us;
		w->limit_us += (double)(request_us + (int64_t)answer * w->byte_us + 2 * T35_US);
		len = 0;
		put_out(w, out, answer, began + request_us + T35_US);
	}
	return NULL;
}

struct seen {
	long ok, failed;
};

static void take(void *user, const struct bus_result *r)
{
	struct seen *seen = user;

	seen->ok += r->status == BUS_OK;
	seen->failed += r->status != BUS_OK;
}

static int open_wire(struct wire *w, char *device)
{
	struct termios raw;
	int slave;

	if (openpty(&w->master, &slave, device, NULL, NULL) || tcgetattr(slave, &raw))
		return -1;
	cfmakeraw(&raw);
	/* The slave stays open, so that the line does not hang up. */
	return tcsetattr(slave, TCSANOW, &raw);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
	int bits = argc > 2 ? atoi(argv[2]) : 10;
	static const uint16_t blocks[] = {2, 10, 30, 60};
	struct wire w = {.byte_us = ((int64_t)bits * 1000000 + BAUD / 2) / BAUD};
	struct bus_line_config config = {.kind = BUS_RTU,
					 .name = "line",
					 .baud = BAUD,
					 .data_bits = 8,
					 .stop_bits = 1,
					 .parity = 'N',
					 .connect_timeout_ms = 1000,
					 .response_timeout_ms = 1000,
					 .byte_timeout_ms = 100};
	struct bus_read reads[UNITS * 4];
	struct bus_line_stats stats;
	struct seen seen = {0};
	struct error err = {0};
	pthread_t thread;

	if (open_wire(&w, config.device) || pthread_create(&thread, NULL, serve, &w))
		return 1;
	for (int i = 0; i < UNITS * 4; i++)
		reads[i] = (struct bus_read){.unit = (uint8_t)(i % UNITS + 1),
					     .function = 3,
					     .address = (uint16_t)(100 * i),
					     .count = blocks[i / UNITS],
					     .period_ms = 500,
					     .tag = (uint32_t)i};
	struct loop *loop = loop_new(&err);
	struct bus *bus = loop ? bus_new(loop, take, &seen, &err) : NULL;
	struct bus_line *line = bus ? bus_line_open(bus, &config, reads, UNITS * 4, &err) : NULL;
	if (!line) {
		(void)fprintf(stderr, "bench_line9600: %s\n", err.text);
		return 1;
	}
	for (int64_t end = now_us() + (int64_t)(seconds * 1e6); now_us() < end;)
		(void)loop_step(loop, 50);
	bus_line_get_stats(line, &stats);
	bus_free(bus);
	atomic_store(&w.stop, 1);
	(void)pthread_join(thread, NULL);
	loop_free(loop);
	double elapsed = (double)(w.last_us - w.first_us);
	(void)printf(
	    "{\"exchanges\": %ld, \"ok\": %ld, \"failed\": %ld, \"broken\": %ld, \"breaches\": %ld, \"elapsed_s\": "
	    "%.3f, "
	    "\"ratio\": %.4f, \"pause_us\": %.0f, \"late_us\": %.0f, \"load\": %u, \"wire\": %u, \"planned\": %u, "
	    "\"missed\": %llu, \"least_asked\": %.3f}\n",
	    w.exchanges, seen.ok, seen.failed, w.broken, w.breaches, elapsed / 1e6,
	    w.exchanges > 1 ? w.limit_before_us / elapsed : NAN,
	    w.exchanges > 1 ? w.pause_us / (double)(w.exchanges - 1) : NAN,
	    w.exchanges ? w.late_us / (double)w.exchanges : NAN, stats.load, stats.wire, stats.planned,
	    (unsigned long long)stats.missed,
	    (double)fmin(fmin((double)w.asked[1], (double)w.asked[2]), fmin((double)w.asked[3], (double)w.asked[4])) *
		UNITS / (double)w.exchanges);
	return 0;
}
