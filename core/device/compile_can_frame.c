/* Frames of a CAN profile: identifiers by their fields, data with values put in, places of values. */
#include <stdio.h>
#include <string.h>

#include "bus/can.h"
#include "device/compile_can.h"

enum { PLACE = 140 };

/* An identifier while it is read: for a frame the mask says nothing. */
struct identifier {
	uint32_t value, mask;
	struct can_bits unit, number;
};

static const struct can_field *field_named(const struct can_plan *plan, const char *name)
{
	for (int i = 0; i < plan->field_count; i++)
		if (!strcmp(plan->fields[i].name, name))
			return &plan->fields[i];
	return NULL;
}

static void read_field(struct compiler *c, const struct value *v, const char *where, struct identifier *id)
{
	const struct can_field *field = field_named(c->p->can, v->key);
	const char *text = value_text(v);
	int64_t i = 0;

	if (!field) {
		compile_wrong_key(c, where, v->key, "is none of the fields in can.id");
		return;
	}
	uint32_t most = (uint32_t)(((uint64_t)1 << field->at.bits) - 1);
	if (text && !strcmp(text, "unit")) {
		id->unit = field->at;
		return;
	}
	if (text && !strcmp(text, "connector")) {
		id->number = field->at;
		return;
	}
	if (text && !strcmp(text, "master"))
		i = c->p->can->master;
	else if (text || value_to_int(v, &i))
		i = -1;
	if (i < 0 || i > most) {
		compile_wrong_key(c, where, v->key, "must be 0 to %u, \"unit\", \"connector\" or \"master\"", most);
		return;
	}
	id->value |= (uint32_t)i << field->at.first;
	id->mask |= most << field->at.first;
}

static int reaches_beyond(const struct identifier *id, uint32_t most)
{
	uint32_t unit = (uint32_t)(((uint64_t)1 << id->unit.bits) - 1) << id->unit.first;
	uint32_t number = (uint32_t)(((uint64_t)1 << id->number.bits) - 1) << id->number.first;

	return ((id->mask | unit | number) & ~most) != 0;
}

/* id = 0x1801F456, or by the fields of can.id. */
static void read_id(struct compiler *c, const struct value *t, const char *where, int extended, struct identifier *id)
{
	const struct value *v = value_get(t, "id");
	uint32_t most = extended ? CAN_ID_EXTENDED_MAX : CAN_ID_STANDARD_MAX;
	char place[PLACE];
	int64_t i;

	*id = (struct identifier){0};
	(void)snprintf(place, sizeof(place), "%s.id", where);
	if (v && v->type == VALUE_OBJECT) {
		value_each (field, v)
			read_field(c, field, place, id);
		/* A field of the long identifier would be cut off, and the frame be another device's. */
		if (reaches_beyond(id, most))
			compile_wrong(c, place,
				      "has fields above bit 10, which an identifier has only when it is extended");
		return;
	}
	if (!v || v->type == VALUE_STRING || value_to_int(v, &i) || i < 0 || i > most) {
		compile_wrong(c, place, "must be 0 to 0x%X%s, or a table of the fields in can.id", most,
			      extended ? "" : " (not extended)");
		return;
	}
	id->value = (uint32_t)i;
	id->mask = most;
}

static int is_extended(struct compiler *c, const struct value *t, const char *where)
{
	return value_get(t, "extended") ? compile_bool(c, t, where, "extended") : c->p->can->extended;
}

static const struct {
	const char *name;
	enum can_form form;
	uint8_t bytes;
} forms[] = {
    {"u8", CAN_FORM_UNSIGNED, 1}, {"s8", CAN_FORM_SIGNED, 1},    {"u16", CAN_FORM_UNSIGNED, 2},
    {"s16", CAN_FORM_SIGNED, 2},  {"u24", CAN_FORM_UNSIGNED, 3}, {"u32", CAN_FORM_UNSIGNED, 4},
    {"s32", CAN_FORM_SIGNED, 4},  {"f32", CAN_FORM_FLOAT, 4},    {"bcd", CAN_FORM_BCD, 1},
};

static int read_order(struct compiler *c, const struct value *t, const char *where)
{
	static const char *const orders[] = {"little", "big", NULL};

	return compile_choice(c, t, where, "order", orders, c->p->can->big);
}

static const struct {
	const char *name;
	enum can_source source;
} sources[] = {
    {"unit", CAN_FROM_UNIT},         {"connector", CAN_FROM_NUMBER}, {"each", CAN_FROM_EACH},
    {"setpoint", CAN_FROM_SETPOINT}, {"time", CAN_FROM_TIME},        {"counter", CAN_FROM_COUNTER},
};

/* FC_OK and *source, FC_EINVAL. */
static int source_named(const char *name, enum can_source *source)
{
	for (size_t i = 0; name && i < sizeof(sources) / sizeof(sources[0]); i++)
		if (!strcmp(sources[i].name, name)) {
			*source = sources[i].source;
			return FC_OK;
		}
	return FC_EINVAL;
}

static void read_source(struct compiler *c, const struct value *t, const char *where, struct can_insert *in)
{
	int said = 0;

	if (value_get(t, "value")) {
		in->source = CAN_FROM_VALUE;
		in->value = compile_double(c, t, where, "value", 0);
		said++;
	}
	if (value_get(t, "copy")) {
		in->source = CAN_FROM_COPY;
		in->copy = (uint8_t)compile_int(c, t, where, "copy", 0, 0, CAN_BYTES_MAX - 1);
		said++;
	}
	if (value_get(t, "point")) {
		in->source = CAN_FROM_POINT;
		in->point = compile_point_name(c, value_get(t, "point"), where, "point");
		in->point = in->point < 0 ? 0 : in->point;
		said++;
	}
	if (value_get(t, "from")) {
		if (source_named(value_text(value_get(t, "from")), &in->source))
			compile_wrong_key(c, where, "from", "must be one of unit connector each setpoint time counter");
		said++;
	}
	if (said != 1)
		compile_wrong(c, where, "wants one of value, from, point and copy");
}

static void read_insert(struct compiler *c, const struct value *t, const char *where, struct can_insert *in)
{
	static const char *const known[] = {"value", "from",   "point",     "copy",  "type", "order",
					    "scale", "offset", "otherwise", "bytes", NULL};
	const char *type = value_text(value_get(t, "type"));
	size_t i = 0;

	compile_keys(c, t, where, known);
	read_source(c, t, where, in);
	while (type && i < sizeof(forms) / sizeof(forms[0]) && strcmp(type, forms[i].name) != 0)
		i++;
	if (i == sizeof(forms) / sizeof(forms[0]) || (value_get(t, "type") && !type)) {
		compile_wrong_key(c, where, "type", "must be one of u8 s8 u16 s16 u24 u32 s32 f32 bcd");
		i = 0;
	}
	in->form = forms[i].form;
	in->bytes = forms[i].bytes;
	if (in->form == CAN_FORM_BCD || in->source == CAN_FROM_TIME)
		in->bytes = (uint8_t)compile_int(c, t, where, "bytes", in->source == CAN_FROM_TIME ? 7 : 1, 1, 7);
	else if (value_get(t, "bytes"))
		compile_wrong_key(c, where, "bytes", "is for type bcd and from = \"time\"");
	in->big = (uint8_t)read_order(c, t, where);
	in->scale = compile_double(c, t, where, "scale", 1);
	in->offset = compile_double(c, t, where, "offset", 0);
	in->otherwise = compile_double(c, t, where, "otherwise", 0);
	if (in->scale >= 0 && in->scale <= 0) {
		compile_wrong_key(c, where, "scale", "must not be 0");
		in->scale = 1;
	}
}

static struct can_insert *add_insert(struct compiler *c, const char *where, struct can_send *send)
{
	struct can_plan *plan = c->p->can;

	if (plan->insert_count == CAN_INSERTS_MAX) {
		compile_wrong(c, where, "is one value too many: %d are allowed in a file", CAN_INSERTS_MAX);
		return NULL;
	}
	struct can_insert *in = &plan->inserts[plan->insert_count++];
	if (!send->inserts++)
		send->first_insert = (uint8_t)(plan->insert_count - 1);
	*in = (struct can_insert){.at = send->len, .bytes = 1, .scale = 1};
	return in;
}

/* One item of data: a byte, a name, or a table. */
static void read_item(struct compiler *c, const struct value *v, const char *where, struct can_send *send)
{
	const char *text = value_text(v);
	struct can_insert *in = NULL;
	int64_t i;
	int bytes = 1;

	if (text && !strcmp(text, "master")) {
		send->data[send->len] = (uint8_t)c->p->can->master;
	} else if (!text && !value_is_object(v) && !value_to_int(v, &i) && v->type != VALUE_BOOL && i >= 0 &&
		   i <= 255) {
		send->data[send->len] = (uint8_t)i;
	} else if (text || value_is_object(v)) {
		in = add_insert(c, where, send);
		if (!in)
			return;
		if (!text)
			read_insert(c, v, where, in);
		else if (source_named(text, &in->source) || in->source == CAN_FROM_TIME)
			compile_wrong(c, where, "must be one of unit connector master each setpoint counter");
		bytes = in->bytes;
		send->per_number |= in->source == CAN_FROM_NUMBER || in->source == CAN_FROM_SETPOINT ||
				    in->source == CAN_FROM_POINT || (in->source == CAN_FROM_UNIT && c->p->unit_stride);
	} else {
		compile_wrong(c, where, "must be 0 to 255, a name, or a table with value, from, point or copy");
	}
	if (send->len + bytes > CAN_BYTES_MAX) {
		compile_wrong(c, where, "lies beyond the frame's %d bytes", CAN_BYTES_MAX);
		if (in)
			in->bytes = (uint8_t)(CAN_BYTES_MAX - send->len);
		bytes = CAN_BYTES_MAX - send->len;
	}
	send->len = (uint8_t)(send->len + bytes);
}

int compile_can_frame(struct compiler *c, const struct value *t, const char *where)
{
	struct can_plan *plan = c->p->can;
	const struct value *data = compile_table(c, t, where, "data");
	struct identifier id;
	char place[PLACE];
	int n = 0;

	if (plan->send_count == CAN_SENDS_MAX) {
		compile_wrong(c, where, "is one frame too many: %d are sent at most", CAN_SENDS_MAX);
		return 0;
	}
	struct can_send *send = &plan->sends[plan->send_count++];
	send->extended = (uint8_t)is_extended(c, t, where);
	read_id(c, t, where, send->extended, &id);
	send->id = id.value;
	send->unit = id.unit;
	send->number = id.number;
	send->per_number = id.number.bits || (id.unit.bits && c->p->unit_stride);
	if (data && data->type == VALUE_OBJECT)
		compile_wrong_key(c, where, "data", "must be a list");
	value_each (v, data) {
		(void)snprintf(place, sizeof(place), "%s.data[%d]", where, ++n);
		if (send->len == CAN_BYTES_MAX) {
			compile_wrong(c, place, "lies beyond the frame's %d bytes", CAN_BYTES_MAX);
			break;
		}
		read_item(c, v, place, send);
	}
	if (value_get(t, "fill")) {
		int fill = (int)compile_int(c, t, where, "fill", 0, 0, 255);

		while (send->len < CAN_BYTES_MAX)
			send->data[send->len++] = (uint8_t)fill;
	}
	return plan->send_count - 1;
}

/* One byte that is looked for: 0..255, false (any), a name, or { value, mask }. */
static int read_wanted(struct compiler *c, const struct value *v, int at, struct can_match *m)
{
	const char *text = value_text(v);
	int64_t i = -1, mask = 0xFF;

	if (v->type == VALUE_BOOL)
		return v->i ? FC_EINVAL : FC_OK;
	m->least = m->least > at ? m->least : (uint8_t)(at + 1);
	if (text && !strcmp(text, "unit")) {
		m->unit_at = (uint8_t)(at + 1);
		return FC_OK;
	}
	if (text && !strcmp(text, "connector")) {
		m->number_at = (uint8_t)(at + 1);
		return FC_OK;
	}
	int readable = 1;
	if (text && !strcmp(text, "master"))
		i = c->p->can->master;
	else if (v->type == VALUE_ARRAY)
		readable = v->count == 2 && !value_to_int(v->first, &i) && !value_to_int(v->last, &mask);
	else
		readable = !text && !value_to_int(v, &i);
	if (!readable)
		return FC_EINVAL;
	if (i < 0 || i > 255 || mask < 1 || mask > 255 || (i & ~mask))
		return FC_EINVAL;
	m->data[at] = (uint8_t)i;
	m->data_mask[at] = (uint8_t)mask;
	return FC_OK;
}

static void read_wanted_data(struct compiler *c, const struct value *data, const char *where, struct can_match *m)
{
	int at = 0;

	if (data && data->type == VALUE_OBJECT)
		compile_wrong(c, where, "must be a list, one item a byte, false for any");
	value_each (v, data) {
		char place[PLACE];

		(void)snprintf(place, sizeof(place), "%s[%d]", where, at + 1);
		if (at == CAN_BYTES_MAX || read_wanted(c, v, at, m)) {
			compile_wrong(c, place,
				      "must be one of at most 8 bytes: 0 to 255, false (any), { value, mask }, "
				      "\"unit\", \"connector\" or \"master\"");
			return;
		}
		at++;
	}
}

void compile_can_match(struct compiler *c, const struct value *t, const char *where, struct can_match *match)
{
	struct identifier id;
	char place[PLACE];

	match->extended = (uint8_t)is_extended(c, t, where);
	read_id(c, t, where, match->extended, &id);
	match->id = id.value;
	match->mask = id.mask;
	match->unit = id.unit;
	match->number = id.number;
	(void)snprintf(place, sizeof(place), "%s.data", where);
	read_wanted_data(c, compile_table(c, t, where, "data"), place, match);
	int least = (int)compile_int(c, t, where, "length", 0, 0, CAN_BYTES_MAX);
	match->least = match->least > least ? match->least : (uint8_t)least;
}

void compile_can_ok(struct compiler *c, const struct value *v, const char *where, const struct can_match *message,
		    struct can_match *match)
{
	static const char *const known[] = {"id", "data", NULL};
	struct identifier id = {0};
	char place[PLACE];

	match->extended = message->extended;
	if (v && v->type == VALUE_ARRAY) {
		read_wanted_data(c, v, where, match);
		return;
	}
	if (!v || v->type != VALUE_OBJECT) {
		compile_wrong(c, where, "must be a list of bytes, or a table with id and data");
		return;
	}
	compile_keys(c, v, where, known);
	if (value_get(v, "id"))
		read_id(c, v, where, match->extended, &id);
	match->id = id.value;
	match->mask = id.mask;
	match->unit = id.unit;
	match->number = id.number;
	(void)snprintf(place, sizeof(place), "%s.data", where);
	read_wanted_data(c, compile_table(c, v, where, "data"), place, match);
}

void compile_can_place(struct compiler *c, const struct value *t, const char *where, int bits, int most_bytes,
		       struct can_place *place)
{
	int has_start = compile_look(c, t, "start") != NULL, has_byte = compile_look(c, t, "byte") != NULL;

	place->big = (uint8_t)read_order(c, t, where);
	place->bits = (uint16_t)compile_int(c, t, where, "length", bits, 1, bits > 64 ? bits : 64);
	if (has_start == has_byte) {
		compile_wrong(c, where, "wants byte = 0..%d, or start = the bit as DBC files count", most_bytes - 1);
		return;
	}
	if (has_start) {
		place->first = (uint16_t)compile_int(c, t, where, "start", 0, 0, 8 * most_bytes - 1);
	} else {
		int byte = (int)compile_int(c, t, where, "byte", 0, 0, most_bytes - 1);
		/* A value of some bits in whole bytes: the low ones. */
		int spare = place->big ? (8 - place->bits % 8) % 8 : 0;

		place->first = (uint16_t)(8 * byte + (place->big ? 7 - spare : 0));
	}
	if (can_last_byte(place) >= most_bytes)
		compile_wrong(c, where, "its %d bits end beyond byte %d", place->bits, most_bytes - 1);
}

/* How a point of that type becomes registers. */
static const struct {
	const char *name;
	enum point_type type;
	uint8_t words, bits; /* bits 0: says so by `bytes` */
} types[] = {
    {"u8", POINT_U16, 1, 8},     {"s8", POINT_S16, 1, 8},   {"u16", POINT_U16, 1, 16},  {"s16", POINT_S16, 1, 16},
    {"u24", POINT_U32, 2, 24},   {"u32", POINT_U32, 2, 32}, {"s32", POINT_S32, 2, 32},  {"u64", POINT_U64, 4, 64},
    {"s64", POINT_S64, 4, 64},   {"f32", POINT_F32, 2, 32}, {"f64", POINT_F64, 4, 64},  {"bool", POINT_BOOL, 1, 1},
    {"bits", POINT_BITS, 4, 64}, {"bcd", POINT_BCD, 4, 0},  {"text", POINT_TEXT, 0, 0}, {"hex", POINT_HEX, 0, 0},
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

/* Of bcd, text and hex, and of bits: as many bytes as it says. */
static int read_bytes(struct compiler *c, const struct value *t, const char *where, struct point *point, int bits)
{
	int is_text = point->type == POINT_TEXT || point->type == POINT_HEX;
	int most = point->type == POINT_HEX ? 30 : is_text ? DEVICE_TEXT_MAX - 2 : 8;

	if (bits && point->type != POINT_BITS) {
		if (compile_look(c, t, "bytes"))
			compile_wrong_key(c, where, "bytes", "is for bits, bcd, text and hex");
		return bits;
	}
	int bytes = (int)compile_int(c, t, where, "bytes", bits ? 1 : 0, 1, most);
	if (!bytes) {
		compile_wrong_key(c, where, "bytes", "is missing: the length, 1 to %d", most);
		bytes = 1;
	}
	if (point->type == POINT_HEX && bytes % 2)
		compile_wrong_key(c, where, "bytes", "of a hex must be even");
	if (is_text)
		point->words = (uint16_t)((bytes + 1) / 2);
	return 8 * bytes;
}

static void read_text(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	static const char *const encodings[] = {"ascii", "utf-8", "utf-16", NULL};

	point->encoding = (enum text_encoding)compile_choice(c, t, where, "encoding", encodings, TEXT_ASCII);
	point->chars = (uint8_t)compile_int(c, t, where, "chars", 0, 1, DEVICE_TEXT_MAX - 2);
}

void compile_can_point(struct compiler *c, const struct value *t, const char *where, int number)
{
	struct can_plan *plan = c->p->can;
	struct point *point = &c->p->points[number];
	const char *type = value_text(value_get(t, "type"));
	size_t i = 0;

	if (!plan) /* a Modbus profile's points are compiled elsewhere */
		return;
	while (type && i < TYPES && strcmp(type, types[i].name) != 0)
		i++;
	if (!type || i == TYPES) {
		compile_wrong_key(c, where, "type",
				  "must be one of u8 s8 u16 s16 u24 u32 s32 u64 s64 f32 f64 bool bits bcd text hex");
		i = 0;
	}
	point->type = types[i].type;
	point->words = types[i].words;
	int bits = read_bytes(c, t, where, point, types[i].bits);
	if (point->type == POINT_TEXT)
		read_text(c, t, where, point);
	int message = compile_can_message(c, value_get(t, "message"), where, "message");
	const struct can_message *m = message ? &plan->messages[message - 1] : NULL;
	int most = m && m->packets ? CAN_PACKET_BYTES : CAN_BYTES_MAX;
	struct can_place place = {0};
	compile_can_place(c, t, where, bits, most, &place);
	if ((point->type == POINT_F32 || point->type == POINT_F64) && place.bits != bits)
		compile_wrong_key(c, where, "length", "of a float is %d", bits);
	if ((bits > 64 || point->type == POINT_TEXT || point->type == POINT_HEX) &&
	    (place.bits != bits || place.first % 8 != (place.big ? 7 : 0)))
		compile_wrong_key(c, where, "byte", "a text begins with a byte, and its length is `bytes`");
	if (place.bits > point->words * 16)
		compile_wrong_key(c, where, "length", "is more than the type holds");
	plan->points[number].place = place;
	plan->points[number].message = (uint8_t)message;
	plan->points[number].has_mux = value_get(t, "mux") != NULL;
	plan->points[number].mux = (uint32_t)compile_int(c, t, where, "mux", 0, 0, UINT32_MAX);
	if (m && plan->points[number].has_mux && !m->mux.bits)
		compile_wrong_key(c, where, "mux", "can.messages.%s has no mux", m->name);
}
