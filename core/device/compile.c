/* From the Lua table of a profile to struct profile: the readers that every part uses, and the file as a whole. */
#include "device/compile.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "device/agent.h"
#include "device/compile_can.h"

enum { PLACE = 120 };

void compile_wrong(struct compiler *c, const char *place, const char *fmt, ...)
{
	char what[200];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (c->listener)
		c->listener->mistake(c->listener->user, place, what);
	if (!c->mistakes++) {
		(void)error_set(c->err, FC_EINVAL, "%s: %s: %s", c->path, place, what);
		return;
	}
	/* Each mistake is told once: by the error as long as it has room for it, else by the log. */
	char *end = c->err ? c->err->text + strlen(c->err->text) : NULL;
	size_t left = c->err ? sizeof(c->err->text) - strlen(c->err->text) : 0;
	if (!c->full && end && strlen(place) + strlen(what) + strlen("; : ") < left) {
		(void)snprintf(end, left, "; %s: %s", place, what);
		return;
	}
	c->full = 1;
	if (!c->listener)
		log_error("device: %s: %s: %s", c->path, place, what);
}

void compile_wrong_key(struct compiler *c, const char *where, const char *key, const char *fmt, ...)
{
	char place[PLACE], what[200];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	(void)snprintf(place, sizeof(place), "%s%s%s", where, *where ? "." : "", key);
	compile_wrong(c, place, "%s", what);
}

void compile_keys(struct compiler *c, const struct value *t, const char *where, const char *const *known)
{
	value_each (member, t)
		if (member->key && !value_key_known(member, known))
			compile_wrong_key(c, where, member->key, "there is no such key");
}

const struct value *compile_look(const struct compiler *c, const struct value *t, const char *key)
{
	const struct value *v = value_get(t, key);

	return v || !c->base ? v : value_get(c->base, key);
}

/* Anything else than a table in its place would be passed over in silence. */
const struct value *compile_table(struct compiler *c, const struct value *t, const char *where, const char *key)
{
	const struct value *v = compile_look(c, t, key);

	if (!v || value_is_object(v) || value_is_array(v))
		return v;
	compile_wrong_key(c, where, key, "must be a table");
	return NULL;
}

int64_t compile_int(struct compiler *c, const struct value *t, const char *where, const char *key, int64_t preset,
		    int64_t min, int64_t max)
{
	const struct value *v = compile_look(c, t, key);
	int64_t i;

	if (!v)
		return preset;
	if (!value_to_int(v, &i) && v->type != VALUE_STRING && i >= min && i <= max)
		return i;
	compile_wrong_key(c, where, key, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
	return preset;
}

double compile_double(struct compiler *c, const struct value *t, const char *where, const char *key, double preset)
{
	const struct value *v = compile_look(c, t, key);
	double d;

	if (!v)
		return preset;
	if (!value_to_double(v, &d) && v->type != VALUE_STRING && fabs(d) < 1e12)
		return d;
	compile_wrong_key(c, where, key, "must be a number");
	return preset;
}

int compile_bool(struct compiler *c, const struct value *t, const char *where, const char *key)
{
	const struct value *v = compile_look(c, t, key);

	if (!v)
		return 0;
	if (v->type == VALUE_BOOL)
		return (int)v->i;
	compile_wrong_key(c, where, key, "must be true or false");
	return 0;
}

int compile_choice(struct compiler *c, const struct value *t, const char *where, const char *key,
		   const char *const *names, int preset)
{
	const struct value *v = compile_look(c, t, key);
	const char *text = value_text(v);
	char all[120] = "";

	if (!v)
		return preset;
	for (int i = 0; names[i]; i++) {
		if (text && !strcmp(text, names[i]))
			return i;
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), " %s", names[i]);
	}
	compile_wrong_key(c, where, key, "must be one of%s", all);
	return preset;
}

int compile_point_name(struct compiler *c, const struct value *v, const char *where, const char *key)
{
	const char *name = value_text(v);
	int point = name ? profile_point(c->p, name) : -1;

	if (point < 0)
		compile_wrong_key(c, where, key, "must name a point of this profile");
	return point;
}

static int compile_ranges(struct compiler *c, const struct value *t, const char *key, struct register_range *out)
{
	int count = 0;

	value_each (range, compile_table(c, t, "modbus", key)) {
		int64_t first, last;

		if (count == PROFILE_DENY_MAX || range->count != 2 || value_to_int(range->first, &first) ||
		    value_to_int(range->last, &last) || first < 0 || last > 65535 || first > last) {
			compile_wrong_key(c, "modbus", key, "must be a list of at most %d pairs {first, last}",
					  PROFILE_DENY_MAX);
			break;
		}
		out[count++] = (struct register_range){(uint16_t)first, (uint16_t)last};
	}
	return count;
}

static void compile_modbus(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"max_words", "merge_gap",  "gap_ms",        "rest_ms",        "deny",
					    "single",    "deny_write", "min_period_ms", "longer_answers", NULL};
	struct profile *p = c->p;

	compile_keys(c, t, "modbus", known);
	p->max_words = (int)compile_int(c, t, "modbus", "max_words", 60, 1, BUS_WORDS_MAX);
	p->merge_gap = (int)compile_int(c, t, "modbus", "merge_gap", 4, 0, BUS_WORDS_MAX);
	p->gap_ms = (uint32_t)compile_int(c, t, "modbus", "gap_ms", 0, 0, 10000);
	p->rest_ms = (uint32_t)compile_int(c, t, "modbus", "rest_ms", 0, 0, 10000);
	p->least_period_ms = (uint32_t)compile_int(c, t, "modbus", "min_period_ms", 0, 100, 3600000);
	p->single = compile_bool(c, t, "modbus", "single");
	p->longer_answers = compile_bool(c, t, "modbus", "longer_answers");
	p->deny_count = compile_ranges(c, t, "deny", p->deny);
	p->deny_write_count = compile_ranges(c, t, "deny_write", p->deny_write);
}

static void compile_line(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"framing",
					    "baud",
					    "data_bits",
					    "stop_bits",
					    "parity",
					    "connect_timeout_ms",
					    "response_timeout_ms",
					    "connections",
					    "byte_timeout_ms",
					    NULL};
	static const char *const framings[] = {"tcp", "rtu", "rtu-over-tcp", "ascii", "tcp or rtu", "dlt645", NULL};
	static const char *const parities[] = {"none", "even", "odd", NULL};
	struct profile_line *line = &c->p->line;

	if (!t)
		return;
	compile_keys(c, t, "line", known);
	int framing = compile_choice(c, t, "line", "framing", framings, -1);
	(void)snprintf(line->framing, sizeof(line->framing), "%s", framing < 0 ? "" : framings[framing]);
	line->baud = (int)compile_int(c, t, "line", "baud", 0, 300, 1000000);
	line->data_bits = (int)compile_int(c, t, "line", "data_bits", 0, 7, 8);
	line->stop_bits = (int)compile_int(c, t, "line", "stop_bits", 0, 1, 2);
	line->parity = "NEO"[compile_choice(c, t, "line", "parity", parities, 0)];
	line->connections = (int)compile_int(c, t, "line", "connections", 0, 1, 100);
	line->connect_timeout_ms = (int)compile_int(c, t, "line", "connect_timeout_ms", 0, 100, 60000);
	line->response_timeout_ms = (int)compile_int(c, t, "line", "response_timeout_ms", 0, 50, 60000);
	line->byte_timeout_ms = (int)compile_int(c, t, "line", "byte_timeout_ms", 0, 10, 10000);
}

static void compile_connectors(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"count", "stride", "offsets", "unit_stride", NULL};
	struct profile *p = c->p;
	int64_t n = 0, offset;

	compile_keys(c, t, "connectors", known);
	p->connectors = (int)compile_int(c, t, "connectors", "count", 1, 1, PROFILE_CONNECTORS_MAX);
	p->stride = (int)compile_int(c, t, "connectors", "stride", 0, 0, 65535);
	p->unit_stride = (int)compile_int(c, t, "connectors", "unit_stride", 0, 0, 100);
	value_each (v, compile_table(c, t, "connectors", "offsets")) {
		n++;
		if (v->key &&
		    value_to_int(&(struct value){.type = VALUE_STRING, .text = v->key, .len = strlen(v->key)}, &n))
			n = 0;
		if (n < 1 || n > p->connectors || value_to_int(v, &offset) || offset < 0 || offset > 65535) {
			compile_wrong(c, "connectors.offsets",
				      "must be a list of 0 to 65535, or [connector] = offset, for connectors 1 to %d",
				      p->connectors);
			return;
		}
		p->elsewhere |= (uint16_t)(1u << (n - 1));
		p->offsets[n - 1] = (uint16_t)offset;
	}
}

/* What is said of registers means nothing here, and would be passed over in silence. */
static void check_can(struct compiler *c, const struct value *table)
{
	static const char *const others[] = {"modbus", "groups", "firmware", "listen", NULL};

	for (int i = 0; others[i]; i++)
		if (value_get(table, others[i]))
			compile_wrong(c, others[i], "does not go together with can");
	c->p->agent = &agent_can;
}

int profile_compile(const struct script *script, struct profile *profile, const struct profile_listener *listener,
		    struct error *err)
{
	static const char *const known[] = {
	    "forecourt", "kind",       "name",       "description", "source",   "modbus",   "points",
	    "groups",    "firmware",   "connectors", "status",      "examples", "commands", "line",
	    "setpoint",  "keep_alive", "listen",     "can",         "dlt645",   "tested",   "unlock_while_charging",
	    NULL};
	static const char *const tested[] = {"examples", "simulator", "hardware", NULL};
	struct compiler c = {
	    .path = script_path(script), .script = script, .p = profile, .listener = listener, .err = err};
	const struct value *table = script_table(script);
	const char *kind = value_text(value_get(table, "kind")), *name = value_text(value_get(table, "name"));
	const char *source = value_text(value_get(table, "source"));
	const char *description = value_text(value_get(table, "description"));
	int64_t version;

	memset(profile, 0, sizeof(*profile)); /* padding too: it is fingerprinted */
	compile_keys(&c, table, "", known);
	if (value_to_int(value_get(table, "forecourt"), &version) || version != 1)
		compile_wrong(&c, "forecourt", "must be 1, the version of the profile format");
	if (!kind || strcmp(kind, "profile") != 0)
		compile_wrong(&c, "kind", "must be \"profile\"");
	(void)snprintf(profile->name, sizeof(profile->name), "%.63s", name ? name : "");
	(void)snprintf(profile->source, sizeof(profile->source), "%.199s", source ? source : "");
	(void)snprintf(profile->description, sizeof(profile->description), "%.99s", description ? description : "");
	profile->tested = (enum profile_tested)compile_choice(&c, table, "", "tested", tested, TESTED_EXAMPLES);
	if (!value_get(table, "dlt645"))
		compile_modbus(&c, compile_table(&c, table, "", "modbus"));
	const struct value *can = compile_table(&c, table, "", "can");
	compile_line(&c, compile_table(&c, table, "", "line"));
	compile_connectors(&c, compile_table(&c, table, "", "connectors"));
	if (can && compile_can(&c, can))
		return error_set(err, FC_ENOMEM, "device: no memory");
	if (can)
		check_can(&c, table);
	const struct value *points = compile_table(&c, table, "", "points");
	if (!points || !points->count)
		compile_wrong(&c, "points", "is missing: a table of named points");
	const struct value *examples = compile_table(&c, table, "", "examples");
	profile->example_count = examples ? (int)examples->count : 0;
	compile_groups(&c, compile_table(&c, table, "", "groups"));
	if (value_get(table, "listen") && !can)
		compile_listen(&c, table, points);
	else if (value_get(table, "dlt645"))
		compile_dlt645(&c, table, points);
	else
		compile_points(&c, points);
	compile_firmware(&c, table);
	compile_status(&c, compile_table(&c, table, "", "status"));
	if (can)
		compile_can_sends(&c, table);
	compile_setpoint(&c, compile_table(&c, table, "", "setpoint"));
	compile_commands(&c, compile_table(&c, table, "", "commands"));
	compile_keep_alive(&c, compile_table(&c, table, "", "keep_alive"));
	compile_unlock(&c, table);
	if (!profile->agent)
		compile_addresses(&c);
	return c.mistakes ? FC_EINVAL : FC_OK;
}
