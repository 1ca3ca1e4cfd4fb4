/* control: what happened: events by connector, kind and page, the life of an order, orders as a CSV that no spreadsheet takes for
 * formulas, comparisons. */
#include "control_fixture.h"
#include "store/checks.h"
#include "store/events.h"

static void told(void *user, const struct control_result *result)
{
	struct fixture *f = user;

	f->answers++;
	f->code = result->code;
	(void)snprintf(f->error, sizeof(f->error), "%s", result->error);
	buffer_clear(&f->text);
	f->result = NULL;
	if (!result->result)
		return;
	assert_int_equal(json_write(&f->text, result->result), FC_OK);
	arena_fini(&f->arena);
	assert_int_equal(json_read(f->reader, f->text.data, f->text.len, &f->arena, &f->result, &f->err), FC_OK);
}

static int call(struct fixture *f, const char *name, const char *arguments)
{
	const struct control_caller caller = {"test", NULL, CONTROL_VIEW, 0};
	struct value *tree = NULL;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	assert_int_equal(json_read(f->reader, arguments, strlen(arguments), &arena, &tree, &f->err), FC_OK);
	assert_null(control_call(f->control, &caller, name, tree, told, f));
	arena_fini(&arena);
	return f->code;
}

static const char *text(const struct value *object, const char *key)
{
	const char *found = value_text(value_get(object, key));

	return found ? found : "";
}

static int64_t number(const struct value *object, const char *key)
{
	int64_t i = -1;

	(void)value_to_int(value_get(object, key), &i);
	return i;
}

static const char seq[] = "123456789000000000000000001";

static void add(struct fixture *f, const struct event *event)
{
	assert_int_equal(events_add(f->store, event, &f->err), FC_OK);
}

static void events_by_connector_and_kind(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		add(f, &(struct event){
			   .kind = EVENT_STATUS, .connector = "C11", .from = "idle", .to = "occupied", .at = 1000 + i});
	add(f, &(struct event){.kind = EVENT_MESSAGE,
			       .connector = "C11",
			       .seq = seq,
			       .who = "city",
			       .detail = "{\"method\":\"m\",\"ret\":0}"});
	add(f, &(struct event){.kind = EVENT_ALARM,
			       .connector = "C12",
			       .text = "hot \"<b>\"",
			       .who = "a",
			       .detail = "{\"id\":7,\"level\":\"error\"}"});
	add(f, &(struct event){.kind = EVENT_LIMIT, .connector = "C12", .detail = "not json"});
	assert_int_equal(call(f, "events", "{\"connector\":\"C11\"}"), FC_OK);
	const struct value *list = value_get(f->result, "events");
	assert_int_equal(list->count, 10);
	assert_int_equal(number(list->first, "at"), 1009);
	assert_string_equal(text(list->first, "kind"), "status");
	assert_string_equal(text(list->first, "to"), "occupied");
	assert_null(value_get(list->first, "text"));
	assert_null(value_get(f->result, "next"));
	assert_int_equal(call(f, "events", "{\"connector\":\"C11\",\"kind\":\"message\"}"), FC_OK);
	list = value_get(f->result, "events");
	assert_int_equal(list->count, 1);
	assert_string_equal(text(list->first, "method"), "m");
	assert_int_equal(call(f, "events", "{\"limit\":2}"), FC_OK);
	list = value_get(f->result, "events");
	/* A detail that is none is left out, and one can't take the place of what the store says. */
	assert_string_equal(text(list->first, "kind"), "limit");
	assert_string_equal(text(list->last, "text"), "hot \"<b>\"");
	assert_int_not_equal(number(list->last, "id"), 7);
	assert_string_equal(text(list->last, "level"), "error");
	assert_true(number(f->result, "next") > 0);
	assert_int_equal(call(f, "events", "{\"kind\":\"nothing\"}"), FC_EINVAL);
	assert_int_equal(call(f, "events", "{\"limit\":201}"), FC_EINVAL);
}

static void the_life_of_an_order(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "order_life", "{\"seq\":\"123456789000000000000000001\"}"), FC_ENOENT);
	/* A start that was refused has no order, and a life all the same. */
	add(f, &(struct event){
		   .kind = EVENT_COMMAND, .seq = seq, .to = "start", .who = "city", .text = "no car is plugged in"});
	assert_int_equal(call(f, "order_life", "{\"seq\":\"123456789000000000000000001\"}"), FC_OK);
	keep_order(f, 1, NULL);
	add(f, &(struct event){
		   .kind = EVENT_MESSAGE,
		   .seq = seq,
		   .who = "city",
		   .detail = "{\"direction\":\"out\",\"method\":\"m\",\"ret\":500,\"attempt\":1,\"duration_ms\":12}"});
	assert_int_equal(call(f, "order_life", "{\"seq\":\"123456789000000000000000001\"}"), FC_OK);
	const struct value *list = value_get(f->result, "events");
	assert_int_equal(list->count, 2);
	assert_string_equal(text(list->first, "kind"), "command");
	assert_string_equal(text(list->first, "who"), "city");
	assert_string_equal(text(list->last, "platform"), "city");
	assert_int_equal(number(list->last, "ret"), 500);
	assert_int_equal(number(list->last, "attempt"), 1);
	assert_null(value_get(list->last, "who"));
}

/* Fields of the second line. */
static void orders_as_csv(void **state)
{
	struct fixture *f = *state;
	struct journal_order evil = {.start_wall = 1795190400, .record = "{}", .seq = "123456789000000000000000050"};

	(void)snprintf(evil.platform, sizeof(evil.platform), "=HYPERLINK(\"x\",1)");
	(void)snprintf(evil.connector_id, sizeof(evil.connector_id), "@SUM(1,2)");
	assert_int_equal(journal_open(f->store, &evil, &f->err), FC_OK);
	evil.end_wall = 1;
	assert_int_equal(journal_close(f->store, &evil, NULL, 0, &f->err), FC_OK);
	keep_order(f, 3, NULL);
	assert_int_equal(call(f, "orders_csv", "{}"), FC_OK);
	const char *csv = text(f->result, "text");
	assert_int_equal(f->result->count, 3);
	assert_non_null(strstr(text(f->result, "file"), ".csv"));
	assert_memory_equal(csv, "\xEF\xBB\xBFseq,connector,platform,", 25);
	assert_non_null(strstr(csv, "\r\n123456789000000000000000050,\"'@SUM(1,2)\",\"'=HYPERLINK(\"\"x\"\",1)\","));
	/* Energy with three places, money with two; what the damaged one does not have is empty, not 0. */
	assert_non_null(strstr(csv, ",0.000,,,0.00,"));
	assert_non_null(strstr(csv, ",0.030,"));
	assert_int_equal(call(f, "orders_csv", "{\"search\":\"hyper\"}"), FC_OK);
	assert_null(strstr(text(f->result, "text"), ",0.030,"));
	assert_int_equal(call(f, "orders_csv", "{\"after\":\"nonsense\"}"), FC_EINVAL);
	assert_int_equal(call(f, "orders_csv", "{\"state\":\"nonsense\"}"), FC_EINVAL);
}

static void a_long_csv_comes_in_parts(void **state)
{
	struct fixture *f = *state;
	char arguments[128] = "{}";
	int rows = 0, parts = 0, heads = 0;
	const char *next;

	for (int i = 1; i <= 230; i++)
		keep_order(f, i, NULL);
	do {
		assert_int_equal(call(f, "orders_csv", arguments), FC_OK);
		const char *csv = text(f->result, "text");
		heads += strstr(csv, "seq,connector") != NULL;
		for (const char *line = strstr(csv, "\r\n"); line; line = strstr(line + 2, "\r\n"))
			rows++;
		next = value_text(value_get(f->result, "next"));
		(void)snprintf(arguments, sizeof(arguments), "{\"after\":\"%s\"}", next ? next : "");
		parts++;
	} while (next);
	assert_int_equal(heads, 1);
	assert_int_equal(rows, 231);
	assert_int_equal(parts, 3);
}

static void comparisons(void **state)
{
	struct fixture *f = *state;
	const struct check first = {
	    .platform = "city", .day = 20000, .at_wall = 1795190400, .orders = 7, .energy_e2 = 1234};
	struct check second = first;

	assert_int_equal(call(f, "checks", "{}"), FC_OK);
	assert_int_equal(value_get(f->result, "checks")->count, 0);
	second.day = 20001;
	assert_int_equal(checks_save(f->store, &first, NULL, 0, &f->err), FC_OK);
	assert_int_equal(checks_save(f->store, &second, NULL, 0, &f->err), FC_OK);
	assert_int_equal(call(f, "checks", "{\"platform\":\"city\"}"), FC_OK);
	const struct value *list = value_get(f->result, "checks");
	assert_int_equal(list->count, 2);
	assert_string_equal(text(list->first, "date"), "2024-10-05");
	assert_int_equal(number(list->first, "energy_wh"), 12340);
	assert_int_equal(number(list->first, "differences"), 0);
	assert_int_equal(call(f, "checks", "{\"platform\":\"other\"}"), FC_OK);
	assert_int_equal(value_get(f->result, "checks")->count, 0);
	assert_int_equal(call(f, "checks", "{\"limit\":1}"), FC_OK);
	assert_int_equal(value_get(f->result, "checks")->count, 1);
}

static void curves_of_connectors_that_there_are(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "history", "{\"connector\":\"C99\",\"from\":1,\"to\":2}"), FC_ENOENT);
	assert_int_equal(call(f, "history", "{\"connector\":\"C11\",\"from\":1}"), FC_EINVAL);
	assert_int_equal(call(f, "history", "{\"connector\":\"C11\",\"from\":1,\"to\":2,\"points\":1001}"), FC_EINVAL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(events_by_connector_and_kind), T(the_life_of_an_order), T(orders_as_csv),
	    T(a_long_csv_comes_in_parts),    T(comparisons),          T(curves_of_connectors_that_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
