/* What is wrong now. */
#include "control/alarms.h"
#include "control/command.h"

struct list {
	struct maker m;
	struct value *list;
};

static void put_alarm(void *user, const struct alarm *alarm)
{
	struct list *l = user;
	struct value *o = alarm_tree(alarm, l->m.arena);

	if (!o) {
		l->m.failed = 1;
		return;
	}
	maker_text(&l->m, o, "id", alarm->id);
	maker_push(&l->m, l->list, o);
}

void control_put_alarms(const struct control *control, struct maker *m, struct value *root)
{
	const struct alarms *alarms = control->sources.alarms;
	struct list l = {.m = {.arena = m->arena}, .list = value_array(m->arena)};

	if (alarms)
		alarms_each(alarms, put_alarm, &l);
	maker_put(m, root, "alarms", l.list);
	m->failed |= l.m.failed;
}

int command_alarms(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct alarms *alarms = control->sources.alarms;
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);

	(void)err;
	control_put_alarms(control, &m, root);
	maker_int(&m, root, "errors", alarms ? alarms_count(alarms, ALARM_ERROR) : 0);
	maker_int(&m, root, "warnings", alarms ? alarms_count(alarms, ALARM_WARNING) : 0);
	if (alarms && alarms_left_out(alarms))
		maker_int(&m, root, "left_out", alarms_left_out(alarms));
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
