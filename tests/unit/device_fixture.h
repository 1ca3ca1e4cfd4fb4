/* Chargers that are small Modbus TCP servers, and a device set that asks them through the real bus. For tests of device/. */
#ifndef FC_TEST_DEVICE_FIXTURE_H
#define FC_TEST_DEVICE_FIXTURE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "device/instance.h"
#include "folder.h"

/* A charger ---------------------------------------------------------------------------------------------------------- */

enum { REGISTERS = 256, CLIENTS = 4 };

struct server {
	int listener, port;
	pthread_t thread;
	atomic_int stop, silent;
	atomic_int accepted, requests, writes;
	atomic_int most;               /* words in one read; 0 = any number */
	atomic_int says;               /* the exception for both; 0 = 2 */
	atomic_int failing;            /* every read gets this exception */
	atomic_int muted_at;           /* reads that touch this address are not answered; -1 = none */
	atomic_int read_only;          /* writes are confirmed, and do nothing */
	atomic_int touched[REGISTERS]; /* how often each was read */
	atomic_int refused_at;         /* reads that touch this address get exception 2; -1 = none */
	atomic_uint registers[REGISTERS];
};

static __attribute__((unused)) void answer(struct server *s, int fd, const uint8_t *q)
{
	unsigned address = (unsigned)(q[8] << 8 | q[9]), count = (unsigned)(q[10] << 8 | q[11]);
	int failing = atomic_load(&s->failing), says = atomic_load(&s->says), muted_at = atomic_load(&s->muted_at);
	int refused_at = atomic_load(&s->refused_at), most = atomic_load(&s->most);
	uint8_t a[9 + 250] = {q[0], q[1], 0, 0, 0, 3, q[6], q[7]};
	size_t len = 9;

	atomic_fetch_add(&s->requests, 1);
	if (atomic_load(&s->silent))
		return;
	if (muted_at >= (int)address && muted_at < (int)(address + count) && q[7] != 6)
		return;
	if (q[7] == 6) {
		/* A write is answered by itself. */
		atomic_fetch_add(&s->writes, 1);
		if ((int)address == refused_at) {
			a[7] |= 0x80;
			a[8] = 2;
			(void)!send(fd, a, len, MSG_NOSIGNAL);
			return;
		}
		if (address < REGISTERS && !atomic_load(&s->read_only))
			atomic_store(&s->registers[address], count);
		(void)!send(fd, q, 12, MSG_NOSIGNAL);
		return;
	}
	for (unsigned i = address; i < address + count && i < REGISTERS; i++)
		atomic_fetch_add(&s->touched[i], 1);
	if (failing || address + count > REGISTERS || count > 125 || (most && (int)count > most) ||
	    (refused_at >= (int)address && refused_at < (int)(address + count))) {
		a[7] |= 0x80;
		a[8] = (uint8_t)(failing ? failing : says ? says : 2);
	} else {
		a[5] = (uint8_t)(3 + 2 * count);
		a[8] = (uint8_t)(2 * count);
		for (unsigned i = 0; i < count; i++) {
			unsigned v = atomic_load(&s->registers[address + i]);

			a[len++] = (uint8_t)(v >> 8);
			a[len++] = (uint8_t)v;
		}
	}
	(void)!send(fd, a, len, MSG_NOSIGNAL);
}

/* The requests of libmodbus are twelve bytes, and come whole on the loopback. */
static __attribute__((unused)) int serve_one(struct server *s, int fd)
{
	uint8_t q[12];
	ssize_t got = recv(fd, q, sizeof(q), MSG_WAITALL);

	if (got != (ssize_t)sizeof(q))
		return 0;
	answer(s, fd, q);
	return 1;
}

static __attribute__((unused)) void *serve(void *user)
{
	struct server *s = user;
	struct pollfd fds[1 + CLIENTS] = {{.fd = s->listener, .events = POLLIN}};
	nfds_t n = 1;

	while (!atomic_load(&s->stop)) {
		if (poll(fds, n, 20) <= 0)
			continue;
		for (nfds_t i = 1; i < n; i++)
			if (fds[i].revents && !serve_one(s, fds[i].fd)) {
				close(fds[i].fd);
				fds[i--] = fds[--n];
			}
		if (fds[0].revents && n < 1 + CLIENTS) {
			fds[n++] = (struct pollfd){.fd = accept(s->listener, NULL, NULL), .events = POLLIN};
			atomic_fetch_add(&s->accepted, 1);
		}
	}
	while (n > 1)
		close(fds[--n].fd);
	close(s->listener);
	return NULL;
}

static __attribute__((unused)) void server_start(struct server *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	memset(s, 0, sizeof(*s));
	atomic_store(&s->refused_at, -1);
	atomic_store(&s->muted_at, -1);
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static __attribute__((unused)) void server_stop(struct server *s)
{
	if (!s->port)
		return;
	atomic_store(&s->stop, 1);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	s->port = 0;
}

/* A set -------------------------------------------------------------------------------------------------------------- */

#define POINTS                                                                                      \
	"points = { state = { address = 0, type = 'u16' }, fault = { address = 1, type = 'u16' }, " \
	"power = { address = 40, type = 'u32', unit = 'W', max = 100000 } }, "                      \
	"status = { point = 'state', map = { [0] = 1, [1] = 2, [2] = 3 }, default = 255, "          \
	"faults = { { point = 'fault', ['not'] = 0 } } }, connectors = { count = 2, stride = 100 }"

/* Two buses with a charger each; the second has two connectors. */
struct fixture {
	char folder[64];
	struct script_host host;
	struct server servers[2];
	struct loop *loop;
	struct bus *bus;
	struct device_set *set;
	int changes[3]; /* told changes: a/1, b/1, b/2 */
	struct config *config;
};

static __attribute__((unused)) void told(void *user, struct device *device, int number)
{
	struct fixture *f = user;

	f->changes[strcmp(device_name(device), "a") != 0 ? number : 0]++;
}

static __attribute__((unused)) void forward(void *user, const struct bus_result *result)
{
	struct fixture *f = user;

	device_set_result(f->set, result);
}

static __attribute__((unused)) void write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s.lua", f->folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static __attribute__((unused)) void write_profile(const struct fixture *f, const char *name, const char *body)
{
	char path[64], text[2400];

	(void)snprintf(path, sizeof(path), "profiles/%s", name);
	(void)snprintf(text, sizeof(text), "return { forecourt = 1, kind = 'profile', %s }", body);
	write_file(f, path, text);
}

static __attribute__((unused)) void free_config(struct config *c)
{
	if (!c)
		return;
	/* What was borrowed past the call must show: the memory goes, and says something else before. */
	memset(c->buses, 0x5A, 2 * sizeof(*c->buses));
	memset(c->chargers, 0x5A, 2 * sizeof(*c->chargers));
	memset(c->connectors, 0x5A, 3 * sizeof(*c->connectors));
	free(c->buses);
	free(c->chargers);
	free(c->connectors);
	free(c);
}

static __attribute__((unused)) struct config *make_config(const struct fixture *f)
{
	struct config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->buses = calloc(2, sizeof(*c->buses));
	c->chargers = calloc(2, sizeof(*c->chargers));
	c->connectors = calloc(3, sizeof(*c->connectors));
	assert_true(c->buses && c->chargers && c->connectors);
	c->bus_count = c->charger_count = 2;
	c->connector_count = 3;
	for (int i = 0; i < 2; i++) {
		c->buses[i] = (struct config_bus){.name = i ? "bus-b" : "bus-a",
						  .kind = CONFIG_BUS_TCP,
						  .host = "127.0.0.1",
						  .port = f->servers[i].port,
						  .device = "",
						  .baud = 9600,
						  .data_bits = 8,
						  .stop_bits = 1,
						  .parity = 'N',
						  .connect_timeout_ms = 3000,
						  .response_timeout_ms = 500,
						  .byte_timeout_ms = 100};
		c->chargers[i] = (struct config_charger){
		    .name = i ? "b" : "a", .bus = i, .unit = 1, .profile = i ? "two" : "one", .poll_ms = 200};
	}
	c->connectors[0] = (struct config_connector){.name = "a1", .charger = 0, .number = 1};
	c->connectors[1] = (struct config_connector){.name = "b1", .charger = 1, .number = 1};
	c->connectors[2] = (struct config_connector){.name = "b2", .charger = 1, .number = 2};
	return c;
}

static __attribute__((unused)) int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};
	char path[96];

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "device");
	(void)snprintf(path, sizeof(path), "%s/profiles", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/lib", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	write_profile(f, "one", POINTS);
	write_profile(f, "two", POINTS);
	server_start(&f->servers[0]);
	server_start(&f->servers[1]);
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	f->bus = bus_new(f->loop, forward, f, &err);
	assert_non_null(f->bus);
	f->host.lua_dir = f->folder;
	f->set = device_set_new(f->loop, f->bus, &f->host, told, f, &err);
	assert_non_null(f->set);
	f->config = make_config(f);
	*state = f;
	return 0;
}

static __attribute__((unused)) int tear_down(void **state)
{
	struct fixture *f = *state;

	device_set_free(f->set);
	bus_free(f->bus);
	loop_free(f->loop);
	server_stop(&f->servers[0]);
	server_stop(&f->servers[1]);
	free_config(f->config);
	folder_remove(f->folder);
	free(f);
	return 0;
}

/* Applies the configuration and throws it away: the set may keep nothing of it. */
static __attribute__((unused)) void apply(struct fixture *f)
{
	struct error err = {0};

	if (device_set_apply(f->set, f->config, &err))
		fail_msg("%s", err.text);
	free_config(f->config);
	f->config = make_config(f);
}

/* Turns the loop until the condition holds. The limit is for a program that is stuck, not for a slow machine. */
#define UNTIL(f, condition)                                            \
	do {                                                           \
		int64_t stuck_us = clock_mono_us() + 120000000;        \
		while (!(condition)) {                                 \
			assert_true(clock_mono_us() < stuck_us);       \
			assert_int_equal(loop_step((f)->loop, 20), 0); \
		}                                                      \
	} while (0)

static __attribute__((unused)) enum connector_status status_of(struct fixture *f, const char *charger, int number)
{
	return device_status(device_find(f->set, charger), number);
}

static __attribute__((unused)) struct point_value value_of(struct fixture *f, const char *charger, int number,
							   const char *name)
{
	struct point_value v;

	assert_int_equal(device_point_by_name(device_find(f->set, charger), number, name, &v), FC_OK);
	return v;
}

static __attribute__((unused)) int is_good(struct fixture *f, const char *charger, int number, const char *name,
					   int64_t milli)
{
	struct point_value v = value_of(f, charger, number, name);

	return v.quality == QUALITY_GOOD && v.milli == milli;
}

/* Both lines run, and what they read is there. */
static __attribute__((unused)) void run(struct fixture *f)
{
	apply(f);
	UNTIL(f, status_of(f, "a", 1) == CONNECTOR_IDLE && status_of(f, "b", 2) == CONNECTOR_IDLE &&
		     is_good(f, "a", 1, "power", 0) && is_good(f, "b", 2, "power", 0));
}

/* A line that was not touched has forgotten nothing; one that was opened again knows nothing before the loop turns. */
static __attribute__((unused)) int remembers(struct fixture *f, const char *charger, int number)
{
	return value_of(f, charger, number, "state").quality != QUALITY_UNKNOWN;
}

/* The n-th line's polls; a line that was opened again counts from nothing. */
static __attribute__((unused)) uint64_t polls_of(struct fixture *f, int line)
{
	struct bus_line_stats stats;
	const char *name;

	assert_int_equal(device_bus_line(f->set, line, &name, &stats), FC_OK);
	return stats.polls;
}

#endif
