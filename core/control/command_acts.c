/* Commands that do something to a connector beside starting and stopping: unlock, limit, reserve. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/command.h"
#include "store/events.h"

static const struct connector *find(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct connector *c = station_connector_find(control->sources.stations, control_text(reply, "connector"));

	if (!c)
		(void)control_refuse(reply, err, FC_ENOENT, "charge.no_connector", "there is no such connector");
	return c;
}

static struct value *begin(struct control_reply *reply, struct maker *m)
{
	*m = (struct maker){.arena = &reply->arena};
	struct value *root = value_object(m->arena);

	maker_text(m, root, "connector", control_text(reply, "connector"));
	return root;
}

static void note(struct control *control, const struct control_reply *reply, enum event_kind kind, const char *id,
		 const char *text)
{
	(void)events_add(control->sources.store,
			 &(struct event){.kind = kind,
					 .connector = id,
					 .from = *reply->before ? reply->before : NULL,
					 .to = *reply->after ? reply->after : NULL,
					 .text = text,
					 .who = reply->who},
			 NULL);
}

/* Unlock ------------------------------------------------------------------------------------------------------------- */

struct unlocking {
	char id[ORDER_ID];
	struct control_reply *reply; /* NULL: the room has ended */
};

static void on_cancel(void *user)
{
	((struct unlocking *)user)->reply = NULL;
}

static void on_unlocked(void *user, enum bus_status status)
{
	struct unlocking *u = user;
	struct control_reply *reply = u->reply;
	char text[160], id[ORDER_ID];

	(void)snprintf(id, sizeof(id), "%s", u->id);
	free(u);
	if (!reply)
		return;
	(void)snprintf(reply->after, sizeof(reply->after), "unlock");
	note(reply->control, reply, EVENT_COMMAND, id, status == BUS_OK ? "done" : bus_status_name(status));
	reply->after[0] = '\0';
	if (status == BUS_OK) {
		control_finish(reply, FC_OK, "");
		return;
	}
	reply->key = "unlock.failed";
	(void)snprintf(text, sizeof(text), "the charger did not do it: %s", bus_status_name(status));
	control_finish(reply, status == BUS_TIMEOUT ? FC_ETIMEOUT : FC_EIO, text);
}

/* A lock that opens under current is a danger, and a command sent now would end the start or stop that is on its way. */
static int may_unlock(struct control *control, struct control_reply *reply, const struct connector *c,
		      struct error *err)
{
	enum session_state state = SESSION_IDLE;
	const struct order *order = NULL;

	if (!c->device || c->status == CONNECTOR_OFFLINE)
		return control_refuse(reply, err, FC_EBUSY, "charge.offline", "the charger is off line");
	if (!device_can(c->device, "unlock"))
		return control_refuse(reply, err, FC_EBUSY, "unlock.no_command",
				      "the charger has no lock that can be opened from afar");
	(void)charge_session(control->sources.charges, c->config->connector_id, &state, &order);
	int is_ending = state == SESSION_STARTING || state == SESSION_STOPPING || state == SESSION_UNKNOWN;
	int is_charging = state == SESSION_CHARGING || c->status == CONNECTOR_CHARGING;
	if (is_ending || (is_charging && !device_unlocks_charging(c->device)))
		return control_refuse(reply, err, FC_EBUSY, "unlock.charging",
				      "a charge is under way: stop it, then unlock");
	return FC_OK;
}

int command_unlock(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct connector *c = find(control, reply, err);
	struct maker m;

	if (!c || may_unlock(control, reply, c, err))
		return err->code;
	struct unlocking *u = calloc(1, sizeof(*u));
	if (!u)
		return error_set(err, FC_ENOMEM, "no memory");
	u->reply = reply;
	(void)snprintf(u->id, sizeof(u->id), "%s", c->config->connector_id);
	int result =
	    device_command(control->sources.devices, c->device, c->config->number, "unlock", on_unlocked, u, err);
	if (result) {
		free(u);
		return result;
	}
	struct value *root = begin(reply, &m);
	maker_text(&m, root, "unlock", "done");
	reply->result = m.failed ? NULL : root;
	(void)snprintf(reply->before, sizeof(reply->before), "%s", connector_status_name(c->status));
	reply->cancel = on_cancel;
	reply->cancel_user = u;
	return CONTROL_LATER;
}

/* Limit -------------------------------------------------------------------------------------------------------------- */

static void limit_text(const struct connector *c, char *out, size_t size)
{
	if (c->limit.held)
		(void)snprintf(out, size, "%lld.%03lld %s", (long long)c->limit.milli / 1000,
			       (long long)llabs(c->limit.milli) % 1000, c->limit.unit);
	else
		(void)snprintf(out, size, "none");
}

static int check_limit(struct control_reply *reply, const struct connector *c, int64_t milli, struct error *err)
{
	struct device_range range;

	if (!c->device || device_limit_range(c->device, &range))
		return control_refuse(reply, err, FC_EBUSY, c->device ? "limit.none" : "charge.offline",
				      c->device ? "the charger takes no limit" : "the charger is off line");
	if ((milli >= range.min_milli && milli <= range.max_milli) || (range.has_pause && milli == range.pause_milli))
		return FC_OK;
	reply->key = "limit.range";
	return error_set(err, FC_EINVAL, "value: must be %.6g to %.6g %s%s%.6g", (double)range.min_milli / 1000,
			 (double)range.max_milli / 1000, range.unit, range.has_pause ? ", or to pause " : ", not ",
			 (double)(range.has_pause ? range.pause_milli : milli) / 1000);
}

int command_limit(struct control *control, struct control_reply *reply, struct error *err)
{
	int has_value = value_get(reply->arguments, "value") != NULL, release = control_flag(reply, "release");
	const struct connector *c = find(control, reply, err);
	struct station_set *stations = control->sources.stations;
	struct maker m;

	if (!c)
		return err->code;
	if (has_value == release)
		return error_set(err, FC_EINVAL, "limit wants either a value or release");
	const char *id = c->config->connector_id;
	int64_t milli = control_milli(reply, "value", 0);
	int result = has_value ? check_limit(reply, c, milli, err) : FC_OK;
	limit_text(c, reply->before, sizeof(reply->before));
	if (!result)
		result = has_value ? station_limit(stations, id, milli, err) : station_unlimit(stations, id, err);
	if (result)
		return result;
	limit_text(c, reply->after, sizeof(reply->after));
	note(control, reply, EVENT_LIMIT, id, NULL);
	struct value *root = begin(reply, &m);
	if (c->limit.held)
		control_put_acts(&m, root, c);
	else
		maker_flag(&m, root, "released", 1);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* Reserve ------------------------------------------------------------------------------------------------------------ */

static void reservation_text(const struct connector *c, char *out, size_t size)
{
	char time[CLOCK_DATETIME_SIZE];

	if (!c->reservation.held) {
		(void)snprintf(out, size, "not reserved");
		return;
	}
	clock_format_datetime(c->reservation.until_wall, time);
	(void)snprintf(out, size, "until %s%s%s", time, *c->reservation.note ? ": " : "", c->reservation.note);
}

static int may_reserve(struct control *control, struct control_reply *reply, const struct connector *c,
		       struct error *err)
{
	enum session_state state = SESSION_IDLE;
	const struct order *order = NULL;

	if (c->status == CONNECTOR_OFFLINE)
		return control_refuse(reply, err, FC_EBUSY, "charge.offline", "the charger is off line");
	if (c->status == CONNECTOR_FAULT)
		return control_refuse(reply, err, FC_EBUSY, "charge.faulty", "the connector is faulty");
	(void)charge_session(control->sources.charges, c->config->connector_id, &state, &order);
	if (c->status == CONNECTOR_CHARGING || (state != SESSION_IDLE && state != SESSION_ENDED))
		return control_refuse(reply, err, FC_EBUSY, "charge.occupied", "another charge is under way");
	/* By the clock it ends for people and over a restart. */
	if (!clock_wall_trusted())
		return control_refuse(reply, err, FC_EBUSY, "charge.no_time", "the clock is not set");
	return FC_OK;
}

static int duration(struct control_reply *reply, int64_t *seconds, struct error *err)
{
	int64_t until = 0, minutes = control_int(reply, "minutes", 0);
	const struct value *given = value_get(reply->arguments, "until");

	if (!given == !minutes)
		return error_set(err, FC_EINVAL, "reserve wants either minutes or until");
	if (given)
		(void)value_to_int(given, &until);
	*seconds = given ? until - clock_wall() : minutes * 60;
	if (*seconds > 0 && *seconds <= STATION_RESERVE_MAX_S)
		return FC_OK;
	reply->key = "reserve.range";
	return error_set(err, FC_EINVAL, "until: must lie ahead, %d hours at most", STATION_RESERVE_MAX_S / 3600);
}

/* The record is one line. */
static int check_note(const char *note, struct error *err)
{
	for (; note && *note; note++)
		if ((unsigned char)*note < ' ' || *note == 0x7F)
			return error_set(err, FC_EINVAL, "note: must have no control characters");
	return FC_OK;
}

static void put_reservation(struct maker *m, struct value *root, const struct connector *c)
{
	maker_text(m, root, "status_name", connector_status_name(c->status));
	if (!c->reservation.held)
		return;
	maker_int(m, root, "reserved_until", c->reservation.until_wall);
	maker_optional(m, root, "note", c->reservation.note);
}

int command_reserve(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct connector *c = find(control, reply, err);
	const char *text = control_text(reply, "note");
	int64_t seconds = 0;
	struct maker m;

	if (!c || duration(reply, &seconds, err) || check_note(text, err) || may_reserve(control, reply, c, err))
		return err->code;
	reservation_text(c, reply->before, sizeof(reply->before));
	int result = station_reserve(control->sources.stations, c->config->connector_id, seconds, text, err);
	if (result)
		return result;
	reservation_text(c, reply->after, sizeof(reply->after));
	note(control, reply, EVENT_RESERVE, c->config->connector_id, NULL);
	struct value *root = begin(reply, &m);
	put_reservation(&m, root, c);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_unreserve(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct connector *c = find(control, reply, err);
	struct maker m;

	if (!c)
		return err->code;
	if (!c->reservation.held)
		return control_refuse(reply, err, FC_ENOENT, "reserve.none", "the connector is not reserved");
	reservation_text(c, reply->before, sizeof(reply->before));
	int result = station_unreserve(control->sources.stations, c->config->connector_id, reply->who, NULL, err);
	if (result)
		return result;
	reservation_text(c, reply->after, sizeof(reply->after));
	struct value *root = begin(reply, &m);
	put_reservation(&m, root, c);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
