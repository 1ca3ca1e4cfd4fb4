#include "loop/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int listener_open(const char *address, int port, int *bound)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV},
			*list = NULL;
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);
	char service[8];
	int on = 1, off = 0, fd;

	(void)snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(address ? address : "::", service, &hints, &list) || !list) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && list->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (fd >= 0 &&
	    (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind(fd, list->ai_addr, list->ai_addrlen) ||
	     listen(fd, 64) || getsockname(fd, (struct sockaddr *)&name, &len))) {
		int code = errno;

		close(fd);
		fd = -1;
		errno = code;
	}
	freeaddrinfo(list);
	if (fd < 0 && !address && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		return listener_open("0.0.0.0", port, bound);
	if (fd >= 0) {
		in_port_t found = 0; /* at the same place in both kinds of address */

		memcpy(&found, (char *)&name + offsetof(struct sockaddr_in, sin_port), sizeof(found));
		*bound = ntohs(found);
	}
	return fd;
}
