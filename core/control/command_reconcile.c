/* Orders compared with a platform: now, or what came of it the last time. */
#include <stdlib.h>

#include "base/clock.h"
#include "control/command.h"

/* Outlives the reply when the room ends first. */
struct waiting {
	struct control *control;
	struct control_reply *reply; /* NULL: nobody waits any more */
};

struct listing {
	struct maker m;
	struct value *list;
};

static void put_energy(struct maker *m, struct value *o, const char *key, int64_t energy_e2)
{
	if (energy_e2 >= 0)
		maker_int(m, o, key, energy_e2 * 10);
}

static void put_difference(void *user, const struct check_difference *d)
{
	struct listing *l = user;
	struct value *o = value_object(l->m.arena);

	maker_text(&l->m, o, "seq", d->seq);
	maker_int(&l->m, o, "reason", d->reason);
	maker_text(&l->m, o, "reason_name", check_reason_text(d->reason));
	if (d->reason != CHECK_NOT_OURS) {
		put_energy(&l->m, o, "our_energy_wh", d->our_energy_e2);
		maker_int(&l->m, o, "our_money_e4", d->our_money_e4);
	}
	put_energy(&l->m, o, "their_energy_wh", d->their_energy_e2);
	if (d->their_money_e4 >= 0)
		maker_int(&l->m, o, "their_money_e4", d->their_money_e4);
	maker_push(&l->m, l->list, o);
}

static struct value *report(const struct control *control, const struct check *check, struct arena *arena)
{
	struct listing l = {{.arena = arena}, value_array(arena)};
	struct value *root = value_object(arena);
	char date[CLOCK_DATE_SIZE];

	clock_format_day(check->day, date);
	maker_text(&l.m, root, "platform", check->platform);
	maker_text(&l.m, root, "date", date);
	control_put_time(&l.m, root, "at", check->at_wall);
	maker_int(&l.m, root, "orders", check->orders);
	put_energy(&l.m, root, "energy_wh", check->energy_e2);
	maker_int(&l.m, root, "money_e4", check->money_e4);
	if (checks_each_difference(control->sources.store, check->platform, check->day, put_difference, &l) < 0)
		return NULL;
	maker_put(&l.m, root, "differences", l.list);
	return l.m.failed ? NULL : root;
}

static void on_checked(void *user, const struct check *check, const char *why)
{
	struct waiting *w = user;

	if (w->reply && check)
		w->reply->result = report(w->control, check, &w->reply->arena);
	if (w->reply)
		control_finish(w->reply, check ? FC_OK : FC_EIO, check ? "" : why);
	free(w);
}

static void on_cancel(void *user)
{
	((struct waiting *)user)->reply = NULL;
}

/* Yesterday where none is given. */
static int32_t day_of(const struct control_reply *reply)
{
	const char *date = control_text(reply, "date");
	int32_t day = clock_day(clock_wall()) - 1;

	if (date)
		(void)clock_parse_date(date, &day);
	return day;
}

int command_reconcile(struct control *control, struct control_reply *reply, struct error *err)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (!w)
		return error_set(err, FC_ENOMEM, "no memory");
	*w = (struct waiting){control, reply};
	int result = platform_set_reconcile(control->sources.platforms, control_text(reply, "platform"), day_of(reply),
					    on_checked, w, err);
	if (result) {
		free(w);
		return result;
	}
	reply->cancel = on_cancel;
	reply->cancel_user = w;
	return CONTROL_LATER;
}

int command_check(struct control *control, struct control_reply *reply, struct error *err)
{
	struct check check;
	int result = checks_get(control->sources.store, control_text(reply, "platform"), day_of(reply), &check);

	if (result)
		return error_set(err, result,
				 result == FC_ENOENT ? "that day was not compared" : "the journal can't be read");
	reply->result = report(control, &check, &reply->arena);
	return FC_OK;
}

static void put_check(void *user, const struct check *check)
{
	struct listing *l = user;
	struct value *o = value_object(l->m.arena);
	char date[CLOCK_DATE_SIZE];

	clock_format_day(check->day, date);
	maker_text(&l->m, o, "platform", check->platform);
	maker_text(&l->m, o, "date", date);
	maker_int(&l->m, o, "at", check->at_wall);
	maker_int(&l->m, o, "orders", check->orders);
	put_energy(&l->m, o, "energy_wh", check->energy_e2);
	maker_int(&l->m, o, "money_e4", check->money_e4);
	maker_int(&l->m, o, "differences", check->differences);
	maker_push(&l->m, l->list, o);
}

int command_checks(struct control *control, struct control_reply *reply, struct error *err)
{
	enum { CHECKS = 60 };
	struct listing l = {{.arena = &reply->arena}, value_array(&reply->arena)};
	struct value *root = value_object(l.m.arena);

	if (checks_each(control->sources.store, control_text(reply, "platform"),
			(int)control_int(reply, "limit", CHECKS), put_check, &l) < 0)
		return error_set(err, FC_EIO, "the journal can't be read");
	maker_put(&l.m, root, "checks", l.list);
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}
