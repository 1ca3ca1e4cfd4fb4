/* A configuration and a station room for the tests of core/upstream: the functions of station.h that upstream uses are
 * defined here, over tables that a test sets, so that neither devices nor a store are needed. Included by one file of
 * each test program. */
#ifndef FC_TESTS_UPSTREAM_FIXTURE_H
#define FC_TESTS_UPSTREAM_FIXTURE_H

#include <string.h>

#include "config/config.h"
#include "station/station.h"

enum { FIXTURE_STATIONS = 3, FIXTURE_CHARGERS = 3, FIXTURE_CONNECTORS = 5 };

struct station_set {
	struct config config;
	struct config_station station[FIXTURE_STATIONS];
	struct config_charger charger[FIXTURE_CHARGERS];
	struct config_connector connector[FIXTURE_CONNECTORS];
	struct config_listen listen[1];
	struct config_platform platform[2];
	int only_second[1];
	struct connector live[FIXTURE_CONNECTORS];
	int64_t changed_wall[FIXTURE_STATIONS];
	int64_t energy_wh[FIXTURE_CONNECTORS]; /* each day's */
	struct station_listener *listeners;
};

static struct config_station fixture_station(const char *id, const char *name)
{
	return (struct config_station){.name = id,
				       .station_id = id,
				       .equipment_owner_id = "123456789",
				       .station_name = name,
				       .country_code = "CN",
				       .area_code = "110105",
				       .address = "address",
				       .station_tel = "",
				       .service_tel = "4001",
				       .station_type = 1,
				       .station_status = 50,
				       .park_nums = 8,
				       .lng_e6 = 116407400,
				       .lat_e6 = 39904200,
				       .construction = 255,
				       .site_guide = "",
				       .match_cars = "",
				       .park_info = "",
				       .busine_hours = "",
				       .electricity_fee = "",
				       .service_fee = "",
				       .park_fee = "",
				       .payment = "",
				       .remark = ""};
}

static struct config_charger fixture_charger(const char *id, int station)
{
	return (struct config_charger){.name = id,
				       .station = station,
				       .equipment_id = id,
				       .manufacturer_id = "",
				       .manufacturer_name = "",
				       .equipment_model = "",
				       .production_date = "",
				       .equipment_name = "",
				       .equipment_type = 1,
				       .power_w = 120050};
}

static struct config_connector fixture_connector(const char *id, int charger, int number)
{
	return (struct config_connector){.name = id,
					 .charger = charger,
					 .number = number,
					 .connector_id = id,
					 .connector_name = "",
					 .park_no = "",
					 .connector_type = 4,
					 .voltage_upper = 750,
					 .voltage_lower = 200,
					 .current_a = 250,
					 .power_w = 60000,
					 .national_standard = 2};
}

static struct config_keys fixture_keys(const char *operator_secret)
{
	return (struct config_keys){.operator_secret = operator_secret,
				    .data_secret = "1234567890abcdef",
				    .data_secret_iv = "1234567890abcdef",
				    .sig_secret = "1234567890abcdef"};
}

static struct config_platform fixture_platform(const char *name, const char *operator_id)
{
	return (struct config_platform){.name = name,
					.enabled = 1,
					.operator_id = operator_id,
					.url = "https://platform.example/evcs/v20160701/",
					.listen = 0,
					.path = "/evcs/v20160701",
					.mapping = "base",
					.policy = "",
					.ours = fixture_keys("our-secret"),
					.theirs = fixture_keys("their-secret"),
					.ca = "",
					.certificate = "",
					.key = "",
					.verify = 1,
					.client_name = "",
					.check_response_sig = CONFIG_SIG_SUCCESS,
					.keep_old_tokens = 1,
					.token_lifetime_s = 7200,
					.error_data = CONFIG_DATA_EMPTY,
					.missing_token_ret = 4002,
					.page_size_max = 100,
					.request_timeout_ms = 1000,
					.retry_s = 1,
					.retry_count = 2,
					.rate_per_s = 1000,
					.resend_all_h = 3};
}

/* Stations S1 (chargers E1, E2 with C11 C12 C21 C22), S2 (E3 with C31) and S3 (empty); platforms "city" (sees all)
 * and "second" (sees S2 only). */
static void fixture_init(struct station_set *s)
{
	static const char *const connectors[] = {"C11", "C12", "C21", "C22", "C31"};

	memset(s, 0, sizeof(*s));
	s->station[0] = fixture_station("S1", "station 1");
	s->station[1] = fixture_station("S2", "station 2");
	s->station[2] = fixture_station("S3", "station 3");
	s->charger[0] = fixture_charger("E1", 0);
	s->charger[1] = fixture_charger("E2", 0);
	s->charger[2] = fixture_charger("E3", 1);
	for (int i = 0; i < FIXTURE_CONNECTORS; i++) {
		s->connector[i] = fixture_connector(connectors[i], i / 2, i % 2 + 1);
		s->live[i] = (struct connector){.config = &s->connector[i],
						.charger = &s->charger[i / 2],
						.station = &s->station[s->charger[i / 2].station],
						.status = CONNECTOR_IDLE,
						.changes = 1};
	}
	s->listen[0] = (struct config_listen){.name = "public",
					      .address = "127.0.0.1",
					      .certificate = "",
					      .key = "",
					      .client_ca = "",
					      .max_body_kb = 64,
					      .max_connections = 8,
					      .max_connections_peer = 8};
	s->platform[0] = fixture_platform("city", "987654321");
	s->platform[1] = fixture_platform("second", "987654322");
	s->only_second[0] = 1;
	s->platform[1].stations = s->only_second;
	s->platform[1].station_count = 1;
	s->platform[1].path = "/second/";
	s->config = (struct config){.gateway = {.name = "gateway", .operator_id = "123456789", .lua_dir = "lua"},
				    .listens = s->listen,
				    .listen_count = 1,
				    .stations = s->station,
				    .station_count = FIXTURE_STATIONS,
				    .chargers = s->charger,
				    .charger_count = FIXTURE_CHARGERS,
				    .connectors = s->connector,
				    .connector_count = FIXTURE_CONNECTORS,
				    .platforms = s->platform,
				    .platform_count = 2};
}

/* The station room --------------------------------------------------------------------------------------------------- */

const struct config *station_set_config(const struct station_set *set)
{
	return &set->config;
}

int station_connector_count(const struct station_set *set)
{
	return set->config.connector_count;
}

const struct connector *station_connector_at(const struct station_set *set, int index)
{
	return &set->live[index];
}

const struct connector *station_connector_find(const struct station_set *set, const char *connector_id)
{
	for (int i = 0; i < set->config.connector_count; i++)
		if (!strcmp(set->live[i].config->connector_id, connector_id))
			return &set->live[i];
	return NULL;
}

/* What is done to connectors: noted. */
int station_reserve(struct station_set *set, const char *connector_id, int64_t seconds, const char *note,
		    struct error *err)
{
	struct connector *c = (struct connector *)station_connector_find(set, connector_id);

	(void)err;
	reserve_begin(&c->reservation, seconds, note);
	return FC_OK;
}

int station_unreserve(struct station_set *set, const char *connector_id, const char *who, const char *why,
		      struct error *err)
{
	struct connector *c = (struct connector *)station_connector_find(set, connector_id);

	(void)err, (void)who, (void)why;
	c->reservation = (struct reservation){0};
	return FC_OK;
}

int station_limit(struct station_set *set, const char *connector_id, int64_t milli, struct error *err)
{
	struct connector *c = (struct connector *)station_connector_find(set, connector_id);

	(void)err;
	c->limit = (struct operator_limit){.held = 1, .milli = milli, .unit = "kW"};
	return FC_OK;
}

int station_unlimit(struct station_set *set, const char *connector_id, struct error *err)
{
	struct connector *c = (struct connector *)station_connector_find(set, connector_id);

	(void)err;
	c->limit = (struct operator_limit){0};
	return FC_OK;
}

int64_t station_changed_wall(const struct station_set *set, int station)
{
	return set->changed_wall[station];
}

int64_t station_energy_wh(const struct station_set *set, const char *connector_id, int32_t first, int32_t last)
{
	for (int i = 0; i < FIXTURE_CONNECTORS; i++)
		if (!strcmp(set->connector[i].connector_id, connector_id))
			return set->energy_wh[i] * (last - first + 1);
	return 0;
}

void station_listen(struct station_set *set, struct station_listener *listener)
{
	listener->next = set->listeners;
	set->listeners = listener;
}

void station_unlisten(struct station_set *set, struct station_listener *listener)
{
	for (struct station_listener **at = &set->listeners; *at; at = &(*at)->next)
		if (*at == listener) {
			*at = listener->next;
			return;
		}
}

#endif
