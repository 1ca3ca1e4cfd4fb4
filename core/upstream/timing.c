#include "upstream/timing.h"

#include <string.h>

/* base: one number, or a list. */
static const struct {
	const char *name;
	double least, most;
	int is_list;
	double base[8]; /* ends with 0, but for the first */
} timings[TIMING_COUNT] = {
    [TIMING_STATUS_RESEND_H] = {"status_resend_h", 0, 24, 0, {3}},
    [TIMING_START_RESULT_S] = {"start_result_s", 5, 600, 0, {50}},
    [TIMING_STOP_RESULT_S] = {"stop_result_s", 5, 600, 0, {50}},
    [TIMING_SYNC_WAIT_S] = {"sync_wait_s", 1, 120, 0, {30}},
    [TIMING_CHARGE_STATUS_S] = {"charge_status_s", 1, 3600, 0, {50}},
    [TIMING_ORDER_FIRST_S] = {"order_first_s", 1, 86400, 0, {60}},
    /* More than three times, a minute apart (protocol.md 1.9); a platform that refuses for days is asked more rarely. */
    [TIMING_ORDER_RETRY_S] = {"order_retry_s", 1, 86400, 1, {60, 60, 60, 60, 300, 1800, 3600}},
    [TIMING_RECONCILE_FROM_H] = {"reconcile_from_h", 0, 24, 0, {0}},
    [TIMING_RECONCILE_TO_H] = {"reconcile_to_h", 0, 24, 0, {3}},
};
enum { BASE_ITEMS = sizeof(timings[0].base) / sizeof(timings[0].base[0]) };

const char *timing_name(enum timing timing)
{
	return timings[timing].name;
}

static double base_item(enum timing timing, int index)
{
	int i = 0;

	while (i < index && i + 1 < BASE_ITEMS && timings[timing].base[i + 1] > 0)
		i++;
	return timings[timing].base[i];
}

double timing_get_item(const struct value *table, enum timing timing, int index)
{
	const struct value *v = value_get(table, timings[timing].name), *chosen = v;
	double number;
	int i = 0;

	if (value_is_array(v)) {
		value_each (item, v)
			if (i++ <= index)
				chosen = item;
	}
	return value_to_double(chosen, &number) ? base_item(timing, index) : number;
}

double timing_get(const struct value *table, enum timing timing, double otherwise)
{
	return otherwise >= 0 && !value_get(table, timings[timing].name) ? otherwise
									 : timing_get_item(table, timing, 0);
}

static int check_number(const struct value *v, int t, struct error *err)
{
	double number;

	if ((v->type != VALUE_INT && v->type != VALUE_FLOAT) || value_to_double(v, &number) ||
	    !(number >= timings[t].least && number <= timings[t].most))
		return error_set(err, FC_EINVAL, "must be a number from %g to %g%s", timings[t].least, timings[t].most,
				 timings[t].is_list ? ", or a list of such" : "");
	return FC_OK;
}

static int check_list(const struct value *list, int t, struct error *err)
{
	if (list->count < 1 || list->count > TIMING_LIST_MAX)
		return error_set(err, FC_EINVAL, "must be a list of 1 to %d numbers", TIMING_LIST_MAX);
	value_each (item, list)
		if (check_number(item, t, err))
			return FC_EINVAL;
	return FC_OK;
}

int timing_check(const struct value *member, struct error *err)
{
	for (int t = 0; t < TIMING_COUNT; t++) {
		if (!member->key || strcmp(member->key, timings[t].name) != 0)
			continue;
		return timings[t].is_list && value_is_array(member) ? check_list(member, t, err)
								    : check_number(member, t, err);
	}
	return error_set(
	    err, FC_EINVAL,
	    "there is no such timing; known are status_resend_h, start_result_s, stop_result_s, "
	    "sync_wait_s, charge_status_s, order_first_s, order_retry_s, reconcile_from_h, reconcile_to_h");
}
