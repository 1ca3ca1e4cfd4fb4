/* Traces in words. */
#include <stdio.h>
#include <string.h>

#include "inside.h"

static const char *const mistakes[MODEL_MISTAKES] = {
    "none",
    "confirmed when it is sent",
    "the outbox written after the end",
    "the outbox in memory",
    "repeats not known",
    "the charger told before the order is open",
    "started though the disk refused",
    "the end told before it is written",
    "a stop in memory only",
    "open orders not taken up again",
    "a start while the last end is not written",
    "no answer taken for one",
    "a waiting confirmation ends a resend",
    "what is sent is made anew",
    "the outbox is not looked into",
    "a dispute is sent for ever",
    "unseen energy in two transactions",
    "the last order by its row",
    "a silent stop never ends",
    "the start told before the first reading is noted",
    "a charge taken up again forgets what was before",
    "an accepted stop is forgotten before the end is written",
    "what a full disk did not take is written late",
    "refused while it is silent, and goes on",
    "an answer lost by a power cut is not asked for again",
    "silent while the car takes the place: forgotten",
    "what went by before a charge is forgotten with its end",
    "what comes after an end not written is counted to it",
    "the next charge is looked at a second after the last end",
    "what a full disk did not take of the unseen is forgotten",
    "an answer that is not noted ends a resend",
    "what was refused is not looked for any more",
};
static const char *const statuses[MODEL_STATUSES] = {"off line", "idle", "occupied", "charging", "reserved", "faulty"};
static const char *const readings[MODEL_READINGS] = {"", ", one unit more", ", register at 0", ", register not read",
						     ", one unit more, register not read"};
static const char *const times[MODEL_TIMES] = {
    "", ", 2 s after the stop", ", 5 s after the end", ", time is up", ", occupancy is over", ", a quarter of an hour"};

const char *model_mistake_name(enum model_mistake mistake)
{
	return mistakes[mistake];
}

void model_print_event(const struct model_event *e, char *out, int size)
{
	static const char *const done[] = {"?", "start", "stop"};
	static const char *const outcomes[MODEL_OUTCOMES] = {"not answered", "taken", "refused"};
	char text[80] = "?";

	switch ((enum model_kind)e->kind) {
	case MODEL_START:
		(void)snprintf(text, sizeof(text), "platform: start K%d as order %d", e->a, e->b);
		break;
	case MODEL_STOP:
		(void)snprintf(text, sizeof(text), "platform: stop order %d", e->b);
		break;
	case MODEL_SEE:
		(void)snprintf(text, sizeof(text), "K%d is seen %s%s", e->a, statuses[e->b],
			       e->b == MODEL_OFFLINE ? "" : readings[e->c]);
		break;
	case MODEL_TICK:
		(void)snprintf(text, sizeof(text), "tick K%d%s", e->a, times[e->b]);
		break;
	case MODEL_CARD:
		(void)snprintf(text, sizeof(text), "a card at K%d", e->a);
		break;
	case MODEL_DECIDE:
		(void)snprintf(text, sizeof(text), "the wish at K%d is %s", e->a, e->b ? "granted" : "refused");
		break;
	case MODEL_DONE:
		(void)snprintf(text, sizeof(text), "K%d: command %s %s", e->a, done[e->b], outcomes[e->c]);
		break;
	case MODEL_PUMP:
		(void)snprintf(text, sizeof(text), "platform %d: the next order is sent%s", e->a,
			       e->b ? ", those refused are not due" : "");
		break;
	case MODEL_TAKE:
		(void)snprintf(text, sizeof(text), "platform %d takes the order%s", e->a, e->b ? ", disputes it" : "");
		break;
	case MODEL_ANSWER:
		(void)snprintf(text, sizeof(text), "platform %d: its answer comes", e->a);
		break;
	case MODEL_LOSE:
		(void)snprintf(text, sizeof(text), "platform %d: no answer comes", e->a);
		break;
	case MODEL_REFUSE:
		(void)snprintf(text, sizeof(text), "platform %d refuses the order", e->a);
		break;
	case MODEL_RESEND:
		(void)snprintf(text, sizeof(text), "order %d is to be sent to platform %d again", e->b, e->a);
		break;
	case MODEL_FLUSH:
		(void)snprintf(text, sizeof(text), "five minutes: confirmations are written");
		break;
	case MODEL_DISK:
		(void)snprintf(text, sizeof(text), "%s", e->b ? "the disk is full" : "the disk has room");
		break;
	case MODEL_CLOCK:
		(void)snprintf(text, sizeof(text), "the clock is set");
		break;
	case MODEL_AWAY:
		(void)snprintf(text, sizeof(text), "reload: without K%d", e->a);
		break;
	case MODEL_BACK:
		(void)snprintf(text, sizeof(text), "reload: with K%d", e->a);
		break;
	case MODEL_END:
		(void)snprintf(text, sizeof(text), "the gateway is stopped");
		break;
	case MODEL_CRASH:
		(void)snprintf(text, sizeof(text), "power cut");
		break;
	case MODEL_BOOT:
		(void)snprintf(text, sizeof(text), "the gateway starts%s", e->b ? "" : ", its clock not set");
		break;
	case MODEL_KINDS:
		break;
	}
	if (e->crash)
		(void)snprintf(out, (size_t)size, "%s; power cut after transaction %d of it", text, e->crash);
	else
		(void)snprintf(out, (size_t)size, "%s", text);
}

struct line {
	char *out;
	int size, len;
};

static void put(struct line *l, const char *text)
{
	int n = snprintf(l->out + l->len, (size_t)(l->size - l->len), "%s", text);

	l->len = n < l->size - l->len ? l->len + n : l->size - 1;
}

static void put_number(struct line *l, const char *text, unsigned number)
{
	char part[48];

	(void)snprintf(part, sizeof(part), "%s%u", text, number);
	put(l, part);
}

static void put_connector(struct line *l, int k, const struct model_connector *c)
{
	static const char *const commands[] = {"", " wants:start", " wants:stop"};

	put_number(l, " | K", (unsigned)k);
	put(l, c->present ? "" : " (not configured)");
	put(l, " ");
	put(l, statuses[c->status]);
	put_number(l, " reg ", c->reg);
	put(l, c->good ? "" : " unread");
	put(l, ": ");
	put(l, session_state_name((enum session_state)c->state));
	if (c->order != MODEL_NONE) {
		put_number(l, " #", c->order);
		put_number(l, " ", c->memory.wh);
		put(l, c->durable ? "" : " not durable");
		put(l, c->memory.metered ? "" : " not begun");
		put(l, c->memory.failed ? " failed" : "");
		put(l, c->memory.vouched ? "" : c->memory.asking ? " asking" : " nobody's");
		put(l, c->memory.unwanted ? " unwanted" : "");
	}
	put(l, c->passed ? " passed" : "");
	put(l, c->closing ? " closing" : c->settling ? " settling" : "");
	put(l, commands[c->command]);
	if (c->has_idle)
		put_number(l, c->remembered ? " remembers " : " idle at ", c->idle);
}

void model_print_state(const struct model_state *s, char *out, int size)
{
	static const char *const outbox[] = {"-", "waiting", "confirmed", "disputed"};
	struct line l = {out, size, 0};

	put(&l, s->up ? "up" : "off");
	put(&l, s->disk_full ? ", disk full" : "");
	put(&l, s->up && !s->clock ? ", clock not set" : "");
	for (int k = 0; k < MODEL_CONNECTORS && s->up; k++)
		put_connector(&l, k, &s->connector[k]);
	for (int o = 0; o < MODEL_ORDERS; o++) {
		if (!s->order[o].exists)
			continue;
		put_number(&l, " | order ", (unsigned)o);
		put(&l, s->order[o].closed ? " closed " : s->order[o].record.stopping ? " stopping " : " open ");
		put_number(&l, "", s->order[o].record.wh);
		for (int p = 0; p < MODEL_PLATFORMS; p++)
			if (s->order[o].outbox >> 2 * p & 3) {
				put_number(&l, " P", (unsigned)p);
				put(&l, ":");
				put(&l, s->settles >> (p * MODEL_ORDERS + o) & 1
					    ? "confirmed in memory"
					    : outbox[s->order[o].outbox >> 2 * p & 3]);
			}
	}
}
