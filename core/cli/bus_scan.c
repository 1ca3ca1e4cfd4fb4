/* bus scan: which units answer. On a running line through the daemon, whose worker asks between its polls; --direct opens a line that
 * no daemon has open. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "bus/exchange.h"
#include "cli/cli.h"
#include "cli/screen.h"
#include "cli/table.h"

enum { UNIT_MAX = 255, TIMEOUT_MS = 300, TIMEOUT_MIN = 10, TIMEOUT_MAX = 10000, CONNECT_MS = 3000, BYTE_MS = 50 };
/* On a running line a probe of so long is followed by a pause of twice that: the polls have two thirds of the line. */
enum { PAUSE_TIMES = 2, PAUSE_MIN_MS = 50 };

struct scan {
	struct cli *cli;
	uint8_t wanted[UNIT_MAX + 1];
	int count;
	long timeout_ms, function, address; /* function 0: what the daemon reads of the unit, or of its neighbours */
	struct table found;
	FILE *json;
	int hits;
};

/* What came of a probe. */
struct probed {
	int answered;
	const char *status; /* "ok", "exception" ... */
	long exception, function, address;
	int64_t latency_us;
	const char *charger;
};

static int wrong(const struct cli *cli, const char *object, const char *text)
{
	return cli_fail(cli, CLI_USAGE, "usage", object, text);
}

/* "1-10,17". */
static int read_units(struct scan *s, const char *text)
{
	const char *at = text;

	for (;;) {
		char *end;
		long first = strtol(at, &end, 10), last = first;

		if (end != at && *end == '-') {
			at = end + 1;
			last = strtol(at, &end, 10);
		}
		if (end == at || first < 0 || last < first || last > UNIT_MAX || (*end && *end != ','))
			return wrong(s->cli, text, "are no units such as 1-10,17");
		for (long unit = first; unit <= last; unit++) {
			s->count += !s->wanted[unit];
			s->wanted[unit] = 1;
		}
		if (!*end)
			return CLI_DONE;
		at = end + 1;
	}
}

static int read_options(struct scan *s)
{
	const struct cli *cli = s->cli;

	s->timeout_ms = TIMEOUT_MS;
	if (cli->timeout && cli_number(cli->timeout, TIMEOUT_MIN, TIMEOUT_MAX, &s->timeout_ms))
		return wrong(cli, cli->timeout, "is no time-out from 10 to 10000 ms");
	if (cli->function && cli_number(cli->function, 1, 4, &s->function))
		return wrong(cli, cli->function, "is no function that reads: 1, 2, 3 or 4");
	if (cli->address && cli_number(cli->address, 0, 65535, &s->address))
		return wrong(cli, cli->address, "is no address from 0 to 65535");
	if (cli->address && !cli->function)
		s->function = 3;
	return read_units(s, cli->units ? cli->units : "1-247");
}

/* What was found ------------------------------------------------------------------------------------------------------- */

static void add_json(struct scan *s, int unit, const struct probed *p)
{
	fprintf(s->json, "%s{\"unit\":%d,\"status\":", s->hits ? "," : "", unit);
	screen_quoted(p->status, s->json);
	(void)fputc(',', s->json);
	if (p->exception)
		fprintf(s->json, "\"exception\":%ld,", p->exception);
	fprintf(s->json, "\"function\":%ld,\"address\":%ld,\"latency_us\":%lld}", p->function, p->address,
		(long long)p->latency_us);
}

static void add_row(struct scan *s, int unit, const struct probed *p)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "%d", unit);
	table_cell(&s->found, text);
	if (p->exception)
		(void)snprintf(text, sizeof(text), "%s %ld", say(s->cli, "exception"), p->exception);
	table_cell(&s->found, p->exception ? text : say(s->cli, p->status));
	(void)snprintf(text, sizeof(text), "%ld: %ld", p->function, p->address);
	table_cell(&s->found, text);
	(void)snprintf(text, sizeof(text), "%lld.%lld", (long long)p->latency_us / 1000,
		       (long long)p->latency_us % 1000 / 100);
	table_cell(&s->found, text);
	table_cell(&s->found, p->charger);
}

static void note(struct scan *s, int unit, const struct probed *p)
{
	if (!p->answered)
		return;
	if (s->json)
		add_json(s, unit, p);
	else
		add_row(s, unit, p);
	s->hits++;
}

static void show_progress(const struct scan *s, int unit, int done)
{
	if (isatty(STDERR_FILENO) && !s->cli->json)
		fprintf(stderr, say(s->cli, "\runit %d (%d of %d), %d found "), unit, done, s->count, s->hits);
}

/* Each unit that is wanted, until one can't be asked. */
static int walk(struct scan *s, int (*probe)(void *user, int unit, struct probed *out), void *user)
{
	int done = 0, result = CLI_DONE;

	for (int unit = 0; unit <= UNIT_MAX && !result; unit++) {
		struct probed p = {0};

		if (!s->wanted[unit])
			continue;
		show_progress(s, unit, ++done);
		result = probe(user, unit, &p);
		if (!result)
			note(s, unit, &p);
	}
	if (isatty(STDERR_FILENO) && !s->cli->json)
		(void)fputc('\n', stderr);
	return result;
}

/* Through the daemon ------------------------------------------------------------------------------------------------------ */

static void put_int(struct cli *cli, struct value *o, const char *key, long i)
{
	(void)value_add(&cli->arena, o, key, value_int(&cli->arena, i));
}

static void pause_ms(int64_t ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000 * 1000000)};

	(void)nanosleep(&time, NULL);
}

static int probe_running(void *user, int unit, struct probed *out)
{
	struct scan *s = user;
	struct cli *cli = s->cli;
	struct value *arguments = value_object(&cli->arena);
	const struct value *answer;

	(void)value_add(&cli->arena, arguments, "line", value_string(&cli->arena, cli->words[0]));
	put_int(cli, arguments, "unit", unit);
	put_int(cli, arguments, "timeout_ms", s->timeout_ms);
	if (s->function)
		put_int(cli, arguments, "function", s->function);
	if (cli->address)
		put_int(cli, arguments, "address", s->address);
	int result = cli_ask(cli, "bus_probe", arguments, &answer);
	if (result)
		return result;
	if (!strcmp(cli_text(answer, "status"), "not connected"))
		return cli_fail(cli, CLI_REFUSED, "bus", cli->words[0], "not connected");
	(void)value_to_bool(value_get(answer, "answered"), &out->answered);
	out->status = cli_text(answer, "status");
	out->exception = (long)cli_int(answer, "exception");
	out->function = (long)cli_int(answer, "function");
	out->address = (long)cli_int(answer, "address");
	out->latency_us = cli_int(answer, "latency_us");
	out->charger = cli_text(answer, "charger");
	int64_t pause = out->latency_us / 1000 * PAUSE_TIMES;
	pause_ms(pause > PAUSE_MIN_MS ? pause : PAUSE_MIN_MS);
	return CLI_DONE;
}

/* A line of our own -------------------------------------------------------------------------------------------------------- */

/* "tcp:HOST:PORT", "/dev/ttyS1", "/dev/ttyS1,9600,8N1". */
static int read_endpoint(const struct cli *cli, const char *text, struct bus_line_config *c)
{
	char form[8] = "8N1";

	*c = (struct bus_line_config){.name = "scan",
				      .port = 502,
				      .baud = 9600,
				      .data_bits = 8,
				      .stop_bits = 1,
				      .parity = 'N',
				      .connect_timeout_ms = CONNECT_MS,
				      .byte_timeout_ms = BYTE_MS};
	if (!strncmp(text, "tcp:", 4)) {
		const char *host = text + 4, *colon = strrchr(host, ':');
		size_t len = colon ? (size_t)(colon - host) : strlen(host);
		long port = c->port;

		if (!len || len >= sizeof(c->host) || (colon && cli_number(colon + 1, 1, 65535, &port)))
			return wrong(cli, text, "is no tcp:HOST:PORT");
		memcpy(c->host, host, len);
		c->port = (int)port;
		c->kind = BUS_TCP;
		return CLI_DONE;
	}
	c->kind = BUS_RTU;
	int n = sscanf(text, "%127[^,],%d,%7s", c->device, &c->baud, form);
	c->data_bits = form[0] - '0';
	c->parity = form[1];
	c->stop_bits = form[2] - '0';
	if (n < 1 || *c->device != '/' || c->baud < 300 || c->baud > 4000000 || strlen(form) != 3 ||
	    (c->data_bits != 7 && c->data_bits != 8) || !strchr("NEO", c->parity) ||
	    (c->stop_bits != 1 && c->stop_bits != 2))
		return wrong(cli, text, "is neither tcp:HOST:PORT nor a device such as /dev/ttyS1,9600,8N1");
	return CLI_DONE;
}

static int read_framing(const struct cli *cli, struct bus_line_config *c)
{
	static const struct {
		const char *name;
		enum bus_framing framing;
	} names[] = {{"tcp", BUS_FRAMING_TCP}, {"rtu", BUS_FRAMING_RTU}, {"ascii", BUS_FRAMING_ASCII}};

	for (size_t i = 0; cli->framing && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(cli->framing, names[i].name))
			c->framing = names[i].framing;
	if ((cli->framing && c->framing == BUS_FRAMING_AUTO) || (c->kind == BUS_RTU && c->framing == BUS_FRAMING_TCP))
		return wrong(cli, cli->framing, "is no framing of that line: rtu or ascii, on TCP also tcp");
	return CLI_DONE;
}

static int same_device(const char *a, const char *b)
{
	char *x = realpath(a, NULL), *y = realpath(b, NULL);
	int same = !strcmp(x ? x : a, y ? y : b);

	free(x);
	free(y);
	return same;
}

/* One connection an endpoint (chargers.md 4, row 19): what the daemon has is asked by the daemon. */
static int check_daemon(struct cli *cli, const struct bus_line_config *c)
{
	const struct value *answer;
	char tcp[160];

	if (!cli_is_up(cli))
		return CLI_DONE;
	int result = cli_ask(cli, "bus_stats", NULL, &answer);
	if (result)
		return result;
	(void)snprintf(tcp, sizeof(tcp), "tcp:%s:%d", c->host, c->port);
	value_each (line, value_get(answer, "lines")) {
		const char *endpoint = cli_text(line, "endpoint");

		if (c->kind == BUS_TCP ? strcmp(endpoint, tcp) != 0 : !same_device(endpoint, c->device))
			continue;
		return cli_fail(cli, CLI_REFUSED, "busy", cli_text(line, "line"),
				"is that line, and the daemon has it open: scan it by its name");
	}
	return CLI_DONE;
}

/* Held until the program ends. *fd: to be closed. */
static int lock_device(const struct cli *cli, const struct bus_line_config *c, int *fd)
{
	*fd = -1;
	if (c->kind != BUS_RTU)
		return CLI_DONE;
	*fd = open(c->device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return cli_fail(cli, CLI_REFUSED, "bus", c->device, strerror(errno));
	if (flock(*fd, LOCK_EX | LOCK_NB))
		return cli_fail(cli, CLI_REFUSED, "busy", c->device, "another program has it open");
	return CLI_DONE;
}

struct direct {
	struct scan *scan;
	struct exchange *exchange;
	struct bus_line_config config;
};

static int reconnect(struct direct *d)
{
	char why[320];

	exchange_close(d->exchange);
	if (!exchange_connect(d->exchange))
		return CLI_DONE;
	exchange_connect_error(d->exchange, errno, why, sizeof(why));
	return cli_fail(d->scan->cli, CLI_REFUSED, "bus", NULL, why);
}

static int probe_direct(void *user, int unit, struct probed *out)
{
	struct direct *d = user;
	const struct scan *s = d->scan;
	const struct bus_read read = {.unit = (uint8_t)unit,
				      .function = (uint8_t)(s->function ? s->function : 3),
				      .address = (uint16_t)s->address,
				      .count = 1};
	struct bus_result r = {.unit = read.unit};

	if (!bus_unit_valid(d->config.kind, (unsigned)unit))
		return CLI_DONE;
	pause_ms(exchange_silence_us(d->exchange) / 1000 + 1);
	(void)exchange_flush(d->exchange);
	int64_t began = clock_mono_us();
	enum bus_status status =
	    exchange_read(d->exchange, &read, (int64_t)s->timeout_ms * 1000, r.words, &r.exception);
	out->latency_us = clock_mono_us() - began;
	r.status = (uint8_t)status;
	out->answered = bus_unit_answered(&r);
	out->status = bus_status_name(status);
	out->exception = status == BUS_EXCEPTION ? r.exception : 0;
	out->function = read.function;
	out->address = read.address;
	/* Some devices hang up after an exception (row 26), and a converter after a time-out. */
	return status == BUS_DISCONNECTED ? reconnect(d) : CLI_DONE;
}

static int scan_direct(struct scan *s)
{
	struct direct d = {.scan = s};
	struct cli *cli = s->cli;
	int lock = -1, result = read_endpoint(cli, cli->direct, &d.config);

	if (!result)
		result = read_framing(cli, &d.config);
	d.config.response_timeout_ms = (int)s->timeout_ms;
	if (!result)
		result = check_daemon(cli, &d.config);
	if (!result)
		result = lock_device(cli, &d.config, &lock);
	if (!result) {
		d.exchange = exchange_new(&d.config);
		if (!d.exchange)
			result = cli_fail(cli, CLI_REFUSED, "bus", cli->direct, strerror(errno));
	}
	if (!result)
		result = reconnect(&d);
	if (!result) {
		result = walk(s, probe_direct, &d);
		exchange_close(d.exchange);
	}
	exchange_free(d.exchange);
	if (lock >= 0)
		close(lock);
	return result;
}

static int print(struct scan *s, char *text)
{
	if (s->json)
		printf("{\"units\":[%s]}\n", text);
	else
		table_print(&s->found, stdout);
	if (!s->json && !s->hits)
		printf("%s\n", say(s->cli, "no unit answers"));
	return CLI_DONE;
}

int cli_bus_scan(struct cli *cli)
{
	static const char *const names[] = {"bus unit", "status", "fc: address", "ms", "charger"};
	struct scan *s;
	char *text = NULL;
	size_t len;

	if (!cli->word_count == !cli->direct || (cli->framing && !cli->direct))
		return wrong(cli, NULL, "either a LINE or --direct");
	s = calloc(1, sizeof(*s));
	if (!s)
		return cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	s->cli = cli;
	s->json = cli->json ? open_memstream(&text, &len) : NULL;
	table_init(&s->found, 5, 8);
	for (int i = 0; i < s->found.columns; i++)
		table_cell(&s->found, say(cli, names[i]));
	int result = cli->json && !s->json ? cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory") : CLI_DONE;
	if (!result)
		result = read_options(s);
	if (!result)
		result = cli->direct ? scan_direct(s) : walk(s, probe_running, s);
	if (s->json && fclose(s->json) && !result)
		result = cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	if (!result)
		result = print(s, text);
	table_fini(&s->found);
	free(text);
	free(s);
	return result;
}
