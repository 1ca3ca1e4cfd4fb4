/* Load on the answering side: CONNECTIONS kept-alive TLS connections from one thread, each sending its next request when the
 * answer is in, first to the gateway, then the same to bench_bare and to answer_node.mjs, in turns; then whole TLS handshakes with each, one
 * after the other. Prints one JSON object.
 *
 *   bench_iserv GATEWAY_PORT:PID BARE_PORT:PID NODE_PORT:PID|- CA CALLERS SECONDS ROUNDS
 *
 * CALLERS: a file with the platforms to play, a line each, eight words:
 *   path operator_id token data_secret data_secret_iv sig_secret connector_plugged connector_charging start_charge_seq
 * Questions are sealed once and repeated. A start is sealed anew each time, since a repeat of its bytes is refused; it is the
 * platform's repeat of a start that goes on, so that it runs through all but the disk. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "config/config.h"
#include "loop/tls.h"
#include "upstream/envelope.h"

enum {
	CONNECTIONS = 64,
	CALLERS_MAX = 64,
	METHODS = 4,
	WORD = 128,
	TEXT_MAX = 4096,
	SAMPLE = 50, /* one answer of so many is opened: signature and decryption */
	TIMES_MAX = 1 << 20,
	ROUNDS_MAX = 32,
	SETTLE_MS = 500,
	REST_MS = 3000, /* what a server takes without a question: the gateway polls its chargers */
	PATIENCE_MS = 60000,
};

struct caller {
	char path[WORD], id[WORD], token[WORD], plugged[WORD], charging[WORD], seq[WORD];
	struct envelope_keys keys;
	struct envelope_sequence sequence;
};

static const struct method {
	const char *name;
	int fresh; /* must be sealed for each call */
} methods[METHODS] = {{"query_equip_auth", 0},
		      {"query_equip_business_policy", 0},
		      {"query_equip_charge_status", 0},
		      {"query_start_charge", 1}};

struct connection {
	int fd, index, method;
	WOLFSSL *ssl;
	struct caller *caller;
	struct buffer requests[METHODS]; /* whole: head and body */
	char in[TEXT_MAX];
	size_t in_len;
	int64_t asked_us;
	int waiting;
};

struct round {
	double per_second, cpu_us, cpu_share, own_share;
};

struct target {
	const char *name;
	int port, pid, bare, epoll;
	double rest; /* of a processor, while nobody asks */
	struct {
		double per_second[ROUNDS_MAX], cpu_us[ROUNDS_MAX];
	} handshakes;
	struct connection connections[CONNECTIONS];
	struct round rounds[ROUNDS_MAX];
	uint32_t *times_us;
	size_t count, wrong, opened;
	char cipher[64], first_wrong[512];
};

enum { GATEWAY, BARE, NODE, TARGETS };
static const char *const names[TARGETS] = {"gateway", "bare", "node"};
static struct target targets[TARGETS];
static struct caller callers[CALLERS_MAX];
static int caller_count;
static size_t answer_len[METHODS]; /* of the gateway, so that the bare server answers as much */
static struct json_reader *reader;
static const char *scratch_reason = "";

static void give_up(const char *what)
{
	(void)fprintf(stderr, "bench_iserv: %s %s\n", what, scratch_reason);
	exit(1);
}

static void read_callers(const char *path)
{
	FILE *in = fopen(path, "r");
	char data[WORD], iv[WORD], sig[WORD];

	if (!in)
		give_up("no file of callers");
	for (struct caller *c = callers; caller_count < CALLERS_MAX; c++, caller_count++) {
		if (fscanf(in, "%127s %127s %127s %127s %127s %127s %127s %127s %127s", c->path, c->id, c->token, data,
			   iv, sig, c->plugged, c->charging, c->seq) != 9)
			break;
		if (envelope_keys_set(&c->keys, data, iv, sig, NULL))
			give_up("secrets");
	}
	(void)fclose(in);
	if (!caller_count)
		give_up("no callers");
}

/* Requests ------------------------------------------------------------------------------------------------------------ */

/* In the lower camel case that tests/bench/bench.lua maps. */
static void make_parameters(const struct connection *c, int method, char *out, size_t size)
{
	const struct caller *p = c->caller;

	switch (method) {
	case 0:
		(void)snprintf(out, size, "{\"equipAuthSeq\":\"%s%018d\",\"connectorID\":\"%s\"}", p->id, c->index,
			       p->plugged);
		return;
	case 1:
		(void)snprintf(out, size, "{\"equipBizSeq\":\"%s%018d\",\"connectorID\":\"%s\"}", p->id, c->index,
			       p->plugged);
		return;
	case 2:
		(void)snprintf(out, size, "{\"startChargeSeq\":\"%s\"}", p->seq);
		return;
	default:
		(void)snprintf(out, size, "{\"startChargeSeq\":\"%s\",\"connectorID\":\"%s\",\"qrCode\":\"\"}", p->seq,
			       p->charging);
		return;
	}
}

static void make_request(struct connection *c, int method, int bare)
{
	struct buffer body, *out = &c->requests[method];
	char json[TEXT_MAX], query[32] = "";

	buffer_init(&body, TEXT_MAX);
	make_parameters(c, method, json, sizeof(json));
	if (bare)
		(void)snprintf(query, sizeof(query), "?%zu", answer_len[method]);
	if (envelope_seal_request(&c->caller->keys, c->caller->id, &c->caller->sequence, clock_wall(), json,
				  strlen(json), &body, NULL))
		give_up("a request can't be sealed");
	buffer_clear(out);
	(void)buffer_printf(
	    out,
	    "POST %s/%s%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json;charset=utf-8\r\n"
	    "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
	    c->caller->path, methods[method].name, query, c->caller->token, body.len, body.data);
	buffer_fini(&body);
}

static void ask(const struct target *t, struct connection *c)
{
	c->method = (c->method + 1) % METHODS;
	if (methods[c->method].fresh || !c->requests[c->method].len)
		make_request(c, c->method, t->bare);
	c->in_len = 0;
	c->waiting = 1;
	c->asked_us = clock_mono_us();
	int len = (int)c->requests[c->method].len;
	if (wolfSSL_write(c->ssl, c->requests[c->method].data, len) != len)
		give_up("a request can't be written");
}

/* Answers ------------------------------------------------------------------------------------------------------------- */

/* The body when the answer is whole; NULL before. */
static const char *whole_body(struct connection *c, size_t *len)
{
	c->in[c->in_len] = '\0';
	char *end = strstr(c->in, "\r\n\r\n");
	const char *length = end ? strcasestr(c->in, "\r\ncontent-length:") : NULL;
	if (!end)
		return NULL;
	if (strncmp(c->in, "HTTP/1.1 200", 12) != 0 || !length || length > end)
		give_up(c->in);
	*len = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
	return c->in_len >= (size_t)(end + 4 - c->in) + *len ? end + 4 : NULL;
}

static int is_right(const struct target *t, const struct connection *c, const char *body, size_t len, int open)
{
	struct envelope_response response;
	struct arena arena;

	if (t->bare)
		return len == answer_len[c->method];
	if (strncmp(body, "{\"Ret\":0,", 9) != 0)
		return 0;
	answer_len[c->method] = len;
	if (!open)
		return 1;
	arena_init(&arena, 1 << 20);
	int right =
	    !envelope_open_response(&c->caller->keys, reader, CONFIG_SIG_STRICT, body, len, &arena, &response, NULL) &&
	    response.sig_ok && response.plain && strstr(response.plain, "\"gateway\":\"forecourt\"");
	arena_fini(&arena);
	return right;
}

static void finish(struct target *t, struct connection *c, const char *body, size_t len)
{
	if (t->count < TIMES_MAX)
		t->times_us[t->count] = (uint32_t)(clock_mono_us() - c->asked_us);
	c->waiting = 0;
	int open = t->count++ % SAMPLE == 0;
	t->opened += (size_t)open;
	if (is_right(t, c, body, len, open))
		return;
	if (!t->wrong++)
		(void)snprintf(t->first_wrong, sizeof(t->first_wrong), "%s: %.300s", methods[c->method].name, body);
}

/* Reads what is there; nonzero when the answer is whole. */
static int receive(struct target *t, struct connection *c)
{
	const char *body;
	size_t len;

	for (;;) {
		int n = wolfSSL_read(c->ssl, c->in + c->in_len, (int)(sizeof(c->in) - 1 - c->in_len));

		if (n <= 0) {
			if (wolfSSL_get_error(c->ssl, n) != WOLFSSL_ERROR_WANT_READ)
				give_up("a connection was closed");
			return 0;
		}
		c->in_len += (size_t)n;
		body = whole_body(c, &len);
		if (body) {
			finish(t, c, body, len);
			return 1;
		}
	}
}

/* Connections --------------------------------------------------------------------------------------------------------- */

static WOLFSSL *connect_to(const struct target *t, WOLFSSL_CTX *ctx, int *fd)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port)};
	int on = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    connect(*fd, (struct sockaddr *)&to, sizeof(to)))
		give_up(strerror(errno));
	WOLFSSL *ssl = wolfSSL_new(ctx);
	if (!ssl || wolfSSL_set_fd(ssl, *fd) != WOLFSSL_SUCCESS || wolfSSL_connect(ssl) != WOLFSSL_SUCCESS)
		give_up("the handshake failed");
	return ssl;
}

static void open_connection(struct target *t, struct connection *c, WOLFSSL_CTX *ctx)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};

	c->ssl = connect_to(t, ctx, &c->fd);
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	wolfSSL_set_using_nonblock(c->ssl, 1);
	(void)snprintf(t->cipher, sizeof(t->cipher), "%s %s", wolfSSL_get_version(c->ssl), wolfSSL_get_cipher(c->ssl));
	for (int i = 0; i < METHODS; i++)
		buffer_init(&c->requests[i], TEXT_MAX);
	c->caller = &callers[c->index % caller_count];
	c->method = c->index;
	if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, c->fd, &event))
		give_up("epoll");
}

/* Seconds of all threads, as finely as the scheduler counts. */
static double cpu_of(int pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used))
		give_up("a server is gone");
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double own_cpu(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void run(struct target *t, int64_t ms, struct round *round)
{
	struct epoll_event events[CONNECTIONS];
	int64_t begin = clock_mono_us(), end = begin + ms * 1000;
	size_t before = t->count;
	double server = cpu_of(t->pid), own = own_cpu();
	int waiting = CONNECTIONS;

	for (int i = 0; i < CONNECTIONS; i++)
		ask(t, &t->connections[i]);
	while (waiting) {
		int n = epoll_wait(t->epoll, events, CONNECTIONS, PATIENCE_MS);

		if (n <= 0)
			give_up("no answer within a minute");
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (!receive(t, c))
				continue;
			if (clock_mono_us() < end)
				ask(t, c);
			else
				waiting--;
		}
	}
	double seconds = (double)(clock_mono_us() - begin) / 1e6, answered = (double)(t->count - before);
	double cpu = cpu_of(t->pid) - server;
	/* What it takes at rest is no answer's: on a busy machine few would have to bear all of it. */
	double answers_cpu = cpu - t->rest * seconds;
	*round = (struct round){answered / seconds, answers_cpu / answered * 1e6, cpu / seconds,
				(own_cpu() - own) / seconds};
}

/* Whole ones, without a ticket: what a platform's new connection costs. */
static void shake_hands(struct target *t, WOLFSSL_CTX *ctx, int64_t ms, int round)
{
	int64_t begin = clock_mono_us(), end = begin + ms * 1000;
	double cpu = cpu_of(t->pid), made = 0;

	for (; clock_mono_us() < end; made++) {
		int fd;
		WOLFSSL *ssl = connect_to(t, ctx, &fd);

		(void)wolfSSL_shutdown(ssl);
		wolfSSL_free(ssl);
		(void)close(fd);
	}
	double seconds = (double)(clock_mono_us() - begin) / 1e6;
	t->handshakes.per_second[round] = made / seconds;
	t->handshakes.cpu_us[round] = (cpu_of(t->pid) - cpu - t->rest * seconds) / made * 1e6;
}

/* Figures ------------------------------------------------------------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int compare_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(values[0]), compare_doubles);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double median_of(const struct target *t, int rounds, size_t offset)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++)
		memcpy(&values[i], (const char *)&t->rounds[i] + offset, sizeof(values[i]));
	return median(values, rounds);
}

static void print_target(struct target *t, int rounds)
{
	size_t n = t->count < TIMES_MAX ? t->count : TIMES_MAX;

	qsort(t->times_us, n, sizeof(t->times_us[0]), compare_times);
	(void)printf("\"%s\":{\"per_second\":%.0f,\"cpu_us\":%.1f,\"rest_share\":%.4f,\"cpu_share\":%.3f,\"generator_"
		     "share\":%.3f,\"p50_ms\":%.2f,"
		     "\"p99_ms\":%.2f,\"answers\":%zu,\"opened\":%zu,\"wrong\":%zu,\"handshakes_per_second\":%.1f,"
		     "\"handshake_cpu_us\":%.0f,\"cipher\":\"%s\"},",
		     t->name, median_of(t, rounds, offsetof(struct round, per_second)),
		     median_of(t, rounds, offsetof(struct round, cpu_us)), t->rest,
		     median_of(t, rounds, offsetof(struct round, cpu_share)),
		     median_of(t, rounds, offsetof(struct round, own_share)), t->times_us[n / 2] / 1e3,
		     t->times_us[(n * 99 + 99) / 100 - 1] / 1e3, t->count, t->opened, t->wrong,
		     median(t->handshakes.per_second, rounds), median(t->handshakes.cpu_us, rounds), t->cipher);
	if (t->wrong)
		(void)fprintf(stderr, "bench_iserv: %s: first wrong answer: %s\n", t->name, t->first_wrong);
}

static void open_target(struct target *t, const char *name, const char *port_pid, WOLFSSL_CTX *ctx)
{
	struct round unused;

	t->name = name;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->times_us = calloc(TIMES_MAX, sizeof(t->times_us[0]));
	if (t->epoll < 0 || !t->times_us || sscanf(port_pid, "%d:%d", &t->port, &t->pid) != 2)
		give_up("PORT:PID");
	for (int i = 0; i < CONNECTIONS; i++) {
		t->connections[i].index = i;
		open_connection(t, &t->connections[i], ctx);
	}
	run(t, SETTLE_MS, &unused);
	t->count = t->opened = 0;
}

static void measure_rest(int count)
{
	int64_t begin = clock_mono_us();

	for (int i = 0; i < count; i++)
		targets[i].rest = -cpu_of(targets[i].pid);
	(void)poll(NULL, 0, REST_MS);
	double seconds = (double)(clock_mono_us() - begin) / 1e6;
	for (int i = 0; i < count; i++)
		targets[i].rest = (targets[i].rest + cpu_of(targets[i].pid)) / seconds;
}

/* The gateway beside another: of its answers a second, and of the time that the other's processor takes. */
static void print_ratio(const char *name, const struct target *other, int rounds)
{
	double ratios[ROUNDS_MAX], cpu_ratios[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++) {
		ratios[i] = targets[GATEWAY].rounds[i].per_second / other->rounds[i].per_second;
		cpu_ratios[i] = other->rounds[i].cpu_us / targets[GATEWAY].rounds[i].cpu_us;
	}
	(void)printf("\"%sratio\":%.3f,\"%scpu_ratio\":%.3f,", name, median(ratios, rounds), name,
		     median(cpu_ratios, rounds));
}

int main(int argc, char **argv)
{
	if (argc != 8)
		return 2;
	wolfSSL_Init();
	read_callers(argv[5]);
	reader = json_reader_new(0);
	WOLFSSL_CTX *ctx = tls_client_new(&(struct tls_client){.ca = argv[4]}, NULL);
	int64_t ms = (int64_t)(strtod(argv[6], NULL) * 1000);
	int rounds = (int)strtol(argv[7], NULL, 10), count = strcmp(argv[3], "-") ? TARGETS : NODE;
	if (!ctx || !reader || rounds < 1 || rounds > ROUNDS_MAX || ms < 1)
		give_up("arguments");
	targets[BARE].bare = 1;
	for (int i = 0; i < count; i++)
		open_target(&targets[i], names[i], argv[i + 1], ctx);
	measure_rest(count);
	for (int i = 0; i < rounds; i++)
		for (int k = 0; k < count; k++)
			run(&targets[k], ms, &targets[k].rounds[i]);
	for (int i = 0; i < rounds; i++)
		for (int k = 0; k < count; k++)
			shake_hands(&targets[k], ctx, ms / 4 + 1, i);
	(void)printf("{");
	size_t wrong = 0;
	for (int i = 0; i < count; i++) {
		print_target(&targets[i], rounds);
		wrong += targets[i].wrong;
	}
	if (count > NODE)
		print_ratio("node_", &targets[NODE], rounds);
	print_ratio("", &targets[BARE], rounds);
	(void)printf("\"rounds\":%d}\n", rounds);
	return wrong != 0;
}
