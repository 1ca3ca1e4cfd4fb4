/* A monotonic clock that stands, and goes when the test says so. Included by one file of a test program. */
#ifndef FC_TESTS_STANDING_CLOCK_H
#define FC_TESTS_STANDING_CLOCK_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ahead_ms; /* of where it began */

int clock_gettime(clockid_t clock, struct timespec *at)
{
	if (clock != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, clock, at);
	at->tv_sec = 1000 + clock_ahead_ms / 1000;
	at->tv_nsec = clock_ahead_ms % 1000 * 1000000;
	return 0;
}

#endif
