/* Devices that are asked on CAN: every profile of lua/profiles with a part `can`, and one that says all there is to say
 * (corpus/profile/can-all.lua), each by its agent, in simulated time.
 *
 * The first bytes are the profile, the unit and how many connectors; then steps, by a byte each: a frame that is one of the profile's
 * messages with the fuzzer's data, a message in counted packets with a right sum or by J1939's transport protocol, any frame, time, a
 * command, a limit, a line that takes nothing or is down.
 *
 * What is sent is a frame, and only while the port is up; each command ends once, and in time; a run that is due says when it wants the
 * next one, and does not turn on the spot; what is told are values of points that there are. */
#include <dirent.h>
#include <stdio.h>

#include "base/error.h"
#include "bytes.h"
#include "can_fit.h"
#include "device/agent_can.h"
#include "device/profile.h"
#include "device/report.h"

enum { PROFILES = 64, STEPS = 200, SHORTEST = 5, RUNS_AT_ONCE = 2000, SENDS_AT_ONCE = 4000, UNTIL_DONE_S = 120 };
enum { FITS, COUNTED, J1939, ANY, TIME, COMMAND, LIMIT, LINE, KINDS };

static struct profile *profiles[PROFILES];
static int profile_count;

static struct {
	const struct profile *profile;
	struct can_agent *agent;
	struct agent_settings settings;
	int64_t now_us, due_us;
	int up, send_result, sends, in_command;
	int pending[PROFILE_CONNECTORS_MAX + 1]; /* commands of it that have not ended */
} t;

static int is_configured(int number)
{
	for (int i = 0; i < t.settings.connectors; i++)
		if (t.settings.numbers[i] == number)
			return 1;
	return 0;
}

static int host_send(void *user, const struct can_frame *f)
{
	(void)user;
	fuzz_check(t.up && !f->error && !f->remote && f->len <= CAN_DATA_MAX);
	fuzz_check(f->id <= (f->extended ? CAN_ID_EXTENDED_MAX : CAN_ID_STANDARD_MAX));
	for (int i = f->len; i < CAN_DATA_MAX; i++)
		fuzz_check(!f->data[i]);
	t.sends++;
	fuzz_check(t.sends < SENDS_AT_ONCE);
	return t.send_result;
}

static void host_value(void *user, int number, int point, const struct point_value *v)
{
	(void)user;
	fuzz_check(point >= 0 && point < t.profile->point_count && (!number || is_configured(number)));
	fuzz_check(v->quality == QUALITY_GOOD || v->quality == QUALITY_UNKNOWN);
	fuzz_check(strnlen(v->text, sizeof(v->text)) < sizeof(v->text));
	fuzz_check(v->mono_us <= t.now_us);
}

static void host_heard(void *user, int online)
{
	(void)user;
	fuzz_check(!online || t.up);
}

static void host_done(void *user, int number, enum bus_status status)
{
	(void)user;
	fuzz_check(!t.in_command && is_configured(number) && status <= BUS_DISCONNECTED);
	fuzz_check(t.pending[number] > 0);
	t.pending[number]--;
}

static void run(void)
{
	t.sends = 0;
	for (int i = 0; t.due_us <= t.now_us; i++) {
		fuzz_check(i < RUNS_AT_ONCE);
		t.due_us = agent_can.run(t.agent, t.now_us);
	}
}

static void pass(int64_t us)
{
	int64_t until_us = t.now_us + us;

	while (t.due_us <= until_us) {
		t.now_us = t.due_us > t.now_us ? t.due_us : t.now_us;
		run();
	}
	t.now_us = until_us;
}

static void hear(const struct can_frame *frame)
{
	struct can_frame f = *frame;

	f.mono_us = t.now_us;
	f.len = f.len > CAN_DATA_MAX ? CAN_DATA_MAX : f.len;
	for (int i = f.len; i < CAN_DATA_MAX; i++)
		f.data[i] = 0;
	t.sends = 0;
	agent_can.frame(t.agent, &f);
	t.due_us = t.now_us;
	run();
}

/* A frame that is that message, of one of our connectors; what the profile leaves open is the fuzzer's. */
static struct can_frame fitting(const struct can_match *m, unsigned who, struct fuzz_input *in)
{
	int number = t.settings.numbers[who % (unsigned)t.settings.connectors];
	int unit = t.settings.unit + (number - 1) * t.profile->unit_stride;
	uint32_t id = take_u32(in);
	uint8_t data[CAN_DATA_MAX];

	take_into(in, data, sizeof(data));
	return can_fit(m, unit, number, id, data);
}

static const struct can_message *message_of(unsigned which)
{
	const struct can_plan *plan = t.profile->can;

	return plan->message_count ? &plan->messages[which % (unsigned)plan->message_count] : NULL;
}

/* Byte 1 counts packets of 6 bytes: their number, the length, the bytes, the sum of all before (can_plan.h). */
static void counted(const struct can_message *m, unsigned who, struct fuzz_input *in)
{
	struct can_frame head = fitting(&m->match, who, in);
	uint8_t stream[400] = {0};
	size_t len = take_u8(in), packets = (len + 5 + 5) / 6;
	unsigned sum = 0, torn = take_u8(in);

	stream[0] = (uint8_t)packets;
	stream[1] = (uint8_t)len;
	take_into(in, stream + 3, len);
	for (size_t i = 0; i < len + 3; i++)
		sum += stream[i];
	stream[3 + len] = (uint8_t)sum;
	stream[4 + len] = (uint8_t)(sum >> 8);
	for (size_t i = 0; i < packets; i++) {
		struct can_frame f = head;

		f.data[1] = (uint8_t)(i + 1);
		memcpy(f.data + 2, stream + 6 * i, 6);
		if (torn != i + 128)
			hear(&f);
	}
}

static void j1939(const struct can_message *m, unsigned who, struct fuzz_input *in)
{
	struct can_frame like = fitting(&m->match, who, in);
	size_t len = 9 + take_u8(in) % 240u, packets = (len + 6) / 7;
	unsigned torn = take_u8(in), source = j1939_source(like.id);
	unsigned to = torn & 1 ? J1939_ALL : (unsigned)t.profile->can->master;
	uint32_t pgn = j1939_pgn(like.id);
	struct can_frame f = {.id = j1939_id(7, J1939_PGN_TP_CM, to, source), .extended = 1, .len = 8};
	const uint8_t open[] = {torn & 1 ? J1939_BAM : J1939_RTS,
				(uint8_t)len,
				(uint8_t)(len >> 8),
				(uint8_t)packets,
				0xff,
				(uint8_t)pgn,
				(uint8_t)(pgn >> 8),
				(uint8_t)(pgn >> 16)};

	memcpy(f.data, open, sizeof(open));
	hear(&f);
	f.id = j1939_id(7, J1939_PGN_TP_DT, to, source);
	for (size_t i = 1; i <= packets; i++) {
		f.data[0] = (uint8_t)i;
		take_into(in, f.data + 1, 7);
		if (torn != i + 128)
			hear(&f);
	}
}

static void any(struct fuzz_input *in)
{
	uint8_t what = take_u8(in);
	struct can_frame f = {.extended = what & 1, .remote = what >> 1 & 1, .len = what >> 4};

	f.id = take_u32(in) & (f.extended ? CAN_ID_EXTENDED_MAX : CAN_ID_STANDARD_MAX);
	take_into(in, f.data, f.remote ? 0 : sizeof(f.data));
	hear(&f);
}

static void command(struct fuzz_input *in)
{
	uint8_t which = take_u8(in);
	int number = which >> 4;
	const struct profile *p = t.profile;
	struct error err = {0};

	if (!p->command_count)
		return;
	t.in_command = 1;
	int result = agent_can.command(t.agent, number, p->commands[which % p->command_count].name, &err);
	t.in_command = 0;
	if (!result) {
		fuzz_check(is_configured(number));
		t.pending[number]++;
	} else {
		fuzz_check(result == FC_ENOENT || result == FC_EBUSY || result == FC_EIO);
	}
	t.due_us = t.now_us;
	run();
}

static void limit(struct fuzz_input *in)
{
	struct error err = {0};
	int number = take_u8(in) & 15;
	int64_t milli = (int32_t)take_u32(in);

	if (!agent_can.limit(t.agent, number, milli, &err))
		fuzz_check(is_configured(number) && t.profile->setpoint.used);
	t.due_us = t.now_us;
	run();
}

static void line(struct fuzz_input *in)
{
	static const int results[] = {FC_OK, FC_OK, FC_EBUSY, FC_EIO};
	uint8_t what = take_u8(in);

	t.send_result = results[what & 3];
	if (what & 4)
		return;
	t.up = !t.up;
	agent_can.port(t.agent, t.up);
	t.due_us = t.now_us;
	run();
}

static void step(uint8_t what, struct fuzz_input *in)
{
	uint8_t which = take_u8(in);
	const struct can_message *m = message_of(which);
	unsigned who = what / KINDS % 16;

	switch (what % KINDS) {
	case FITS:
	case COUNTED:
	case J1939:
		if (!m)
			return;
		if (m->packets == CAN_PACKETS_COUNTED && what % KINDS != FITS) {
			counted(m, who, in);
		} else if (m->packets == CAN_PACKETS_J1939 && what % KINDS != FITS) {
			j1939(m, who, in);
		} else {
			struct can_frame f = fitting(&m->match, who, in);

			f.len = which >= 240 ? which & 7 : 8;
			hear(&f);
		}
		break;
	case ANY:
		any(in);
		break;
	case TIME:
		pass((int64_t)which * which * 1000);
		break;
	case COMMAND:
		command(in);
		break;
	case LIMIT:
		limit(in);
		break;
	default:
		line(in);
		break;
	}
	pass((int64_t)who * 1000);
}

/* profile: taken over. */
static void add_profile(struct profile *profile, const struct error *err)
{
	if (!profile)
		fuzz_failed(err->text, __FILE__, __LINE__);
	if (profile->can && profile_count < PROFILES)
		profiles[profile_count++] = profile;
	else
		profile_free(profile);
}

static void load_profiles(void)
{
	const char *dir = getenv("FORECOURT_LUA") ? getenv("FORECOURT_LUA") : "lua";
	const struct script_host host = {.lua_dir = dir, .limits = {.time_ms = 20000}};
	char path[600], name[64];
	struct error err = {0};
	struct dirent **list;

	(void)snprintf(path, sizeof(path), "%s/profiles", dir);
	int n = scandir(path, &list, NULL, alphasort);
	fuzz_check(n > 0);
	for (int i = 0; i < n; i++) {
		char *dot = strstr(list[i]->d_name, ".lua");
		int len = dot ? (int)(dot - list[i]->d_name) : 0;

		(void)snprintf(name, sizeof(name), "%.*s", len, list[i]->d_name);
		free(list[i]);
		if (!len)
			continue;
		add_profile(profile_load(&host, name, &err), &err);
	}
	(void)snprintf(path, sizeof(path), "%s/../tests/fuzz/corpus/profile/can-all.lua", dir);
	add_profile(profile_load_file(&host, path, NULL, &err), &err);
	free(list);
	fuzz_check(profile_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct agent_host host = {NULL, host_send, host_value, host_heard, host_done};
	struct fuzz_input in = {.data = data, .left = size};
	struct error err = {0};

	fuzz_quiet();
	if (size < SHORTEST)
		return -1;
	if (!profile_count)
		load_profiles();
	memset(&t, 0, sizeof(t));
	t.profile = profiles[fuzz_pick(&in, (unsigned)profile_count)];
	t.settings = (struct agent_settings){.name = "dc1", .unit = take_u8(&in), .poll_ms = 1000};
	t.settings.connectors = 1 + (int)fuzz_pick(&in, (unsigned)t.profile->connectors);
	for (int i = 0; i < t.settings.connectors; i++)
		t.settings.numbers[i] = i + 1;
	t.now_us = t.due_us = 1000000;
	t.agent = agent_can.start(t.profile, &t.settings, &host, &err);
	if (!t.agent) {
		fuzz_check(err.text[0]);
		return -1;
	}
	t.up = 1;
	agent_can.port(t.agent, 1);
	run();
	for (int i = 0; i < STEPS && in.left; i++)
		step(take_u8(&in), &in);
	/* Whatever happened: everybody hears how the command ended. */
	if (!t.up) {
		t.up = 1;
		agent_can.port(t.agent, 1);
	}
	t.send_result = FC_OK;
	t.due_us = t.now_us;
	pass((int64_t)UNTIL_DONE_S * 1000000);
	for (int i = 0; i <= PROFILE_CONNECTORS_MAX; i++)
		fuzz_check(!t.pending[i]);
	agent_can.stop(t.agent);
	return 0;
}
