/* Command support_bundle: what somebody elsewhere wants to know of this gateway, as one .tar.gz. Collected on the loop out of other
 * commands' answers, packed beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "control/bytes.h"
#include "control/scrub.h"
#include "control/tar.h"
#include "control/trace_file.h"
#include "loop/aside.h"

enum { GZIP = 15 + 16, LEVEL = 6, MEMORY_LEVEL = 8 };
static const size_t tar_max = 6 << 20, gz_max = (size_t)1 << 20, file_max = 2 << 20;

/* What is asked; one that is not there in this build, or answers later, is left out. */
static const struct part {
	const char *file, *command;
	int limit; /* argument limit; 0 = none */
} parts[] = {
    {"status.json", "status", 0},
    {"overview.json", "overview", 0},
    {"connectors.json", "connectors", 0},
    {"bus_stats.json", "bus_stats", 0},
    {"messages.json", "messages", 200},
    {"audit.json", "audit", 100},
    {"lua_versions.json", "lua_versions", 50},
    {"events.json", "events", 200},
};

struct collection {
	struct control *control;
	const struct config *config;
	struct buffer tar;
	int64_t now;
	const char *file; /* of the part that is asked now */
};

/* Collecting ---------------------------------------------------------------------------------------------------------- */

static void add_file(struct collection *c, const char *name, const void *data, size_t len)
{
	char path[100];

	(void)snprintf(path, sizeof(path), "forecourt-support/%s", name);
	tar_add(&c->tar, path, c->now, data, len);
}

static void add_text(struct collection *c, const char *name, struct buffer *text)
{
	if (text->failed)
		return;
	scrub_text(text->data, text->len, c->config);
	add_file(c, name, text->data ? text->data : "", text->len);
}

static void on_part(void *user, const struct control_result *result)
{
	struct collection *c = user;
	struct buffer text;

	if (result->code == FC_ENOENT)
		return;
	buffer_init(&text, file_max);
	if (result->code)
		(void)buffer_printf(&text, "%s\n", result->error);
	else
		(void)json_write(&text, result->result);
	add_text(c, c->file, &text);
	buffer_fini(&text);
}

static void ask_parts(struct collection *c)
{
	const struct control_caller caller = {.name = "support_bundle", .right = CONTROL_INTEGRATE};
	struct arena arena;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		arena_init(&arena, 4096);
		struct value *arguments = value_object(&arena);

		if (parts[i].limit)
			(void)value_add(&arena, arguments, "limit", value_int(&arena, parts[i].limit));
		c->file = parts[i].file;
		struct control_reply *later =
		    control_call(c->control, &caller, parts[i].command, arguments, on_part, c);
		control_forget(later);
		arena_fini(&arena);
	}
}

static int put_line(void *user, const struct log_kept *line)
{
	struct buffer *text = user;
	char at[CLOCK_DATETIME_SIZE];

	clock_format_datetime(line->wall_ms / 1000, at);
	(void)buffer_printf(text, "%s.%03d %-7s %.*s\n", at, (int)(line->wall_ms % 1000), log_level_name(line->level),
			    (int)line->len, line->text);
	return 0;
}

static void add_log(struct collection *c)
{
	struct buffer text;

	buffer_init(&text, file_max);
	log_each_kept(0, put_line, &text);
	add_text(c, "log.txt", &text);
	buffer_fini(&text);
}

static void add_version(struct collection *c)
{
	const struct store_health *health = store_health(c->control->sources.store);
	char at[CLOCK_DATETIME_SIZE];
	struct buffer text;

	buffer_init(&text, file_max);
	clock_format_datetime(c->now, at);
	(void)buffer_printf(
	    &text,
	    "forecourtd %s\ncollected %s (UTC+8)\nup %lld s\nstore: %s, %llu failure(s), %llu file(s) set aside%s%s\n",
	    c->control->sources.version, at, (long long)((clock_mono_us() - c->control->sources.started_us) / 1000000),
	    health->failing ? "FAILING" : "well", (unsigned long long)health->failures,
	    (unsigned long long)health->replaced, *health->cause ? ": " : "", health->cause);
	add_text(c, "version.txt", &text);
	buffer_fini(&text);
}

static void add_config(struct collection *c)
{
	struct buffer text;

	buffer_init(&text, file_max);
	if (scrub_config(c->control->sources.path, &text))
		(void)buffer_text(&text, "the configuration's file can't be read\n");
	add_text(c, "config.txt", &text);
	buffer_fini(&text);
}

static void add_trace(struct collection *c)
{
	const struct trace_walk filter = {.control = c->control, .unit = -1};
	char *bytes = NULL;
	size_t len = 0;

	if (trace_file(&filter, TRACE_FORM_PCAPNG, &bytes, &len))
		return;
	add_file(c, "trace.pcapng", bytes, len);
	free(bytes);
}

/* Packing ------------------------------------------------------------------------------------------------------------- */

/* In the aside's own bytes, so that they go with it: the tar behind the head, the room for the answer behind that. */
struct pack {
	size_t tar_len, room, gz_len;
	int failed;
	unsigned char bytes[];
};

static void pack(void *data)
{
	struct pack *p = data;
	z_stream z = {.next_in = p->bytes,
		      .avail_in = (uInt)p->tar_len,
		      .next_out = p->bytes + p->tar_len,
		      .avail_out = (uInt)p->room};

	p->failed = 1;
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	p->failed = deflate(&z, Z_FINISH) != Z_STREAM_END;
	p->gz_len = z.total_out;
	(void)deflateEnd(&z);
}

static void packed(void *user, const void *data)
{
	struct control_reply *reply = user;
	const struct pack *p = data;
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	char compact[CLOCK_COMPACT_SIZE], name[64];
	struct aside *aside = reply->control->bundle;
	int failed = p->failed;

	clock_format_compact(clock_wall(), compact);
	(void)snprintf(name, sizeof(name), "forecourt-support-%s.tar.gz", compact);
	maker_text(&m, root, "file", name);
	maker_text(&m, root, "type", "application/gzip");
	if (!failed)
		maker_put(&m, root, "base64", bytes_base64_value(m.arena, p->bytes + p->tar_len, p->gz_len));
	reply->result = m.failed ? NULL : root;
	reply->control->bundle = NULL;
	aside_free(aside);
	control_finish(reply, failed ? FC_ELIMIT : FC_OK,
		       failed ? "the bundle can't be packed: too large, or no memory" : "");
}

static void cancel(void *user)
{
	struct control *control = user;

	aside_free(control->bundle);
	control->bundle = NULL;
}

static int start_packing(struct control *control, struct control_reply *reply, const struct buffer *tar,
			 struct error *err)
{
	size_t room = gz_max;

	if (tar->failed)
		return error_set(err, FC_ELIMIT, "the bundle is too large");
	control->bundle =
	    aside_new(control->sources.loop, sizeof(struct pack) + tar->len + room, pack, packed, reply, err);
	if (!control->bundle)
		return FC_ENOMEM;
	struct pack *p = aside_data(control->bundle);
	p->tar_len = tar->len;
	p->room = room;
	memcpy(p->bytes, tar->data, tar->len);
	if (aside_start(control->bundle)) {
		cancel(control);
		return error_set(err, FC_EIO, "the bundle can't be packed: no thread");
	}
	reply->cancel = cancel;
	reply->cancel_user = control;
	return CONTROL_LATER;
}

int command_support_bundle(struct control *control, struct control_reply *reply, struct error *err)
{
	struct collection c = {
	    .control = control, .config = station_set_config(control->sources.stations), .now = clock_wall()};

	if (control->bundle)
		return error_set(err, FC_EBUSY, "another bundle is being made");
	if (!control->sources.loop)
		return error_set(err, FC_EIO, "there is no loop to make it beside");
	buffer_init(&c.tar, tar_max);
	add_version(&c);
	add_config(&c);
	ask_parts(&c);
	add_log(&c);
	add_trace(&c);
	tar_end(&c.tar);
	int result = start_packing(control, reply, &c.tar, err);
	buffer_fini(&c.tar);
	return result;
}
