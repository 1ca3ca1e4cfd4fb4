#include "bus/can_netlink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/can/netlink.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* Tells of a controller's interface take some 1.5 kB, of others up to 4 kB (many queues). */
enum { ANSWER_BYTES = 16384, ASK_BYTES = 512 };

struct ask {
	struct nlmsghdr head;
	struct ifinfomsg info;
	char rest[ASK_BYTES];
};

static void ask_init(struct ask *ask, uint16_t type, uint16_t flags, int index)
{
	memset(ask, 0, sizeof(*ask));
	ask->head.nlmsg_len = NLMSG_LENGTH(sizeof(ask->info));
	ask->head.nlmsg_type = type;
	ask->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	ask->head.nlmsg_seq = 1;
	ask->info.ifi_family = AF_UNSPEC;
	ask->info.ifi_index = index;
}

/* What is asked here is far below the room that there is. */
static struct rtattr *add(struct ask *ask, unsigned short type, const void *data, size_t len)
{
	struct rtattr *attr = (struct rtattr *)(void *)((char *)ask + NLMSG_ALIGN(ask->head.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(attr), data, len);
	ask->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(ask->head.nlmsg_len) + RTA_ALIGN(attr->rta_len));
	return attr;
}

static void end_nest(struct ask *ask, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)((char *)ask + ask->head.nlmsg_len - (char *)nest);
}

static int code_of(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return FC_EAUTH;
	case ENODEV:
	case ENXIO:
		return FC_ENOENT;
	case EINVAL:
	case EOPNOTSUPP:
	case ERANGE:
	case EDOM:
		return FC_EINVAL;
	default:
		return FC_EIO;
	}
}

/* Sends and takes the one answer. FC_OK, or why it was refused. */
static int talk(struct ask *ask, struct nlmsghdr *answer, size_t size, struct error *err)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n = -1;

	if (fd < 0)
		return error_set(err, FC_EIO, "netlink: %s", strerror(errno));
	/* The kernel answers within the call: there is nothing to wait for. */
	if (sendto(fd, ask, ask->head.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) >= 0)
		n = recv(fd, answer, size, MSG_DONTWAIT | MSG_TRUNC);
	int problem = errno;

	close(fd);
	if (n < 0)
		return error_set(err, FC_EIO, "netlink: %s", strerror(problem));
	if ((size_t)n > size || !NLMSG_OK(answer, (size_t)n))
		return error_set(err, FC_EIO, "netlink: an answer of %zd bytes", n);
	if (answer->nlmsg_type != NLMSG_ERROR)
		return FC_OK;
	if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return error_set(err, FC_EIO, "netlink: a torn answer");
	problem = -((struct nlmsgerr *)NLMSG_DATA(answer))->error;
	return problem ? error_set(err, code_of(problem), "%s", strerror(problem)) : FC_OK;
}

static int command(struct ask *ask, struct error *err)
{
	union {
		struct nlmsghdr head;
		char room[1024];
	} answer;

	ask->head.nlmsg_flags |= NLM_F_ACK;
	return talk(ask, &answer.head, sizeof(answer), err);
}

/* Attributes by type; a torn one ends the list. */
static void sort_out(const void *first, size_t left, const struct rtattr **by_type, int most)
{
	const char *at = first;

	while (left >= sizeof(struct rtattr)) {
		const struct rtattr *a = (const struct rtattr *)(const void *)at;
		int type = a->rta_type & NLA_TYPE_MASK;
		size_t step = RTA_ALIGN((size_t)a->rta_len);

		if (a->rta_len < sizeof(*a) || a->rta_len > left)
			return;
		if (type < most)
			by_type[type] = a;
		if (step > left)
			return;
		at += step;
		left -= step;
	}
}

static void sort_nest(const struct rtattr *nest, const struct rtattr **by_type, int most)
{
	sort_out(RTA_DATA(nest), RTA_PAYLOAD(nest), by_type, most);
}

/* Copies an attribute's value; nonzero when it is there and long enough. */
static int take(const struct rtattr *attr, void *out, size_t size)
{
	if (!attr || RTA_PAYLOAD(attr) < size)
		return 0;
	memcpy(out, RTA_DATA(attr), size);
	return 1;
}

static uint8_t at_most_255(uint16_t n)
{
	return n > 255 ? 255 : (uint8_t)n;
}

static void read_controller(const struct rtattr *data, struct can_link *link)
{
	const struct rtattr *can[IFLA_CAN_MAX + 1] = {0};
	struct can_bittiming timing;
	struct can_ctrlmode mode;
	struct can_berr_counter errors;
	uint32_t state;

	sort_nest(data, can, IFLA_CAN_MAX + 1);
	link->controller = 1;
	if (take(can[IFLA_CAN_BITTIMING], &timing, sizeof(timing))) {
		link->bitrate = timing.bitrate;
		link->sample_point = timing.sample_point;
	}
	(void)take(can[IFLA_CAN_RESTART_MS], &link->restart_ms, sizeof(link->restart_ms));
	if (take(can[IFLA_CAN_CTRLMODE], &mode, sizeof(mode)))
		link->listen_only = (mode.flags & CAN_CTRLMODE_LISTENONLY) != 0;
	if (take(can[IFLA_CAN_STATE], &state, sizeof(state)) && state < CAN_STATE_MAX)
		link->state = state >= CAN_STATE_STOPPED ? CAN_LINK_STOPPED : (enum can_link_state)state;
	if (take(can[IFLA_CAN_BERR_COUNTER], &errors, sizeof(errors))) {
		link->tx_errors = at_most_255(errors.txerr);
		link->rx_errors = at_most_255(errors.rxerr);
	}
}

int can_link_get(const char *name, struct can_link *link, struct error *err)
{
	union {
		struct nlmsghdr head;
		char room[ANSWER_BYTES];
	} answer;
	const struct rtattr *attrs[IFLA_MAX + 1] = {0}, *info[IFLA_INFO_MAX + 1] = {0};
	struct ask ask;

	memset(link, 0, sizeof(*link));
	link->state = CAN_LINK_UNKNOWN;
	ask_init(&ask, RTM_GETLINK, 0, 0);
	add(&ask, IFLA_IFNAME, name, strlen(name) + 1);
	int result = talk(&ask, &answer.head, sizeof(answer), err);

	if (result)
		return result;
	if (answer.head.nlmsg_type != RTM_NEWLINK || answer.head.nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
		return error_set(err, FC_EIO, "netlink: a strange answer");
	const struct ifinfomsg *what = NLMSG_DATA(&answer.head);

	link->index = what->ifi_index;
	link->up = (what->ifi_flags & IFF_UP) != 0;
	link->is_can = what->ifi_type == ARPHRD_CAN;
	sort_out(IFLA_RTA(what), IFLA_PAYLOAD(&answer.head), attrs, IFLA_MAX + 1);
	if (!attrs[IFLA_LINKINFO])
		return FC_OK;
	sort_nest(attrs[IFLA_LINKINFO], info, IFLA_INFO_MAX + 1);
	const struct rtattr *kind = info[IFLA_INFO_KIND];

	if (kind && info[IFLA_INFO_DATA] && RTA_PAYLOAD(kind) >= sizeof("can") &&
	    !memcmp(RTA_DATA(kind), "can", sizeof("can")))
		read_controller(info[IFLA_INFO_DATA], link);
	return FC_OK;
}

/* Opens the two nests that a controller's values are in. */
static void begin_controller(struct ask *ask, struct rtattr *nests[2])
{
	nests[0] = add(ask, IFLA_LINKINFO, NULL, 0);
	add(ask, IFLA_INFO_KIND, "can", strlen("can"));
	nests[1] = add(ask, IFLA_INFO_DATA, NULL, 0);
}

static int end_controller(struct ask *ask, struct rtattr *nests[2], struct error *err)
{
	end_nest(ask, nests[1]);
	end_nest(ask, nests[0]);
	return command(ask, err);
}

int can_link_configure(int index, const struct can_link_settings *settings, struct error *err)
{
	struct can_bittiming timing = {.bitrate = settings->bitrate, .sample_point = settings->sample_point};
	struct can_ctrlmode mode = {.mask = CAN_CTRLMODE_LISTENONLY,
				    .flags = settings->listen_only ? CAN_CTRLMODE_LISTENONLY : 0};
	struct rtattr *nests[2];
	struct ask ask;

	ask_init(&ask, RTM_NEWLINK, 0, index);
	begin_controller(&ask, nests);
	if (settings->bitrate)
		add(&ask, IFLA_CAN_BITTIMING, &timing, sizeof(timing));
	add(&ask, IFLA_CAN_CTRLMODE, &mode, sizeof(mode));
	add(&ask, IFLA_CAN_RESTART_MS, &settings->restart_ms, sizeof(settings->restart_ms));
	return end_controller(&ask, nests, err);
}

int can_link_restart(int index, struct error *err)
{
	const uint32_t now = 1;
	struct rtattr *nests[2];
	struct ask ask;

	ask_init(&ask, RTM_NEWLINK, 0, index);
	begin_controller(&ask, nests);
	add(&ask, IFLA_CAN_RESTART, &now, sizeof(now));
	return end_controller(&ask, nests, err);
}

int can_link_set_up(int index, int up, struct error *err)
{
	struct ask ask;

	ask_init(&ask, RTM_NEWLINK, 0, index);
	ask.info.ifi_change = IFF_UP;
	ask.info.ifi_flags = up ? IFF_UP : 0;
	return command(&ask, err);
}

int can_link_watch(void)
{
	struct sockaddr_nl links = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&links, sizeof(links))) {
		int problem = errno;

		close(fd);
		errno = problem;
		return -1;
	}
	return fd;
}

int can_link_drain(int fd)
{
	char one[64]; /* what changed is asked for by name: the rest of the message is cut off */
	int some = 0;

	/* Too many for its buffer (ENOBUFS) is a change like any other. */
	while (recv(fd, one, sizeof(one), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		some = 1;
	return some;
}
