/* sim-platform: a platform that takes what a station pushes and asks its questions in turn, over HTTPS, and records both. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/http_client.h"
#include "loop/http_server.h"
#include "sim/platform_wire.h"

enum { CONNECTORS_MAX = 4096, TIMES_MAX = 8192, TOKENS = 8, ID = 64, METHODS_MAX = 32 };

/* What was seen of a connector: a whole charge is 1 or 2, then 3, then 2 or nothing, then 1. */
struct seen {
	char id[ID];
	int status; /* -1: none yet */
	int charging, charges;
};

struct platform {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct wire_keys ours, theirs; /* issued by us, by the station */
	const char *operator_id, *station_operator_id, *path, *control_path;
	char prefix[256]; /* of the station's URL */
	FILE *log;
	char tokens[TOKENS][40];
	int next_token;
	char *station_token;
	int64_t renew_us; /* when station_token should be replaced */
	struct loop_timer ask_timer, end_timer;
	int64_t interval_us;
	int step, page, busy;
	int64_t asked_us;
	const char *asked_method;
	json_t *question;
	char *station_id;
	int discard, fail;
	unsigned long pushes, accepted, asked, answered, errors, unreachable;
	json_t *methods; /* pushes per method */
	struct seen seen[CONNECTORS_MAX];
	int seen_count;
	double times_us[TIMES_MAX];
	unsigned long time_count;
};

/* data: what the station said; ours: what this platform said, named by_us. */
static void record(struct platform *p, const char *direction, const char *method, int ret, double us,
		   const json_t *data, const char *by_us, const json_t *ours)
{
	if (!p->log)
		return;
	json_t *line = json_pack("{ss ss si sf sO? sO?}", "direction", direction, "method", method, "ret", ret, "us",
				 us, "data", data, by_us, ours);
	if (line && !json_dumpf(line, p->log, JSON_COMPACT))
		fputc('\n', p->log);
	(void)fflush(p->log);
	json_decref(line);
}

static struct seen *see(struct platform *p, const char *id)
{
	for (int i = 0; i < p->seen_count; i++)
		if (!strcmp(p->seen[i].id, id))
			return &p->seen[i];
	if (p->seen_count == CONNECTORS_MAX)
		return NULL;
	struct seen *s = &p->seen[p->seen_count++];
	(void)snprintf(s->id, sizeof(s->id), "%.63s", id);
	s->status = -1;
	return s;
}

static void take_status(struct platform *p, const json_t *payload)
{
	const json_t *info = json_object_get(payload, "ConnectorStatusInfo");
	const char *id = json_string_value(json_object_get(info, "ConnectorID"));
	const json_t *status = json_object_get(info, "Status");
	struct seen *s = id ? see(p, id) : NULL;

	if (!s || !json_is_integer(status)) {
		p->errors++;
		return;
	}
	int before = s->status;
	s->status = (int)json_integer_value(status);
	if (s->status == 3 && (before == 1 || before == 2))
		s->charging = 1;
	if (s->status == 1 && s->charging)
		s->charges++;
	if (s->status != 3 && s->status != 2)
		s->charging = 0;
}

static void count_push(struct platform *p, const char *method)
{
	json_int_t count = json_integer_value(json_object_get(p->methods, method));

	p->pushes++;
	p->accepted += !p->discard;
	if (count || json_object_size(p->methods) < METHODS_MAX)
		(void)json_object_set_new(p->methods, method, json_integer(count + 1));
}

static void make_token(struct platform *p, char out[40])
{
	(void)snprintf(out, 40, "token-%d-%ld-%d", p->next_token, random(), (int)getpid());
	memcpy(p->tokens[p->next_token++ % TOKENS], out, 40);
}

static int token_good(const struct platform *p, const char *authorization)
{
	if (strncmp(authorization, "Bearer ", 7) != 0)
		return 0;
	for (int i = 0; i < TOKENS; i++)
		if (*p->tokens[i] && !strcmp(authorization + 7, p->tokens[i]))
			return 1;
	return 0;
}

static json_t *answer_token(struct platform *p, const json_t *payload)
{
	const char *secret = json_string_value(json_object_get(payload, "OperatorSecret"));
	int good = secret && !strcmp(secret, p->ours.operator_secret);
	char token[40] = "";

	if (good)
		make_token(p, token);
	return json_pack("{ss si ss si si}", "OperatorID", p->station_operator_id, "SuccStat", !good, "AccessToken",
			 token, "TokenAvailableTime", 7200, "FailReason", good ? 0 : 2);
}

/* The station calls us. */
static void handle(void *user, const struct http_request *request, struct http_response *response)
{
	struct platform *p = user;
	int64_t begin = clock_mono_us();
	size_t prefix = strlen(p->path);
	int ours = !strncmp(request->path, p->path, prefix) && request->path[prefix] == '/';
	const char *method = ours ? request->path + prefix + 1 : "";
	int ret = 0;

	if (p->fail || !*method) {
		response->status = p->fail ? 500 : 404;
		return;
	}
	json_t *payload = wire_open_request(&p->ours, request->body, &ret), *answer = NULL;
	if (ret)
		p->errors++;
	if (!ret && !strcmp(method, "query_token")) {
		answer = answer_token(p, payload);
	} else if (!ret && !token_good(p, request->authorization)) {
		ret = 4002;
	} else if (!ret) {
		count_push(p, method);
		if (!strcmp(method, "notification_stationStatus") && !p->discard)
			take_status(p, payload);
		answer = json_pack("{si}", "Status", p->discard);
	}
	char *text = wire_response(&p->ours, ret, ret ? "refused" : "", answer);
	record(p, "in", method, ret, (double)(clock_mono_us() - begin), payload, "answer", answer);
	if (text)
		(void)buffer_text(&response->body, text);
	free(text);
	json_decref(answer);
	json_decref(payload);
}

/* What to ask next; NULL payload = begin again. */
static json_t *next_question(struct platform *p)
{
	char first[CLOCK_DATE_SIZE], last[CLOCK_DATE_SIZE];
	static const int days[] = {0, 6, 29}; /* a day, a week, a month */
	int32_t today = clock_day(clock_wall());

	if (!p->station_token || clock_mono_us() >= p->renew_us) {
		p->asked_method = "query_token";
		return json_pack("{ss ss}", "OperatorID", p->operator_id, "OperatorSecret", p->theirs.operator_secret);
	}
	if (p->step >= 5 || (p->step && !p->station_id))
		p->step = 0;
	if (!p->step) {
		p->asked_method = "query_stations_info";
		return json_pack("{ss si si}", "LastQueryTime", "", "PageNo", p->page + 1, "PageSize", 10);
	}
	if (p->step == 1) {
		p->asked_method = "query_station_status";
		return json_pack("{s[s]}", "StationIDs", p->station_id);
	}
	p->asked_method = "query_station_stats";
	clock_format_day(today - days[p->step - 2], first);
	clock_format_day(today, last);
	return json_pack("{ss ss ss}", "StationID", p->station_id, "StartTime", first, "EndTime", last);
}

static void take_token(struct platform *p, const json_t *data)
{
	const char *token = json_string_value(json_object_get(data, "AccessToken"));

	free(p->station_token);
	p->station_token = token && *token ? strdup(token) : NULL;
	/* protocol.md 1.7: until shortly before expiry. */
	p->renew_us =
	    clock_mono_us() + (int64_t)(json_number_value(json_object_get(data, "TokenAvailableTime")) * 900000);
}

/* 1 when the answer is what the question wants. */
static int take_answer(struct platform *p, const json_t *data)
{
	if (!strcmp(p->asked_method, "query_token")) {
		take_token(p, data);
		return p->station_token != NULL;
	}
	if (!strcmp(p->asked_method, "query_stations_info")) {
		const json_t *infos = json_object_get(data, "StationInfos");
		const char *id = json_string_value(json_object_get(json_array_get(infos, 0), "StationID"));
		int pages = (int)json_integer_value(json_object_get(data, "PageCount"));

		if (id && !p->station_id)
			p->station_id = strdup(id);
		p->page = p->page + 1 < pages ? p->page + 1 : 0;
		p->step += !p->page;
		return json_is_array(infos);
	}
	p->step++;
	if (!strcmp(p->asked_method, "query_station_status"))
		return json_array_size(json_object_get(data, "StationStatusInfos")) == 1;
	return json_is_object(json_object_get(data, "StationStats"));
}

static void answered(void *user, const struct http_result *result)
{
	struct platform *p = user;
	double us = (double)(clock_mono_us() - p->asked_us);
	int ret = -999;

	p->busy = 0;
	json_t *data = result->status == 200 ? wire_open_response(&p->theirs, result->body, &ret) : NULL;
	record(p, "out", p->asked_method, ret, us, data, "request", p->question);
	json_decref(p->question);
	p->question = NULL;
	if (ret == 4002) {
		free(p->station_token);
		p->station_token = NULL;
	}
	if (data && !ret && take_answer(p, data)) {
		p->answered++;
		p->times_us[p->time_count++ % TIMES_MAX] = us;
	} else if (result->status) {
		p->errors++;
		p->step++;
	} else {
		/* The station may not be up yet: that is no question it failed to answer. */
		p->asked--;
		p->unreachable++;
		log_info("sim-platform: %s: %s", p->asked_method, result->err.text);
	}
	json_decref(data);
}

static void ask(void *user)
{
	struct platform *p = user;
	char path[400], authorization[600];

	(void)loop_timer_set(p->loop, &p->ask_timer, p->interval_us);
	if (p->busy)
		return;
	json_t *payload = next_question(p);
	char *body = payload ? wire_request(&p->theirs, p->operator_id, payload) : NULL;
	if (!body) {
		json_decref(payload);
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", p->prefix, p->asked_method);
	(void)snprintf(authorization, sizeof(authorization), "Bearer %s", p->station_token ? p->station_token : "");
	p->asked_us = clock_mono_us();
	if (!http_client_post(p->client, path, p->station_token ? authorization : NULL,
			      "application/json;charset=utf-8", body, strlen(body), 10000, answered, p, NULL)) {
		p->busy = 1;
		p->asked++;
		p->question = json_incref(payload);
	}
	json_decref(payload);
	free(body);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void say_summary(struct platform *p, FILE *out)
{
	static double sorted[TIMES_MAX];
	unsigned long n = p->time_count < TIMES_MAX ? p->time_count : TIMES_MAX;
	double sum = 0;
	int charges = 0;
	json_t *last = json_object();

	memcpy(sorted, p->times_us, n * sizeof(double));
	qsort(sorted, n, sizeof(double), compare_doubles);
	for (unsigned long i = 0; i < n; i++)
		sum += sorted[i];
	for (int i = 0; i < p->seen_count; i++) {
		charges += p->seen[i].charges;
		(void)json_object_set_new(last, p->seen[i].id, json_integer(p->seen[i].status));
	}
	json_t *summary =
	    json_pack("{sI sI sI sI sI sI si sf sf so sO}", "pushes", (json_int_t)p->pushes, "accepted",
		      (json_int_t)p->accepted, "asked", (json_int_t)(p->asked - (unsigned long)p->busy), "answered_ok",
		      (json_int_t)p->answered, "errors", (json_int_t)p->errors, "unreachable",
		      (json_int_t)p->unreachable, "charges", charges, "answer_mean_us", n ? sum / (double)n : 0,
		      "answer_p99_us", n ? sorted[n * 99 / 100] : 0, "statuses", last, "methods", p->methods);
	(void)json_dumpf(summary, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(summary);
}

static void command(struct platform *p, const char *line, FILE *out)
{
	if (!strncmp(line, "summary", 7)) {
		say_summary(p, out);
		return;
	}
	if (!strncmp(line, "discard on", 10) || !strncmp(line, "discard off", 11))
		p->discard = line[9] == 'n';
	else if (!strncmp(line, "fail on", 7) || !strncmp(line, "fail off", 8))
		p->fail = line[6] == 'n';
	else if (!strncmp(line, "badtoken", 8))
		memset(p->tokens, 0, sizeof(p->tokens));
	else if (!strncmp(line, "quit", 4))
		loop_stop(p->loop);
	else {
		fprintf(out, "error\n");
		return;
	}
	fprintf(out, "ok\n");
}

static void serve_control(void *user, int listener)
{
	char line[256];
	struct timeval limit = {.tv_sec = 1};
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	FILE *both = fdopen(fd, "r+");
	if (!both) {
		close(fd);
		return;
	}
	if (fgets(line, sizeof(line), both)) {
		(void)fseek(both, 0, SEEK_CUR);
		command(user, line, both);
	}
	(void)fclose(both);
}

static int listen_control(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8)) {
		fprintf(stderr, "sim-platform: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

static void end(void *user)
{
	loop_stop(((struct platform *)user)->loop);
}

static void on_signal(void *user, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		end(user);
}

/* http(s)://host:port/prefix */
static void parse_url(struct platform *p, const char *url, struct http_client_config *client, char host[128])
{
	const char *rest = strstr(url, "://");

	client->tls = !strncmp(url, "https", 5);
	if (!rest || sscanf(rest + 3, "%127[^:/]:%d%255s", host, &client->port, p->prefix) < 2) {
		fprintf(stderr, "sim-platform: --station-url wants http(s)://host:port/prefix\n");
		exit(2);
	}
	client->host = host;
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* A whole number from low to high; else *bad. */
static int number(const char *text, int low, int high, int *bad)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end != text && !*end && value >= low && value <= high)
		return (int)value;
	*bad = 1;
	return low;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"listen", 1, NULL, 'l'},
	    {"certificate", 1, NULL, 'c'},
	    {"key", 1, NULL, 'k'},
	    {"ca", 1, NULL, 'a'},
	    {"client-certificate", 1, NULL, 'C'},
	    {"client-key", 1, NULL, 'K'},
	    {"station-url", 1, NULL, 'u'},
	    {"operator-id", 1, NULL, 'o'},
	    {"station-operator-id", 1, NULL, 's'},
	    {"secrets-ours", 1, NULL, 'O'},
	    {"secrets-theirs", 1, NULL, 'T'},
	    {"path", 1, NULL, 'p'},
	    {"log", 1, NULL, 'g'},
	    {"interval", 1, NULL, 'i'},
	    {"control", 1, NULL, 'x'},
	    {"seconds", 1, NULL, 'e'},
	    {NULL, 0, NULL, 0},
	};
	static struct platform p;
	struct http_server_config server = {.name = "sim-platform", .address = "127.0.0.1", .max_connections_peer = 64};
	struct http_client_config client = {.name = "sim-platform-client", .max_in_flight = 1};
	struct error err = {0};
	const char *url = "";
	char host[128] = "";
	double seconds = 0;
	int c, bad = 0;

	p = (struct platform){
	    .operator_id = "", .station_operator_id = "", .path = "/evcs/v20160701", .interval_us = 1000000};
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			server.port = number(optarg, 1, UINT16_MAX, &bad);
			break;
		case 'c':
			server.certificate = optarg;
			break;
		case 'k':
			server.key = optarg;
			break;
		case 'a':
			client.ca = optarg;
			break;
		case 'C':
			client.certificate = optarg;
			break;
		case 'K':
			client.key = optarg;
			break;
		case 'u':
			url = optarg;
			break;
		case 'o':
			p.operator_id = optarg;
			break;
		case 's':
			p.station_operator_id = optarg;
			break;
		case 'O':
			bad |= wire_parse_keys(optarg, &p.ours);
			break;
		case 'T':
			bad |= wire_parse_keys(optarg, &p.theirs);
			break;
		case 'p':
			p.path = optarg;
			break;
		case 'g':
			p.log = fopen(optarg, "w");
			if (!p.log) {
				perror(optarg);
				bad = 1;
			}
			break;
		case 'i':
			p.interval_us = (int64_t)number(optarg, 1, INT32_MAX, &bad) * 1000;
			break;
		case 'x':
			p.control_path = optarg;
			break;
		case 'e':
			seconds = atof(optarg);
			bad |= !(seconds > 0);
			break;
		default:
			bad = 1;
		}
	}
	if (bad || optind < argc || !server.port || !*p.ours.sig_secret || !*p.theirs.sig_secret ||
	    !client.certificate != !client.key) {
		fprintf(stderr, "usage: see core/sim/README.md\n");
		return 2;
	}
	srandom((unsigned)time(NULL));
	parse_url(&p, url, &client, host);
	int signals = block_signals();
	p.methods = json_object();
	p.loop = loop_new(&err);
	p.server = p.loop ? http_server_new(p.loop, &server, handle, &p, &err) : NULL;
	p.client = p.server ? http_client_new(p.loop, &client, &err) : NULL;
	p.ask_timer = (struct loop_timer){.fn = ask, .user = &p};
	p.end_timer = (struct loop_timer){.fn = end, .user = &p};
	struct loop_fd *signal_fd = p.client ? loop_fd_add(p.loop, signals, on_signal, &p, &err) : NULL;
	struct loop_fd *control = signal_fd && p.control_path
				      ? loop_fd_add(p.loop, listen_control(p.control_path), serve_control, &p, &err)
				      : NULL;
	if (!signal_fd || (p.control_path && !control) || loop_timer_set(p.loop, &p.ask_timer, 1) ||
	    (seconds > 0 && loop_timer_set(p.loop, &p.end_timer, (int64_t)(seconds * 1e6)))) {
		fprintf(stderr, "sim-platform: %s\n", err.text);
		return 1;
	}
	printf("ready\n");
	(void)fflush(stdout);
	int result = loop_run(p.loop);
	loop_timer_cancel(p.loop, &p.ask_timer);
	loop_timer_cancel(p.loop, &p.end_timer);
	http_client_free(p.client);
	http_server_free(p.server);
	loop_fd_remove(control);
	loop_fd_remove(signal_fd);
	loop_free(p.loop);
	if (p.control_path)
		(void)unlink(p.control_path);
	if (p.log)
		(void)fclose(p.log);
	json_decref(p.question);
	json_decref(p.methods);
	free(p.station_token);
	free(p.station_id);
	return result ? 1 : 0;
}
