#include "upstream/mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "script/script.h"

enum {
	FILE_MAX = 512,
	API_VERSION = 1,
	QUIET_MS = 60000, /* the same failure is logged no more often */
};

struct mapping_entry {
	const char *path;    /* NULL = the method's name */
	int switched;        /* -1 the file says nothing, 0 off, 1 on */
	int plain;           /* no envelope, no token */
	const char *call[2]; /* "map.METHOD.request" and ".answer", the script's; NULL = there is no such function */
	int described[2];    /* that function needs no Lua, and so no context */
};

struct mapping {
	struct script *script;
	char name[SCRIPT_NAME_MAX + 1];
	struct mapping_entry *entries; /* one a message, by message_index */
	int whole_paths;               /* how many of them are whole paths: mostly none, and then nobody looks */
	uint64_t failures;
	char last_failure[ERROR_TEXT_MAX]; /* as logged last, at last_ms, and how many of it were kept quiet since */
	int64_t last_ms;
	uint64_t quiet;
};

/* Every complaint names the file and the place in its table. */
static int wrong(const struct mapping *mapping, struct error *err, const char *where, const char *what)
{
	return error_set(err, FC_EINVAL, "%s: %s: %s", script_path(mapping->script), where, what);
}

static int wrong_member(const struct mapping *mapping, struct error *err, const char *table, const char *key,
			const char *what)
{
	return error_set(err, FC_EINVAL, "%s: %s.%s: %s", script_path(mapping->script), table, key, what);
}

static int function_path(const struct message *message, enum message_part part, char *out, size_t size)
{
	int n = snprintf(out, size, "map.%s.%s", message->method, message_part_name(part));

	return n > 0 && (size_t)n < size ? FC_OK : FC_ELIMIT;
}

static int check_head(const struct mapping *mapping, const struct value *table, struct error *err)
{
	static const char *const known[] = {"forecourt", "kind",   "name",      "description", "paths",    "methods",
					    "plain",     "timing", "constants", "map",         "examples", NULL};
	int64_t version;

	if (!value_is_object(table))
		return wrong(mapping, err, "file", "must return a table");
	value_each (v, table)
		if (!value_key_known(v, known))
			return wrong(mapping, err, v->key ? v->key : "a list",
				     "unknown; known are forecourt, kind, name, description, paths, methods, plain, "
				     "timing, constants, map, examples");
	if (value_to_int(value_get(table, "forecourt"), &version) || version != API_VERSION)
		return wrong(mapping, err, "forecourt", "must be 1, the version of this interface");
	const char *kind = value_text(value_get(table, "kind"));
	if (!kind || strcmp(kind, "operator") != 0)
		return wrong(mapping, err, "kind", "must be \"operator\"");
	const char *name = value_text(value_get(table, "name"));
	if (!name || strcmp(name, mapping->name) != 0)
		return wrong(mapping, err, "name", "must be the name of the file without .lua");
	return FC_OK;
}

/* One part, or with a / in front several: no part is empty or begins with a dot. */
static int valid_path(const struct value *v)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
	const char *part = value_text(v);

	if (!part || !v->len || v->len >= 128 || strlen(part) != v->len)
		return 0;
	int whole = *part == '/';
	for (part += whole; *part && *part != '/' && *part != '.';) {
		part += strspn(part, allowed);
		if (!*part)
			return 1;
		if (!whole || *part++ != '/')
			return 0;
	}
	return 0;
}

static int we_answer(const struct message *message)
{
	return message->caller != MESSAGE_WE_CALL;
}

static int take_paths(struct mapping *mapping, const struct value *paths, struct error *err)
{
	if (paths && !value_is_object(paths))
		return wrong(mapping, err, "paths", "must be a table of method = \"last part of the URL\"");
	value_each (v, paths) {
		const struct message *message = message_find(v->key);

		if (!message)
			return wrong_member(mapping, err, "paths", v->key, "no such method");
		if (!valid_path(v))
			return wrong_member(mapping, err, "paths", v->key,
					    "must be a text of letters, digits and _ - . (behind the prefix in the "
					    "platform's options url and path), or a whole path such as /api/v1/NAME");
		mapping->entries[message_index(message)].path = v->text;
		mapping->whole_paths += v->text[0] == '/';
	}
	/* A call must lead to one method. */
	const struct message *a;
	for (int i = 0; (a = message_at(i)); i++) {
		const struct message *found = we_answer(a) ? mapping_find(mapping, mapping_path(mapping, a)) : a;

		if (found != a)
			return error_set(err, FC_EINVAL, "%s: paths.%s: \"%s\" is the path of %s already",
					 script_path(mapping->script), a->method, mapping_path(mapping, a),
					 found ? found->method : "?");
	}
	return FC_OK;
}

static int take_methods(struct mapping *mapping, const struct value *methods, struct error *err)
{
	if (methods && !value_is_object(methods))
		return wrong(mapping, err, "methods", "must be a table of method = true or false");
	value_each (v, methods) {
		const struct message *message = message_find(v->key);

		if (!message)
			return wrong_member(mapping, err, "methods", v->key, "no such method");
		if (v->type != VALUE_BOOL)
			return wrong_member(mapping, err, "methods", v->key, "must be true or false");
		mapping->entries[message_index(message)].switched = v->i != 0;
	}
	return FC_OK;
}

static int take_plain(struct mapping *mapping, const struct value *plain, struct error *err)
{
	if (plain && !value_is_object(plain))
		return wrong(mapping, err, "plain", "must be a table of method = true or false");
	value_each (v, plain) {
		const struct message *message = message_find(v->key);

		if (!message)
			return wrong_member(mapping, err, "plain", v->key, "no such method");
		if (v->type != VALUE_BOOL)
			return wrong_member(mapping, err, "plain", v->key, "must be true or false");
		/* Anybody could do it. */
		if (v->i && (message->caller == MESSAGE_BOTH || (we_answer(message) && message->mutating)))
			return wrong_member(
			    mapping, err, "plain", v->key,
			    "this call must prove who makes it: it can't do without envelope and token");
		mapping->entries[message_index(message)].plain = v->i != 0;
	}
	return FC_OK;
}

static int check_timing(const struct mapping *mapping, const struct value *timing, struct error *err)
{
	struct error why = {0};

	if (timing && !value_is_object(timing))
		return wrong(mapping, err, "timing", "must be a table of name = number");
	value_each (v, timing)
		if (timing_check(v, &why))
			return wrong_member(mapping, err, "timing", v->key ? v->key : "a list", why.text);
	return FC_OK;
}

/* A misspelt function would be passed over in silence, so each one in the file must be one that is called. */
static int check_functions(const struct mapping *mapping, struct error *err)
{
	value_each (function, script_functions(mapping->script)) {
		const struct message *message;
		char path[FILE_MAX];
		int known = 0;

		for (int i = 0; !known && (message = message_at(i)); i++)
			for (int part = MESSAGE_REQUEST; part <= MESSAGE_ANSWER; part++)
				known |= !function_path(message, (enum message_part)part, path, sizeof(path)) &&
					 !strcmp(path, value_text(function));
		if (!known)
			return wrong(mapping, err, value_text(function),
				     "no function is expected here; functions are map.<method>.request and "
				     "map.<method>.answer");
	}
	return FC_OK;
}

/* map may hold nothing but functions called request and answer, so what is left of it as data are empty tables. */
static int take_functions(struct mapping *mapping, const struct value *map, struct error *err)
{
	char path[FILE_MAX];
	const struct message *message;

	if (map && !value_is_object(map))
		return wrong(mapping, err, "map",
			     "must be a table of method = { request = function, answer = function }");
	value_each (v, map) {
		if (!message_find(v->key))
			return wrong_member(mapping, err, "map", v->key, "no such method");
		if (!value_is_object(v) || v->count)
			return wrong_member(mapping, err, "map", v->key,
					    "may hold nothing but the functions request and answer");
	}
	if (check_functions(mapping, err))
		return FC_EINVAL;
	for (int i = 0; (message = message_at(i)); i++)
		for (int part = MESSAGE_REQUEST; part <= MESSAGE_ANSWER; part++)
			if (!function_path(message, (enum message_part)part, path, sizeof(path)) &&
			    script_has(mapping->script, path)) {
				mapping->entries[i].call[part] = script_function(mapping->script, path);
				mapping->entries[i].described[part] = script_is_described(mapping->script, path);
			}
	return FC_OK;
}

static int take_table(struct mapping *mapping, struct error *err)
{
	const struct value *table = script_table(mapping->script);

	for (int i = 0; i < message_count(); i++)
		mapping->entries[i].switched = -1;
	int result = check_head(mapping, table, err);
	if (!result)
		result = take_paths(mapping, value_get(table, "paths"), err);
	if (!result)
		result = take_methods(mapping, value_get(table, "methods"), err);
	if (!result)
		result = take_plain(mapping, value_get(table, "plain"), err);
	if (!result)
		result = check_timing(mapping, value_get(table, "timing"), err);
	if (!result)
		result = take_functions(mapping, value_get(table, "map"), err);
	if (!result)
		result = script_run_examples(mapping->script, err);
	return result;
}

/* script: taken over; NULL when it could not be loaded. */
static struct mapping *make(const char *name, struct script *script, struct error *err)
{
	struct mapping *mapping = script ? calloc(1, sizeof(*mapping)) : NULL;

	if (!script)
		return NULL;
	if (mapping)
		mapping->entries = calloc((size_t)message_count(), sizeof(*mapping->entries));
	if (!mapping || !mapping->entries) {
		(void)error_set(err, FC_ENOMEM, "upstream: mapping: %s: no memory", name);
		script_free(script);
		mapping_free(mapping);
		return NULL;
	}
	(void)snprintf(mapping->name, sizeof(mapping->name), "%s", name);
	mapping->script = script;
	if (take_table(mapping, err)) {
		mapping_free(mapping);
		return NULL;
	}
	return mapping;
}

struct mapping *mapping_load(const struct script_host *host, const char *name, const char *space, struct error *err)
{
	return make(name, script_load(host, "operators", name, space, err), err);
}

struct mapping *mapping_load_file(const struct script_host *host, const char *path, const char *space,
				  struct error *err)
{
	char name[SCRIPT_NAME_MAX + 1];

	if (script_name_of(path, name))
		(void)error_set(err, FC_EINVAL, "%s: is no usable name: a-z 0-9 _ -, and .lua behind", path);
	else
		return make(name, script_load_file(host, path, space, err), err);
	return NULL;
}

void mapping_free(struct mapping *mapping)
{
	if (!mapping)
		return;
	if (mapping->script)
		script_free(mapping->script);
	free(mapping->entries);
	free(mapping);
}

static void *load_any(const struct script_host *host, const char *name, const char *space, struct error *err)
{
	return mapping_load(host, name, space, err);
}

static void release_any(void *mapping)
{
	mapping_free(mapping);
}

static const char *hash_any(const void *mapping)
{
	return mapping_hash(mapping);
}

const struct shelf_kind mapping_kind = {"mapping", "operators", load_any, release_any, hash_any};

struct script *mapping_script(const struct mapping *mapping)
{
	return mapping->script;
}

const char *mapping_name(const struct mapping *mapping)
{
	return mapping->name;
}

const char *mapping_file(const struct mapping *mapping)
{
	return script_path(mapping->script);
}

const char *mapping_hash(const struct mapping *mapping)
{
	return script_hash(mapping->script);
}

struct sources *mapping_sources(const struct mapping *mapping)
{
	return script_sources(mapping->script);
}

uint64_t mapping_failures(const struct mapping *mapping)
{
	return mapping->failures;
}

const char *mapping_path(const struct mapping *mapping, const struct message *message)
{
	int index = message_index(message);
	const char *path = mapping && index >= 0 ? mapping->entries[index].path : NULL;

	return path ? path : message->method;
}

const struct message *mapping_find(const struct mapping *mapping, const char *path)
{
	const struct message *message;

	if (*path == '/' && !(mapping && mapping->whole_paths))
		return NULL;
	for (int i = 0; (message = message_at(i)); i++)
		if (we_answer(message) && !strcmp(mapping_path(mapping, message), path))
			return message;
	return NULL;
}

int mapping_plain(const struct mapping *mapping, const struct message *message)
{
	int index = mapping ? message_index(message) : -1;

	return index >= 0 && mapping->entries[index].plain;
}

int mapping_enabled(const struct mapping *mapping, const struct message *message,
		    const struct config_platform *platform)
{
	int index = message_index(message);
	int switched = mapping && index >= 0 ? mapping->entries[index].switched : -1;

	if (switched >= 0)
		return switched;
	switch (message->set) {
	case MESSAGE_BASE:
		return 1;
	case MESSAGE_STATION_INFO:
		return platform->push_station_info;
	case MESSAGE_STATION_STATS:
		return platform->push_stats;
	case MESSAGE_ISERV:
		return platform->iserv;
	case MESSAGE_CITY:
		return 0;
	}
	return 0;
}

static const struct value *timing_table(const struct mapping *mapping)
{
	return mapping ? value_get(script_table(mapping->script), "timing") : NULL;
}

double mapping_timing(const struct mapping *mapping, enum timing timing, double otherwise)
{
	return timing_get(timing_table(mapping), timing, otherwise);
}

double mapping_timing_item(const struct mapping *mapping, enum timing timing, int index)
{
	return timing_get_item(timing_table(mapping), timing, index);
}

static struct value *context_value(struct arena *arena, const struct message *message, enum mapping_direction direction,
				   const struct mapping_context *context)
{
	struct value *out = value_object(arena);

	if (value_put(arena, out, "operator_id", value_string(arena, context->operator_id)) ||
	    value_put(arena, out, "platform_id", value_string(arena, context->platform_id)) ||
	    value_put(arena, out, "platform", value_string(arena, context->platform)) ||
	    value_put(arena, out, "method", value_string(arena, message->method)) ||
	    value_put(arena, out, "direction", value_string(arena, direction == MAPPING_OUT ? "out" : "in")))
		return NULL;
	return out;
}

/* A broken function fails on every message: said once, then counted for a minute. */
static void log_failure(struct mapping *mapping, const char *platform, const char *path, const char *why)
{
	int64_t now = clock_mono_ms();

	mapping->failures++;
	if (!strcmp(mapping->last_failure, why) && now - mapping->last_ms < QUIET_MS) {
		mapping->quiet++;
		return;
	}
	if (mapping->quiet)
		log_warning("upstream: %s: mapping %s: the last failure came %llu times more", platform, mapping->name,
			    (unsigned long long)mapping->quiet);
	log_warning("upstream: %s: mapping %s: %s: %s; the message goes on as it was", platform, mapping->name, path,
		    why);
	(void)snprintf(mapping->last_failure, sizeof(mapping->last_failure), "%s", why);
	mapping->last_ms = now;
	mapping->quiet = 0;
}

/* The function's result in *out; FC_ENOENT when there is no function. */
static int shape(const struct mapping *mapping, const char *path, const struct message *message, enum message_part part,
		 enum mapping_direction direction, struct value *in, const struct mapping_context *context,
		 struct arena *arena, struct value **out, struct error *why)
{
	struct value *mapped = NULL;
	int is_described = mapping->entries[message_index(message)].described[part];
	const struct value *ctx = is_described ? NULL : context_value(arena, message, direction, context);
	int result = FC_OK;

	if (!ctx && !is_described)
		result = error_set(why, FC_ELIMIT, "%s: message too large", script_path(mapping->script));
	if (!result)
		result = script_call(mapping->script, path, in, ctx, arena, &mapped, why);
	if (!result && !value_is_object(mapped))
		result =
		    error_set(why, FC_ESCRIPT, "%s: %s: must return the message, a table with names, not %s",
			      script_path(mapping->script), path, mapped ? value_type_name(mapped->type) : "nothing");
	if (!result)
		*out = mapped;
	return result;
}

static const char *call_of(const struct mapping *mapping, const struct message *message, enum message_part part)
{
	int index = message_index(message);

	return mapping && index >= 0 ? mapping->entries[index].call[part] : NULL;
}

int mapping_try(struct mapping *mapping, const struct message *message, enum message_part part,
		enum mapping_direction direction, struct value *in, const struct mapping_context *context,
		struct arena *arena, struct value **out, struct error *err)
{
	const char *path = call_of(mapping, message, part);

	*out = in;
	if (path && shape(mapping, path, message, part, direction, in, context, arena, out, err))
		return FC_ESCRIPT;
	return FC_OK;
}

int mapping_apply(struct mapping *mapping, const struct message *message, enum message_part part,
		  enum mapping_direction direction, struct value *in, const struct mapping_context *context,
		  struct arena *arena, struct value **out, struct error *err)
{
	const char *path = call_of(mapping, message, part);
	struct error why = {0};

	*out = in;
	if (!path)
		return FC_OK;
	if (!shape(mapping, path, message, part, direction, in, context, arena, out, &why)) {
		log_debug("upstream: %s: %s shaped by %s %.12s", context->platform, path, mapping->name,
			  script_hash(mapping->script));
		return FC_OK;
	}
	log_failure(mapping, context->platform, path, why.text);
	return error_set(err, FC_ESCRIPT, "%s", why.text);
}
