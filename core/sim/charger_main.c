/* sim-charger: a station of simulated chargers on Modbus TCP and on pseudo-terminals; faults on command. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/charger_station.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void turn(struct station *s)
{
	static struct pollfd fds[CHARGERS_MAX + STREAMS_MAX + 1];
	int n = 0, streams = s->stream_count;

	for (int i = 0; i < streams; i++)
		fds[n++] = (struct pollfd){.fd = s->streams[i].fd, .events = POLLIN};
	for (int i = 0; i < s->tcp; i++)
		fds[n++] = (struct pollfd){.fd = s->chargers[i].listener, .events = POLLIN};
	fds[n++] = (struct pollfd){.fd = s->control, .events = POLLIN};
	if (poll(fds, (nfds_t)n, s->pending_count ? 2 : STEP_MS / 2) < 0)
		return;
	station_send_due(s);
	/* From the back: a dropped stream is replaced by the last one, which was looked at already. */
	for (int i = streams - 1; i >= 0; i--)
		if (fds[i].revents && station_read(s, &s->streams[i]))
			station_drop_stream(s, i);
	for (int i = 0; i < s->tcp; i++)
		if (fds[streams + i].revents)
			station_accept(s, i);
	if (s->control >= 0 && fds[n - 1].revents)
		command_accept(s);
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
		turn(s);
		double now = station_now_ms();
		if (now - last < STEP_MS)
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
	    {"seconds", 1, NULL, 'e'}, {"remote", 0, NULL, 'R'},     {NULL, 0, NULL, 0},
	};
	static struct station s;
	const char *control = NULL;
	int c, port = 15020, connectors = 1;
	double seconds = 0;

	s = (struct station){.control = -1, .speed = 1, .random = 1};
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
	if (control)
		s.control = command_listen(control);
	printf("ready\n");
	(void)fflush(stdout);
	run(&s, seconds);
	for (int i = 0; i < s.line_count; i++)
		(void)unlink(s.links[i]);
	if (control)
		(void)unlink(control);
	return 0;
}
