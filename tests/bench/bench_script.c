/* What Lua costs: each part of an answer with and without a mapping, and the prices of a policy, COUNT times over.
 *
 *   bench_script LUA_DIR PART COUNT
 *
 * Prints microseconds of one. Under callgrind the instructions of two runs with different COUNT give those of one. No network: the
 * whole answer is what the gateway does between TLS and TLS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_read.h"
#include "charge/policy.h"
#include "upstream/codec.h"
#include "upstream/envelope.h"
#include "upstream/ret.h"

enum { ARENA = 1 << 20, BODY = 1 << 16 };

static const char operator_id[] = "123456789";
static const char seq[] = "123456789202601010000000001";

struct bench {
	struct script_host host;
	struct json_reader *reader;
	struct codec codec;
	const struct message *message;
	struct policy *policy;
	int days, whole;
	char request[512];  /* parameters as the platform writes them */
	struct buffer body; /* the same, sealed */
	struct envelope_keys keys;
	struct buffer out;
	struct arena arena; /* of the answer */
};

static void give_up(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench_script: %s: %s\n", what, why);
	exit(1);
}

/* The four prices of a day: what a platform asks for most among the longer answers. */
static struct value *make_answer(struct arena *arena)
{
	static const char *const starts[] = {"000000", "070000", "110000", "220000"};
	struct value *answer = value_object(arena), *list = value_array(arena);
	int failed = 0;

	failed |= value_put(arena, answer, "EquipBizSeq", value_string(arena, seq));
	failed |= value_put(arena, answer, "ConnectorID", value_string(arena, "11010500010011"));
	failed |= value_put(arena, answer, "SuccStat", value_int(arena, 0));
	failed |= value_put(arena, answer, "FailReason", value_int(arena, 0));
	failed |= value_put(arena, answer, "SumPeriod", value_int(arena, 4));
	for (size_t i = 0; i < 4; i++) {
		struct value *period = value_object(arena);

		failed |= value_put(arena, period, "StartTime", value_string(arena, starts[i]));
		failed |= value_put(arena, period, "ElecPrice", value_decimal(arena, 8000 + (int64_t)i, 4));
		failed |= value_put(arena, period, "SevicePrice", value_decimal(arena, 4000, 4));
		failed |= value_push(list, period);
	}
	failed |= value_put(arena, answer, "PolicyInfos", list);
	if (failed)
		give_up("answer", "no memory");
	return answer;
}

/* Request in, answer out: between two envelopes. */
static void code(struct bench *b, const char *json, size_t len)
{
	struct value *request;
	struct error err = {0};

	if (codec_decode(&b->codec, b->message, MESSAGE_REQUEST, json, len, &b->arena, &request, &err) ||
	    !value_get(request, "EquipBizSeq") ||
	    codec_encode(&b->codec, b->message, MESSAGE_ANSWER, make_answer(&b->arena), &b->arena, &b->out, &err))
		give_up("codec", err.text);
}

static void answer_whole(struct bench *b)
{
	struct envelope_request envelope;
	struct error err = {0};
	struct buffer sealed;
	size_t len;
	char *plain;

	if (envelope_open_request(&b->keys, b->reader, b->body.data, b->body.len, &b->arena, &envelope, &plain, &len,
				  &err) != RET_OK)
		give_up("envelope", err.text);
	code(b, plain, len);
	buffer_init(&sealed, BODY);
	if (envelope_seal_response(&b->keys, RET_OK, NULL, b->out.data, b->out.len, NULL, &sealed))
		give_up("envelope", "can't be sealed");
	buffer_fini(&sealed);
}

static void price(const struct bench *b)
{
	static struct tariff tariff;
	const struct policy_context context = {"110105000100001", "11010500010011", "city", "gold"};
	struct error err = {0};

	if (policy_tariff(b->policy, &context, 1767225600, b->days, &tariff, &err))
		give_up("policy", err.text);
}

static void once(struct bench *b)
{
	if (b->policy) {
		price(b);
		return;
	}
	arena_init(&b->arena, ARENA);
	buffer_clear(&b->out);
	if (b->whole)
		answer_whole(b);
	else
		code(b, b->request, strlen(b->request));
	arena_fini(&b->arena);
}

/* PART: codec, codec:MAPPING, answer, answer:MAPPING, policy:NAME:DAYS. */
static void prepare(struct bench *b, char *part)
{
	char *kind = strtok(part, ":"), *name = strtok(NULL, ":"), *days = strtok(NULL, ":");
	struct envelope_sequence sequence = {0};
	struct error err = {0};

	b->message = message_find("query_equip_business_policy");
	b->codec.context = (struct mapping_context){operator_id, operator_id, "city"};
	b->codec.reader = b->reader = json_reader_new(0);
	buffer_init(&b->out, BODY);
	buffer_init(&b->body, BODY);
	if (!b->reader || !kind)
		give_up("arguments", "no memory");
	if (!strcmp(kind, "policy") && name) {
		b->policy = policy_load(&b->host, name, &err);
		b->days = days ? atoi(days) : 1;
		if (!b->policy)
			give_up(name, err.text);
		return;
	}
	if (name) {
		b->codec.mapping = mapping_load(&b->host, name, NULL, &err);
		if (!b->codec.mapping)
			give_up(name, err.text);
	}
	b->whole = !strcmp(kind, "answer");
	(void)snprintf(b->request, sizeof(b->request),
		       name && !strncmp(name, "bench", strlen("bench"))
			   ? "{\"equipBizSeq\":\"%s\",\"connectorID\":\"11010500010011\"}"
			   : "{\"EquipBizSeq\":\"%s\",\"ConnectorID\":\"11010500010011\"}",
		       seq);
	if (envelope_keys_set(&b->keys, "1234567890abcdef", "abcdef1234567890", "0123456789abcdef", &err) ||
	    envelope_seal_request(&b->keys, operator_id, &sequence, 1767225600, b->request, strlen(b->request),
				  &b->body, &err))
		give_up("envelope", err.text);
}

int main(int argc, char **argv)
{
	static struct bench b;

	if (argc != 4)
		return 2;
	b.host.lua_dir = argv[1];
	prepare(&b, argv[2]);
	long count = strtol(argv[3], NULL, 10);
	int64_t begin = clock_mono_us();
	for (long i = 0; i < count; i++)
		once(&b);
	int64_t took = clock_mono_us() - begin;
	(void)printf("%.3f\n", count ? (double)took / (double)count : 0);
	mapping_free(b.codec.mapping);
	policy_free(b.policy);
	json_reader_free(b.reader);
	buffer_fini(&b.out);
	buffer_fini(&b.body);
	return 0;
}
