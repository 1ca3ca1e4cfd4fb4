/* For tests that compare how long two things take: the thread's own time, which others on a busy machine do not lengthen, and several
 * tries, since they do slow it down: code that is slow is so in each. */
#ifndef FC_TESTS_CPU_TIME_H
#define FC_TESTS_CPU_TIME_H

#include <stdint.h>
#include <time.h>

enum { CPU_TRIES = 10 };

static inline int64_t cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#endif
