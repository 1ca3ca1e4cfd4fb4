/* A candump log as a bus: what it holds is received again, at its own pace or as fast as the loop takes it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bus/can_port.h"
#include "bus/can_text.h"

/* candump's longest line has some 80 characters. */
enum { LINE_MAX_BYTES = 256 };

static const int64_t longest_gap_us = (int64_t)3600 * 1000000;

struct replay {
	struct can_port *port;
	FILE *file;
	char path[sizeof(((struct can_config *)0)->device)];
	unsigned line;
	int paced;
	struct loop_timer timer;
	struct can_frame next; /* read already, waiting for its time */
	int waiting;
	int64_t base_mono_us, base_wall_us; /* log time to our time; set by the first frame that has a time */
	int based;
	uint64_t frames; /* since the beginning of the file: a file without any is not begun again */
};

static void malformed(struct replay *replay, const char *why)
{
	char where[sizeof(replay->path) + 16];

	(void)snprintf(where, sizeof(where), "%s:%u", replay->path, replay->line);
	can_port_malformed(replay->port, where, why);
}

/* The next line into line, without what makes it too long. FC_OK; FC_EINVAL: no line of text; FC_ENOENT: end of file; FC_EIO. */
static int read_line(struct replay *replay, char line[LINE_MAX_BYTES])
{
	size_t n = 0;
	int c, bad = 0;

	while ((c = fgetc(replay->file)) != EOF && c != '\n') {
		/* A file that is no text at all gets a line's end here too: a turn of the loop stays short. */
		if (n == LINE_MAX_BYTES - 1) {
			(void)ungetc(c, replay->file);
			bad = 1;
			break;
		}
		bad |= c == '\0';
		line[n++] = (char)c;
	}
	line[n] = '\0';
	if (c == EOF && n == 0)
		return ferror(replay->file) ? FC_EIO : FC_ENOENT;
	replay->line++;
	return bad ? FC_EINVAL : FC_OK;
}

/* When the frame is due. */
static int64_t due(struct replay *replay, const struct can_log_line *line, int64_t now_us)
{
	int64_t at;

	if (!replay->paced || !line->timed)
		return now_us;
	at = replay->base_mono_us + (line->frame.wall_us - replay->base_wall_us);
	/* The first; and one from before the last or long after it: logs that were joined, or a clock that was set. From here on anew. */
	if (!replay->based || line->frame.wall_us < replay->next.wall_us ||
	    line->frame.wall_us - replay->next.wall_us > longest_gap_us) {
		replay->based = 1;
		replay->base_mono_us = at = now_us;
		replay->base_wall_us = line->frame.wall_us;
	}
	return at;
}

static void deliver(struct replay *replay)
{
	struct can_frame frame = replay->next;

	replay->waiting = 0;
	frame.mono_us = clock_mono_us();
	if (!frame.wall_us)
		frame.wall_us = can_wall_us();
	replay->frames++;
	can_port_received(replay->port, &frame);
}

/* Nonzero when it goes on from the beginning. */
static int at_end(struct replay *replay, int result)
{
	if (result == FC_EIO) {
		can_port_state(replay->port, CAN_DOWN, "%s:%u: can't be read: %s", replay->path, replay->line,
			       strerror(errno));
		return 0;
	}
	if (replay->port->config.repeat && replay->frames) {
		rewind(replay->file);
		replay->line = 0;
		replay->frames = 0;
		replay->based = 0;
		replay->next.wall_us = 0;
		return 1;
	}
	if (replay->port->stats.malformed)
		can_port_state(replay->port, CAN_DOWN, "end of file, %llu lines were no CAN frames",
			       (unsigned long long)replay->port->stats.malformed);
	else
		can_port_state(replay->port, CAN_DOWN, "end of file");
	return 0;
}

static void turn(void *user)
{
	struct replay *replay = user;
	int64_t now = clock_mono_us();

	can_port_state(replay->port, CAN_ACTIVE, "%s", "");
	if (replay->waiting)
		deliver(replay);
	for (int i = 0; i < CAN_TURN_MAX; i++) {
		char text[LINE_MAX_BYTES];
		struct can_log_line line;
		struct error err = {.text = "no line of text"};
		int result = read_line(replay, text);

		if (result == FC_ENOENT || result == FC_EIO) {
			if (at_end(replay, result))
				break;
			return;
		}
		if (!result)
			result = can_log_parse(text, &line, &err);
		if (result == FC_EINVAL)
			malformed(replay, err.text);
		if (result)
			continue;
		int64_t at = due(replay, &line, now);

		replay->next = line.frame;
		replay->waiting = 1;
		if (at > now) {
			(void)loop_timer_set(replay->port->loop, &replay->timer, at - now);
			return;
		}
		deliver(replay);
	}
	(void)loop_timer_set(replay->port->loop, &replay->timer, 1);
}

static void close_replay(void *own)
{
	struct replay *replay = own;

	loop_timer_cancel(replay->port->loop, &replay->timer);
	if (replay->file)
		(void)fclose(replay->file);
	free(replay);
}

static void *open_replay(struct can_port *port, const char *what, struct error *err, int paced)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", port->config.name);
		return NULL;
	}
	replay->port = port;
	replay->paced = paced;
	(void)snprintf(replay->path, sizeof(replay->path), "%s", what);
	replay->timer = (struct loop_timer){.fn = turn, .user = replay};
	replay->file = fopen(what, "re");
	if (!replay->file)
		(void)error_set(err, errno == ENOENT ? FC_ENOENT : FC_EIO, "bus: %s: %s: %s", port->config.name, what,
				strerror(errno));
	/* The timer's memory is taken now. */
	else if (!loop_timer_set(port->loop, &replay->timer, 1))
		return replay;
	else
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", port->config.name);
	close_replay(replay);
	return NULL;
}

static void *open_paced(struct can_port *port, const char *what, struct error *err)
{
	return open_replay(port, what, err, 1);
}

static void *open_fast(struct can_port *port, const char *what, struct error *err)
{
	return open_replay(port, what, err, 0);
}

/* Nobody is there to hear it. */
static int send_nowhere(void *own, const struct can_frame *frame)
{
	const struct replay *replay = own;

	(void)frame;
	return replay->port->stats.state == CAN_DOWN ? FC_EIO : FC_OK;
}

const struct can_transport can_replay = {
    .prefix = "replay:",
    .open = open_paced,
    .close = close_replay,
    .send = send_nowhere,
};
const struct can_transport can_replay_fast = {
    .prefix = "replay-fast:",
    .open = open_fast,
    .close = close_replay,
    .send = send_nowhere,
};
