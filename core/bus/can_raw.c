#include "bus/can_raw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The kernel's headers use the same tags as bus/can.h for other things: here they are kernel_can_... */
#define can_frame  kernel_can_frame
#define can_filter kernel_can_filter
#include <linux/can.h>
#include <linux/can/raw.h>
#undef can_frame
#undef can_filter

#include "base/clock.h"
#include "bus/can_port.h"

/* A frame's control data are a time stamp and the count of drops. */
enum { CONTROL_BYTES = CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t)) };
/* Some 1300 frames with what the kernel adds to each: 0.6 s of a full bus of 250 kbit/s that the loop may be late. */
enum { RECEIVE_BYTES = 512 * 1024 };

static const int64_t oldest_us = 10 * 1000000;

struct can_raw {
	int fd, index;
	uint32_t drops; /* as the kernel counts: since the socket was opened */
	struct kernel_can_frame frames[CAN_RAW_BATCH];
	union {
		struct cmsghdr align;
		char bytes[CONTROL_BYTES];
	} control[CAN_RAW_BATCH];
	struct iovec iov[CAN_RAW_BATCH];
	struct mmsghdr messages[CAN_RAW_BATCH];
};

struct can_raw *can_raw_new(void)
{
	struct can_raw *raw = calloc(1, sizeof(*raw));

	if (!raw)
		return NULL;
	raw->fd = -1;
	for (int i = 0; i < CAN_RAW_BATCH; i++) {
		raw->iov[i] = (struct iovec){.iov_base = &raw->frames[i], .iov_len = sizeof(raw->frames[i])};
		raw->messages[i].msg_hdr =
		    (struct msghdr){.msg_iov = &raw->iov[i], .msg_iovlen = 1, .msg_control = raw->control[i].bytes};
	}
	return raw;
}

void can_raw_close(struct can_raw *raw)
{
	if (raw->fd >= 0)
		close(raw->fd);
	raw->fd = -1;
}

void can_raw_free(struct can_raw *raw)
{
	if (!raw)
		return;
	can_raw_close(raw);
	free(raw);
}

int can_raw_fd(const struct can_raw *raw)
{
	return raw->fd;
}

int can_raw_index(const struct can_raw *raw)
{
	return raw->index;
}

int can_raw_filter(struct can_raw *raw, const struct can_filter *filters, int count, struct error *err)
{
	struct kernel_can_filter kernel[CAN_FILTERS_MAX] = {{0}};

	for (int i = 0; i < count; i++) {
		kernel[i].can_id = filters[i].id | (filters[i].extended ? CAN_EFF_FLAG : 0);
		kernel[i].can_mask = (filters[i].mask & CAN_EFF_MASK) | CAN_EFF_FLAG;
	}
	if (count < 0)
		count = 1; /* of all zero: everything */
	if (setsockopt(raw->fd, SOL_CAN_RAW, CAN_RAW_FILTER, kernel, (socklen_t)((size_t)count * sizeof(kernel[0]))))
		return error_set(err, FC_EIO, "filters: %s", strerror(errno));
	return FC_OK;
}

/* Options without which it works too are not insisted on. */
static void set_options(int fd)
{
	const int on = 1, bytes = RECEIVE_BYTES;
	const can_err_mask_t errors = CAN_ERR_MASK;

	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	(void)setsockopt(fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof(errors));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int can_raw_open(struct can_raw *raw, int index, const struct can_filter *filters, int count, struct error *err)
{
	struct sockaddr_can address = {.can_family = AF_CAN, .can_ifindex = index};

	raw->fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
	if (raw->fd < 0 && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT))
		return error_set(err, FC_EIO, "this kernel has no CAN sockets (modules can, can-raw)");
	if (raw->fd < 0)
		return error_set(err, FC_EIO, "%s", strerror(errno));
	raw->index = index;
	raw->drops = 0;
	set_options(raw->fd);
	/* Before it is bound: nothing that is not wanted comes in between. */
	int result = can_raw_filter(raw, filters, count, err);

	if (!result && bind(raw->fd, (struct sockaddr *)&address, sizeof(address)))
		result = error_set(err, FC_EIO, "%s", strerror(errno));
	if (result)
		can_raw_close(raw);
	return result;
}

/* By the kernel's wall clock stamp; one that can't be right (the clock was set meanwhile) is not believed. */
static void stamp(struct can_frame *frame, const struct timespec *kernel, int64_t mono_us, int64_t wall_us)
{
	int64_t age_us = wall_us - ((int64_t)kernel->tv_sec * 1000000 + kernel->tv_nsec / 1000);

	if (!kernel->tv_sec || age_us < 0 || age_us > oldest_us)
		age_us = 0;
	frame->mono_us = mono_us - age_us;
	frame->wall_us = wall_us - age_us;
}

/* musl's CMSG_NXTHDR takes ~sizeof() of a signed number, and warnings see into it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
static struct cmsghdr *next_control(struct msghdr *message, struct cmsghdr *c)
{
	return CMSG_NXTHDR(message, c);
}
#pragma GCC diagnostic pop

static void take_control(struct can_raw *raw, struct msghdr *message, struct timespec *kernel, uint64_t *dropped)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = next_control(message, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS && c->cmsg_len >= CMSG_LEN(sizeof(*kernel))) {
			memcpy(kernel, CMSG_DATA(c), sizeof(*kernel));
		} else if (c->cmsg_type == SO_RXQ_OVFL && c->cmsg_len >= CMSG_LEN(sizeof(uint32_t))) {
			uint32_t drops;

			/* Wraps. */
			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			*dropped += drops - raw->drops;
			raw->drops = drops;
		}
	}
}

int can_raw_receive(struct can_raw *raw, struct can_frame frames[CAN_RAW_BATCH], uint64_t *dropped)
{
	for (int i = 0; i < CAN_RAW_BATCH; i++)
		raw->messages[i].msg_hdr.msg_controllen = sizeof(raw->control[i]);
	int n = recvmmsg(raw->fd, raw->messages, CAN_RAW_BATCH, MSG_DONTWAIT, NULL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	int64_t mono_us = clock_mono_us(), wall_us = can_wall_us();

	for (int i = 0; i < n; i++) {
		const struct kernel_can_frame *from = &raw->frames[i];
		struct can_frame *frame = &frames[i];
		struct timespec kernel = {0};

		memset(frame, 0, sizeof(*frame));
		take_control(raw, &raw->messages[i].msg_hdr, &kernel, dropped);
		frame->len = from->can_dlc;
		if (raw->messages[i].msg_len != sizeof(*from) || can_wire_read(from->can_id, frame))
			frame->len = CAN_DATA_MAX + 1;
		if (frame->len <= CAN_DATA_MAX && !frame->remote)
			memcpy(frame->data, from->data, frame->len);
		stamp(frame, &kernel, mono_us, wall_us);
	}
	return n;
}

int can_raw_send(struct can_raw *raw, const struct can_frame *frame)
{
	struct kernel_can_frame out = {.can_id = can_wire_id(frame), .can_dlc = frame->len};

	if (!frame->remote)
		memcpy(out.data, frame->data, frame->len);
	if (send(raw->fd, &out, sizeof(out), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(out))
		return FC_OK;
	return errno == EAGAIN || errno == ENOBUFS ? FC_EBUSY : FC_EIO;
}
