/* What polling costs: the same registers of the same servers read by lines of the gateway (worker, schedule, queue to the loop, as it
 * runs in the daemon) and by bare libmodbus loops that do nothing else, a thread an endpoint.
 *
 *   bench_poll ours|bare HOST PORT COUNT SECONDS ENDPOINTS     reads of COUNT holding registers from 0 on, unit 1; ports from PORT on
 *
 * Prints "REQUESTS SECONDS CPU_SECONDS SUM", SUM being that of all words read, for the two sides must have been told the same. A plan of the gateway asks each register ten times a second at most; here each read falls due
 * every millisecond, so that the worker never waits: a period that bus.c takes from nobody, which is why the lines are started without it. Both
 * sides look at each word that they are given. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include <modbus.h>

#include "base/clock.h"
#include "bus/handover.h"
#include "bus/line.h"
#include "bus/trace.h"

/* 100 000 requests due in a second: more than any machine of ours makes on one connection. */
enum { READS = 100, PERIOD_MS = 1, UNIT = 1, WARM_UP_MS = 500, ENDPOINTS_MAX = 64 };

static double cpu_seconds(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_SELF, &used);
	return (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static uint64_t sum_of(const uint16_t *words, uint16_t count)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < count; i++)
		sum += words[i];
	return sum;
}

/* What was made until a moment. */
struct moment {
	int64_t mono_us;
	double cpu;
	uint64_t made, sum;
};

static struct moment now_with(uint64_t made, uint64_t sum)
{
	return (struct moment){.mono_us = clock_mono_us(), .cpu = cpu_seconds(), .made = made, .sum = sum};
}

static void print(const struct moment *from, const struct moment *to)
{
	(void)printf("%llu %.6f %.6f %llu\n", (unsigned long long)(to->made - from->made),
		     (double)(to->mono_us - from->mono_us) / 1e6, to->cpu - from->cpu,
		     (unsigned long long)(to->sum - from->sum));
}

struct gateway {
	struct loop *loop;
	struct loop_timer timer;
	struct handover handover;
	int64_t lasts_us;
	uint64_t answered, sum;
	struct moment begin, end;
};

static int on_worker(void *user, const struct bus_result *result, int must)
{
	struct gateway *g = user;

	return handover_put(&g->handover, result, must);
}

static void on_loop(void *user)
{
	struct gateway *g = user;
	struct bus_result result;

	while (!handover_take(&g->handover, &result)) {
		g->answered += result.status == BUS_OK;
		g->sum += sum_of(result.words, result.count);
	}
}

static void on_end(void *user)
{
	struct gateway *g = user;

	g->end = now_with(g->answered, g->sum);
	loop_stop(g->loop);
}

static void on_warm(void *user)
{
	struct gateway *g = user;

	g->begin = now_with(g->answered, g->sum);
	g->timer.fn = on_end;
	if (loop_timer_set(g->loop, &g->timer, g->lasts_us))
		loop_stop(g->loop);
}

static int close_all(struct gateway *g, struct bus_line **lines, int endpoints, int result)
{
	for (int i = 0; i < endpoints && lines[i]; i++) {
		line_end(lines[i]);
		line_join(lines[i]);
	}
	loop_timer_cancel(g->loop, &g->timer);
	handover_stop(&g->handover);
	loop_free(g->loop);
	return result;
}

static int run_ours(const struct bus_line_config *c, uint16_t count, double seconds, int endpoints)
{
	struct bus_read reads[READS];
	struct error err = {0};
	struct gateway g = {.loop = loop_new(&err), .lasts_us = (int64_t)(seconds * 1e6)};
	struct bus_line *lines[ENDPOINTS_MAX] = {NULL};

	if (!g.loop || handover_start(&g.handover, g.loop, on_loop, &g, &err))
		return 1;
	g.timer = (struct loop_timer){.fn = on_warm, .user = &g};
	for (uint32_t i = 0; i < READS; i++)
		reads[i] =
		    (struct bus_read){.unit = UNIT, .function = 3, .count = count, .period_ms = PERIOD_MS, .tag = i};
	/* As the gateway has it: always on, one for all lines. */
	struct bus_trace *trace = trace_new(64);
	for (int i = 0; i < endpoints; i++) {
		struct bus_line_config own = *c;

		own.port += i;
		lines[i] = line_start((uint32_t)i + 1, &own, reads, READS, 0, trace, on_worker, &g, &err);
		if (!lines[i])
			break;
	}
	if (!lines[endpoints - 1] || loop_timer_set(g.loop, &g.timer, WARM_UP_MS * 1000)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return close_all(&g, lines, endpoints, 1);
	}
	int failed = loop_run(g.loop) || !g.end.mono_us;
	print(&g.begin, &g.end);
	failed = close_all(&g, lines, endpoints, failed);
	trace_free(trace);
	return failed;
}

/* One endpoint of the bare side: libmodbus blocks, so that each has a thread, as it would be written. */
struct bare {
	const struct bus_line_config *config;
	int port, failed;
	uint16_t count;
	pthread_t thread;
	atomic_int *stop;
	_Atomic uint64_t made, sum;
};

static void *read_on(void *user)
{
	struct bare *b = user;
	uint16_t words[MODBUS_MAX_READ_REGISTERS];
	modbus_t *modbus = modbus_new_tcp(b->config->host, b->port);

	/* As patient as the gateway's lines: a simulator that a full machine keeps waiting is no failure. */
	b->failed = !modbus || modbus_set_slave(modbus, UNIT) ||
		    modbus_set_response_timeout(modbus, (uint32_t)b->config->response_timeout_ms / 1000, 0) ||
		    modbus_connect(modbus);
	while (!b->failed && !atomic_load(b->stop)) {
		b->failed = modbus_read_registers(modbus, 0, b->count, words) != b->count;
		if (b->failed)
			break;
		b->made++;
		b->sum += sum_of(words, b->count);
	}
	if (modbus)
		modbus_close(modbus);
	modbus_free(modbus);
	return NULL;
}

static struct moment moment_of(const struct bare *all, int endpoints)
{
	uint64_t made = 0, sum = 0;

	for (int i = 0; i < endpoints; i++) {
		made += all[i].made;
		sum += all[i].sum;
	}
	return now_with(made, sum);
}

static int run_bare(const struct bus_line_config *c, uint16_t count, double seconds, int endpoints)
{
	static struct bare all[ENDPOINTS_MAX];
	atomic_int stop = 0;
	int failed = 0;

	for (int i = 0; i < endpoints; i++) {
		all[i] = (struct bare){.config = c, .port = c->port + i, .count = count, .stop = &stop};
		if (pthread_create(&all[i].thread, NULL, read_on, &all[i]))
			return 1;
	}
	(void)usleep(WARM_UP_MS * 1000);
	const struct moment begin = moment_of(all, endpoints);
	(void)usleep((useconds_t)(seconds * 1e6));
	const struct moment end = moment_of(all, endpoints);
	print(&begin, &end);
	atomic_store(&stop, 1);
	for (int i = 0; i < endpoints; i++)
		failed |= pthread_join(all[i].thread, NULL) || all[i].failed;
	return failed;
}

int main(int argc, char **argv)
{
	struct bus_line_config c = {.name = "bench",
				    .kind = BUS_TCP,
				    .connect_timeout_ms = 5000,
				    .response_timeout_ms = 5000,
				    .byte_timeout_ms = 500};

	if (argc != 7)
		return 2;
	(void)snprintf(c.host, sizeof(c.host), "%s", argv[2]);
	c.port = (int)strtol(argv[3], NULL, 10);
	uint16_t count = (uint16_t)strtol(argv[4], NULL, 10);
	double seconds = strtod(argv[5], NULL);
	int endpoints = (int)strtol(argv[6], NULL, 10);
	if (endpoints < 1 || endpoints > ENDPOINTS_MAX)
		return 2;
	return strcmp(argv[1], "ours") ? run_bare(&c, count, seconds, endpoints)
				       : run_ours(&c, count, seconds, endpoints);
}
