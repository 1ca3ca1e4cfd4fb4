/* device/gbt27930: whole sessions of both editions, field by field, against values written here by hand. */
#include "gbt_fixture.h"

/* What was fed of the session that is loaded. */
static int fed;

/* Feeds what comes before that time; places the next call behind it. */
static void feed_until(struct gbt *g, int64_t ms)
{
	for (; fed < frame_count && frames[fed].mono_us < START_US + ms * 1000; fed++)
		gbt_frame(g, &frames[fed]);
}

static void feed_all(struct gbt *g)
{
	feed_until(g, INT64_MAX / 2000);
}

/* What both sessions say alike. */
static void check_battery(const struct gbt *g)
{
	assert_value(g, "BRM.battery_type", 3);
	assert_text(g, "BRM.battery", "lithium iron phosphate");
	assert_value(g, "BRM.capacity", 150.0);
	assert_value(g, "BRM.voltage", 537.6);
	assert_text(g, "BRM.maker", "FORE");
	assert_value(g, "BRM.serial", 20210987);
	assert_text(g, "BRM.made", "2021-06-15");
	assert_value(g, "BRM.charges", 412);
	assert_value(g, "BRM.owned", 1);
	assert_value(g, "BCP.cell_voltage_limit", 3.65);
	assert_value(g, "BCP.current_limit", 180.0);
	assert_value(g, "BCP.energy", 80.6);
	assert_value(g, "BCP.voltage_limit", 613.2);
	assert_value(g, "BCP.temp_limit", 55);
	assert_value(g, "BCP.soc", 43.2);
	assert_value(g, "BCP.voltage", 551.0);
	assert_value(g, "BSM.cell_max", 17);
	assert_value(g, "BSM.temp_max", 34);
	assert_value(g, "BSM.temp_max_sensor", 3);
	assert_value(g, "BSM.temp_min", 29);
	assert_value(g, "BSM.temp_min_sensor", 12);
	assert_value(g, "BSM.cell_voltage_state", 0);
	assert_value(g, "BSM.soc_state", 0);
	assert_value(g, "BSM.overcurrent", 0);
	assert_value(g, "BSM.overtemp", 0);
	assert_value(g, "BSM.insulation", 0);
	assert_value(g, "BSM.connector", 0);
	assert_value(g, "BSM.allowed", 1);
	assert_value(g, "BSM.pause", 0);
}

static void check_set_up_2015(const struct gbt *g)
{
	char vin[GBT_VIN_SIZE];

	assert_text(g, "CHM.version", "1.1");
	assert_value(g, "BHM.voltage_limit", 750.0);
	assert_value(g, "CRM.identified", 1);
	assert_value(g, "CRM.charger_number", 1193046);
	assert_text(g, "CRM.region", "BJ1");
	assert_text(g, "BRM.version", "1.1");
	assert_text(g, "BRM.vin", "LFCT0000000000123");
	assert_true(gbt_vin(g, vin));
	assert_string_equal(vin, "LFCT0000000000123");
	assert_text(g, "BRM.software", "7 2021-05-01");
	assert_text(g, "CTS.time", "2024-03-05 14:07:09");
	assert_value(g, "CML.voltage_max", 750.0);
	assert_value(g, "CML.voltage_min", 200.0);
	assert_value(g, "CML.current_max", 250.0);
	assert_value(g, "CML.current_min", 1.0);
	assert_value(g, "BRO.ready", 1);
	assert_value(g, "CRO.ready", 1);
}

static void check_charge_2015(const struct gbt *g)
{
	int64_t milli;

	assert_value(g, "phase", GBT_CHARGING);
	assert_text(g, "phase.name", "charging");
	assert_value(g, "BCL.voltage", 590.0);
	assert_value(g, "BCL.current", 120.0);
	assert_value(g, "BCL.mode", 2);
	assert_value(g, "BCS.voltage", 560.5);
	assert_value(g, "BCS.current", 118.9);
	assert_value(g, "BCS.cell_voltage_max", 3.42);
	assert_value(g, "BCS.cell_group", 5);
	assert_value(g, "BCS.soc", 44);
	assert_value(g, "BCS.minutes_left", 73);
	assert_value(g, "CCS.voltage", 561.0);
	assert_value(g, "CCS.current", 119.5);
	assert_value(g, "CCS.power", 67039.5);
	assert_value(g, "CCS.minutes", 1);
	assert_value(g, "CCS.allowed", 1);
	assert_value(g, "BMV.cells", 20);
	assert_value(g, "BMV.lowest", 3.30);
	assert_value(g, "BMV.highest", 3.49);
	assert_int_equal(gbt_cell(g, 7, &milli), FC_OK);
	assert_int_equal(milli, 3370);
	assert_int_equal(gbt_cell(g, 20, &milli), FC_ENOENT);
	assert_value(g, "BMT.sensors", 10);
	assert_value(g, "BMT.lowest", 29);
	assert_value(g, "BMT.highest", 34);
	assert_int_equal(gbt_temperature(g, 3, &milli), FC_OK);
	assert_int_equal(milli, 34000);
	assert_unknown(g, "stop.code");
	assert_unknown(g, "BST.soc_reached");
	assert_unknown(g, "CSD.energy");
	assert_unknown(g, "error.code");
}

static void test_session_2015(void **state)
{
	struct gbt *g = new_decoder();
	struct gbt_stats s;

	(void)state;
	fed = 0;
	load("2015");
	assert_unknown(g, "phase");
	assert_unknown(g, "edition");
	feed_until(g, 10);
	assert_value(g, "phase", GBT_HANDSHAKE);
	assert_value(g, "edition", 2015);
	feed_until(g, 2010);
	assert_value(g, "phase", GBT_IDENTIFICATION);
	assert_value(g, "CRM.identified", 0);
	assert_unknown(g, "BRM.vin");
	feed_until(g, 6250);
	assert_value(g, "phase", GBT_CONFIGURATION);
	check_set_up_2015(g);
	feed_until(g, 9990);
	check_set_up_2015(g);
	check_battery(g);
	check_charge_2015(g);
	/* A straggling BCL and BSM do not bring the charge back. */
	feed_until(g, 10100);
	assert_value(g, "phase", GBT_STOPPING);
	feed_all(g);
	assert_value(g, "phase", GBT_ENDED);
	assert_text(g, "stop.code", "manual");
	assert_text(g, "stop.reason", "stopped by a person at the charger");
	assert_text(g, "stop.by", "person");
	assert_value(g, "stop.fault", 0);
	assert_value(g, "CST.manual", 1);
	assert_value(g, "CST.condition_reached", 0);
	assert_value(g, "CST.emergency", 0);
	assert_value(g, "BST.charger_stopped", 1);
	assert_value(g, "BST.soc_reached", 0);
	assert_value(g, "BSD.soc", 45);
	assert_value(g, "BSD.cell_voltage_min", 3.38);
	assert_value(g, "BSD.cell_voltage_max", 3.43);
	assert_value(g, "BSD.temp_min", 29);
	assert_value(g, "BSD.temp_max", 35);
	assert_value(g, "CSD.minutes", 2);
	assert_value(g, "CSD.energy", 3.7);
	assert_value(g, "CSD.charger_number", 1193046);
	gbt_get_stats(g, &s);
	assert_int_equal(s.frames, frame_count);
	assert_int_equal(s.foreign, 0);
	assert_int_equal(s.unknown + s.malformed + s.misdirected, 0);
	assert_int_equal(s.sessions, 1);
	assert_int_equal(s.joined + s.restarts + s.cut + s.resumed + s.waited, 0);
	/* BRM, BCP, ten BCS, BMV, BMT, BSP */
	assert_int_equal(s.transport.whole, 15);
	assert_int_equal(s.transport.broken + s.transport.aborted + s.transport.timed_out + s.transport.restarted, 0);
	gbt_free(g);
}

static void test_session_2011(void **state)
{
	struct gbt *g = new_decoder();
	struct gbt_stats s;

	(void)state;
	fed = 0;
	load("2011");
	feed_until(g, 10);
	/* A CRM alone: it may be either, as we may have missed the CHM. */
	assert_unknown(g, "edition");
	assert_unknown(g, "CRM.charger_number");
	/* The RTS of a BRM of 41 bytes decides. */
	feed_until(g, 21);
	assert_value(g, "edition", 2011);
	assert_value(g, "CRM.charger_number", 42);
	assert_text(g, "CRM.region", "SHA");
	feed_until(g, 6990);
	check_battery(g);
	assert_unknown(g, "CHM.version");
	assert_unknown(g, "BHM.voltage_limit");
	assert_text(g, "BRM.version", "1.0");
	assert_text(g, "BRM.vin", "L0LD0000000000456");
	assert_unknown(g, "BRM.software");
	assert_unknown(g, "CTS.time"); /* all ones: the clock is not set */
	assert_value(g, "CML.voltage_max", 500.0);
	assert_value(g, "CML.voltage_min", 200.0);
	assert_value(g, "CML.current_max", 125.0);
	assert_unknown(g, "CML.current_min");
	assert_value(g, "BCL.voltage", 420.0);
	assert_value(g, "BCL.current", 80.0);
	assert_value(g, "BCL.mode", 1);
	assert_value(g, "BCS.voltage", 401.0);
	assert_value(g, "BCS.current", 79.0);
	assert_value(g, "BCS.cell_voltage_max", 4.11);
	assert_unknown(g, "BCS.cell_group"); /* all ones */
	assert_value(g, "BCS.soc", 99);
	assert_value(g, "BCS.minutes_left", 0);
	assert_value(g, "CCS.voltage", 401.5);
	assert_value(g, "CCS.current", 79.5);
	assert_value(g, "CCS.minutes", 121);
	assert_unknown(g, "CCS.allowed");
	assert_unknown(g, "BMV.cells");
	feed_all(g);
	assert_value(g, "phase", GBT_ENDED);
	assert_text(g, "stop.code", "soc_reached");
	assert_text(g, "stop.by", "car");
	assert_value(g, "stop.fault", 0);
	assert_value(g, "CST.bms_stopped", 1);
	assert_value(g, "BSD.soc", 100);
	assert_value(g, "CSD.minutes", 122);
	assert_value(g, "CSD.energy", 21.4);
	assert_value(g, "CSD.charger_number", 42);
	gbt_get_stats(g, &s);
	assert_int_equal(s.sessions, 1);
	assert_int_equal(s.foreign + s.unknown + s.malformed + s.misdirected + s.waited + s.restarts, 0);
	assert_int_equal(s.transport.whole, 11);
	gbt_free(g);
}

/* The car goes: nothing of it is left, and the next is another session. */
static void test_silence_forgets(void **state)
{
	struct gbt *g = new_decoder();
	char vin[GBT_VIN_SIZE];

	(void)state;
	fed = 0;
	load("2015");
	feed_all(g);
	gbt_tick(g, START_US + 60000000);
	assert_value(g, "phase", GBT_IDLE);
	assert_unknown(g, "BRM.vin");
	assert_false(gbt_vin(g, vin));
	assert_string_equal(vin, "");
	assert_unknown(g, "BCS.soc");
	assert_unknown(g, "CCS.power");
	assert_text(g, "stop.code", "manual");
	assert_value(g, "CSD.energy", 3.7);
	/* After a silence that we heard, a CRM first is the 2011 edition's beginning. */
	send_frame(g, 70000, 0x1801F456, "002A534841FFFFFF");
	assert_value(g, "edition", 2011);
	assert_value(g, "CRM.charger_number", 42);
	assert_value(g, "session.count", 2);
	assert_unknown(g, "stop.code");
	assert_unknown(g, "CSD.energy");
	gbt_free(g);
}

/* The gateway starts in the middle of a charge, at every frame of it. */
static void test_joined_in_the_middle(void **state)
{
	(void)state;
	fed = 0;
	load("2015");
	for (int from = 100; from < frame_count - 20; from += 3) {
		struct gbt *g = new_decoder();
		struct gbt_stats s;

		if (frames[from].mono_us < START_US + 6600000) {
			gbt_free(g);
			continue;
		}
		for (int i = from; i < frame_count; i++) {
			gbt_frame(g, &frames[i]);
			if (i == from + 25 && frames[i].mono_us < START_US + 9900000) {
				assert_value(g, "phase", GBT_CHARGING);
				assert_value(g, "BCL.current", 120.0);
				assert_value(g, "CCS.voltage", 561.0);
				assert_unknown(g, "BRM.vin");
				assert_unknown(g, "CRM.charger_number");
				/* A CCS of 7 bytes. */
				assert_value(g, "edition", 2015);
			}
		}
		assert_value(g, "phase", GBT_ENDED);
		assert_value(g, "CSD.energy", 3.7);
		assert_value(g, "CSD.charger_number", 1193046);
		gbt_get_stats(g, &s);
		assert_int_equal(s.sessions, 1);
		assert_int_equal(s.joined, 1);
		gbt_free(g);
	}
}

static void test_faults_begin(struct gbt *g)
{
	/* RTS that nobody answers, three times, given up by the car with the reason 255, though CRM says 0xAA. */
	feed_until(g, 4900);
	assert_value(g, "CRM.identified", 1);
	assert_unknown(g, "BRM.vin");
	assert_int_equal(count_told(GBT_TRANSPORT, NULL), 3);
	for (int i = 0; i < told_count; i++)
		if (told[i].what == GBT_TRANSPORT) {
			assert_int_equal(told[i].transport, J1939_ABORTED);
			assert_int_equal(told[i].reason, 255);
			assert_false(told[i].answered);
		}
	feed_until(g, 5500);
	assert_value(g, "phase", GBT_ERROR);
	assert_text(g, "error.code", "no_cts_cml");
	assert_text(g, "stop.code", "no_cts_cml");
	assert_value(g, "BEM.no_cts_cml", 1);
	assert_value(g, "BEM.no_cro", 0);
	assert_value(g, "stop.fault", 1);
	/* The retry: a packet is lost, then begun anew, then whole without a single acknowledgement. */
	feed_until(g, 6600);
	assert_value(g, "phase", GBT_IDENTIFICATION);
	assert_value(g, "session.restarts", 1);
	assert_unknown(g, "BRM.vin");
	feed_until(g, 7100);
	assert_text(g, "BRM.vin", "LFCT0000000000777");
	assert_unknown(g, "BRM.software");
	feed_until(g, 7950);
	assert_unknown(g, "CTS.time"); /* all ones */
	feed_until(g, 8430);
	assert_unknown(g, "CTS.time"); /* 1A is no BCD */
	assert_value(g, "CML.current_max", 50.0);
	assert_value(g, "CML.current_min", 280.0);
	assert_value(g, "BRO.ready", 1);
	assert_value(g, "CRO.ready", 0);
}

static void test_session_faults(void **state)
{
	struct gbt *g = new_decoder();
	struct gbt_stats s;
	int64_t held_us;

	(void)state;
	fed = 0;
	load("faults");
	test_faults_begin(g);
	/* The charge begins at 8920 ms. */
	feed_until(g, 9100);
	assert_value(g, "phase", GBT_CHARGING);
	assert_unknown(g, "stop.code");
	assert_value(g, "BSM.connector", 0);
	held_us = value_of(g, "BSM.connector").mono_us;
	feed_until(g, 9250);
	/* 10 leaves in force what was said before, and as old as it is. */
	assert_value(g, "BSM.insulation", 0);
	assert_value(g, "BSM.connector", 0);
	assert_int_equal(value_of(g, "BSM.connector").mono_us, held_us);
	assert_int_equal(value_of(g, "BSM.temp_max").mono_us, held_us + 250000);
	assert_value(g, "BCS.soc", 44);
	/* 600 minutes and more. */
	assert_value(g, "BCS.minutes_left", 600);
	/* A BCS that the charger refused, and one after it. */
	feed_until(g, 9800);
	assert_value(g, "BCS.soc", 46);
	assert_value(g, "CCS.voltage", 561.0); /* the one of two bytes changed nothing */
	assert_int_equal(count_told(GBT_WAITED, "BCL"), 0);
	/* BCL 1.4 s late: told once, as of the moment when it was due, and the charge goes on. */
	feed_until(g, 11500);
	assert_int_equal(count_told(GBT_WAITED, "BCL"), 1);
	assert_text(g, "wait.code", "BCL");
	assert_text(g, "wait.reason", "the charger waited for a demand (BCL)");
	assert_value(g, "phase", GBT_CHARGING);
	assert_int_equal(value_of(g, "wait.code").mono_us, START_US + (8920 + 950 + 1000) * 1000);
	/* CEM, and a new attempt without the car being gone. */
	feed_until(g, 13950);
	assert_value(g, "phase", GBT_ERROR);
	assert_text(g, "error.code", "no_bcl");
	assert_text(g, "stop.code", "no_bcl");
	assert_text(g, "stop.by", "charger");
	feed_until(g, 15200);
	assert_value(g, "session.restarts", 2);
	assert_value(g, "session.count", 1);
	assert_value(g, "phase", GBT_CHARGING);
	assert_unknown(g, "stop.code");
	assert_text(g, "error.code", "no_bcl");
	/* The end: zero BST, BCL and BSM and an RTS behind it. */
	feed_all(g);
	assert_value(g, "phase", GBT_ENDED);
	assert_text(g, "stop.code", "none_car");
	assert_text(g, "stop.by", "car");
	assert_value(g, "BSD.soc", 50);
	assert_value(g, "CSD.energy", 1.2);
	assert_value(g, "CSD.charger_number", 77);
	gbt_get_stats(g, &s);
	assert_int_equal(s.foreign, 56);
	assert_int_equal(s.unknown, 1);
	assert_int_equal(s.unknown_pgn, 0x3000);
	assert_int_equal(s.diagnostics, 1);
	assert_int_equal(s.malformed, 1);
	assert_int_equal(s.sessions, 1);
	assert_int_equal(s.restarts, 2);
	assert_int_equal(s.transport.aborted, 4);
	assert_int_equal(s.transport.broken, 1);
	assert_int_equal(s.transport.restarted, 1);
	assert_int_equal(s.transport.duplicates, 1);
	assert_int_equal(s.transport.orphans, 1);
	/* The late BCL was all that anybody waited for in vain: each failed attempt was given up before. */
	assert_int_equal(s.waited, 1);
	gbt_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_2015),    cmocka_unit_test(test_session_2011),
	    cmocka_unit_test(test_silence_forgets), cmocka_unit_test(test_joined_in_the_middle),
	    cmocka_unit_test(test_session_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
