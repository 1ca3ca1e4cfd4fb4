#include "config/schema.h"

#include <string.h>

#define AT(type, member)    .offset = offsetof(struct config_##type, member)
#define COUNT(type, member) .count_offset = offsetof(struct config_##type, member)

static const struct schema_word log_words[] = {{"error", LOG_LEVEL_ERROR},   {"warning", LOG_LEVEL_WARNING},
					       {"notice", LOG_LEVEL_NOTICE}, {"info", LOG_LEVEL_INFO},
					       {"debug", LOG_LEVEL_DEBUG},   {NULL, 0}};
#if CONFIG_LOG_DEFAULT == 0
#define LOG_PRESET "error"
#elif CONFIG_LOG_DEFAULT == 1
#define LOG_PRESET "warning"
#elif CONFIG_LOG_DEFAULT == 3
#define LOG_PRESET "info"
#elif CONFIG_LOG_DEFAULT == 4
#define LOG_PRESET "debug"
#else
#define LOG_PRESET "notice"
#endif
static const struct schema_word certificate_words[] = {{"none", 0}, {"optional", 1}, {"required", 2}, {NULL, 0}};
static const struct schema_word bus_words[] = {
    {"tcp", CONFIG_BUS_TCP}, {"rtu", CONFIG_BUS_RTU}, {"can", CONFIG_BUS_CAN}, {NULL, 0}};
static const struct schema_word framing_words[] = {{"auto", CONFIG_FRAMING_AUTO},     {"tcp", CONFIG_FRAMING_TCP},
						   {"rtu", CONFIG_FRAMING_RTU},       {"ascii", CONFIG_FRAMING_ASCII},
						   {"dlt645", CONFIG_FRAMING_DLT645}, {NULL, 0}};
static const struct schema_word rs485_words[] = {
    {"auto", CONFIG_RS485_AUTO}, {"on", CONFIG_RS485_ON}, {"off", CONFIG_RS485_OFF}, {NULL, 0}};
static const struct schema_word parity_words[] = {{"none", 'N'}, {"even", 'E'}, {"odd", 'O'}, {NULL, 0}};
static const struct schema_word mode_words[] = {{"async", CONFIG_MODE_ASYNC}, {"sync", CONFIG_MODE_SYNC}, {NULL, 0}};
static const struct schema_word local_start_words[] = {
    {"allow", CONFIG_LOCAL_ALLOW}, {"authorised", CONFIG_LOCAL_AUTHORISED}, {NULL, 0}};
static const struct schema_word sig_words[] = {
    {"strict", CONFIG_SIG_STRICT}, {"success", CONFIG_SIG_SUCCESS}, {"off", CONFIG_SIG_OFF}, {NULL, 0}};
static const struct schema_word data_words[] = {{"empty", CONFIG_DATA_EMPTY},
						{"null", CONFIG_DATA_NULL},
						{"absent", CONFIG_DATA_ABSENT},
						{"object", CONFIG_DATA_OBJECT},
						{NULL, 0}};
static const struct schema_word ret_words[] = {{"4002", 4002}, {"4003", 4003}, {NULL, 0}};
/* protocol.md 2.1, enumerations of Part 2 with the cities' additions. */
static const struct schema_word station_types[] = {{"1", 1},     {"50", 50},   {"100", 100}, {"101", 101},
						   {"102", 102}, {"103", 103}, {"104", 104}, {"105", 105},
						   {"106", 106}, {"255", 255}, {NULL, 0}};
static const struct schema_word station_states[] = {{"0", 0}, {"1", 1}, {"5", 5}, {"6", 6}, {"50", 50}, {NULL, 0}};
static const struct schema_word construction_words[] = {
    {"1", 1},   {"2", 2},   {"3", 3},   {"4", 4},   {"5", 5},   {"6", 6},   {"7", 7},     {"8", 8}, {"9", 9},
    {"10", 10}, {"11", 11}, {"12", 12}, {"13", 13}, {"14", 14}, {"15", 15}, {"255", 255}, {NULL, 0}};
static const struct schema_word equipment_types[] = {{"1", 1}, {"2", 2},     {"3", 3}, {"4", 4},
						     {"5", 5}, {"255", 255}, {NULL, 0}};
static const struct schema_word connector_types[] = {{"1", 1}, {"2", 2}, {"3", 3},     {"4", 4},
						     {"5", 5}, {"6", 6}, {"255", 255}, {NULL, 0}};

static const struct schema_option gateway_options[] = {
    {"operator_id", SCHEMA_OPERATOR, AT(gateway, operator_id), .min = 1, .restart = 1},
    {"data_dir", SCHEMA_TEXT, AT(gateway, data_dir), .min = 1, .max = 300, .preset = "/var/lib/forecourt",
     .restart = 1},
    {"keep_journal", SCHEMA_BOOL, AT(gateway, keep_journal), .preset = "1"},
    {"lua_dir", SCHEMA_TEXT, AT(gateway, lua_dir), .min = 1, .max = 300, .preset = "/usr/share/forecourt/lua",
     .restart = 1},
    {"key_dir", SCHEMA_TEXT, AT(gateway, key_dir), .min = 1, .max = 200, .preset = "/etc/forecourt"},
    {"log_level", SCHEMA_WORD, AT(gateway, log_level), .words = log_words, .preset = LOG_PRESET},
    {"log_syslog", SCHEMA_BOOL, AT(gateway, log_syslog)},
    /* The longest path that a socket can have. */
    {"control_socket", SCHEMA_TEXT, AT(gateway, control_socket), .max = 107, .preset = CONFIG_CONTROL_SOCKET},
    {"lua_memory_kb", SCHEMA_INT, AT(gateway, lua_memory_kb), .min = 512, .max = 32768, .preset = "4096"},
    {"lua_steps", SCHEMA_INT, AT(gateway, lua_steps), .min = 10000, .max = 100000000, .preset = "5000000"},
    {"lua_time_ms", SCHEMA_INT, AT(gateway, lua_time_ms), .min = 10, .max = 2000, .preset = "200"},
    {"record_kb", SCHEMA_INT, AT(gateway, record_kb), .min = 0, .max = 4096, .preset = "256"},
    {"trace_kb", SCHEMA_INT, AT(gateway, trace_kb), .min = 0, .max = 16384, .preset = "64"},
    {"qr_suffix", SCHEMA_TEXT, AT(gateway, qr_suffix), .max = 40},
    {"history_days", SCHEMA_INT, AT(gateway, history_days), .min = 0, .max = 365, .preset = "30"},
    {"orders_days", SCHEMA_INT, AT(gateway, orders_days), .min = 0, .max = 3650, .preset = "400"},
    {"orders_share", SCHEMA_INT, AT(gateway, orders_share), .min = 0, .max = 90, .preset = "50"},
    {"log_kb", SCHEMA_INT, AT(gateway, log_kb), .min = 0, .max = 1024, .preset = "64"},
    {"watchdog", SCHEMA_TEXT, AT(gateway, watchdog), .max = 120},
    /* The loop may be held up lawfully for seconds (a slow disk that syncs); what hardware has at the most is about a quarter of an
     * hour, and a station that stands still for five minutes is too much already. */
    {"watchdog_s", SCHEMA_INT, AT(gateway, watchdog_s), .min = 15, .max = 300, .preset = "30"},
    {0},
};

static const struct schema_option admin_options[] = {
    {"enabled", SCHEMA_BOOL, AT(admin, enabled), .preset = "1"},
    {"address", SCHEMA_TEXT, AT(admin, address), .max = 60, .preset = "127.0.0.1"},
    {"port", SCHEMA_INT, AT(admin, port), .min = 1, .max = 65535, .preset = "8443"},
    {"certificate", SCHEMA_TEXT, AT(admin, certificate), .max = 250},
    {"key", SCHEMA_TEXT, AT(admin, key), .max = 250},
    {"tls", SCHEMA_BOOL, AT(admin, tls), .preset = "1"},
    {"www", SCHEMA_TEXT, AT(admin, www), .min = 1, .max = 250, .preset = "/usr/share/forecourt/www"},
    {"user", SCHEMA_ID, AT(admin, user), .min = 1, .max = 32, .preset = "admin"},
    {"password_hash", SCHEMA_SECRET, AT(admin, password_hash), .max = 250},
    {"max_viewers", SCHEMA_INT, AT(admin, max_viewers), .min = 0, .max = 1000, .preset = "32"},
    {0},
};

static const struct schema_option listen_options[] = {
    {"address", SCHEMA_TEXT, AT(listen, address), .max = 60},
    {"port", SCHEMA_INT, AT(listen, port), .min = 1, .max = 65535, .required = 1},
    {"certificate", SCHEMA_TEXT, AT(listen, certificate), .max = 250},
    {"key", SCHEMA_TEXT, AT(listen, key), .max = 250},
    {"tls", SCHEMA_BOOL, AT(listen, tls), .preset = "1"},
    {"client_ca", SCHEMA_TEXT, AT(listen, client_ca), .max = 250},
    {"client_certificate", SCHEMA_WORD, AT(listen, client_certificate), .words = certificate_words, .preset = "none"},
    {"max_body_kb", SCHEMA_INT, AT(listen, max_body_kb), .min = 4, .max = 4096, .preset = "256"},
    {"max_connections", SCHEMA_INT, AT(listen, max_connections), .min = 1, .max = 1024, .preset = "64"},
    {"max_connections_peer", SCHEMA_INT, AT(listen, max_connections_peer), .min = 1, .max = 1024, .preset = "16"},
    {0},
};

static const struct schema_option station_options[] = {
    {"station_id", SCHEMA_ID, AT(station, station_id), .min = 1, .max = 20, .required = 1},
    {"equipment_owner_id", SCHEMA_OPERATOR, AT(station, equipment_owner_id)},
    {"station_name", SCHEMA_TEXT, AT(station, station_name), .min = 1, .max = 50, .required = 1},
    {"country_code", SCHEMA_ID, AT(station, country_code), .min = 2, .max = 2, .preset = "CN"},
    {"area_code", SCHEMA_DIGITS, AT(station, area_code), .min = 6, .max = 20, .required = 1},
    {"address", SCHEMA_TEXT, AT(station, address), .min = 1, .max = 200, .required = 1},
    {"station_tel", SCHEMA_TEXT, AT(station, station_tel), .max = 32},
    {"service_tel", SCHEMA_TEXT, AT(station, service_tel), .min = 1, .max = 32, .required = 1},
    {"station_type", SCHEMA_WORD, AT(station, station_type), .words = station_types, .preset = "1"},
    {"station_status", SCHEMA_WORD, AT(station, station_status), .words = station_states, .preset = "50"},
    {"park_nums", SCHEMA_INT, AT(station, park_nums), .max = 100000},
    {"station_lng", SCHEMA_DEGREES, AT(station, lng_e6), .min = -180, .max = 180, .required = 1},
    {"station_lat", SCHEMA_DEGREES, AT(station, lat_e6), .min = -90, .max = 90, .required = 1},
    {"construction", SCHEMA_WORD, AT(station, construction), .words = construction_words, .preset = "255"},
    {"site_guide", SCHEMA_TEXT, AT(station, site_guide), .max = 100},
    {"match_cars", SCHEMA_TEXT, AT(station, match_cars), .max = 100},
    {"park_info", SCHEMA_TEXT, AT(station, park_info), .max = 100},
    {"busine_hours", SCHEMA_TEXT, AT(station, busine_hours), .max = 100},
    {"electricity_fee", SCHEMA_TEXT, AT(station, electricity_fee), .max = 256},
    {"service_fee", SCHEMA_TEXT, AT(station, service_fee), .max = 256},
    {"park_fee", SCHEMA_TEXT, AT(station, park_fee), .max = 256},
    {"payment", SCHEMA_TEXT, AT(station, payment), .max = 20},
    {"remark", SCHEMA_TEXT, AT(station, remark), .max = 100},
    {"support_order", SCHEMA_BOOL, AT(station, support_order)},
    {"policy", SCHEMA_ID, AT(station, policy), .min = 1, .max = 60},
    {"local_start", SCHEMA_WORD, AT(station, local_start), .words = local_start_words, .preset = "allow"},
    {"picture", SCHEMA_TEXTS, AT(station, pictures), COUNT(station, picture_count), .min = 1, .max = 300},
    {0},
};

static const struct schema_option bus_options[] = {
    {"kind", SCHEMA_WORD, AT(bus, kind), .words = bus_words, .required = 1},
    {"framing", SCHEMA_WORD, AT(bus, framing), .words = framing_words, .preset = "auto"},
    {"host", SCHEMA_ID, AT(bus, host), .min = 1, .max = 120},
    {"port", SCHEMA_INT, AT(bus, port), .min = 1, .max = 65535, .preset = "502"},
    {"device", SCHEMA_TEXT, AT(bus, device), .min = 1, .max = 150},
    {"baud", SCHEMA_INT, AT(bus, baud), .min = 1200, .max = 921600, .preset = "9600"},
    {"data_bits", SCHEMA_INT, AT(bus, data_bits), .min = 7, .max = 8, .preset = "8"},
    {"stop_bits", SCHEMA_INT, AT(bus, stop_bits), .min = 1, .max = 2, .preset = "1"},
    {"parity", SCHEMA_WORD, AT(bus, parity), .words = parity_words, .preset = "none"},
    {"rs485", SCHEMA_WORD, AT(bus, rs485), .words = rs485_words, .preset = "auto"},
    {"rts_before_us", SCHEMA_INT, AT(bus, rts_before_us), .max = 100000},
    {"rts_after_us", SCHEMA_INT, AT(bus, rts_after_us), .max = 100000},
    {"connect_timeout_ms", SCHEMA_INT, AT(bus, connect_timeout_ms), .min = 100, .max = 60000, .preset = "3000"},
    {"reconnect_ms", SCHEMA_INT, AT(bus, reconnect_ms), .min = 1000, .max = 60000, .preset = "5000"},
    {"response_timeout_ms", SCHEMA_INT, AT(bus, response_timeout_ms), .min = 50, .max = 30000, .preset = "1000"},
    {"byte_timeout_ms", SCHEMA_INT, AT(bus, byte_timeout_ms), .min = 5, .max = 5000, .preset = "50"},
    {"gap_ms", SCHEMA_INT, AT(bus, gap_ms), .max = 5000},
    {"wake_ms", SCHEMA_INT, AT(bus, wake_ms), .max = 3600000},
    {"echo", SCHEMA_BOOL, AT(bus, echo)},
    {"any_unit", SCHEMA_BOOL, AT(bus, any_unit)},
    {"release_ms", SCHEMA_INT, AT(bus, release_ms), .max = 60000},
    {"bitrate", SCHEMA_INT, AT(bus, bitrate), .min = 10000, .max = 1000000, .preset = "250000"},
    {"bring_up", SCHEMA_BOOL, AT(bus, bring_up), .preset = "1"},
    {"restart_ms", SCHEMA_INT, AT(bus, restart_ms), .max = 60000, .preset = "100"},
    {"listen_only", SCHEMA_BOOL, AT(bus, listen_only)},
    {0},
};

static const struct schema_option device_options[] = {
    {"bus", SCHEMA_REFERENCE, AT(device, bus), .ref = "bus", .required = 1, .restart = 1},
    {"unit", SCHEMA_INT, AT(device, unit), .max = 255, .preset = "1", .restart = 1},
    {"profile", SCHEMA_ID, AT(device, profile), .min = 1, .max = 60, .required = 1, .restart = 1},
    {"poll_ms", SCHEMA_INT, AT(device, poll_ms), .min = 100, .max = 60000, .preset = "1000", .restart = 1},
    {"meter_address", SCHEMA_DIGITS, AT(device, meter_address), .max = 12, .restart = 1},
    {0},
};

static const struct schema_option charger_options[] = {
    {"station", SCHEMA_REFERENCE, AT(charger, station), .ref = "station", .required = 1},
    {"bus", SCHEMA_REFERENCE, AT(charger, bus), .ref = "bus", .required = 1, .restart = 1},
    {"unit", SCHEMA_INT, AT(charger, unit), .max = 255, .preset = "1", .restart = 1},
    {"profile", SCHEMA_ID, AT(charger, profile), .min = 1, .max = 60, .required = 1, .restart = 1},
    {"equipment_id", SCHEMA_ID, AT(charger, equipment_id), .min = 1, .max = 23, .required = 1},
    {"poll_ms", SCHEMA_INT, AT(charger, poll_ms), .min = 100, .max = 60000, .preset = "1000", .restart = 1},
    {"meter_address", SCHEMA_DIGITS, AT(charger, meter_address), .max = 12, .restart = 1},
    {"manufacturer_id", SCHEMA_ID, AT(charger, manufacturer_id), .max = 18},
    {"manufacturer_name", SCHEMA_TEXT, AT(charger, manufacturer_name), .max = 30},
    {"equipment_model", SCHEMA_TEXT, AT(charger, equipment_model), .max = 20},
    {"production_date", SCHEMA_DATE, AT(charger, production_date)},
    {"equipment_name", SCHEMA_TEXT, AT(charger, equipment_name), .max = 30},
    {"equipment_type", SCHEMA_WORD, AT(charger, equipment_type), .words = equipment_types, .preset = "1"},
    {"power_w", SCHEMA_INT, AT(charger, power_w), .max = 2000000},
    {0},
};

static const struct schema_option connector_options[] = {
    {"charger", SCHEMA_REFERENCE, AT(connector, charger), .ref = "charger", .required = 1, .restart = 1},
    {"number", SCHEMA_INT, AT(connector, number), .min = 1, .max = 16, .preset = "1", .restart = 1},
    {"connector_id", SCHEMA_ID, AT(connector, connector_id), .min = 1, .max = 26, .required = 1},
    {"connector_name", SCHEMA_TEXT, AT(connector, connector_name), .max = 30},
    {"park_no", SCHEMA_TEXT, AT(connector, park_no), .max = 10},
    {"connector_type", SCHEMA_WORD, AT(connector, connector_type), .words = connector_types, .preset = "4"},
    {"voltage_upper", SCHEMA_INT, AT(connector, voltage_upper), .max = 2000, .preset = "750"},
    {"voltage_lower", SCHEMA_INT, AT(connector, voltage_lower), .max = 2000, .preset = "200"},
    {"current_a", SCHEMA_INT, AT(connector, current_a), .max = 2000, .preset = "250"},
    {"power_w", SCHEMA_INT, AT(connector, power_w), .min = 1, .max = 2000000, .required = 1},
    {"national_standard", SCHEMA_INT, AT(connector, national_standard), .min = 1, .max = 4, .preset = "2"},
    {"meter", SCHEMA_ID, AT(connector, meter), .min = 1, .max = 60},
    {"bms", SCHEMA_ID, AT(connector, bms), .min = 1, .max = 60},
    {0},
};

static const struct schema_option platform_options[] = {
    {"enabled", SCHEMA_BOOL, AT(platform, enabled), .preset = "1", .restart = 1},
    {"operator_id", SCHEMA_OPERATOR, AT(platform, operator_id), .required = 1, .restart = 1},
    {"url", SCHEMA_URL, AT(platform, url), .min = 8, .max = 250, .required = 1, .restart = 1},
    {"listen", SCHEMA_REFERENCE, AT(platform, listen), .ref = "listen"},
    {"path", SCHEMA_PREFIX, AT(platform, path), .min = 1, .max = 120, .preset = "/evcs/v20160701"},
    {"mapping", SCHEMA_ID, AT(platform, mapping), .min = 1, .max = 60, .preset = "base"},
    {"our_operator_secret", SCHEMA_SECRET, AT(platform, ours.operator_secret), .min = 1, .max = 128, .restart = 1},
    {"our_data_secret", SCHEMA_SECRET, AT(platform, ours.data_secret), .min = 16, .max = 16, .restart = 1},
    {"our_data_secret_iv", SCHEMA_SECRET, AT(platform, ours.data_secret_iv), .min = 16, .max = 16, .restart = 1},
    {"our_sig_secret", SCHEMA_SECRET, AT(platform, ours.sig_secret), .min = 1, .max = 64, .restart = 1},
    {"their_operator_secret", SCHEMA_SECRET, AT(platform, theirs.operator_secret), .min = 1, .max = 128, .required = 1,
     .restart = 1},
    {"their_data_secret", SCHEMA_SECRET, AT(platform, theirs.data_secret), .min = 16, .max = 16, .required = 1,
     .restart = 1},
    {"their_data_secret_iv", SCHEMA_SECRET, AT(platform, theirs.data_secret_iv), .min = 16, .max = 16, .required = 1,
     .restart = 1},
    {"their_sig_secret", SCHEMA_SECRET, AT(platform, theirs.sig_secret), .min = 1, .max = 64, .required = 1,
     .restart = 1},
    {"ca", SCHEMA_TEXT, AT(platform, ca), .max = 250, .restart = 1},
    {"certificate", SCHEMA_TEXT, AT(platform, certificate), .max = 250, .restart = 1},
    {"key", SCHEMA_TEXT, AT(platform, key), .max = 250, .restart = 1},
    {"verify", SCHEMA_BOOL, AT(platform, verify), .preset = "1", .restart = 1},
    {"client_name", SCHEMA_TEXT, AT(platform, client_name), .max = 120},
    {"station", SCHEMA_REFERENCES, AT(platform, stations), COUNT(platform, station_count), .ref = "station"},
    {"response_sig", SCHEMA_WORD, AT(platform, check_response_sig), .words = sig_words, .preset = "success"},
    {"replay_window_s", SCHEMA_INT, AT(platform, replay_window_s), .max = 86400},
    {"keep_old_tokens", SCHEMA_BOOL, AT(platform, keep_old_tokens), .preset = "1"},
    {"token_lifetime_s", SCHEMA_INT, AT(platform, token_lifetime_s), .min = 60, .max = 604800, .preset = "7200"},
    {"error_data", SCHEMA_WORD, AT(platform, error_data), .words = data_words, .preset = "empty"},
    {"missing_token_ret", SCHEMA_WORD, AT(platform, missing_token_ret), .words = ret_words, .preset = "4002"},
    {"page_size_max", SCHEMA_INT, AT(platform, page_size_max), .min = 1, .max = 1000, .preset = "100"},
    {"item_size_is_page", SCHEMA_BOOL, AT(platform, item_size_is_page)},
    {"token_any_case", SCHEMA_BOOL, AT(platform, token_any_case)},
    {"ret_as_text", SCHEMA_BOOL, AT(platform, ret_as_text)},
    {"ascii_json", SCHEMA_BOOL, AT(platform, ascii_json)},
    {"request_timeout_ms", SCHEMA_INT, AT(platform, request_timeout_ms), .min = 1000, .max = 60000, .preset = "10000"},
    {"retry_s", SCHEMA_INT, AT(platform, retry_s), .min = 1, .max = 3600, .preset = "60"},
    {"retry_count", SCHEMA_INT, AT(platform, retry_count), .max = 1000, .preset = "5"},
    {"rate_per_s", SCHEMA_INT, AT(platform, rate_per_s), .min = 1, .max = 1000, .preset = "50"},
    {"push_rate_per_s", SCHEMA_INT, AT(platform, push_rate_per_s), .min = 1, .max = 1000, .preset = "20"},
    {"resend_all_h", SCHEMA_INT, AT(platform, resend_all_h), .max = 24, .preset = "3"},
    {"exchange", SCHEMA_REFERENCE, AT(platform, exchange), .ref = "platform"},
    {"mode", SCHEMA_WORD, AT(platform, mode), .words = mode_words, .preset = "async"},
    {"iserv", SCHEMA_BOOL, AT(platform, iserv)},
    {"policy", SCHEMA_ID, AT(platform, policy), .min = 1, .max = 60},
    {"pull_s", SCHEMA_INT, AT(platform, pull_s), .max = 3600},
    {"push_station_info", SCHEMA_BOOL, AT(platform, push_station_info)},
    {"push_stats", SCHEMA_BOOL, AT(platform, push_stats)},
    {"send_vin", SCHEMA_BOOL, AT(platform, send_vin)},
    {0},
};

#define MANY(type, plural) \
#type, sizeof(struct config_##type), offsetof(struct config, plural), offsetof(struct config, type##_count)
#define ONE(type) #type, sizeof(struct config_##type), offsetof(struct config, type), 0

const struct schema_section schema_sections[SCHEMA_SECTIONS + 1] = {
    {ONE(gateway), .required = 1, .options = gateway_options},
    {ONE(admin), .change_restarts = 1, .options = admin_options},
    {MANY(listen, listens), .most = 16, .change_restarts = 1, .options = listen_options},
    {MANY(station, stations), .most = 64, .options = station_options},
    {"bus", sizeof(struct config_bus), offsetof(struct config, buses), offsetof(struct config, bus_count), .most = 1024,
     .change_restarts = 1, .options = bus_options},
    {MANY(device, devices), .most = CONFIG_MAX_CONNECTORS, .options = device_options},
    {MANY(charger, chargers), .most = CONFIG_MAX_CONNECTORS, .options = charger_options},
    {MANY(connector, connectors), .most = CONFIG_MAX_CONNECTORS, .options = connector_options},
    {MANY(platform, platforms), .most = 64, .options = platform_options},
    {0},
};

const struct schema_section *schema_find(const char *type)
{
	for (const struct schema_section *s = schema_sections; s->type; s++)
		if (!strcmp(s->type, type))
			return s;
	return NULL;
}

int schema_count(const struct schema_section *section, const struct config *config)
{
	const char *base = (const char *)config;

	if (section->count)
		return *(const int *)(const void *)(base + section->count);
	return *(const char *const *)(const void *)(base + section->list) != NULL;
}

void *schema_object(const struct schema_section *section, const struct config *config, int i)
{
	char *base = (char *)(size_t)config; /* the caller's own constness is not ours to judge */

	if (!section->count)
		return base + section->list;
	return *(char **)(void *)(base + section->list) + (size_t)i * section->size;
}

const char *schema_name(const void *object)
{
	return *(const char *const *)object;
}
