/* Events, carried out by the code. */
#include "world.h"

static void do_start(struct world *w, int k, int o)
{
	const struct charge_request request = {.seq = world_given[o],
					       .connector_id = world_ids[k],
					       .platform = "city",
					       .user_class = "",
					       .user = "",
					       .mode = ORDER_BY_PLATFORM,
					       .result_s = 50};
	struct charge_answer answer;

	charge_start(w->charges, &request, &answer);
	w->answer = answer.refusal == CHARGE_ACCEPTED;
}

static void do_stop(struct world *w, int o)
{
	const struct charge_stop_request request = {
	    .seq = w->seq[o], .connector_id = "", .reason = SESSION_BY_PLATFORM, .result_s = 50};
	struct charge_answer answer;

	charge_stop(w->charges, &request, &answer);
	w->answer = answer.refusal == CHARGE_ACCEPTED;
}

static void do_see(struct world *w, int k, enum model_status status, enum model_reading reading)
{
	static const enum connector_status as[MODEL_STATUSES] = {CONNECTOR_OFFLINE,  CONNECTOR_IDLE,
								 CONNECTOR_OCCUPIED, CONNECTOR_CHARGING,
								 CONNECTOR_RESERVED, CONNECTOR_FAULT};
	struct connector *c = &w->stations.connector[k];
	enum connector_status before = c->status;

	w->stations.wh[k] = w->m.s.connector[k].reg * UNIT_WH;
	w->stations.is_good[k] = status != MODEL_OFFLINE && reading != MODEL_UNREAD && reading != MODEL_MORE_UNREAD;
	if (w->stations.is_good[k])
		w->stations.read_us[k] = played_us;
	c->status = as[status];
	played_us += 1000;
	if (c->status == before)
		return;
	w->stations.listener->fn(w->stations.listener->user,
				 &(struct station_event){STATION_CONNECTOR_STATUS, c, before});
}

static void do_tick(struct world *w, int k, enum model_time time)
{
	struct charge *c = world_charge(w, k);

	switch (time) {
	case MODEL_NOW:
		break;
	case MODEL_RESTED:
		c->entered_us -= 3000000;
		break;
	case MODEL_LAST:
		c->entered_us -= 3000000;
		c->closing_since_us -= 6000000;
		break;
	case MODEL_DEADLINE:
		c->entered_us -= 31000000;
		c->deadline_us = c->deadline_us ? played_us : 0;
		/* Time enough to have been read, too. */
		c->polls = 2;
		break;
	case MODEL_OCCUPANCY:
		c->anchor_wall += 3600;
		break;
	case MODEL_QUARTER:
		c->noted_us -= 901000000;
		break;
	case MODEL_TIMES:
		break;
	}
	w->charges->tick.fn(w->charges->tick.user);
}

static void do_card(struct world *w, int k)
{
	w->stations.card[k] = "";
	wish_look(world_charge(w, k));
	w->stations.card[k] = "CARD";
	wish_look(world_charge(w, k));
}

static void do_decide(struct world *w, int k, int granted)
{
	const struct charge_grant grant = {
	    .platform = granted ? "city" : NULL, .user_class = granted ? "" : NULL, .result_s = 50};

	charge_decide(w->charges, world_ids[k], world_charge(w, k)->wish, &grant);
}

static void do_done(struct world *w, int k, enum model_command command, enum model_outcome outcome)
{
	static const enum bus_status as[MODEL_OUTCOMES] = {BUS_TIMEOUT, BUS_OK, BUS_EXCEPTION};
	int is_stop = command == MODEL_OFF;

	w->stations.sent[k][is_stop].done(w->stations.sent[k][is_stop].user, as[outcome]);
}

static void do_answer(struct world *w, int p, enum peer_outcome outcome)
{
	struct peer peer = w->peer[p];
	struct arena arena;
	int disputes = 0;

	for (int o = 0; o < MODEL_ORDERS; o++)
		if (!strcmp(w->seq[o], peer.seq))
			disputes = w->m.s.taken[p][o].disputes;
	w->peer[p] = (struct peer){0};
	arena_init(&arena, JSON_MAX);
	struct value *answer = value_object(&arena);
	assert_int_equal(value_add(&arena, answer, "ConfirmResult", value_int(&arena, disputes)), FC_OK);
	peer.done(peer.user, outcome, outcome == PEER_DONE ? answer : NULL);
	arena_fini(&arena);
}

static void do_resend(struct world *w, int p, int o)
{
	if (!outbox_again(w->store, world_names[p], w->seq[o], NULL))
		business_order_again(w->business[p]);
}

static void do_reload(struct world *w, int k, int is_present)
{
	struct error err = {0};

	w->stations.is_present[k] = is_present;
	w->stations.is_good[k] = 0;
	w->stations.connector[k].status = CONNECTOR_OFFLINE;
	assert_int_equal(charge_set_apply(w->charges, &w->config, &err), FC_OK);
}

/* The same that the model has just done. */
void world_act(struct world *w, const struct model_event *e)
{
	switch ((enum model_kind)e->kind) {
	case MODEL_START:
		do_start(w, e->a, e->b);
		break;
	case MODEL_STOP:
		do_stop(w, e->b);
		break;
	case MODEL_SEE:
		do_see(w, e->a, (enum model_status)e->b, (enum model_reading)e->c);
		break;
	case MODEL_TICK:
		do_tick(w, e->a, (enum model_time)e->b);
		break;
	case MODEL_CARD:
		do_card(w, e->a);
		break;
	case MODEL_DECIDE:
		do_decide(w, e->a, e->b);
		break;
	case MODEL_DONE:
		do_done(w, e->a, (enum model_command)e->b, (enum model_outcome)e->c);
		break;
	case MODEL_PUMP:
		/* Whatever pause there is, it is over; or that of a platform that is away, and not yet that of an order. */
		(void)business_pump(w->business[e->a], played_us / 1000 + (e->b ? 50000 : 86400000));
		break;
	case MODEL_TAKE:
		break;
	case MODEL_ANSWER:
	case MODEL_LOSE:
	case MODEL_REFUSE:
		do_answer(w, e->a,
			  e->kind == MODEL_ANSWER ? PEER_DONE
			  : e->kind == MODEL_LOSE ? PEER_UNREACHED
						  : PEER_REFUSED);
		break;
	case MODEL_RESEND:
		do_resend(w, e->a, e->b);
		break;
	case MODEL_FLUSH:
		w->store->settles.since_us -= (int64_t)OUTBOX_LATEST_S * 1000000;
		w->store->settles.tried_us = 0;
		outbox_tend(w->store);
		break;
	case MODEL_DISK:
		world_fill_disk(w, e->b);
		break;
	case MODEL_CLOCK:
		played_s = played_set + (int64_t)w->life * 100;
		break;
	case MODEL_AWAY:
	case MODEL_BACK:
		do_reload(w, e->a, e->kind == MODEL_BACK);
		break;
	case MODEL_CRASH:
	case MODEL_END:
	case MODEL_BOOT:
	case MODEL_KINDS:
		break;
	}
}
