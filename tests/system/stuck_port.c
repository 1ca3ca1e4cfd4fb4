/* Preloaded into a program: a serial driver that does not come back. While the file of STUCK_PORT exists, whoever waits for a terminal's
 * bytes stays in the call, in whatever thread that is; sockets are left alone. */
#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	static int (*real)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	static const struct timespec moment = {.tv_nsec = 10000000};
	const char *path = getenv("STUCK_PORT");

	if (!real)
		real = (int (*)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))dlsym(RTLD_NEXT,
													  "ppoll");
	while (path && count == 1 && isatty(fds[0].fd) && !access(path, F_OK))
		(void)nanosleep(&moment, NULL);
	return real(fds, count, timeout, mask);
}
