/* sim-charger: a station of simulated chargers on Modbus TCP and on pseudo-terminals; faults on command. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "sim/charger_modbus.h"
#include "sim/charger_model.h"

enum {
	CHARGERS_MAX = 1024,
	LINES_MAX = 8,
	UNITS_MAX = 247, /* Modbus over serial line V1.02, 2.2 */
	STREAMS_MAX = 4096,
	INPUT = 1024,
	TIMES = 200,
	STEP_MS = 50,
	LINE_PAUSE_MS = 100, /* a real line's 3.5 characters, with room for a sender that was held up */
	PENDING_MAX = 4096
};

enum fault { NORMAL, MUTE, LATE, TORN, EXCEPTION, STALE, WRONG_UNIT, GARBAGE };
static const char *const fault_names[] = {"normal",    "mute",  "late",      "torn",
					  "exception", "stale", "wrongunit", "garbage"};

struct charger {
	struct model_charger model;
	int listener; /* -1: on a line, or closed */
	int port;
	enum fault fault;
	int fault_value;
	unsigned long requests, polls; /* all, and those that read a connector's state */
	int connections, connections_max;
	double times[TIMES]; /* of the last polls */
};

/* A byte stream with requests: a TCP connection (charger >= 0), a line or a control connection. */
enum { ON_LINE = -1, ON_CONTROL = -2 };
struct stream {
	int fd;
	int charger; /* or ON_LINE, ON_CONTROL */
	int line;
	double read_ms; /* when the last bytes came */
	uint8_t input[INPUT];
	size_t used;
};

/* Bytes to be sent later: late and torn answers. */
struct pending {
	int fd;
	double at_ms;
	uint8_t data[MODBUS_FRAME_MAX];
	size_t len;
};

struct station {
	struct charger *chargers;
	int count, tcp, per_line;
	int lines[LINES_MAX], line_count;
	char *links[LINES_MAX];
	struct stream *streams;
	int stream_count;
	struct pending pending[PENDING_MAX];
	int pending_count;
	int control;
	int automatic;
	double speed;
	uint32_t random;
	unsigned long bytes_in, bytes_out; /* Modbus only */
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "sim-charger: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* -1 and errno when the port is not to be had. */
static int listen_tcp(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16)) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int open_line(const char *link)
{
	struct termios raw;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || grantpt(fd) || unlockpt(fd) || !ptsname(fd))
		die("pseudo-terminal");
	/* Kept open: without a slave the master would report a hang-up until the gateway comes. */
	int slave = open(ptsname(fd), O_RDWR | O_NOCTTY);
	if (slave < 0 || tcgetattr(slave, &raw))
		die("pseudo-terminal");
	cfmakeraw(&raw);
	if (tcsetattr(slave, TCSANOW, &raw))
		die("pseudo-terminal");
	(void)unlink(link);
	if (symlink(ptsname(fd), link))
		die(link);
	return fd;
}

static int listen_control(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8))
		die(path);
	return fd;
}

static struct stream *add_stream(struct station *s, int fd, int charger, int line)
{
	if (s->stream_count == STREAMS_MAX) {
		close(fd);
		return NULL;
	}
	struct stream *stream = &s->streams[s->stream_count++];
	*stream = (struct stream){.fd = fd, .charger = charger, .line = line};
	return stream;
}

static void drop_stream(struct station *s, int i)
{
	struct stream *stream = &s->streams[i];

	if (stream->charger >= 0)
		s->chargers[stream->charger].connections--;
	int kept = 0; /* in order: the rest are pieces of answers */
	for (int k = 0; k < s->pending_count; k++)
		if (s->pending[k].fd != stream->fd)
			s->pending[kept++] = s->pending[k];
	s->pending_count = kept;
	close(stream->fd);
	*stream = s->streams[--s->stream_count];
}

static void send_bytes(struct station *s, int fd, const uint8_t *data, size_t len)
{
	/* A peer that has gone is noticed at the next read. */
	ssize_t n = write(fd, data, len);
	if (n > 0)
		s->bytes_out += (unsigned long)n;
}

static void send_later(struct station *s, int fd, double ms, const uint8_t *data, size_t len)
{
	if (s->pending_count == PENDING_MAX)
		return;
	struct pending *p = &s->pending[s->pending_count++];
	p->fd = fd;
	p->at_ms = now_ms() + ms;
	p->len = len;
	memcpy(p->data, data, len);
}

/* The answer goes out as the charger's fault has it. */
static void send_answer(struct station *s, struct charger *c, const struct stream *stream, uint16_t transaction,
			uint8_t unit, const uint8_t *pdu, size_t len)
{
	uint8_t frame[MODBUS_FRAME_MAX], stale[MODBUS_FRAME_MAX];
	int tcp = stream->charger >= 0;

	if (c->fault == MUTE)
		return;
	if (c->fault == WRONG_UNIT)
		unit++;
	size_t n = tcp ? modbus_frame_tcp(transaction, unit, pdu, len, frame) : modbus_frame_rtu(unit, pdu, len, frame);
	switch (c->fault) {
	case LATE:
		send_later(s, stream->fd, c->fault_value, frame, n);
		return;
	case TORN:
		for (size_t i = 0; i < n; i += 3)
			send_later(s, stream->fd, (double)i * 2, frame + i, n - i < 3 ? n - i : 3);
		return;
	case STALE:
		if (tcp)
			send_bytes(s, stream->fd, stale,
				   modbus_frame_tcp((uint16_t)(transaction - 1), unit, pdu, len, stale));
		break;
	case GARBAGE:
		for (size_t i = 0; i < n; i++)
			frame[i] = (uint8_t)(frame[i] * 31 + 7);
		break;
	case NORMAL:
	case MUTE:
	case EXCEPTION:
	case WRONG_UNIT:
		break;
	}
	send_bytes(s, stream->fd, frame, n);
}

/* Reads from the state register of a connector on. */
static int is_poll(const uint8_t *pdu, size_t len)
{
	return len >= 3 && (pdu[0] == 3 || pdu[0] == 4) && (pdu[1] << 8 | pdu[2]) % MODEL_STRIDE == 0;
}

static void serve(struct station *s, const struct stream *stream, uint16_t transaction, uint8_t unit,
		  const uint8_t *pdu, size_t len)
{
	uint8_t out[MODBUS_FRAME_MAX];
	int index = stream->charger >= 0 ? stream->charger : s->tcp + stream->line * s->per_line + unit - 1;

	if (stream->charger < 0 && (unit < 1 || unit > s->per_line))
		return; /* nobody of that address on the line */
	struct charger *c = &s->chargers[index];
	c->requests++;
	if (is_poll(pdu, len))
		c->times[c->polls++ % TIMES] = now_ms();
	size_t n = modbus_answer(&c->model, pdu, len, c->fault == EXCEPTION ? c->fault_value : 0, out);
	send_answer(s, c, stream, transaction, unit, out, n);
}

/* All whole requests in the stream's input; -1 when the stream must be closed. */
static int take_requests(struct station *s, struct stream *stream)
{
	uint8_t pdu[MODBUS_FRAME_MAX], unit = 0;
	size_t len = 0, at = 0;
	uint16_t transaction = 0;

	for (;;) {
		int good = 1, n;

		if (stream->charger >= 0)
			n = modbus_take_tcp(stream->input + at, stream->used - at, &transaction, &unit, pdu, &len);
		else
			n = modbus_take_rtu(stream->input + at, stream->used - at, &unit, pdu, &len, &good);
		if (n < 0)
			return -1;
		if (!n)
			break;
		at += (size_t)n;
		if (good)
			serve(s, stream, transaction, unit, pdu, len);
	}
	memmove(stream->input, stream->input + at, stream->used - at);
	stream->used -= at;
	return stream->used == sizeof(stream->input) ? -1 : 0;
}

static int take_commands(struct station *s, struct stream *stream);

static int read_stream(struct station *s, struct stream *stream)
{
	double now = now_ms();

	/* Modbus over serial line V1.02, 2.5.1.1: a pause ends a frame, also one that is not whole. */
	if (stream->charger == ON_LINE && now - stream->read_ms > LINE_PAUSE_MS)
		stream->used = 0;
	ssize_t n = read(stream->fd, stream->input + stream->used, sizeof(stream->input) - stream->used);
	if (n < 0 && (errno == EAGAIN || errno == EINTR || stream->charger == ON_LINE))
		return 0;
	if (n <= 0)
		return -1;
	stream->used += (size_t)n;
	stream->read_ms = now;
	if (stream->charger == ON_CONTROL)
		return take_commands(s, stream);
	s->bytes_in += (unsigned long)n;
	return take_requests(s, stream);
}

static void accept_charger(struct station *s, int index)
{
	struct charger *c = &s->chargers[index];
	int on = 1, fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!add_stream(s, fd, index, 0))
		return;
	if (++c->connections > c->connections_max)
		c->connections_max = c->connections;
}

static void close_charger(struct station *s, int index)
{
	struct charger *c = &s->chargers[index];

	if (c->listener >= 0)
		close(c->listener);
	c->listener = -1;
	for (int i = s->stream_count - 1; i >= 0; i--)
		if (s->streams[i].charger == index)
			drop_stream(s, i);
}

static void say_stats(const struct station *s, FILE *out)
{
	unsigned long all = 0;

	for (int i = 0; i < s->count; i++)
		all += s->chargers[i].requests;
	fprintf(out, "{\"requests\":%lu,\"bytes_in\":%lu,\"bytes_out\":%lu,\"chargers\":[", all, s->bytes_in,
		s->bytes_out);
	for (int i = 0; i < s->count; i++)
		fprintf(out, "%s{\"requests\":%lu,\"connections_max\":%d}", i ? "," : "", s->chargers[i].requests,
			s->chargers[i].connections_max);
	fprintf(out, "]}\n");
}

static void say_times(const struct charger *c, FILE *out)
{
	unsigned long n = c->polls < TIMES ? c->polls : TIMES;

	fputc('[', out);
	for (unsigned long i = 0; i < n; i++)
		fprintf(out, "%s%.3f", i ? "," : "", c->times[(c->polls - n + i) % TIMES]);
	fprintf(out, "]\n");
}

static void say_list(const struct station *s, FILE *out)
{
	fputc('[', out);
	for (int i = 0; i < s->count; i++)
		for (int k = 0; k < s->chargers[i].model.connectors; k++)
			fprintf(out, "%s[%d,%d,\"%s\"]", i || k ? "," : "", i, k + 1,
				model_state_name(s->chargers[i].model.c[k].state));
	fprintf(out, "]\n");
}

static int set_fault(struct charger *c, const char *word, int value)
{
	if (!strcmp(word, "unmute"))
		word = "normal";
	for (int i = 0; i < (int)(sizeof(fault_names) / sizeof(fault_names[0])); i++)
		if (!strcmp(word, fault_names[i])) {
			c->fault = (enum fault)i;
			c->fault_value = value;
			return 0;
		}
	return -1;
}

static int open_charger(struct station *s, int index)
{
	struct charger *c = &s->chargers[index];

	if (c->listener < 0)
		c->listener = listen_tcp(c->port);
	return c->listener < 0 ? -1 : 0;
}

/* A command about one charger: word, its index, and perhaps two more numbers (numbers: how many there are in all).
 * 1 when it was answered, 0 when it was done, -1 when it can't be. */
static int command_charger(struct station *s, const char *word, int numbers, int index, int a, int b, FILE *out)
{
	struct charger *c = &s->chargers[index];

	if (!strcmp(word, "times")) {
		say_times(c, out);
		return 1;
	}
	if (index >= s->tcp && (!strcmp(word, "close") || !strcmp(word, "open")))
		return -1; /* a unit of a line has no connection of its own: mute it */
	if (!strcmp(word, "close")) {
		close_charger(s, index);
		return 0;
	}
	if (!strcmp(word, "open"))
		return open_charger(s, index);
	if (a < 1 && (!strcmp(word, "exception") || !strcmp(word, "late")))
		return -1;
	if (!set_fault(c, word, a))
		return 0;
	int connector = numbers > 1 ? a - 1 : 0;
	if (connector < 0 || connector >= c->model.connectors)
		return -1;
	if (!strcmp(word, "state")) {
		fprintf(out, "%s\n", model_state_name(c->model.c[connector].state));
		return 1;
	}
	if (!strcmp(word, "fault")) {
		if (b < 1 || b > UINT16_MAX)
			return -1;
		model_fault(&c->model, connector, (uint16_t)b);
		return 0;
	}
	return model_command(&c->model, connector, word);
}

static void command(struct station *s, const char *line, FILE *out)
{
	char word[24] = "", second[24] = "";
	int index = -1, a = 0, b = 0;

	(void)sscanf(line, "%23s %23s", word, second);
	int numbers = sscanf(line, "%*s %d %d %d", &index, &a, &b);
	int result = -1;
	if (!strcmp(word, "list")) {
		say_list(s, out);
		return;
	}
	if (!strcmp(word, "stats")) {
		say_stats(s, out);
		return;
	}
	if (!strcmp(word, "quit"))
		result = 0, ended = 1;
	else if (!strcmp(word, "auto") && (!strcmp(second, "on") || !strcmp(second, "off")))
		result = 0, s->automatic = !strcmp(second, "on");
	else if (numbers >= 1 && index >= 0 && index < s->count)
		result = command_charger(s, word, numbers, index, a, b, out);
	if (result <= 0)
		fprintf(out, "%s\n", result ? "error" : "ok");
}

/* Sends what a command says; -1 when nobody takes it. */
static int answer_command(struct station *s, int fd, const char *line)
{
	char *text = NULL;
	size_t len = 0;
	ssize_t sent = -1;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -1;
	command(s, line, out);
	if (!fclose(out))
		sent = send(fd, text, len, 0); /* waits a second at most, see accept_control */
	free(text);
	return sent == (ssize_t)len ? 0 : -1;
}

/* All whole lines in a control connection's input; -1 when it must be closed. */
static int take_commands(struct station *s, struct stream *stream)
{
	uint8_t *begin = stream->input, *end = begin + stream->used, *newline;

	while ((newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		*newline = '\0';
		if (answer_command(s, stream->fd, (const char *)begin))
			return -1;
		begin = newline + 1;
	}
	stream->used = (size_t)(end - begin);
	memmove(stream->input, begin, stream->used);
	return stream->used == sizeof(stream->input) ? -1 : 0;
}

static void accept_control(struct station *s)
{
	struct timeval limit = {.tv_sec = 1};
	int fd = accept4(s->control, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)add_stream(s, fd, ON_CONTROL, 0);
}

static void send_due(struct station *s)
{
	double now = now_ms();

	for (int i = 0; i < s->pending_count; i++) {
		if (s->pending[i].at_ms > now)
			continue;
		send_bytes(s, s->pending[i].fd, s->pending[i].data, s->pending[i].len);
		memmove(&s->pending[i], &s->pending[i + 1], (size_t)(s->pending_count - i - 1) * sizeof(s->pending[0]));
		s->pending_count--;
		i--;
	}
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
	send_due(s);
	/* From the back: a dropped stream is replaced by the last one, which was looked at already. */
	for (int i = streams - 1; i >= 0; i--)
		if (fds[i].revents && read_stream(s, &s->streams[i]))
			drop_stream(s, i);
	for (int i = 0; i < s->tcp; i++)
		if (fds[streams + i].revents)
			accept_charger(s, i);
	if (s->control >= 0 && fds[n - 1].revents)
		accept_control(s);
}

static void make_chargers(struct station *s, int port, int connectors)
{
	s->count = s->tcp + s->line_count * s->per_line;
	if (s->count < 1 || s->count > CHARGERS_MAX || connectors > MODEL_CONNECTORS ||
	    (s->line_count && (!s->per_line || s->per_line > UNITS_MAX)) || port + s->tcp > UINT16_MAX + 1) {
		fprintf(stderr,
			"sim-charger: 1 to %d chargers of 1 to %d connectors, 1 to %d units a line, ports to %d\n",
			CHARGERS_MAX, MODEL_CONNECTORS, UNITS_MAX, UINT16_MAX);
		exit(2);
	}
	s->chargers = calloc((size_t)s->count + 1, sizeof(*s->chargers));
	s->streams = calloc(STREAMS_MAX, sizeof(*s->streams));
	if (!s->chargers || !s->streams)
		die("memory");
	for (int i = 0; i < s->count; i++) {
		model_init(&s->chargers[i].model, i, connectors, i >= s->tcp);
		s->chargers[i].port = port + i;
		s->chargers[i].listener = i < s->tcp ? listen_tcp(port + i) : -1;
		if (i < s->tcp && s->chargers[i].listener < 0)
			die("listen");
	}
	for (int i = 0; i < s->line_count; i++) {
		s->lines[i] = open_line(s->links[i]);
		(void)add_stream(s, s->lines[i], ON_LINE, i);
	}
}

static void run(struct station *s, double seconds)
{
	double last = now_ms(), begin = last;

	while (!ended && (seconds <= 0 || now_ms() - begin < seconds * 1000)) {
		turn(s);
		double now = now_ms();
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
	    {"seconds", 1, NULL, 'e'}, {NULL, 0, NULL, 0},
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
			port = number(optarg, 1, UINT16_MAX);
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
		s.control = listen_control(control);
	printf("ready\n");
	(void)fflush(stdout);
	run(&s, seconds);
	for (int i = 0; i < s.line_count; i++)
		(void)unlink(s.links[i]);
	if (control)
		(void)unlink(control);
	return 0;
}
