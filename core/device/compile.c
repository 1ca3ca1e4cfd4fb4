/* From the Lua table of a profile to struct profile; every mistake is named by its place. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "device/profile.h"

struct compiler {
	const char *path;
	struct profile *p;
	struct error *err;
	int mistakes;
	int full; /* the error's text has no more room */
};

static const struct {
	const char *name;
	enum point_type type;
	uint16_t words;
} types[] = {
    {"u16", POINT_U16, 1},   {"s16", POINT_S16, 1},   {"u32", POINT_U32, 2}, {"s32", POINT_S32, 2},
    {"u64", POINT_U64, 4},   {"s64", POINT_S64, 4},   {"f32", POINT_F32, 2}, {"f64", POINT_F64, 4},
    {"text", POINT_TEXT, 0}, {"bool", POINT_BOOL, 1},
};

static void __attribute__((format(printf, 3, 4))) wrong(struct compiler *c, const char *place, const char *fmt, ...)
{
	char what[200];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
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
	log_error("device: %s: %s: %s", c->path, place, what);
}

/* An optional table. Anything else in its place would be passed over in silence. */
static const struct value *get_table(struct compiler *c, const struct value *t, const char *where, const char *key)
{
	const struct value *v = value_get(t, key);
	char place[100];

	if (!v || value_is_object(v) || value_is_array(v))
		return v;
	(void)snprintf(place, sizeof(place), "%s%s%s", where, *where ? "." : "", key);
	wrong(c, place, "must be a table");
	return NULL;
}

/* Optional integer within a range; the place is "where.key". */
static int64_t get_int(struct compiler *c, const struct value *t, const char *where, const char *key, int64_t preset,
		       int64_t min, int64_t max)
{
	const struct value *v = value_get(t, key);
	char place[100];
	int64_t i;

	if (!v)
		return preset;
	if (!value_to_int(v, &i) && v->type != VALUE_STRING && i >= min && i <= max)
		return i;
	(void)snprintf(place, sizeof(place), "%s.%s", where, key);
	wrong(c, place, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
	return preset;
}

static double get_double(struct compiler *c, const struct value *t, const char *where, const char *key, double preset)
{
	const struct value *v = value_get(t, key);
	char place[100];
	double d;

	if (!v)
		return preset;
	if (!value_to_double(v, &d) && v->type != VALUE_STRING && fabs(d) < 1e12)
		return d;
	(void)snprintf(place, sizeof(place), "%s.%s", where, key);
	wrong(c, place, "must be a number");
	return preset;
}

static int get_bool(struct compiler *c, const struct value *t, const char *where, const char *key)
{
	const struct value *v = value_get(t, key);
	char place[100];

	if (!v)
		return 0;
	if (v->type == VALUE_BOOL)
		return (int)v->i;
	(void)snprintf(place, sizeof(place), "%s.%s", where, key);
	wrong(c, place, "must be true or false");
	return 0;
}

/* A misspelt key would be silence where something was meant. */
static void check_keys(struct compiler *c, const struct value *t, const char *where, const char *const *known)
{
	value_each (member, t) {
		char place[120];

		if (!member->key || value_key_known(member, known))
			continue;
		(void)snprintf(place, sizeof(place), "%s%s%s", where, *where ? "." : "", member->key);
		wrong(c, place, "there is no such key");
	}
}

static void compile_modbus(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"max_words", "merge_gap", "gap_ms", "deny", "single", NULL};
	struct profile *p = c->p;

	check_keys(c, t, "modbus", known);
	p->max_words = (int)get_int(c, t, "modbus", "max_words", 60, 1, BUS_WORDS_MAX);
	p->merge_gap = (int)get_int(c, t, "modbus", "merge_gap", 4, 0, BUS_WORDS_MAX);
	p->gap_ms = (uint32_t)get_int(c, t, "modbus", "gap_ms", 0, 0, 10000);
	p->single = get_bool(c, t, "modbus", "single");
	value_each (range, get_table(c, t, "modbus", "deny")) {
		int64_t first, last;

		if (p->deny_count == PROFILE_DENY_MAX || range->count != 2 || value_to_int(range->first, &first) ||
		    value_to_int(range->last, &last) || first < 0 || last > 65535 || first > last) {
			wrong(c, "modbus.deny", "must be a list of at most %d pairs {first, last}", PROFILE_DENY_MAX);
			return;
		}
		p->deny[p->deny_count++] = (struct register_range){(uint16_t)first, (uint16_t)last};
	}
}

static void compile_type(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	const char *type = value_text(value_get(t, "type"));
	char place[100];

	for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(type, types[i].name) != 0)
			continue;
		point->type = types[i].type;
		point->words = types[i].words;
		if (point->type == POINT_TEXT)
			point->words = (uint16_t)get_int(c, t, where, "words", 0, 1, DEVICE_TEXT_MAX / 2 - 1);
		if (point->type == POINT_TEXT && !point->words) {
			(void)snprintf(place, sizeof(place), "%s.words", where);
			wrong(c, place, "a text needs its length in words, 1 to %d", DEVICE_TEXT_MAX / 2 - 1);
		}
		return;
	}
	(void)snprintf(place, sizeof(place), "%s.type", where);
	wrong(c, place, "must be one of u16 s16 u32 s32 u64 s64 f32 f64 text bool");
	point->words = 1;
}

static void compile_order(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	const struct value *v = value_get(t, "order");
	const char *order = value_text(v);
	char place[100];

	if (!v)
		return;
	if (order && !strcmp(order, "lo-hi")) {
		point->low_first = 1;
	} else if (!order || strcmp(order, "hi-lo") != 0) {
		(void)snprintf(place, sizeof(place), "%s.order", where);
		wrong(c, place, "must be \"hi-lo\" or \"lo-hi\"");
	}
}

/* The register image of a number: -1 of an s16 is 0xFFFF. 0: it does not fit. */
static int raw_of(const struct point *point, int64_t i, uint64_t *raw)
{
	int bits = point->words * 16;

	*raw = (uint64_t)i;
	if (bits >= 64)
		return 1;
	*raw &= ((uint64_t)1 << bits) - 1;
	return i >= -((int64_t)1 << (bits - 1)) && i < (int64_t)1 << bits;
}

static void compile_invalid(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	char place[100];
	int64_t i;

	value_each (v, get_table(c, t, where, "invalid")) {
		if (point->invalid_count == PROFILE_INVALID_MAX || point->type == POINT_TEXT || value_to_int(v, &i) ||
		    !raw_of(point, i, &point->invalid[point->invalid_count])) {
			(void)snprintf(place, sizeof(place), "%s.invalid", where);
			wrong(c, place,
			      "must be a list of at most %d whole numbers that fit the type (none for a text)",
			      PROFILE_INVALID_MAX);
			return;
		}
		point->invalid_count++;
	}
}

static void check_bits(struct compiler *c, const struct value *t, const char *where, const struct point *point)
{
	char place[100];

	if (!value_get(t, "shift") && !value_get(t, "mask"))
		return;
	if (point->type != POINT_F32 && point->type != POINT_F64 && point->type != POINT_TEXT &&
	    point->type != POINT_BOOL)
		return;
	(void)snprintf(place, sizeof(place), "%s.%s", where, value_get(t, "mask") ? "mask" : "shift");
	wrong(c, place, "only whole numbers (u16 to s64) have bits to take out");
}

static void compile_point(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"fc",      "address",   "type",   "words", "order", "scale",
					    "offset",  "unit",      "min",    "max",   "shift", "mask",
					    "invalid", "period_ms", "shared", "swap",  NULL};
	struct point *point = &c->p->points[c->p->point_count];
	const char *unit = value_text(value_get(t, "unit"));
	char where[80], place[100];

	(void)snprintf(where, sizeof(where), "points.%.60s", t->key);
	if (c->p->point_count == DEVICE_POINTS_MAX) {
		wrong(c, where, "is one too many: %d points are allowed", DEVICE_POINTS_MAX);
		return;
	}
	if (strlen(t->key) >= sizeof(point->name))
		wrong(c, where, "the name is longer than %zu letters", sizeof(point->name) - 1);
	if (!value_is_object(t) || !value_get(t, "address")) {
		wrong(c, where, "must be a table with at least fc, address and type");
		return;
	}
	check_keys(c, t, where, known);
	(void)snprintf(point->name, sizeof(point->name), "%.31s", t->key);
	(void)snprintf(point->unit, sizeof(point->unit), "%.15s", unit ? unit : "");
	compile_type(c, t, where, point);
	compile_order(c, t, where, point);
	compile_invalid(c, t, where, point);
	check_bits(c, t, where, point);
	point->function = (uint8_t)get_int(c, t, where, "fc", 3, 1, 4);
	point->address = (uint16_t)get_int(c, t, where, "address", 0, 0, 65535);
	point->scale = get_double(c, t, where, "scale", 1);
	point->offset = get_double(c, t, where, "offset", 0);
	point->has_range = value_get(t, "min") || value_get(t, "max");
	point->min = get_double(c, t, where, "min", -1e12);
	point->max = get_double(c, t, where, "max", 1e12);
	point->shift = (int)get_int(c, t, where, "shift", 0, 0, 63);
	point->mask = (uint64_t)get_int(c, t, where, "mask", 0, 0, INT64_MAX);
	point->period_ms = (uint32_t)get_int(c, t, where, "period_ms", 0, 100, 3600000);
	point->shared = get_bool(c, t, where, "shared");
	point->swap = get_bool(c, t, where, "swap");
	if ((point->function <= 2) != (point->type == POINT_BOOL)) {
		(void)snprintf(place, sizeof(place), "%s.fc", where);
		wrong(c, place, "functions 1 and 2 read bits (type bool), 3 and 4 registers");
	}
	c->p->point_count++;
}

/* A point of the profile by the name in t[key]; -1 and a mistake when there is none. */
static int point_named(struct compiler *c, const struct value *t, const char *where, const char *key)
{
	const char *name = value_text(value_get(t, key));
	int point = name ? profile_point(c->p, name) : -1;
	char place[100];

	if (point < 0) {
		(void)snprintf(place, sizeof(place), "%s.%s", where, key);
		wrong(c, place, "must name a point of this profile");
	}
	return point;
}

static int is_status(int64_t i)
{
	return (i >= 0 && i <= 4) || i == CONNECTOR_FAULT;
}

static void compile_states(struct compiler *c, const struct value *map)
{
	struct status_rules *rules = &c->p->status;
	int is_text = c->p->points[rules->point].type == POINT_TEXT;
	int64_t place = 0;

	value_each (v, map) {
		struct status_state *state = &rules->states[rules->state_count];
		int64_t status;

		place++;
		if (rules->state_count == PROFILE_STATES_MAX || value_to_int(v, &status) || !is_status(status)) {
			wrong(c, "status.map", "wants at most %d entries, each one of 0 1 2 3 4 255",
			      PROFILE_STATES_MAX);
			return;
		}
		state->status = (enum connector_status)status;
		state->is_text = is_text;
		/* A map with the keys 1..n arrives as a list. */
		if (!v->key)
			state->number = place;
		else if (is_text)
			(void)snprintf(state->text, sizeof(state->text), "%.15s", v->key);
		else if (value_to_int(&(struct value){.type = VALUE_STRING, .text = v->key, .len = strlen(v->key)},
				      &state->number))
			wrong(c, "status.map", "\"%.20s\" is no number, and the point is no text", v->key);
		rules->state_count++;
	}
}

static void compile_faults(struct compiler *c, const struct value *faults)
{
	static const char *const known[] = {"point", "equals", "not", "mask", NULL};
	struct status_rules *rules = &c->p->status;

	value_each (t, faults) {
		struct status_fault *fault = &rules->faults[rules->fault_count];

		if (rules->fault_count == PROFILE_FAULTS_MAX) {
			wrong(c, "status.faults", "more than %d", PROFILE_FAULTS_MAX);
			return;
		}
		check_keys(c, t, "status.faults", known);
		fault->point = point_named(c, t, "status.faults", "point");
		fault->negated = value_get(t, "not") != NULL;
		fault->number =
		    get_int(c, t, "status.faults", fault->negated ? "not" : "equals", 0, INT32_MIN, UINT32_MAX);
		fault->mask = (uint64_t)get_int(c, t, "status.faults", "mask", 0, 0, INT64_MAX);
		if (!value_get(t, "equals") && !value_get(t, "not") && !value_get(t, "mask"))
			wrong(c, "status.faults", "wants equals, not or mask");
		rules->fault_count++;
	}
}

static void compile_status(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"point", "map", "default", "faults", NULL};
	struct status_rules *rules = &c->p->status;

	rules->point = -1;
	if (!t)
		return;
	check_keys(c, t, "status", known);
	rules->point = point_named(c, t, "status", "point");
	int64_t otherwise = get_int(c, t, "status", "default", CONNECTOR_FAULT, 0, 255);
	if (!is_status(otherwise))
		wrong(c, "status.default", "must be one of 0 1 2 3 4 255");
	rules->otherwise = (enum connector_status)otherwise;
	if (rules->point < 0)
		return;
	compile_states(c, get_table(c, t, "status", "map"));
	compile_faults(c, get_table(c, t, "status", "faults"));
}

static void compile_values(struct compiler *c, const struct value *t, const char *where,
			   struct profile_command *command)
{
	const struct value *values = get_table(c, t, where, "values");
	int most = command->function == 5 || command->function == 6 ? 1 : PROFILE_COMMAND_WORDS;
	char place[100];
	int64_t i;

	if (value_get(t, "value") && !values) {
		command->words[0] = (uint16_t)get_int(c, t, where, "value", 0, 0, 65535);
		command->count = 1;
		return;
	}
	value_each (v, values) {
		if (command->count == most || value_to_int(v, &i) || i < 0 || i > 65535 || value_get(t, "value"))
			break;
		command->words[command->count++] = (uint16_t)i;
	}
	if (command->count && values && command->count == values->count)
		return;
	(void)snprintf(place, sizeof(place), "%s.values", where);
	wrong(c, place, "a command wants value = 0..65535, or for functions 15 and 16 values = a list of up to %d",
	      PROFILE_COMMAND_WORDS);
}

static void compile_command(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"fc", "address", "value", "values", "shared", NULL};
	char where[80];

	(void)snprintf(where, sizeof(where), "commands.%.40s", t->key ? t->key : "");
	if (!t->key || !value_is_object(t) || strlen(t->key) >= PROFILE_NAME ||
	    c->p->command_count == PROFILE_COMMANDS_MAX) {
		wrong(c, where, "must be one of at most %d named tables", PROFILE_COMMANDS_MAX);
		return;
	}
	struct profile_command *command = &c->p->commands[c->p->command_count++];
	check_keys(c, t, where, known);
	(void)snprintf(command->name, sizeof(command->name), "%s", t->key);
	int64_t function = get_int(c, t, where, "fc", 6, 5, 16);
	if (function > 6 && function < 15)
		wrong(c, where, "fc must be 5, 6, 15 or 16");
	command->function = (uint8_t)function;
	command->address = (uint16_t)get_int(c, t, where, "address", 0, 0, 65535);
	command->shared = get_bool(c, t, where, "shared");
	if (!value_get(t, "address"))
		wrong(c, where, "wants an address");
	compile_values(c, t, where, command);
}

static void check_addresses(struct compiler *c)
{
	const struct profile *p = c->p;

	for (int i = 0; i < p->point_count; i++) {
		const struct point *point = &p->points[i];
		char place[80];
		int last = point->address + point->words - 1 + (point->shared ? 0 : (p->connectors - 1) * p->stride);

		(void)snprintf(place, sizeof(place), "points.%s.address", point->name);
		if (last > 65535)
			wrong(c, place, "the last connector's would lie beyond 65535");
		if (point->words > p->max_words)
			wrong(c, place, "the point has more words than modbus.max_words");
		for (int n = 0; n < (point->shared ? 1 : p->connectors); n++)
			for (int d = 0; d < p->deny_count; d++) {
				int first = point->address + n * p->stride;

				if (first <= p->deny[d].last && first + point->words - 1 >= p->deny[d].first)
					wrong(c, place, "lies in a range of modbus.deny (%d to %d)", p->deny[d].first,
					      p->deny[d].last);
			}
	}
}

int profile_compile(const struct value *table, const char *path, struct profile *profile, struct error *err)
{
	static const char *const known[] = {"forecourt", "kind",       "name",   "description", "source",   "modbus",
					    "points",    "connectors", "status", "examples",    "commands", NULL};
	static const char *const known_connectors[] = {"count", "stride", NULL};
	struct compiler c = {.path = path, .p = profile, .err = err};
	const char *kind = value_text(value_get(table, "kind")), *name = value_text(value_get(table, "name"));
	int64_t version;

	memset(profile, 0, sizeof(*profile)); /* padding too: it is fingerprinted */
	check_keys(&c, table, "", known);
	if (value_to_int(value_get(table, "forecourt"), &version) || version != 1)
		wrong(&c, "forecourt", "must be 1, the version of the profile format");
	if (!kind || strcmp(kind, "profile") != 0)
		wrong(&c, "kind", "must be \"profile\"");
	(void)snprintf(profile->name, sizeof(profile->name), "%.63s", name ? name : "");
	compile_modbus(&c, get_table(&c, table, "", "modbus"));
	const struct value *connectors = get_table(&c, table, "", "connectors");
	check_keys(&c, connectors, "connectors", known_connectors);
	profile->connectors = (int)get_int(&c, connectors, "connectors", "count", 1, 1, PROFILE_CONNECTORS_MAX);
	profile->stride = (int)get_int(&c, connectors, "connectors", "stride", 0, 0, 65535);
	const struct value *points = get_table(&c, table, "", "points");
	if (!points || !points->count)
		wrong(&c, "points", "is missing: a table of named points");
	(void)get_table(&c, table, "", "examples");
	value_each (t, points) {
		if (t->key)
			compile_point(&c, t);
		else
			wrong(&c, "points", "must be named, not a list");
	}
	compile_status(&c, get_table(&c, table, "", "status"));
	value_each (t, get_table(&c, table, "", "commands"))
		compile_command(&c, t);
	check_addresses(&c);
	return c.mistakes ? FC_EINVAL : FC_OK;
}
