/* Points: where they are, what form they have. */
#include <stdio.h>
#include <string.h>

#include "device/compile_can.h"

static const struct {
	const char *name;
	enum point_type type;
	uint16_t words; /* as many as it has, or with most: unless the point says otherwise; 0 = it must say */
	uint16_t most;
} types[] = {
    {"u16", POINT_U16, 1, 0},   {"s16", POINT_S16, 1, 0},
    {"u32", POINT_U32, 2, 0},   {"s32", POINT_S32, 2, 0},
    {"u64", POINT_U64, 4, 0},   {"s64", POINT_S64, 4, 0},
    {"f32", POINT_F32, 2, 0},   {"f64", POINT_F64, 4, 0},
    {"bool", POINT_BOOL, 1, 0}, {"text", POINT_TEXT, 0, DEVICE_TEXT_MAX / 2 - 1},
    {"bits", POINT_BITS, 1, 4}, {"bcd", POINT_BCD, 1, 4},
    {"sbcd", POINT_SBCD, 1, 4}, {"hex", POINT_HEX, 0, 15},
    {"raw", POINT_RAW, 0, 60},
};
enum { TYPES = sizeof(types) / sizeof(types[0]), UTF16_WORDS = 60 };

int compile_is_number(enum point_type type)
{
	return type != POINT_TEXT && type != POINT_BITS && type != POINT_HEX && type != POINT_RAW;
}

static int is_whole(enum point_type type)
{
	return compile_is_number(type) && type != POINT_F32 && type != POINT_F64 && type != POINT_BOOL;
}

static void compile_words(struct compiler *c, const struct value *t, const char *where, struct point *point, int preset,
			  int most)
{
	static const char *const encodings[] = {"ascii", "utf-8", "utf-16", NULL};

	if (point->type == POINT_TEXT) {
		point->encoding = (enum text_encoding)compile_choice(c, t, where, "encoding", encodings, TEXT_ASCII);
		most = point->encoding == TEXT_UTF16 ? UTF16_WORDS : most;
		point->skip = (uint8_t)compile_int(c, t, where, "skip", 0, 0, 2 * most - 1);
		point->chars = (uint8_t)compile_int(c, t, where, "chars", 0, 1, 2 * most);
	}
	int before = c->mistakes;
	point->words = (uint16_t)compile_int(c, t, where, "words", preset, 1, most);
	if (!point->words && c->mistakes == before)
		compile_wrong_key(c, where, "words", "a %s needs its length in words, 1 to %d",
				  point->type == POINT_TEXT ? "text" : "value of this type", most);
	if (!point->words)
		point->words = 1;
	if ((point->type == POINT_BITS || point->type == POINT_BCD || point->type == POINT_SBCD) && point->words == 3)
		compile_wrong_key(c, where, "words", "must be 1, 2 or 4");
}

static void compile_type(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	const char *type = value_text(compile_look(c, t, "type"));

	for (size_t i = 0; type && i < TYPES; i++) {
		if (strcmp(type, types[i].name) != 0)
			continue;
		point->type = types[i].type;
		point->words = types[i].words;
		if (types[i].most)
			compile_words(c, t, where, point, types[i].words, types[i].most);
		return;
	}
	compile_wrong_key(c, where, "type",
			  "must be one of u16 s16 u32 s32 u64 s64 f32 f64 bool text bits bcd sbcd hex raw");
	point->words = 1;
}

/* "CDAB": where each byte of the registers belongs, A being the highest of the value. 0: no such text. */
static int read_permutation(const char *order, struct point *point)
{
	size_t bytes = (size_t)point->words * 2;
	unsigned seen = 0;

	if (bytes > sizeof(point->order) || strlen(order) != bytes)
		return 0;
	for (size_t i = 0; i < bytes; i++) {
		unsigned place = (unsigned)(order[i] - 'A');

		if (place >= bytes || seen >> place & 1)
			return 0;
		seen |= 1u << place;
		point->order[i] = (uint8_t)place;
	}
	point->permuted = 1;
	return 1;
}

static void compile_order(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	const struct value *v = compile_look(c, t, "order");
	const char *order = value_text(v);

	if (!v || (order && !strcmp(order, "hi-lo")))
		return;
	if (order && !strcmp(order, "lo-hi"))
		point->low_first = 1;
	else if (!order || point->type == POINT_TEXT || point->type == POINT_RAW || !read_permutation(order, point))
		compile_wrong_key(c, where, "order",
				  "must be \"hi-lo\", \"lo-hi\" or a letter for each byte, A the highest: \"CDAB\"");
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
	int64_t i;

	value_each (v, compile_table(c, t, where, "invalid")) {
		if (point->invalid_count == PROFILE_INVALID_MAX || point->words > 4 || point->type == POINT_TEXT ||
		    point->type == POINT_RAW || value_to_int(v, &i) ||
		    !raw_of(point, i, &point->invalid[point->invalid_count])) {
			compile_wrong_key(
			    c, where, "invalid",
			    "must be a list of at most %d whole numbers that fit the type (none for a text)",
			    PROFILE_INVALID_MAX);
			return;
		}
		point->invalid_count++;
	}
}

/* bit = 3, or field = { 8, 15 }: the same as shift and mask, as manuals say it. */
static void compile_field(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	const struct value *field = compile_look(c, t, "field");
	int64_t first = 0, last = 0;

	if (!compile_look(c, t, "bit") && !field)
		return;
	int bits = point->words * 16;
	if (field &&
	    (value_get(t, "bit") || field->count != 2 || value_to_int(field->first, &first) ||
	     value_to_int(field->last, &last) || first < 0 || last < first || last >= bits || last - first > 62)) {
		compile_wrong_key(c, where, "field", "must be {first, last}: bits of the value, 0 the lowest, below %d",
				  bits);
		return;
	}
	if (!field)
		first = last = compile_int(c, t, where, "bit", 0, 0, bits - 1);
	if (compile_look(c, t, "shift") || compile_look(c, t, "mask"))
		compile_wrong_key(c, where, field ? "field" : "bit", "says what shift and mask say already");
	point->shift = (int)first;
	point->mask = ((uint64_t)1 << (last - first + 1)) - 1;
}

static void compile_bits(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	static const char *const keys[] = {"mask", "shift", "shift_stride", "bit", "field", NULL};

	point->shift = (int)compile_int(c, t, where, "shift", 0, 0, 63);
	point->mask = (uint64_t)compile_int(c, t, where, "mask", 0, 0, INT64_MAX);
	point->shift_stride = (int)compile_int(c, t, where, "shift_stride", 0, 0, 32);
	compile_field(c, t, where, point);
	for (int i = 0; keys[i]; i++)
		if (compile_look(c, t, keys[i]) && !is_whole(point->type)) {
			compile_wrong_key(c, where, keys[i],
					  "only whole numbers (u16 to s64, bcd) have bits to take out");
			return;
		}
	if (point->shift + (c->p->connectors - 1) * point->shift_stride > 63)
		compile_wrong_key(c, where, "shift_stride", "the last connector's bits would lie beyond the value");
}

/* names = { [0] = "door open", [3] = "emergency stop" } of a word of flags. */
static void compile_names(struct compiler *c, const struct value *t, const char *where, int place)
{
	const struct point *point = &c->p->points[place];
	const struct value *names = compile_table(c, t, where, "names");
	int64_t bit = -1;

	if ((point->type == POINT_BITS) != (names != NULL))
		compile_wrong_key(c, where, "names",
				  "type bits wants names = { [bit] = \"what it means\" }, others none");
	value_each (v, names) {
		const char *text = value_text(v);

		/* The keys 1..n arrive as a list. */
		bit = v->key ? -1 : bit < 0 ? 1 : bit + 1;
		if (v->key)
			(void)value_to_int(&(struct value){.type = VALUE_STRING, .text = v->key, .len = strlen(v->key)},
					   &bit);
		struct bit_name *name = &c->p->bit_names[c->p->bit_name_count];
		if (!text || bit < 0 || bit >= point->words * 16 || strlen(text) >= sizeof(name->name) ||
		    c->p->bit_name_count == PROFILE_BIT_NAMES_MAX) {
			compile_wrong_key(c, where, "names", "wants [0 to %d] = a text below %zu letters; %d in all",
					  point->words * 16 - 1, sizeof(name->name), PROFILE_BIT_NAMES_MAX);
			return;
		}
		*name = (struct bit_name){.point = place, .bit = (int)bit};
		(void)snprintf(name->name, sizeof(name->name), "%s", text);
		c->p->bit_name_count++;
	}
}

static void compile_scaling(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	if (!c->p->can)
		compile_order(c, t, where, point);
	point->scale = compile_double(c, t, where, "scale", 1);
	point->offset = compile_double(c, t, where, "offset", 0);
}

void compile_form(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	compile_type(c, t, where, point);
	compile_scaling(c, t, where, point);
}

static void compile_place(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	int64_t n = 0, address;

	point->function = (uint8_t)compile_int(c, t, where, "fc", 3, 1, 4);
	point->address = (uint16_t)compile_int(c, t, where, "address", 0, 0, 65535);
	point->shared = compile_bool(c, t, where, "shared");
	point->has_stride = compile_look(c, t, "stride") != NULL;
	point->stride = (int)compile_int(c, t, where, "stride", 0, 0, 65535);
	point->has_unit_id = compile_look(c, t, "unit_id") != NULL;
	point->unit_id = (uint8_t)compile_int(c, t, where, "unit_id", 0, 0, 255);
	value_each (v, compile_table(c, t, where, "addresses")) {
		n++;
		if (v->key &&
		    value_to_int(&(struct value){.type = VALUE_STRING, .text = v->key, .len = strlen(v->key)}, &n))
			n = 0;
		if (n < 1 || n > c->p->connectors || value_to_int(v, &address) || address < 0 || address > 65535) {
			compile_wrong_key(c, where, "addresses", "wants [connector 1 to %d] = 0 to 65535",
					  c->p->connectors);
			return;
		}
		point->elsewhere |= (uint16_t)(1u << (n - 1));
		point->at[n - 1] = (uint16_t)address;
	}
	if ((point->function <= 2) != (point->type == POINT_BOOL))
		compile_wrong_key(c, where, "fc", "functions 1 and 2 read bits (type bool), 3 and 4 registers");
}

static int group_named(struct compiler *c, const struct value *t, const char *where)
{
	const struct value *v = compile_look(c, t, "group");
	const char *name = value_text(v);

	for (int i = 0; name && i < c->p->group_count; i++)
		if (!strcmp(c->p->groups[i].name, name))
			return i + 1;
	if (v)
		compile_wrong_key(c, where, "group", "must name one of groups");
	return 0;
}

int compile_has_hook(const struct compiler *c, const char *where)
{
	char path[120];

	(void)snprintf(path, sizeof(path), "%s.hook", where);
	return script_has(c->script, path);
}

static void compile_read(struct compiler *c, const struct value *t, const char *where, int place)
{
	struct point *point = &c->p->points[place];
	const char *unit = value_text(compile_look(c, t, "unit"));

	if (compile_look(c, t, "unit") && (!unit || strlen(unit) >= sizeof(point->unit)))
		compile_wrong_key(c, where, "unit", "must be a text below %zu letters", sizeof(point->unit));
	(void)snprintf(point->unit, sizeof(point->unit), "%.15s", unit ? unit : "");
	if (c->p->can)
		compile_can_point(c, t, where, place);
	else
		compile_type(c, t, where, point);
	compile_scaling(c, t, where, point);
	compile_invalid(c, t, where, point);
	compile_bits(c, t, where, point);
	if (!c->base)
		compile_names(c, t, where, place);
	point->has_range = compile_look(c, t, "min") || compile_look(c, t, "max");
	point->min = compile_double(c, t, where, "min", -1e12);
	point->max = compile_double(c, t, where, "max", 1e12);
	point->period_ms = (uint32_t)compile_int(c, t, where, "period_ms", 0, 100, 3600000);
	point->swap = compile_bool(c, t, where, "swap");
	if (!c->p->can)
		compile_place(c, t, where, point);
	point->group = group_named(c, t, where);
	point->optional = compile_bool(c, t, where, "optional");
	point->range = compile_range(c, t, where);
	point->hook = !c->base && compile_has_hook(c, where);
	if (!c->base && !point->hook && compile_look(c, t, "hook"))
		compile_wrong_key(c, where, "hook", "must be a function(raw, get, connector)");
	if (point->type == POINT_RAW && !c->base && !point->hook)
		compile_wrong_key(c, where, "type", "raw is for points with a hook");
}

static const char *const point_keys[] = {
    "fc",        "address", "type",     "words",        "order",         "scale",      "offset",
    "unit",      "min",     "max",      "shift",        "mask",          "invalid",    "shared",
    "period_ms", "swap",    "bit",      "field",        "names",         "skip",       "chars",
    "encoding",  "stride",  "unit_id",  "shift_stride", "decimals_from", "scale_from", "optional",
    "group",     "hook",    "firmware", "variants",     "valid_when",    "addresses",  NULL};
static const char *const variant_keys[] = {
    "fc",      "address", "type", "words", "order", "scale", "offset",   "min",    "max",       "shift",    "mask",
    "invalid", "swap",    "bit",  "field", "skip",  "chars", "encoding", "stride", "addresses", "firmware", NULL};

/* Of a CAN profile: a place in a message instead of registers. */
static const char *const can_point_keys[] = {
    "message", "mux",   "byte",  "start",    "length", "bytes",         "order",      "type",       "scale",
    "offset",  "unit",  "min",   "max",      "shift",  "mask",          "invalid",    "period_ms",  "bit",
    "field",   "names", "chars", "encoding", "hook",   "decimals_from", "scale_from", "valid_when", NULL};

static void compile_point(struct compiler *c, const struct value *t)
{
	struct profile *p = c->p;
	char where[80];

	(void)snprintf(where, sizeof(where), "points.%.60s", t->key);
	if (p->point_count == DEVICE_POINTS_MAX) {
		compile_wrong(c, where, "is one too many: %d points are allowed", DEVICE_POINTS_MAX);
		return;
	}
	struct point *point = &p->points[p->point_count];
	if (strlen(t->key) >= sizeof(point->name))
		compile_wrong(c, where, "the name is longer than %zu letters", sizeof(point->name) - 1);
	if (!value_is_object(t) || !value_get(t, p->can ? "message" : "address")) {
		compile_wrong(c, where, "must be a table with at least %s and type",
			      p->can ? "message, byte" : "fc, address");
		return;
	}
	compile_keys(c, t, where, p->can ? can_point_keys : point_keys);
	(void)snprintf(point->name, sizeof(point->name), "%.31s", t->key);
	compile_read(c, t, where, p->point_count++);
}

static void compile_variants(struct compiler *c, const struct value *t, const char *where, int target)
{
	struct profile *p = c->p;
	char place[140];
	int n = 0;

	value_each (v, compile_table(c, t, where, "variants")) {
		(void)snprintf(place, sizeof(place), "%s.variants[%d]", where, ++n);
		if (p->read_count == PROFILE_POINTS_MAX || v->type != VALUE_OBJECT || !value_get(v, "firmware")) {
			compile_wrong(c, place, "must be a table with firmware; %d points and variants are allowed",
				      PROFILE_POINTS_MAX);
			return;
		}
		struct point *point = &p->points[p->read_count];
		const struct point *whole = &p->points[target];
		compile_keys(c, v, place, variant_keys);
		c->base = t;
		compile_read(c, v, place, p->read_count++);
		c->base = NULL;
		memcpy(point->name, whole->name, sizeof(point->name));
		point->decimals_from = whole->decimals_from;
		point->decimals_offset = whole->decimals_offset;
		memcpy(point->scale_from, whole->scale_from, sizeof(point->scale_from));
		memcpy(point->valid, whole->valid, sizeof(point->valid));
		point->hook = whole->hook;
		point->target = target + 1;
		p->points[target].variants++;
	}
}

void compile_points(struct compiler *c, const struct value *points)
{
	char where[80];

	value_each (t, points) {
		if (t->key)
			compile_point(c, t);
		else
			compile_wrong(c, "points", "must be named, not a list");
	}
	compile_all_links(c, points);
	value_each (t, points) {
		int place = t->key ? profile_point(c->p, t->key) : -1;

		if (place < 0 || !value_is_object(t))
			continue;
		(void)snprintf(where, sizeof(where), "points.%.60s", t->key);
		compile_variants(c, t, where, place);
	}
}

static void check_denied(struct compiler *c, const char *place, uint32_t first, uint32_t last)
{
	const struct profile *p = c->p;

	for (int d = 0; d < p->deny_count; d++)
		if (first <= p->deny[d].last && last >= p->deny[d].first) {
			compile_wrong(c, place, "lies in a range of modbus.deny (%d to %d)", p->deny[d].first,
				      p->deny[d].last);
			return;
		}
}

void compile_addresses(struct compiler *c)
{
	const struct profile *p = c->p;

	for (int i = 0; i < p->read_count; i++) {
		const struct point *point = &p->points[i];
		char place[80];
		int before = c->mistakes;

		(void)snprintf(place, sizeof(place), "points.%s.address", point->name);
		if (point->words > p->max_words)
			compile_wrong(c, place, "the point has more words than modbus.max_words");
		for (int n = 1; n <= (point->shared ? 1 : p->connectors) && c->mistakes == before; n++) {
			uint32_t first = profile_address(p, point, n), last = first + point->words - 1;

			if (last > 65535)
				compile_wrong(c, place, "%s would lie beyond 65535",
					      p->connectors > 1 ? "the last connector's" : "its end");
			check_denied(c, place, first, last);
		}
	}
}
