/* A charger's profile: a Lua text through the sandbox, the reader of profiles, its examples.
 *
 * What is refused has a reason with the file's name. What is taken is the same when it is read again (the fingerprint goes over every
 * byte of it), can be told about (profile_report), is read in blocks that hold what their items say and never touch what is denied, and
 * makes of any registers values that are unknown, a number, or a text that ends. */
#include <math.h>

#include "base/error.h"
#include "bytes.h"
#include "can_fit.h"
#include "device/agent.h"
#include "device/decode.h"
#include "device/plan.h"
#include "device/profile.h"
#include "device/report.h"
#include "device/sample.h"
#include "lua_text.h"
#include "mutate.h"
#include "script/script.h"

enum { REPORT = 4 << 20, WORDS = 128, ROUNDS = 4 };

static int mistakes;

static void on_mistake(void *user, const char *place, const char *what)
{
	(void)user;
	(void)place;
	fuzz_check(what[0]);
	mistakes++;
}

static struct profile *load(const char *text, size_t len, struct error *err)
{
	static const struct profile_listener listener = {on_mistake, NULL};
	struct lua_text t;
	const struct script_host *host = lua_text(&t, "profiles", text, len);

	mistakes = 0;
	struct profile *p = profile_load_file(host, t.path, &listener, err);
	if (p) {
		fuzz_check(!mistakes);
		/* The list of texts dies with this function. */
		if (p->script)
			fuzz_check(script_path(p->script)[0]);
		return p;
	}
	fuzz_check(err->code && err->text[0]);
	fuzz_check(!strncmp(err->text, t.path, strlen(t.path)) || err->code == FC_ELIMIT || err->code == FC_ENOMEM);
	return NULL;
}

static int touches(const struct profile *p, const struct plan_block *b)
{
	for (int i = 0; i < p->deny_count && b->function == 3; i++)
		if (b->address <= p->deny[i].last && b->address + b->count > p->deny[i].first)
			return 1;
	return 0;
}

static void check_plan(const struct profile *p)
{
	int numbers[PROFILE_CONNECTORS_MAX];
	struct plan plan;

	for (int i = 0; i < PROFILE_CONNECTORS_MAX; i++)
		numbers[i] = i + 1;
	fuzz_check(p->connectors >= 1 && p->connectors <= PROFILE_CONNECTORS_MAX);
	if (plan_make(p, numbers, p->connectors, 1000, &plan))
		return;
	for (uint32_t i = 0; i < plan.count; i++) {
		const struct plan_block *b = &plan.blocks[i];
		unsigned most = b->function <= 2 ? 2000 : 125;

		fuzz_check(b->count >= 1 && b->count <= most && b->address + b->count <= 0x10000);
		fuzz_check(b->first_item + b->items <= plan.item_count);
		fuzz_check(b->period_ms >= 100 || b->period_ms == 0);
		for (uint32_t k = 0; k < b->items; k++) {
			const struct plan_item *item = &plan.items[b->first_item + k];

			fuzz_check(item->point < PROFILE_POINTS_MAX && item->number <= p->connectors);
			fuzz_check(item->offset + p->points[item->point].words <= b->count);
		}
		if (b->items > 1)
			fuzz_check(!touches(p, b));
	}
	plan_fini(&plan);
}

static void check_value(const struct point_value *v)
{
	fuzz_check(v->quality == QUALITY_GOOD || v->quality == QUALITY_UNKNOWN);
	fuzz_check(strnlen(v->text, sizeof(v->text)) < sizeof(v->text));
}

/* Registers of all kinds: none, all ones, growing, the text's own bytes. */
static uint16_t word_of(int round, unsigned i, const uint8_t *text, size_t len)
{
	if (round <= 1)
		return round ? 0xFFFF : 0;
	if (round == 2)
		return (uint16_t)(i * 257 + 12593);
	return (uint16_t)(text[i % len] << 8 | text[i * 7 % len]);
}

/* What is written reads back as what is written again. */
static void check_setpoint(const struct profile_setpoint *s, const struct point_value *values, int64_t milli)
{
	struct profile_write write, again;
	struct point_value back = {.quality = QUALITY_GOOD};
	double factor;

	if (profile_encode(s, milli, values, &write))
		return;
	fuzz_check(write.count >= 1 && write.count <= PROFILE_COMMAND_WORDS && write.count == s->form.words);
	/* Thousandths say no more than that, and a float no more than seven digits. */
	if (sample_factor(&s->form, values, &factor) || fabs(s->form.scale * factor) < 0.01 ||
	    s->form.type == POINT_F32 || decode_scaled(&s->form, write.words, 1, factor, &back) ||
	    fabs((double)back.milli) > 1e12)
		return;
	fuzz_check(!back.is_text && !profile_encode(s, back.milli, values, &again));
	fuzz_check(!memcmp(write.words, again.words, s->form.words * sizeof(write.words[0])));
}

static void check_values(struct profile *p, const char *text, size_t len)
{
	struct point_value values[PROFILE_POINTS_MAX] = {0};
	uint16_t words[WORDS];

	if (p->agent)
		return;
	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < WORDS; i++)
			words[i] = word_of(round, i, (const uint8_t *)text, len);
		for (int i = 0; i < p->read_count; i++) {
			struct point_value v = {.quality = QUALITY_UNKNOWN};

			fuzz_check(p->points[i].words <= WORDS);
			sample_point(p, i, words, 1 + round % p->connectors, values, &v);
			check_value(&v);
			values[i] = v;
		}
		enum connector_status status = decode_status(&p->status, values);
		fuzz_check(status <= CONNECTOR_RESERVED || status == CONNECTOR_FAULT);
		for (int i = 0; i < p->match_count; i++)
			(void)profile_match_holds(&p->matches[i], values);
		if (p->setpoint.used && !p->can)
			check_setpoint(&p->setpoint, values, (int64_t)(p->setpoint.max * 1000));
	}
}

static void check_steps(const struct profile *p)
{
	for (int i = 0; i < p->command_count; i++) {
		const struct profile_command *c = &p->commands[i];

		fuzz_check(c->name[0] && c->first_step >= 0 && c->steps >= 1);
		fuzz_check(c->first_step + c->steps <= p->step_count && p->step_count <= PROFILE_STEPS_MAX);
	}
	for (int i = 0; i < p->step_count; i++) {
		const struct profile_step *s = &p->steps[i];

		if (s->kind == STEP_CHECK)
			fuzz_check(s->match >= 1 && s->match <= p->match_count);
		if (s->kind == STEP_WRITE)
			fuzz_check(s->write.count >= 1 && s->write.count <= PROFILE_COMMAND_WORDS);
	}
	fuzz_check(p->point_count >= 0 && p->point_count <= DEVICE_POINTS_MAX && p->read_count <= PROFILE_POINTS_MAX);
	for (int i = 0; i < p->point_count; i++)
		fuzz_check(profile_point(p, p->points[i].name) == i);
}

/* The agent of a CAN profile: what it hears and sends in a minute of its time. */
static struct driven {
	const struct profile *p;
	int64_t now_us, due_us;
	int sends, pending;
} driven;

static int host_send(void *user, const struct can_frame *f)
{
	(void)user;
	fuzz_check(!driven.p->agent->listens && !f->error && !f->remote && f->len <= CAN_DATA_MAX);
	fuzz_check(f->id <= (f->extended ? CAN_ID_EXTENDED_MAX : CAN_ID_STANDARD_MAX));
	for (int i = f->len; i < CAN_DATA_MAX; i++)
		fuzz_check(!f->data[i]);
	driven.sends++;
	return driven.sends % 17 ? FC_OK : FC_EBUSY;
}

static void host_value(void *user, int number, int point, const struct point_value *v)
{
	(void)user;
	fuzz_check(point >= 0 && point < driven.p->point_count && number >= 0 && number <= driven.p->connectors);
	check_value(v);
}

static void host_heard(void *user, int online)
{
	(void)user;
	(void)online;
}

static void host_done(void *user, int number, enum bus_status status)
{
	(void)user;
	(void)status;
	fuzz_check(number >= 1 && number <= driven.p->connectors && driven.pending > 0);
	driven.pending--;
}

static void pass(void *agent, int64_t us)
{
	int64_t until_us = driven.now_us + us;
	int turns = 0;

	while (driven.due_us <= until_us) {
		/* Each millisecond something is due at most, on the average. */
		fuzz_check(turns++ < 20000 + us / 100);
		driven.now_us = driven.due_us > driven.now_us ? driven.due_us : driven.now_us;
		driven.due_us = driven.p->agent->run(agent, driven.now_us);
	}
	driven.now_us = until_us;
}

static void hear_all(void *agent, const uint8_t *text, size_t len, unsigned round)
{
	const struct can_plan *plan = driven.p->can;

	for (int m = 0; plan && m < plan->message_count; m++) {
		unsigned at = (round * 31 + (unsigned)m * 8) % (unsigned)len;
		uint8_t data[CAN_DATA_MAX];

		for (unsigned i = 0; i < CAN_DATA_MAX; i++)
			data[i] = round ? text[(at + i) % len] : (uint8_t)(m + 1);
		struct can_frame f = can_fit(&plan->messages[m].match, 1, 1, (uint32_t)at * 2654435761u, data);
		f.mono_us = driven.now_us;
		driven.p->agent->frame(agent, &f);
		driven.due_us = driven.now_us;
		pass(agent, 1000);
	}
}

static void drive(struct profile *p, const uint8_t *text, size_t len)
{
	static const struct agent_host host = {NULL, host_send, host_value, host_heard, host_done};
	struct agent_settings settings = {.name = "x", .unit = 1, .connectors = p->connectors, .poll_ms = 1000};
	struct error err = {0};

	for (int i = 0; i < p->connectors; i++)
		settings.numbers[i] = i + 1;
	driven = (struct driven){.p = p, .now_us = 1000000};
	void *agent = p->agent->start(p, &settings, &host, &err);
	if (!agent) {
		fuzz_check(err.text[0]);
		return;
	}
	p->agent->port(agent, 1);
	pass(agent, 2000000);
	for (unsigned round = 0; round < 3; round++)
		hear_all(agent, text, len, round);
	for (int i = 0; i < p->command_count && p->agent->command; i++) {
		driven.pending += !p->agent->command(agent, 1 + i % p->connectors, p->commands[i].name, &err);
		driven.due_us = driven.now_us;
		pass(agent, 500000);
		hear_all(agent, text, len, (unsigned)i);
	}
	if (p->agent->limit) {
		(void)p->agent->limit(agent, 1, (int64_t)p->setpoint.max * 1000, &err);
		driven.due_us = driven.now_us;
	}
	pass(agent, driven.pending ? 60000000 : 3000000);
	fuzz_check(!driven.pending);
	p->agent->stop(agent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0}, err2 = {0};
	struct arena arena;
	char *text = copy_of(data, size, 0);

	fuzz_quiet();
	struct profile *p = load(text, size, &err);
	if (p) {
		struct profile *again = load(text, size, &err2);

		if (!again)
			fuzz_failed(err2.text, __FILE__, __LINE__);
		fuzz_check(again->fingerprint == p->fingerprint && again->commands_print == p->commands_print);
		fuzz_check(!strcmp(again->hash, p->hash));
		arena_init(&arena, REPORT);
		fuzz_check(profile_report(p, 1000, &arena));
		arena_fini(&arena);
		check_steps(p);
		if (!p->agent)
			check_plan(p);
		else
			drive(p, data, size);
		check_values(p, text, size);
		profile_free(again);
		profile_free(p);
	}
	free(text);
	return 0;
}

static const char *const words[] = {
#include "words_profile.inc"
    NULL};

MUTATE_BY(table, words)
