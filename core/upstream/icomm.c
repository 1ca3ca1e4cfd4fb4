#include "upstream/icomm.h"

#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/maker.h"
#include "upstream/ret.h"

/* A watt is a kilowatt with three decimals; the standard wants one. */
static void put_power(struct maker *m, struct value *object, int power_w)
{
	maker_decimal(m, object, "Power", decimal_rescale(power_w, 3, 1), 1);
}

int icomm_sees(const struct icomm *view, int station)
{
	const struct config *config = station_set_config(view->stations);

	if (!config || station < 0 || station >= config->station_count)
		return 0;
	if (!view->platform->station_count)
		return 1;
	for (int i = 0; i < view->platform->station_count; i++)
		if (view->platform->stations[i] == station)
			return 1;
	return 0;
}

int icomm_station(const struct icomm *view, const char *station_id)
{
	const struct config *config = station_set_config(view->stations);

	for (int i = 0; config && i < config->station_count; i++)
		if (!strcmp(config->stations[i].station_id, station_id))
			return icomm_sees(view, i) ? i : -1;
	return -1;
}

/* Structures ------------------------------------------------------------------------------------------------ */

static struct value *connector_info(struct maker *m, const struct config_connector *c)
{
	struct value *o = value_object(m->arena);

	maker_text(m, o, "ConnectorID", c->connector_id);
	maker_optional(m, o, "ConnectorName", c->connector_name);
	maker_int(m, o, "ConnectorType", c->connector_type);
	maker_int(m, o, "VoltageUpperLimits", c->voltage_upper);
	maker_int(m, o, "VoltageLowerLimits", c->voltage_lower);
	maker_int(m, o, "Current", c->current_a);
	put_power(m, o, c->power_w);
	maker_optional(m, o, "ParkNo", c->park_no);
	maker_int(m, o, "NationalStandard", c->national_standard);
	return o;
}

static struct value *equipment_info(struct maker *m, const struct config *config, int charger)
{
	const struct config_charger *c = &config->chargers[charger];
	struct value *o = value_object(m->arena), *connectors = value_array(m->arena);

	for (int i = 0; i < config->connector_count; i++)
		if (config->connectors[i].charger == charger)
			maker_push(m, connectors, connector_info(m, &config->connectors[i]));
	maker_text(m, o, "EquipmentID", c->equipment_id);
	maker_optional(m, o, "ManufacturerID", c->manufacturer_id);
	maker_optional(m, o, "ManufacturerName", c->manufacturer_name);
	maker_optional(m, o, "EquipmentModel", c->equipment_model);
	maker_optional(m, o, "ProductionDate", c->production_date);
	maker_int(m, o, "EquipmentType", c->equipment_type);
	maker_put(m, o, "ConnectorInfos", connectors);
	put_power(m, o, c->power_w);
	maker_optional(m, o, "EquipmentName", c->equipment_name);
	return o;
}

static struct value *pictures(struct maker *m, const struct config_station *s)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; i < s->picture_count; i++)
		maker_push(m, list, value_string(m->arena, s->pictures[i]));
	return list;
}

static void station_fields(struct maker *m, struct value *o, const char *operator_id, const struct config_station *s)
{
	maker_text(m, o, "StationID", s->station_id);
	maker_text(m, o, "OperatorID", operator_id);
	maker_text(m, o, "EquipmentOwnerID", s->equipment_owner_id);
	maker_text(m, o, "StationName", s->station_name);
	maker_text(m, o, "CountryCode", s->country_code);
	maker_text(m, o, "AreaCode", s->area_code);
	maker_text(m, o, "Address", s->address);
	maker_optional(m, o, "StationTel", s->station_tel);
	maker_text(m, o, "ServiceTel", s->service_tel);
	maker_int(m, o, "StationType", s->station_type);
	maker_int(m, o, "StationStatus", s->station_status);
	maker_int(m, o, "ParkNums", s->park_nums);
	maker_decimal(m, o, "StationLng", s->lng_e6, 6);
	maker_decimal(m, o, "StationLat", s->lat_e6, 6);
	maker_optional(m, o, "SiteGuide", s->site_guide);
	maker_int(m, o, "Construction", s->construction);
	if (s->picture_count)
		maker_put(m, o, "Pictures", pictures(m, s));
	maker_optional(m, o, "MatchCars", s->match_cars);
	maker_optional(m, o, "ParkInfo", s->park_info);
	maker_optional(m, o, "BusineHours", s->busine_hours);
	maker_optional(m, o, "ElectricityFee", s->electricity_fee);
	maker_optional(m, o, "ServiceFee", s->service_fee);
	maker_optional(m, o, "ParkFee", s->park_fee);
	maker_optional(m, o, "Payment", s->payment);
	maker_int(m, o, "SupportOrder", s->support_order);
	maker_optional(m, o, "Remark", s->remark);
}

struct value *icomm_station_info(const struct icomm *view, int station, struct arena *arena)
{
	const struct config *config = station_set_config(view->stations);
	struct maker m = {.arena = arena};
	struct value *o = value_object(arena), *equipment = value_array(arena);

	station_fields(&m, o, config->gateway.operator_id, &config->stations[station]);
	for (int i = 0; i < config->charger_count; i++)
		if (config->chargers[i].station == station)
			maker_push(&m, equipment, equipment_info(&m, config, i));
	maker_put(&m, o, "EquipmentInfos", equipment);
	return m.failed ? NULL : o;
}

struct value *icomm_connector_status(const struct connector *connector, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *o = value_object(arena);

	/* ParkStatus and LockStatus are optional and nothing here measures them. */
	maker_text(&m, o, "ConnectorID", connector->config->connector_id);
	maker_int(&m, o, "Status", (int64_t)connector->status);
	return m.failed ? NULL : o;
}

static struct value *station_status(const struct icomm *view, int station, struct arena *arena)
{
	const struct config *config = station_set_config(view->stations);
	struct maker m = {.arena = arena};
	struct value *o = value_object(arena), *list = value_array(arena);

	for (int i = 0; i < station_connector_count(view->stations); i++) {
		const struct connector *c = station_connector_at(view->stations, i);

		if (c->station == &config->stations[station])
			maker_push(&m, list, icomm_connector_status(c, arena));
	}
	maker_text(&m, o, "StationID", config->stations[station].station_id);
	maker_put(&m, o, "ConnectorStatusInfos", list);
	return m.failed ? NULL : o;
}

struct days {
	int32_t first, last;
};

/* Energies here are in 0.1 kWh: each connector's is rounded once, and what stands above it only adds. */
static struct value *equipment_stats(struct maker *m, const struct icomm *view, int charger, struct days days,
				     int64_t *station_sum)
{
	const struct config *config = station_set_config(view->stations);
	struct value *o = value_object(m->arena), *list = value_array(m->arena);
	int64_t sum = 0;

	for (int i = 0; i < config->connector_count; i++) {
		const struct config_connector *c = &config->connectors[i];

		if (c->charger != charger)
			continue;
		int64_t wh = station_energy_wh(view->stations, c->connector_id, days.first, days.last);
		/* None would be believed. */
		if (wh < 0)
			m->failed = 1;
		int64_t kwh_e1 = decimal_rescale(wh, 3, 1);
		struct value *item = value_object(m->arena);
		maker_text(m, item, "ConnectorID", c->connector_id);
		maker_decimal(m, item, "ConnectorElectricity", kwh_e1, 1);
		maker_push(m, list, item);
		sum += kwh_e1;
	}
	maker_text(m, o, "EquipmentID", config->chargers[charger].equipment_id);
	maker_decimal(m, o, "EquipmentElectricity", sum, 1);
	maker_put(m, o, "ConnectorStatsInfos", list);
	*station_sum += sum;
	return o;
}

struct value *icomm_station_stats(const struct icomm *view, int station, int32_t first, int32_t last,
				  struct arena *arena)
{
	const struct config *config = station_set_config(view->stations);
	struct maker m = {.arena = arena};
	struct value *o = value_object(arena), *list = value_array(arena);
	char start[CLOCK_DATE_SIZE], end[CLOCK_DATE_SIZE];
	int64_t sum = 0;

	clock_format_day(first, start);
	clock_format_day(last, end);
	for (int i = 0; i < config->charger_count; i++)
		if (config->chargers[i].station == station)
			maker_push(&m, list,
				   equipment_stats(&m, view, i, (struct days){.first = first, .last = last}, &sum));
	maker_text(&m, o, "StationID", config->stations[station].station_id);
	maker_text(&m, o, "StartTime", start);
	maker_text(&m, o, "EndTime", end);
	maker_decimal(&m, o, "StationElectricity", sum, 1);
	maker_put(&m, o, "EquipmentStatsInfos", list);
	return m.failed ? NULL : o;
}

/* Pushes ---------------------------------------------------------------------------------------------------- */

static struct value *wrap(struct arena *arena, const char *key, struct value *child)
{
	struct value *o = value_object(arena);

	return value_put(arena, o, key, child) ? NULL : o;
}

struct value *icomm_push_status(const struct connector *connector, struct arena *arena)
{
	return wrap(arena, "ConnectorStatusInfo", icomm_connector_status(connector, arena));
}

struct value *icomm_push_info(const struct icomm *view, int station, struct arena *arena)
{
	return wrap(arena, "StationInfo", icomm_station_info(view, station, arena));
}

struct value *icomm_push_stats(const struct icomm *view, int station, int32_t day, struct arena *arena)
{
	return wrap(arena, "StationStats", icomm_station_stats(view, station, day, day, arena));
}

/* Questions ------------------------------------------------------------------------------------------------- */

/* An optional integer of at least 1. */
static int read_count(const struct value *request, const char *key, int64_t otherwise, int64_t *out, struct error *err)
{
	const struct value *v = value_get(request, key);

	*out = otherwise;
	if (!v)
		return RET_OK;
	if (!value_to_int(v, out) && *out >= 1)
		return RET_OK;
	(void)error_set(err, FC_EINVAL, "Data.%s: an integer from 1", key);
	return RET_PARAMETER;
}

/* The stations that changed since, in the configuration's order; places skip..skip+take-1 of them go into list.
 * Returns how many there are in all. */
static int64_t list_stations(struct maker *m, const struct icomm *view, int64_t since, int64_t skip, int64_t take,
			     struct value *list)
{
	const struct config *config = station_set_config(view->stations);
	int64_t total = 0;

	for (int i = 0; config && i < config->station_count; i++) {
		if (!icomm_sees(view, i) || station_changed_wall(view->stations, i) < since)
			continue;
		if (total >= skip && total - skip < take)
			maker_push(m, list, icomm_station_info(view, i, m->arena));
		total++;
	}
	return total;
}

static int query_stations_info(const struct icomm *view, const struct value *request, struct arena *arena,
			       struct value **answer, struct error *err)
{
	struct maker m = {.arena = arena};
	const struct value *last = value_get(request, "LastQueryTime");
	int64_t since = INT64_MIN, page, size;

	if (value_text(last) && last->len && clock_parse_datetime(last->text, &since)) {
		(void)error_set(err, FC_EINVAL, "Data.LastQueryTime: yyyy-MM-dd HH:mm:ss");
		return RET_PARAMETER;
	}
	if (read_count(request, "PageNo", 1, &page, err) ||
	    read_count(request, "PageSize", ICOMM_PAGE_SIZE, &size, err))
		return RET_PARAMETER;
	if (size > view->platform->page_size_max)
		size = view->platform->page_size_max;
	struct value *o = value_object(arena), *list = value_array(arena);
	int64_t skip = 0;
	/* A page so far out that its first place can't be counted is past the end like any other. */
	if (__builtin_mul_overflow(page - 1, size, &skip))
		skip = INT64_MAX;
	int64_t total = list_stations(&m, view, since, skip, size, list);
	maker_int(&m, o, "PageNo", page);
	maker_int(&m, o, "PageCount", (total + size - 1) / size);
	maker_int(&m, o, "ItemSize", view->platform->item_size_is_page ? size : total);
	maker_put(&m, o, "StationInfos", list);
	*answer = o;
	return m.failed ? RET_SYSTEM : RET_OK;
}

/* Nonzero when an item before this one has the same text: an id asked for twice is answered once. */
static int repeated(const struct value *list, const struct value *item)
{
	value_each (other, list) {
		if (other == item)
			return 0;
		if (value_text(other) && !strcmp(other->text, item->text))
			return 1;
	}
	return 0;
}

static int query_station_status(const struct icomm *view, const struct value *request, struct arena *arena,
				struct value **answer, struct error *err)
{
	struct maker m = {.arena = arena};
	const struct value *ids = value_get(request, "StationIDs");
	struct value *o = value_object(arena), *list = value_array(arena);
	int64_t total = 0;

	if (!value_is_array(ids) || ids->count < 1 || ids->count > ICOMM_IDS_MAX) {
		(void)error_set(err, FC_EINVAL, "Data.StationIDs: 1 to %d ids", ICOMM_IDS_MAX);
		return RET_PARAMETER;
	}
	value_each (id, ids) {
		int station = value_text(id) ? icomm_station(view, id->text) : -1;

		/* protocol.md 2.4: unknown ids are left out. */
		if (station < 0 || repeated(ids, id))
			continue;
		maker_push(&m, list, station_status(view, station, arena));
		total++;
	}
	maker_int(&m, o, "Total", total);
	maker_put(&m, o, "StationStatusInfos", list);
	*answer = o;
	return m.failed ? RET_SYSTEM : RET_OK;
}

/* A date; a date with a time of day counts as its day (some send that, protocol.md section 3, 9). */
static int read_day(const struct value *request, const char *key, int32_t *day, struct error *err)
{
	const char *text = value_text(value_get(request, key));
	int64_t wall;

	if (text && !clock_parse_date(text, day))
		return RET_OK;
	if (text && !clock_parse_datetime(text, &wall)) {
		*day = clock_day(wall);
		return RET_OK;
	}
	(void)error_set(err, FC_EINVAL, "Data.%s: yyyy-MM-dd", key);
	return RET_PARAMETER;
}

static int query_station_stats(const struct icomm *view, const struct value *request, struct arena *arena,
			       struct value **answer, struct error *err)
{
	const char *id = value_text(value_get(request, "StationID"));
	int station = id ? icomm_station(view, id) : -1;
	int32_t first, last;

	if (station < 0) {
		(void)error_set(err, FC_ENOENT, "Data.StationID: no such station");
		return RET_PARAMETER;
	}
	if (read_day(request, "StartTime", &first, err) || read_day(request, "EndTime", &last, err))
		return RET_PARAMETER;
	if (last < first || last - first >= ICOMM_DAYS_MAX) {
		(void)error_set(err, FC_EINVAL, "Data.EndTime: from StartTime on, at most %d days", ICOMM_DAYS_MAX);
		return RET_PARAMETER;
	}
	*answer = wrap(arena, "StationStats", icomm_station_stats(view, station, first, last, arena));
	return *answer ? RET_OK : RET_SYSTEM;
}

typedef int (*answer_fn)(const struct icomm *view, const struct value *request, struct arena *arena,
			 struct value **answer, struct error *err);
static const struct {
	const char *method;
	answer_fn answer;
} answers[] = {
    {"query_stations_info", query_stations_info},
    {"query_station_status", query_station_status},
    {"query_station_stats", query_station_stats},
};

static answer_fn find_answer(const struct message *message)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (!strcmp(answers[i].method, message->method))
			return answers[i].answer;
	return NULL;
}

int icomm_answers(const struct message *message)
{
	return find_answer(message) != NULL;
}

int icomm_answer(const struct icomm *view, const struct message *message, const struct value *request,
		 struct arena *arena, struct value **answer, struct error *err)
{
	answer_fn fn = find_answer(message);

	*answer = NULL;
	if (!fn)
		return RET_PARAMETER;
	int ret = fn(view, request, arena, answer, err);
	if (ret == RET_SYSTEM)
		(void)error_set(err, FC_ENOMEM, "%s", ret_text(RET_SYSTEM));
	return ret;
}
