/* GB/T 27930: from bytes to values (chargers.md 2.3). Values are taken apart when they are asked for: a frame costs a copy. */
#include "device/gbt_state.h"

#include <stdio.h>
#include <string.h>

enum {
	BYTE = 8,
	ASCII_FIRST = 0x21,
	ASCII_LAST = 0x7e,
	YEAR_ZERO = 1985,
	CELL_BYTES = 2,
	CELL_MASK = 0xfff,
	CELL_SCALE = 10,
	DEGREES_ZERO = 50000,
	UNSAID = 0xff,
	READY = 0xaa,
	MILLI = 1000,
	LISTEN_US = 2000000, /* the longest period of a message that must come is 500 ms */
};

/* Where the field is in what was heard; 0: not known, or behind the end. */
static int locate(const struct gbt *g, const struct gbt_place *f, unsigned *first, unsigned *bits)
{
	const struct gbt_heard *h = &g->heard[f->message];
	int old = 0;

	if (f->bits_2011) {
		/* The end of CSD differs and says by its length which it is; CRM has 8 bytes in both. */
		if (f->message == CSD ? h->len != 5 && h->len < 8 : g->edition == GBT_EDITION_UNKNOWN)
			return 0;
		old = f->message == CSD ? h->len == 5 : g->edition == GBT_2011;
	}
	*first = ((unsigned)(old ? f->byte_2011 : f->byte) - 1) * BYTE + f->bit - 1;
	*bits = old ? f->bits_2011 : f->bits;
	return h->count && (*first + *bits + BYTE - 1) / BYTE <= h->len;
}

/* Up to 32 bits, low byte first. */
static uint32_t bits_at(const uint8_t *data, unsigned first, unsigned bits)
{
	uint64_t raw = 0;
	unsigned from = first / BYTE, to = (first + bits - 1) / BYTE;

	for (unsigned i = to + 1; i-- > from;)
		raw = raw << BYTE | data[i];
	return (uint32_t)(raw >> first % BYTE & ((1ULL << bits) - 1));
}

int gbt_raw(const struct gbt *g, int signal, uint32_t *raw)
{
	const struct gbt_place *f = &gbt_signals(NULL)[signal].place;
	unsigned first, bits;

	if (f->message >= MESSAGES || f->bits > 32 || !locate(g, f, &first, &bits))
		return 0;
	*raw = bits_at(g->heard[f->message].data, first, bits);
	/* Unused and unsaid is all ones (chargers.md 2.1). */
	return f->form == GBT_CODE || *raw != (uint32_t)((1ULL << bits) - 1);
}

static int number(const struct gbt *g, int signal, const struct gbt_place *f, int64_t *milli)
{
	uint32_t raw;

	if (!gbt_raw(g, signal, &raw) || (f->most && raw > f->most))
		return 0;
	switch ((enum gbt_form)f->form) {
	case GBT_FLAG:
	case GBT_HELD:
		if (raw > 1)
			return 0;
		break;
	case GBT_CHOICE:
		if (!raw)
			return 0;
		break;
	case GBT_READY:
		if (raw && raw != READY)
			return 0;
		raw = raw != 0;
		break;
	default:
		break;
	}
	*milli = (int64_t)raw * (f->scale ? f->scale : MILLI) + f->offset;
	return 1;
}

static int entry(const struct gbt_heard *h, enum gbt_id list, int index, int64_t *milli)
{
	unsigned size = list == BMV ? CELL_BYTES : 1, raw;

	if (index < 0 || !h->count || ((unsigned)index + 1) * size > h->len)
		return FC_ENOENT;
	if (list == BMV) {
		raw = (h->data[2 * index] | (unsigned)h->data[2 * index + 1] << BYTE) & CELL_MASK;
		*milli = (int64_t)raw * CELL_SCALE;
		return raw == CELL_MASK ? FC_EINVAL : FC_OK;
	}
	raw = h->data[index];
	*milli = (int64_t)raw * MILLI - DEGREES_ZERO;
	return raw == UNSAID ? FC_EINVAL : FC_OK;
}

int gbt_cell(const struct gbt *g, int cell, int64_t *millivolts)
{
	return entry(&g->heard[BMV], BMV, cell, millivolts);
}

int gbt_temperature(const struct gbt *g, int sensor, int64_t *millidegrees)
{
	return entry(&g->heard[BMT], BMT, sensor, millidegrees);
}

/* Number, lowest or highest of those that were said. */
static int of_list(const struct gbt *g, const struct gbt_place *f, int64_t *milli)
{
	const struct gbt_heard *h = &g->heard[f->message];
	int64_t count = 0, least = 0, most = 0, value;

	for (int i = 0; entry(h, f->message, i, &value) != FC_ENOENT; i++) {
		if (entry(h, f->message, i, &value) != FC_OK)
			continue;
		least = !count || value < least ? value : least;
		most = !count || value > most ? value : most;
		count++;
	}
	*milli = f->form == GBT_COUNT ? count * MILLI : f->form == GBT_LOWEST ? least : most;
	return count > 0;
}

/* SPN 3090 to 3095 all well and 3096 says no: a pause (chargers.md 2.3, coupling). Each of 2 bits, from byte 6. */
static int pause_said(const struct gbt *g, int64_t *milli)
{
	const struct gbt_heard *h = &g->heard[BSM];

	if (!h->count)
		return 0;
	unsigned raw = h->data[5] | (unsigned)h->data[6] << BYTE, allowed = raw >> 12 & 3;

	*milli = !(raw & 0xfff) && !allowed ? MILLI : 0;
	return allowed < 2;
}

static int power(const struct gbt *g, int64_t *milli)
{
	const struct gbt_heard *h = &g->heard[CCS];

	if (!h->count)
		return 0;
	uint32_t volts = bits_at(h->data, 0, 16), amperes = bits_at(h->data, 16, 16);

	/* 0.1 V times 0.1 A are 10 mW. */
	*milli = (int64_t)volts * (4000 - (int64_t)amperes) * 10;
	return volts != 0xffff && amperes != 0xffff;
}

/* Printable characters; what pads them at the end is left out. 0: nothing, or something that is no text. */
static int ascii(const uint8_t *bytes, unsigned len, char *out, size_t size)
{
	while (len && (bytes[len - 1] == UNSAID || bytes[len - 1] == 0 || bytes[len - 1] == ' '))
		len--;
	if (!len || len >= size)
		return 0;
	for (unsigned i = 0; i < len; i++) {
		if (bytes[i] < (i ? ' ' : ASCII_FIRST) || bytes[i] > ASCII_LAST)
			return 0;
		out[i] = (char)bytes[i];
	}
	out[len] = 0;
	return 1;
}

static int bcd(uint8_t byte, int most)
{
	int value = (byte >> 4) * 10 + (byte & 15);

	return byte >> 4 > 9 || (byte & 15) > 9 || value > most ? -1 : value;
}

/* Clocks that are not set send all ones; some swap the fields or do not use BCD (chargers.md 2.7): no time then. */
static int clock_text(const uint8_t *b, char *out, size_t size)
{
	int second = bcd(b[0], 59), minute = bcd(b[1], 59), hour = bcd(b[2], 23), day = bcd(b[3], 31);
	int month = bcd(b[4], 12), low = bcd(b[5], 99), high = bcd(b[6], 99);

	if (second < 0 || minute < 0 || hour < 0 || day < 1 || month < 1 || low < 0 || high < 19)
		return 0;
	(void)snprintf(out, size, "%02u%02u-%02u-%02u %02u:%02u:%02u", (uint8_t)high, (uint8_t)low, (uint8_t)month,
		       (uint8_t)day, (uint8_t)hour, (uint8_t)minute, (uint8_t)second);
	return 1;
}

static int date_text(const uint8_t *b, char *out, size_t size)
{
	if (b[0] == UNSAID || !b[1] || b[1] > 12 || !b[2] || b[2] > 31)
		return 0;
	(void)snprintf(out, size, "%04d-%02d-%02d", YEAR_ZERO + b[0], b[1], b[2]);
	return 1;
}

/* chargers.md 2.3: 01 01 00 is V1.1, 00 01 00 is V1.0. */
static int version_text(const uint8_t *b, char *out, size_t size)
{
	if (b[0] == UNSAID && b[1] == UNSAID && b[2] == UNSAID)
		return 0;
	(void)snprintf(out, size, "%u.%u", b[1] | (unsigned)b[2] << BYTE, b[0]);
	return 1;
}

static int software_text(const uint8_t *b, char *out, size_t size)
{
	unsigned year = b[3] | (unsigned)b[4] << BYTE;

	if (b[0] == UNSAID)
		return 0;
	if (!b[1] || b[1] > 31 || !b[2] || b[2] > 12 || year > 9999)
		(void)snprintf(out, size, "%u", b[0]);
	else
		(void)snprintf(out, size, "%u %04u-%02u-%02u", b[0], year, b[2], b[1]);
	return 1;
}

static int battery_text(uint8_t type, char *out, size_t size)
{
	static const char *const names[] = {NULL,
					    "lead-acid",
					    "nickel-metal hydride",
					    "lithium iron phosphate",
					    "lithium manganese oxide",
					    "lithium cobalt oxide",
					    "ternary lithium",
					    "lithium polymer",
					    "lithium titanate"};

	if (type != UNSAID && (!type || type >= sizeof(names) / sizeof(names[0])))
		return 0;
	(void)snprintf(out, size, "%s", type == UNSAID ? "other" : names[type]);
	return 1;
}

static int text(const struct gbt *g, const struct gbt_place *f, char out[DEVICE_TEXT_MAX])
{
	unsigned first, bits;

	if (!locate(g, f, &first, &bits))
		return 0;
	const uint8_t *b = g->heard[f->message].data + first / BYTE;

	switch ((enum gbt_form)f->form) {
	case GBT_ASCII:
		return ascii(b, bits / BYTE, out, DEVICE_TEXT_MAX);
	case GBT_VERSION:
		return version_text(b, out, DEVICE_TEXT_MAX);
	case GBT_DATE:
		return date_text(b, out, DEVICE_TEXT_MAX);
	case GBT_CLOCK:
		return clock_text(b, out, DEVICE_TEXT_MAX);
	case GBT_SOFTWARE:
		return software_text(b, out, DEVICE_TEXT_MAX);
	case GBT_BATTERY:
		return battery_text(b[0], out, DEVICE_TEXT_MAX);
	default:
		return 0;
	}
}

int gbt_vin(const struct gbt *g, char out[GBT_VIN_SIZE])
{
	const uint8_t *b = g->heard[BRM].data + 24;

	out[0] = 0;
	if (!g->heard[BRM].count)
		return 0;
	for (int i = 0; i < GBT_VIN_SIZE - 1; i++) {
		if (b[i] < ASCII_FIRST || b[i] > ASCII_LAST) {
			out[0] = 0;
			return 0;
		}
		out[i] = (char)b[i];
	}
	out[GBT_VIN_SIZE - 1] = 0;
	return 1;
}

static int say(char *out, const char *words)
{
	if (!words)
		return 0;
	(void)snprintf(out, DEVICE_TEXT_MAX, "%s", words);
	return 1;
}

static int put(int64_t *milli, int64_t value)
{
	*milli = value * MILLI;
	return 1;
}

/* What is worked out of the whole session. */
static int of_session(const struct gbt *g, enum gbt_form form, struct point_value *out)
{
	const struct gbt_reason *stop = g->stop;
	/* A silent bus is an idle one once it was listened to for a while. */
	int sure = g->phase != GBT_IDLE || (g->listening_us && g->now_us - g->listening_us > LISTEN_US);

	out->mono_us = form == GBT_WAIT_CODE || form == GBT_WAIT_TEXT ? g->waited_us : g->phase_us;
	switch (form) {
	case GBT_OF_PHASE:
		return sure && put(&out->milli, g->phase);
	case GBT_OF_PHASE_NAME:
		return sure && say(out->text, gbt_phase_name(g->phase));
	case GBT_OF_EDITION:
		return g->edition != GBT_EDITION_UNKNOWN && put(&out->milli, g->edition);
	case GBT_OF_SESSIONS:
		return put(&out->milli, g->stats.sessions);
	case GBT_OF_RESTARTS:
		return put(&out->milli, g->attempts);
	case GBT_STOP_CODE:
		return stop && say(out->text, stop->code);
	case GBT_STOP_REASON:
		return stop && say(out->text, stop->en);
	case GBT_STOP_BY:
		return stop && stop->by != GBT_BY_UNKNOWN && say(out->text, gbt_by_name(stop->by));
	case GBT_STOP_FAULT:
		return stop && put(&out->milli, stop->fault);
	case GBT_ERROR_CODE:
		return g->error && say(out->text, g->error->code);
	case GBT_ERROR_REASON:
		return g->error && say(out->text, g->error->en);
	case GBT_WAIT_CODE:
		return g->waited && say(out->text, g->waited->code);
	case GBT_WAIT_TEXT:
		return g->waited && say(out->text, g->waited->en);
	default:
		return 0;
	}
}

/* When a field was said: one that was held over is as old as when it was. */
static int64_t heard_us(const struct gbt *g, const struct gbt_place *f)
{
	if (f->form == GBT_HELD)
		return g->held_us[(f->byte - 6) * 2 + (f->byte == 6 ? (f->bit - 5) / 2 : (f->bit - 1) / 2)];
	return g->heard[f->message].last_us;
}

int gbt_get(const struct gbt *g, int signal, struct point_value *out)
{
	int count, known;
	const struct gbt_signal *s = gbt_signals(&count);

	if (signal < 0 || signal >= count)
		return FC_ENOENT;
	s += signal;
	*out = (struct point_value){.is_text = s->is_text};
	if (s->place.message >= MESSAGES) {
		known = of_session(g, s->place.form, out);
	} else {
		out->mono_us = heard_us(g, &s->place);
		if (s->personal)
			known = gbt_vin(g, out->text);
		else if (s->is_text)
			known = text(g, &s->place, out->text);
		else if (s->place.form == GBT_COUNT || s->place.form == GBT_LOWEST || s->place.form == GBT_HIGHEST)
			known = of_list(g, &s->place, &out->milli);
		else if (s->place.form == GBT_PAUSE)
			known = pause_said(g, &out->milli);
		else if (s->place.form == GBT_POWER)
			known = power(g, &out->milli);
		else
			known = number(g, signal, &s->place, &out->milli);
	}
	if (!known)
		*out = (struct point_value){.is_text = s->is_text};
	else
		out->quality = QUALITY_GOOD;
	return FC_OK;
}
