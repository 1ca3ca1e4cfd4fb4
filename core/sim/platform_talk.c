/* Both directions of the conversation: what the station pushes, and what it is asked in turn. */
#include "sim/platform_talk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { TICK_US = 100000 };

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
	business_status(p->business, id, s->status);
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

static void take_answer(struct platform *p, int status, const char *body, const char *why);

/* The station fetches what waits for it; gone only when its answer has come. */
static json_t *answer_fetch(const struct platform *p)
{
	json_t *list = json_array();

	if (p->pending)
		(void)json_array_append(list, p->pending);
	return json_pack("{so}", "PendingRequests", list);
}

static json_t *answer_told(struct platform *p, const json_t *payload)
{
	const char *id = json_string_value(json_object_get(payload, "RequestID"));
	const char *envelope = json_string_value(json_object_get(payload, "Envelope"));
	const char *waiting = json_string_value(json_object_get(p->pending, "RequestID"));
	json_int_t status = json_integer_value(json_object_get(payload, "HttpStatus"));
	int known = id && waiting && !strcmp(id, waiting);

	if (known) {
		json_decref(p->pending);
		p->pending = NULL;
		take_answer(p, status ? (int)status : 500, envelope ? envelope : "", "");
	}
	return json_pack("{ss si}", "RequestID", id ? id : "", "SuccStat", !known);
}

/* What a push is answered with. */
static json_t *answer_push(struct platform *p, const char *method, const json_t *payload)
{
	if (p->pull && !strcmp(method, "query_pending_requests"))
		return answer_fetch(p);
	if (p->pull && !strcmp(method, "notification_request_answer"))
		return answer_told(p, payload);
	json_t *answer = charge_take(p->business, method, payload);

	if (answer)
		return answer;
	if (!strcmp(method, "notification_stationStatus") && !p->discard)
		take_status(p, payload);
	return json_pack("{si}", p->dialect->status_verdict, p->discard);
}

/* The station calls us. */
void talk_handle(void *user, const struct http_request *request, struct http_response *response)
{
	struct platform *p = user;
	int64_t begin = clock_mono_us();
	size_t prefix = strlen(p->path);
	int ours = !strncmp(request->path, p->path, prefix) && request->path[prefix] == '/';
	const char *method = ours ? dialect_method(p->dialect, request->path + prefix + 1) : "";
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
		answer = answer_push(p, method, payload);
	}
	char *text = wire_response(&p->ours, ret, ret ? "refused" : "", answer);
	record(p, "in", method, ret, (double)(clock_mono_us() - begin), payload, "answer", answer);
	if (text)
		(void)buffer_text(&response->body, text);
	free(text);
	json_decref(answer);
	json_decref(payload);
}

/* The round: stations page by page, status, statistics, and again. */
static json_t *round_question(struct platform *p)
{
	char first[CLOCK_DATE_SIZE], last[CLOCK_DATE_SIZE];
	static const int days[] = {0, 6, 29}; /* a day, a week, a month */
	int32_t today = clock_day(clock_wall());

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

/* What to ask now; NULL: nothing. Charges go before the round: a driver waits. */
static json_t *next_question(struct platform *p)
{
	int64_t now = clock_mono_us();
	int round_due = now >= p->round_us;
	json_t *payload = NULL;

	p->asked_charge = NULL;
	if (p->station_token && now < p->renew_us)
		payload = business_question(p->business, &p->asked_method, &p->asked_charge);
	if (payload || !round_due)
		return payload;
	p->round_us = now + p->interval_us;
	if (p->station_token && now < p->renew_us)
		return round_question(p);
	p->asked_method = "query_token";
	return json_pack("{ss ss}", "OperatorID", p->operator_id, "OperatorSecret", p->theirs.operator_secret);
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

/* 1 when the answer is what the question of the round wants. */
static int take_round(struct platform *p, const json_t *data)
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

static void ask(struct platform *p);

/* status 0: there was none, because of why. */
static void take_answer(struct platform *p, int status, const char *body, const char *why)
{
	double us = (double)(clock_mono_us() - p->asked_us);
	int ret = -999;

	p->busy = 0;
	json_t *data = status == 200 ? wire_open_response(&p->theirs, body, &ret) : NULL;
	record(p, "out", p->asked_method, ret, us, data, "request", p->question);
	json_decref(p->question);
	p->question = NULL;
	if (ret == 4002) {
		free(p->station_token);
		p->station_token = NULL;
	}
	int good = p->asked_charge ? business_answer(p->business, p->asked_charge, p->asked_method, ret, data)
				   : data && !ret && take_round(p, data);
	if (good) {
		p->answered++;
		p->times_us[p->time_count++ % TIMES_MAX] = us;
	} else if (status) {
		p->errors++;
		p->step += !p->asked_charge;
	} else {
		/* The station may not be up yet: that is no question it failed to answer. */
		p->asked--;
		p->unreachable++;
		log_info("sim-platform: %s: %s", p->asked_method, why);
	}
	json_decref(data);
	if (status)
		ask(p);
}

static void answered(void *user, const struct http_result *result)
{
	take_answer(user, result->status, result->body, result->err.text);
}

/* Instead of calling: it waits to be fetched. Nonzero when it can't. */
static int lay_out(struct platform *p, const char *body)
{
	char number[32], authorization[600];

	(void)snprintf(number, sizeof(number), "%d-%d", (int)getpid(), ++p->next_request);
	(void)snprintf(authorization, sizeof(authorization), "Bearer %s", p->station_token ? p->station_token : "");
	p->pending =
	    json_pack("{ss ss ss ss}", "RequestID", number, "Interface", dialect_path(p->dialect, p->asked_method),
		      "Envelope", body, "Authorization", authorization);
	return !p->pending;
}

static void ask(struct platform *p)
{
	char path[400], authorization[600];

	if (p->busy)
		return;
	json_t *payload = next_question(p);
	if (!payload)
		return;
	char *body = wire_request(&p->theirs, p->operator_id, payload);
	(void)snprintf(path, sizeof(path), "%s/%s", p->prefix, dialect_path(p->dialect, p->asked_method));
	(void)snprintf(authorization, sizeof(authorization), "Bearer %s", p->station_token ? p->station_token : "");
	p->asked_us = clock_mono_us();
	int failed = !body;
	if (!failed && p->pull)
		failed = lay_out(p, body);
	else if (!failed)
		failed =
		    http_client_post(p->client, path, p->station_token ? authorization : NULL,
				     "application/json;charset=utf-8", body, strlen(body), 10000, answered, p, NULL);
	if (!failed) {
		p->busy = 1;
		p->asked++;
		p->question = json_incref(payload);
	} else if (p->asked_charge) {
		(void)business_answer(p->business, p->asked_charge, p->asked_method, -1, NULL);
	}
	json_decref(payload);
	free(body);
}

void talk_ask(void *user)
{
	struct platform *p = user;

	(void)loop_timer_set(p->loop, &p->ask_timer, p->interval_us < TICK_US ? p->interval_us : TICK_US);
	business_watch(p->business);
	ask(p);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void talk_summary(struct platform *p, FILE *out)
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
	    json_pack("{sI sI sI sI sI sI si sf sf so so sO}", "pushes", (json_int_t)p->pushes, "accepted",
		      (json_int_t)p->accepted, "asked", (json_int_t)(p->asked - (unsigned long)p->busy), "answered_ok",
		      (json_int_t)p->answered, "errors", (json_int_t)p->errors, "unreachable",
		      (json_int_t)p->unreachable, "charges", charges, "answer_mean_us", n ? sum / (double)n : 0,
		      "answer_p99_us", n ? sorted[n * 99 / 100] : 0, "statuses", last, "business",
		      business_summary(p->business), "methods", p->methods);
	(void)json_dumpf(summary, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(summary);
}
