/* What was ordered. */
#include "control/command.h"

enum { PAGE = 50 };

struct listing {
	struct maker m;
	struct value *list;
	int64_t last;
};

static void put_entry(void *user, const struct audit_entry *e)
{
	struct listing *l = user;
	struct value *o = value_object(l->m.arena);

	maker_int(&l->m, o, "id", e->id);
	control_put_time(&l->m, o, "at", e->at_wall);
	maker_text(&l->m, o, "who", e->who);
	maker_optional(&l->m, o, "place", e->place);
	maker_text(&l->m, o, "command", e->command);
	maker_text(&l->m, o, "arguments", e->arguments);
	maker_optional(&l->m, o, "before", e->before);
	maker_optional(&l->m, o, "after", e->after);
	maker_text(&l->m, o, "result", *e->result ? e->result : "begun; its end is not known");
	maker_push(&l->m, l->list, o);
	l->last = e->id;
}

int command_audit(struct control *control, struct control_reply *reply, struct error *err)
{
	struct listing l = {.m = {.arena = &reply->arena}, .list = value_array(&reply->arena)};
	struct value *root = value_object(l.m.arena);
	int most = (int)control_int(reply, "limit", PAGE);
	int n = audit_each(control->sources.store, control_int(reply, "after", 0), most, put_entry, &l);

	if (n < 0)
		return error_set(err, FC_EIO, "the journal can't be read");
	maker_put(&l.m, root, "audit", l.list);
	if (n == most)
		maker_int(&l.m, root, "next", l.last);
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}
