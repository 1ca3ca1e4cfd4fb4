#include "loop/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FREEBIND_V6 = 78 }; /* IPV6_FREEBIND of linux/in6.h, which does not go together with netinet/in.h */

/* bind(2), also to an address that is not there yet: a tunnel's, whose interface comes up after us. */
static int bind_to(int fd, const struct addrinfo *to, int *absent)
{
	int on = 1;

	if (!bind(fd, to->ai_addr, to->ai_addrlen))
		return 0;
	if (errno != EADDRNOTAVAIL || !absent)
		return -1;
	int failed = to->ai_family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, FREEBIND_V6, &on, sizeof(on))
					       : setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (!failed)
		failed = bind(fd, to->ai_addr, to->ai_addrlen);
	*absent = !failed;
	return failed;
}

int listener_open(const char *address, int port, int *bound, int *absent)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV},
			*list = NULL;
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);
	char service[8];
	int on = 1, off = 0, fd;

	if (absent)
		*absent = 0;
	/* "All" is there, or this kind of address is not known at all. */
	if (!address || !strcmp(address, "::"))
		absent = NULL;

	(void)snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(address ? address : "::", service, &hints, &list) || !list) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && list->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind_to(fd, list, absent) ||
			listen(fd, 64) || getsockname(fd, (struct sockaddr *)&name, &len))) {
		int code = errno;

		close(fd);
		fd = -1;
		errno = code;
	}
	freeaddrinfo(list);
	if (fd < 0 && (!address || !strcmp(address, "::")) && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		return listener_open("0.0.0.0", port, bound, absent);
	if (fd >= 0) {
		in_port_t found = 0; /* at the same place in both kinds of address */

		memcpy(&found, (char *)&name + offsetof(struct sockaddr_in, sin_port), sizeof(found));
		*bound = ntohs(found);
	}
	return fd;
}
