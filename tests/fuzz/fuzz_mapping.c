/* An operator's mapping: a Lua text through the sandbox and the reader of its tables: paths, methods, plain, timing.
 *
 * What is refused says the file. What is taken is unambiguous: each method that we answer is found by its own path, timings are numbers
 * that a clock can be set by, and what proves nothing is never a call that changes something. */
#include "base/error.h"
#include "bytes.h"
#include "lua_text.h"
#include "mutate.h"
#include "upstream/mapping.h"

static void check_timings(const struct mapping *m)
{
	for (int t = 0; t < TIMING_COUNT; t++) {
		double x = mapping_timing(m, (enum timing)t, -1);

		fuzz_check(x >= 0 && x < 1e9);
		for (int i = 0; i < 3; i++) {
			double item = mapping_timing_item(m, (enum timing)t, i);

			fuzz_check(item >= 0 && item < 1e9);
		}
	}
}

static void check_mapping(struct mapping *m)
{
	const struct config_platform platform = {0};
	const struct message *message;

	for (int i = 0; (message = message_at(i)); i++) {
		const char *path = mapping_path(m, message);

		fuzz_check(path[0] && strlen(path) < 128 && !strstr(path, ".."));
		for (const char *c = path; *c; c++)
			fuzz_check(*c > ' ' && *c <= '~');
		if (message->caller != MESSAGE_WE_CALL)
			fuzz_check(mapping_find(m, path) == message);
		if (mapping_plain(m, message))
			fuzz_check(message->caller != MESSAGE_BOTH &&
				   (message->caller == MESSAGE_WE_CALL || !message->mutating));
		(void)mapping_enabled(m, message, &platform);
	}
	check_timings(m);
	fuzz_check(strlen(mapping_hash(m)) == 64 && !strcmp(mapping_name(m), "t"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	struct lua_text t;
	char *text = copy_of(data, size, 0);

	fuzz_quiet();
	struct mapping *m = mapping_load_file(lua_text(&t, "operators", text, size), t.path, "city", &err);
	if (m) {
		check_mapping(m);
		mapping_free(m);
	} else {
		fuzz_check(err.code && strstr(err.text, t.path));
	}
	free(text);
	return 0;
}

static const char *const words[] = {"forecourt",
				    "kind",
				    "name",
				    "paths",
				    "methods",
				    "plain",
				    "timing",
				    "constants",
				    "map",
				    "examples",
				    "request",
				    "answer",
				    "call",
				    "input",
				    "expect",
				    "query_token",
				    "query_stop_charge",
				    "query_start_charge",
				    "query_stations_info",
				    "query_station_status",
				    "query_equip_auth",
				    "notification_station_status",
				    "notification_charge_order_info",
				    "push_charge_status",
				    "/a/b/c",
				    "a.b",
				    "../x",
				    "true",
				    "false",
				    "1 = 2",
				    "retry_s",
				    "token",
				    "tables",
				    "state",
				    "now",
				    NULL};

MUTATE_BY(table, words)
