/* Usage: what this process takes of the box. */
#ifndef FC_BASE_USAGE_H
#define FC_BASE_USAGE_H

#include <stdint.h>

/* Resident memory from the kernel, in kB; 0 when it can't be read. */
int64_t usage_rss_kb(void);

#endif
