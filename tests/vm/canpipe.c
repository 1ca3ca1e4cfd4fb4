/* canpipe INTERFACE: carries frames between a CAN interface and its standard input and output, 16 bytes each as the kernel has them (struct
 * can_frame in the machine's byte order). In the ARM machine its other end is a virtio-serial port, and behind that the simulated nodes of
 * tests/peers/ on the host. It shares no line with the gateway. Ends with 1 when either side fails. */
#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int die(const char *what)
{
	perror(what);
	return 1;
}

/* A whole frame from a stream: 1, or 0 at its end or on an error. */
static int read_frame(int fd, struct can_frame *frame)
{
	size_t have = 0;

	while (have < sizeof(*frame)) {
		ssize_t n = read(fd, (char *)frame + have, sizeof(*frame) - have);

		if (n <= 0)
			return 0;
		have += (size_t)n;
	}
	return 1;
}

static int write_frame(int fd, const struct can_frame *frame)
{
	size_t done = 0;

	while (done < sizeof(*frame)) {
		ssize_t n = write(fd, (const char *)frame + done, sizeof(*frame) - done);

		if (n < 0)
			return 0;
		done += (size_t)n;
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_can address = {.can_family = AF_CAN};
	struct pollfd polled[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};
	struct can_frame frame;
	int can = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);

	if (argc != 2) {
		fprintf(stderr, "usage: canpipe INTERFACE\n");
		return 2;
	}
	address.can_ifindex = (int)if_nametoindex(argv[1]);
	if (can < 0 || !address.can_ifindex || bind(can, (struct sockaddr *)&address, sizeof(address)))
		return die(argv[1]);
	polled[1].fd = can;
	for (;;) {
		if (poll(polled, 2, -1) < 0)
			return die("poll");
		if (polled[0].revents) {
			if (!read_frame(STDIN_FILENO, &frame))
				return die("standard input");
			/* A full queue loses frames, as a bus without a listener does. */
			if (write(can, &frame, sizeof(frame)) < 0 && errno != ENOBUFS)
				return die(argv[1]);
		}
		if (polled[1].revents &&
		    (read(can, &frame, sizeof(frame)) != (ssize_t)sizeof(frame) || !write_frame(STDOUT_FILENO, &frame)))
			return die(argv[1]);
	}
}
