/* config/: every mistake of a file at once, each with its place; defaults; what a change asks for; hostile files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cpu_time.h"

#include "base/clock.h"
#include "config/config.h"

#define GATEWAY "config gateway 'gw'\n\toption operator_id '123456789'\n"
#define STATION                                                                                                      \
	"config station 's1'\n\toption station_id 'S1'\n\toption station_name 'Site'\n\toption area_code '110105'\n" \
	"\toption address 'Road 1'\n\toption service_tel '010-1'\n\toption station_lng '116.397'\n"                  \
	"\toption station_lat '39.908'\n"
#define BUS "config bus 'b1'\n\toption kind 'tcp'\n\toption host '127.0.0.1'\n"
#define CHARGER                                                                                             \
	"config charger 'c1'\n\toption station 's1'\n\toption bus 'b1'\n\toption profile 'forecourt-sim'\n" \
	"\toption equipment_id 'E1'\n"
#define CONNECTOR "config connector 'k1'\n\toption charger 'c1'\n\toption connector_id 'K1'\n\toption power_w '60000'\n"
#define LISTEN    "config listen 'l1'\n\toption port '8443'\n\toption certificate 'a.pem'\n\toption key 'a.key'\n"
#define PLATFORM                                                                                               \
	"config platform 'p1'\n\toption operator_id '987654321'\n\toption url 'https://localhost:9443/evcs'\n" \
	"\toption their_operator_secret 'x'\n\toption their_data_secret '1234567890abcdef'\n"                  \
	"\toption their_data_secret_iv '1234567890abcdef'\n\toption their_sig_secret 'y'\n"
#define WHOLE GATEWAY STATION BUS CHARGER CONNECTOR LISTEN PLATFORM

struct reading {
	struct config *config;
	struct error err;
	char said[65536];
};

static void read_text(struct reading *r, const char *text, size_t len)
{
	char path[] = "/tmp/forecourt-config-XXXXXX";
	int fd = mkstemp(path);
	FILE *said = fmemopen(r->said, sizeof(r->said), "w");

	assert_true(fd >= 0);
	assert_non_null(said);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	r->err = (struct error){0};
	r->config = config_read(path, said, &r->err);
	(void)fclose(said);
	(void)unlink(path);
}

static void expect_good(struct reading *r, const char *text)
{
	read_text(r, text, strlen(text));
	if (!r->config)
		fail_msg("%s", r->said);
}

/* Lines said, all of them; each as ":LINE: OBJECT: part of what". */
static void expect_mistakes(const char *text, const char *const *wanted)
{
	static struct reading r;
	int lines = 0, n = 0;

	read_text(&r, text, strlen(text));
	if (r.config)
		fail_msg("taken: %s", text);
	assert_int_equal(r.err.code, FC_EINVAL);
	for (const char *c = r.said; (c = strchr(c, '\n')); c++)
		lines++;
	for (; wanted[n]; n++)
		if (!strstr(r.said, wanted[n]))
			fail_msg("not said: %s\nbut:\n%s", wanted[n], r.said);
	if (lines != n)
		fail_msg("%d lines, not %d:\n%s", lines, n, r.said);
}

#define EXPECT(text, ...) expect_mistakes(text, (const char *const[]){__VA_ARGS__, NULL})

static void a_good_file(void **state)
{
	static struct reading r;

	(void)state;
	expect_good(&r, WHOLE);
	const struct config *c = r.config;
	assert_string_equal(c->gateway.operator_id, "123456789");
	assert_string_equal(c->gateway.data_dir, "/var/lib/forecourt");
	assert_int_equal(c->stations[0].lng_e6, 116397000);
	assert_string_equal(c->stations[0].equipment_owner_id, "123456789");
	assert_string_equal(c->stations[0].remark, "");
	assert_int_equal(c->chargers[0].bus, 0);
	assert_int_equal(c->chargers[0].power_w, 60000);
	assert_int_equal(c->chargers[0].poll_ms, 1000);
	assert_int_equal(c->connectors[0].number, 1);
	assert_int_equal(c->buses[0].port, 502);
	assert_int_equal(c->platforms[0].listen, -1);
	assert_int_equal(c->platforms[0].verify, 1);
	assert_string_equal(c->platforms[0].mapping, "base");
	/* No admin section: off, and no text of it is NULL. */
	assert_int_equal(c->admin.enabled, 0);
	assert_string_equal(c->admin.user, "admin");
	assert_string_equal(c->admin.certificate, "");
	config_free(r.config);
}

static void uci_syntax(void **state)
{
	static struct reading r;

	(void)state;
	/* The forms that uci and LuCI write, and those that people do. */
	expect_good(&r,
		    "# comment\r\npackage forecourt\n\nconfig gateway gw # mine\n option operator_id \"1234\"'56789'\n"
		    "\toption data_dir \"/a \\\"b\\\"\"\n\toption lua_dir a\\ b\n" STATION
		    "\tlist picture 'http://a/1'\n\tlist picture 'http://a/2'");
	assert_string_equal(r.config->gateway.data_dir, "/a \"b\"");
	assert_string_equal(r.config->gateway.lua_dir, "a b");
	assert_int_equal(r.config->stations[0].picture_count, 2);
	assert_string_equal(r.config->stations[0].pictures[1], "http://a/2");
	config_free(r.config);
	EXPECT(GATEWAY "\toption log_level 'info\n", ":3: a single quote is not closed");
	EXPECT(GATEWAY "\toption log_level info x\n", ":3: something stands behind the value");
	EXPECT(GATEWAY "\toption log_level\n", ":3: option wants a name and a value");
	EXPECT(GATEWAY "\tlist log_level info\n", ":3: gateway.gw.log_level: wants option, not list");
	EXPECT(GATEWAY "\toption operator_id '123456789'\n", ":3: operator_id is given twice (first on line 2)");
	EXPECT(GATEWAY "\tset a b\n", ":3: \"set\" is not config, option, list or package");
	EXPECT("option a b\n" GATEWAY, ":1: an option before the first config line");
	/* Nothing of a section with a bad head is taken for the one above it. */
	EXPECT(GATEWAY "config bus 'b 1'\n\toption operator_id 'x'\n", ":3: a section's name may have only");
	EXPECT(GATEWAY "config 'bus\n\toption operator_id 'x'\n", ":3: a single quote is not closed");
}

static void every_mistake_at_once(void **state)
{
	(void)state;
	EXPECT("config gatway 'gw'\n"
	       "config station 's1'\n\toption station_id 'S1'\n\toption station_nam 'Site'\n\toption area_code '11'\n"
	       "\toption address 'Road 1'\n\toption service_tel '010-1'\n\toption station_lng '200'\n"
	       "config bus 'b1'\n\toption kind 'udp'\n\toption port '70000'\n"
	       "config bus 'b2'\n\toption kind 'rtu'\n"
	       "config bus 'b2'\n\toption kind 'rtu'\n\toption device '/dev/ttyS1'\n"
	       "config charger 'c1'\n\toption station 's9'\n\toption bus 'b2'\n\toption unit '0'\n"
	       "\toption profile 'forecourt-sim'\n\toption equipment_id 'E1'\n"
	       "config connector 'k1'\n\toption charger 'c1'\n\toption connector_id 'K1'\n\toption power_w '60 kW'\n"
	       "config connector 'k2'\n\toption charger 'c1'\n\toption connector_id 'K1'\n\toption power_w '60000'\n"
	       "config listen 'l1'\n\toption port '8443'\n"
	       "config platform 'p1'\n\toption operator_id '98765432'\n\toption url 'ftp://x'\n\toption listen 'l1'\n"
	       "\toption their_operator_secret 'x'\n\toption their_data_secret 'topsecret'\n"
	       "\toption their_data_secret_iv '1234567890abcdef'\n\toption their_sig_secret 'y'\n",
	       ":1: gatway.gw: there is no such section type: did you mean gateway?",
	       ":1: gateway: a section of this type is missing",
	       ":4: station.s1.station_nam: there is no such option: did you mean station_name?",
	       ":5: station.s1.area_code: \"11\" is not allowed: 6 to 20 digits",
	       ":8: station.s1.station_lng: \"200\" is not allowed: degrees from -180 to 180",
	       ":2: station.s1.station_name: is missing", ":2: station.s1.station_lat: is missing",
	       ":10: bus.b1.kind: \"udp\" is not allowed: tcp, rtu or can",
	       ":11: bus.b1.port: \"70000\" is not allowed: 1 to 65535",
	       ":12: bus.b2.device: is missing: a bus of kind rtu needs one",
	       ":14: bus.b2: there is one of that name on line 12 already",
	       ":18: charger.c1.station: \"s9\" is not the name of a section of type station",
	       ":20: charger.c1.unit: 0 is not allowed on a serial line: 1 to 248",
	       ":26: connector.k1.power_w: \"60 kW\" is not allowed: 1 to 2000000",
	       ":29: connector.k2.connector_id: K1 is taken already by connector k1",
	       ":27: connector.k2.number: 1 is taken already in charger c1", ":31: listen.l1.certificate: is missing",
	       ":31: listen.l1.key: is missing", ":34: platform.p1.operator_id: \"98765432\" is not allowed: 9 digits",
	       ":35: platform.p1.url: \"ftp://x\" is not allowed",
	       ":38: platform.p1.their_data_secret: this secret is not allowed: exactly 16",
	       ":33: platform.p1.our_operator_secret: is missing", ":33: platform.p1.our_data_secret: is missing",
	       ":33: platform.p1.our_data_secret_iv: is missing", ":33: platform.p1.our_sig_secret: is missing");
}

static void rules_between_objects(void **state)
{
	(void)state;
	EXPECT(WHOLE "config charger 'c2'\n\toption station 's1'\n\toption bus 'b1'\n\toption profile 'forecourt-sim'\n"
		     "\toption equipment_id 'E2'\n",
	       ":34: charger.c2: has no connector",
	       ":34: charger.c2.unit: 1 is taken already on that bus by charger c1");
	EXPECT(WHOLE "config bus 'b2'\n\toption kind 'tcp'\n\toption host '127.0.0.1'\n",
	       ":34: bus.b2: 127.0.0.1:502 is taken already by bus b1");
	EXPECT(WHOLE "config listen 'l2'\n\toption port '8443'\n\toption tls '0'\n\toption address '127.0.0.1'\n",
	       ":35: listen.l2.port: 8443 is taken already by listen l1");
	EXPECT(WHOLE "config admin 'a'\n\toption tls '0'\n",
	       ":24: listen.l1.port: 8443 is taken already by the admin page");
	EXPECT(WHOLE
	       "config listen 'l2'\n\toption port '8444'\n\toption tls '0'\n\toption client_certificate 'required'\n",
	       ":34: listen.l2.client_ca: is missing", ":37: listen.l2.client_certificate: needs tls");
	EXPECT(WHOLE "\toption certificate 'c.pem'\n",
	       ":27: platform.p1.key: is missing: a client certificate needs both");
	/* What is wrong by itself is not said a second time by a rule. */
	EXPECT(WHOLE "config connector 'k2'\n\toption charger 'c1'\n\toption connector_id 'K2'\n\toption power_w '1'\n"
		     "\toption number 'one'\n",
	       ":38: connector.k2.number: \"one\" is not allowed");
	EXPECT(WHOLE "config listen 'l2'\n\toption port '0'\n\toption tls '0'\n",
	       ":35: listen.l2.port: \"0\" is not allowed");
	/* Two specific addresses may share a port. */
	static struct reading r;
	expect_good(&r,
		    GATEWAY "config listen 'a'\n\toption port '1'\n\toption tls '0'\n\toption address '127.0.0.1'\n"
			    "config listen 'b'\n\toption port '1'\n\toption tls '0'\n\toption address '127.0.0.2'\n");
	config_free(r.config);
}

#define CAN "config bus 'can0'\n\toption kind 'can'\n\toption device "

/* Which option belongs to which kind of bus, and what stands on it. */
static void rules_of_can_and_devices(void **state)
{
	static struct reading r;

	(void)state;
	EXPECT(WHOLE CAN "'can0'\n\toption baud '9600'\n\toption host 'h'\n",
	       ":37: bus.can0.baud: does not belong to a bus of kind can",
	       ":38: bus.can0.host: does not belong to a bus");
	EXPECT(WHOLE "config bus 'b2'\n\toption kind 'rtu'\n\toption device '/dev/ttyS1'\n\toption bitrate '250000'\n",
	       ":37: bus.b2.bitrate: belongs to a bus of kind can");
	EXPECT(WHOLE "config bus 'can0'\n\toption kind 'can'\n", ":34: bus.can0.device: is missing: a bus of kind can");
	EXPECT(WHOLE CAN "'a-very-long-interface'\n",
	       ":36: bus.can0.device: a-very-long-interface is no CAN interface");
	EXPECT(WHOLE CAN "'replay:'\n", ":36: bus.can0.device: names no file");
	EXPECT(WHOLE CAN "'record:x'\n", ":36: bus.can0.device: record:x is not allowed: can0, replay:FILE");
	EXPECT(WHOLE CAN "'datagram:/tmp/a'\n", ":36: bus.can0.device: must be datagram:OWN,PEER");
	EXPECT(WHOLE CAN "'can0'\n\toption bitrate '2000000'\n", ":37: bus.can0.bitrate: \"2000000\" is not allowed");
	EXPECT(WHOLE CAN "'can0'\nconfig bus 'can1'\n\toption kind 'can'\n\toption device 'can0'\n",
	       ":37: bus.can1: can0 is taken already by bus can0");
	/* A device is found by its name, as a charger is. */
	EXPECT(WHOLE "config device 'c1'\n\toption bus 'b1'\n\toption unit '2'\n\toption profile 'p'\n",
	       ":34: device.c1: there is a charger of that name already");
	EXPECT(WHOLE "config device 'm1'\n\toption bus 'b1'\n\toption unit '1'\n\toption profile 'p'\n",
	       ":36: device.m1.unit: 1 is taken already on that bus by charger c1");
	EXPECT(WHOLE "config device 'm1'\n\toption bus 'b9'\n", ":35: device.m1.bus: \"b9\" is not the name",
	       ":34: device.m1.profile: is missing");
	EXPECT(WHOLE "config device 'm1'\n\toption bus 'b1'\n\toption unit '2'\n\toption profile 'p'\n"
		     "config connector 'k2'\n\toption charger 'c1'\n\toption number '2'\n\toption connector_id 'K2'\n"
		     "\toption power_w '1'\n\toption meter 'm1'\n"
		     "config connector 'k3'\n\toption charger 'c1'\n\toption number '3'\n\toption connector_id 'K3'\n"
		     "\toption power_w '1'\n\toption meter 'm1:1'\n\toption bms 'm2'\n"
		     "config connector 'k4'\n\toption charger 'c1'\n\toption number '4'\n\toption connector_id 'K4'\n"
		     "\toption power_w '1'\n\toption meter 'm1:17'\n",
	       ":49: connector.k3.meter: m1:1 is taken already by connector k2",
	       ":50: connector.k3.bms: \"m2\" is not the name of a section of type device or charger",
	       ":56: connector.k4.meter: \"m1:17\" is not the name");
	/* The charger's own connector is one that reads its register. */
	EXPECT(WHOLE "config connector 'k2'\n\toption charger 'c1'\n\toption number '2'\n\toption connector_id 'K2'\n"
		     "\toption power_w '1'\n\toption meter 'c1'\n",
	       ":39: connector.k2.meter: c1:1 counts connector k1 already, which has no meter of its own");
	expect_good(&r, WHOLE "\nconfig device 'm1'\n\toption bus 'b1'\n\toption unit '2'\n\toption profile 'p'\n"
			      "config charger 'c2'\n\toption station 's1'\n\toption bus 'b1'\n\toption unit '3'\n"
			      "\toption profile 'p'\n\toption equipment_id 'E2'\n"
			      "config connector 'k2'\n\toption charger 'c2'\n\toption connector_id 'K2'\n"
			      "\toption power_w '1'\n\toption meter 'm1'\n"
			      "config connector 'k3'\n\toption charger 'c2'\n\toption number '2'\n"
			      "\toption connector_id 'K3'\n\toption power_w '1'\n\toption meter 'c2'\n"
			      "config connector 'k4'\n\toption charger 'c2'\n\toption number '3'\n"
			      "\toption connector_id 'K4'\n\toption power_w '1'\n\toption meter 'c2:3'\n");
	config_free(r.config);
	expect_good(&r, WHOLE CAN "'can0'\n\toption listen_only '1'\n"
				  "config device 'bms1'\n\toption bus 'can0'\n\toption profile 'gbt27930'\n"
				  "config device 'm1'\n\toption bus 'b1'\n\toption unit '2'\n\toption profile 'p'\n"
				  "config connector 'k2'\n\toption charger 'c1'\n\toption number '2'\n"
				  "\toption connector_id 'K2'\n\toption power_w '1'\n\toption meter 'm1:3'\n"
				  "\toption bms 'bms1'\n");
	assert_int_equal(r.config->device_count, 2);
	assert_int_equal(r.config->buses[1].kind, CONFIG_BUS_CAN);
	assert_int_equal(r.config->buses[1].bitrate, 250000);
	assert_string_equal(r.config->connectors[1].meter_source.name, "m1");
	assert_int_equal(r.config->connectors[1].meter_source.number, 3);
	assert_string_equal(r.config->connectors[1].bms_source.name, "bms1");
	assert_int_equal(r.config->connectors[1].bms_source.number, 1);
	assert_string_equal(r.config->connectors[0].meter_source.name, "");
	config_free(r.config);
}

static void one_more_than_allowed(void **state)
{
	static char text[1 << 20];
	size_t n = 0;

	(void)state;
	n += (size_t)snprintf(text, sizeof(text), GATEWAY);
	for (int i = 0; i < 17; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "config listen 'l%d'\n\toption port '%d'\n\toption tls '0'\n", i, i + 1);
	EXPECT(text, ":51: listen.l16: is one too many: 16 sections of this type are allowed");
}

static void secrets_are_not_shown(void **state)
{
	static struct reading r;

	(void)state;
	const char *text = WHOLE "\toption our_data_secret 'topsecret'\n";
	read_text(&r, text, strlen(text));
	assert_null(r.config);
	assert_null(strstr(r.said, "topsecret"));
	assert_null(strstr(r.err.text, "topsecret"));
}

/* A megabyte of each kind of nonsense is refused in a time that grows with its length, not with its square. */
static double refuse_filled(const char *head, const char *unit, size_t len)
{
	static struct reading r;
	static char text[1 << 20];
	size_t n = strlen(head), k = strlen(unit);

	memcpy(text, head, n);
	for (; n + k < len; n += k)
		memcpy(text + n, unit, k);
	int64_t start = cpu_us();
	read_text(&r, text, n);
	assert_null(r.config);
	return (double)(cpu_us() - start);
}

static void hostile_files(void **state)
{
	static const char *const units[] = {"\toption a b\n", "config bus\n", "config bus x\n", "'\n",
					    "\tlist a b\n",   "config x\n",   "\toption x y\n", "a b c d\n",
					    "\n\n\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		const char *head = i == 8 ? "" : GATEWAY;
		int is_good = 0;

		for (int try = 0; try < CPU_TRIES && !is_good; try++) {
			double small = refuse_filled(head, units[i], 1 << 17) + 1000;
			double large = refuse_filled(head, units[i], (1 << 20) - 100);

			print_message("%.12s: %.0f us, eight times as much %.0f us\n",
				      i == 8 ? "(empty)" : units[i] + (*units[i] == '\t'), small, large);
			is_good = large < small * 32; /* 64 would be the square */
		}
		assert_true(is_good);
	}
	static struct reading r;
	read_text(&r, "config gateway\0 'x'\n", 20);
	assert_null(r.config);
	assert_non_null(strstr(r.said, ":1: the line holds a zero byte"));
	r.config = config_read("/nonexistent/forecourt", NULL, &r.err);
	assert_null(r.config);
	assert_non_null(strstr(r.err.text, "/nonexistent/forecourt"));
}

/* More mistakes than anyone reads are counted. */
static void many_mistakes_are_counted(void **state)
{
	static struct reading r;
	static char text[32768];
	size_t n = (size_t)snprintf(text, sizeof(text), GATEWAY);

	(void)state;
	for (int i = 0; i < 150; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "config x 'a%d'\nnonsense %d\n", i, i);
	read_text(&r, text, n);
	assert_null(r.config);
	assert_non_null(strstr(r.said, ": and 100 more\n"));
	assert_non_null(strstr(r.err.text, "300 mistake(s), the first: "));
}

static char changes[4096];

static void note_change(void *user, const struct config_change *change)
{
	size_t n = strlen(changes);

	(void)user;
	(void)snprintf(changes + n, sizeof(changes) - n, "%s %s %s\n", config_action_name(change->action), change->type,
		       change->name);
}

static void expect_changes(const char *from, const char *to, const char *wanted)
{
	static struct reading a, b;

	expect_good(&a, from);
	expect_good(&b, to);
	changes[0] = '\0';
	(void)config_compare(a.config, b.config, note_change, NULL);
	assert_string_equal(changes, wanted);
	config_free(a.config);
	config_free(b.config);
}

static void what_a_change_asks_for(void **state)
{
	(void)state;
	expect_changes(WHOLE, WHOLE, "");
	/* The order of sections is no change. */
	expect_changes(WHOLE, GATEWAY PLATFORM LISTEN BUS STATION CHARGER CONNECTOR, "");
	expect_changes(WHOLE, WHOLE "\toption push_stats '1'\n", "applied platform p1\n");
	expect_changes(WHOLE, WHOLE "\toption mapping 'beijing'\n", "applied platform p1\n");
	expect_changes(WHOLE, WHOLE "\toption verify '0'\n", "restart platform p1\n");
	expect_changes(WHOLE, GATEWAY STATION BUS "\toption gap_ms '10'\n" CHARGER CONNECTOR LISTEN PLATFORM,
		       "restart bus b1\n");
	expect_changes(WHOLE, GATEWAY STATION BUS CHARGER "\toption equipment_name 'x'\n" CONNECTOR LISTEN PLATFORM,
		       "applied charger c1\n");
	expect_changes(WHOLE, GATEWAY STATION LISTEN,
		       "remove bus b1\nremove charger c1\nremove connector k1\nremove platform p1\n");
	expect_changes(GATEWAY STATION LISTEN, WHOLE,
		       "add bus b1\nadd charger c1\nadd connector k1\nadd platform p1\n");
	expect_changes(WHOLE, WHOLE "config admin 'page'\n\toption tls '0'\n\toption port '9000'\n",
		       "add admin page\n");
}

static char *slurp(const char *path)
{
	static char text[1 << 17];
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	size_t n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	(void)fclose(file);
	return text;
}

/* chargers.md 4, row 41, and what a serial line can't do. */
static void framings_that_can_not_be(void **state)
{
	(void)state;
	EXPECT(GATEWAY STATION BUS
	       "\toption framing 'rtu'\n\toption any_unit '1'\n"
	       "config bus 'b2'\n\toption kind 'tcp'\n\toption host '127.0.0.1'\n"
	       "config bus 'b3'\n\toption kind 'rtu'\n\toption device '/dev/ttyS1'\n\toption data_bits '7'\n"
	       "config bus 'b4'\n\toption kind 'rtu'\n\toption device '/dev/ttyS2'\n\toption framing 'tcp'\n"
	       "config bus 'b5'\n\toption kind 'tcp'\n\toption host '127.0.0.2'\n\toption echo '1'\n"
	       "config bus 'b6'\n\toption kind 'rtu'\n\toption device '/dev/ttyS3'\n\toption data_bits '7'\n"
	       "\toption framing 'ascii'\n",
	       "bus.b1.any_unit: is for Modbus/TCP only", "bus.b2: 127.0.0.1:502 is taken already by bus b1",
	       "bus.b3.data_bits: must be 8: 7 is for framing ascii only",
	       "bus.b4.framing: tcp needs a bus of kind tcp", "bus.b5.echo: is not for Modbus/TCP");
}

/* The README's tables are the schema's. */
static void the_readme_tells_every_option(void **state)
{
	static char tables[1 << 17];
	FILE *to = fmemopen(tables, sizeof(tables), "w");

	(void)state;
	assert_non_null(to);
	config_describe(to);
	(void)fclose(to);
	if (!strstr(slurp("core/config/README.md"), tables))
		fail_msg("core/config/README.md: not what forecourtd --options prints");
}

static void the_shipped_example_is_good(void **state)
{
	static struct reading r;

	(void)state;
	expect_good(&r, slurp("rootfs/usr/share/forecourt/forecourt.example"));
	assert_int_equal(r.config->connector_count, 4);
	assert_int_equal(r.config->platforms[0].enabled, 0);
	config_free(r.config);
}

static void a_new_box_has_a_good_configuration(void **state)
{
	static struct reading r;

	(void)state;
	expect_good(&r, slurp("rootfs/etc/config/forecourt"));
	assert_string_equal(r.config->gateway.operator_id, "");
	assert_int_equal(r.config->admin.enabled, 1);
	assert_string_equal(r.config->admin.certificate, "");
	assert_int_equal(r.config->bus_count + r.config->charger_count + r.config->station_count +
			     r.config->platform_count + r.config->listen_count,
			 0);
	config_free(r.config);
	/* As OpenWrt's tools write what is not set. */
	expect_good(&r, "config gateway 'gw'\n\toption operator_id ''\n");
	assert_string_equal(r.config->gateway.operator_id, "");
	config_free(r.config);
	/* What may stand before the operator is known. */
	expect_good(&r, "config gateway 'gw'\n" STATION
			"config bus 'b1'\n\toption kind 'tcp'\n\toption host '192.0.2.1'\n");
	config_free(r.config);
}

static void who_needs_the_operator_says_so(void **state)
{
	(void)state;
	EXPECT("config gateway 'gw'\n" STATION LISTEN BUS CHARGER CONNECTOR,
	       ":1: gateway.gw.operator_id: is missing: 9 digits or capital letters (or the whole 18 of a credit "
	       "code): charger c1 "
	       "needs it");
	EXPECT("config gateway 'gw'\n" LISTEN PLATFORM,
	       "operator_id: is missing: 9 digits or capital letters (or the whole 18 of a "
	       "credit code): platform p1 needs it");
	EXPECT("config admin 'a'\n\toption certificate '/x'\n" GATEWAY, ":1: admin.a.key: is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_file),
	    cmocka_unit_test(uci_syntax),
	    cmocka_unit_test(every_mistake_at_once),
	    cmocka_unit_test(rules_between_objects),
	    cmocka_unit_test(rules_of_can_and_devices),
	    cmocka_unit_test(one_more_than_allowed),
	    cmocka_unit_test(secrets_are_not_shown),
	    cmocka_unit_test(hostile_files),
	    cmocka_unit_test(many_mistakes_are_counted),
	    cmocka_unit_test(what_a_change_asks_for),
	    cmocka_unit_test(framings_that_can_not_be),
	    cmocka_unit_test(the_readme_tells_every_option),
	    cmocka_unit_test(the_shipped_example_is_good),
	    cmocka_unit_test(a_new_box_has_a_good_configuration),
	    cmocka_unit_test(who_needs_the_operator_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
