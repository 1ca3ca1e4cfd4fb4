#include "charge/order.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { RECORD_VERSION = 1, MEMORY = 256 << 10 };

/* A list of whole numbers. */
static struct value *numbers(struct arena *a, const int64_t *list, int count)
{
	struct value *v = value_array(a);

	for (int i = 0; i < count; i++)
		if (value_push(v, value_int(a, list[i])))
			return NULL;
	return v;
}

static int put_int(struct arena *a, struct value *object, const char *key, int64_t i)
{
	return value_add(a, object, key, value_int(a, i));
}

static struct value *write_day(struct arena *a, const struct tariff_day *day)
{
	struct value *list = value_array(a);

	for (int i = 0; i < day->count; i++) {
		const struct tariff_period *p = &day->periods[i];

		if (value_push(list, numbers(a, (const int64_t[]){p->start_s, p->elec_e4, p->service_e4}, 3)))
			return NULL;
	}
	return list;
}

static int is_same_day(const struct tariff_day *a, const struct tariff_day *b)
{
	for (int i = 0; i < a->count && i < b->count; i++)
		if (a->periods[i].start_s != b->periods[i].start_s || a->periods[i].elec_e4 != b->periods[i].elec_e4 ||
		    a->periods[i].service_e4 != b->periods[i].service_e4)
			return 0;
	return a->count == b->count;
}

/* Days like the one before them are left out at the end: most are, and each order is written to flash. */
static struct value *write_tariff(struct arena *a, const struct tariff *t)
{
	struct value *v = value_object(a), *days = value_array(a);
	int count = TARIFF_DAYS;

	while (count > 1 && is_same_day(&t->days[count - 1], &t->days[count - 2]))
		count--;
	for (int i = 0; i < count; i++)
		if (value_push(days, write_day(a, &t->days[i])))
			return NULL;
	if (value_add(a, v, "policy", value_string(a, t->policy)) ||
	    value_add(a, v, "version", value_string(a, t->version)) || put_int(a, v, "first_day", t->first_day) ||
	    value_add(a, v, "days", days) || put_int(a, v, "minute_e4", t->minute_e4) ||
	    put_int(a, v, "occupancy_minute_e4", t->occupancy_minute_e4) ||
	    put_int(a, v, "occupancy_free_min", t->occupancy_free_min) ||
	    put_int(a, v, "occupancy_most_min", t->occupancy_most_min) || put_int(a, v, "free_wh", t->free_wh) ||
	    put_int(a, v, "minimum_e4", t->minimum_e4) || put_int(a, v, "maximum_e4", t->maximum_e4))
		return NULL;
	return v;
}

static struct value *write_split(struct arena *a, const struct split *s)
{
	struct value *v = value_object(a), *parts = value_array(a);

	for (int i = 0; i < s->count; i++) {
		const struct split_part *p = &s->parts[i];

		if (value_push(
			parts,
			numbers(a, (const int64_t[]){p->start_wall, p->end_wall, p->wh, p->elec_e4, p->service_e4}, 5)))
			return NULL;
	}
	if (value_add(a, v, "parts", parts) || put_int(a, v, "start_wall", s->start_wall) ||
	    put_int(a, v, "last_wall", s->last_wall) || put_int(a, v, "start_register_wh", s->start_register_wh) ||
	    put_int(a, v, "last_register_wh", s->last_register_wh) || put_int(a, v, "total_wh", s->total_wh) ||
	    put_int(a, v, "repairs", s->repairs) || (s->unread && put_int(a, v, "unread", 1)))
		return NULL;
	return v;
}

/* As steps, which are short numbers: seconds, Wh, seconds, Wh ... */
static struct value *write_trace(struct arena *a, const struct trace *t)
{
	struct value *v = value_array(a);
	struct trace_point last = {0, 0};

	for (int i = 0; i < t->count; i++) {
		const struct trace_point *p = &t->points[i];

		if (value_push(v, value_int(a, p->s - last.s)) || value_push(v, value_int(a, p->wh - last.wh)))
			return NULL;
		last = *p;
	}
	return v;
}

static int write_profile(struct arena *a, struct value *v, const struct order *o)
{
	int result = value_add(a, v, "profile", value_string(a, o->profile));

	return result ? result : value_add(a, v, "profile_version", value_string(a, o->profile_version));
}

static int put_text(struct arena *a, struct value *object, const char *key, const char *text)
{
	return *text ? value_add(a, object, key, value_string(a, text)) : FC_OK;
}

/* What is not known is left out. */
static int write_car(struct arena *a, struct value *v, const struct order *o)
{
	int result = put_text(a, v, "meter", o->meter);

	if (!result)
		result = put_text(a, v, "during", o->during);
	if (!result)
		result = put_text(a, v, "vin", o->vin);
	if (!result && o->has_soc)
		result = value_add(a, v, "soc", numbers(a, (const int64_t[]){o->soc_start_milli, o->soc_end_milli}, 2));
	if (!result)
		result = put_text(a, v, "cause_code", o->cause_code);
	return result ? result : put_text(a, v, "cause", o->cause);
}

/* What changes while it runs. */
static int write_running(struct arena *a, struct value *v, const struct order *o)
{
	int result = put_int(a, v, "version", RECORD_VERSION);

	if (!result)
		result = write_car(a, v, o);
	if (!result)
		result = put_int(a, v, "occupied_s", o->occupied_s);
	if (!result && o->has_idle)
		result = put_int(a, v, "idle_wh", o->idle_wh);
	if (!result)
		result = put_int(a, v, "stopping", o->stopping);
	if (!result)
		result = put_int(a, v, "stop_reason", o->stop_reason);
	if (!result)
		result = put_int(a, v, "began", o->began);
	if (!result)
		result = put_int(a, v, "failed", o->failed);
	if (!result && o->asking)
		result = put_int(a, v, "asking", 1);
	if (!result && o->unwanted)
		result = put_int(a, v, "unwanted", o->unwanted);
	if (!result && o->metered)
		result = value_add(a, v, "split", write_split(a, &o->split));
	return result;
}

static int write_fixed(struct arena *a, struct value *v, const struct order *o)
{
	int result = value_add(a, v, "user_class", value_string(a, o->user_class));

	if (!result)
		result = value_add(a, v, "user", value_string(a, o->user));
	if (!result && *o->profile)
		result = write_profile(a, v, o);
	if (!result)
		result = value_add(a, v, "tariff", write_tariff(a, &o->tariff));
	if (!result && o->metered && o->end_wall && o->trace.count)
		result = value_add(a, v, "trace", write_trace(a, &o->trace));
	return result;
}

/* One object of both. While it runs, spaces keep the second at its place: a note then differs in the first alone, and the store writes
 * no more than the page where that is (store/journal.c). */
static int write_both(const struct value *running, const struct value *fixed, int is_running, struct buffer *out)
{
	enum { PLACE = 352, FURTHER = 128 };
	int result = json_write(out, running);

	if (result)
		return result;
	out->data[out->len - 1] = ',';
	size_t place = PLACE;
	while (place < out->len)
		place += FURTHER;
	while (is_running && !result && out->len < place)
		result = buffer_add(out, " ", 1);
	size_t at = out->len;
	if (!result)
		result = json_write(out, fixed);
	if (!result)
		out->data[at] = ' ';
	return result;
}

int order_write(const struct order *o, struct buffer *out)
{
	struct arena a;

	arena_init(&a, MEMORY);
	struct value *running = value_object(&a), *fixed = value_object(&a);
	int result = write_running(&a, running, o);
	if (!result)
		result = write_fixed(&a, fixed, o);
	if (!result)
		result = write_both(running, fixed, !o->end_wall, out);
	arena_fini(&a);
	return result;
}

void order_move(struct order *o, int64_t by, const struct tariff *tariff)
{
	struct split before = o->split;

	memset(&o->trace, 0, sizeof(o->trace));
	o->start_wall += by;
	o->tariff = *tariff;
	if (!o->metered)
		return;
	/* All of it was believed once, so any power is believed now; and a register that was reset meanwhile has no start that
	 * fits: one that gives the same energy. */
	split_begin(&o->split, tariff, before.start_wall + by, before.last_register_wh - before.total_wh);
	if (!before.unread)
		(void)split_reading(&o->split, tariff, before.last_wall + by, before.last_register_wh, INT32_MAX);
	o->split.unread = before.unread;
	o->split.start_register_wh = before.start_register_wh;
	o->split.repairs |= before.repairs;
	trace_follow(&o->trace, &o->split);
}

void order_bill(const struct order *o, struct bill *bill)
{
	if (o->metered)
		bill_make(bill, &o->split, &o->tariff, o->occupied_s);
	else
		memset(bill, 0, sizeof(*bill));
}

struct journal_order order_entry(const struct order *o, const char *record)
{
	struct journal_order entry = {
	    .mode = (int)o->mode,
	    .closed = o->end_wall != 0,
	    .start_wall = o->start_wall,
	    .end_wall = o->end_wall,
	    .wh = o->metered ? o->split.total_wh : 0,
	    .reason = o->reason,
	    .record = record,
	};
	struct bill bill;

	order_bill(o, &bill);
	entry.money_e4 = bill.total_money_e4;
	(void)snprintf(entry.seq, sizeof(entry.seq), "%s", o->seq);
	(void)snprintf(entry.connector_id, sizeof(entry.connector_id), "%s", o->connector_id);
	(void)snprintf(entry.platform, sizeof(entry.platform), "%s", o->platform);
	return entry;
}

int order_record(const struct order *o, int (*fn)(void *user, const struct journal_order *entry, struct error *err),
		 void *user, struct error *err)
{
	struct buffer record;

	buffer_init(&record, ORDER_RECORD_MAX);
	int result = order_write(o, &record);
	if (result) {
		(void)error_set(err, result, "charge: order %s: its record can't be written", o->seq);
	} else {
		struct journal_order entry = order_entry(o, record.data);

		result = fn(user, &entry, err);
	}
	buffer_fini(&record);
	return result;
}

/* Reading: *missing takes the name of the first thing that is not as it was written. */
static int64_t get_int(const struct value *object, const char *key, const char **missing)
{
	int64_t i = 0;

	if (value_to_int(value_get(object, key), &i) && !*missing)
		*missing = key;
	return i;
}

/* Nonzero unless v is a list of just so many whole numbers. */
static int get_numbers(const struct value *v, int64_t *out, int count)
{
	int n = 0;

	value_each (item, v)
		if (n == count || value_to_int(item, &out[n++]))
			return -1;
	return n != count;
}

static void read_text(const struct value *object, const char *key, char *out, size_t size, const char **missing)
{
	const char *text = value_text(value_get(object, key));

	if (!text && !*missing)
		*missing = key;
	(void)snprintf(out, size, "%s", text ? text : "");
}

static void read_days(const struct value *days, struct tariff *t, const char **missing)
{
	int d = 0;

	value_each (day, days) {
		if (d == TARIFF_DAYS)
			break;
		value_each (period, day) {
			int64_t n[3];

			if (t->days[d].count == TARIFF_PERIODS || get_numbers(period, n, 3)) {
				*missing = "days";
				return;
			}
			t->days[d].periods[t->days[d].count++] =
			    (struct tariff_period){(int32_t)n[0], (int32_t)n[1], (int32_t)n[2]};
		}
		d++;
	}
	if (!d && !*missing)
		*missing = "days";
	for (; d && d < TARIFF_DAYS; d++)
		t->days[d] = t->days[d - 1];
}

static void read_tariff(const struct value *v, struct tariff *t, const char **missing)
{
	read_text(v, "policy", t->policy, sizeof(t->policy), missing);
	read_text(v, "version", t->version, sizeof(t->version), missing);
	t->first_day = (int32_t)get_int(v, "first_day", missing);
	read_days(value_get(v, "days"), t, missing);
	t->minute_e4 = get_int(v, "minute_e4", missing);
	t->occupancy_minute_e4 = get_int(v, "occupancy_minute_e4", missing);
	t->occupancy_free_min = (int32_t)get_int(v, "occupancy_free_min", missing);
	if (value_get(v, "occupancy_most_min"))
		t->occupancy_most_min = (int32_t)get_int(v, "occupancy_most_min", missing);
	t->free_wh = get_int(v, "free_wh", missing);
	t->minimum_e4 = get_int(v, "minimum_e4", missing);
	t->maximum_e4 = get_int(v, "maximum_e4", missing);
	if (!*missing && tariff_check(t, NULL))
		*missing = "tariff";
}

static void read_split(const struct value *v, struct split *s, const char **missing)
{
	int64_t sum = 0;

	value_each (part, value_get(v, "parts")) {
		int64_t n[5];

		if (s->count == SPLIT_PARTS || get_numbers(part, n, 5)) {
			*missing = "parts";
			return;
		}
		s->parts[s->count++] = (struct split_part){n[0], n[1], n[2], (int32_t)n[3], (int32_t)n[4]};
		sum += n[2];
	}
	s->start_wall = get_int(v, "start_wall", missing);
	s->last_wall = get_int(v, "last_wall", missing);
	s->start_register_wh = get_int(v, "start_register_wh", missing);
	s->last_register_wh = get_int(v, "last_register_wh", missing);
	s->total_wh = get_int(v, "total_wh", missing);
	s->repairs = (unsigned)get_int(v, "repairs", missing);
	s->unread = value_get(v, "unread") != NULL;
	/* Not in the records of earlier versions. */
	s->spare_ws = -1;
	if (!*missing && (!s->count || sum != s->total_wh))
		*missing = "parts";
}

/* An order is worth more than its trace: one that does not fit is as if it was not there. */
static void read_trace(const struct value *v, const struct split *split, struct trace *t)
{
	struct trace_point p = {0, 0};
	const struct value *item = v ? v->first : NULL;

	while (item && item->next && t->count < TRACE_POINTS) {
		int64_t s, wh;

		if (value_to_int(item, &s) || value_to_int(item->next, &wh) || s < 0 || wh < 0 || s > INT32_MAX - p.s ||
		    wh > INT32_MAX - p.wh)
			break;
		p = (struct trace_point){p.s + (int32_t)s, p.wh + (int32_t)wh};
		/* They are not thinned again. */
		t->exact[t->count] = 1;
		t->points[t->count++] = p;
		item = item->next->next;
	}
	t->parts = split->count;
	if (item || !trace_fits(t, split))
		memset(t, 0, sizeof(*t));
}

/* None of it is worth an order: what is not good is as if it was not there. */
static void read_car(const struct value *v, struct order *o)
{
	const struct {
		const char *key;
		char *out;
		size_t size;
	} texts[] = {{"meter", o->meter, sizeof(o->meter)},
		     {"during", o->during, sizeof(o->during)},
		     {"vin", o->vin, sizeof(o->vin)},
		     {"cause_code", o->cause_code, sizeof(o->cause_code)},
		     {"cause", o->cause, sizeof(o->cause)}};
	int64_t soc[2];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = value_text(value_get(v, texts[i].key));

		(void)snprintf(texts[i].out, texts[i].size, "%s", text ? text : "");
	}
	o->has_soc = value_get(v, "soc") && !get_numbers(value_get(v, "soc"), soc, 2);
	if (o->has_soc) {
		o->soc_start_milli = soc[0];
		o->soc_end_milli = soc[1];
	}
}

static void read_record(const struct value *v, struct order *o, const char **missing)
{
	const struct value *split = value_get(v, "split");

	if (get_int(v, "version", missing) != RECORD_VERSION && !*missing)
		*missing = "version";
	read_text(v, "user_class", o->user_class, sizeof(o->user_class), missing);
	/* Neither was in the first records. */
	if (value_get(v, "user"))
		read_text(v, "user", o->user, sizeof(o->user), missing);
	/* Nor was this, for long; and a meter may be read by nobody. */
	if (value_get(v, "profile")) {
		read_text(v, "profile", o->profile, sizeof(o->profile), missing);
		read_text(v, "profile_version", o->profile_version, sizeof(o->profile_version), missing);
	}
	read_car(v, o);
	o->stop_reason = value_get(v, "stop_reason") ? (int)get_int(v, "stop_reason", missing) : 1;
	o->occupied_s = get_int(v, "occupied_s", missing);
	o->has_idle = value_get(v, "idle_wh") != NULL;
	if (o->has_idle)
		o->idle_wh = get_int(v, "idle_wh", missing);
	o->stopping = get_int(v, "stopping", missing) != 0;
	o->began = get_int(v, "began", missing) != 0;
	o->failed = value_get(v, "failed") && get_int(v, "failed", missing) != 0;
	o->asking = value_get(v, "asking") != NULL;
	o->unwanted = value_get(v, "unwanted") ? (int)get_int(v, "unwanted", missing) : 0;
	read_tariff(value_get(v, "tariff"), &o->tariff, missing);
	o->metered = split != NULL;
	if (split)
		read_split(split, &o->split, missing);
	if (split && !*missing)
		read_trace(value_get(v, "trace"), &o->split, &o->trace);
}

int order_read(struct json_reader *reader, const struct journal_order *entry, struct order *o, struct error *err)
{
	const char *missing = NULL;
	struct value *v;
	struct arena a;

	memset(o, 0, sizeof(*o));
	(void)snprintf(o->seq, sizeof(o->seq), "%s", entry->seq);
	(void)snprintf(o->connector_id, sizeof(o->connector_id), "%.*s", (int)sizeof(o->connector_id) - 1,
		       entry->connector_id);
	(void)snprintf(o->platform, sizeof(o->platform), "%s", entry->platform);
	o->mode = (enum order_mode)entry->mode;
	o->start_wall = entry->start_wall;
	o->end_wall = entry->end_wall;
	o->reason = entry->reason;
	arena_init(&a, MEMORY);
	int result = json_read(reader, entry->record, strlen(entry->record), &a, &v, err);
	if (!result)
		read_record(v, o, &missing);
	arena_fini(&a);
	if (missing)
		return error_set(err, FC_EINVAL, "charge: order %s: its record has no good \"%s\"", entry->seq,
				 missing);
	return result;
}
