/* sim-bms: a charger and a car that speak GB/T 27930 with each other on a CAN bus; faults on command. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sim/bms_pair.h"

enum { STEP_MS = 1, STEP_MOST_MS = 100, CAR_STAYS_AWAY_MS = 3000, FRAMES_A_TURN = 256 };
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: see core/sim/README.md\n");
	exit(2);
}

static double number(const char *text, double low, double high)
{
	char *end;
	double value = strtod(text, &end);

	return end == text || *end || !(value >= low && value <= high) ? usage() : value;
}

/* Cars come one after the other, each with the charge of the first. */
static void come_and_go(struct pair *p, double soc, double *idle_since)
{
	if (p->charger.state != CHARGER_IDLE || p->car.state != CAR_IDLE) {
		*idle_since = p->now;
	} else if (p->now - *idle_since >= CAR_STAYS_AWAY_MS) {
		pair_unplug(p);
		p->car.soc = soc;
		pair_plug(p);
		(void)pair_start(p);
	}
}

static void run(struct pair *p, int listener, int automatic, double seconds)
{
	int64_t begin = clock_mono_us(), last = begin;
	double soc = p->car.soc, idle_since = -CAR_STAYS_AWAY_MS;

	while (!interrupted && (seconds <= 0 || (double)(last - begin) < seconds * 1e6)) {
		struct pollfd fds[2] = {{.fd = bus_fd(p->bus), .events = POLLIN}, {.fd = listener, .events = POLLIN}};
		struct bus_frame f;
		double step;

		(void)poll(fds, 2, STEP_MS);
		/* Others on the bus are of no interest to the pair. */
		for (int i = 0; i < FRAMES_A_TURN && bus_receive(p->bus, &f); i++)
			;
		/* On a machine that was held up the pair's time stood still too: else it would time out by itself. */
		step = (double)(clock_mono_us() - last) / 1000 * p->speed;
		last = clock_mono_us();
		pair_step(p, p->now + (step < STEP_MOST_MS ? step : STEP_MOST_MS));
		if (automatic)
			come_and_go(p, soc, &idle_since);
		if (fds[1].revents && command_serve(p, listener))
			break;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"bus", 1, NULL, 'b'}, {"control", 1, NULL, 'c'}, {"speed", 1, NULL, 's'},   {"edition", 1, NULL, 'e'},
	    {"vin", 1, NULL, 'v'}, {"soc", 1, NULL, 'p'},     {"battery", 1, NULL, 'k'}, {"current", 1, NULL, 'i'},
	    {"log", 1, NULL, 'l'}, {"auto", 0, NULL, 'a'},    {"seconds", 1, NULL, 'n'}, {NULL, 0, NULL, 0},
	};
	static struct pair p;
	const char *where = NULL, *control = NULL;
	FILE *log = NULL;
	int c, listener = -1, automatic = 0;
	double seconds = 0;

	pair_init(&p, NULL, 1);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			where = optarg;
			break;
		case 'c':
			control = optarg;
			break;
		case 's':
			p.speed = number(optarg, 0.01, 1000);
			break;
		case 'e':
			p.edition = p.next_edition = (int)number(optarg, 2011, 2015);
			if (p.edition != 2011 && p.edition != 2015)
				return usage();
			break;
		case 'v':
			if (strlen(optarg) != VIN_LENGTH)
				return usage();
			memcpy(p.car.vin, optarg, VIN_LENGTH);
			break;
		case 'p':
			p.car.soc = number(optarg, 0, 100);
			break;
		case 'k':
			p.car.kwh = number(optarg, 0.001, 1000);
			break;
		case 'i':
			p.car.amperes = number(optarg, 0, 400);
			break;
		case 'l':
			log = fopen(optarg, "we");
			if (!log)
				return usage();
			break;
		case 'a':
			automatic = 1;
			break;
		case 'n':
			seconds = number(optarg, 0, 1e9);
			break;
		default:
			return usage();
		}
	}
	if (optind < argc || !where)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	p.bus = bus_open(where, log);
	if (control)
		listener = command_listen(control);
	printf("ready\n");
	(void)fflush(stdout);
	run(&p, listener, automatic, seconds);
	bus_close(p.bus);
	if (control)
		(void)unlink(control);
	return 0;
}
