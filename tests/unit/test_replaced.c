/* device/ and station/ over a reload of the profiles that makes other devices of the same sections: whoever looks by way of the station
 * finds them. Under ASan a pointer to what was freed shows. */
#include "device_fixture.h"

#include "config/config.h"
#include "station/point.h"
#include "station/station.h"

#define METER(connectors, more)                                                                                       \
	"points = { energy = { address = 40, type = 'u32', unit = 'Wh' }, state = { address = 0, type = 'u16' }" more \
	" }, status = { point = 'state', map = { [0] = 1 } }, connectors = { count = " connectors ", stride = 100 }"

static const char heard[] =
    "listen = 'gbt27930', points = { soc = { signal = 'BCS.soc' }, phase = { signal = 'phase.name' } }, "
    "status = { point = 'phase', map = { idle = 1 } }";
static const char asked[] = "can = { messages = { a = { id = 5, period_ms = 100 } } }, "
			    "points = { soc = { message = 'a', type = 'u8', byte = 0 } }, "
			    "status = { point = 'soc', map = { [0] = 1 } }";

static const char text[] =
    "config gateway 'gateway'\n option operator_id '123456789'\n"
    "config bus 'bus_a'\n option kind 'tcp'\n option host '127.0.0.1'\n option port '%d'\n"
    "config bus 'bus_b'\n option kind 'tcp'\n option host '127.0.0.1'\n option port '%d'\n"
    "config bus 'can'\n option kind 'can'\n option device 'datagram:%s/own,%s/peer'\n"
    "config station 's1'\n option station_id '1'\n option station_name 'S'\n option area_code "
    "'441322'\n option address 'A'\n option service_tel '1'\n option station_lng '114.1'\n option station_lat '22.5'\n"
    "config charger 'a'\n option station 's1'\n option bus 'bus_a'\n option profile 'one'\n option "
    "equipment_id 'E1'\n"
    "config device 'm'\n option bus 'bus_b'\n option profile 'two'\n option poll_ms '100'\n"
    "config device 'car'\n option bus 'can'\n option profile 'heard'\n"
    "config connector 'k1'\n option charger 'a'\n option connector_id 'K1'\n option power_w '60000'\n"
    " option meter 'm'\n option bms 'car'\n";

struct world {
	struct fixture *f;
	struct station_set *stations;
	struct config *config;
};

static struct config *read_config(const struct fixture *f)
{
	char path[96];
	struct error err = {0};

	(void)snprintf(path, sizeof(path), "%s/config", f->folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, text, f->servers[0].port, f->servers[1].port, f->folder, f->folder) > 0);
	assert_int_equal(fclose(file), 0);
	struct config *c = config_read(path, stderr, &err);
	if (!c)
		fail_msg("%s", err.text);
	return c;
}

static void begin(struct world *w, struct fixture *f)
{
	struct error err = {0};

	*w = (struct world){f, station_set_new(f->loop, NULL, &err), NULL};
	assert_non_null(w->stations);
	device_set_free(f->set);
	f->set = device_set_new(f->loop, f->bus, &f->host, station_set_device_changed, w->stations, &err);
	assert_non_null(f->set);
	device_set_on_replaced(f->set, station_set_devices_replaced);
	w->config = read_config(f);
	if (device_set_apply(f->set, w->config, &err) || station_set_apply(w->stations, w->config, f->set, &err))
		fail_msg("%s", err.text);
}

static void end(struct world *w)
{
	station_set_free(w->stations);
	device_set_free(w->f->set);
	w->f->set = device_set_new(w->f->loop, w->f->bus, &w->f->host, told, w->f, NULL);
	config_free(w->config);
}

static void reload(struct world *w)
{
	struct error err = {0};

	if (device_set_reload_profiles(w->f->set, &err))
		fail_msg("%s", err.text);
}

static int64_t energy_of(const struct connector *c)
{
	struct point_value v;

	return !connector_point(c, "energy", &v) && v.quality == QUALITY_GOOD ? v.milli / 1000 : -1;
}

static void a_profile_makes_another_device_of_the_meter(void **state)
{
	struct fixture *f = *state;
	struct world w;

	write_profile(f, "two", METER("1", ""));
	write_profile(f, "heard", heard);
	begin(&w, f);
	const struct connector *c = station_connector_find(w.stations, "K1");
	atomic_store(&f->servers[1].registers[41], 500);
	UNTIL(f, energy_of(c) == 500 && c->status == CONNECTOR_IDLE);
	/* More connectors: all that a device has are asked, and the device of before is no more. */
	write_profile(f, "two", METER("2", ", more = { address = 2, type = 'u16' }"));
	reload(&w);
	assert_ptr_equal(c->meter.device, device_find(f->set, "m"));
	assert_int_equal(c->status, CONNECTOR_IDLE);
	atomic_store(&f->servers[1].registers[41], 700);
	UNTIL(f, energy_of(c) == 700);
	end(&w);
}

static void a_listener_that_asks_from_now_on(void **state)
{
	struct fixture *f = *state;
	struct world w;

	write_profile(f, "two", METER("1", ""));
	write_profile(f, "heard", heard);
	begin(&w, f);
	const struct connector *c = station_connector_find(w.stations, "K1");
	UNTIL(f, c->status == CONNECTOR_IDLE);
	const char *const bodies[] = {asked, heard};
	for (int i = 0; i < 2; i++) {
		struct point_value v;

		/* The line is opened anew: it listens only, or it does not. */
		write_profile(f, "heard", bodies[i]);
		reload(&w);
		assert_ptr_equal(c->bms.device, device_find(f->set, "car"));
		assert_int_equal(connector_point(c, "soc", &v), FC_OK);
		atomic_store(&f->servers[0].registers[0], (unsigned)(1 - i));
		UNTIL(f, c->status == (i ? CONNECTOR_IDLE : CONNECTOR_OCCUPIED));
	}
	end(&w);
}

/* The same section, line and profile, and another meter's number: its readings are another register's. */
static void another_meter_address_is_another_meter(void **state)
{
	struct fixture *f = *state;
	static const uint8_t numbers[2][6] = {{0x78, 0x56, 0x34, 0x12}, {0x79, 0x56, 0x34, 0x12}};

	write_profile(f, "two",
		      "dlt645 = {}, points = { energy = { id = 0x00000000, type = 'bcd', bytes = 4, unit = 'kWh' } }");
	for (int i = 0; i < 2; i++) {
		f->config->connector_count = 2;
		f->config->buses[1].framing = CONFIG_FRAMING_DLT645;
		f->config->chargers[1].meter_address = i ? "12345679" : "12345678";
		apply(f);
		assert_memory_equal(device_find(f->set, "b")->meter, numbers[i], 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_profile_makes_another_device_of_the_meter, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_listener_that_asks_from_now_on, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_meter_address_is_another_meter, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
