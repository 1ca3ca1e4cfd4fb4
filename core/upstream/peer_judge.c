#include "upstream/peer_judge.h"

#include <stdio.h>
#include <string.h>

/* By the transport's kinds first. */
static const struct {
	const char *key, *words;
} kinds[] = {
    [HTTP_NO_TROUBLE] = {"platform.error", "not connected"},
    [HTTP_NAME] = {"platform.name", "its name can't be looked up"},
    [HTTP_CONNECT] = {"platform.connect", "no connection to it"},
    [HTTP_TLS] = {"platform.tls", "no secure connection to it"},
    [HTTP_CERTIFICATE] = {"platform.certificate", "its certificate is not good"},
    [HTTP_SILENT] = {"platform.silent", "it does not answer in time"},
    [HTTP_BROKEN] = {"platform.broken", "it closes the connection"},
    [HTTP_FORM] = {"platform.form", "its answers can't be read"},
    {"platform.status", "it answers with an HTTP status alone"},
    {"platform.sig", "the signature of its answers is wrong"},
    {"platform.ret", "it does not take what is sent"},
};
enum { KIND_STATUS = HTTP_FORM + 1, KIND_SIG, KIND_RET, KINDS };
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == KINDS, "a word for each kind of trouble");

const char *peer_trouble_words(const char *key)
{
	for (int i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i].key, key))
			return kinds[i].words;
	return kinds[0].words;
}

static enum peer_outcome trouble(struct peer_verdict *verdict, int kind, enum log_level level,
				 enum peer_outcome outcome, const char *text)
{
	verdict->level = level;
	verdict->key = kinds[kind].key;
	(void)error_set(&verdict->trouble, FC_EIO, "%s", text);
	return outcome;
}

static enum peer_outcome judge_ret(struct peer_verdict *verdict, int ret, const char *msg)
{
	/* Their words, where they have any. */
	const char *text = msg[0] ? msg : ret_text(ret);

	verdict->has_ret = 1;
	verdict->ret = ret;
	enum ret_action action = ret_action(ret);

	verdict->has_ret = 1;
	verdict->ret = ret;
	if (action == RET_DONE)
		return PEER_DONE;
	if (action == RET_NEW_TOKEN)
		return PEER_TOKEN;
	int refused = action == RET_GIVE_UP;
	(void)error_set(&verdict->trouble, FC_EAUTH, "%sRet %d (%s)", refused ? "refused: " : "", ret, text);
	verdict->key = kinds[KIND_RET].key;
	verdict->level = refused ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
	return refused ? PEER_REFUSED : PEER_BUSY;
}

/* The parameters as JSON text, checked by the schema. What makes no sense changes nothing of the verdict. */
static struct value *read_answer(const struct platform *p, const struct message *message, const char *json, size_t len,
				 struct arena *arena)
{
	const struct codec codec = platform_codec(p);
	struct value *answer = NULL;
	struct error err = {0};

	if (codec_decode(&codec, message, MESSAGE_ANSWER, json, len, arena, &answer, &err))
		log_info("upstream: %s: %s: answer not understood: %s", p->options->name, message->method, err.text);
	return answer;
}

/* A body without envelope (protocol.md section 3, 5): a verdict is in it or in what the mapping makes of it. */
static enum peer_outcome judge_plain(const struct platform *p, const struct message *message,
				     const struct http_result *result, struct arena *arena,
				     struct peer_verdict *verdict)
{
	struct value *body = NULL;
	const char *msg;

	if (json_read(p->reader, result->body, result->body_len, arena, &body, NULL) || !value_is_object(body))
		return trouble(verdict, HTTP_FORM, LOG_LEVEL_WARNING, PEER_UNREACHED, "answer: not a JSON object");
	int ret = envelope_plain_ret(body, &msg);
	verdict->json = result->body;
	verdict->json_len = result->body_len;
	enum peer_outcome outcome = judge_ret(verdict, ret, msg);
	/* There was no token that a new one could replace. */
	if (outcome == PEER_TOKEN)
		return trouble(verdict, KIND_RET, LOG_LEVEL_ERROR, PEER_REFUSED,
			       "refused: Ret 4002, and the mapping says plain");
	if (outcome == PEER_DONE)
		verdict->answer = read_answer(p, message, result->body, result->body_len, arena);
	return outcome;
}

static enum peer_outcome judge_sealed(const struct platform *p, const struct message *message,
				      const struct http_result *result, struct arena *arena,
				      struct peer_verdict *verdict)
{
	struct envelope_response response;
	struct error err = {0};

	switch (envelope_open_response(&p->theirs, p->reader, p->options->check_response_sig, result->body,
				       result->body_len, arena, &response, &err)) {
	case FC_OK:
		break;
	case FC_EAUTH:
		return trouble(verdict, KIND_SIG, LOG_LEVEL_ERROR, PEER_REFUSED, err.text);
	default:
		return trouble(verdict, HTTP_FORM, LOG_LEVEL_WARNING, PEER_UNREACHED, err.text);
	}
	verdict->sig_ok = response.sig_ok;
	verdict->json = response.plain;
	verdict->json_len = response.plain_len;
	enum peer_outcome outcome = judge_ret(verdict, response.ret, response.msg);
	if (outcome == PEER_DONE && response.plain)
		verdict->answer = read_answer(p, message, response.plain, response.plain_len, arena);
	return outcome;
}

void peer_judge(const struct platform *platform, const struct message *message, int plain,
		const struct http_result *result, struct arena *arena, struct peer_verdict *verdict)
{
	*verdict = (struct peer_verdict){0};
	if (!result->status) {
		verdict->outcome =
		    trouble(verdict, (int)result->trouble, LOG_LEVEL_WARNING, PEER_UNREACHED, result->err.text);
	} else if (result->status != 200) {
		char text[32];

		(void)snprintf(text, sizeof(text), "HTTP %d", result->status);
		verdict->outcome = trouble(verdict, KIND_STATUS, LOG_LEVEL_WARNING, PEER_UNREACHED, text);
	} else if (plain) {
		verdict->outcome = judge_plain(platform, message, result, arena, verdict);
	} else {
		verdict->outcome = judge_sealed(platform, message, result, arena, verdict);
	}
}
