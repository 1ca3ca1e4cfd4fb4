/* sim-charger: a station of simulated chargers on Modbus TCP and on pseudo-terminals; faults on command. */
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sim/charger_station.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void heard(struct station *s, int fd)
{
	if (fd == s->control) {
		command_accept(s);
		return;
	}
	for (int i = 0; i < s->tcp; i++)
		if (s->chargers[i].listener == fd) {
			station_accept(s, i);
			return;
		}
	for (int i = s->stream_count - 1; i >= 0; i--)
		if (s->streams[i].fd == fd) {
			if (station_read(s, &s->streams[i]))
				station_drop_stream(s, i);
			return;
		}
}

/* Until something comes, something is to be sent, or so long. Who is not waited for costs nothing, as in a poll of all would a thousand
 * that say nothing. The set itself is polled: tests/soak/clock.c knows how to wait for that. */
static void turn(struct station *s, double most_ms)
{
	struct epoll_event events[64];
	int ms = s->pending_count ? 2 : (int)ceil(most_ms);

	if (poll(&(struct pollfd){.fd = s->set, .events = POLLIN}, 1, ms > 0 ? ms : 0) < 0)
		return;
	station_send_due(s);
	int n = epoll_wait(s->set, events, sizeof(events) / sizeof(events[0]), 0);
	/* What is dropped meanwhile is found no more. A descriptor that was closed and given anew in between was made by this turn, so
	 * that reading it finds nothing. */
	for (int i = 0; i < n; i++)
		heard(s, events[i].data.fd);
}

static void make_chargers(struct station *s, int port, int connectors)
{
	s->count = s->tcp + s->line_count * s->per_line;
	if (s->count < 1 || s->count > CHARGERS_MAX || connectors > MODEL_CONNECTORS ||
	    (s->line_count && (!s->per_line || s->per_line > UNITS_MAX)) || port + s->tcp > PORT_MAX + 1) {
		fprintf(stderr,
			"sim-charger: 1 to %d chargers of 1 to %d connectors, 1 to %d units a line, ports to %d\n",
			CHARGERS_MAX, MODEL_CONNECTORS, UNITS_MAX, PORT_MAX);
		exit(2);
	}
	s->chargers = calloc((size_t)s->count + 1, sizeof(*s->chargers));
	s->streams = calloc(STREAMS_MAX, sizeof(*s->streams));
	if (!s->chargers || !s->streams)
		station_die("memory");
	for (int i = 0; i < s->count; i++) {
		model_init(&s->chargers[i].model, i, connectors, i >= s->tcp);
		s->chargers[i].model.remote = s->remote;
		s->chargers[i].port = port + i;
		s->chargers[i].listener = i < s->tcp ? station_listen(port + i) : -1;
		if (i < s->tcp && s->chargers[i].listener < 0)
			station_die("listen");
		if (i < s->tcp)
			station_watch(s, s->chargers[i].listener);
	}
	for (int i = 0; i < s->line_count; i++) {
		s->lines[i] = station_open_line(s->links[i]);
		(void)station_add_stream(s, s->lines[i], ON_LINE, i);
	}
}

static void run(struct station *s, double seconds)
{
	double last = station_now_ms(), begin = last;

	while (!interrupted && !s->ended && (seconds <= 0 || station_now_ms() - begin < seconds * 1000)) {
		turn(s, last + s->step_ms - station_now_ms());
		double now = station_now_ms();
		if (now - last < s->step_ms)
			continue;
		for (int i = 0; i < s->count; i++)
			model_step(&s->chargers[i].model, (now - last) / 1000, s->speed, s->automatic, &s->random);
		last = now;
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: see core/sim/README.md\n");
	exit(2);
}

/* A whole number from low to high, or the end. */
static int number(const char *text, int low, int high)
{
	char *end;
	long value = strtol(text, &end, 10);

	return end == text || *end || value < low || value > high ? usage() : (int)value;
}

/* A positive number, or the end. */
static double positive(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	return end == text || *end || !(value > 0) || value > 1e9 ? usage() : value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"tcp", 1, NULL, 't'},     {"port", 1, NULL, 'p'},       {"chargers-per-line", 1, NULL, 'm'},
	    {"line", 1, NULL, 'l'},    {"connectors", 1, NULL, 'k'}, {"speed", 1, NULL, 's'},
	    {"auto", 0, NULL, 'a'},    {"control", 1, NULL, 'c'},    {"seed", 1, NULL, 'r'},
	    {"seconds", 1, NULL, 'e'}, {"remote", 0, NULL, 'R'},     {"step-ms", 1, NULL, 'S'},
	    {NULL, 0, NULL, 0},
	};
	static struct station s;
	const char *control = NULL;
	int c, port = 15020, connectors = 1;
	double seconds = 0;

	s = (struct station){.control = -1, .speed = 1, .random = 1, .step_ms = STEP_MS};
	s.set = epoll_create1(EPOLL_CLOEXEC);
	if (s.set < 0)
		station_die("epoll");
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 't':
			s.tcp = number(optarg, 0, CHARGERS_MAX);
			break;
		case 'p':
			port = number(optarg, 1, PORT_MAX);
			break;
		case 'm':
			s.per_line = number(optarg, 1, UNITS_MAX);
			break;
		case 'l':
			if (s.line_count == LINES_MAX)
				return usage();
			s.links[s.line_count++] = optarg;
			break;
		case 'k':
			connectors = number(optarg, 1, MODEL_CONNECTORS);
			break;
		case 's':
			s.speed = positive(optarg);
			break;
		case 'a':
			s.automatic = 1;
			break;
		case 'R':
			s.remote = 1;
			break;
		case 'c':
			control = optarg;
			break;
		case 'r':
			s.random = (uint32_t)number(optarg, 0, INT32_MAX);
			break;
		case 'e':
			seconds = positive(optarg);
			break;
		case 'S':
			s.step_ms = number(optarg, 1, 10000);
			break;
		default:
			return usage();
		}
	}
	if (optind < argc)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	make_chargers(&s, port, connectors);
	if (control) {
		s.control = command_listen(control);
		station_watch(&s, s.control);
	}
	printf("ready\n");
	(void)fflush(stdout);
	run(&s, seconds);
	for (int i = 0; i < s.line_count; i++)
		(void)unlink(s.links[i]);
	if (control)
		(void)unlink(control);
	return 0;
}
