#include "charge/policy.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "script/script.h"

enum { DAY_S = 86400, DAY_MIN = 1440, OCCUPIED_MOST_MIN = 120, WEEK = 7, MEMORY = 256 << 10, DECIMALS_READ = 9 };

struct policy {
	struct script *script;
	char name[TARIFF_NAME];
};

/* One evaluation: where messages come from, and where they go. */
struct reading {
	const struct policy *policy;
	struct error *err;
	char date[CLOCK_DATE_SIZE];
	int period; /* the price under way, from 1; 0 = none. Its name is made only where something is wrong */
};

static int __attribute__((format(printf, 3, 4))) wrong(const struct reading *r, const char *place, const char *fmt, ...)
{
	char what[160], where[80];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (r->period && *place)
		(void)snprintf(where, sizeof(where), "prices[%d].%s", r->period, place);
	else if (r->period)
		(void)snprintf(where, sizeof(where), "prices[%d]", r->period);
	else
		(void)snprintf(where, sizeof(where), "%s", place);
	return error_set(r->err, FC_EINVAL, "%s: %s (%s): %s", script_path(r->policy->script), where, r->date, what);
}

/* A misspelt key would be silence where something was meant. */
static int check_keys(const struct reading *r, const struct value *table, const char *place, const char *const *known)
{
	value_each (member, table)
		if (!value_key_known(member, known))
			return wrong(r, place, "there is no such key: %.30s", member->key ? member->key : "a list");
	return FC_OK;
}

/* A number of the script as a scaled integer. More decimals than there are would be rounded in silence: refused. where: its name for
 * messages, of a price behind the price's own. */
static int read_scaled(const struct reading *r, const struct value *table, const char *where, int decimals,
		       int64_t *out)
{
	const char *dot = strchr(where, '.');
	const struct value *v = value_get(table, dot ? dot + 1 : where);
	const int64_t unit = decimal_rescale(1, 0, DECIMALS_READ - decimals);
	double scale = (double)decimal_rescale(1, 0, decimals), x;
	int64_t exact = 0;

	if (!v)
		return FC_OK;
	if (v->type == VALUE_NUMBER) { /* a decimal, or a fixed(): exact as it is */
		if (decimal_parse(v->text, DECIMALS_READ, &exact) || exact < 0 || exact % unit ||
		    exact / unit > (int64_t)(1e6 * scale))
			return wrong(r, where, "must be 0 or more, with at most %d decimals", decimals);
		*out = exact / unit;
		return FC_OK;
	}
	if (v->type == VALUE_INT)
		x = (double)v->i;
	else if (v->type == VALUE_FLOAT)
		x = v->f;
	else
		return wrong(r, where, "must be a number");
	if (!(x >= 0 && x <= 1e6) || fabs(x * scale - round(x * scale)) > 1e-6)
		return wrong(r, where, "must be 0 or more, with at most %d decimals", decimals);
	*out = (int64_t)llround(x * scale);
	return FC_OK;
}

/* "HH:MM". */
static int read_start(const struct reading *r, const struct value *period, int32_t *start_s)
{
	const char *text = value_text(value_get(period, "start"));
	int hour = 24, minute = 0;

	if (text && strlen(text) == 5 && text[2] == ':' && strspn(text, "0123456789") == 2 &&
	    strspn(text + 3, "0123456789") == 2) {
		hour = (text[0] - '0') * 10 + text[1] - '0';
		minute = (text[3] - '0') * 10 + text[4] - '0';
	}
	if (hour > 23 || minute > 59)
		return wrong(r, "", "start must be a time such as \"07:30\"");
	*start_s = hour * 3600 + minute * 60;
	return FC_OK;
}

static int read_periods(struct reading *r, const struct value *list, struct tariff_day *day)
{
	static const char *const known[] = {"start", "elec", "service", NULL};

	day->count = 0;
	if (!list || !value_is_array(list) || !list->count || list->count > TARIFF_PERIODS)
		return wrong(r, "prices", "must give a list of 1 to %d periods", TARIFF_PERIODS);
	value_each (v, list) {
		struct tariff_period *p = &day->periods[day->count];
		int64_t elec = -1, service = 0;

		r->period = day->count + 1;
		if (!value_is_object(v))
			return wrong(r, "", "must be a table of start, elec and service");
		if (check_keys(r, v, "", known))
			return FC_EINVAL;
		if (read_start(r, v, &p->start_s) || read_scaled(r, v, "elec", 4, &elec) ||
		    read_scaled(r, v, "service", 4, &service))
			return FC_EINVAL;
		if (elec < 0 || elec > INT32_MAX || service > INT32_MAX)
			return wrong(r, "", "wants elec, yuan per kWh");
		p->elec_e4 = (int32_t)elec;
		p->service_e4 = (int32_t)service;
		day->count++;
	}
	r->period = 0;
	return FC_OK;
}

static int read_terms(const struct reading *r, const struct value *terms, struct tariff *t)
{
	static const char *const known[] = {
	    "minute", "occupancy_minute", "occupancy_free_min", "occupancy_most_min", "free_kwh", "minimum", "maximum",
	    NULL};
	int64_t free_minutes = 0, most_minutes = 0;

	if (check_keys(r, terms, "terms", known))
		return FC_EINVAL;
	if (read_scaled(r, terms, "terms.minute", 4, &t->minute_e4) ||
	    read_scaled(r, terms, "terms.occupancy_minute", 4, &t->occupancy_minute_e4) ||
	    read_scaled(r, terms, "terms.occupancy_free_min", 0, &free_minutes) ||
	    read_scaled(r, terms, "terms.occupancy_most_min", 0, &most_minutes) ||
	    read_scaled(r, terms, "terms.free_kwh", 3, &t->free_wh) ||
	    read_scaled(r, terms, "terms.minimum", 2, &t->minimum_e4) ||
	    read_scaled(r, terms, "terms.maximum", 2, &t->maximum_e4))
		return FC_EINVAL;
	if (free_minutes > DAY_MIN || most_minutes > DAY_MIN)
		return wrong(r, "terms", "occupancy_free_min and occupancy_most_min are a day at most");
	t->occupancy_free_min = (int32_t)free_minutes;
	t->occupancy_most_min = most_minutes ? (int32_t)most_minutes : OCCUPIED_MOST_MIN;
	t->minimum_e4 *= 100;
	t->maximum_e4 *= 100;
	return FC_OK;
}

static struct value *make_context(struct arena *arena, const struct policy_context *c, const char *date, int32_t day)
{
	struct value *v = value_object(arena);

	if (value_put(arena, v, "date", value_string(arena, date)) ||
	    /* 1 = Monday; day 0 was a Thursday. */
	    value_put(arena, v, "weekday", value_int(arena, (day % WEEK + WEEK + 3) % WEEK + 1)) ||
	    value_put(arena, v, "station_id", value_string(arena, c->station_id)) ||
	    value_put(arena, v, "connector_id", value_string(arena, c->connector_id)) ||
	    value_put(arena, v, "platform", value_string(arena, c->platform)) ||
	    value_put(arena, v, "user_class", value_string(arena, c->user_class)))
		return NULL;
	return v;
}

/* What the file says under key: the table itself, or what its function gives. */
static int evaluate(struct policy *p, const char *key, const struct value *context, struct arena *arena,
		    const struct value **out, struct error *err)
{
	struct value *made = NULL;

	*out = value_get(script_table(p->script), key);
	if (!script_has(p->script, key))
		return FC_OK;
	int result = script_call(p->script, key, context, NULL, arena, &made, err);
	*out = made;
	return result;
}

static int read_day(struct policy *p, const struct policy_context *context, int32_t number, struct tariff *t, int index,
		    struct error *err)
{
	struct reading r = {.policy = p, .err = err};
	const struct value *list, *terms;
	struct arena arena;

	clock_format_day(number, r.date);
	arena_init(&arena, MEMORY);
	const struct value *about = make_context(&arena, context, r.date, number);
	int result = about ? FC_OK : error_set(err, FC_ENOMEM, "policy: %s: no memory", p->name);
	if (!result)
		result = evaluate(p, "prices", about, &arena, &list, err);
	if (!result)
		result = read_periods(&r, list, &t->days[index]);
	/* The terms are those of the day on which the charge starts. */
	if (!result && !index) {
		result = evaluate(p, "terms", about, &arena, &terms, err);
		if (!result)
			result = read_terms(&r, terms, t);
	}
	arena_fini(&arena);
	return result;
}

int policy_tariff(struct policy *p, const struct policy_context *context, int64_t wall, int days, struct tariff *out,
		  struct error *err)
{
	memset(out, 0, sizeof(*out));
	(void)snprintf(out->policy, sizeof(out->policy), "%s", p->name);
	(void)snprintf(out->version, sizeof(out->version), "%s", policy_hash(p));
	out->first_day = clock_day(wall);
	for (int i = 0; i < TARIFF_DAYS; i++) {
		if (i >= days) {
			out->days[i] = out->days[i - 1];
			continue;
		}
		int result = read_day(p, context, out->first_day + i, out, i, err);
		if (result)
			return result;
	}
	struct error why = {0};
	if (tariff_check(out, &why))
		return error_set(err, FC_EINVAL, "%s: %s", script_path(p->script), why.text);
	return FC_OK;
}

void policy_free_of_charge(int64_t wall, struct tariff *out)
{
	memset(out, 0, sizeof(*out));
	out->first_day = clock_day(wall);
	for (int i = 0; i < TARIFF_DAYS; i++)
		out->days[i].count = 1;
}

/* Keys and functions that would be passed over in silence. */
static int check_file(const struct policy *p, struct error *err)
{
	static const char *const known[] = {"forecourt", "kind",  "name",     "description",
					    "prices",    "terms", "examples", NULL};
	const struct value *table = script_table(p->script);
	const char *kind = value_text(value_get(table, "kind")), *name = value_text(value_get(table, "name"));
	const char *path = script_path(p->script);
	int64_t version;

	value_each (member, table)
		if (!value_key_known(member, known))
			return error_set(err, FC_EINVAL, "%s: %s: there is no such key", path,
					 member->key ? member->key : "a list");
	value_each (function, script_functions(p->script))
		if (strcmp(value_text(function), "prices") != 0 && strcmp(value_text(function), "terms") != 0)
			return error_set(err, FC_EINVAL, "%s: %s: only prices and terms may be functions", path,
					 value_text(function));
	if (value_to_int(value_get(table, "forecourt"), &version) || version != 1)
		return error_set(err, FC_EINVAL, "%s: forecourt: must be 1, the version of this interface", path);
	if (!kind || strcmp(kind, "policy") != 0)
		return error_set(err, FC_EINVAL, "%s: kind: must be \"policy\"", path);
	if (!name || strcmp(name, p->name) != 0)
		return error_set(err, FC_EINVAL, "%s: name: must be the name of the file without .lua", path);
	return script_run_examples(p->script, err);
}

static int try_a_week(struct policy *p, struct error *err)
{
	const struct policy_context nobody = {"", "", "", ""};
	struct tariff *t = malloc(sizeof(*t));
	int result = FC_OK;

	if (!t)
		return error_set(err, FC_ENOMEM, "policy: %s: no memory", p->name);
	/* A trial: what the file puts into its tables is kept only once the file is in force. */
	for (int i = 0; i < WEEK && !result; i += TARIFF_DAYS) {
		int64_t wall = clock_wall() + (int64_t)i * DAY_S;

		script_pin(p->script, wall);
		result = policy_tariff(p, &nobody, wall, TARIFF_DAYS, t, err);
	}
	script_unpin(p->script);
	free(t);
	return result;
}

/* path NULL: the host's own file of that name. */
static struct policy *load(const struct script_host *host, const char *name, const char *path, struct error *err)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (!p) {
		(void)error_set(err, FC_ENOMEM, "policy: %s: no memory", name);
		return NULL;
	}
	if (strlen(name) >= TARIFF_NAME) {
		(void)error_set(err, FC_EINVAL, "policy: \"%s\" is no usable name: longer than %d", name,
				TARIFF_NAME - 1);
		policy_free(p);
		return NULL;
	}
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	p->script = path ? script_load_file(host, path, name, err) : script_load(host, "policies", name, name, err);
	if (!p->script || check_file(p, err) || try_a_week(p, err)) {
		policy_free(p);
		return NULL;
	}
	return p;
}

struct policy *policy_load(const struct script_host *host, const char *name, struct error *err)
{
	return load(host, name, NULL, err);
}

struct policy *policy_load_file(const struct script_host *host, const char *path, struct error *err)
{
	char name[SCRIPT_NAME_MAX + 1];

	if (!script_name_of(path, name))
		return load(host, name, path, err);
	(void)error_set(err, FC_EINVAL, "%s: is no usable name: a-z 0-9 _ -, and .lua behind", path);
	return NULL;
}

struct script *policy_script(const struct policy *p)
{
	return p->script;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	script_free(p->script);
	free(p);
}

static void *load_any(const struct script_host *host, const char *name, const char *space, struct error *err)
{
	(void)space; /* its own name */
	return policy_load(host, name, err);
}

static void release_any(void *policy)
{
	policy_free(policy);
}

static const char *hash_any(const void *policy)
{
	return policy_hash(policy);
}

const struct shelf_kind policy_kind = {"policy", "policies", load_any, release_any, hash_any};

const char *policy_name(const struct policy *p)
{
	return p->name;
}

const char *policy_hash(const struct policy *p)
{
	return script_hash(p->script);
}

struct sources *policy_sources(const struct policy *p)
{
	return script_sources(p->script);
}
