#include "store/samples.h"

#include <string.h>

#include "store/internal.h"

/* A row: the version, then for each minute a byte that says which values it has (bits), each followed by its difference to the one
 * of that kind before as a number of 7 bits a byte (the lowest first, the sign in the lowest bit). */
enum {
	VERSION = 1,
	KINDS = 4,
	NUMBER_MAX = 5,
	ROW_MAX = 1 + SAMPLE_MINUTES * (1 + KINDS * NUMBER_MAX),
	POWER_STEP = 10,
	PLACES = 65536 /* numbers of connectors */
};
/* What no charger has: beyond these nothing is kept, so that differences fit. */
static const int32_t value_max = 100000000;

const struct sample sample_none = {SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN};

int sample_is_none(const struct sample *s)
{
	return s->power_w == SAMPLE_UNKNOWN && s->voltage_dv == SAMPLE_UNKNOWN && s->current_da == SAMPLE_UNKNOWN &&
	       s->soc_e1 == SAMPLE_UNKNOWN;
}

static int is_known(int32_t value)
{
	return value >= -value_max && value <= value_max;
}

static int32_t round_power(int32_t w)
{
	return is_known(w) ? (w + (w < 0 ? -POWER_STEP / 2 : POWER_STEP / 2)) / POWER_STEP : SAMPLE_UNKNOWN;
}

static size_t put_number(unsigned char *out, int32_t number)
{
	uint32_t n = (uint32_t)number << 1 ^ (number < 0 ? UINT32_MAX : 0);
	size_t len = 0;

	for (; n >= 0x80; n >>= 7)
		out[len++] = (unsigned char)(n | 0x80);
	out[len++] = (unsigned char)n;
	return len;
}

static size_t encode(const struct sample minutes[SAMPLE_MINUTES], unsigned char out[ROW_MAX])
{
	int32_t before[KINDS] = {0};
	size_t len = 0;

	out[len++] = VERSION;
	for (int i = 0; i < SAMPLE_MINUTES; i++) {
		const int32_t values[KINDS] = {round_power(minutes[i].power_w), minutes[i].voltage_dv,
					       minutes[i].current_da, minutes[i].soc_e1};
		size_t head = len++;

		out[head] = 0;
		for (int k = 0; k < KINDS; k++) {
			if (!is_known(values[k]))
				continue;
			out[head] |= (unsigned char)(1 << k);
			len += put_number(out + len, values[k] - before[k]);
			before[k] = values[k];
		}
	}
	return len;
}

static int get_number(const unsigned char *data, size_t len, size_t *at, int32_t *out)
{
	uint32_t n = 0;

	for (int i = 0; i < NUMBER_MAX && *at < len; i++) {
		unsigned char byte = data[(*at)++];

		n |= (uint32_t)(byte & 0x7F) << (7 * i);
		if (byte & 0x80)
			continue;
		*out = (int32_t)(n >> 1 ^ (n & 1 ? UINT32_MAX : 0));
		return FC_OK;
	}
	return FC_EINVAL;
}

static int decode(const unsigned char *data, size_t len, struct sample minutes[SAMPLE_MINUTES])
{
	int32_t before[KINDS] = {0};
	size_t at = 1;

	if (!data || !len || data[0] != VERSION)
		return FC_EINVAL;
	for (int i = 0; i < SAMPLE_MINUTES; i++) {
		int32_t values[KINDS] = {SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN}, step;

		if (at >= len || data[at] >> KINDS)
			return FC_EINVAL;
		unsigned char has = data[at++];
		for (int k = 0; k < KINDS; k++) {
			if (!(has & 1 << k))
				continue;
			if (get_number(data, len, &at, &step) || __builtin_add_overflow(before[k], step, &before[k]) ||
			    !is_known(before[k]))
				return FC_EINVAL;
			values[k] = before[k];
		}
		if (values[0] != SAMPLE_UNKNOWN && __builtin_mul_overflow(values[0], (int32_t)POWER_STEP, &values[0]))
			return FC_EINVAL;
		minutes[i] = (struct sample){values[0], values[1], values[2], values[3]};
	}
	return at == len ? FC_OK : FC_EINVAL;
}

/* The key of a row. */
static int64_t row_of(int32_t slot, int64_t place)
{
	return (int64_t)slot * PLACES + place;
}

/* The connector's number; 0 = it has none yet, FC_EIO. */
static int64_t find_place(struct store *store, const char *connector_id)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "SELECT id FROM place WHERE name = ?1");
	int64_t place = FC_EIO;

	if (s && !sqlite3_bind_text(s, 1, connector_id, -1, SQLITE_STATIC)) {
		int code = sqlite3_step(s);

		if (code == SQLITE_ROW || code == SQLITE_DONE)
			place = code == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	}
	sqlite3_finalize(s);
	return place;
}

/* The same, and it gets one. More than fit in a key are told as a failure. */
static int64_t need_place(struct store *store, const char *connector_id)
{
	int64_t place = find_place(store, connector_id);

	if (place)
		return place < PLACES ? place : FC_EIO;
	sqlite3_stmt *s = store_prepare(store_db(store), "INSERT INTO place(name) VALUES(?1)");
	int done = s && !sqlite3_bind_text(s, 1, connector_id, -1, SQLITE_STATIC) && sqlite3_step(s) == SQLITE_DONE;
	sqlite3_finalize(s);
	place = done ? sqlite3_last_insert_rowid(store_db(store)) : FC_EIO;
	return place < PLACES ? place : FC_EIO;
}

/* What is there of a row; sample_none where nothing is, or nothing that can be read. */
static int read_row(struct store *store, int64_t row, struct sample minutes[SAMPLE_MINUTES])
{
	sqlite3_stmt *s = store_prepare(store_db(store), "SELECT data FROM curve WHERE id = ?1");
	int code = SQLITE_ERROR, good = 0;

	if (s && !sqlite3_bind_int64(s, 1, row))
		code = sqlite3_step(s);
	if (code == SQLITE_ROW) {
		const void *data = sqlite3_column_blob(s, 0);

		/* None for want of memory: what is there would be written over. */
		if (!data && sqlite3_errcode(store_db(store)) == SQLITE_NOMEM)
			code = SQLITE_NOMEM;
		good = data && !decode(data, (size_t)sqlite3_column_bytes(s, 0), minutes);
	}
	for (int i = 0; i < SAMPLE_MINUTES && !good; i++)
		minutes[i] = sample_none;
	sqlite3_finalize(s);
	return code == SQLITE_ROW || code == SQLITE_DONE ? FC_OK : FC_EIO;
}

int samples_put(struct store *store, const char *connector_id, int32_t slot,
		const struct sample minutes[SAMPLE_MINUTES], struct error *err)
{
	struct sample all[SAMPLE_MINUTES];
	unsigned char data[ROW_MAX];
	int64_t place = need_place(store, connector_id), row = row_of(slot, place);

	if (place < 0 || read_row(store, row, all))
		return store_failed(store, err, "samples");
	for (int i = 0; i < SAMPLE_MINUTES; i++)
		if (!sample_is_none(&minutes[i]))
			all[i] = minutes[i];
	size_t len = encode(all, data);
	sqlite3_stmt *s = store_prepare(store_db(store), "INSERT OR REPLACE INTO curve VALUES(?1, ?2)");
	int done = s && !sqlite3_bind_int64(s, 1, row) && !sqlite3_bind_blob(s, 2, data, (int)len, SQLITE_STATIC) &&
		   sqlite3_step(s) == SQLITE_DONE;
	int result = done ? FC_OK : store_failed(store, err, "samples");

	sqlite3_finalize(s);
	return result;
}

int samples_each(struct store *store, const char *connector_id, int32_t first, int32_t last,
		 void (*fn)(void *user, int32_t minute, const struct sample *sample), void *user)
{
	/* Slot by slot: 64 others stand beside each row that is wanted. */
	int64_t place = find_place(store, connector_id);
	sqlite3_stmt *s = store_prepare(store_db(store), "SELECT data FROM curve WHERE id = ?1");
	int n = 0, code = SQLITE_DONE;

	if (!s || place < 0) {
		sqlite3_finalize(s);
		return FC_EIO;
	}
	for (int32_t slot = first / SAMPLE_MINUTES;
	     place && slot <= last / SAMPLE_MINUTES && (code == SQLITE_ROW || code == SQLITE_DONE); slot++) {
		struct sample minutes[SAMPLE_MINUTES];
		int32_t minute = slot * SAMPLE_MINUTES;

		code = sqlite3_bind_int64(s, 1, row_of(slot, place)) ? SQLITE_ERROR : sqlite3_step(s);
		int good = code == SQLITE_ROW &&
			   !decode(sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0), minutes);
		for (int i = 0; good && i < SAMPLE_MINUTES; i++)
			if (minute + i >= first && minute + i <= last && !sample_is_none(&minutes[i])) {
				fn(user, minute + i, &minutes[i]);
				n++;
			}
		(void)sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	return code == SQLITE_ROW || code == SQLITE_DONE ? n : FC_EIO;
}

int samples_keep(struct store *store, int32_t first_slot, int32_t last_slot, struct error *err)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "DELETE FROM curve WHERE id < ?1 OR id > ?2");
	int done = s && !sqlite3_bind_int64(s, 1, row_of(first_slot, 0)) &&
		   !sqlite3_bind_int64(s, 2, row_of(last_slot, PLACES - 1)) && sqlite3_step(s) == SQLITE_DONE;
	int result = done ? FC_OK : store_failed(store, err, "samples");

	sqlite3_finalize(s);
	return result;
}
