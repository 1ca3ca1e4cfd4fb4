/* Lines and their units: figures, and what hangs on a unit. */
#include <stdlib.h>
#include <string.h>

#include "bus/trace.h"
#include "control/bus.h"

enum { UNITS_MAX = 256 };

const char *bus_line_name_at(const struct control *control, int index)
{
	struct bus_line_stats unused;
	const char *name;

	return device_bus_line(control->sources.devices, index, &name, &unused) ? NULL : name;
}

int bus_find_line(struct control *control, const struct control_reply *reply, int *index, struct error *err)
{
	const char *wanted = control_text(reply, "line"), *name;

	for (*index = 0; (name = bus_line_name_at(control, *index)); ++*index)
		if (!strcmp(name, wanted))
			return FC_OK;
	return error_set(err, FC_ENOENT, "there is no such line");
}

int bus_may_be_asked(const struct control *control, const char *line, struct error *err)
{
	const struct config *config = station_set_config(control->sources.stations);

	for (int i = 0; config && i < config->bus_count; i++) {
		const struct config_bus *b = &config->buses[i];

		if (strcmp(b->name, line) != 0)
			continue;
		if (b->kind == CONFIG_BUS_CAN)
			return error_set(err, FC_EINVAL,
					 "a CAN bus has no registers: scan, read and write are for Modbus lines");
		if (b->framing == CONFIG_FRAMING_DLT645)
			return error_set(
			    err, FC_EINVAL,
			    "meters of DL/T 645 have no registers: scan, read and write are for Modbus lines");
	}
	return FC_OK;
}

void bus_endpoint(const struct control *control, const char *line, char *out, size_t size)
{
	const struct config *config = station_set_config(control->sources.stations);

	*out = '\0';
	for (int i = 0; config && i < config->bus_count; i++) {
		const struct config_bus *b = &config->buses[i];

		if (strcmp(b->name, line) != 0)
			continue;
		if (b->kind == CONFIG_BUS_TCP)
			(void)snprintf(out, size, "tcp:%s:%d", b->host, b->port);
		else
			(void)snprintf(out, size, "%s", b->device);
	}
}

/* Figures -------------------------------------------------------------------------------------------------------------- */

static void put_exceptions(struct maker *m, struct value *o, const struct bus_unit_stats *u)
{
	struct value *list = value_object(m->arena);
	uint64_t sum = 0;
	char code[16];

	for (int i = 0; i < BUS_EXCEPTIONS; i++) {
		sum += u->exceptions[i];
		if (!u->exceptions[i])
			continue;
		(void)snprintf(code, sizeof(code), "%d", i);
		maker_int(m, list, i ? code : "other", (int64_t)u->exceptions[i]);
	}
	maker_int(m, o, "exceptions", (int64_t)sum);
	if (sum)
		maker_put(m, o, "exception_codes", list);
}

static void put_chargers(struct control *control, struct maker *m, struct value *o, int index, unsigned unit)
{
	struct value *list = value_array(m->arena);
	const struct device *d;

	for (int n = 0; (d = device_at_unit(control->sources.devices, index, unit, n)); n++)
		maker_push(m, list, value_string(m->arena, device_name(d)));
	maker_put(m, o, "chargers", list);
}

static void put_unit(struct control *control, struct maker *m, struct value *list, int index,
		     const struct bus_unit_stats *u)
{
	struct value *o = value_object(m->arena);

	maker_int(m, o, "unit", u->unit);
	put_chargers(control, m, o, index, u->unit);
	maker_flag(m, o, "slow", u->slow);
	maker_int(m, o, "pace", u->pace);
	maker_int(m, o, "requests", (int64_t)u->requests);
	maker_int(m, o, "answers", (int64_t)u->answers);
	maker_int(m, o, "timeouts", (int64_t)u->timeouts);
	maker_int(m, o, "bad", (int64_t)u->bad);
	maker_int(m, o, "retries", (int64_t)u->retries);
	put_exceptions(m, o, u);
	if (u->latency_max_us) {
		maker_int(m, o, "latency_p50_us", u->latency_p50_us);
		maker_int(m, o, "latency_p90_us", u->latency_p90_us);
		maker_int(m, o, "latency_p99_us", u->latency_p99_us);
		maker_int(m, o, "latency_max_us", u->latency_max_us);
	}
	if (u->answer_age_us >= 0)
		maker_int(m, o, "answer_age_us", u->answer_age_us);
	maker_push(m, list, o);
}

static void put_units(struct control *control, struct maker *m, struct value *o, int index)
{
	struct bus_unit_stats *units = calloc(UNITS_MAX, sizeof(*units));
	const struct bus_line *line = device_line_bus(control->sources.devices, index);
	struct value *list = value_array(m->arena);
	int n = line && units ? bus_line_get_units(line, units, UNITS_MAX) : 0;

	for (int i = 0; i < n; i++)
		put_unit(control, m, list, index, &units[i]);
	m->failed |= !units;
	free(units);
	maker_put(m, o, "units", list);
}

static void put_line(struct control *control, struct maker *m, struct value *list, int index, const char *name,
		     const struct bus_line_stats *s)
{
	struct value *o = value_object(m->arena);
	char endpoint[200];

	bus_endpoint(control, name, endpoint, sizeof(endpoint));
	maker_text(m, o, "line", name);
	maker_optional(m, o, "endpoint", endpoint);
	maker_flag(m, o, "connected", s->connected);
	maker_int(m, o, "load", s->load);
	maker_int(m, o, "wire", s->wire);
	maker_int(m, o, "planned", s->planned);
	maker_int(m, o, "polls", (int64_t)s->polls);
	maker_int(m, o, "writes", (int64_t)s->writes);
	maker_int(m, o, "ok", (int64_t)s->ok);
	maker_int(m, o, "timeouts", (int64_t)s->timeouts);
	maker_int(m, o, "bad", (int64_t)s->bad);
	maker_int(m, o, "exceptions", (int64_t)s->exceptions);
	maker_int(m, o, "retries", (int64_t)s->retries);
	maker_int(m, o, "disconnects", (int64_t)s->disconnects);
	maker_int(m, o, "missed", (int64_t)s->missed);
	maker_int(m, o, "late", (int64_t)s->late);
	maker_int(m, o, "thrown_away_bytes", (int64_t)s->flushed);
	maker_int(m, o, "stale_answers", (int64_t)s->stale);
	maker_int(m, o, "foreign_frames", (int64_t)s->foreign);
	maker_int(m, o, "damaged_answers", (int64_t)s->damaged);
	maker_int(m, o, "noise_bytes", (int64_t)s->noise);
	maker_int(m, o, "unit_gap_ms", s->unit_gap_ms);
	maker_int(m, o, "latency_mean_us", s->latency_mean_us);
	maker_int(m, o, "latency_max_us", s->latency_max_us);
	put_units(control, m, o, index);
	maker_push(m, list, o);
}

int command_bus_stats(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *list = value_array(m.arena);
	const char *wanted = control_text(reply, "line"), *name;
	struct bus_line_stats s;

	for (int i = 0; !device_bus_line(control->sources.devices, i, &name, &s); i++)
		if (!wanted || !strcmp(wanted, name))
			put_line(control, &m, list, i, name, &s);
	if (wanted && !list->count)
		return error_set(err, FC_ENOENT, "there is no such line");
	maker_put(&m, root, "lines", list);
	maker_int(&m, root, "trace_kb", (int64_t)trace_size_kb(control->sources.trace));
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* A unit ---------------------------------------------------------------------------------------------------------------- */

static void put_connector(struct control *control, struct maker *m, struct value *list, const struct connector *c)
{
	struct value *o = value_object(m->arena);
	const char *id = c->config->connector_id;
	enum session_state state;
	const struct order *order;

	maker_text(m, o, "connector", id);
	maker_text(m, o, "status_name", connector_status_name(c->status));
	if (!charge_session(control->sources.charges, id, &state, &order)) {
		maker_text(m, o, "session", session_state_name(state));
		if (order)
			maker_text(m, o, "seq", order->seq);
	}
	maker_push(m, list, o);
}

static void put_device(struct control *control, struct maker *m, struct value *list, const struct device *d, int write,
		       unsigned address, unsigned count)
{
	const struct station_set *stations = control->sources.stations;
	struct value *o = value_object(m->arena), *connectors = value_array(m->arena);
	uint16_t first, last;
	char range[32];

	maker_text(m, o, "charger", device_name(d));
	maker_text(m, o, "profile", profile_name(device_profile(d)));
	maker_flag(m, o, "online", device_online(d));
	for (int i = 0; i < station_connector_count(stations); i++)
		if (station_connector_at(stations, i)->device == d)
			put_connector(control, m, connectors, station_connector_at(stations, i));
	maker_put(m, o, "connectors", connectors);
	if (count && device_denies(d, write, address, count, &first, &last)) {
		(void)snprintf(range, sizeof(range), "%u to %u", first, last);
		maker_text(m, o, "denied", range);
	}
	maker_push(m, list, o);
}

int command_bus_unit(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *list = value_array(m.arena);
	unsigned unit = (unsigned)control_int(reply, "unit", 0);
	int64_t function = control_int(reply, "function", 0);
	const struct device *d;
	int index, result = bus_find_line(control, reply, &index, err);

	if (result)
		return result;
	for (int n = 0; (d = device_at_unit(control->sources.devices, index, unit, n)); n++)
		put_device(control, &m, list, d, function > 4, (unsigned)control_int(reply, "address", 0),
			   (unsigned)control_int(reply, "count", 0));
	maker_text(&m, root, "line", bus_line_name_at(control, index));
	maker_int(&m, root, "unit", unit);
	maker_put(&m, root, "chargers", list);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int bus_may(struct control *control, int index, unsigned unit, int write, unsigned address, unsigned count,
	    struct error *err)
{
	const struct device *d;
	uint16_t first, last;

	for (int n = 0; (d = device_at_unit(control->sources.devices, index, unit, n)); n++)
		if (device_denies(d, write, address, count, &first, &last))
			return error_set(err, FC_EAUTH, "profile %s denies registers %u to %u of charger %s",
					 profile_name(device_profile(d)), first, last, device_name(d));
	return FC_OK;
}
