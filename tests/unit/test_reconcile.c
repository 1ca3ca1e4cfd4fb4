/* upstream/reconcile: the request of a day, differences by order and field, what is sent again. The peer is played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_read.h"
#include "upstream/reconcile.h"

#include "charge_stub.h"
#include "folder.h"

/* The peer -------------------------------------------------------------------------------------------------------- */

static struct {
	int ready, calls;
	peer_done done;
	void *user;
	char request[65536];
	const struct message *message;
} played;

int peer_ready(const struct peer *peer)
{
	(void)peer;
	return played.ready;
}

/* The shortest pause that it may take: how it is spread is test_backoff's. */
int64_t peer_pause_ms(struct peer *peer, int64_t pause_ms)
{
	(void)peer;
	return pause_ms;
}

int peer_call(struct peer *peer, const struct message *message, struct value *request, struct arena *arena,
	      peer_done done, void *user, struct error *err)
{
	struct buffer text;

	(void)peer, (void)arena, (void)err;
	buffer_init(&text, sizeof(played.request));
	message_shape(message_schema(message, MESSAGE_REQUEST), request);
	assert_int_equal(json_write(&text, request), FC_OK);
	(void)snprintf(played.request, sizeof(played.request), "%s", text.data);
	buffer_fini(&text);
	played.done = done;
	played.user = user;
	played.message = message;
	played.calls++;
	return FC_OK;
}

/* Fixture --------------------------------------------------------------------------------------------------------- */

enum { DAY = 20000 };
static char seq_of_check[JOURNAL_SEQ];

struct fixture {
	char folder[64];
	struct store *store;
	struct config config;
	struct config_platform options;
	struct platform platform;
	struct reconcile *reconcile;
	struct json_reader *reader;
	int resent, finished;
	struct check check;
	char why[200];
	struct check_difference differences[16];
	int count;
	struct error err;
};

static void on_resend(void *user)
{
	((struct fixture *)user)->resent++;
}

static void on_done(void *user, const struct check *check, const char *why)
{
	struct fixture *f = user;

	f->finished++;
	if (check)
		f->check = *check;
	(void)snprintf(f->why, sizeof(f->why), "%s", check ? "" : why);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	memset(&played, 0, sizeof(played));
	played.ready = 1;
	folder_make(f->folder, sizeof(f->folder), "reconcile");
	f->store = store_open(f->folder, &f->err);
	assert_non_null(f->store);
	f->config.gateway.operator_id = "987654321";
	f->options.name = "city";
	f->options.iserv = 1;
	f->platform = (struct platform){.store = f->store, .config = &f->config, .options = &f->options};
	f->reconcile = reconcile_new(&f->platform, NULL, on_resend, f);
	f->reader = json_reader_new(0);
	*state = f;
	return f->reconcile && f->reader ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reconcile_free(f->reconcile);
	json_reader_free(f->reader);
	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static int64_t noon(int32_t day)
{
	return (int64_t)day * 86400 - CLOCK_CST_OFFSET_S + 43200;
}

static void add_order(struct fixture *f, const char *seq, const char *platform, int64_t end_wall, int64_t wh,
		      int64_t money_e4, enum outbox_state state)
{
	static const char method[] = "notification_charge_order_info";
	struct journal_order o = {
	    .start_wall = end_wall - 600, .end_wall = end_wall, .wh = wh, .money_e4 = money_e4, .record = "{}"};
	const struct journal_recipient recipient = {platform, method};
	struct outbox_entry entry;

	(void)snprintf(o.seq, sizeof(o.seq), "%s", seq);
	(void)snprintf(o.connector_id, sizeof(o.connector_id), "c");
	(void)snprintf(o.platform, sizeof(o.platform), "%s", platform);
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	assert_int_equal(journal_close(f->store, &o, &recipient, *platform != 0, &f->err), FC_OK);
	if (state == OUTBOX_WAITING)
		return;
	assert_int_equal(outbox_first(f->store, platform, NULL, NULL, &entry), FC_OK);
	assert_string_equal(entry.seq, seq);
	assert_int_equal(outbox_done(f->store, entry.id, state, 0, NULL, &f->err), FC_OK);
}

#define SEQ(n) "98765432100000000000000000" #n

static void add_day(struct fixture *f)
{
	add_order(f, SEQ(1), "city", noon(DAY), 12345, 150000, OUTBOX_CONFIRMED);
	add_order(f, SEQ(2), "city", noon(DAY) + 1, 10004, 99900, OUTBOX_CONFIRMED);
	add_order(f, SEQ(3), "city", noon(DAY) + 2, 5, 100, OUTBOX_CONFIRMED);
	/* Not of this check: another day, another platform, nobody's. */
	add_order(f, SEQ(4), "city", noon(DAY + 1), 1000, 1000, OUTBOX_CONFIRMED);
	add_order(f, SEQ(5), "other", noon(DAY), 1000, 1000, OUTBOX_CONFIRMED);
	add_order(f, SEQ(6), "", noon(DAY), 1000, 1000, OUTBOX_WAITING);
	add_order(f, SEQ(7), "city", noon(DAY) + 3, 2000, 30000, OUTBOX_WAITING);
}

static void answer(struct fixture *f, enum peer_outcome outcome, const char *json)
{
	struct value *v = NULL;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	if (json) {
		assert_int_equal(json_read(f->reader, json, strlen(json), &arena, &v, &f->err), FC_OK);
		assert_int_equal(message_check(message_schema(played.message, MESSAGE_ANSWER), v, 0, &arena, &f->err),
				 FC_OK);
	}
	played.done(played.user, outcome, v);
	arena_fini(&arena);
}

static void keep(void *user, const struct check_difference *difference)
{
	struct fixture *f = user;

	assert_true(f->count < 16);
	f->differences[f->count++] = *difference;
}

static const struct check_difference *difference(const struct fixture *f, const char *seq)
{
	for (int i = 0; i < f->count; i++)
		if (!strcmp(f->differences[i].seq, seq))
			return &f->differences[i];
	return NULL;
}

/* Tests ----------------------------------------------------------------------------------------------------------- */

static void the_request(void **state)
{
	struct fixture *f = *state;
	char want[2048];

	add_day(f);
	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_OK);
	assert_string_equal(played.message->method, "check_charge_orders");
	/* Energy is rounded for each order as it was told: 12.35 (half up), 10.00, 0.01, 2.00. */
	const char *seq = strstr(played.request, "\"CheckOrderSeq\":\"");
	assert_non_null(seq);
	(void)snprintf(seq_of_check, sizeof(seq_of_check), "%.27s", seq + 17);
	assert_int_equal(strspn(seq_of_check, "0123456789"), 27);
	(void)snprintf(
	    want, sizeof(want),
	    "{\"CheckOrderSeq\":\"%s\",\"StartTime\":\"2024-10-04 00:00:00\",\"EndTime\":\"2024-10-04 23:59:59\","
	    "\"OrderCount\":4,\"TotalOrderPower\":24.3600,\"TotalOrderMoney\":28.00,\"ChargeOrders\":["
	    "{\"StartChargeSeq\":\"" SEQ(1) "\",\"TotalPower\":12.35,\"TotalMoney\":15.00},"
					    "{\"StartChargeSeq\":\"" SEQ(
						2) "\",\"TotalPower\":10.00,\"TotalMoney\":9.99},"
						   "{\"StartChargeSeq\":\"" SEQ(
						       3) "\",\"TotalPower\":0.01,\"TotalMoney\":0.01},"
							  "{\"StartChargeSeq\":\"" SEQ(
							      7) "\",\"TotalPower\":2.00,\"TotalMoney\":3.00}]}",
	    seq_of_check);
	assert_string_equal(played.request, want);
}

static void an_empty_day(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_OK);
	assert_non_null(
	    strstr(played.request,
		   "\"OrderCount\":0,\"TotalOrderPower\":0.0000,\"TotalOrderMoney\":0.00,\"ChargeOrders\":[]}"));
	answer(f, PEER_DONE, "{\"TotalDisputeOrder\":0,\"DisputeOrders\":[]}");
	assert_int_equal(f->finished, 1);
	assert_int_equal(f->check.orders, 0);
	assert_int_equal(f->check.differences, 0);
}

static void differences_are_named(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry entry;
	const struct check_difference *d;
	int32_t day;

	add_day(f);
	assert_int_equal(checks_last_day(f->store, "city", &day), FC_ENOENT);
	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_OK);
	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_EBUSY);
	answer(f, PEER_DONE,
	       "{\"TotalDisputeOrder\":4,\"DisputeOrders\":["
	       "{\"StartChargeSeq\":\"" SEQ(
		   1) "\",\"TotalPower\":12.35,\"TotalMoney\":\"15.01\",\"DisputeReason\":2},"
		      "{\"StartChargeSeq\":\"" SEQ(
			  2) "\",\"TotalPower\":9,\"TotalMoney\":9.99,\"DisputeReason\":\"3\"},"
			     "{\"StartChargeSeq\":\"" SEQ(
				 3) "\",\"DisputeReason\":1},"
				    "{\"StartChargeSeq\":\"" SEQ(
					9) "\",\"TotalPower\":1.5,\"TotalMoney\":2,\"DisputeReason\":4}]}");
	assert_int_equal(f->finished, 1);
	assert_string_equal(f->why, "");
	assert_int_equal(f->check.orders, 4);
	assert_int_equal(f->check.differences, 5);
	assert_int_equal(checks_each_difference(f->store, "city", DAY, keep, f), 5);
	d = difference(f, SEQ(1));
	assert_int_equal(d->reason, CHECK_MONEY);
	assert_int_equal(d->our_money_e4, 150000);
	assert_int_equal(d->their_money_e4, 150100);
	d = difference(f, SEQ(2));
	assert_int_equal(d->reason, CHECK_ENERGY);
	assert_int_equal(d->our_energy_e2, 1000);
	assert_int_equal(d->their_energy_e2, 900);
	d = difference(f, SEQ(3));
	assert_int_equal(d->reason, CHECK_MISSING);
	assert_int_equal(d->their_money_e4, -1);
	assert_int_equal(difference(f, SEQ(7))->reason, CHECK_UNCONFIRMED);
	d = difference(f, SEQ(9));
	assert_int_equal(d->reason, CHECK_NOT_OURS);
	assert_int_equal(d->their_energy_e2, 150);
	/* What is unknown there is sent again, in its place of the order. */
	assert_int_equal(f->resent, 1);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
	assert_string_equal(entry.seq, SEQ(3));
	assert_int_equal(checks_last_day(f->store, "city", &day), FC_OK);
	assert_int_equal(day, DAY);
	/* Once more, all well: the new check replaces the old one. */
	f->count = 0;
	assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_CONFIRMED, 0, NULL, &f->err), FC_OK);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
	assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_CONFIRMED, 0, NULL, &f->err), FC_OK);
	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_OK);
	answer(f, PEER_DONE, "{\"TotalDisputeOrder\":0}");
	assert_int_equal(f->check.differences, 0);
	assert_int_equal(checks_each_difference(f->store, "city", DAY, keep, f), 0);
	struct check check;
	assert_int_equal(checks_get(f->store, "city", DAY, &check), FC_OK);
	assert_int_equal(check.money_e4, 280000);
	assert_int_equal(checks_get(f->store, "city", DAY + 1, &check), FC_ENOENT);
}

static void no_answer_is_no_check(void **state)
{
	struct fixture *f = *state;
	int32_t day;

	add_day(f);
	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_OK);
	answer(f, PEER_UNREACHED, NULL);
	assert_int_equal(f->finished, 1);
	assert_true(*f->why);
	assert_int_equal(checks_last_day(f->store, "city", &day), FC_ENOENT);
	/* A platform that goes away in the middle: who waits hears of it. */
	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_OK);
	reconcile_free(f->reconcile);
	assert_int_equal(f->finished, 2);
	f->reconcile = reconcile_new(&f->platform, NULL, on_resend, f);
	played.ready = 0;
	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_EBUSY);
	f->options.iserv = 0;
	played.ready = 1;
	assert_int_equal(reconcile_start(f->reconcile, DAY, on_done, f, &f->err), FC_EINVAL);
	assert_int_equal(reconcile_pump(f->reconcile, 1), 60000);
	assert_int_equal(played.calls, 2);
}

/* A mapping whose hours are now, long enough for every station's share of them. */
static void hours_of_now(struct fixture *f)
{
	int64_t since = clock_wall() - noon(clock_day(clock_wall())) + 43200;
	char path[128];

	if (since < 300) {
		print_message("SKIPPED: the day is too young\n");
		skip();
	}
	(void)snprintf(path, sizeof(path), "%.60s/operators", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%.60s/operators/now.lua", f->folder);
	FILE *to = fopen(path, "w");
	assert_non_null(to);
	fprintf(to,
		"return { forecourt = 1, kind = 'operator', name = 'now', timing = { reconcile_from_h = %.4f, "
		"reconcile_to_h = %.4f } }",
		(double)(since - 250) / 3600, (double)(since < 86300 ? since + 100 : 86400) / 3600);
	assert_int_equal(fclose(to), 0);
	f->platform.mapping = mapping_load(&(struct script_host){.lua_dir = f->folder}, "now", NULL, &f->err);
	if (!f->platform.mapping)
		fail_msg("%s", f->err.text);
}

/* What was missed is made up for day by day, up to yesterday. */
static void the_nightly_one(void **state)
{
	struct fixture *f = *state;
	int32_t today = clock_day(clock_wall()), day;
	const struct check old = {.platform = "city", .day = today - 3};
	char text[64], date[CLOCK_DATE_SIZE];
	int64_t now = clock_mono_ms();

	hours_of_now(f);
	assert_int_equal(checks_save(f->store, &old, NULL, 0, &f->err), FC_OK);
	for (int back = 2; back >= 1; back--) {
		now += 700000;
		(void)reconcile_pump(f->reconcile, now);
		clock_format_day(today - back, date);
		(void)snprintf(text, sizeof(text), "\"StartTime\":\"%s 00:00:00\"", date);
		assert_non_null(strstr(played.request, text));
		answer(f, PEER_DONE, "{}");
		assert_int_equal(checks_last_day(f->store, "city", &day), FC_OK);
		assert_int_equal(day, today - back);
	}
	assert_int_equal(played.calls, 2);
	(void)reconcile_pump(f->reconcile, now + 700000);
	assert_int_equal(played.calls, 2);
	mapping_free(f->platform.mapping);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_request),           TEST(an_empty_day),    TEST(differences_are_named),
	    TEST(no_answer_is_no_check), TEST(the_nightly_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
