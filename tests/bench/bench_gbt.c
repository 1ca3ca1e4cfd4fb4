/* What listening to GB/T 27930 costs: a charge's frames decoded straight, and through the datagram transport from another process.
 * Prints "name<TAB>value" lines; ends with 1 when a frame was lost on the way.
 *
 *   bench_gbt tests/unit/gbt/2015.log */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "device/gbt27930.h"

enum {
	FRAMES_MAX = 1024,
	STRAIGHT = 2000000,
	SENT = 300000,
	DATAGRAM = 16,
	BUS_RATE = 250000,
	FRAME_BITS = 131, /* extended, 8 bytes, no stuff bits, 3 bits between frames: more a second there can't be */
	TIMES = 8,
	CHARGE_FROM_US = 6500000,
	CHARGE_TO_US = 9900000,
};
#define EXTENDED 0x80000000u

static struct can_frame frames[FRAMES_MAX];
static int frame_count;
static int64_t lap_us;

static int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* The charge itself, which is what a bus carries nearly all of the time. */
static void load(const char *path)
{
	char line[128];
	FILE *f = fopen(path, "re");
	int64_t first = -1;

	if (!f) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), f) && frame_count < FRAMES_MAX) {
		struct can_frame c = {.extended = 1};
		long long seconds, us;
		char data[32] = "";

		if (sscanf(line, "(%lld.%6lld) can0 %8X#%16s", &seconds, &us, &c.id, data) < 3)
			continue;
		c.mono_us = seconds * 1000000 + us;
		first = first < 0 ? c.mono_us : first;
		c.mono_us -= first;
		c.len = (uint8_t)(strlen(data) / 2);
		for (int i = 0; i < c.len; i++)
			c.data[i] = (uint8_t)(hex(data[2 * i]) << 4 | hex(data[2 * i + 1]));
		if (c.mono_us >= CHARGE_FROM_US && c.mono_us < CHARGE_TO_US)
			frames[frame_count++] = c;
	}
	(void)fclose(f);
	lap_us = CHARGE_TO_US - CHARGE_FROM_US;
	if (!frame_count)
		exit(2);
}

/* Frame n of a charge that goes on for ever. */
static struct can_frame frame_at(long n)
{
	struct can_frame c = frames[n % frame_count];

	c.mono_us += n / frame_count * lap_us;
	return c;
}

static void say(const char *name, const char *value)
{
	(void)printf("%s\t%s\n", name, value);
}

static double needed(void)
{
	return (double)BUS_RATE / FRAME_BITS * TIMES;
}

static uint64_t straight(const char *name, long count, int take)
{
	struct gbt *g = gbt_new(NULL, NULL);
	struct gbt_stats s;
	int signals;
	const struct gbt_signal *list = gbt_signals(&signals);
	char text[128];

	if (!g)
		exit(2);
	int64_t begin = clock_mono_us();
	for (long n = 0; n < count; n++) {
		struct can_frame c = frame_at(n);
		int message = gbt_frame(g, &c);

		for (int i = 0; take && message >= 0 && i < signals; i++) {
			struct point_value v;

			if (list[i].place.message == message)
				(void)gbt_get(g, i, &v);
		}
	}
	double us = (double)(clock_mono_us() - begin);
	gbt_get_stats(g, &s);
	gbt_free(g);
	if (name) {
		(void)snprintf(text, sizeof(text), "%.0f ns a frame (%.0f times the need)", us * 1000 / (double)count,
			       (double)count / us * 1e6 / needed());
		say(name, text);
	}
	return s.messages;
}

/* The other process: frames as fast as they are taken. A socket that waits loses nothing, as a bus that is full does not. */
static void send_all(const char *to)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", to);
	for (long n = 0; n < SENT; n++) {
		struct can_frame c = frame_at(n);
		uint8_t out[DATAGRAM] = {0};
		uint32_t id = htonl(c.id | EXTENDED);

		memcpy(out, &id, sizeof(id));
		out[4] = c.len;
		memcpy(out + 8, c.data, sizeof(c.data));
		while (sendto(fd, out, sizeof(out), 0, (struct sockaddr *)&address, sizeof(address)) < 0)
			if (errno != EINTR)
				_exit(1);
	}
	_exit(0);
}

struct receiver {
	struct loop *loop;
	struct gbt *g;
	long got;
	int64_t first_us, last_us;
};

static void on_frame(void *user, const struct can_frame *frame)
{
	struct receiver *r = user;
	struct can_frame c = *frame;

	if (!r->got)
		r->first_us = clock_mono_us();
	/* The time of the charge: here it runs much faster than it would. */
	c.mono_us = frame_at(r->got).mono_us;
	(void)gbt_frame(r->g, &c);
	if (++r->got == SENT) {
		r->last_us = clock_mono_us();
		loop_stop(r->loop);
	}
}

static void on_state(void *user, enum can_state state)
{
	(void)user;
	(void)state;
}

static double cpu_us(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int through_datagrams(uint64_t expected)
{
	char folder[] = "/tmp/fc-bench-gbt.XXXXXX", own[64], peer[64], text[128];
	struct error err = {0};
	struct receiver r = {.loop = loop_new(&err), .g = gbt_new(NULL, NULL)};
	const struct can_hooks hooks = {.user = &r, .frame = on_frame, .state = on_state};
	struct can_config config = {.name = "bench", .bitrate = BUS_RATE, .listen_only = 1};
	struct gbt_stats s;
	int status = 1;

	if (!r.loop || !r.g || !mkdtemp(folder))
		exit(2);
	(void)snprintf(own, sizeof(own), "%s/a", folder);
	(void)snprintf(peer, sizeof(peer), "%s/b", folder);
	(void)snprintf(config.device, sizeof(config.device), "datagram:%s,%s", own, peer);
	struct can_port *port = can_open(r.loop, &config, &hooks, &err);
	if (!port) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	pid_t child = fork();
	if (!child)
		send_all(own);
	double before = cpu_us();
	(void)alarm(120); /* lost frames: it would wait for ever */
	(void)loop_run(r.loop);
	double cpu = cpu_us() - before, us = (double)(r.last_us - r.first_us);
	(void)waitpid(child, &status, 0);
	gbt_get_stats(r.g, &s);
	int lost = r.got != SENT || s.messages != expected || status;
	(void)snprintf(text, sizeof(text), "%.0f frames/s (%.1f times the need), %d of %d lost", SENT / us * 1e6,
		       SENT / us * 1e6 / needed(), SENT - (int)r.got, SENT);
	say("from another process by datagrams, loop and decoder", text);
	(void)snprintf(text, sizeof(text), "%.2f us a frame: %.1f %% of one core at the need, %.1f %% for one full bus",
		       cpu / SENT, cpu / SENT * needed() / 1e4, cpu / SENT * needed() / TIMES / 1e4);
	say("  of that, the gateway's side", text);
	can_close(port);
	loop_free(r.loop);
	gbt_free(r.g);
	(void)unlink(own);
	(void)rmdir(folder);
	return lost;
}

int main(int argc, char **argv)
{
	char text[64];

	if (argc != 2)
		return 2;
	load(argv[1]);
	(void)snprintf(text, sizeof(text), "%.0f frames/s (one bus: %.0f)", needed(), needed() / TIMES);
	say("GB/T 27930, the need: eight full buses of 250 kbit/s", text);
	(void)straight("decoding straight", STRAIGHT, 0);
	(void)straight("  and every value of each message taken", STRAIGHT, 1);
	(void)fflush(stdout);
	return through_datagrams(straight(NULL, SENT, 0));
}
