/* bus/can on the kernel's own CAN: runs in the virtual machine (tests/vm/run.sh), as root.
 *
 *   vcan0, vcan1   virtual interfaces
 *   can0, can1     two SJA1000 controllers that QEMU emulates, wired together; the driver is the real one
 *   slcan0         a controller on a serial line: this program is the controller, so that it can go bus-off, be slow, be pulled out
 *
 * Peers that share nothing with us: cansend, cangen, candump, canplayer of can-utils, `ip` of iproute2, the kernel's drivers. */
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus/can.h"
#include "bus/can_text.h"

enum { PATIENCE_MS = 60000, KEPT = 64 };
static const int64_t second_us = 1000000;

static struct loop *loop;
static struct can_port *opened[8];

enum { N_SLCAN_DISCIPLINE = 17, DONGLE_BYTES = 65536 };

struct dongle {
	int master, slave;
	char name[32]; /* of the interface */
	char heard[DONGLE_BYTES];
	size_t n;
};

/* One that is read whenever the loop turns, as a controller reads its line. */
static struct dongle *plugged;

static void dongle_read(struct dongle *d)
{
	ssize_t n = read(d->master, d->heard + d->n, sizeof(d->heard) - 1 - d->n);

	if (n > 0)
		d->n += (size_t)n;
	d->heard[d->n] = '\0';
}

struct heard {
	struct can_port *port;
	uint64_t frames;
	struct can_frame first[KEPT];
	int states;
	enum can_state state, all[KEPT];
	int64_t at_us[KEPT]; /* when each state was told */
	uint32_t next;
	uint64_t out_of_order;
	int count_up; /* the first four bytes of each frame count up */
};

static uint32_t number_of(const struct can_frame *frame)
{
	return (uint32_t)frame->data[0] << 24 | (uint32_t)frame->data[1] << 16 | (uint32_t)frame->data[2] << 8 |
	       frame->data[3];
}

static struct can_frame numbered(uint32_t id, uint32_t number)
{
	return (struct can_frame){
	    .id = id,
	    .extended = 1,
	    .len = 4,
	    .data = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number}};
}

static void on_frame(void *user, const struct can_frame *frame)
{
	struct heard *h = user;

	if (h->frames < KEPT)
		h->first[h->frames] = *frame;
	h->frames++;
	if (h->count_up && number_of(frame) != h->next++)
		h->out_of_order++;
}

static void on_state(void *user, enum can_state state)
{
	struct heard *h = user;

	if (h->states < KEPT) {
		h->all[h->states] = state;
		h->at_us[h->states] = clock_mono_us();
	}
	h->states++;
	h->state = state;
}

static struct can_config config_of(const char *device)
{
	struct can_config config = {.name = "c1", .bitrate = 250000};

	(void)snprintf(config.device, sizeof(config.device), "%s", device);
	return config;
}

static void open_port(struct heard *h, const struct can_config *config)
{
	struct error err = {0};

	memset(h, 0, sizeof(*h));
	h->port = can_open(loop, config, &(struct can_hooks){.user = h, .frame = on_frame, .state = on_state}, &err);
	if (!h->port)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++)
		if (!opened[i]) {
			opened[i] = h->port;
			return;
		}
}

static void close_port(struct heard *h)
{
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++)
		if (opened[i] == h->port)
			opened[i] = NULL;
	can_close(h->port);
}

/* What a test that failed has left open. */
static int close_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++) {
		can_close(opened[i]);
		opened[i] = NULL;
	}
	plugged = NULL;
	return 0;
}

static int64_t patience(void)
{
	return clock_mono_ms() + PATIENCE_MS;
}

static void turn(int64_t end)
{
	if (clock_mono_ms() >= end)
		fail_msg("nothing more for %d s", PATIENCE_MS / 1000);
	assert_int_equal(loop_step(loop, 20), FC_OK);
	if (plugged)
		dongle_read(plugged);
}

static void until_frames(const struct heard *h, uint64_t frames)
{
	for (int64_t end = patience(); h->frames < frames;)
		turn(end);
}

static void until_states(const struct heard *h, int states)
{
	for (int64_t end = patience(); h->states < states;)
		turn(end);
}

static void until_state(const struct heard *h, enum can_state state)
{
	for (int64_t end = patience(); !h->states || h->state != state;)
		turn(end);
}

static void until_reason(const struct heard *h, const char *part)
{
	for (int64_t end = patience(); !strstr(can_reason(h->port), part);)
		turn(end);
}

static void run(const char *command)
{
	int result = system(command);

	if (result)
		fail_msg("%s: %d", command, result);
}

/* What a command prints. */
static const char *said(const char *command)
{
	static char text[8192];
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
	(void)pclose(pipe);
	return text;
}

static void says(const char *command, const char *part)
{
	const char *text = said(command);

	if (!strstr(text, part))
		fail_msg("%s does not say \"%s\":\n%s", command, part, text);
}

static struct can_stats stats_of(const struct heard *h)
{
	struct can_stats stats;

	can_get_stats(h->port, &stats);
	return stats;
}

/* --- vcan */

static void frames_come_and_go_beside_can_utils(void **state)
{
	struct can_config config = config_of("vcan0");
	struct heard h;

	(void)state;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	run("cansend vcan0 1826F456#010100");
	run("cansend vcan0 7FF#");
	run("cansend vcan0 123#R4");
	run("cansend vcan0 00000001#1122334455667788");
	until_frames(&h, 4);
	assert_true(h.first[0].extended && h.first[0].id == 0x1826F456 && h.first[0].len == 3);
	assert_memory_equal(h.first[0].data, "\1\1\0\0\0\0\0\0", 8);
	assert_true(!h.first[1].extended && h.first[1].id == 0x7ff && h.first[1].len == 0);
	assert_true(h.first[2].remote && h.first[2].len == 4);
	assert_true(h.first[3].extended && h.first[3].id == 1 && h.first[3].data[7] == 0x88);
	/* And the other way: candump writes what we send, and ends after three. */
	run("candump -L -n 3 vcan0 >/tmp/dump & sleep 1");
	assert_int_equal(
	    can_send(h.port, &(struct can_frame){.id = 0x1CECF456, .extended = 1, .len = 8, .data = {0x10, 9}}), FC_OK);
	assert_int_equal(can_send(h.port, &(struct can_frame){.id = 0x7ff}), FC_OK);
	assert_int_equal(can_send(h.port, &(struct can_frame){.id = 0x10, .remote = 1, .len = 2}), FC_OK);
	run("for i in 1 2 3 4 5 6 7 8 9 10; do [ $(wc -l </tmp/dump) = 3 ] || sleep 1; done");
	says("cat /tmp/dump", "vcan0 1CECF456#1009000000000000");
	says("cat /tmp/dump", "vcan0 7FF#\n");
	says("cat /tmp/dump", "vcan0 010#R2");
	assert_int_equal(h.frames, 4); /* none of our own */
	assert_int_equal(stats_of(&h).sent, 3);
	close_port(&h);
}

static void a_log_of_candump_plays_into_a_bus_and_from_a_file(void **state)
{
	struct can_config config = config_of("vcan0");
	struct heard live, replay;

	(void)state;
	run("for i in 0 1 2 3 4 5 6 7 8 9; do echo \"(1436509052.00${i}000) vcan0 1826F456#0${i}0000AA\"; done "
	    ">/tmp/in.log");
	open_port(&live, &config);
	until_state(&live, CAN_ACTIVE);
	run("candump -L -n 10 vcan0 >/tmp/out.log & sleep 1; canplayer -I /tmp/in.log; wait");
	until_frames(&live, 10);
	config = config_of("replay-fast:/tmp/out.log");
	open_port(&replay, &config);
	until_state(&replay, CAN_DOWN);
	assert_int_equal(replay.frames, 10);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(replay.first[i].data[0], i);
		assert_int_equal(live.first[i].id, replay.first[i].id);
		assert_memory_equal(live.first[i].data, replay.first[i].data, 8);
		/* Two sockets of one kernel, each with the kernel's stamp of the same frame. */
		assert_int_equal(live.first[i].wall_us, replay.first[i].wall_us);
	}
	close_port(&replay);
	close_port(&live);
}

static void two_ports_on_one_interface_hear_each_other(void **state)
{
	struct can_config config = config_of("vcan0");
	struct can_frame frame = numbered(0x1826F456, 7);
	struct heard a, b;

	(void)state;
	open_port(&a, &config);
	open_port(&b, &config);
	until_state(&a, CAN_ACTIVE);
	until_state(&b, CAN_ACTIVE);
	assert_int_equal(can_send(a.port, &frame), FC_OK);
	until_frames(&b, 1);
	assert_int_equal(can_send(b.port, &frame), FC_OK);
	until_frames(&a, 1);
	assert_int_equal(a.frames, 1);
	assert_int_equal(b.frames, 1);
	close_port(&a);
	assert_int_equal(can_send(b.port, &frame), FC_OK);
	close_port(&b);
}

static void filters_are_the_kernels(void **state)
{
	struct can_config config = config_of("vcan0");
	struct can_filter filters[] = {{.id = 0x0000F456, .mask = 0xffff, .extended = 1}, {.id = 0x100, .mask = 0x7ff}};
	struct heard h;

	(void)state;
	open_port(&h, &config);
	assert_int_equal(can_set_filters(h.port, filters, 2), FC_OK);
	until_state(&h, CAN_ACTIVE);
	run("cansend vcan0 1826F456#01; cansend vcan0 182756F4#01; cansend vcan0 100#01; cansend vcan0 00000100#01;"
	    "cansend vcan0 101#01; cansend vcan0 1010F456#02");
	until_frames(&h, 3);
	assert_int_equal(h.first[0].id, 0x1826F456);
	assert_int_equal(h.first[1].id, 0x100);
	assert_int_equal(h.first[2].id, 0x1010F456);
	/* The others never left the kernel, and errors come all the same. */
	assert_int_equal(stats_of(&h).received, 3);
	says("cat /proc/net/can/rcvlist_fil", "8000f456");
	run("cansend vcan0 20000004#0008000000000000");
	until_state(&h, CAN_WARNING);
	/* Others, and none, while it is open. */
	assert_int_equal(can_set_filters(h.port, filters, 0), FC_OK);
	run("cansend vcan0 1826F456#03");
	assert_int_equal(can_set_filters(h.port, NULL, 0), FC_OK);
	run("cansend vcan0 101#04");
	until_frames(&h, 4);
	assert_int_equal(h.first[3].id, 0x101);
	assert_int_equal(stats_of(&h).received, 4);
	close_port(&h);
}

static void a_frame_has_the_time_that_the_kernel_had_it(void **state)
{
	struct can_config config = config_of("vcan0");
	struct can_frame frame = numbered(1, 1);
	struct heard a, b;

	(void)state;
	open_port(&a, &config);
	open_port(&b, &config);
	until_state(&a, CAN_ACTIVE);
	until_state(&b, CAN_ACTIVE);
	int64_t before = clock_mono_us();

	assert_int_equal(can_send(a.port, &frame), FC_OK);
	int64_t after = clock_mono_us();

	/* The loop is late. */
	(void)usleep(500000);
	until_frames(&b, 1);
	/* Two clocks are read one after the other: some slack. */
	assert_in_range(b.first[0].mono_us, before - 20000, after + 20000);
	assert_true(clock_mono_us() - b.first[0].mono_us >= 480000);
	print_message("figure: a frame's time is %lld us after its sending began, while the loop slept 500 ms\n",
		      (long long)(b.first[0].mono_us - before));
	/* A wall clock that jumps in between is not believed. */
	assert_int_equal(can_send(a.port, &frame), FC_OK);
	run("date -s '2031-01-01 00:00:00' >/dev/null");
	before = clock_mono_us();
	until_frames(&b, 2);
	assert_true(b.first[1].mono_us >= before && b.first[1].mono_us <= clock_mono_us());
	close_port(&a);
	close_port(&b);
}

static void what_the_kernel_drops_is_counted(void **state)
{
	enum { FLOOD = 20000 };
	struct can_config config = config_of("vcan0");
	struct heard a, b;

	(void)state;
	open_port(&a, &config);
	open_port(&b, &config);
	until_state(&a, CAN_ACTIVE);
	until_state(&b, CAN_ACTIVE);
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct can_frame frame = numbered(0x100, i);

		assert_int_equal(can_send(a.port, &frame), FC_OK);
	}
	/* A turn stays short, however much there is. */
	for (uint64_t before = b.frames; b.frames < 1000; before = b.frames) {
		turn(patience());
		assert_true(b.frames - before <= 2 * 256);
	}
	/* The count of drops comes with the next frame that finds room. */
	int64_t end = patience();
	do {
		struct can_frame frame = numbered(0x100, FLOOD);

		turn(end);
		if (b.frames + stats_of(&b).dropped < FLOOD)
			assert_int_equal(can_send(a.port, &frame), FC_OK);
	} while (b.frames + stats_of(&b).dropped < FLOOD || !stats_of(&b).dropped);
	print_message("figure: of %d frames while the loop did nothing %llu waited in the kernel, %llu were dropped "
		      "and counted\n",
		      FLOOD, (unsigned long long)b.frames, (unsigned long long)stats_of(&b).dropped);
	assert_true(b.frames >= 1000);
	close_port(&a);
	close_port(&b);
}

static void a_flood_of_cangen_is_taken_whole(void **state)
{
	struct can_config config = config_of("vcan0");
	struct can_stats stats;
	struct heard h;
	int64_t begun;

	(void)state;
	config.bitrate = 250000;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	begun = clock_mono_us();
	/* 8 bytes, a millisecond apart: half a full bus. */
	run("cangen vcan0 -e -L 8 -g 1 -n 4000 &");
	until_frames(&h, 4000);
	int64_t took = clock_mono_us() - begun;

	stats = stats_of(&h);
	assert_int_equal(stats.dropped, 0);
	assert_int_equal(stats.received_bytes, 32000);
	assert_true(stats.load_max_permille > 0);
	print_message("figure: 4000 frames of cangen in %.1f s, none lost, load %u per mille of 250 kbit/s at most\n",
		      (double)took / 1e6, stats.load_max_permille);
	close_port(&h);
}

static void error_frames_are_states_and_counters(void **state)
{
	struct can_config config = config_of("vcan0");
	struct can_stats stats;
	struct heard h;

	(void)state;
	config.error_frames = 1;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	run("cansend vcan0 20000004#0008000000006000");
	until_states(&h, 2);
	run("cansend vcan0 20000004#0020000000008000");
	until_states(&h, 3);
	run("cansend vcan0 20000020#0000000000000000");
	/* vcan has no controller that could be bus-off: the kernel is asked, and says that all is well. */
	run("cansend vcan0 20000040#0000000000000000");
	until_states(&h, 5);
	assert_int_equal(h.all[1], CAN_WARNING);
	assert_int_equal(h.all[2], CAN_PASSIVE);
	assert_int_equal(h.all[3], CAN_BUS_OFF);
	assert_int_equal(h.all[4], CAN_ACTIVE);
	stats = stats_of(&h);
	assert_int_equal(stats.errors, 4);
	assert_int_equal(stats.no_ack, 1);
	assert_int_equal(stats.bus_offs, 1);
	assert_int_equal(h.frames, 4);
	assert_true(h.first[2].error && h.first[2].id == 0x20);
	close_port(&h);
}

static void an_interface_goes_down_and_comes_back(void **state)
{
	struct can_config config = config_of("vcan1");
	struct can_frame frame = numbered(1, 1);
	struct heard h;

	(void)state;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	run("/bin/ip link set vcan1 down");
	until_state(&h, CAN_DOWN);
	until_reason(&h, "run `ip link set vcan1 up`");
	assert_int_equal(can_send(h.port, &frame), FC_EIO);
	int64_t begun = clock_mono_us();

	run("/bin/ip link set vcan1 up");
	until_state(&h, CAN_ACTIVE);
	print_message("figure: up again %.2f s after the interface was\n", (double)(clock_mono_us() - begun) / 1e6);
	run("cansend vcan1 123#01");
	until_frames(&h, 1);
	/* Away altogether, and another one of that name. */
	run("/bin/ip link del vcan1");
	until_state(&h, CAN_DOWN);
	until_reason(&h, "no such interface");
	run("/bin/ip link add dev vcan1 type vcan; /bin/ip link set vcan1 up");
	until_state(&h, CAN_ACTIVE);
	run("cansend vcan1 123#02");
	until_frames(&h, 2);
	assert_int_equal(stats_of(&h).downs, 2);
	close_port(&h);
	/* We may bring it up ourselves; it has no bit rate. */
	run("/bin/ip link set vcan1 down");
	config.bring_up = 1;
	config.restart_ms = 100;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	run("/bin/ip link set vcan1 down");
	until_states(&h, 3);
	assert_int_equal(h.all[1], CAN_DOWN);
	assert_int_equal(h.all[2], CAN_ACTIVE);
	close_port(&h);
}

static int descriptors(void)
{
	return atoi(said("ls /proc/$PPID/fd | wc -l"));
}

/* An adapter with a loose plug, for an hour at one time in 12 s. */
static void down_and_up_for_long_leaves_nothing_behind(void **state)
{
	enum { TIMES = 300 };
	struct can_config config = config_of("vcan1");
	struct heard h;
	int before = 0;
	size_t used = 0;

	(void)state;
	open_port(&h, &config);
	for (int i = 0; i < TIMES; i++) {
		until_state(&h, CAN_ACTIVE);
		if (i == 20) {
			before = descriptors();
			used = mallinfo2().uordblks;
		}
		if (i % 3)
			run("/bin/ip link set vcan1 down");
		else
			run("/bin/ip link del vcan1");
		until_state(&h, CAN_DOWN);
		if (i % 3)
			run("/bin/ip link set vcan1 up");
		else
			run("/bin/ip link add dev vcan1 type vcan; /bin/ip link set vcan1 up");
	}
	until_state(&h, CAN_ACTIVE);
	assert_int_equal(descriptors(), before);
	assert_int_equal(mallinfo2().uordblks, used);
	assert_int_equal(stats_of(&h).downs, TIMES);
	run("cansend vcan1 123#02");
	until_frames(&h, 1);
	close_port(&h);
}

/* --- two controllers, the driver kvaser_pci */

static struct can_config controller(const char *name)
{
	struct can_config config = config_of(name);

	config.bring_up = 1;
	return config;
}

static void a_controller_is_brought_up_as_configured(void **state)
{
	struct can_config config = controller("can0");
	struct heard h;

	(void)state;
	config.restart_ms = 100;
	config.sample_point = 875;
	says("/bin/ip -d link show can0", "state DOWN");
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	says("/bin/ip -d link show can0", "bitrate 250000 sample-point 0.875");
	says("/bin/ip -d link show can0", "restart-ms 100");
	says("/bin/ip -d link show can0", "state ERROR-ACTIVE");
	assert_int_equal(stats_of(&h).bitrate, 250000);
	close_port(&h);
	/* Left as it is, and nothing is done when it is right. */
	says("/bin/ip -d link show can0", "UP");
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	close_port(&h);
	/* Another bit rate: down and up again. */
	config.bitrate = 500000;
	config.sample_point = 0;
	config.restart_ms = 0;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	says("/bin/ip -d link show can0", "bitrate 500000");
	says("/bin/ip -d link show can0", "restart-ms 0");
	/* Somebody else changes it: it is set again. */
	run("/bin/ip link set can0 down; /bin/ip link set can0 type can bitrate 125000; /bin/ip link set can0 up");
	says("/bin/ip -d link show can0",
	     "bitrate 125000"); /* the loop stood still, and may mend it in its next turn */
	for (int64_t end = patience(); !strstr(said("/bin/ip -d link show can0"), "bitrate 500000");)
		turn(end);
	for (int64_t end = patience(); h.state != CAN_ACTIVE || stats_of(&h).bitrate != 500000;)
		turn(end);
	close_port(&h);
	/* One that the controller can't do. */
	config.bitrate = 1500;
	open_port(&h, &config);
	until_reason(&h, "the controller can't be set to 1500 bit/s");
	assert_int_equal(h.states, 0);
	close_port(&h);
	run("/bin/ip link set can0 down");
}

static void a_wrong_bit_rate_that_is_not_ours_is_told(void **state)
{
	struct can_config config = config_of("can0");
	struct heard h;

	(void)state;
	run("/bin/ip link set can0 type can bitrate 500000 restart-ms 0; /bin/ip link set can0 up");
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	assert_int_equal(stats_of(&h).bitrate, 500000);
	says("/bin/ip -d link show can0", "bitrate 500000");
	close_port(&h);
	run("/bin/ip link set can0 down");
	/* Down, and not ours to bring up: the command that does is said. */
	config.restart_ms = 100;
	config.listen_only = 1;
	open_port(&h, &config);
	until_reason(&h, "run `ip link set can0 up type can bitrate 250000 restart-ms 100 listen-only on`");
	run("/bin/ip link set can0 up type can bitrate 250000 restart-ms 100 listen-only on");
	until_state(&h, CAN_ACTIVE);
	close_port(&h);
	run("/bin/ip link set can0 down");
}

static void a_listener_does_not_even_acknowledge(void **state)
{
	struct can_config config = controller("can0");
	struct can_frame frame = numbered(1, 1);
	struct heard h;

	(void)state;
	config.listen_only = 1;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	says("/bin/ip -d link show can0", "LISTEN-ONLY");
	assert_int_equal(can_send(h.port, &frame), FC_EINVAL);
	close_port(&h);
	/* And back. */
	config.listen_only = 0;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	assert_null(strstr(said("/bin/ip -d link show can0"), "LISTEN-ONLY"));
	close_port(&h);
}

static void two_controllers_talk(void **state)
{
	enum { FRAMES = 2000 };
	struct can_config config = controller("can0");
	struct heard a, b;
	uint64_t busy = 0;

	(void)state;
	open_port(&a, &config);
	config = controller("can1");
	open_port(&b, &config);
	until_state(&a, CAN_ACTIVE);
	until_state(&b, CAN_ACTIVE);
	a.count_up = b.count_up = 1;
	int64_t begun = clock_mono_us(), end = patience();

	for (uint32_t sent_a = 0, sent_b = 0; sent_a < FRAMES || sent_b < FRAMES;) {
		struct can_frame from_a = numbered(0x1826F456, sent_a), from_b = numbered(0x182756F4, sent_b);
		int result_a = sent_a < FRAMES ? can_send(a.port, &from_a) : FC_EBUSY;
		int result_b = sent_b < FRAMES ? can_send(b.port, &from_b) : FC_EBUSY;

		sent_a += result_a == FC_OK;
		sent_b += result_b == FC_OK;
		busy += (uint64_t)(result_a == FC_EBUSY) + (uint64_t)(result_b == FC_EBUSY);
		assert_true((result_a == FC_OK || result_a == FC_EBUSY) && (result_b == FC_OK || result_b == FC_EBUSY));
		turn(end);
	}
	until_frames(&a, FRAMES);
	until_frames(&b, FRAMES);
	assert_int_equal(a.out_of_order, 0);
	assert_int_equal(b.out_of_order, 0);
	assert_int_equal(stats_of(&a).dropped + stats_of(&b).dropped, 0);
	print_message("figure: two emulated controllers: %d frames each way in %.2f s, %llu times busy, none lost\n",
		      FRAMES, (double)(clock_mono_us() - begun) / 1e6, (unsigned long long)busy);
	/* A driver that says bus-off while its controller is well is not believed for long. */
	int states = a.states;

	run("cansend can0 20000040#0000000000000000");
	until_states(&a, states + 2);
	assert_int_equal(a.state, CAN_ACTIVE);
	close_port(&a);
	close_port(&b);
	run("/bin/ip link set can0 down; /bin/ip link set can1 down");
	print_message("SKIPPED bus-off of the emulated controllers: QEMU's SJA1000 makes no errors; the serial "
		      "controller does it below\n");
}

static int as_nobody(void)
{
	struct can_config config = controller("can0");
	struct heard h = {0};
	struct error err;

	if (setgid(65534) || setuid(65534))
		return 1;
	loop = loop_new(NULL);
	h.port =
	    loop ? can_open(loop, &config, &(struct can_hooks){.user = &h, .frame = on_frame, .state = on_state}, &err)
		 : NULL;
	if (!h.port)
		return 1;
	for (int64_t end = patience(); !*can_reason(h.port) && clock_mono_ms() < end;)
		(void)loop_step(loop, 20);
	printf("%s\n", can_reason(h.port));
	can_close(h.port);
	loop_free(loop);
	return 0;
}

static void without_the_right_the_command_is_named(void **state)
{
	(void)state;
	run("/bin/ip link set can0 down");
	says("test_socketcan --nobody 2>&1",
	     "not allowed to set it up (no CAP_NET_ADMIN): run `ip link set can0 up type can bitrate 250000`");
	says("test_socketcan --nobody 2>/dev/null",
	     "can't be brought up: Operation not permitted: run `ip link set can0 up");
}

/* --- a controller on a serial line, which is this program */

static void dongle_open(struct dongle *d)
{
	int discipline = N_SLCAN_DISCIPLINE;
	struct termios raw;

	memset(d, 0, sizeof(*d));
	d->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(d->master >= 0 && !grantpt(d->master) && !unlockpt(d->master));
	d->slave = open(ptsname(d->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(d->slave >= 0 && !tcgetattr(d->slave, &raw));
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(d->slave, TCSANOW, &raw), 0);
	assert_int_equal(ioctl(d->slave, TIOCSETD, &discipline), 0);
	plugged = d;
	assert_int_equal(ioctl(d->slave, 0x8910 /* SIOCGIFNAME */, d->name), 0);
}

static void dongle_pull_out(struct dongle *d)
{
	plugged = NULL;
	close(d->slave);
	close(d->master);
}

static void dongle_says(struct dongle *d, const char *text)
{
	assert_int_equal(write(d->master, text, strlen(text)), strlen(text));
}

static void until_dongle_hears(struct dongle *d, const char *text)
{
	for (int64_t end = patience(); !strstr(d->heard, text);) {
		turn(end);
	}
}

static void a_controller_on_a_serial_line_does_as_it_is_told(void **state)
{
	static struct dongle d;
	struct can_config config;
	struct can_frame frame = {.id = 0x1826F456, .extended = 1, .len = 3, .data = {1, 1, 0}};
	struct heard h;

	(void)state;
	dongle_open(&d);
	config = controller(d.name);
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	/* LAWICEL's commands: 250 kbit/s, open. */
	until_dongle_hears(&d, "S5\r");
	until_dongle_hears(&d, "O\r");
	assert_int_equal(can_send(h.port, &frame), FC_OK);
	until_dongle_hears(&d, "T1826F4563010100\r");
	dongle_says(&d, "T182756F43030101\r");
	until_frames(&h, 1);
	assert_int_equal(h.first[0].id, 0x182756F4);
	close_port(&h);
	/* Only listening is set in the controller itself. */
	config.listen_only = 1;
	d.n = 0;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	until_dongle_hears(&d, "L\r");
	close_port(&h);
	dongle_pull_out(&d);
}

static void bus_off_is_recovered_from_slower_each_time(void **state)
{
	static struct dongle d;
	struct can_config config;
	struct can_frame frame = numbered(1, 1);
	struct can_stats stats;
	struct heard h;

	(void)state;
	dongle_open(&d);
	config = controller(d.name);
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	dongle_says(&d, "sw096000\r");
	until_state(&h, CAN_WARNING);
	dongle_says(&d, "sp128000\r");
	until_state(&h, CAN_PASSIVE);
	stats = stats_of(&h);
	assert_int_equal(stats.rx_errors, 128);
	dongle_says(&d, "sa000000\r");
	until_state(&h, CAN_ACTIVE);
	for (int i = 0; i < 3; i++) {
		int states = h.states;

		d.n = 0;
		dongle_says(&d, "sb000255\r");
		until_states(&h, states + 1);
		assert_int_equal(h.state, CAN_BUS_OFF);
		assert_int_equal(can_send(h.port, &frame), FC_EIO);
		/* Restarted after 1, 2, 4 s at the earliest: the controller is closed and opened again. */
		until_state(&h, CAN_ACTIVE);
		until_dongle_hears(&d, "O\r");
		assert_true(h.at_us[h.states - 1] - h.at_us[states] >= (second_us << i) - 50000);
		print_message("figure: bus-off no. %d: back after %.1f s\n", i + 1,
			      (double)(h.at_us[h.states - 1] - h.at_us[states]) / 1e6);
	}
	stats = stats_of(&h);
	assert_int_equal(stats.bus_offs, 3);
	assert_true(stats.restarts >= 3);
	assert_int_equal(stats.warnings, 1);
	assert_int_equal(stats.passives, 1);
	assert_int_equal(can_send(h.port, &frame), FC_OK);
	close_port(&h);
	/* Where restarting is not ours, the command is said. */
	config.bring_up = 0;
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	dongle_says(&d, "sb000255\r");
	until_state(&h, CAN_BUS_OFF);
	until_reason(&h, "type can restart`");
	close_port(&h);
	dongle_pull_out(&d);
}

static void a_full_send_queue_is_busy_and_loses_nothing(void **state)
{
	static struct dongle d;
	struct can_config config;
	struct heard h;
	uint32_t taken = 0;
	int result;

	(void)state;
	dongle_open(&d);
	config = controller(d.name);
	open_port(&h, &config);
	until_state(&h, CAN_ACTIVE);
	until_dongle_hears(&d, "O\r");
	d.n = 0;
	/* The controller takes nothing. */
	plugged = NULL;
	do {
		struct can_frame frame = numbered(0x100, taken);

		result = can_send(h.port, &frame);
		taken += result == FC_OK;
		if (taken % 16 == 0)
			turn(patience());
	} while (result == FC_OK && taken < 100000);
	assert_int_equal(result, FC_EBUSY);
	assert_int_equal(h.state, CAN_ACTIVE);
	assert_int_equal(stats_of(&h).busy, 1);
	/* It takes them all, in order. */
	uint32_t came = 0;

	plugged = &d;
	for (int64_t end = patience(); came < taken;) {
		char want[40];

		turn(end);
		(void)snprintf(want, sizeof(want), "T000001004%08X\r", came);
		while (d.n >= strlen(want)) {
			if (memcmp(d.heard, want, strlen(want)) != 0)
				fail_msg("frame %u is %.40s", came, d.heard);
			d.n -= strlen(want);
			memmove(d.heard, d.heard + strlen(want), d.n);
			came++;
			(void)snprintf(want, sizeof(want), "T000001004%08X\r", came);
		}
	}
	struct can_frame frame = numbered(0x100, taken);
	for (int64_t end = patience(); (result = can_send(h.port, &frame)) == FC_EBUSY;)
		turn(end);
	assert_int_equal(result, FC_OK);
	print_message("figure: busy after %u frames that the controller did not take; then all came in order\n", taken);
	close_port(&h);
	dongle_pull_out(&d);
}

static void an_adapter_that_is_pulled_out_and_put_in_again_goes_on(void **state)
{
	static struct dongle d;
	struct can_config config;
	struct can_frame frame = numbered(1, 1);
	struct heard h;

	(void)state;
	dongle_open(&d);
	config = controller(d.name);
	open_port(&h, &config);
	for (int i = 0; i < 5; i++) {
		until_state(&h, CAN_ACTIVE);
		dongle_says(&d, "t1232AABB\r");
		until_frames(&h, (uint64_t)i + 1);
		dongle_pull_out(&d);
		until_state(&h, CAN_DOWN);
		assert_int_equal(can_send(h.port, &frame), FC_EIO);
		until_reason(&h, "no such interface");
		dongle_open(&d);
		assert_string_equal(d.name, config.device);
	}
	until_state(&h, CAN_ACTIVE);
	until_dongle_hears(&d, "S5\r");
	close_port(&h);
	dongle_pull_out(&d);
}

static int set_up(void **state)
{
	(void)state;
	loop = loop_new(NULL);
	return loop ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(frames_come_and_go_beside_can_utils, close_all),
	    cmocka_unit_test_teardown(a_log_of_candump_plays_into_a_bus_and_from_a_file, close_all),
	    cmocka_unit_test_teardown(two_ports_on_one_interface_hear_each_other, close_all),
	    cmocka_unit_test_teardown(filters_are_the_kernels, close_all),
	    cmocka_unit_test_teardown(a_frame_has_the_time_that_the_kernel_had_it, close_all),
	    cmocka_unit_test_teardown(what_the_kernel_drops_is_counted, close_all),
	    cmocka_unit_test_teardown(a_flood_of_cangen_is_taken_whole, close_all),
	    cmocka_unit_test_teardown(error_frames_are_states_and_counters, close_all),
	    cmocka_unit_test_teardown(an_interface_goes_down_and_comes_back, close_all),
	    cmocka_unit_test_teardown(down_and_up_for_long_leaves_nothing_behind, close_all),
	    cmocka_unit_test_teardown(a_controller_is_brought_up_as_configured, close_all),
	    cmocka_unit_test_teardown(a_wrong_bit_rate_that_is_not_ours_is_told, close_all),
	    cmocka_unit_test_teardown(a_listener_does_not_even_acknowledge, close_all),
	    cmocka_unit_test_teardown(two_controllers_talk, close_all),
	    cmocka_unit_test_teardown(without_the_right_the_command_is_named, close_all),
	    cmocka_unit_test_teardown(a_controller_on_a_serial_line_does_as_it_is_told, close_all),
	    cmocka_unit_test_teardown(bus_off_is_recovered_from_slower_each_time, close_all),
	    cmocka_unit_test_teardown(a_full_send_queue_is_busy_and_loses_nothing, close_all),
	    cmocka_unit_test_teardown(an_adapter_that_is_pulled_out_and_put_in_again_goes_on, close_all),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "--nobody"))
		return as_nobody();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
