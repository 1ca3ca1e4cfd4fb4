#include "sim/bms_bus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { DATAGRAM = 16, LENGTH_AT = 4, DATA_AT = 8, TRIES = 50, MICROSECOND = 1000 };
#define EXTENDED 0x80000000u

struct bus {
	int fd, is_can;
	char own[108];
	struct sockaddr_un peer;
	FILE *log;
	unsigned long lost;
};

static void die(const char *where, const char *what)
{
	fprintf(stderr, "sim-bms: %s: %s: %s\n", where, what, strerror(errno));
	exit(1);
}

static void open_datagram(struct bus *b, const char *where, const char *paths)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	const char *comma = strchr(paths, ',');

	b->peer.sun_family = AF_UNIX;
	errno = EINVAL;
	if (!comma || comma == paths || (size_t)(comma - paths) >= sizeof(own.sun_path) || !comma[1] ||
	    strlen(comma + 1) >= sizeof(b->peer.sun_path))
		die(where, "want datagram:OWN,PEER");
	memcpy(own.sun_path, paths, (size_t)(comma - paths));
	(void)snprintf(b->peer.sun_path, sizeof(b->peer.sun_path), "%s", comma + 1);
	memcpy(b->own, own.sun_path, sizeof(b->own));
	(void)unlink(b->own);
	b->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (b->fd < 0 || bind(b->fd, (struct sockaddr *)&own, sizeof(own)))
		die(where, "bind");
}

static void open_can(struct bus *b, const char *where, const char *name)
{
	struct sockaddr_can address = {.can_family = AF_CAN};

	b->is_can = 1;
	b->fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
	if (b->fd < 0)
		die(where, "socket");
	address.can_ifindex = (int)if_nametoindex(name);
	if (!address.can_ifindex)
		die(where, "interface");
	if (bind(b->fd, (struct sockaddr *)&address, sizeof(address)))
		die(where, "bind");
}

struct bus *bus_open(const char *where, FILE *log)
{
	struct bus *b = calloc(1, sizeof(*b));

	if (!b)
		die(where, "memory");
	b->fd = -1;
	b->log = log;
	if (!strncmp(where, "datagram:", 9)) {
		open_datagram(b, where, where + 9);
	} else if (!strncmp(where, "socket:", 7)) {
		open_can(b, where, where + 7);
	} else if (!strncmp(where, "log:", 4)) {
		b->log = fopen(where + 4, "we");
		if (!b->log)
			die(where, "open");
	} else {
		errno = EINVAL;
		die(where, "want datagram:OWN,PEER or socket:INTERFACE or log:FILE");
	}
	return b;
}

void bus_close(struct bus *b)
{
	if (b->fd >= 0)
		close(b->fd);
	if (b->own[0])
		(void)unlink(b->own);
	if (b->log)
		(void)fclose(b->log);
	free(b);
}

int bus_fd(const struct bus *b)
{
	return b->fd;
}

unsigned long bus_lost(const struct bus *b)
{
	return b->lost;
}

static void write_log(const struct bus *b, const struct bus_frame *f)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	fprintf(b->log, "(%lld.%06ld) can0 %08X#", (long long)t.tv_sec, t.tv_nsec / MICROSECOND, f->id);
	for (int i = 0; i < f->len; i++)
		fprintf(b->log, "%02X", f->data[i]);
	fputc('\n', b->log);
	(void)fflush(b->log);
}

void bus_send(struct bus *b, const struct bus_frame *f)
{
	if (b->log)
		write_log(b, f);
	if (b->is_can) {
		struct can_frame out = {.can_id = f->id | CAN_EFF_FLAG, .can_dlc = f->len};

		memcpy(out.data, f->data, sizeof(out.data));
		/* A controller's queue is short: wait for room as a controller does, but not for ever. */
		for (int i = 0; write(b->fd, &out, sizeof(out)) != (ssize_t)sizeof(out); i++) {
			if (errno != ENOBUFS || i == TRIES) {
				b->lost++;
				return;
			}
			(void)usleep(MICROSECOND);
		}
	} else if (b->fd >= 0) {
		uint8_t out[DATAGRAM] = {0};
		uint32_t id = htonl(f->id | EXTENDED);

		memcpy(out, &id, sizeof(id));
		out[LENGTH_AT] = f->len;
		memcpy(out + DATA_AT, f->data, sizeof(f->data));
		for (int i = 0; sendto(b->fd, out, sizeof(out), 0, (struct sockaddr *)&b->peer, sizeof(b->peer)) < 0;
		     i++) {
			if (errno != EAGAIN || i == TRIES) {
				b->lost++;
				return;
			}
			(void)usleep(MICROSECOND);
		}
	}
}

int bus_receive(struct bus *b, struct bus_frame *f)
{
	*f = (struct bus_frame){0};
	if (b->is_can) {
		struct can_frame in;

		while (read(b->fd, &in, sizeof(in)) == (ssize_t)sizeof(in)) {
			if (!(in.can_id & CAN_EFF_FLAG) || in.can_id & (CAN_RTR_FLAG | CAN_ERR_FLAG) ||
			    in.can_dlc > sizeof(f->data))
				continue;
			f->id = in.can_id & CAN_EFF_MASK;
			f->len = in.can_dlc;
			memcpy(f->data, in.data, f->len);
			return 1;
		}
		return 0;
	}
	uint8_t in[DATAGRAM];

	while (b->fd >= 0) {
		ssize_t n = recv(b->fd, in, sizeof(in), 0);
		uint32_t id;

		if (n < 0)
			return 0;
		memcpy(&id, in, sizeof(id));
		id = ntohl(id);
		if (n != DATAGRAM || !(id & EXTENDED) || in[LENGTH_AT] > sizeof(f->data))
			continue;
		f->id = id & CAN_EFF_MASK;
		f->len = in[LENGTH_AT];
		memcpy(f->data, in + DATA_AT, f->len);
		return 1;
	}
	return 0;
}
