/* device/gbt27930: the rules beside the sessions: editions, waits, reasons, phases, and what must not matter. */
#include "gbt_fixture.h"

enum { BRM_AT_MS = 1000 };

/* A message of the car over the transport protocol, RTS and DT alone. */
static void send_long(struct gbt *g, int64_t ms, uint32_t pgn, const uint8_t *data, size_t len)
{
	struct can_frame c = {.id = j1939_id(7, J1939_PGN_TP_CM, GBT_CHARGER, GBT_CAR),
			      .extended = 1,
			      .len = 8,
			      .data = {J1939_RTS, (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)((len + 6) / 7), 0xff,
				       (uint8_t)pgn, (uint8_t)(pgn >> 8), 0},
			      .mono_us = START_US + ms * 1000};

	gbt_frame(g, &c);
	c.id = j1939_id(7, J1939_PGN_TP_DT, GBT_CHARGER, GBT_CAR);
	for (size_t at = 0; at < len; at += 7) {
		memset(c.data, 0xff, sizeof(c.data));
		c.data[0] = (uint8_t)(at / 7 + 1);
		memcpy(c.data + 1, data + at, len - at < 7 ? len - at : 7);
		c.mono_us += 1000;
		gbt_frame(g, &c);
	}
}

static void send_brm(struct gbt *g, int64_t ms, size_t len, int version, const char *vin)
{
	uint8_t data[49];

	memset(data, 0xff, sizeof(data));
	data[0] = (uint8_t)version;
	data[1] = 1;
	data[2] = 0;
	memcpy(data + 24, vin, 17);
	send_long(g, ms, 0x0200, data, len);
}

static void send_bcs(struct gbt *g, int64_t ms, uint8_t soc)
{
	const uint8_t data[9] = {0xe5, 0x15, 0x68, 0x0b, 0x56, 0x51, soc, 73, 0};

	send_long(g, ms, 0x1100, data, sizeof(data));
}

static void charging(struct gbt *g, int64_t from_ms, int64_t to_ms)
{
	for (int64_t ms = from_ms; ms < to_ms; ms += 50) {
		send_frame(g, ms, 0x181056F4, "0C17F00A02");
		send_frame(g, ms + 10, 0x1812F456, "EA15F50A0100FD");
		if ((ms - from_ms) % 250 == 0) {
			send_frame(g, ms + 15, 0x181356F4,
				   "105402"
				   "4F0B00D0");
			send_bcs(g, ms + 20, 44);
		}
	}
}

/* Versions beat lengths, lengths beat first frames: the text of 2015 itself has a table with a BRM of 41 bytes. */
static void test_editions(void **state)
{
	static const struct {
		int chm, length, version, edition;
	} cases[] = {
	    {1, 49, 1, 2015}, {0, 49, 1, 2015}, {0, 41, 0, 2011}, {0, 41, 1, 2015},
	    {1, 41, 0, 2011}, {1, 41, 9, 2015}, {0, 41, 9, 2011},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gbt *g = new_decoder();

		if (cases[i].chm)
			send_frame(g, 0, 0x1826F456, "010100");
		send_frame(g, 500, 0x1801F456, "002A534841FFFFFF");
		send_brm(g, BRM_AT_MS, (size_t)cases[i].length, cases[i].version, "LFCT0000000000001");
		assert_value(g, "edition", cases[i].edition);
		assert_value(g, "CRM.charger_number", cases[i].edition == 2011 ? 0x2a : 0x4148532a);
		gbt_free(g);
	}
}

/* A charger that keeps to the short CSD in the newer edition: its length says where the number is. */
static void test_short_end(void **state)
{
	struct gbt *g = new_decoder();

	(void)state;
	send_brm(g, BRM_AT_MS, 49, 1, "LFCT0000000000001");
	send_frame(g, 2000, 0x181DF456, "0200250077");
	assert_value(g, "edition", 2015);
	assert_value(g, "CSD.charger_number", 119);
	send_frame(g, 2250, 0x181DF456, "0200250077000100");
	assert_value(g, "CSD.charger_number", 65655);
	gbt_free(g);
}

/* Joined in the middle: lengths are the only sign, and what reads the same in both is given at once. */
static void test_editions_by_length(void **state)
{
	static const struct {
		uint32_t id;
		const char *data;
		int edition;
	} cases[] = {
	    {0x1812F456, "EA15F50A0100", 2011},     {0x1812F456, "EA15F50A0100FD", 2015},
	    {0x1812F456, "EA15F50A0100FDFF", 2015}, {0x1808F456, "4C1DD007DC05", 2011},
	    {0x1808F456, "4C1DD007DC05A00F", 2015}, {0x181DF456, "0200250077", 2011},
	    {0x181DF456, "0200250077000000", 2015}, {0x181DF456, "02002500770000", 0},
	    {0x181056F4, "0C17F00A02", 0},          {0x1801F456, "AA2A534841FFFFFF", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gbt *g = new_decoder();

		send_frame(g, 0, cases[i].id, cases[i].data);
		if (cases[i].edition)
			assert_value(g, "edition", cases[i].edition);
		else
			assert_unknown(g, "edition");
		if (cases[i].id == 0x181DF456) {
			assert_value(g, "CSD.energy", 3.7);
			if (cases[i].edition)
				assert_value(g, "CSD.charger_number", 119);
			else
				assert_unknown(g, "CSD.charger_number");
		}
		gbt_free(g);
	}
}

static void test_vin(void **state)
{
	static const struct {
		const char *bytes;
		int good;
	} cases[] = {
	    {"LFCT0000000000001", 1},
	    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 0},
	    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0},
	    {"LFCT000000000000\0", 0},
	    {"LFCT\n000000000001", 0},
	    {"LFCT 000000000001", 0},
	    {"LFCT0000000000\xe4"
	     "01",
	     0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gbt *g = new_decoder();
		char vin[GBT_VIN_SIZE];

		send_brm(g, BRM_AT_MS, 49, 1, cases[i].bytes);
		assert_int_equal(gbt_vin(g, vin), cases[i].good);
		assert_string_equal(vin, cases[i].good ? cases[i].bytes : "");
		if (cases[i].good)
			assert_text(g, "BRM.vin", cases[i].bytes);
		else
			assert_unknown(g, "BRM.vin");
		gbt_free(g);
	}
	/* Nothing else is personal, and this is said to be. */
	int count, personal = 0;
	const struct gbt_signal *s = gbt_signals(&count);

	for (int i = 0; i < count; i++)
		personal += s[i].personal;
	assert_int_equal(personal, 1);
	assert_true(s[gbt_signal_find("BRM.vin")].personal);
}

/* Every field says nothing when all its bits are ones, and never zero. */
static void test_all_ones(void **state)
{
	static const char *const known[] = {"BRM.battery_type", "BRM.battery", NULL}; /* 0xFF is "other" */
	struct gbt *g = new_decoder();
	uint8_t ones[64];
	int count;
	const struct gbt_signal *s = gbt_signals(&count);
	struct gbt_message m;

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (int i = 0; !gbt_get_message(g, i, &m); i++) {
		struct can_frame c = {.id = m.from_car ? j1939_id(6, m.pgn, GBT_CHARGER, GBT_CAR)
						       : j1939_id(6, m.pgn, GBT_CAR, GBT_CHARGER),
				      .extended = 1,
				      .len = 8,
				      .mono_us = START_US + i * 1000};

		memset(c.data, 0xff, sizeof(c.data));
		(void)gbt_frame(g, &c);
		send_long(g, 5000 + i * 100, m.pgn, ones, 49);
		for (int k = 0; k < count; k++) {
			struct point_value v;
			int expected = QUALITY_UNKNOWN;

			if (s[k].place.message != i)
				continue;
			assert_int_equal(gbt_get(g, k, &v), FC_OK);
			for (int n = 0; known[n]; n++)
				expected = strcmp(known[n], s[k].name) == 0 ? QUALITY_GOOD : expected;
			if ((int)v.quality != expected)
				fail_msg("%s: quality %d", s[k].name, (int)v.quality);
		}
	}
	gbt_free(g);
}

/* Out of their meaning: unknown as well. */
static void test_out_of_meaning(void **state)
{
	struct gbt *g = new_decoder();

	(void)state;
	send_bcs(g, 0, 101);
	assert_unknown(g, "BCS.soc");
	assert_value(g, "BCS.voltage", 560.5);
	send_bcs(g, 100, 100);
	assert_value(g, "BCS.soc", 100);
	send_frame(g, 200, 0x181056F4, "0C17F00A07");
	assert_unknown(g, "BCL.mode");
	send_frame(g, 210, 0x181056F4, "0C17F00A00");
	assert_unknown(g, "BCL.mode");
	/* Discharging is below zero: 400.1 A * -1 is raw 0x1F41. */
	send_frame(g, 220, 0x181056F4, "0C17411F01");
	assert_value(g, "BCL.current", -400.1);
	send_frame(g, 300, 0x181DF456, "FFFF2500FFFFFFFF");
	assert_unknown(g, "CSD.minutes");
	assert_unknown(g, "CSD.charger_number");
	assert_value(g, "CSD.energy", 3.7);
	gbt_free(g);
}

static void test_reasons(void **state)
{
	static const struct {
		const char *bst, *cst, *code;
		enum gbt_by by;
		int fault;
	} cases[] = {
	    {"010000F0", "4000F0F0", "soc_reached", GBT_BY_CAR, 0},
	    {"040000F0", "4000F0F0", "voltage_reached", GBT_BY_CAR, 0},
	    {"100000F0", "4000F0F0", "cell_reached", GBT_BY_CAR, 0},
	    {"000100F0", "4000F0F0", "car_insulation", GBT_BY_CAR, 1},
	    {"000400F0", "4000F0F0", "car_connector_overtemp", GBT_BY_CAR, 1},
	    {"001000F0", "4000F0F0", "car_component_overtemp", GBT_BY_CAR, 1},
	    {"004000F0", "4000F0F0", "car_connector_fault", GBT_BY_CAR, 1},
	    {"000001F0", "4000F0F0", "car_pack_overtemp", GBT_BY_CAR, 1},
	    {"000004F0", "4000F0F0", "car_relay", GBT_BY_CAR, 1},
	    {"000010F0", "4000F0F0", "car_cc2_voltage", GBT_BY_CAR, 1},
	    {"000040F0", "4000F0F0", "car_other", GBT_BY_CAR, 1},
	    {"000000F1", "4000F0F0", "car_overcurrent", GBT_BY_CAR, 1},
	    {"000000F4", "4000F0F0", "car_voltage_abnormal", GBT_BY_CAR, 1},
	    {"400000F0", "0100F0F0", "condition_reached", GBT_BY_CHARGER, 0},
	    {"40000000", "0400F0F0", "manual", GBT_BY_PERSON, 0},
	    {"40000000", "1000F0F0", "charger_fault", GBT_BY_CHARGER, 1},
	    {"40000000", "1001F0F0", "charger_overtemp", GBT_BY_CHARGER, 1},
	    {"40000000", "1004F0F0", "charger_connector", GBT_BY_CHARGER, 1},
	    {"40000000", "1010F0F0", "charger_internal_overtemp", GBT_BY_CHARGER, 1},
	    {"40000000", "1040F0F0", "charger_no_energy", GBT_BY_CHARGER, 1},
	    {"40000000", "1000F1F0", "emergency_stop", GBT_BY_PERSON, 1},
	    {"40000000", "1000F4F0", "charger_other", GBT_BY_CHARGER, 1},
	    {"40000000", "1000F0F1", "charger_current_mismatch", GBT_BY_CHARGER, 1},
	    {"40000000", "1000F0F4", "charger_voltage_abnormal", GBT_BY_CHARGER, 1},
	    /* No reason at all: who spoke first, or whom the other one names. */
	    {"00000000", "4000F0F0", "none_car", GBT_BY_CAR, 0},
	    {"00000000", NULL, "none_car", GBT_BY_CAR, 0},
	    {"00000000", "0000F0F0", "none_car", GBT_BY_CAR, 0},
	    {"400000F0", "0000F0F0", "none_charger", GBT_BY_CHARGER, 0},
	    {"40000000", NULL, "none_charger", GBT_BY_CHARGER, 0},
	    {NULL, "0000F0F0", "none_charger", GBT_BY_CHARGER, 0},
	    {NULL, "4000F0F0", "none_car", GBT_BY_CAR, 0},
	    /* "Not trusted" (10) is nothing said. */
	    {"020000F0", "4000F0F0", "none_car", GBT_BY_CAR, 0},
	    /* A fault beats the state of charge, and a person. */
	    {"010100F0", "0400F0F0", "car_insulation", GBT_BY_CAR, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gbt *g = new_decoder();
		const struct gbt_reason *r;

		charging(g, 0, 500);
		assert_null(gbt_stop(g));
		if (cases[i].bst)
			send_frame(g, 600, 0x101956F4, cases[i].bst);
		if (cases[i].cst)
			send_frame(g, 620, 0x101AF456, cases[i].cst);
		r = gbt_stop(g);
		assert_non_null(r);
		if (strcmp(r->code, cases[i].code) != 0)
			fail_msg("%s %s: %s, not %s", cases[i].bst, cases[i].cst, r->code, cases[i].code);
		assert_int_equal(r->by, cases[i].by);
		assert_int_equal(r->fault, cases[i].fault);
		assert_text(g, "stop.reason", r->en);
		gbt_free(g);
	}
}

/* Codes are stable names, texts fit into a value, both languages are there. */
static void test_words(void **state)
{
	int count;
	const struct gbt_reason *r = gbt_reasons(&count);

	(void)state;
	assert_true(count > 40);
	for (int i = 0; i < count; i++) {
		assert_true(r[i].en[0] && strlen(r[i].en) < DEVICE_TEXT_MAX);
		assert_true((r[i].zh[0] & 0x80) || strstr(r[i].zh, "B") || strstr(r[i].zh, "S"));
		assert_int_equal(strspn(r[i].code, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(r[i].code));
		assert_true(strlen(r[i].code) < 32);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(r[i].code, r[k].code);
	}
}

/* A zero BST while the battery had just said why. */
static void test_reason_by_state(void **state)
{
	struct gbt *g = new_decoder();

	(void)state;
	charging(g, 0, 500);
	send_frame(g, 510, 0x181356F4, "1054024F0B40D0");
	assert_value(g, "BSM.overtemp", 1);
	assert_null(gbt_stop(g));
	send_frame(g, 600, 0x101956F4, "00000000");
	assert_text(g, "stop.code", "battery_overtemp");
	gbt_free(g);
	/* A warning that had gone is no reason. */
	g = new_decoder();
	charging(g, 0, 100);
	send_frame(g, 110, 0x181356F4, "1054024F0B40D0");
	charging(g, 200, 500);
	send_frame(g, 600, 0x101956F4, "00000000");
	assert_text(g, "stop.code", "none_car");
	gbt_free(g);
}

/* chargers.md 2.5: each who waits in vain is told once, as of the moment when it was due. */
static void test_waits(void **state)
{
	static const struct {
		const char *code;
		int64_t limit_ms;
		struct {
			uint32_t id;
			const char *data;
		} frames[4];
	} cases[] = {
	    {"CRM", 30000, {{0x1826F456, "010100"}}},
	    {"BRM", 5000, {{0x1801F456, "002A534841FFFFFF"}}},
	    {"BCP", 5000, {{0x1801F456, "002A534841FFFFFF"}, {0x1801F456, "AA2A534841FFFFFF"}}},
	    {"BRO", 5000, {{0x1808F456, "4C1DD007DC05A00F"}}},
	    {"BRO_ready", 60000, {{0x100956F4, "00"}}},
	    {"CRO", 5000, {{0x100956F4, "AA"}}},
	    {"CRO_ready", 60000, {{0x100956F4, "AA"}, {0x100AF456, "00"}}},
	    {"BCL_first", 5000, {{0x100956F4, "AA"}, {0x100AF456, "AA"}}},
	    {"BST", 5000, {{0x101AF456, "0400F0F0"}}},
	    {"CST", 5000, {{0x101956F4, "010000F0"}}},
	    {"BSD", 10000, {{0x101956F4, "010000F0"}, {0x101AF456, "0400F0F0"}, {0x181DF456, "0200250077000000"}}},
	    {"CSD", 10000, {{0x101956F4, "010000F0"}, {0x101AF456, "0400F0F0"}, {0x181C56F4, "2D520157014F55"}}},
	    {"CRM_again", 30000, {{0x081FF456, "FCF0C4FC"}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gbt *g = new_decoder();
		int found = 0;

		for (int k = 0; k < 4 && cases[i].frames[k].id; k++)
			send_frame(g, 100, cases[i].frames[k].id, cases[i].frames[k].data);
		/* The last of them goes on, so that the bus is not silent. */
		for (int64_t ms = 350; ms < cases[i].limit_ms + 2000; ms += 250)
			for (int k = 0; k < 4 && cases[i].frames[k].id; k++) {
				if (cases[i].frames[k].id == 0x1801F456 && k == 0 && cases[i].frames[1].id)
					continue;
				if (ms <= cases[i].limit_ms + 100 && count_told(GBT_WAITED, cases[i].code))
					fail_msg("%s: too early", cases[i].code);
				send_frame(g, ms, cases[i].frames[k].id, cases[i].frames[k].data);
			}
		for (int k = 0; k < told_count; k++)
			if (told[k].what == GBT_WAITED && !strcmp(told[k].wait->code, cases[i].code)) {
				found++;
				assert_int_equal(told[k].mono_us, START_US + (100 + cases[i].limit_ms) * 1000);
			}
		if (found != 1)
			fail_msg("%s: told %d times", cases[i].code, found);
		gbt_free(g);
	}
}

static void test_waits_while_charging(void **state)
{
	struct gbt *g = new_decoder();

	(void)state;
	charging(g, 0, 1000);
	assert_int_equal(count_told(GBT_WAITED, NULL), 0);
	/* Everything goes on but BCS, and then CCS too. */
	for (int64_t ms = 1000; ms < 8000; ms += 50) {
		send_frame(g, ms, 0x181056F4, "0C17F00A02");
		if (ms < 6500)
			send_frame(g, ms + 10, 0x1812F456, "EA15F50A0100FD");
	}
	assert_int_equal(count_told(GBT_WAITED, "BCS"), 1);
	assert_int_equal(count_told(GBT_WAITED, "CCS"), 1);
	assert_int_equal(count_told(GBT_WAITED, "BCL"), 0);
	/* A pause may last ten minutes: SPN 3090 to 3096 all zero. */
	for (int64_t ms = 8000; ms < 8000 + 602000; ms += 250) {
		charging(g, ms, ms + 1);
		send_frame(g, ms + 30, 0x181356F4, "1054024F0B0000");
		if (ms == 9000) {
			assert_value(g, "BSM.pause", 1);
			assert_value(g, "BSM.allowed", 0);
		}
	}
	assert_int_equal(count_told(GBT_WAITED, "pause"), 0); /* BSM said otherwise in between */
	for (int64_t ms = 700000; ms < 700000 + 602000; ms += 250) {
		send_frame(g, ms, 0x181056F4, "0C17F00A02");
		send_frame(g, ms + 10, 0x1812F456, "EA15F50A0100FC");
		send_bcs(g, ms + 20, 44);
		send_frame(g, ms + 30, 0x181356F4, "1054024F0B0000");
	}
	assert_int_equal(count_told(GBT_WAITED, "pause"), 1);
	gbt_free(g);
}

/* The current must have gone 10 s after the stop. */
/* Whoever looks seldom hears of waits and of long messages in the order in which they fell due. Found by fuzz_gbt. */
static void test_told_in_order(void **state)
{
	struct gbt *g = new_decoder();
	int before, transports = 0;

	(void)state;
	charging(g, 0, 1000);
	/* BCS begins, and does not come. */
	send_frame(g, 1000, 0x1CEC56F4, "10090002FF001100");
	before = told_count;
	gbt_tick(g, START_US + 8000000);
	assert_true(told_count >= before + 4);
	for (int i = before; i < told_count; i++) {
		transports += told[i].what == GBT_TRANSPORT;
		assert_true(i == before || told[i].mono_us >= told[i - 1].mono_us);
	}
	assert_int_equal(transports, 1);
	assert_int_equal(told[before].what, GBT_WAITED);
	gbt_free(g);
}

static void test_current_after_stop(void **state)
{
	struct gbt *g = new_decoder();

	(void)state;
	charging(g, 0, 500);
	for (int64_t ms = 600; ms < 4000; ms += 10)
		send_frame(g, ms, 0x101AF456, "0400F0F0");
	for (int64_t ms = 4000; ms < 14000; ms += 100) {
		send_frame(g, ms, 0x101AF456, "0400F0F0");
		send_frame(g, ms + 10, 0x1812F456, ms < 12000 ? "EA15F50A0100FD" : "EA15A00F0100FD");
	}
	assert_int_equal(count_told(GBT_WAITED, "current"), 1);
	gbt_free(g);
}

/* The car is pulled off, or the power fails: no stop, and no reason invented. */
static void test_silence(void **state)
{
	struct gbt *g = new_decoder();
	struct gbt_stats s;
	int ended = 0;

	(void)state;
	charging(g, 0, 1000);
	gbt_tick(g, START_US + 14000000);
	assert_value(g, "phase", GBT_CHARGING);
	gbt_tick(g, START_US + 17000000);
	assert_value(g, "phase", GBT_IDLE);
	assert_text(g, "stop.code", "silence");
	assert_unknown(g, "stop.by");
	gbt_get_stats(g, &s);
	assert_int_equal(s.cut, 1);
	for (int i = 0; i < told_count; i++)
		if (told[i].what == GBT_PHASE && told[i].phase == GBT_ENDED) {
			ended++;
			assert_string_equal(told[i].stop, "silence");
		}
	assert_int_equal(ended, 1);
	gbt_free(g);
}

/* Another car's handshake in the middle of a charge: two sessions, and the first one is told as ended. */
static void test_replaced(void **state)
{
	struct gbt *g = new_decoder();
	int ended = 0;

	(void)state;
	send_brm(g, 0, 49, 1, "LFCT0000000000001");
	charging(g, 100, 1000);
	assert_text(g, "BRM.vin", "LFCT0000000000001");
	send_frame(g, 1100, 0x1826F456, "010100");
	assert_value(g, "session.count", 2);
	assert_value(g, "phase", GBT_HANDSHAKE);
	assert_unknown(g, "BRM.vin");
	assert_unknown(g, "stop.code");
	for (int i = 0; i < told_count; i++)
		if (told[i].what == GBT_PHASE && told[i].phase == GBT_ENDED) {
			ended++;
			assert_string_equal(told[i].stop, "replaced");
		}
	assert_int_equal(ended, 1);
	gbt_free(g);
}

/* Stragglers do not bring a charge back, a charge that goes on does. */
static void test_resumed(void **state)
{
	struct gbt *g = new_decoder();
	struct gbt_stats s;

	(void)state;
	charging(g, 0, 500);
	send_frame(g, 600, 0x101AF456, "0400F0F0");
	charging(g, 650, 5400);
	assert_value(g, "phase", GBT_STOPPING);
	charging(g, 5700, 6000);
	assert_value(g, "phase", GBT_CHARGING);
	assert_unknown(g, "stop.code");
	gbt_get_stats(g, &s);
	assert_int_equal(s.resumed, 1);
	/* The next stop has its own reason. */
	send_frame(g, 6100, 0x101956F4, "010000F0");
	assert_text(g, "stop.code", "soc_reached");
	gbt_free(g);
}

/* The port went down: nobody is blamed, and nothing old is taken for new. */
static void test_deaf(void **state)
{
	struct gbt *g = new_decoder();
	struct gbt_stats s;

	(void)state;
	send_brm(g, 0, 49, 1, "LFCT0000000000001");
	charging(g, 100, 1000);
	gbt_deaf(g, START_US + 1200000);
	assert_unknown(g, "phase");
	assert_unknown(g, "BRM.vin");
	assert_unknown(g, "stop.code");
	gbt_tick(g, START_US + 60000000);
	gbt_tick(g, START_US + 60500000);
	assert_unknown(g, "phase");
	/* A bus that was listened to for a while, and is silent, is idle. */
	gbt_tick(g, START_US + 63000000);
	assert_value(g, "phase", GBT_IDLE);
	gbt_get_stats(g, &s);
	assert_int_equal(s.cut + s.waited, 0);
	gbt_free(g);
}

static void test_not_ours(void **state)
{
	struct gbt *g = new_decoder();
	struct gbt_stats s;
	struct can_frame c = {
	    .id = 0x181056F4, .extended = 1, .len = 5, .data = {0x0c, 0x17, 0xf0, 0x0a, 2}, .mono_us = START_US};

	(void)state;
	c.extended = 0;
	assert_int_equal(gbt_frame(g, &c), -1);
	c.extended = 1;
	c.remote = 1;
	assert_int_equal(gbt_frame(g, &c), -1);
	c.remote = 0;
	c.error = 1;
	assert_int_equal(gbt_frame(g, &c), -1);
	c.error = 0;
	c.id = 0x1810F4F4;
	(void)gbt_frame(g, &c);
	c.id = 0x18FEF456; /* PDU2: the F4 is no address */
	(void)gbt_frame(g, &c);
	gbt_get_stats(g, &s);
	assert_int_equal(s.foreign, 5);
	send_frame(g, 10, 0x1810F456, "0C17F00A02"); /* BCL, but of the charger */
	send_frame(g, 20, 0x191056F4, "0C17F00A02"); /* another data page */
	send_frame(g, 30, 0x182156F4, "00");         /* DM2 */
	gbt_get_stats(g, &s);
	assert_int_equal(s.misdirected, 1);
	assert_int_equal(s.unknown, 1);
	assert_int_equal(s.unknown_pgn, 0x11000);
	assert_int_equal(s.diagnostics, 1);
	assert_value(g, "session.count", 0);
	gbt_free(g);
}

static unsigned seed = 5;

static unsigned random_to(unsigned most)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % (most + 1);
}

static void random_frame(struct can_frame *c, int64_t now_us)
{
	static const uint32_t pgns[] = {0x2600, 0x2700, 0x0100, 0x0200, 0x0600, 0x0700, 0x0800, 0x0900,
					0x0a00, 0x1000, 0x1100, 0x1200, 0x1300, 0x1500, 0x1600, 0x1900,
					0x1a00, 0x1c00, 0x1d00, 0x1e00, 0x1f00, 0x2000, 0x3300};
	int from_car = random_to(1) != 0;
	uint32_t pgn = pgns[random_to(sizeof(pgns) / sizeof(pgns[0]) - 1)];

	*c = (struct can_frame){.extended = random_to(50) != 0, .len = (uint8_t)random_to(8), .mono_us = now_us};
	for (int i = 0; i < 8; i++)
		c->data[i] = (uint8_t)(random_to(3) ? random_to(255) : 0xaa * random_to(1));
	if (!random_to(2)) {
		unsigned length = random_to(3) ? random_to(60) : random_to(512);

		from_car = random_to(9) != 0;
		c->len = 8;
		c->data[0] = random_to(9) ? 16 : (uint8_t)random_to(255);
		c->data[1] = (uint8_t)length;
		c->data[2] = (uint8_t)(length >> 8);
		c->data[3] = (uint8_t)((length + 6) / 7);
		c->data[5] = (uint8_t)pgn;
		c->data[6] = (uint8_t)(pgn >> 8);
		c->data[7] = 0;
		pgn = 0xec00;
	} else if (!random_to(1)) {
		from_car = 1;
		c->len = random_to(20) ? 8 : c->len;
		c->data[0] = (uint8_t)random_to(9);
		pgn = 0xeb00;
	}
	c->id = from_car ? j1939_id(6, pgn, GBT_CHARGER, GBT_CAR) : j1939_id(6, pgn, GBT_CAR, GBT_CHARGER);
	if (!random_to(30))
		c->id = random_to(0xffff) << 13 ^ random_to(0xffff);
}

static void assert_same(const struct gbt *a, const struct gbt *b)
{
	struct gbt_stats sa, sb;
	int count;
	const struct gbt_signal *s = gbt_signals(&count);

	for (int i = 0; i < count; i++) {
		struct point_value va, vb;

		assert_int_equal(gbt_get(a, i, &va), FC_OK);
		assert_int_equal(gbt_get(b, i, &vb), FC_OK);
		if (memcmp(&va, &vb, sizeof(va)) != 0)
			fail_msg("%s: %lld \"%s\" at %lld, %lld \"%s\" at %lld", s[i].name, (long long)va.milli,
				 va.text, (long long)va.mono_us, (long long)vb.milli, vb.text, (long long)vb.mono_us);
		assert_true(memchr(va.text, 0, sizeof(va.text)) != NULL);
	}
	gbt_get_stats(a, &sa);
	gbt_get_stats(b, &sb);
	assert_memory_equal(&sa, &sb, sizeof(sa));
}

/* Whatever frames come, nothing is left its bounds (address sanitizer), and how often time is told does not matter. */
static void test_any_frames(void **state)
{
	(void)state;
	for (int round = 0; round < 60; round++) {
		struct gbt *a = new_decoder(), *b = gbt_new(NULL, NULL);
		int64_t now = START_US;

		assert_non_null(b);
		gbt_tick(a, now);
		gbt_tick(b, now);
		for (int i = 0; i < 1500; i++) {
			struct can_frame c;
			int64_t then = now;

			now += random_to(30)   ? random_to(60000)
			       : random_to(50) ? random_to(3000000)
					       : random_to(90) * 1000000LL;
			random_frame(&c, now);
			(void)gbt_frame(a, &c);
			for (int k = (int)random_to(3); k > 0 && now > then; k--) {
				then += (int64_t)random_to((unsigned)(now - then));
				gbt_tick(b, then);
			}
			(void)gbt_frame(b, &c);
			if (i % 50 == 0)
				assert_same(a, b);
		}
		gbt_tick(a, now + 100000000);
		for (int64_t t = now; t <= now + 100000000; t += 300000)
			gbt_tick(b, t);
		gbt_tick(b, now + 100000000);
		assert_same(a, b);
		gbt_free(a);
		gbt_free(b);
	}
}

/* The committed sessions with frames lost, doubled and swapped: still no crash, and never a wrong vehicle number. */
static void test_damaged_sessions(void **state)
{
	static const char *const names[] = {"2015", "2011", "faults"};
	int known = 0, unknown = 0;

	(void)state;
	for (int round = 0; round < 120; round++) {
		struct gbt *g = new_decoder();
		char vin[GBT_VIN_SIZE];

		load(names[round % 3]);
		for (int i = 0; i < frame_count; i++) {
			unsigned fate = random_to(19);
			struct can_frame c = frames[i];

			if (fate == 0)
				continue;
			if (fate == 1 && i + 1 < frame_count) {
				c.id = frames[i + 1].id;
				c.len = frames[i + 1].len;
				memcpy(c.data, frames[i + 1].data, sizeof(c.data));
			}
			(void)gbt_frame(g, &c);
			if (fate == 2)
				(void)gbt_frame(g, &c);
			if (!gbt_vin(g, vin)) {
				unknown++;
				continue;
			}
			known++;
			if (strcmp(vin, "LFCT0000000000123") != 0 && strcmp(vin, "L0LD0000000000456") != 0 &&
			    strcmp(vin, "LFCT0000000000777") != 0)
				fail_msg("vehicle number %s", vin);
		}
		gbt_free(g);
	}
	assert_true(known > 1000 && unknown > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_editions),
	    cmocka_unit_test(test_editions_by_length),
	    cmocka_unit_test(test_short_end),
	    cmocka_unit_test(test_vin),
	    cmocka_unit_test(test_all_ones),
	    cmocka_unit_test(test_out_of_meaning),
	    cmocka_unit_test(test_reasons),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_reason_by_state),
	    cmocka_unit_test(test_waits),
	    cmocka_unit_test(test_waits_while_charging),
	    cmocka_unit_test(test_told_in_order),
	    cmocka_unit_test(test_current_after_stop),
	    cmocka_unit_test(test_silence),
	    cmocka_unit_test(test_replaced),
	    cmocka_unit_test(test_resumed),
	    cmocka_unit_test(test_deaf),
	    cmocka_unit_test(test_not_ours),
	    cmocka_unit_test(test_any_frames),
	    cmocka_unit_test(test_damaged_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
