#include "main/daemon.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "bus/bus.h"
#include "bus/trace.h"
#include "charge/charge.h"
#include "config/trial.h"
#include "control/apply.h"
#include "device/device.h"
#include "loop/loop.h"
#include "main/desk.h"
#include "main/fallback.h"
#include "main/pulse.h"
#include "main/reload_command.h"
#include "main/services.h"
#include "main/stats.h"
#include "main/versions.h"
#include "script/watch.h"
#include "station/sampler.h"
#include "station/station.h"
#include "store/events.h"
#include "store/journal.h"
#include "store/retain.h"
#include "store/store.h"
#include "upstream/platform.h"

enum { TRIM_FIRST_US = 10000000, TRIM_PERIOD_US = 60000000, TEND_PERIOD_US = 5000000, TRY_AGAIN_US = 30000000 };

struct daemon {
	const char *path;
	const char *version;
	const char *stats_file;
	int was_put_back;
	struct good *good;
	struct config *config;
	struct script_host host; /* its folder is that of the first configuration: it can't change; its limits can */
	char *lua_dir;
	struct services services; /* what scripts may ask */
	int64_t started_us;
	int data_lock; /* of the folder of the store; -1: not held */
	struct loop *loop;
	struct loop_fd *signal_fd;
	struct store *store;
	struct bus *bus;
	struct device_set *devices;
	struct pulse *pulse;
	struct station_set *stations;
	struct sampler *sampler;
	struct charge_set *charges;
	struct platform_set *platforms;
	struct versions *versions;
	struct reload_commands commands;
	struct desk desk;
	struct watch *watch;
	struct reload *reload;
	struct loop_timer trim, tend, again;
};

static struct value *overview(void *user, struct arena *arena)
{
	struct daemon *d = user;

	return stats_build(arena, &(struct stats_sources){.started_us = d->started_us,
							  .loop = d->loop,
							  .reload = d->reload,
							  .devices = d->devices,
							  .stations = d->stations,
							  .platforms = d->platforms,
							  .store = d->store,
							  .pulse = d->pulse});
}

static void write_stats(struct daemon *d)
{
	struct error err = {0};
	struct arena arena;

	if (!d->stats_file)
		return;
	arena_init(&arena, STATS_MEMORY);
	if (stats_write_file(overview(d, &arena), d->stats_file, &err))
		log_warning("main: counters not written: %s", err.text);
	arena_fini(&arena);
}

static void log_change(void *user, const struct config_change *change)
{
	(void)user;
	log_notice("main: reload: %s %s: %s", change->type, change->name, config_action_name(change->action));
}

/* Nonzero when an option was changed that only a new start can bring into force. The first operator_id of a new box is none: without one
 * there was nothing that knew it. */
static int needs_restart(const struct config *from, const struct config *to)
{
	return (*from->gateway.operator_id && strcmp(from->gateway.operator_id, to->gateway.operator_id) != 0) ||
	       strcmp(from->gateway.data_dir, to->gateway.data_dir) != 0 ||
	       strcmp(from->gateway.lua_dir, to->gateway.lua_dir) != 0;
}

/* Brings every room to config, from the bottom up. Each room checks before it touches, so the first failure leaves
 * the rooms above it as they were; those below are brought back by the caller with the old configuration. */
static int apply(struct daemon *d, const struct config *config, struct error *err)
{
	/* For what is loaded from now on. */
	d->host.limits = reload_limits(config);
	if (trace_resize(bus_trace(d->bus), (size_t)config->gateway.trace_kb))
		return error_set(err, FC_ENOMEM, "main: no memory for trace_kb");
	if (log_keep((size_t)config->gateway.log_kb << 10))
		return error_set(err, FC_ENOMEM, "main: no memory for log_kb");
	int result = device_set_apply(d->devices, config, err);

	/* Some may be others by now, all the same. */
	if (result)
		station_set_devices_replaced(d->stations);
	else
		result = station_set_apply(d->stations, config, d->devices, err);
	if (!result)
		result = sampler_apply(d->sampler, config, err);
	if (!result)
		result = charge_set_apply(d->charges, config, err);
	if (!result)
		result = platform_set_apply(d->platforms, config, err);
	if (!result)
		result = desk_apply(&d->desk, config, err);
	if (!result)
		retain_set(d->store,
			   &(struct retain_limits){config->gateway.orders_days, config->gateway.orders_share});
	/* It can refuse nothing: last. */
	if (!result && d->pulse)
		pulse_apply(d->pulse, config);
	return result;
}

/* What is in force now is another set of versions than before. */
static void accepted(struct daemon *d, const char *origin)
{
	versions_note(d->versions, origin);
}

static const struct config *reload_running(void *user)
{
	const struct daemon *d = user;

	return d->config;
}

static struct config *reload_read(void *user, int *touched, struct error *err)
{
	struct daemon *d = user;

	log_notice("main: reload: %s", d->path);
	struct config *next = good_read(d->good, err);
	if (!next) {
		good_refuse(d->good, err);
		return NULL;
	}
	if (needs_restart(d->config, next)) {
		(void)error_set(err, FC_EINVAL,
				"gateway operator_id, data_dir and lua_dir change only with a new start");
		/* The start that it waits for would find it good: no news, unless another one is in its place. */
		if (good_is_instead(d->good))
			good_refuse(d->good, err);
		config_free(next);
		return NULL;
	}
	*touched = config_compare(d->config, next, log_change, NULL);
	return next;
}

static int reload_apply(void *user, const struct config *config, struct error *err)
{
	return apply(user, config, err);
}

static void reload_adopt(void *user, struct config *config, int touched)
{
	struct daemon *d = user;

	log_init("forecourtd", (enum log_level)config->gateway.log_level, config->gateway.log_syslog);
	config_free(d->config);
	d->config = config;
	log_notice("main: reload: done, %d object(s) touched", touched);
	good_accept(d->good);
	control_config_loaded(d->desk.control, "file");
}

static int reload_swap(void *user, struct error *err)
{
	struct daemon *d = user;
	int result = device_set_reload_profiles(d->devices, err);

	if (!result)
		result = charge_set_apply(d->charges, d->config, err);
	if (!result && platform_set_reload_mappings(d->platforms, err) < 0)
		result = FC_EINVAL;
	return result;
}

static void reload_replace(void *user, struct shelf *shelf, const struct config *config)
{
	struct daemon *d = user;

	fallback_load(d->store, d->host.lua_dir, shelf, config);
}

static void reload_accepted(void *user, const char *origin)
{
	accepted(user, origin);
}

struct reload_call *daemon_reload_lua(struct daemon *d, const char *origin, reload_done done, void *user)
{
	return reload_request(d->reload, 0, origin, done, user);
}

static void on_signal(void *user, int fd)
{
	struct daemon *d = user;
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			(void)reload_request(d->reload, 1, "signal", NULL, NULL);
			break;
		case SIGUSR1:
			write_stats(d);
			break;
		default:
			log_notice("main: signal %u: ending", info.ssi_signo);
			loop_stop(d->loop);
			break;
		}
	}
}

static void on_lua_changed(void *user)
{
	(void)daemon_reload_lua(user, "file", NULL, NULL);
}

static int watch_lua(struct daemon *d, struct error *err)
{
	static const char *const folders[] = {"profiles", "operators", "policies", "lib"};
	char path[400];

	d->watch = watch_new(d->loop, on_lua_changed, d, err);
	if (!d->watch)
		return FC_EIO;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", d->config->gateway.lua_dir, folders[i]);
		if (watch_add(d->watch, path, err))
			log_warning("main: %s (changes there are seen within %d s)", err->text, WATCH_LOOK_S);
	}
	return FC_OK;
}

/* The devices are made after the bus that they use: results find them by way of the daemon. */
static void on_bus_result(void *user, const struct bus_result *result)
{
	struct daemon *d = user;

	if (d->devices)
		device_set_result(d->devices, result);
}

/* The charge room knows no platforms, and they come later: both find each other by way of the daemon. */
static void on_charge(void *user, const struct charge_event *event)
{
	struct daemon *d = user;

	if (d->platforms)
		platform_set_charge(d->platforms, event);
}

static int authorise(void *user, const struct charge_wish *wish)
{
	struct daemon *d = user;

	return d->platforms ? platform_set_authorise(d->platforms, wish) : FC_ENOENT;
}

static int order_recipients(void *user, const struct order *order, const struct connector *connector,
			    struct journal_recipient *list, int most)
{
	struct daemon *d = user;

	return d->platforms ? platform_set_recipients(d->platforms, order, connector, list, most) : 0;
}

/* What starting, reloading and handshakes freed goes back to the box, which has little. */
static void trim_heap(void *user)
{
	struct daemon *d = user;

#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
	(void)loop_timer_set(d->loop, &d->trim, TRIM_PERIOD_US);
}

static void load_config(void *user, control_loaded done, void *done_user)
{
	struct daemon *d = user;

	reload_config_for_command(&d->commands, done, done_user);
}

int daemon_put_back(const char *path)
{
	struct error err = {0};
	int result = trial_recover(path, &err);

	if (result < 0)
		log_error("main: a change of the configuration that nobody confirmed can't be taken back: %s",
			  err.text);
	if (result > 0)
		log_warning("main: %s: a change that nobody had confirmed before this start was taken back", path);
	return result > 0;
}

static int open_desk(struct daemon *d, struct error *err)
{
	const struct control_sources rooms = {.version = d->version,
					      .path = d->path,
					      .loop = d->loop,
					      .started_us = d->started_us,
					      .store = d->store,
					      .trace = bus_trace(d->bus),
					      .devices = d->devices,
					      .stations = d->stations,
					      .sampler = d->sampler,
					      .charges = d->charges,
					      .platforms = d->platforms,
					      .lua = {&d->host, reload_for_command, &d->commands},
					      .config = {d->loop, reload_running, load_config, d, d->was_put_back}};

	return desk_open(&d->desk, &rooms, d->config, err);
}

static void tend_store(void *user)
{
	struct daemon *d = user;

	store_tend(d->store);
	outbox_tend(d->store);
	retain_tend(d->store);
	events_tend(d->store);
	versions_tend(d->versions);
	good_tend(d->good);
	(void)loop_timer_set(d->loop, &d->tend, TEND_PERIOD_US);
}

/* After a start without some of the files: that of a busy machine may have taken too long for one that is good. */
static void try_again(void *user)
{
	(void)daemon_reload_lua(user, "file", NULL, NULL);
}

/* Two gateways on one store would each push the other's orders. A file system that knows no locks is no reason not to start, and a
 * folder that is not there yet is made by the store. */
static int lock_data(struct daemon *d, struct error *err)
{
	const char *folder = d->config->gateway.data_dir;

	if (d->data_lock < 0)
		d->data_lock = disk_lock_folder(folder);
	if (d->data_lock >= 0 || errno != EWOULDBLOCK)
		return FC_OK;
	return error_set(err, FC_EBUSY, "main: %s: another gateway runs with this data_dir", folder);
}

static int start(struct daemon *d, struct error *err)
{
	d->lua_dir = strdup(d->config->gateway.lua_dir);
	if (!d->lua_dir)
		return error_set(err, FC_ENOMEM, "main: no memory");
	d->host = (struct script_host){.lua_dir = d->lua_dir};
	d->loop = loop_new(err);
	if (!d->loop)
		return FC_EIO;
	const struct reload_hooks hooks = {.user = d,
					   .running = reload_running,
					   .read = reload_read,
					   .apply = reload_apply,
					   .adopt = reload_adopt,
					   .swap = reload_swap,
					   .replace = reload_replace,
					   .accepted = reload_accepted};
	d->reload = reload_new(d->loop, &d->host, &hooks, err);
	if (!d->reload)
		return FC_ENOMEM;
	d->commands.reload = d->reload;
	if (lock_data(d, err))
		return FC_EBUSY;
	d->store = store_open(d->config->gateway.data_dir, err);
	if (!d->store || lock_data(d, err))
		return FC_EIO;
	control_end_rollback(d->store, &d->host);
	d->stations = station_set_new(d->loop, d->store, err);
	if (!d->stations)
		return FC_ENOMEM;
	d->sampler = sampler_new(d->loop, d->stations, d->store, err);
	if (!d->sampler)
		return FC_ENOMEM;
	services_init(&d->services, d->store, d->stations);
	d->host.services = &d->services.calls;
	d->bus = bus_new(d->loop, on_bus_result, d, err);
	if (!d->bus)
		return FC_ENOMEM;
	d->devices = device_set_new(d->loop, d->bus, &d->host, station_set_device_changed, d->stations, err);
	if (!d->devices)
		return FC_ENOMEM;
	device_set_on_replaced(d->devices, station_set_devices_replaced);
	const struct charge_hooks charge_hooks = {on_charge, authorise, order_recipients, d};
	d->charges = charge_set_new(d->loop, d->store, d->stations, d->devices, &d->host, &charge_hooks, err);
	if (!d->charges)
		return FC_EIO;
	d->platforms = platform_set_new(d->loop, d->stations, &d->host, err);
	if (!d->platforms)
		return FC_ENOMEM;
	platform_set_serve(d->platforms, d->charges, d->store);
	d->versions = versions_new(d->store, &(struct in_force){d->devices, d->charges, d->platforms});
	if (!d->versions)
		return FC_ENOMEM;
	int result = reload_first(d->reload, d->config, err);
	if (!result)
		result = apply(d, d->config, err);
	if (!result)
		result = open_desk(d, err);
	if (result)
		return result;
	/* Once all that may take its time at a start is done. */
	d->pulse = pulse_new(d->loop, d->devices, err);
	if (!d->pulse)
		return FC_ENOMEM;
	if (pulse_tell(d->pulse, d->desk.alarms) || alarms_add_source(d->desk.alarms, good_see, d->good))
		return error_set(err, FC_ENOMEM, "main: no memory");
	d->trim = (struct loop_timer){.fn = trim_heap, .user = d};
	d->tend = (struct loop_timer){.fn = tend_store, .user = d};
	d->again = (struct loop_timer){.fn = try_again, .user = d};
	if (loop_timer_set(d->loop, &d->trim, TRIM_FIRST_US) || loop_timer_set(d->loop, &d->tend, TEND_PERIOD_US))
		return FC_ENOMEM;
	accepted(d, "start");
	/* Else the file that lies there is no version that was in force. */
	if (!good_is_instead(d->good)) {
		good_accept(d->good);
		control_config_loaded(d->desk.control, "start");
	}
	if (shelf_refused_count(d->host.shelf) && loop_timer_set(d->loop, &d->again, TRY_AGAIN_US))
		return FC_ENOMEM;
	return watch_lua(d, err);
}

struct daemon *daemon_new(const char *path, const char *version, struct config *config, int signals,
			  const char *stats_file, int was_put_back, struct good *good, struct error *err)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (!d) {
		close(signals);
		config_free(config);
		(void)error_set(err, FC_ENOMEM, "main: no memory");
		return NULL;
	}
	d->path = path;
	d->version = version;
	d->stats_file = stats_file;
	d->was_put_back = was_put_back;
	d->good = good;
	d->data_lock = -1;
	d->config = config;
	d->started_us = clock_mono_us();
	int result = start(d, err);
	if (!result) {
		d->signal_fd = loop_fd_add(d->loop, signals, on_signal, d, err);
		result = d->signal_fd ? FC_OK : FC_EIO;
	}
	if (result) {
		close(signals);
		daemon_free(d);
		return NULL;
	}
	return d;
}

int daemon_run(struct daemon *d)
{
	/* Not before the loop runs that feeds it. */
	pulse_apply(d->pulse, d->config);
	int result = loop_run(d->loop);

	/* A loop that gave up leaves the watchdog armed, like any other crash. */
	if (!result)
		pulse_end(d->pulse);
	return result;
}

void daemon_free(struct daemon *d)
{
	if (!d)
		return;
	if (d->platforms)
		write_stats(d);
	watch_free(d->watch);
	desk_close(&d->desk);
	pulse_free(d->pulse);
	reload_commands_end(&d->commands);
	versions_free(d->versions);
	platform_set_free(d->platforms);
	d->platforms = NULL;
	charge_set_free(d->charges);
	sampler_free(d->sampler);
	if (d->stations)
		station_set_flush(d->stations);
	device_set_free(d->devices);
	bus_free(d->bus);
	station_set_free(d->stations);
	store_close(d->store);
	if (d->signal_fd)
		loop_fd_remove(d->signal_fd);
	if (d->loop) {
		loop_timer_cancel(d->loop, &d->trim);
		loop_timer_cancel(d->loop, &d->tend);
		loop_timer_cancel(d->loop, &d->again);
	}
	reload_free(d->reload);
	loop_free(d->loop);
	if (d->data_lock >= 0)
		close(d->data_lock);
	config_free(d->config);
	free(d->lua_dir);
	free(d);
}
