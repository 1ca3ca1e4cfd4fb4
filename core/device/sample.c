#include "device/sample.h"

#include <math.h>
#include <string.h>

#include "device/decode.h"
#include "device/decode_text.h"
#include "device/hook.h"

int sample_stage(const struct profile *p, int place)
{
	const struct point *point = &p->points[place];

	if (point->hook || point->valid[0])
		return 2;
	return point->decimals_from || point->scale_from[0];
}

/* What others multiply it by. FC_EINVAL while one of them is not known. */
static int factor_of(const struct profile *p, const struct point *point, const struct point_value *values,
		     double *factor)
{
	const int by[] = {point->scale_from[0], point->scale_from[1], point->decimals_from};

	(void)p;
	*factor = 1;
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		const struct point_value *v = by[i] ? &values[by[i] - 1] : NULL;

		if (!v)
			continue;
		if (v->quality != QUALITY_GOOD || v->is_text)
			return FC_EINVAL;
		if (i < 2)
			*factor *= (double)v->milli / 1000;
		else if (v->milli > 40000 || v->milli < -40000)
			return FC_EINVAL;
		else
			*factor *= pow(10, (double)v->milli / 1000 + point->decimals_offset);
	}
	return FC_OK;
}

static int holds(const struct profile *p, const struct point *point, const struct point_value *values)
{
	for (int i = 0; i < 2; i++)
		if (point->valid[i] && !profile_match_holds(&p->matches[point->valid[i] - 1], values))
			return 0;
	return 1;
}

static int in_range(const struct point *point, const struct point_value *v)
{
	double value = (double)v->milli / 1000;

	return v->is_text || !point->has_range || (value >= point->min && value <= point->max);
}

void sample_point(struct profile *p, int place, const uint16_t *words, int number, const struct point_value *values,
		  struct point_value *out)
{
	const struct point *point = &p->points[place];
	struct point_value v = {.quality = QUALITY_UNKNOWN};
	double factor;

	out->quality = QUALITY_UNKNOWN;
	if (!holds(p, point, values) || factor_of(p, point, values, &factor) ||
	    decode_scaled(point, words, number, factor, &v))
		return;
	if (point->type == POINT_BITS)
		decode_bit_names(p, point->target ? point->target - 1 : place, decode_raw(point, words), v.text,
				 sizeof(v.text));
	if (point->hook && (hook_run(p, place, words, number, values, &v) || !in_range(point, &v)))
		return;
	v.quality = QUALITY_GOOD;
	v.mono_us = out->mono_us;
	*out = v;
}

/* A listening profile may turn a signal's sign, or its unit, by scale and offset; what else frames hold is the agent's to decode. */
static int scale_said(const struct point *point, double factor, struct point_value *v)
{
	double scale = point->signal ? point->scale : 1, offset = point->signal ? point->offset : 0;
	int same = scale >= 1 && scale <= 1 && factor >= 1 && factor <= 1 && offset >= 0 && offset <= 0;

	if (v->is_text || same)
		return FC_OK;
	double milli = (double)v->milli * scale * factor + offset * 1000;
	if (!isfinite(milli) || fabs(milli) >= 9.2e18)
		return FC_EINVAL;
	v->milli = llround(milli);
	return FC_OK;
}

void sample_said(struct profile *p, int place, const struct point_value *said, int number,
		 const struct point_value *values, struct point_value *out)
{
	const struct point *point = &p->points[place];
	struct point_value v = *said;
	double factor;

	out->quality = QUALITY_UNKNOWN;
	if (said->quality != QUALITY_GOOD || !holds(p, point, values) || factor_of(p, point, values, &factor) ||
	    scale_said(point, factor, &v))
		return;
	/* No registers: the hook gets what was said. */
	if (point->hook && hook_run(p, place, NULL, number, values, &v))
		return;
	if (!in_range(point, &v))
		return;
	*out = v;
}
