/* The store without memory: each allocation of SQLite's fails, one after the other, alone and with all that follow for a while. Whatever was
 * said to be kept is in the file, whatever was said to have failed is not, and the next transaction is a transaction of its own: nothing is
 * written into one that could not be taken back. And whatever is read is what is there, or is said not to have been read: nothing is taken
 * for missing, for empty or for damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "store/accounts.h"
#include "store/audit.h"
#include "store/checks.h"
#include "store/earned.h"
#include "store/events.h"
#include "store/internal.h"
#include "store/journal_list.h"
#include "store/lookup.h"
#include "store/samples.h"
#include "store/versions.h"

/* SQLite's allocator; the first that fails, counted down, and how many after it. */
static sqlite3_mem_methods real;
static long countdown, burst;
static int has_failed;

static int refuses(void)
{
	if (countdown > 0 && --countdown == 0) {
		has_failed = 1;
		if (burst-- > 0)
			countdown = 1;
		return 1;
	}
	return 0;
}

static void *grudging_malloc(int size)
{
	return refuses() ? NULL : real.xMalloc(size);
}

static void *grudging_realloc(void *old, int size)
{
	return refuses() ? NULL : real.xRealloc(old, size);
}

struct fixture {
	char folder[64], file[96];
	struct store *store;
	int number;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "memory");
	(void)snprintf(f->file, sizeof(f->file), "%s/forecourt.db", f->folder);
	/* The test looks into the file beside the store. */
	assert_int_equal(setenv("FORECOURT_SHARED_STORE", "1", 1), 0);
	f->store = store_open(f->folder, &err);
	assert_non_null(f->store);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

/* What another program sees: only what was committed. */
static long committed(const struct fixture *f, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;

	assert_int_equal(sqlite3_open_v2(f->file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	long value = (long)sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return value;
}

static struct journal_order new_order(struct fixture *f)
{
	struct journal_order o = {
	    .connector_id = "K1", .platform = "city", .start_wall = 1000, .wh = 5, .record = "{\"a\":1}"};

	(void)snprintf(o.seq, sizeof(o.seq), "123456789%018d", ++f->number);
	return o;
}

static int is_there(const struct fixture *f, const struct journal_order *o, const char *and)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM orders WHERE seq = '%s' AND %s", o->seq, and);
	return committed(f, sql) == 1;
}

/* One thing that is written, and whether all of it is in the file. */
struct deed {
	const char *name;
	int (*act)(struct fixture *f, struct journal_order *o);
	int (*is_kept)(const struct fixture *f, const struct journal_order *o);
};

static void tell(struct fixture *f, const struct journal_order *o)
{
	const struct event event = {.kind = EVENT_ORDER, .connector = "K1", .seq = o->seq, .text = "opened"};

	(void)events_add(f->store, &event, NULL);
}

static int open_order(struct fixture *f, struct journal_order *o)
{
	*o = new_order(f);
	tell(f, o);
	return journal_open(f->store, o, NULL);
}

static int order_is_open(const struct fixture *f, const struct journal_order *o)
{
	return is_there(f, o, "closed = 0");
}

static int close_order(struct fixture *f, struct journal_order *o)
{
	static const struct journal_recipient city = {"city", "notification_charge_order_info"};
	long left = countdown;

	/* That it is open is not what is tried here. */
	countdown = 0;
	*o = new_order(f);
	assert_int_equal(journal_open(f->store, o, NULL), FC_OK);
	tell(f, o);
	countdown = left;
	return journal_close(f->store, o, &city, 1, NULL);
}

static int order_is_closed(const struct fixture *f, const struct journal_order *o)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM outbox WHERE seq = '%s'", o->seq);
	long waits = committed(f, sql);
	int closed = is_there(f, o, "closed = 1");
	assert_int_equal(closed, waits); /* both, or neither */
	return closed;
}

static int count_energy(struct fixture *f, struct journal_order *o)
{
	*o = new_order(f);
	return store_energy_add(f->store, o->seq, 1, 7, 70, NULL);
}

static int energy_is_counted(const struct fixture *f, const struct journal_order *o)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "SELECT coalesce(sum(wh), 0) FROM energy WHERE connector_id = '%s'", o->seq);
	long wh = committed(f, sql);
	(void)snprintf(sql, sizeof(sql), "SELECT coalesce(sum(wh), 0) FROM meter WHERE connector_id = '%s'", o->seq);
	assert_int_equal(committed(f, sql), wh * 10);
	return wh == 7;
}

static int many_at_once(struct fixture *f, struct journal_order *o)
{
	*o = new_order(f);
	int result = store_begin(f->store, NULL);

	if (result)
		return result;
	result = store_energy_add(f->store, o->seq, 1, 7, 70, NULL);
	if (!result)
		result = store_energy_add(f->store, "other", 1, 7, 70, NULL);
	if (!result)
		return store_commit(f->store, NULL);
	store_rollback(f->store);
	return result;
}

static const struct deed deeds[] = {
    {"open", open_order, order_is_open},
    {"close", close_order, order_is_closed},
    {"energy", count_energy, energy_is_counted},
    {"many at once", many_at_once, energy_is_counted},
};

static long try_all(struct fixture *f, const struct deed *deed, long most)
{
	struct journal_order o, after;
	long n;

	for (n = 1;; n++) {
		countdown = n;
		burst = most;
		has_failed = 0;
		int result = deed->act(f, &o);
		countdown = 0;
		/* What it says is so, also for someone who looks after a power cut. */
		if (deed->is_kept(f, &o) != !result)
			fail_msg("%s, allocation %ld and %ld more: said %d, and is not so", deed->name, n, most,
				 result);
		if (!has_failed)
			break;
		/* A transaction that changes nothing proves nothing. */
		if (result && store_health(f->store)->failing && !f->store->events.first) {
			assert_int_equal(store_begin(f->store, NULL), FC_OK);
			assert_int_equal(store_commit(f->store, NULL), FC_OK);
			assert_true(store_health(f->store)->failing);
		}
		/* And what comes next, with memory, is kept. */
		if (open_order(f, &after) || !order_is_open(f, &after))
			fail_msg("%s, allocation %ld and %ld more: the next order is not kept", deed->name, n, most);
		if (store_begin(f->store, NULL) || store_commit(f->store, NULL))
			fail_msg("%s, allocation %ld and %ld more: no transaction can be begun", deed->name, n, most);
		assert_false(store_health(f->store)->failing);
	}
	return n - 1;
}

static void what_is_said_is_so(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		long alone = try_all(f, &deeds[i], 0), with_more = try_all(f, &deeds[i], 3),
		     starved = try_all(f, &deeds[i], 1000);

		printf("%s: %ld allocations failed alone, %ld with three more, %ld with all that follow\n",
		       deeds[i].name, alone, with_more, starved);
		assert_true(alone > 0 && with_more > 0 && starved > 0);
	}
}

/* Reading ------------------------------------------------------------------------------------------------------------------- */

/* What was read, as a text. */
struct told {
	char text[65536];
	size_t len;
};

static void add(struct told *t, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	int n = vsnprintf(t->text + t->len, sizeof(t->text) - t->len, format, list);
	va_end(list);
	assert_true(n >= 0 && (size_t)n < sizeof(t->text) - t->len);
	t->len += (size_t)n;
}

static void tell_order(void *user, const struct journal_order *o)
{
	add(user, "%s %s %s %lld %lld %s\n", o->seq, o->connector_id, o->platform, (long long)o->wh,
	    (long long)o->end_wall, o->record);
}

static void tell_entry(void *user, const struct outbox_entry *e)
{
	add(user, "%s %s %s %d %s\n", e->platform, e->method, e->seq, (int)e->state, e->mapping);
}

static void tell_count(void *user, const char *platform, enum outbox_state state, int64_t count)
{
	add(user, "%s %d %lld\n", platform, (int)state, (long long)count);
}

enum { ORDERS = 4, LONG = 1500 };

static void number(int i, char seq[JOURNAL_SEQ])
{
	(void)snprintf(seq, JOURNAL_SEQ, "987654321%018d", i);
}

static int read_open(struct fixture *f, struct told *t)
{
	return journal_each_open(f->store, tell_order, t);
}

static int read_closed(struct fixture *f, struct told *t)
{
	return journal_each_closed(f->store, "city", 0, 1 << 30, tell_order, t);
}

static int read_one(struct fixture *f, struct told *t)
{
	char seq[JOURNAL_SEQ];

	number(1, seq);
	return journal_find(f->store, seq, tell_order, t);
}

static int read_last(struct fixture *f, struct told *t)
{
	return journal_last(f->store, "K1", 2, tell_order, t);
}

static int read_first(struct fixture *f, struct told *t)
{
	struct outbox_entry entry;
	int result = outbox_first(f->store, "city", NULL, NULL, &entry);

	if (!result)
		tell_entry(t, &entry);
	return result;
}

static int read_told(struct fixture *f, struct told *t)
{
	char seq[JOURNAL_SEQ];

	number(0, seq);
	return outbox_of(f->store, seq, tell_entry, t);
}

static int read_unsettled(struct fixture *f, struct told *t)
{
	int64_t end;
	int result = outbox_unsettled(f->store, tell_count, t);

	if (result >= 0)
		result = outbox_oldest(f->store, "city", &end);
	if (result >= 0)
		add(t, "%lld\n", (long long)end);
	return result;
}

static int read_page(struct fixture *f, struct told *t)
{
	struct journal_place place = {0};
	const struct journal_query query = {.told = JOURNAL_CONFIRMED, .last = 1 << 30, .most = 4};
	int result = journal_page(f->store, &query, &place, tell_order, t);

	if (result >= 0)
		add(t, "%s %lld\n", place.seq, (long long)place.end_wall);
	return result;
}

static int read_values(struct fixture *f, struct told *t)
{
	char text[LONG + 1];
	int64_t wh;
	int result = store_value_get(f->store, "key", text, sizeof(text));

	if (result)
		return result;
	add(t, "%s\n", text);
	result = store_energy_meter(f->store, "K1", &wh);
	if (result)
		return result;
	add(t, "%lld\n", (long long)wh);
	wh = store_energy_sum(f->store, "K1", 0, 9);
	if (wh < 0)
		return (int)wh;
	add(t, "%lld\n", (long long)wh);
	result = lookup_get(f->store, "space", "name", "key", text, sizeof(text));
	if (!result)
		add(t, "%s\n", text);
	if (!result)
		result = lookup_key(f->store, "space", "name", "value", 0, text, sizeof(text));
	if (!result)
		add(t, "%s\n", text);
	int count = result ? result : lookup_count(f->store, "space", "name");
	if (count >= 0)
		add(t, "%d\n", count);
	return count;
}

static void tell_version(void *user, const struct version *v)
{
	add(user, "%s %s %s %s\n", v->item, v->hash, v->whole, v->origin);
}

static void tell_part(void *user, const char *item, const char *hash)
{
	add(user, "%s %s\n", item, hash);
}

static void tell_text(void *user, const char *text, size_t len)
{
	add(user, "%zu %.*s\n", len, (int)len, text);
}

static int read_versions(struct fixture *f, struct told *t)
{
	int result = version_each(f->store, NULL, 0, 10, tell_version, t);

	if (result >= 0)
		result = version_each_part(f->store, "whole", tell_part, t);
	if (result >= 0)
		result = version_text(f->store, "hash", tell_text, t);
	return result < 0 ? result : version_text(f->store, "empty", tell_text, t);
}

static void tell_account(void *user, const struct account_row *a)
{
	add(user, "%s %s %s %s\n", a->name, a->role, a->hash, a->login_place);
}

static void tell_token(void *user, const struct token_row *k)
{
	add(user, "%s %s %s %s\n", k->name, k->role, k->digest, k->by);
}

static void tell_audit(void *user, const struct audit_entry *e)
{
	add(user, "%s %s %s %s %s\n", e->who, e->command, e->arguments, e->result, e->place);
}

static int read_people(struct fixture *f, struct told *t)
{
	int result = account_each(f->store, tell_account, t);

	if (result >= 0)
		result = token_each(f->store, tell_token, t);
	return result < 0 ? result : audit_each(f->store, 0, 10, tell_audit, t);
}

static void tell_event(void *user, const struct event *e)
{
	add(user, "%d %s %s %s %s %s %s %s\n", (int)e->kind, e->connector, e->seq, e->from, e->to, e->text, e->who,
	    e->detail);
}

static void tell_minute(void *user, int32_t minute, const struct sample *sample)
{
	add(user, "%d %d\n", (int)minute, (int)sample->power_w);
}

static int read_events(struct fixture *f, struct told *t)
{
	const struct event_query query = {.seq = "987654321000000000000000000", .most = 10};
	int64_t below = 0;
	int result = events_page(f->store, &query, &below, tell_event, t);

	return result < 0 ? result : samples_each(f->store, "K1", 0, 30, tell_minute, t);
}

static void tell_checked(void *user, const struct check_order *o)
{
	add(user, "%s %lld %d\n", o->seq, (long long)o->wh, o->confirmed);
}

static void tell_check(void *user, const struct check *c)
{
	add(user, "%s %d %lld\n", c->platform, (int)c->day, (long long)c->orders);
}

static void tell_difference(void *user, const struct check_difference *d)
{
	add(user, "%s %d\n", d->seq, d->reason);
}

static int read_checks(struct fixture *f, struct told *t)
{
	struct earned earned;
	int32_t day;
	int result = checks_each_order(f->store, "city", 0, 1 << 30, tell_checked, t);

	if (result >= 0)
		result = checks_each(f->store, NULL, 5, tell_check, t);
	if (result >= 0)
		result = checks_each_difference(f->store, "city", 3, tell_difference, t);
	if (result >= 0)
		result = checks_last_day(f->store, "city", &day);
	if (result >= 0)
		add(t, "%d\n", (int)day);
	int64_t n = result < 0 ? result : checks_unsettled(f->store, "city", 0, 1 << 30);
	if (n < 0)
		return (int)n;
	add(t, "%lld\n", (long long)n);
	result = earned_between(f->store, 0, 1 << 30, &earned);
	if (!result)
		add(t, "%lld %lld\n", (long long)earned.orders, (long long)earned.wh);
	return result;
}

/* The text is long: its row goes on in pages of its own, and its copy needs memory each time. */
static char *long_text(const char *begin, char fill)
{
	static char text[LONG];

	memset(text, fill, sizeof(text) - 1);
	memcpy(text, begin, strlen(begin));
	memcpy(text + sizeof(text) - 3, "\"}", 3);
	return text;
}

static void fill_journal(struct fixture *f)
{
	static const struct journal_recipient both[] = {{"city", "notification_charge_order_info"},
							{"bonus", "notification_bonus"}};
	char mapping[JOURNAL_VERSION];

	memset(mapping, 'm', sizeof(mapping) - 1);
	mapping[sizeof(mapping) - 1] = '\0';
	for (int i = 0; i < ORDERS; i++) {
		struct journal_order o = {.connector_id = "K1",
					  .platform = "city",
					  .start_wall = 1000,
					  .end_wall = 2000 + i,
					  .wh = 5 + i,
					  .record = long_text("{\"a\":\"", (char)('a' + i))};

		number(i, o.seq);
		if (i == 0)
			(void)events_add(f->store,
					 &(struct event){.kind = EVENT_ORDER,
							 .connector = "K1",
							 .seq = o.seq,
							 .text = "an event with a text that is not so short",
							 .who = "city",
							 .detail = "{}"},
					 NULL);
		assert_int_equal(journal_open(f->store, &o, NULL), FC_OK);
		/* The newest two run. */
		if (i < ORDERS - 2)
			assert_int_equal(journal_close(f->store, &o, both, 1 + (i == 0), NULL), FC_OK);
	}
	assert_int_equal(outbox_done(f->store, 1, OUTBOX_CONFIRMED, 0, mapping, NULL), FC_OK);
	assert_int_equal(outbox_done(f->store, 2, OUTBOX_CONFIRMED, 0, mapping, NULL), FC_OK);
	assert_int_equal(outbox_flush(f->store, NULL), FC_OK);
}

static void fill_others(struct fixture *f)
{
	const struct version version = {.item = "operators/x", .hash = "hash", .whole = "whole", .origin = "start"};
	const struct account_row account = {
	    .name = "name", .role = "viewer", .hash = "$7$CU..../....", .login_place = "place"};
	struct token_row token = {.name = "token", .role = "viewer", .digest = "0123456789abcdef", .by = "name"};
	const struct audit_entry entry = {
	    .who = "user 0 (process 123)", .command = "start", .arguments = "{}", .result = "done", .place = "p"};
	const struct check check = {.platform = "city", .day = 3, .orders = 2, .differences = 1};
	const struct check_difference difference = {.seq = "987654321000000000000000000", .reason = CHECK_MONEY};
	struct sample minutes[SAMPLE_MINUTES];

	for (int i = 0; i < SAMPLE_MINUTES; i++)
		minutes[i] = (struct sample){.power_w = 1000 * i, .voltage_dv = 1, .current_da = 1, .soc_e1 = 1};
	assert_int_equal(store_value_set(f->store, "key", long_text("", 'v'), NULL), FC_OK);
	assert_int_equal(store_energy_add(f->store, "K1", 3, 7, 70, NULL), FC_OK);
	assert_int_equal(lookup_put(f->store, "space", &(struct lookup_entry){"name", "key", "value"}, 1, NULL), FC_OK);
	assert_int_equal(version_add(f->store, &version, long_text("-- ", 'x'), LONG - 1, NULL), FC_OK);
	assert_int_equal(version_add_text(f->store, "empty", "", 0, NULL), FC_OK);
	assert_int_equal(version_add_part(f->store, "whole", "lib/y", "part", NULL), FC_OK);
	assert_int_equal(account_put(f->store, &account, NULL), FC_OK);
	assert_int_equal(token_put(f->store, &token, NULL), FC_OK);
	assert_int_equal(audit_add(f->store, &entry, NULL, NULL), FC_OK);
	assert_int_equal(checks_save(f->store, &check, &difference, 1, NULL), FC_OK);
	assert_int_equal(samples_put(f->store, "K1", 1, minutes, NULL), FC_OK);
}

static const struct {
	const char *name;
	int (*read)(struct fixture *f, struct told *t);
} readings[] = {{"open", read_open},
		{"closed", read_closed},
		{"one", read_one},
		{"last", read_last},
		{"first of the outbox", read_first},
		{"told", read_told},
		{"unsettled", read_unsettled},
		{"a page", read_page},
		{"values", read_values},
		{"versions", read_versions},
		{"people", read_people},
		{"events", read_events},
		{"checks", read_checks}};

/* As many allocations as there are, each failing with so many more; forget: pages are read from the file each time. */
static long read_without(struct fixture *f, size_t which, const struct told *truth, long more, int forget)
{
	static struct told t;
	long n;

	for (n = 1;; n++) {
		if (forget)
			(void)sqlite3_db_release_memory(f->store->db);
		t = (struct told){0};
		countdown = n;
		burst = more;
		has_failed = 0;
		int result = readings[which].read(f, &t);
		countdown = 0;
		if (result >= 0 && strcmp(t.text, truth->text) != 0)
			fail_msg("%s, allocation %ld and %ld more: read as\n%.2000s", readings[which].name, n, more,
				 t.text);
		if (result < 0 && (result != FC_EIO || strncmp(t.text, truth->text, t.len) != 0))
			fail_msg("%s, allocation %ld and %ld more: said %d after\n%.2000s", readings[which].name, n,
				 more, result, t.text);
		if (!has_failed)
			return n - 1;
		/* And what is read next, with memory, is what is there. */
		t = (struct told){0};
		if (readings[which].read(f, &t) < 0 || strcmp(t.text, truth->text) != 0)
			fail_msg("%s, allocation %ld and %ld more: read afterwards as\n%.2000s", readings[which].name,
				 n, more, t.text);
	}
}

static void what_is_read_is_there(void **state)
{
	struct fixture *f = *state;
	static struct told truth;

	fill_journal(f);
	fill_others(f);
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		truth = (struct told){0};
		assert_true(readings[i].read(f, &truth) >= 0);
		assert_true(truth.len > 0);
		long all = 0;
		for (int forget = 0; forget < 2; forget++)
			for (long more = 0; more <= 1000; more += 1000)
				all += read_without(f, i, &truth, more, forget);
		printf("%s: %ld allocations failed, of %zu bytes read nothing was wrong\n", readings[i].name, all,
		       truth.len);
		assert_true(all > 0);
	}
	assert_false(f->store->damaged);
}

/* A text that SQLite makes when it is asked for: of a number, which is how a file's version and page size are read. */
static void a_text_without_memory_is_none(void **state)
{
	struct fixture *f = *state;
	int failed = 0;

	for (long n = 1;; n++) {
		char text[64] = "old";

		countdown = n;
		burst = 1000;
		has_failed = 0;
		sqlite3_stmt *s = store_prepare(f->store->db, "SELECT 9223372036854775807, NULL, 'text'");
		if (s && sqlite3_step(s) == SQLITE_ROW) {
			if (store_text(s, 0, text, sizeof(text))) {
				assert_string_equal(text, "");
				failed++;
			} else {
				assert_string_equal(text, "9223372036854775807");
			}
			assert_int_equal(store_text(s, 1, text, sizeof(text)), FC_OK);
			assert_string_equal(text, "");
		}
		countdown = 0;
		sqlite3_finalize(s);
		if (!has_failed)
			break;
	}
	assert_true(failed > 0);
}

/* A file is opened, or it is not: never taken for damaged, for empty or for one of another version, and never set aside. */
static void a_file_is_opened_or_not(void **state)
{
	struct fixture *f = *state;
	static struct told truth, t;
	char aside[128];
	long n, refused = 0;

	fill_journal(f);
	fill_others(f);
	(void)snprintf(aside, sizeof(aside), "%s.damaged-1", f->file);
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
		assert_true(readings[i].read(f, &truth) >= 0);
	store_close(f->store);
	for (n = 1;; n++) {
		struct error err = {0};

		countdown = n;
		burst = n % 2 ? 0 : 1000;
		has_failed = 0;
		f->store = store_open(f->folder, &err);
		countdown = 0;
		if (access(aside, F_OK) == 0)
			fail_msg("allocation %ld: the file was taken for damaged", n);
		if (!f->store && !err.code)
			fail_msg("allocation %ld: not opened, and nobody knows why", n);
		refused += !f->store;
		if (!has_failed)
			break;
		store_close(f->store);
		f->store = NULL;
	}
	assert_non_null(f->store);
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
		assert_true(readings[i].read(f, &t) >= 0);
	assert_string_equal(t.text, truth.text);
	printf("%ld allocations of a start, %ld of them needed\n", n - 1, refused);
	assert_true(refused > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_is_said_is_so, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_read_is_there, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_text_without_memory_is_none, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_file_is_opened_or_not, set_up, tear_down),
	};
	sqlite3_mem_methods grudging;

	/* Before SQLite is used. */
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) || sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0))
		return 1;
	grudging = real;
	grudging.xMalloc = grudging_malloc;
	grudging.xRealloc = grudging_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &grudging))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
