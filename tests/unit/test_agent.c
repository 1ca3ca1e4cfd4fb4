/* device/: CAN lines with agents that a test plays: frames to all, values in, commands, ports that come and go, reloads. The port is
 * the datagram transport; on its other end sits the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "device/agent.h"
#include "device/line.h"
#include "folder.h"

enum { PATIENCE_US = 30000000, AGENTS = 8, SOC = 0, STATE = 1, SCALED = 2, FACTOR = 3 };

/* The agent: its unit is the identifier that it listens to. Byte 0 is its point SoC, byte 1 the state; two bytes FF are nothing. */
struct fake {
	const struct profile *profile;
	struct agent_host host;
	int unit, number, ups, downs, frames, adopted, runs;
	int commands;
	char command[32];
	int64_t due_us;
};

static struct {
	struct fake *all[AGENTS];
	int started, stopped;
	int any; /* filters: all frames */
} agents;

static void *fake_start(const struct profile *profile, const struct agent_settings *settings,
			const struct agent_host *host, struct error *err)
{
	struct fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	if (settings->unit == 99) {
		free(f);
		(void)error_set(err, FC_EINVAL, "fake: unit 99 is not to be had");
		return NULL;
	}
	f->profile = profile;
	f->host = *host;
	f->unit = settings->unit;
	f->number = settings->numbers[0];
	f->due_us = INT64_MAX;
	assert_true(agents.started < AGENTS);
	agents.all[agents.started++] = f;
	return f;
}

static void fake_stop(void *agent)
{
	for (int i = 0; i < agents.started; i++)
		if (agents.all[i] == agent)
			agents.all[i] = NULL;
	agents.stopped++;
	free(agent);
}

static void fake_adopt(void *agent, const struct profile *profile)
{
	struct fake *f = agent;

	f->profile = profile;
	f->adopted++;
}

static void fake_port(void *agent, int up)
{
	struct fake *f = agent;

	if (up)
		f->ups++;
	else
		f->downs++;
}

static void say(struct fake *f, int number, int point, int64_t milli, enum quality quality)
{
	f->host.value(f->host.user, number, point, &(struct point_value){.quality = quality, .milli = milli});
}

static void fake_frame(void *agent, const struct can_frame *frame)
{
	struct fake *f = agent;
	int known = frame->data[0] != 0xFF;

	f->frames++;
	if ((int)frame->id != f->unit)
		return;
	f->host.heard(f->host.user, 1);
	say(f, 0, SOC, frame->data[0] * 1000, known ? QUALITY_GOOD : QUALITY_UNKNOWN);
	say(f, f->number, STATE, frame->data[1] * 1000, known ? QUALITY_GOOD : QUALITY_UNKNOWN);
	if (frame->len > 2) {
		say(f, 0, FACTOR, frame->data[2] * 1000, QUALITY_GOOD);
		say(f, 0, SCALED, frame->data[0] * 1000, QUALITY_GOOD);
	}
}

static int64_t fake_run(void *agent, int64_t now_us)
{
	struct fake *f = agent;

	f->runs++;
	if (now_us < f->due_us)
		return f->due_us;
	f->due_us = INT64_MAX;
	f->host.heard(f->host.user, 0);
	return INT64_MAX;
}

static int fake_command(void *agent, int number, const char *command, struct error *err)
{
	struct fake *f = agent;
	const struct can_frame frame = {.id = 0x100, .len = 1, .data = {(uint8_t)number}};

	if (!strcmp(command, "stop"))
		return error_set(err, FC_EBUSY, "fake: not now");
	f->commands++;
	(void)snprintf(f->command, sizeof(f->command), "%s", command);
	return f->host.send(f->host.user, &frame);
}

static int fake_limit(void *agent, int number, int64_t milli, struct error *err)
{
	(void)agent;
	(void)number;
	return milli > 100000 ? error_set(err, FC_EINVAL, "fake: too much") : FC_OK;
}

static int fake_filters(void *agent, struct can_filter *filters, int most)
{
	struct fake *f = agent;

	assert_true(most >= 1);
	if (agents.any)
		return 0;
	filters[0] = (struct can_filter){.id = (uint32_t)f->unit, .mask = CAN_ID_STANDARD_MAX};
	return 1;
}

static const struct agent_kind fake_kind = {.name = "fake",
					    .start = fake_start,
					    .stop = fake_stop,
					    .adopt = fake_adopt,
					    .port = fake_port,
					    .frame = fake_frame,
					    .run = fake_run,
					    .command = fake_command,
					    .limit = fake_limit,
					    .filters = fake_filters};
static const struct agent_kind fake_listener = {.name = "listener",
						.listens = 1,
						.start = fake_start,
						.stop = fake_stop,
						.adopt = fake_adopt,
						.port = fake_port,
						.frame = fake_frame,
						.run = fake_run,
						.filters = fake_filters};

/* The world ------------------------------------------------------------------------------------------------------------- */

struct fixture {
	struct loop *loop;
	struct bus *bus;
	char folder[64], own[100], peer[100], device[220];
	int socket; /* the other end; -1 = gone */
	struct commands commands;
	struct line_host host;
	struct line *line;
	struct profile profiles[2];
	struct profile *list[2];
	struct profiles known;
	struct config config;
	struct config_bus config_bus;
	struct config_charger chargers[2];
	struct config_device devices[2];
	struct config_connector connectors[3];
	int changes, told;
	struct device *changed;
	int done[8], dones; /* how commands ended, in order */
};

static void on_changed(void *user, struct device *device)
{
	struct fixture *f = user;

	f->changes++;
	f->changed = device;
}

static void no_result(void *user, const struct bus_result *result)
{
	(void)user;
	(void)result;
}

static void make_profile(struct profile *p, const char *name, const struct agent_kind *kind)
{
	static const char *const points[] = {"soc", "state", "scaled", "factor"};

	memset(p, 0, sizeof(*p));
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	p->agent = kind;
	p->connectors = 2;
	p->fingerprint = 1;
	for (int i = 0; i < 4; i++) {
		(void)snprintf(p->points[i].name, sizeof(p->points[i].name), "%s", points[i]);
		p->points[i].scale = 1;
		p->points[i].type = POINT_F64;
	}
	p->points[SCALED].scale_from[0] = FACTOR + 1;
	p->points[SOC].has_range = 1;
	p->points[SOC].max = 100;
	p->point_count = p->read_count = 4;
	p->status = (struct status_rules){.point = STATE, .state_count = 2, .otherwise = CONNECTOR_FAULT};
	p->status.states[0] = (struct status_state){.number = 1, .status = CONNECTOR_IDLE};
	p->status.states[1] = (struct status_state){.number = 3, .status = CONNECTOR_CHARGING};
	(void)snprintf(p->commands[0].name, sizeof(p->commands[0].name), "start");
	(void)snprintf(p->commands[1].name, sizeof(p->commands[1].name), "stop");
	p->command_count = 2;
}

static void bind_peer(struct fixture *f)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	f->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(f->socket >= 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", f->peer);
	assert_int_equal(bind(f->socket, (struct sockaddr *)&at, sizeof(at)), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	memset(&agents, 0, sizeof(agents));
	folder_make(f->folder, sizeof(f->folder), "agent");
	(void)snprintf(f->own, sizeof(f->own), "%s/own", f->folder);
	(void)snprintf(f->peer, sizeof(f->peer), "%s/peer", f->folder);
	(void)snprintf(f->device, sizeof(f->device), "datagram:%s,%s", f->own, f->peer);
	f->loop = loop_new(NULL);
	assert_non_null(f->loop);
	f->bus = bus_new(f->loop, no_result, f, NULL);
	assert_non_null(f->bus);
	f->host = (struct line_host){
	    .loop = f->loop, .bus = f->bus, .commands = &f->commands, .user = f, .changed = on_changed};
	make_profile(&f->profiles[0], "p", &fake_kind);
	make_profile(&f->profiles[1], "q", &fake_kind);
	f->list[0] = &f->profiles[0];
	f->list[1] = &f->profiles[1];
	f->known = (struct profiles){.list = f->list, .count = 2};
	f->config_bus = (struct config_bus){
	    .name = "can0", .kind = CONFIG_BUS_CAN, .host = "", .device = f->device, .parity = 'N', .bitrate = 250000};
	f->chargers[0] = (struct config_charger){.name = "c1", .unit = 1, .profile = "p", .poll_ms = 100};
	f->devices[0] = (struct config_device){.name = "m1", .unit = 2, .profile = "q", .poll_ms = 100};
	f->devices[1] = (struct config_device){.name = "m2", .unit = 3, .profile = "q", .poll_ms = 100};
	f->connectors[0] = (struct config_connector){.name = "k1", .charger = 0, .number = 2};
	f->config = (struct config){.buses = &f->config_bus,
				    .bus_count = 1,
				    .chargers = f->chargers,
				    .charger_count = 1,
				    .devices = f->devices,
				    .device_count = 1,
				    .connectors = f->connectors,
				    .connector_count = 1};
	bind_peer(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	line_free(f->line);
	assert_int_equal(agents.started, agents.stopped);
	bus_free(f->bus);
	loop_free(f->loop);
	if (f->socket >= 0)
		close(f->socket);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static struct line *make_line(struct fixture *f, struct error *err)
{
	return line_new(&f->config, 0, &f->known, line_signature(&f->config, 0), err);
}

static void wait_for(struct fixture *f, int (*holds)(struct fixture *f))
{
	int64_t until = clock_mono_us() + PATIENCE_US;

	while (!holds(f)) {
		assert_true(clock_mono_us() < until);
		assert_int_equal(loop_step(f->loop, 50), FC_OK);
	}
}

static int is_up(struct fixture *f)
{
	return f->line->can.up;
}

static void open_line(struct fixture *f)
{
	struct error err = {0};

	f->line = make_line(f, &err);
	if (!f->line || line_open(f->line, &f->host, &err))
		fail_msg("%s", err.text);
	wait_for(f, is_up);
}

/* The 16 bytes of a datagram port: identifier, length, data. */
static void put(struct fixture *f, uint32_t id, const uint8_t *data, uint8_t len)
{
	uint8_t packet[16] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id, len};
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	memcpy(packet + 8, data, len);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", f->own);
	assert_int_equal(sendto(f->socket, packet, sizeof(packet), 0, (struct sockaddr *)&at, sizeof(at)), 16);
}

static void put_values(struct fixture *f, int unit, int soc, int status)
{
	put(f, (uint32_t)unit, (const uint8_t[]){(uint8_t)soc, (uint8_t)status}, 2);
}

static struct point_value point_of(const struct device *d, int number, int point)
{
	struct point_value v;

	assert_int_equal(device_point(d, number, point, &v), FC_OK);
	return v;
}

/* Tests ----------------------------------------------------------------------------------------------------------------- */

static int knows_soc(struct fixture *f)
{
	return point_of(f->line->devices[0], 2, SOC).quality == QUALITY_GOOD;
}

static void values_come_with_quality_and_age(void **state)
{
	struct fixture *f = *state;

	open_line(f);
	struct device *d = f->line->devices[0];
	assert_int_equal(agents.all[0]->ups, 1);
	assert_int_equal(device_status(d, 2), CONNECTOR_OFFLINE);
	put_values(f, 1, 42, 3);
	wait_for(f, knows_soc);
	assert_int_equal(point_of(d, 2, SOC).milli, 42000);
	assert_true(point_of(d, 2, SOC).mono_us > 0);
	assert_int_equal(device_status(d, 2), CONNECTOR_CHARGING);
	assert_int_equal(device_online(d), 1);
	assert_true(f->changes > 0);
	assert_ptr_equal(f->changed, d);
	/* What it says long after it was heard is as old as that. */
	struct point_value old = {.quality = QUALITY_GOOD, .milli = 1000, .mono_us = clock_mono_us() - 60000000};
	agents.all[0]->host.value(agents.all[0]->host.user, 0, SOC, &old);
	assert_int_equal(point_of(d, 2, SOC).quality, QUALITY_STALE);
	/* Outside its range, and none of its places: no values. */
	say(agents.all[0], 0, SOC, 101000, QUALITY_GOOD);
	assert_int_equal(point_of(d, 2, SOC).quality, QUALITY_UNKNOWN);
	say(agents.all[0], 0, 77, 1000, QUALITY_GOOD);
	say(agents.all[0], 9, SOC, 1000, QUALITY_GOOD);
	assert_int_equal(point_of(d, 2, SOC).quality, QUALITY_UNKNOWN);
}

static int knows_scaled(struct fixture *f)
{
	return point_of(f->line->devices[0], 2, SCALED).quality == QUALITY_GOOD;
}

/* scale_from works on what agents say, too. */
static void values_scale_each_other(void **state)
{
	struct fixture *f = *state;

	open_line(f);
	say(agents.all[0], 0, SCALED, 7000, QUALITY_GOOD);
	assert_int_equal(point_of(f->line->devices[0], 2, SCALED).quality, QUALITY_UNKNOWN);
	put(f, 1, (const uint8_t[]){7, 1, 10}, 3);
	wait_for(f, knows_scaled);
	assert_int_equal(point_of(f->line->devices[0], 2, SCALED).milli, 70000);
}

static int both_heard(struct fixture *f)
{
	return point_of(f->line->devices[0], 2, SOC).quality == QUALITY_GOOD &&
	       point_of(f->line->devices[1], 1, SOC).quality == QUALITY_GOOD;
}

/* Each has what is its own, and the filters are those of both. */
static void frames_go_to_all_that_may_want_them(void **state)
{
	struct fixture *f = *state;
	struct can_stats stats;

	open_line(f);
	put_values(f, 77, 1, 1); /* nobody's */
	put_values(f, 2, 20, 1);
	put_values(f, 1, 10, 1);
	wait_for(f, both_heard);
	assert_int_equal(point_of(f->line->devices[0], 2, SOC).milli, 10000);
	assert_int_equal(point_of(f->line->devices[1], 1, SOC).milli, 20000);
	/* A device has all connectors of its profile. */
	assert_int_equal(point_of(f->line->devices[1], 2, SOC).milli, 20000);
	assert_int_equal(agents.all[0]->frames, 2);
	assert_int_equal(agents.all[1]->frames, 2);
	can_get_stats(f->line->can.port, &stats);
	assert_int_equal(stats.state, CAN_ACTIVE);
	/* One that wants all gets all, and so does everyone. */
	agents.any = 1;
	f->line->kind->changed(f->line);
	put_values(f, 77, 1, 1);
	put_values(f, 1, 11, 1);
	wait_for(f, both_heard);
}

static void on_done(void *user, enum bus_status status)
{
	struct fixture *f = user;

	assert_true(f->dones < 8);
	f->done[f->dones++] = (int)status;
}

static int send_command(struct fixture *f, const char *name, struct error *err)
{
	return command_send(&f->commands, f->line->devices[0], 2, NULL, name, on_done, f, err);
}

static void commands_go_to_the_agent(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	uint8_t packet[16];

	open_line(f);
	assert_true(device_can(f->line->devices[0], "start"));
	assert_int_equal(send_command(f, "dance", &err), FC_ENOENT);
	assert_int_equal(send_command(f, "stop", &err), FC_EBUSY);
	assert_non_null(strstr(err.text, "not now"));
	assert_int_equal(send_command(f, "start", &err), FC_OK);
	assert_int_equal(agents.all[0]->commands, 1);
	/* It went out, and nobody is told before the agent says how it ended. */
	assert_int_equal(recv(f->socket, packet, sizeof(packet), 0), 16);
	assert_int_equal(packet[2] << 8 | packet[3], 0x100);
	assert_int_equal(packet[8], 2);
	assert_int_equal(f->dones, 0);
	/* Another takes its place: the first is told first. */
	assert_int_equal(send_command(f, "start", &err), FC_OK);
	agents.all[0]->host.done(agents.all[0]->host.user, 2, BUS_DISCONNECTED);
	agents.all[0]->host.done(agents.all[0]->host.user, 2, BUS_OK);
	assert_int_equal(f->dones, 2);
	assert_int_equal(f->done[0], BUS_DISCONNECTED);
	assert_int_equal(f->done[1], BUS_OK);
	/* One too many, and one for nobody: nothing happens. */
	agents.all[0]->host.done(agents.all[0]->host.user, 2, BUS_OK);
	assert_int_equal(f->dones, 2);
	/* An agent that never answers does not keep anyone waiting for ever. */
	assert_int_equal(send_command(f, "start", &err), FC_OK);
	(void)command_run(&f->commands, clock_mono_us() + (int64_t)3600 * 1000000);
	assert_int_equal(f->dones, 3);
	assert_int_equal(f->done[2], BUS_DISCONNECTED);
	/* The device goes: told at the next run. */
	assert_int_equal(send_command(f, "start", &err), FC_OK);
	command_drop(&f->commands, f->line->devices[0]);
	(void)command_run(&f->commands, clock_mono_us());
	assert_int_equal(f->dones, 4);
	assert_int_equal(seat_limit(f->line->devices[0]->seat, 2, 200000, &err), FC_EINVAL);
	assert_int_equal(seat_limit(f->line->devices[0]->seat, 2, 50000, &err), FC_OK);
}

/* DESIGN.md, rule 9. */
static void a_listener_never_sends(void **state)
{
	struct fixture *f = *state;
	const struct can_frame frame = {.id = 1, .len = 1};
	struct error err = {0};
	uint8_t packet[16];

	make_profile(&f->profiles[0], "p", &fake_listener);
	make_profile(&f->profiles[1], "q", &fake_listener);
	open_line(f);
	assert_int_equal(f->line->can.config.listen_only, 1);
	assert_int_equal(agents.all[0]->host.send(agents.all[0]->host.user, &frame), FC_EIO);
	assert_int_equal(recv(f->socket, packet, sizeof(packet), 0), -1);
	assert_int_equal(seat_command(f->line->devices[0]->seat, 2, "start", &err), FC_ENOENT);
	assert_int_equal(seat_limit(f->line->devices[0]->seat, 2, 1, &err), FC_ENOENT);
	/* Whoever asks has no place between charger and vehicle. */
	make_profile(&f->profiles[1], "q", &fake_kind);
	assert_null(make_line(f, &err));
	assert_non_null(strstr(err.text, "bus can0: c1 listens between a charger and a vehicle"));
	assert_non_null(strstr(err.text, "m1 would be asked there"));
}

/* As the port tells it. */
static void tell_state(struct fixture *f, enum can_state state)
{
	line_can_state(f->line, state);
}

static void a_port_that_goes_takes_all_values_along(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	open_line(f);
	struct device *d = f->line->devices[0];
	put_values(f, 1, 42, 3);
	wait_for(f, knows_soc);
	f->changes = 0;
	tell_state(f, CAN_WARNING);
	tell_state(f, CAN_PASSIVE);
	assert_int_equal(f->changes, 0);
	assert_int_equal(device_online(d), 1);
	tell_state(f, CAN_BUS_OFF);
	assert_int_equal(agents.all[0]->downs, 1);
	assert_int_equal(device_online(d), 0);
	assert_int_equal(device_status(d, 2), CONNECTOR_OFFLINE);
	assert_int_equal(point_of(d, 2, SOC).quality, QUALITY_UNKNOWN);
	assert_true(f->changes > 0);
	assert_int_equal(seat_command(d->seat, 2, "start", &err), FC_EIO);
	tell_state(f, CAN_DOWN);
	assert_int_equal(agents.all[0]->downs, 1);
	/* Up again it is there when it is heard again. */
	tell_state(f, CAN_ACTIVE);
	assert_int_equal(agents.all[0]->ups, 2);
	assert_int_equal(device_online(d), 0);
	put_values(f, 1, 43, 1);
	wait_for(f, knows_soc);
	assert_int_equal(device_status(d, 2), CONNECTOR_IDLE);
}

static int is_lost(struct fixture *f)
{
	return !device_online(f->line->devices[0]) && f->changed == f->line->devices[0];
}

static void an_agent_runs_when_it_wants_to(void **state)
{
	struct fixture *f = *state;

	open_line(f);
	put_values(f, 1, 42, 3);
	wait_for(f, knows_soc);
	f->changed = NULL;
	agents.all[0]->due_us = clock_mono_us() + 30000;
	/* It says so when it is asked next. */
	put_values(f, 1, 42, 3);
	wait_for(f, is_lost);
	assert_int_equal(point_of(f->line->devices[0], 2, SOC).quality, QUALITY_UNKNOWN);
}

/* Renewals -------------------------------------------------------------------------------------------------------------- */

static int renew(struct fixture *f)
{
	struct error err = {0};
	struct line *fresh = make_line(f, &err);

	assert_non_null(fresh);
	int result = line_renew(f->line, fresh, &f->commands);
	line_free(fresh);
	return result;
}

/* Another device comes to the bus, and goes: who is there keeps agent, values and commands. */
static void what_did_not_change_keeps_its_agent(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	open_line(f);
	struct device *d = f->line->devices[0], *m1 = f->line->devices[1];
	struct fake *agent = agents.all[0];
	put_values(f, 1, 42, 3);
	wait_for(f, knows_soc);
	assert_int_equal(send_command(f, "start", &err), FC_OK);
	f->config.device_count = 2;
	uint64_t print = f->line->print;
	assert_int_equal(renew(f), FC_OK);
	assert_true(print != f->line->print);
	assert_int_equal(f->line->device_count, 3);
	assert_ptr_equal(f->line->devices[0], d);
	assert_ptr_equal(f->line->devices[1], m1);
	assert_ptr_equal(d->seat->agent, agent);
	assert_int_equal(agent->ups, 1);
	assert_int_equal(point_of(d, 2, SOC).milli, 42000);
	/* The new one works, on the same port. */
	struct fake *third = d->seat ? f->line->devices[2]->seat->agent : NULL;
	assert_non_null(third);
	assert_int_equal(third->ups, 1);
	const struct can_frame frame = {.id = 5, .len = 1};
	assert_int_equal(third->host.send(third->host.user, &frame), FC_OK);
	/* It goes again, and one in the middle with it. */
	f->config.device_count = 0;
	assert_int_equal(renew(f), FC_OK);
	assert_int_equal(f->line->device_count, 1);
	assert_ptr_equal(f->line->devices[0], d);
	assert_int_equal(f->dones, 0);
	agent->host.done(agent->host.user, 2, BUS_OK);
	assert_int_equal(f->dones, 1);
	put_values(f, 1, 43, 3);
	wait_for(f, knows_soc);
}

static void another_profile_is_another_agent(void **state)
{
	struct fixture *f = *state;

	open_line(f);
	struct device *d = f->line->devices[0];
	struct fake *before = d->seat->agent;
	put_values(f, 1, 42, 3);
	wait_for(f, knows_soc);
	/* Comments changed: the agent goes on, and borrows the new file. */
	struct profile again = f->profiles[0];
	f->list[0] = &again;
	line_adopt(f->line, &f->known, &f->commands);
	assert_ptr_equal(d->profile, &again);
	assert_int_equal(before->adopted, 1);
	assert_ptr_equal(before->profile, &again);
	assert_int_equal(((struct fake *)f->line->devices[1]->seat->agent)->adopted, 0);
	/* Points changed: another one, for the same device. */
	struct profile other = again;
	other.fingerprint = 2;
	f->list[0] = &other;
	assert_int_equal(renew(f), FC_OK);
	assert_ptr_equal(f->line->devices[0], d);
	assert_ptr_equal(d->profile, &other);
	struct fake *now = d->seat->agent;
	assert_true(now != before);
	assert_int_equal(now->ups, 1);
	assert_int_equal(point_of(d, 2, SOC).quality, QUALITY_UNKNOWN);
	put_values(f, 1, 44, 3);
	wait_for(f, knows_soc);
	assert_int_equal(point_of(d, 2, SOC).milli, 44000);
	/* Another unit is another device. */
	f->chargers[0].unit = 9;
	assert_int_equal(renew(f), FC_OK);
	assert_int_equal(f->line->devices[0]->unit, 9);
	assert_int_equal(f->line->device_count, 2);
}

/* The agent that would answer is gone, or has forgotten: whoever waits is told at once, and the next answer is the next command's. */
static void another_profile_ends_commands(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	open_line(f);
	struct profile again = f->profiles[0], other = f->profiles[0];
	assert_int_equal(send_command(f, "start", &err), FC_OK);
	f->list[0] = &again;
	line_adopt(f->line, &f->known, &f->commands);
	(void)command_run(&f->commands, clock_mono_us());
	assert_true(f->dones == 1 && f->done[0] == BUS_DISCONNECTED);
	assert_int_equal(send_command(f, "start", &err), FC_OK);
	other.fingerprint = 2;
	f->list[0] = &other;
	assert_int_equal(renew(f), FC_OK);
	(void)command_run(&f->commands, clock_mono_us());
	assert_true(f->dones == 2 && f->done[1] == BUS_DISCONNECTED);
	struct fake *now = f->line->devices[0]->seat->agent;
	assert_int_equal(send_command(f, "start", &err), FC_OK);
	now->host.done(now->host.user, 2, BUS_OK);
	assert_true(f->dones == 3 && f->done[2] == BUS_OK);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	f->profiles[0].agent = NULL;
	assert_null(make_line(f, &err));
	assert_non_null(strstr(err.text, "charger c1: profile p is for a Modbus bus, and bus can0 is CAN"));
	f->profiles[0].agent = &fake_kind;
	f->config_bus.kind = CONFIG_BUS_TCP;
	err = (struct error){0};
	assert_null(make_line(f, &err));
	assert_non_null(strstr(err.text, "charger c1: profile p is for a CAN bus, and bus can0 is Modbus"));
	f->config_bus.kind = CONFIG_BUS_CAN;
	/* A number that the profile does not have. */
	f->connectors[0].meter_source = (struct config_source){"m1", 3};
	err = (struct error){0};
	assert_null(make_line(f, &err));
	assert_non_null(strstr(err.text, "device m1: connector number 3: profile q describes 2"));
	f->connectors[0].meter_source = (struct config_source){"", 1};
	/* The agent itself. */
	f->chargers[0].unit = 99;
	err = (struct error){0};
	assert_null(make_line(f, &err));
	assert_non_null(strstr(err.text, "unit 99 is not to be had"));
	f->chargers[0].unit = 1;
	/* A port that can't be is told with its name. */
	f->config_bus.device = "replay:/nowhere/at/all.log";
	struct line *line = make_line(f, &err);
	assert_non_null(line);
	err = (struct error){0};
	assert_true(line_open(line, &f->host, &err) != FC_OK);
	assert_non_null(strstr(err.text, "/nowhere/at/all.log"));
	line_free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(values_come_with_quality_and_age, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(values_scale_each_other, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(frames_go_to_all_that_may_want_them, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(commands_go_to_the_agent, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_listener_never_sends, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_port_that_goes_takes_all_values_along, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_agent_runs_when_it_wants_to, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_did_not_change_keeps_its_agent, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_profile_is_another_agent, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_profile_ends_commands, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
