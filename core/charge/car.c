#include "charge/car.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "charge/words.h"
#include "station/point.h"

/* A BMS that does not know it says zeros, all ones or blanks. (GB 16735 knows no I, O and Q; cars do.) */
static int is_vin(const char *text)
{
	for (const char *t = text; *t; t++)
		if (!isalnum((unsigned char)*t))
			return 0;
	return strlen(text) == ORDER_VIN - 1 && strspn(text, "0") != ORDER_VIN - 1;
}

static int good_point(const struct charge *c, const char *name, struct point_value *out)
{
	return c->connector && !connector_point(c->connector, name, out) && out->quality == QUALITY_GOOD;
}

void car_begin(struct charge *c)
{
	struct point_value v;

	c->stop_known = good_point(c, "stop_by", &v) != 0;
}

void car_look(struct charge *c)
{
	struct order *o = c->order;
	struct point_value v;
	char masked[WORDS_MASKED];

	if (!o || c->closing || c->settling)
		return;
	/* A new session of the two has begun. */
	if (c->stop_known && !good_point(c, "stop_by", &v))
		c->stop_known = 0;
	if (!*o->vin && good_point(c, "vin", &v) && v.is_text && is_vin(v.text)) {
		(void)snprintf(o->vin, sizeof(o->vin), "%.*s", ORDER_VIN - 1, v.text);
		log_info("charge: order %s: vehicle %s", o->seq, words_masked(o->vin, masked));
	}
	if (!o->metered || !good_point(c, "soc", &v) || v.is_text || v.milli < 0 || v.milli > 100000)
		return;
	if (!o->has_soc)
		o->soc_start_milli = v.milli;
	o->soc_end_milli = v.milli;
	o->has_soc = 1;
}

/* Said since the charge began: the end of the one before says nothing of this. */
static int said_now(const struct charge *c, const char *name, struct point_value *out)
{
	return !c->stop_known && good_point(c, name, out) && out->mono_us >= c->anchor_mono_us;
}

/* What nobody said while the charge ran is no reason of its end. */
static int by_evidence(const struct charge *c, int reason)
{
	struct point_value by, fault = {0};

	if (!said_now(c, "stop_by", &by) || !by.is_text)
		return reason;
	int failed = said_now(c, "stop_fault", &fault) && !fault.is_text && fault.milli != 0;
	/* Who presses the emergency stop saw something go wrong. */
	if (!strcmp(by.text, "person"))
		return failed ? SESSION_BY_FAULT : SESSION_BY_USER;
	if (!strcmp(by.text, "car"))
		return SESSION_BY_CAR;
	if (!strcmp(by.text, "charger"))
		return failed ? SESSION_BY_FAULT : SESSION_BY_CAR;
	return reason;
}

static void keep_words(struct charge *c)
{
	struct order *o = c->order;
	struct point_value v;

	if (said_now(c, "stop_code", &v) && v.is_text)
		(void)snprintf(o->cause_code, sizeof(o->cause_code), "%.*s", (int)sizeof(o->cause_code) - 1, v.text);
	if (said_now(c, "stop_reason", &v) && v.is_text)
		(void)snprintf(o->cause, sizeof(o->cause), "%s", v.text);
}

/* Somebody ordered it. Many chargers tell the car of a remote stop as of one by hand: words only for what went wrong beside. */
static int was_ordered(int reason)
{
	return reason == SESSION_BY_PLATFORM || reason == SESSION_BY_USER || reason == SESSION_NOT_AUTHORISED ||
	       reason == SESSION_RESERVED || reason == SESSION_NOT_STARTED;
}

int car_reason(struct charge *c, int reason)
{
	struct point_value fault;

	if (!was_ordered(reason) || (said_now(c, "stop_fault", &fault) && !fault.is_text && fault.milli != 0))
		keep_words(c);
	/* A fault the charger's own status says already; what is silent, nobody explains. */
	return reason == SESSION_BY_CAR || reason == SESSION_BY_UNPLUGGING ? by_evidence(c, reason) : reason;
}

int car_end(struct charge *c)
{
	struct point_value by;

	return said_now(c, "stop_by", &by) ? car_reason(c, c->reason) : c->end_reason;
}
