/* canup NAME BITRATE: brings a CAN controller up. busybox's ip can't set a bit rate, and iproute2 is not on the box. In the ARM machine it does the
 * wire's other end, where the simulated charger and car are; the gateway brings its own controller up itself. */
#include <stdio.h>
#include <stdlib.h>

#include "bus/can_netlink.h"

int main(int argc, char **argv)
{
	struct can_link_settings settings = {0};
	struct can_link link;
	struct error err = {0};

	if (argc != 3) {
		fprintf(stderr, "usage: canup NAME BITRATE\n");
		return 2;
	}
	settings.bitrate = (uint32_t)strtoul(argv[2], NULL, 10);
	if (can_link_get(argv[1], &link, &err) || (link.up && can_link_set_up(link.index, 0, &err)) ||
	    can_link_configure(link.index, &settings, &err) || can_link_set_up(link.index, 1, &err)) {
		fprintf(stderr, "canup %s: %s\n", argv[1], err.text);
		return 1;
	}
	return 0;
}
