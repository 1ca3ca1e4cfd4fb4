#include "upstream/server.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/iserv.h"
#include "upstream/life.h"
#include "upstream/sync.h"

/* The platforms that a path may mean: one, or several that share it. */
struct candidates {
	struct platform *first;
	int count;
};

/* One call on its way through the checks. */
struct question {
	const struct server_routes *routes;
	const struct http_request *http;
	struct platform *platform;
	const struct message *message;
	int64_t now_ms;
	struct arena arena;
	struct envelope_request envelope;
	struct buffer json;                   /* the answer object */
	const struct value *request, *answer; /* as trees, in the standard's form; NULL until they are there */
	int held;                             /* it is given later (sync.h) */
	struct error err;                     /* err.text: the Msg of a refusal; "" = the Ret's own text */
	const char *asked;                    /* the parameters' text, as it came; NULL = not read */
	size_t asked_len;
	uint64_t recorded_request, recorded_answer; /* their numbers in the recorder; 0 = none */
};

static const char no_json_type[] = "text/plain;charset=utf-8";

static void http_error(struct http_response *response, int status, const char *text)
{
	response->status = status;
	response->content_type = no_json_type;
	(void)buffer_text(&response->body, text);
}

/* Paths --------------------------------------------------------------------------------------------------------- */

/* Nonzero when prefix (as configured, with or without slash at its end) is the first len bytes of path. */
static int same_prefix(const char *prefix, const char *path, size_t len)
{
	/* Mostly it is another platform's. */
	if (strncmp(prefix, path, len) != 0 || (len && path[len - 1] == '/'))
		return 0;
	prefix += len;
	return prefix[strspn(prefix, "/")] == '\0';
}

/* A mapping may give a method a whole path of its own, outside the platform's prefix. */
static const struct message *find_method(const struct platform *p, const char *path)
{
	const char *last_slash = strrchr(path, '/');
	const struct message *message = mapping_find(p->mapping, path);

	if (!message && same_prefix(p->options->path, path, (size_t)(last_slash - path)))
		message = mapping_find(p->mapping, last_slash + 1);
	if (!message || !mapping_enabled(p->mapping, message, p->options))
		return NULL;
	if (message->caller == MESSAGE_BOTH || icomm_answers(message))
		return message;
	return p->charges && iserv_answers(message) ? message : NULL;
}

/* Behind an exchange nobody logs in but the exchange. */
static int is_hubs(const struct platform *p, const struct message *message)
{
	return p->hub != p && message->caller == MESSAGE_BOTH;
}

/* The method that the path means there; NULL: none. */
static const struct message *candidate(const struct server_routes *routes, const struct platform *p, const char *path)
{
	const struct message *message = platform_can_answer(p->options) ? find_method(p, path) : NULL;

	if (!message || strcmp(p->config->listens[p->options->listen].name, routes->listen) != 0)
		return NULL;
	return is_hubs(p, message) ? NULL : message;
}

static struct candidates find_candidates(const struct server_routes *routes, const char *path)
{
	struct candidates found = {0};

	if (!strchr(path, '/'))
		return found;
	for (int i = 0; i < routes->count; i++) {
		if (!candidate(routes, routes->platforms[i], path))
			continue;
		if (!found.count++)
			found.first = routes->platforms[i];
	}
	return found;
}

/* Among several: by the sender's OperatorID, or by the token where the envelope can't be read, or the only one that does without
 * both. NULL: nobody's. */
static struct platform *choose(struct question *call)
{
	const struct server_routes *routes = call->routes;
	struct arena arena;
	struct envelope_request envelope = {0};
	struct platform *by_id = NULL, *by_token = NULL, *plain = NULL;
	int plain_count = 0;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	(void)envelope_read_request(routes->reader, call->http->body, call->http->body_len, &arena, &envelope, NULL);
	for (int i = 0; i < routes->count; i++) {
		struct platform *p = routes->platforms[i];

		const struct message *message = candidate(routes, p, call->http->path);

		if (!message)
			continue;
		if (mapping_plain(p->mapping, message)) {
			plain = p;
			plain_count++;
		}
		if (!by_id && envelope.operator_id && !strcmp(envelope.operator_id, p->options->operator_id))
			by_id = p;
		if (!by_token && !token_check(&p->hub->tokens, call->http->authorization, call->now_ms))
			by_token = p;
	}
	arena_fini(&arena);
	if (!by_id && !by_token && plain_count == 1)
		return plain;
	return by_id ? by_id : by_token;
}

/* Checks -------------------------------------------------------------------------------------------------------- */

static int refuse(struct question *call, int ret, const char *why)
{
	(void)error_set(&call->err, FC_EINVAL, "%s", why);
	return ret;
}

static int is_login(const struct question *call)
{
	return call->message->caller == MESSAGE_BOTH;
}

static int is_plain(const struct question *call)
{
	return mapping_plain(call->platform->mapping, call->message);
}

static int check_bearer(struct question *call)
{
	const struct config_platform *options = call->platform->options;

	/* A certificate of somebody else's is no proof of identity, and a new token would not help: query_token is
	 * refused the same way, which ends the caller's attempts. */
	if (options->client_name[0] && strcmp(options->client_name, call->http->peer_name) != 0)
		return refuse(call, RET_TOKEN, "client certificate: not the expected name");
	if (is_login(call) || is_plain(call))
		return RET_OK;
	switch (token_check(&call->platform->hub->tokens, call->http->authorization, call->now_ms)) {
	case FC_OK:
		return RET_OK;
	case FC_ENOENT:
		return refuse(call, options->missing_token_ret, "token missing");
	default:
		return refuse(call, RET_TOKEN, "token wrong or expired");
	}
}

static int check_envelope(struct question *call)
{
	struct platform *p = call->platform;

	if (is_plain(call))
		return RET_OK;
	int ret = envelope_read_request(p->reader, call->http->body, call->http->body_len, &call->arena,
					&call->envelope, &call->err);

	if (ret)
		return ret;
	ret = envelope_verify_request(&p->ours, &call->envelope);
	if (ret)
		return ret;
	/* query_token says "no such operator" in its own way (FailReason 1). */
	if (!is_login(call) && strcmp(call->envelope.operator_id, p->options->operator_id) != 0)
		return refuse(call, RET_ENVELOPE, "OperatorID: not the one that was agreed");
	return RET_OK;
}

/* What only a proven caller may use up; the others have a bucket of their own. */
static int check_limits(struct question *call)
{
	struct platform *p = call->platform;

	if (is_plain(call))
		return platform_rate_take(&p->plain_rate, p->options->rate_per_s, call->now_ms) ? RET_OK : RET_BUSY;
	if (!platform_rate_take(&p->rate, p->options->rate_per_s, call->now_ms))
		return RET_BUSY;
	if (replay_time(call->envelope.timestamp, clock_wall(), clock_wall_trusted(), p->options->replay_window_s))
		return refuse(call, RET_ENVELOPE, "TimeStamp: outside the allowed window");
	if (!call->message->mutating)
		return RET_OK;
	switch (replay_first(&p->replay, call->message->method, &call->envelope, call->now_ms)) {
	case FC_OK:
		return RET_OK;
	case FC_EEXIST:
		return refuse(call, RET_ENVELOPE, "Seq: this request was received before");
	default:
		return RET_SYSTEM;
	}
}

static int read_parameters(struct question *call, struct value **request)
{
	struct platform *p = call->platform;
	const struct codec codec = platform_codec(p);
	const char *text = call->http->body;
	size_t len = call->http->body_len;
	char *plain;
	int result = FC_OK;

	if (!is_plain(call)) {
		result = envelope_decrypt(&p->ours, call->envelope.data, call->envelope.data_len, &call->arena, &plain,
					  &len, &call->err);
		text = plain;
	}
	if (result)
		return RET_PARAMETER;
	uint64_t before = recorder_newest(p->recorder);
	call->asked = text;
	call->asked_len = len;
	result = codec_decode(&codec, call->message, MESSAGE_REQUEST, text, len, &call->arena, request, &call->err);
	uint64_t after = recorder_newest(p->recorder);
	call->recorded_request = after > before ? after : 0;
	return result ? RET_PARAMETER : RET_OK;
}

static int answer_parameters(struct question *call, const struct value *request)
{
	struct platform *p = call->platform;
	const struct codec codec = platform_codec(p);
	const struct icomm view = platform_view(p);
	struct value *answer = NULL;
	int ret = RET_OK;

	if (!is_login(call) && iserv_answers(call->message))
		ret = iserv_answer(p, call->message, request, &call->arena, &answer, &call->err);
	else if (!is_login(call))
		ret = icomm_answer(&view, call->message, request, &call->arena, &answer, &call->err);
	else if (token_answer(&p->tokens, p->options->operator_id, p->options->ours.operator_secret, request,
			      call->now_ms, &call->arena, &answer, &call->err))
		ret = RET_SYSTEM;
	call->answer = answer;
	if (!ret && iserv_awaits_result(call->message, answer) && !sync_hold(p, call->message, request, call->http)) {
		call->held = 1;
		call->answer = NULL;
		return RET_OK;
	}
	uint64_t before = recorder_newest(p->recorder);
	if (!ret && codec_encode(&codec, call->message, MESSAGE_ANSWER, answer, &call->arena, &call->json, &call->err))
		ret = RET_SYSTEM;
	uint64_t after = recorder_newest(p->recorder);
	call->recorded_answer = after > before ? after : 0;
	return ret;
}

static int work(struct question *call)
{
	struct value *request = NULL;

	int ret = check_bearer(call);
	if (!ret)
		ret = check_envelope(call);
	if (!ret)
		ret = check_limits(call);
	if (!ret)
		ret = read_parameters(call, &request);
	call->request = request;
	if (!ret)
		ret = answer_parameters(call, request);
	return ret;
}

/* Answers ------------------------------------------------------------------------------------------------------- */

static void log_refusal(const struct question *call, int ret)
{
	const char *why = call->err.text[0] ? call->err.text : ret_text(ret);

	if (ret == RET_SYSTEM)
		log_error("upstream: %s: %s from %s: Ret %d: %s", call->platform->options->name, call->message->method,
			  call->http->peer, ret, why);
	else
		log_info("upstream: %s: %s from %s: refused: Ret %d: %s", call->platform->options->name,
			 call->message->method, call->http->peer, ret, why);
}

static void seal(struct question *call, int ret, struct http_response *response)
{
	const struct config_platform *options = call->platform->options;
	const struct envelope_form form = platform_form(call->platform);
	const struct envelope_keys *keys = is_plain(call) ? NULL : &call->platform->ours;
	/* What failed inside is for our log, not for the caller. */
	const char *msg = ret == RET_OK || ret == RET_SYSTEM || !call->err.text[0] ? NULL : call->err.text;
	const char *json = ret == RET_OK ? call->json.data : NULL;

	if (json && is_plain(call)) {
		(void)buffer_add(&response->body, json, call->json.len);
		return;
	}
	if (!envelope_seal_response(keys, ret, msg, json, call->json.len, &form, &response->body))
		return;
	log_error("upstream: %s: %s: the answer can't be sealed", options->name, call->message->method);
	buffer_clear(&response->body);
	if (envelope_seal_response(keys, RET_SYSTEM, NULL, NULL, 0, &form, &response->body))
		http_error(response, 500, "");
}

static enum call_outcome outcome_of(const struct question *q, int ret)
{
	if (q->held)
		return CALL_HELD;
	switch (ret) {
	case RET_OK:
		return CALL_ACCEPTED;
	case RET_TOKEN:
		return CALL_TOKEN;
	case RET_BUSY:
	case RET_SYSTEM:
		return CALL_BUSY;
	default:
		return CALL_REFUSED;
	}
}

static void note_call(const struct question *q, int ret, int64_t started_us, int64_t wall_ms,
		      const struct http_response *response)
{
	struct call call = {
	    .message = q->message,
	    .direction = MAPPING_IN,
	    .outcome = outcome_of(q, ret),
	    .status = q->held ? 0 : response->status,
	    .has_ret = !q->held,
	    .ret = ret,
	    .wall_ms = wall_ms,
	    .duration_us = clock_mono_us() - started_us,
	    .request_bytes = (uint32_t)q->http->body_len,
	    .answer_bytes = q->held ? 0 : (uint32_t)response->body.len,
	    .request = q->recorded_request,
	    .answer = q->recorded_answer,
	};
	const struct platform_bodies bodies = {.request = q->asked,
					       .request_len = q->asked_len,
					       .answer = ret == RET_OK ? q->json.data : NULL,
					       .answer_len = q->json.len};
	const char *why = ret == RET_OK ? NULL : q->err.text[0] ? q->err.text : ret_text(ret);

	(void)platform_called(q->platform, &call, why, &bodies);
}

static void answer_platform(struct question *call, struct http_response *response)
{
	struct platform *p = call->platform;
	int64_t started_us = clock_mono_us(), wall_ms = clock_wall_ms();

	arena_init(&call->arena, PLATFORM_MEMORY_MAX);
	buffer_init(&call->json, PLATFORM_MESSAGE_MAX);
	call->message = find_method(p, call->http->path);
	int ret = work(call);
	life_asked(p, call->message, call->request, call->answer, ret, call->err.text,
		   (clock_mono_us() - started_us) / 1000);
	if (!call->held)
		seal(call, ret, response);
	response->proven = ret == RET_OK && !is_plain(call);
	if (ret == RET_OK) {
		p->counters.answered++;
		if (!call->held)
			platform_times_add(&p->times, clock_mono_us() - started_us);
	} else {
		p->counters.refused++;
		log_refusal(call, ret);
	}
	note_call(call, ret, started_us, wall_ms, response);
	buffer_fini(&call->json);
	arena_fini(&call->arena);
}

void server_answer(const struct server_routes *routes, const struct http_request *request,
		   struct http_response *response)
{
	struct question call = {.routes = routes, .http = request, .now_ms = clock_mono_ms()};
	struct candidates found = find_candidates(routes, request->path);

	if (!found.count) {
		http_error(response, 404, "no such path\n");
		return;
	}
	if (strcmp(request->method, "POST") != 0) {
		response->headers = "Allow: POST\r\n";
		http_error(response, 405, "POST only\n");
		return;
	}
	call.platform = found.count == 1 ? found.first : choose(&call);
	if (call.platform) {
		answer_platform(&call, response);
		return;
	}
	log_info("upstream: %s from %s: refused: OperatorID missing or unknown", request->path, request->peer);
	if (envelope_seal_response(NULL, RET_ENVELOPE, "OperatorID: missing or unknown", NULL, 0, NULL,
				   &response->body))
		http_error(response, 500, "");
}

void server_pulled(struct platform *platform, const struct http_request *request, struct http_response *response)
{
	struct question call = {.http = request, .platform = platform, .now_ms = clock_mono_ms()};
	const struct message *message = find_method(platform, request->path);

	if (!message || is_hubs(platform, message))
		http_error(response, 404, "no such interface\n");
	else
		answer_platform(&call, response);
}
