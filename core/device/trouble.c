#include "device/trouble.h"

#include <stdio.h>
#include <string.h>

#include "device/decode.h"
#include "device/instance.h"

/* Names that profiles give the texts of their faults: bits with names, or what a hook makes of a number. */
static int is_about_faults(const char *name)
{
	static const char *const parts[] = {"fault", "error", "alarm", "trouble"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(name, parts[i]))
			return 1;
	return 0;
}

static void add_words(struct trouble *out, const char *text)
{
	size_t len = strlen(out->text), more = strlen(text);

	if (!more || strstr(out->text, text) || len + more + 3 > sizeof(out->text))
		return;
	(void)snprintf(out->text + len, sizeof(out->text) - len, "%s%s", len ? ", " : "", text);
	for (char *c = out->text + len; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7F)
			*c = ' ';
}

static int good(const struct device *d, int number, int point, struct point_value *v)
{
	return !device_point(d, number, point, v) && v->quality == QUALITY_GOOD;
}

static void take_words(const struct device *d, int number, struct trouble *out)
{
	const struct profile *p = d->profile;
	struct point_value v;

	for (int i = 0; i < p->point_count; i++) {
		if (!is_about_faults(p->points[i].name) || profile_point_personal(p, i) || !good(d, number, i, &v) ||
		    !v.is_text)
			continue;
		out->point = out->point ? out->point : p->points[i].name;
		add_words(out, v.text);
	}
	if (*out->text)
		out->kind = TROUBLE_WORDS;
}

static void put_number(struct trouble *out, enum trouble_kind kind, const char *point, const struct point_value *v)
{
	out->kind = kind;
	out->point = point;
	if (v->is_text)
		add_words(out, v->text);
	else
		(void)snprintf(out->text, sizeof(out->text), "%lld", (long long)(v->milli / 1000));
}

void device_trouble(const struct device *d, int number, struct trouble *out)
{
	const struct status_rules *rules = &d->profile->status;
	struct point_value v;

	*out = (struct trouble){0};
	take_words(d, number, out);
	for (int i = 0; !out->kind && i < rules->fault_count; i++) {
		int point = rules->faults[i].point;

		if (good(d, number, point, &v) && decode_is_fault(&rules->faults[i], &v))
			put_number(out, TROUBLE_CODE, d->profile->points[point].name, &v);
	}
	if (!out->kind && rules->point >= 0 && good(d, number, rules->point, &v))
		put_number(out, TROUBLE_STATE, d->profile->points[rules->point].name, &v);
}

const char *device_stale_point(const struct device *d, int number, int *count)
{
	const char *first = NULL;
	struct point_value v;

	*count = 0;
	for (int i = 0; i < d->profile->point_count; i++) {
		if (device_point(d, number, i, &v) || v.quality != QUALITY_STALE)
			continue;
		first = first ? first : d->profile->points[i].name;
		++*count;
	}
	return first;
}
