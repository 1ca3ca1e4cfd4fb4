/* Retry-After (RFC 9110, 10.2.3): how long a server wants to be left alone, in seconds or as a date. */
#ifndef FC_LOOP_RETRY_AFTER_H
#define FC_LOOP_RETRY_AFTER_H

#include <stdint.h>

/* Seconds from now_wall (since 1970) on; 0: nothing that could be read, or a time that has passed. A date is of no use without a clock that
 * was set: now_wall 0. */
int64_t retry_after_s(const char *text, int64_t now_wall);

#endif
