/* control: the table of commands: who may, what arguments, what comes back; one answer to each call, now or later. */
#include "base/clock.h"
#include "control_fixture.h"

static void told(void *user, const struct control_result *result)
{
	struct fixture *f = user;

	f->answers++;
	f->code = result->code;
	(void)snprintf(f->error, sizeof(f->error), "%s", result->error);
	(void)snprintf(f->key, sizeof(f->key), "%s", result->key);
	buffer_clear(&f->text);
	f->result = NULL;
	assert_int_equal(!result->code, result->result != NULL);
	if (!result->result)
		return;
	assert_int_equal(json_write(&f->text, result->result), FC_OK);
	arena_fini(&f->arena);
	assert_int_equal(json_read(f->reader, f->text.data, f->text.len, &f->arena, &f->result, &f->err), FC_OK);
}

static struct control_reply *call_as(struct fixture *f, enum control_right right, const char *name,
				     const char *arguments)
{
	const struct control_caller caller = {.name = "test", .right = right};
	struct value *tree = NULL;
	struct arena a;
	int before = f->answers;

	arena_init(&a, 1 << 20);
	if (arguments)
		assert_int_equal(json_read(f->reader, arguments, strlen(arguments), &a, &tree, &f->err), FC_OK);
	struct control_reply *reply = control_call(f->control, &caller, name, tree, told, f);
	assert_int_equal(f->answers - before, !reply);
	arena_fini(&a);
	return reply;
}

static int call(struct fixture *f, const char *name, const char *arguments)
{
	assert_null(call_as(f, CONTROL_ADMINISTER, name, arguments));
	return f->code;
}

static void what_is_not_in_the_table(void **state)
{
	static const char *const bad[][2] = {
	    {"start", NULL},
	    {"start", "{}"},
	    {"start", "[]"},
	    {"start", "[1]"},
	    {"start", "{\"connector\":1}"},
	    {"start", "{\"connector\":\"\"}"},
	    {"start", "{\"connector\":\"123456789012345678901234567890\"}"},
	    {"start", "{\"connector\":\"C11\\u0000C12\"}"},
	    {"start", "{\"connector\":\"C11\",\"force\":true}"},
	    {"start", "{\"connector\":\"C11\",\"class\":\"12345678901234567890123456789012\"}"},
	    {"start", "{\"connector\":{\"a\":1}}"},
	    {"stop", "{}"},
	    {"stop", "{\"connector\":\"C11\",\"seq\":\"1\"}"},
	    {"orders", "{\"limit\":0}"},
	    {"orders", "{\"limit\":101}"},
	    {"orders", "{\"limit\":\"5\"}"},
	    {"orders", "{\"open\":1}"},
	    {"orders", "{\"from\":\"2026-02-30\"}"},
	    {"orders", "{\"from\":\"20260101\"}"},
	    {"orders", "{\"after\":\"x\"}"},
	    {"orders", "{\"after\":\"5\"}"},
	    {"orders", "{\"after\":\"5:\"}"},
	    {"orders", "{\"after\":\"5:1234567890123456789012345678\"}"},
	    {"status", "{\"a\":1}"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (call(f, bad[i][0], bad[i][1]) != FC_EINVAL)
			fail_msg("%s %s: %d %s", bad[i][0], bad[i][1], f->code, f->error);
		assert_true(strlen(f->error) > 5);
	}
	assert_int_equal(call(f, "reboot", NULL), FC_ENOENT);
	assert_int_equal(call(f, "", NULL), FC_ENOENT);
	assert_int_equal(world.starts + world.stops + world.wakes, 0);
}

static void who_may_only_look_does_nothing(void **state)
{
	const struct control_command *c;
	struct fixture *f = *state;

	keep_order(f, 1, NULL);
	for (int i = 0; (c = control_command_at(control_tables, i)); i++) {
		/* Whatever changes something is not for who may only look. */
		if (c->deed == CONTROL_ACT)
			assert_true(c->right > CONTROL_VIEW);
		for (int right = CONTROL_VIEW; right < (int)c->right; right++) {
			assert_null(call_as(
			    f, (enum control_right)right, c->name,
			    "{\"connector\":\"C11\",\"seq\":\"123456789000000000000000001\",\"platform\":\"city\"}"));
			assert_int_equal(f->code, FC_EAUTH);
		}
	}
	assert_int_equal(world.starts + world.stops + world.wakes, 0);
	assert_null(call_as(f, CONTROL_VIEW, "status", NULL));
	assert_int_equal(f->code, FC_OK);
}

static void a_start_is_the_operators(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "start", "{\"connector\":\"C12\",\"class\":\"staff\"}"), FC_OK);
	assert_int_equal(world.starts, 1);
	assert_int_equal(world.request.mode, ORDER_OTHER);
	assert_string_equal(world.request.platform, "");
	assert_string_equal(value_text(value_get(f->result, "seq")), "123456789000000000000000099");
	world.refusal = CHARGE_NOT_PLUGGED;
	assert_int_equal(call(f, "start", "{\"connector\":\"C12\"}"), FC_EBUSY);
	world.refusal = CHARGE_NO_CONNECTOR;
	assert_int_equal(call(f, "start", "{\"connector\":\"C12\"}"), FC_ENOENT);
	assert_string_equal(f->error, "refused");
}

static void a_stop_by_connector_or_number(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "stop", "{\"connector\":\"C11\"}"), FC_EBUSY);
	run_order(f, 7);
	assert_int_equal(call(f, "stop", "{\"connector\":\"C11\"}"), FC_OK);
	assert_string_equal(world.stopped, "123456789000000000000000007");
	assert_int_equal(call(f, "stop", "{\"seq\":\"123456789000000000000000007\"}"), FC_OK);
	assert_int_equal(world.stops, 2);
	assert_int_equal(call(f, "stop", "{\"seq\":\"1\"}"), FC_ENOENT);
	assert_int_equal(call(f, "stop", "{\"connector\":\"X\"}"), FC_ENOENT);
	assert_int_equal(call(f, "stop", "{\"connector\":\"C12\"}"), FC_EBUSY);
}

/* What was ordered, and what was refused for a reason; not what was only looked at, or typed wrongly. */
static void what_was_ordered_is_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "start", "{\"connector\":\"C12\"}"), FC_OK);
	world.refusal = CHARGE_NOT_PLUGGED;
	assert_int_equal(call(f, "start", "{\"connector\":\"C13\"}"), FC_EBUSY);
	assert_int_equal(call(f, "start", "{\"conector\":\"C13\"}"), FC_EINVAL);
	assert_int_equal(call(f, "status", NULL), FC_OK);
	assert_null(call_as(f, CONTROL_VIEW, "start", "{\"connector\":\"C12\"}"));
	assert_int_equal(call(f, "audit", NULL), FC_OK);
	const struct value *newest = value_get(f->result, "audit")->first;
	assert_non_null(newest);
	assert_string_equal(value_text(value_get(newest, "command")), "start");
	assert_string_equal(value_text(value_get(newest, "arguments")), "{\"connector\":\"C13\"}");
	assert_string_equal(value_text(value_get(newest, "result")), "refused");
	assert_string_equal(value_text(value_get(newest, "who")), "test");
	assert_non_null(newest->next);
	assert_string_equal(value_text(value_get(newest->next, "result")), "done");
	assert_null(newest->next->next);
	/* In pages. */
	assert_int_equal(call(f, "audit", "{\"limit\":1}"), FC_OK);
	int64_t next = 0;
	char arguments[60];
	assert_int_equal(value_to_int(value_get(f->result, "next"), &next), FC_OK);
	(void)snprintf(arguments, sizeof(arguments), "{\"limit\":1,\"after\":%lld}", (long long)next);
	assert_int_equal(call(f, "audit", arguments), FC_OK);
	assert_string_equal(value_text(value_get(value_get(f->result, "audit")->first, "result")), "done");
}

static int64_t number(const struct value *object, const char *key)
{
	int64_t i;

	assert_int_equal(value_to_int(value_get(object, key), &i), FC_OK);
	return i;
}

static void how_it_is(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i <= 5; i++)
		keep_order(f, i, NULL);
	run_order(f, 6);
	assert_int_equal(call(f, "status", NULL), FC_OK);
	assert_string_equal(value_text(value_get(f->result, "version")), "v1");
	assert_int_equal(number(value_get(f->result, "orders"), "open"), 1);
	/* 1, 4 to one, 2, 5 to two, 3 to nobody. */
	assert_int_equal(number(value_get(f->result, "orders"), "waiting"), 6);
	const struct value *platform = value_get(f->result, "platforms")->first;
	assert_int_equal(number(value_get(platform, "orders"), "waiting"), 4);
	assert_int_equal(number(value_get(f->result, "connectors"), "all"), FIXTURE_CONNECTORS);
	assert_true(number(f->result, "data_free_bytes") > 0);
	assert_null(strstr(f->text.data, "secret"));
	assert_null(strstr(f->text.data, "1234567890abcdef"));

	assert_int_equal(call(f, "connectors", NULL), FC_OK);
	assert_int_equal(value_get(f->result, "connectors")->count, FIXTURE_CONNECTORS);
	const struct value *c = value_get(f->result, "connectors")->first;
	assert_string_equal(value_text(value_get(c, "session")), "charging");
	assert_int_equal(number(value_get(c, "order"), "energy_wh"), 60);
	assert_null(value_get(c, "meter_wh")); /* unknown, not zero */
	assert_null(value_get(c, "points"));
	assert_int_equal(call(f, "connectors", "{\"connector\":\"C21\"}"), FC_OK);
	assert_int_equal(value_get(f->result, "connectors")->count, 1);
	assert_non_null(value_get(value_get(f->result, "connectors")->first, "points"));
	assert_int_equal(call(f, "connectors", "{\"connector\":\"X\"}"), FC_ENOENT);
}

/* Header, messages, orders: each once, over all pages, the user of none. */
static void everything_recorded_on_some_page(void **state)
{
	struct fixture *f = *state;
	char arguments[200] = "{}", next[100];
	int lines[3] = {0}, pages = 0;
	int64_t longest = 0;
	struct arena a;

	arena_init(&a, 64 << 20);
	world.recorder = recorder_new(512 << 10);
	for (int i = 0; i < 700; i++) {
		struct value *v = value_object(&a);

		(void)value_put(&a, v, "Remark", value_string(&a, "of 13812345678"));
		recorder_note(world.recorder, &(struct record){.platform = "city",
							       .message = message_at(i % message_count()),
							       .mapping = "m",
							       .hash = "h",
							       .before = v,
							       .after = v});
	}
	for (int i = 1; i <= FIXTURE_ORDERS; i++)
		keep_order(f, i, i == 7 ? "{\"version\":" : NULL);
	do {
		static const char *const kinds[] = {"{\"record\":\"header\"", "{\"record\":\"message\"",
						    "{\"record\":\"order\""};

		int64_t before = clock_mono_us();
		assert_int_equal(call(f, "record", arguments), FC_OK);
		int64_t took = clock_mono_us() - before;
		longest = took > longest ? took : longest;
		value_each (line, value_get(f->result, "lines")) {
			const char *text = value_text(line);
			struct value *tree;

			assert_null(strstr(text, "13812345678"));
			assert_null(strstr(text, "6222020200001234567"));
			for (int k = 0; k < 3; k++)
				lines[k] += !strncmp(text, kinds[k], strlen(kinds[k]));
			assert_int_equal(json_read(f->reader, text, line->len, &a, &tree, NULL), FC_OK);
			if (lines[2])
				assert_string_equal(value_text(value_get(value_get(tree, "charge"), "user")), "");
		}
		(void)snprintf(next, sizeof(next), "%s",
			       value_get(f->result, "next") ? value_text(value_get(f->result, "next")) : "");
		(void)snprintf(arguments, sizeof(arguments), "{\"after\":\"%s\"}", next);
		assert_true(++pages < 100);
	} while (*next);
	assert_int_equal(lines[0], 1);
	assert_int_equal(lines[1], recorder_counts(world.recorder).held);
	assert_int_equal(lines[1], 700);
	/* One has a record that can't be read. */
	assert_int_equal(lines[2], FIXTURE_ORDERS - 1);
	assert_true(pages > 3);
	printf("the longest of %d pages took %lld us, its reading back included\n", pages, (long long)longest);
	static const char *const wrong[] = {"x", "m:", "m:5x", "o:5", "o:5:6", "o::1:2"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(arguments, sizeof(arguments), "{\"after\":\"%s\"}", wrong[i]);
		assert_int_equal(call(f, "record", arguments), i == 5 ? FC_OK : FC_EINVAL);
	}
	assert_int_equal(call(f, "record", "{\"orders\":-1}"), FC_EINVAL);
	recorder_free(world.recorder);
	arena_fini(&a);
}

static void every_order_on_some_page(void **state)
{
	struct fixture *f = *state;
	char arguments[200], next[64] = "";
	int seen = 0, pages = 0;

	for (int i = 1; i <= FIXTURE_ORDERS; i++)
		keep_order(f, i, i == 9 ? "{\"version\":1}" : NULL);
	run_order(f, 99);
	do {
		(void)snprintf(arguments, sizeof(arguments), "{\"details\":true,\"oldest_first\":true%s%s%s}",
			       *next ? ",\"after\":\"" : "", next, *next ? "\"" : "");
		assert_int_equal(call(f, "orders", arguments), FC_OK);
		value_each (order, value_get(f->result, "orders")) {
			seen++;
			assert_int_equal(atoi(value_text(value_get(order, "seq")) + 18), seen);
			assert_int_equal(number(order, "energy_wh"), seen * 10);
			assert_string_equal(value_text(value_get(order, "reason_name")), "unplugged");
			assert_int_equal(value_get(order, "told")->count, seen % 3);
			if (seen == 9) {
				assert_non_null(strstr(value_text(value_get(order, "damaged")), "user_class"));
				continue;
			}
			assert_int_equal(number(value_get(order, "lines")->first, "elec_e4"), 12345);
			assert_int_equal(number(order, "elec_money_e4") + number(order, "service_money_e4"),
					 number(order, "money_e4"));
		}
		const char *more = value_text(value_get(f->result, "next"));
		(void)snprintf(next, sizeof(next), "%s", more ? more : "");
		pages++;
	} while (*next);
	assert_int_equal(seen, FIXTURE_ORDERS);
	assert_int_equal(pages, 5);
	assert_int_equal(call(f, "orders", "{\"open\":true}"), FC_OK);
	assert_int_equal(value_get(f->result, "orders")->count, 1);
	assert_int_equal(number(value_get(f->result, "orders")->first, "energy_wh"), 990);
	assert_int_equal(call(f, "orders", "{\"from\":\"2026-11-21\"}"), FC_OK);
	assert_int_equal(value_get(f->result, "orders")->count, FIXTURE_ORDERS);
	assert_int_equal(call(f, "orders", "{\"from\":\"2026-11-22\"}"), FC_OK);
	assert_int_equal(value_get(f->result, "orders")->count, 0);
	assert_int_equal(call(f, "orders", "{\"to\":\"2026-11-20\"}"), FC_OK);
	assert_int_equal(value_get(f->result, "orders")->count, 0);
}

/* As many prices and lines as the standard has room for. */
static void the_largest_orders_fit(void **state)
{
	struct fixture *f = *state;
	struct order *o = malloc(sizeof(*o));
	struct buffer text;

	assert_non_null(o);
	for (int n = 1; n <= 12; n++) {
		fill_order(o, n);
		for (int d = 0; d < TARIFF_DAYS; d++) {
			o->tariff.days[d].count = TARIFF_PERIODS;
			for (int i = 0; i < TARIFF_PERIODS; i++)
				o->tariff.days[d].periods[i] = (struct tariff_period){i * 2700, 100000 + i, 9000 + i};
		}
		split_begin(&o->split, &o->tariff, o->start_wall, 100000);
		for (int i = 1; i <= 40; i++)
			(void)split_reading(&o->split, &o->tariff, o->start_wall + i * 2700, 100000 + i * 1000,
					    1000000);
		buffer_init(&text, ORDER_RECORD_MAX);
		assert_int_equal(order_write(o, &text), FC_OK);
		struct journal_order entry = order_entry(o, text.data);
		assert_int_equal(journal_open(f->store, &entry, &f->err), FC_OK);
		entry.end_wall = o->start_wall + 86400;
		assert_int_equal(journal_close(f->store, &entry, NULL, 0, &f->err), FC_OK);
		buffer_fini(&text);
	}
	free(o);
	assert_int_equal(call(f, "orders", "{\"details\":true,\"limit\":100}"), FC_OK);
	assert_int_equal(value_get(f->result, "orders")->count, 10);
	assert_int_equal(value_get(value_get(f->result, "orders")->first, "lines")->count, SPLIT_PARTS);
}

static void one_order(void **state)
{
	struct fixture *f = *state;

	keep_order(f, 5, NULL);
	assert_int_equal(call(f, "order", "{\"seq\":\"123456789000000000000000005\"}"), FC_OK);
	assert_string_equal(value_text(value_get(f->result, "mode_name")), "platform");
	assert_int_equal(value_get(value_get(f->result, "tariff"), "days")->count, TARIFF_DAYS);
	assert_int_equal(number(f->result, "start_register_wh"), 100000);
	assert_string_equal(value_text(value_get(value_get(f->result, "told")->first, "state")), "waiting");
	/* Lists stay lists when they are empty. */
	assert_non_null(strstr(f->text.data, "\"repairs\":[]"));
	assert_int_equal(call(f, "order", "{\"seq\":\"5\"}"), FC_ENOENT);
}

static void a_resend_wakes_who_is_meant(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry entry;

	for (int i = 1; i <= 3; i++)
		keep_order(f, i, NULL);
	run_order(f, 8);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(outbox_first(f->store, i ? "city" : "bonus", NULL, NULL, &entry), FC_OK);
		assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_DISPUTED, 3, NULL, &f->err), FC_OK);
	}
	assert_int_equal(call(f, "resend", "{\"seq\":\"123456789000000000000000002\",\"platform\":\"bonus\"}"), FC_OK);
	assert_int_equal(world.wakes, 1);
	assert_string_equal(world.woken, "bonus");
	assert_int_equal(outbox_waiting(f->store, NULL), 1);
	assert_int_equal(call(f, "resend", "{\"seq\":\"123456789000000000000000002\"}"), FC_OK);
	assert_int_equal(world.wakes, 3);
	assert_int_equal(value_get(f->result, "told")->count, 2);
	assert_int_equal(outbox_waiting(f->store, NULL), 2);
	/* Nobody's, another's, one that runs, none at all: nothing is made up. */
	assert_int_equal(call(f, "resend", "{\"seq\":\"123456789000000000000000003\"}"), FC_ENOENT);
	assert_int_equal(call(f, "resend", "{\"seq\":\"123456789000000000000000001\",\"platform\":\"bonus\"}"),
			 FC_ENOENT);
	assert_int_equal(call(f, "resend", "{\"seq\":\"123456789000000000000000008\"}"), FC_EBUSY);
	assert_int_equal(call(f, "resend", "{\"seq\":\"8\"}"), FC_ENOENT);
	assert_int_equal(world.wakes, 3);
	assert_int_equal(outbox_waiting(f->store, NULL), 2);
}

/* Commands that answer later ------------------------------------------------------------------------------------------- */

static struct control_reply *held[4];
static int cancelled;

static void cancel(void *user)
{
	cancelled++;
	*(struct control_reply **)user = NULL;
}

static int hold(struct control *control, struct control_reply *reply, struct error *err)
{
	static int next;
	struct control_reply **place = &held[next++ % 4];

	(void)control;
	(void)err;
	*place = reply;
	reply->cancel = cancel;
	reply->cancel_user = place;
	return CONTROL_LATER;
}

/* Fills the arena. */
static int swell(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *list = value_array(m.arena);

	(void)control;
	(void)err;
	while (!m.failed)
		maker_push(&m, list, value_int(m.arena, 1));
	reply->result = m.failed ? NULL : list;
	return FC_OK;
}

static const struct control_command slow_commands[] = {{"hold", CONTROL_OPERATE, CONTROL_ACT, "", hold, NULL},
						       {"swell", CONTROL_VIEW, CONTROL_LOOK, "", swell, NULL},
						       {0}};
static const struct control_command *const slow_tables[] = {slow_commands, NULL};

static void an_answer_that_comes_later(void **state)
{
	struct fixture *f = *state;

	f->control->tables = slow_tables;
	struct control_reply *first = call_as(f, CONTROL_ADMINISTER, "hold", NULL);
	struct control_reply *second = call_as(f, CONTROL_ADMINISTER, "hold", NULL);
	struct control_reply *third = call_as(f, CONTROL_ADMINISTER, "hold", NULL);
	assert_true(first && second && third);
	assert_int_equal(f->answers, 0);
	second->result = value_object(&second->arena);
	control_finish(second, FC_OK, "");
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->code, FC_OK);
	/* Who asked has gone: it ends without a word. */
	control_forget(third);
	control_finish(third, FC_ETIMEOUT, "the platform does not answer");
	assert_int_equal(f->answers, 1);
	control_finish(first, FC_ETIMEOUT, "the platform does not answer");
	assert_int_equal(f->answers, 2);
	assert_int_equal(f->code, FC_ETIMEOUT);
	/* And one that is under way when the room ends (tear_down) is cancelled, not answered. */
	assert_non_null(call_as(f, CONTROL_ADMINISTER, "hold", NULL));
	assert_null(call_as(f, CONTROL_ADMINISTER, "swell", NULL));
	assert_int_equal(f->code, FC_ELIMIT);
}

static int tear_down_cancelled(void **state)
{
	cancelled = 0;
	int result = tear_down(state);
	return result || cancelled != 1;
}

static void the_readme_shows_the_table(void **state)
{
	static char table[32000], readme[64000];
	FILE *to = fmemopen(table, sizeof(table), "w"), *from = fopen("core/control/README.md", "rb");

	(void)state;
	assert_true(to && from);
	control_describe(to);
	(void)fclose(to);
	readme[fread(readme, 1, sizeof(readme) - 1, from)] = '\0';
	(void)fclose(from);
	if (!strstr(readme, table))
		fail_msg("core/control/README.md does not show this:\n%s", table);
}

/* What is refused says why by a key that does not change. */
static void what_an_operator_does(void **state)
{
	struct fixture *f = *state;
	struct connector *c = &f->stations.live[0];

	assert_int_equal(call(f, "reserve", "{\"connector\":\"C99\",\"minutes\":5}"), FC_ENOENT);
	assert_string_equal(f->key, "charge.no_connector");
	assert_int_equal(call(f, "reserve", "{\"connector\":\"C11\",\"minutes\":1441}"), FC_EINVAL);
	assert_string_equal(f->key, "");
	assert_int_equal(call(f, "reserve", "{\"connector\":\"C11\",\"until\":1}"), FC_EINVAL);
	assert_string_equal(f->key, "reserve.range");
	assert_int_equal(call(f, "unreserve", "{\"connector\":\"C11\"}"), FC_ENOENT);
	assert_string_equal(f->key, "reserve.none");
	assert_int_equal(call(f, "reserve", "{\"connector\":\"C11\",\"minutes\":5,\"note\":\"Ms Li\"}"), FC_OK);
	assert_true(c->reservation.held && !strcmp(c->reservation.note, "Ms Li"));
	assert_int_equal(call(f, "unreserve", "{\"connector\":\"C11\"}"), FC_OK);
	assert_false(c->reservation.held);
	c->status = CONNECTOR_FAULT;
	assert_int_equal(call(f, "reserve", "{\"connector\":\"C11\",\"minutes\":5}"), FC_EBUSY);
	assert_string_equal(f->key, "charge.faulty");
	c->status = CONNECTOR_CHARGING;
	assert_int_equal(call(f, "reserve", "{\"connector\":\"C11\",\"minutes\":5}"), FC_EBUSY);
	assert_string_equal(f->key, "charge.occupied");
	c->status = CONNECTOR_OFFLINE;
	assert_int_equal(call(f, "unlock", "{\"connector\":\"C11\"}"), FC_EBUSY);
	assert_string_equal(f->key, "charge.offline");
	assert_int_equal(call(f, "limit", "{\"connector\":\"C11\",\"value\":10}"), FC_EBUSY);
	assert_string_equal(f->key, "charge.offline");
	assert_int_equal(call(f, "limit", "{\"connector\":\"C11\"}"), FC_EINVAL);
	assert_int_equal(call(f, "limit", "{\"connector\":\"C11\",\"value\":\"10\"}"), FC_EINVAL);
	assert_int_equal(call(f, "alarms", NULL), FC_OK);
	world.refusal = CHARGE_RESERVED;
	assert_int_equal(call(f, "start", "{\"connector\":\"C11\"}"), FC_EBUSY);
	assert_string_equal(f->key, "charge.refused");
	assert_true(world.request.by_operator);
}

/* protocol.md 4.1 */
static void the_text_of_a_qr_code(void **state)
{
	struct fixture *f = *state;
	char qr[CONTROL_QR], long_one[200];

	control_qr(&f->stations.config, &f->stations.live[0], qr);
	assert_string_equal(qr, "hlht://C11.123456789");
	f->stations.config.gateway.qr_suffix = "/100258651";
	control_qr(&f->stations.config, &f->stations.live[0], qr);
	assert_string_equal(qr, "hlht://C11.123456789/100258651");
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	f->stations.config.gateway.qr_suffix = long_one;
	control_qr(&f->stations.config, &f->stations.live[0], qr);
	assert_string_equal(qr, "");
	f->stations.config.gateway.qr_suffix = NULL;
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void orders_compared_with_a_platform(void **state)
{
	static const struct check_difference two[] = {
	    {"123456789000000000000000001", CHECK_MONEY, 100, 5000, 100, 5100},
	    {"123456789000000000000000002", CHECK_MISSING, 200, 9000, -1, -1},
	};
	struct fixture *f = *state;
	struct check check = {
	    .platform = "city", .day = 20000, .at_wall = 1795190400, .orders = 7, .energy_e2 = 1234, .money_e4 = 70000};

	assert_int_equal(call(f, "check", "{\"platform\":\"city\",\"date\":\"2024-10-04\"}"), FC_ENOENT);
	assert_int_equal(call(f, "reconcile", "{\"platform\":\"away\"}"), FC_EBUSY);
	assert_int_equal(call(f, "reconcile", "{}"), FC_EINVAL);
	f->answers = 0;
	assert_non_null(call_as(f, CONTROL_ADMINISTER, "reconcile", "{\"platform\":\"city\",\"date\":\"2024-10-04\"}"));
	assert_int_equal(f->answers, 0);
	assert_int_equal(world.checked_day, 20000);
	check.differences = 2;
	assert_int_equal(checks_save(f->store, &check, two, 2, &f->err), FC_OK);
	world.checked(world.checked_user, &check, "");
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->code, FC_OK);
	/* It can be seen again without asking anyone. */
	assert_int_equal(call(f, "check", "{\"platform\":\"city\",\"date\":\"2024-10-04\"}"), FC_OK);
	const struct value *list = value_get(f->result, "differences");
	assert_int_equal(list->count, 2);
	assert_string_equal(value_text(value_get(list->first, "reason_name")), "TotalMoney");
	assert_int_equal(value_get(list->first, "our_energy_wh")->i, 1000);
	assert_int_equal(value_get(list->first, "their_money_e4")->i, 5100);
	assert_null(value_get(list->last, "their_money_e4"));
	assert_int_equal(value_get(f->result, "orders")->i, 7);
	/* It fails later; and one that nobody waits for any more is still there at the end of the room. */
	f->answers = 0;
	assert_non_null(call_as(f, CONTROL_ADMINISTER, "reconcile", "{\"platform\":\"city\"}"));
	assert_int_equal(world.checked_day, clock_day(clock_wall()) - 1);
	world.checked(world.checked_user, NULL, "no answer");
	assert_int_equal(f->code, FC_EIO);
	assert_string_equal(f->error, "no answer");
	assert_non_null(call_as(f, CONTROL_ADMINISTER, "reconcile", "{\"platform\":\"city\"}"));
	control_free(f->control);
	f->control = NULL;
	world.checked(world.checked_user, NULL, "too late");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_is_not_in_the_table),
	    T(who_may_only_look_does_nothing),
	    T(a_start_is_the_operators),
	    T(a_stop_by_connector_or_number),
	    T(what_was_ordered_is_kept),
	    T(how_it_is),
	    T(everything_recorded_on_some_page),
	    T(every_order_on_some_page),
	    T(the_largest_orders_fit),
	    T(one_order),
	    T(a_resend_wakes_who_is_meant),
	    T(what_an_operator_does),
	    T(the_text_of_a_qr_code),
	    T(orders_compared_with_a_platform),
	    cmocka_unit_test_setup_teardown(an_answer_that_comes_later, set_up, tear_down_cancelled),
	    cmocka_unit_test(the_readme_shows_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
