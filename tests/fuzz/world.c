#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/trace.h"
#include "control/alarms.h"
#include "control/apply.h"
#include "control/command.h"
#include "device/device.h"
#include "fuzz.h"
#include "station/sampler.h"
#include "store/events.h"
#include "world_bus.h"
#include "world_edge.h"

static struct world world;

/* Addresses of the loopback that no other process of this run has: its port is the configuration's. */
#define KEYS(side)                                                                                               \
	" option " side "_operator_secret '" WORLD_SECRET "'\n option " side "_data_secret '" WORLD_SECRET "'\n" \
	" option " side "_data_secret_iv '" WORLD_SECRET "'\n option " side "_sig_secret '" WORLD_SECRET "'\n"
/* Nobody listens there: what is pushed waits. */
#define PLATFORM                                                                                                    \
	" option listen 'public'\n option url 'http://127.0.0.1:1'\n option iserv '1'\n option rate_per_s '1000'\n" \
	" option retry_s '3600'\n" KEYS("our") KEYS("their")

static const char config_text[] =
    "config gateway 'gateway'\n option operator_id '123456789'\n option data_dir '%s/data'\n option lua_dir '%s/lua'\n"
    " option key_dir '%s'\n option control_socket '%s/control.sock'\n option log_level 'error'\n"
    "config admin 'admin'\n option address '127.%d.%d.%d'\n option port '18444'\n option tls '0'\n option www "
    "'%s/www'\n option user 'admin'\n"
    " option password_hash 'pbkdf2-sha256$1000$73616c7473616c74$"
    "135f7a66144fcf0fb003ce048f31f024ed5cbff30525d3ba0bfb3199479362a6'\n"
    "config listen 'public'\n option address '127.%d.%d.%d'\n option port '18443'\n option tls '0'\n"
    "config station 's1'\n option station_id 'S1'\n option station_name 'Station 1'\n option area_code '110105'\n"
    " option address 'address'\n option service_tel '4001'\n option station_lng '116.407400'\n"
    " option station_lat '39.904200'\n option policy 'four-period'\n"
    "config bus 'line1'\n option kind 'tcp'\n option host '127.0.0.1'\n option port '1'\n"
    "config charger 'c1'\n option station 's1'\n option bus 'line1'\n option unit '1'\n"
    " option profile 'forecourt-sim'\n option equipment_id 'E1'\n"
    "config charger 'c2'\n option station 's1'\n option bus 'line1'\n option unit '2'\n"
    " option profile 'forecourt-sim'\n option equipment_id 'E2'\n"
    "config connector 'c1n1'\n option charger 'c1'\n option number '1'\n option connector_id 'C11'\n"
    " option connector_type '4'\n option power_w '60000'\n"
    "config connector 'c1n2'\n option charger 'c1'\n option number '2'\n option connector_id 'C12'\n"
    " option connector_type '4'\n option power_w '60000'\n"
    "config connector 'c2n1'\n option charger 'c2'\n option number '1'\n option connector_id 'C21'\n"
    " option connector_type '3'\n option power_w '7000'\n"
    "config platform 'city'\n option operator_id '987654321'\n"
    " option path '/evcs/v20160701'\n option mapping 'base'\n" PLATFORM
    "config platform 'second'\n option operator_id '987654322'\n"
    " option path '/evcs/v20160701'\n option mapping 'serials'\n" PLATFORM
    "config platform 'bare'\n option operator_id '987654323'\n"
    " option path '/bare'\n option mapping 'bare-status'\n" PLATFORM;

static void run(const char *command, const char *what, const char *where)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "%s '%s' '%s'", command, what, where);
	if (system(line) != 0) /* NOLINT(cert-env33-c): a test's own folder */
		fuzz_failed(line, __FILE__, __LINE__);
}

static void write_file(const char *name, const char *text)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/%s", world.folder, name);
	FILE *file = fopen(path, "w");
	fuzz_check(file && fputs(text, file) >= 0);
	fuzz_check(fclose(file) == 0);
}

static struct config *read_config(void)
{
	char text[8192];
	struct error err = {0};
	int pid = (int)getpid();

	int a = 1 + (pid >> 16) % 254, b = pid >> 8 & 255, c = 1 + (pid & 255) % 254;
	const char *folder = world.folder;
	(void)snprintf(text, sizeof(text), config_text, folder, folder, folder, folder, a, b, c, folder, a, b, c);
	write_file("forecourt", text);
	(void)snprintf(text, sizeof(text), "%s/forecourt", world.folder);
	struct config *config = config_read(text, stderr, &err);
	fuzz_check(config);
	return config;
}

/* What the daemon does in between ------------------------------------------------------------------------------------ */

static void on_bus_result(void *user, const struct bus_result *result)
{
	(void)user;
	device_set_result(world.devices, result);
}

static void on_charge(void *user, const struct charge_event *event)
{
	(void)user;
	if (world.platforms)
		platform_set_charge(world.platforms, event);
}

static int authorise(void *user, const struct charge_wish *wish)
{
	(void)user;
	return world.platforms ? platform_set_authorise(world.platforms, wish) : FC_ENOENT;
}

static int recipients(void *user, const struct order *order, const struct connector *connector,
		      struct journal_recipient *list, int most)
{
	(void)user;
	return world.platforms ? platform_set_recipients(world.platforms, order, connector, list, most) : 0;
}

static const struct config *running(void *user)
{
	(void)user;
	return world.config;
}

static struct config *read_changed(void *user, int *touched, struct error *err)
{
	char path[400];

	(void)user;
	(void)snprintf(path, sizeof(path), "%s/forecourt", world.folder);
	struct config *config = config_read(path, NULL, err);
	*touched = config ? config_compare(world.config, config, NULL, NULL) : 0;
	return config;
}

/* What an input makes of the configuration is never taken over: it would listen, open and write anywhere. */
static int apply_nothing(void *user, const struct config *config, struct error *err)
{
	(void)user, (void)config, (void)err;
	return FC_OK;
}

static void adopt_nothing(void *user, struct config *config, int touched)
{
	(void)user, (void)touched;
	config_free(config);
	control_config_loaded(world.control, "file");
}

static int swap(void *user, struct error *err)
{
	(void)user;
	int result = device_set_reload_profiles(world.devices, err);
	if (!result)
		result = charge_set_apply(world.charges, world.config, err);
	if (!result && platform_set_reload_mappings(world.platforms, err) < 0)
		result = FC_EINVAL;
	return result;
}

static void accepted(void *user, const char *origin)
{
	(void)user, (void)origin;
}

static void reload_lua(void *user, const char *origin, control_reloaded done, void *done_user)
{
	struct world *w = user;

	reload_for_command(&w->commands, origin, done, done_user);
}

static void load_config(void *user, control_loaded done, void *done_user)
{
	struct world *w = user;

	reload_config_for_command(&w->commands, done, done_user);
}

/* Its life ----------------------------------------------------------------------------------------------------------- */

static void make_folder(void)
{
	const char *tmp = getenv("TMPDIR"), *lua = getenv("FORECOURT_LUA");
	char from[512], to[400];

	(void)snprintf(world.folder, sizeof(world.folder), "%s/forecourt-fuzz-XXXXXX", tmp ? tmp : "/tmp");
	fuzz_check(mkdtemp(world.folder));
	(void)snprintf(from, sizeof(from), "%s", lua ? lua : "lua");
	(void)snprintf(to, sizeof(to), "%s/lua", world.folder);
	run("cp -R", from, to);
	(void)snprintf(to, sizeof(to), "%s/www", world.folder);
	fuzz_check(mkdir(to, 0700) == 0);
	write_file("www/index.html", "<!doctype html><title>page</title>\n");
	write_file("www/page-0123abcd.js", "1;\n");
}

static void open_rooms(struct world *w)
{
	struct error err = {0};
	const struct charge_hooks hooks = {on_charge, authorise, recipients, NULL};

	w->config = read_config();
	w->host.lua_dir = w->config->gateway.lua_dir;
	fuzz_check((w->loop = loop_new(&err)));
	const struct reload_hooks reload_hooks = {.running = running,
						  .read = read_changed,
						  .apply = apply_nothing,
						  .adopt = adopt_nothing,
						  .swap = swap,
						  .accepted = accepted};
	fuzz_check((w->reload = reload_new(w->loop, &w->host, &reload_hooks, &err)));
	w->commands.reload = w->reload;
	fuzz_check((w->store = store_open(w->config->gateway.data_dir, &err)));
	fuzz_check((w->stations = station_set_new(w->loop, w->store, &err)));
	fuzz_check((w->sampler = sampler_new(w->loop, w->stations, w->store, &err)));
	services_init(&w->services, w->store, w->stations);
	w->host.services = &w->services.calls;
	fuzz_check((w->bus = bus_new(w->loop, on_bus_result, NULL, &err)));
	fuzz_check(
	    (w->devices = device_set_new(w->loop, w->bus, &w->host, station_set_device_changed, w->stations, &err)));
	device_set_on_replaced(w->devices, station_set_devices_replaced);
	fuzz_check((w->charges = charge_set_new(w->loop, w->store, w->stations, w->devices, &w->host, &hooks, &err)));
	fuzz_check((w->platforms = platform_set_new(w->loop, w->stations, &w->host, &err)));
	platform_set_serve(w->platforms, w->charges, w->store);
	fuzz_check(trace_resize(bus_trace(w->bus), 64) == FC_OK);
	fuzz_check(reload_first(w->reload, w->config, &err) == FC_OK);
	fuzz_check(device_set_apply(w->devices, w->config, &err) == FC_OK);
	fuzz_check(station_set_apply(w->stations, w->config, w->devices, &err) == FC_OK);
	fuzz_check(sampler_apply(w->sampler, w->config, &err) == FC_OK);
	fuzz_check(charge_set_apply(w->charges, w->config, &err) == FC_OK);
	int result = platform_set_apply(w->platforms, w->config, &err);
	if (result)
		fprintf(stderr, "%s\n", err.text);
	fuzz_check(result == FC_OK);
}

static void open_desk(struct world *w)
{
	static char path[400];
	struct error err = {0};
	struct control_sources sources = {.version = "fuzz",
					  .path = path,
					  .loop = w->loop,
					  .started_us = clock_mono_us(),
					  .store = w->store,
					  .trace = bus_trace(w->bus),
					  .devices = w->devices,
					  .stations = w->stations,
					  .sampler = w->sampler,
					  .charges = w->charges,
					  .platforms = w->platforms,
					  .lua = {&w->host, reload_lua, w},
					  .config = {w->loop, running, load_config, w, 0}};

	(void)snprintf(path, sizeof(path), "%s/forecourt", w->folder);
	fuzz_check((w->guard = guard_new(w->loop, w->store, &err)));
	sources.guard = w->guard;
	fuzz_check((w->alarms = alarms_new(w->loop, &sources, NULL, &err)));
	sources.alarms = w->alarms;
	fuzz_check((w->control = control_new(&sources, &err)));
	const struct admin_sources page = {.version = "fuzz",
					   .started_us = sources.started_us,
					   .loop = w->loop,
					   .store = w->store,
					   .control = w->control,
					   .guard = w->guard,
					   .host = &w->host,
					   .devices = w->devices,
					   .stations = w->stations,
					   .charges = w->charges,
					   .platforms = w->platforms,
					   .alarms = w->alarms};
	w->admin = admin_new(&page, w->config, &err);
	fuzz_check(w->admin);
}

/* In the daemon's order. */
static void end(void)
{
	struct world *w = &world;

	if (!w->loop)
		return;
	edge_leave(NULL);
	admin_free(w->admin);
	control_free(w->control);
	guard_free(w->guard);
	alarms_free(w->alarms);
	reload_commands_end(&w->commands);
	platform_set_free(w->platforms);
	w->platforms = NULL;
	charge_set_free(w->charges);
	sampler_free(w->sampler);
	station_set_flush(w->stations);
	device_set_free(w->devices);
	bus_free(w->bus);
	station_set_free(w->stations);
	store_close(w->store);
	reload_free(w->reload);
	loop_free(w->loop);
	config_free(w->config);
	run("rm -rf", w->folder, "");
	memset(w, 0, sizeof(*w));
}

void world_poll(struct world *w)
{
	world_bus_answer(w->devices);
}

void world_turn(struct world *w, int times)
{
	do
		(void)loop_step(w->loop, w->control->replies ? 1 : 0);
	while (--times > 0 && w->control->replies);
}

int world_knows_secret(const uint8_t *data, size_t size)
{
	enum { PIECE = 4 };
	static const char secret[] = WORLD_SECRET;

	for (size_t i = 0; size && i + PIECE < sizeof(secret); i++)
		if (memmem(data, size, &secret[i], PIECE))
			return 1;
	return 0;
}

void world_settle(struct world *w)
{
	world_bus_clear();
	world_poll(w);
	world_turn(w, 1);
}

struct world *world_get(void)
{
	static int is_registered;

	if (world.inputs >= WORLD_INPUTS)
		end();
	if (!world.loop) {
		fuzz_quiet();
		log_init("fuzz", LOG_LEVEL_ERROR, 0);
		world_bus_clear();
		make_folder();
		open_rooms(&world);
		open_desk(&world);
		if (!is_registered)
			fuzz_check(atexit(end) == 0);
		is_registered = 1;
	}
	world.inputs++;
	world_poll(&world);
	return &world;
}
