/* Model and code held against each other: in memory, in the file, on its way. */
#include "world.h"

void world_differ(struct world *w, const char *what, int number, int64_t model, int64_t code)
{
	if (model == code || w->different[0])
		return;
	(void)snprintf(w->different, sizeof(w->different), "%s %d: %lld in the model, %lld in the code", what, number,
		       (long long)model, (long long)code);
}

static int64_t ask_file(const struct world *w, const char *sql, const char *seq, const char *platform)
{
	sqlite3_stmt *s = store_prepare(store_db(w->store), sql);
	int64_t n = -1;

	assert_non_null(s);
	assert_int_equal(sqlite3_bind_text(s, 1, seq, -1, SQLITE_STATIC), SQLITE_OK);
	if (platform)
		assert_int_equal(sqlite3_bind_text(s, 2, platform, -1, SQLITE_STATIC), SQLITE_OK);
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void compare_records(struct world *w, const char *where, int o, const struct model_record *m,
			    const struct order *c)
{
	char what[64];
	const struct {
		const char *name;
		int64_t model, code;
	} of[] = {
	    {"asking", m->asking, c->asking},
	    {"unwanted", m->unwanted, c->unwanted != 0},
	    {"began", m->began, c->began},
	    {"failed", m->failed, c->failed},
	    {"metered", m->metered, c->metered},
	    {"stopping", m->stopping, c->stopping},
	    {"vouched", m->vouched, *c->platform != 0},
	    {"card", m->card, *c->user != 0},
	    /* What went by unseen began with the end of the last order, whatever the clock says now. */
	    {"dated", m->dated, w->m.s.order[o].nobodys ? (int64_t)m->dated : clock_trusted(c->start_wall)},
	    {"ended", m->ended, c->end_wall != 0},
	    {"has idle", m->has_idle, c->has_idle},
	    {"idle", m->has_idle ? m->idle * UNIT_WH : 0, c->has_idle ? c->idle_wh : 0},
	    {"unread", m->unread, c->metered && c->split.unread},
	    {"energy", m->wh * UNIT_WH, c->metered ? c->split.total_wh : 0},
	    {"first", m->metered && !m->unread ? m->first * UNIT_WH : 0,
	     m->metered && !m->unread ? c->split.start_register_wh : 0},
	    {"last", m->metered && !m->unread ? m->last * UNIT_WH : 0,
	     m->metered && !m->unread ? c->split.last_register_wh : 0},
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		(void)snprintf(what, sizeof(what), "%s, %s of order", where, of[i].name);
		world_differ(w, what, o, of[i].model, of[i].code);
	}
}

struct reading {
	struct world *world;
	int order;
};

static void compare_row(void *user, const struct journal_order *entry)
{
	const struct reading *r = user;
	struct world *w = r->world;
	struct order *order = calloc(1, sizeof(*order));
	struct error err = {0};

	assert_non_null(order);
	assert_int_equal(order_read(w->charges->reader, entry, order, &err), FC_OK);
	world_differ(w, "closed, of order", r->order, w->m.s.order[r->order].closed, entry->closed);
	compare_records(w, "in the file", r->order, &w->m.s.order[r->order].record, order);
	free(order);
}

static void compare_disk(struct world *w)
{
	int rows = 0;

	for (int o = 0; o < w->rules->orders; o++) {
		struct reading r = {w, o};

		rows += (int)w->m.s.order[o].exists;
		if (!w->m.s.order[o].exists)
			continue;
		world_differ(w, "there is an order", o, FC_OK, journal_find(w->store, w->seq[o], compare_row, &r));
		for (int p = 0; p < w->rules->platforms; p++) {
			static const int64_t as[] = {-1, OUTBOX_WAITING, OUTBOX_CONFIRMED, OUTBOX_DISPUTED};
			static const char sql[] = "SELECT state FROM outbox WHERE seq = ? AND platform = ?";

			world_differ(w, "outbox, of order", o, as[disk_outbox(&w->m, p, o)],
				     ask_file(w, sql, w->seq[o], world_names[p]));
			world_differ(
			    w, "a confirmation waits, of order", o, disk_is_settling(&w->m, p, o),
			    ask_file(w,
				     "SELECT coalesce(max(answered(id)), 0) FROM outbox WHERE seq = ? AND platform = ?",
				     w->seq[o], world_names[p]));
		}
	}
	world_differ(w, "orders in the file", 0, rows,
		     ask_file(w, "SELECT count(*) FROM orders WHERE seq <> ?", "", NULL));
}

static void compare_connector(struct world *w, int k)
{
	const struct model_connector *m = &w->m.s.connector[k];
	const struct charge *c = world_charge(w, k);
	int command = !c->command ? MODEL_NO_COMMAND : strcmp(c->command, "stop") ? MODEL_ON : MODEL_OFF;
	int sessions = 0;

	for (const struct charge *each = w->charges->charges; each; each = each->next)
		sessions += !strcmp(each->connector_id, world_ids[k]);
	world_differ(w, "sessions of K", k, 1, sessions);
	world_differ(w, "state of K", k, m->state, c->state);
	world_differ(w, "a charge at K", k, m->order != MODEL_NONE, c->order != NULL);
	world_differ(w, "command of K", k, m->command, command);
	world_differ(w, "start under way at K", k, m->on_way, c->start_sent.under_way);
	world_differ(w, "stop under way at K", k, m->off_way, c->stop_sent.under_way);
	world_differ(w, "start of before at K", k, m->on_old, c->start_sent.old);
	world_differ(w, "stop of before at K", k, m->off_old, c->stop_sent.old);
	world_differ(w, "closing at K", k, m->closing, c->closing);
	world_differ(w, "settling at K", k, m->settling, c->settling);
	world_differ(w, "the end is known at K", k, m->fixed, c->closing && c->closing_wall);
	world_differ(w, "passed at K", k, m->passed, c->passed);
	world_differ(w, "register known at K", k, m->has_idle, c->has_idle);
	world_differ(w, "register at K", k, m->has_idle ? m->idle * UNIT_WH : 0, c->has_idle ? c->idle_wh : 0);
	world_differ(w, "remembered at K", k, m->remembered, c->remembered);
	if (m->order == MODEL_NONE || !c->order || w->different[0])
		return;
	world_differ(w, "order of K", k, 0, strcmp(w->seq[m->order], c->order->seq));
	world_differ(w, "durable at K", k, m->durable, c->durable);
	world_differ(w, "timed at K", k, m->timed, c->timed);
	/* Of one that is over nothing is read any more; and where the hour of its occupancy was played on its own time alone, the clock that is
	 * set then says less than that and is not believed. */
	if (!m->settling)
		world_differ(w, "away at K", k, m->away, c->away);
	if (m->durable && !m->closing && !m->settling)
		world_differ(w, "noted at K", k, m->noted,
			     c->noted_parts == c->order->split.count && played_us - c->noted_us < 900000000);
	/* The end's time is put on it, and taken back, while it is being written. */
	compare_records(w, "in memory", (int)m->order, &m->memory, c->order);
}

/* Numbers made by the gateway: the model knows them by place. */
static void take_row_seq(void *user, int columns, char **values)
{
	struct world *w = user;

	(void)columns;
	for (int o = 0; o < w->rules->orders; o++)
		if (!strcmp(w->seq[o], values[0]))
			return;
	for (int o = w->rules->seqs; o < w->rules->orders; o++)
		if (w->m.s.order[o].exists && !w->seq[o][0] &&
		    !strcmp(world_ids[w->m.s.order[o].connector], values[1])) {
			(void)snprintf(w->seq[o], sizeof(w->seq[o]), "%s", values[0]);
			return;
		}
}

static int on_row_seq(void *user, int columns, char **values, char **column_names)
{
	(void)column_names;
	take_row_seq(user, columns, values);
	return 0;
}

static void learn_seqs(struct world *w)
{
	for (int o = w->rules->seqs; o < w->rules->orders; o++) {
		int is_used = w->m.s.order[o].exists;

		for (int k = 0; k < w->rules->connectors; k++)
			is_used |= (int)w->m.s.connector[k].order == o;
		if (!is_used)
			w->seq[o][0] = '\0';
	}
	for (int k = 0; k < w->rules->connectors; k++) {
		int o = (int)w->m.s.connector[k].order;
		const struct charge *c = world_charge(w, k);

		if (o != MODEL_NONE && o >= w->rules->seqs && c->order && !w->seq[o][0])
			(void)snprintf(w->seq[o], sizeof(w->seq[o]), "%s", c->order->seq);
	}
	assert_int_equal(
	    sqlite3_exec(store_db(w->store), "SELECT seq, connector_id FROM orders ORDER BY id", on_row_seq, w, NULL),
	    SQLITE_OK);
}

void world_compare(struct world *w, const struct model_event *e)
{
	if (!w->store)
		return;
	learn_seqs(w);
	if (e->kind == MODEL_START || e->kind == MODEL_STOP)
		world_differ(w, "accepted", 0, w->m.answer, w->answer);
	if (w->commits < w->m.commits - w->m.same || w->commits > w->m.commits)
		world_differ(w, "transactions", 0, w->m.commits, w->commits);
	for (int k = 0; k < w->rules->connectors; k++)
		compare_connector(w, k);
	for (int p = 0; p < w->rules->platforms; p++) {
		const char *seq = w->m.s.delivery[p].fly == MODEL_NONE ? "" : w->seq[w->m.s.delivery[p].fly];

		world_differ(w, "the order on its way to platform", p, 0,
			     strcmp(seq, w->peer[p].done ? w->peer[p].seq : ""));
	}
	compare_disk(w);
}
