/* Commands that start and stop charges. */
#include "control/command.h"

static int code_of(enum charge_refusal refusal)
{
	switch (refusal) {
	case CHARGE_ACCEPTED:
		return FC_OK;
	case CHARGE_NO_CONNECTOR:
		return FC_ENOENT;
	case CHARGE_NO_JOURNAL:
		return FC_EIO;
	case CHARGE_NO_PRICE:
		return FC_ESCRIPT;
	case CHARGE_IS_OFFLINE:
	case CHARGE_STOPPED_ALREADY:
	case CHARGE_NOT_PLUGGED:
	case CHARGE_OCCUPIED:
	case CHARGE_FAULTY:
	case CHARGE_NO_COMMAND:
	case CHARGE_NO_TIME:
	case CHARGE_OTHER_ORDER:
	case CHARGE_CAME_TO_NOTHING:
	case CHARGE_RESERVED:
		break;
	}
	return FC_EBUSY;
}

/* What became of it: where the charge is now. */
static int tell(struct control *control, struct control_reply *reply, const struct charge_answer *answer,
		const char *connector_id, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	enum session_state state;
	const struct order *order;

	if (answer->refusal)
		return control_refuse(reply, err, code_of(answer->refusal), charge_refusal_key(answer->refusal),
				      charge_refusal_text(answer->refusal));
	maker_text(&m, root, "seq", answer->seq);
	maker_text(&m, root, "connector", connector_id);
	if (!charge_session(control->sources.charges, connector_id, &state, &order))
		maker_text(&m, root, "session", session_state_name(state));
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_start(struct control *control, struct control_reply *reply, struct error *err)
{
	const char *user_class = control_text(reply, "class");
	const struct charge_request request = {.seq = "",
					       .connector_id = control_text(reply, "connector"),
					       .platform = "",
					       .user_class = user_class ? user_class : "",
					       .user = "",
					       .mode = ORDER_OTHER,
					       .result_s = CHARGE_RESULT_S,
					       .who = reply->who,
					       .by_operator = 1};
	struct charge_answer answer;

	charge_start(control->sources.charges, &request, &answer);
	return tell(control, reply, &answer, request.connector_id, err);
}

struct found {
	char connector_id[ORDER_ID], seq[JOURNAL_SEQ];
};

static void note(void *user, const struct order *order, enum session_state state, const struct connector *connector)
{
	struct found *found = user;

	(void)state;
	(void)connector;
	(void)snprintf(found->connector_id, sizeof(found->connector_id), "%s", order->connector_id);
	(void)snprintf(found->seq, sizeof(found->seq), "%s", order->seq);
}

/* Copied: the order may be gone with the stop. */
static int find(struct control *control, struct control_reply *reply, const char *connector_id, const char *seq,
		struct found *found, struct error *err)
{
	enum session_state state;
	const struct order *order;

	if (!connector_id == !seq)
		return error_set(err, FC_EINVAL, "stop wants either a connector or a seq");
	if (seq)
		return charge_find(control->sources.charges, seq, note, found)
			   ? control_refuse(reply, err, FC_ENOENT, "charge.no_order", "there is no such order")
			   : FC_OK;
	if (charge_session(control->sources.charges, connector_id, &state, &order))
		return control_refuse(reply, err, FC_ENOENT, charge_refusal_key(CHARGE_NO_CONNECTOR),
				      charge_refusal_text(CHARGE_NO_CONNECTOR));
	if (!order)
		return control_refuse(reply, err, FC_EBUSY, "charge.none", "no charge is under way");
	note(found, order, state, NULL);
	return FC_OK;
}

int command_stop(struct control *control, struct control_reply *reply, struct error *err)
{
	struct charge_answer answer;
	struct found found = {"", ""};
	int result = find(control, reply, control_text(reply, "connector"), control_text(reply, "seq"), &found, err);

	if (result)
		return result;
	charge_stop(
	    control->sources.charges,
	    &(struct charge_stop_request){found.seq, found.connector_id, SESSION_BY_USER, CHARGE_RESULT_S, reply->who},
	    &answer);
	return tell(control, reply, &answer, found.connector_id, err);
}
