#include "base/usage.h"

#include <stdio.h>
#include <unistd.h>

int64_t usage_rss_kb(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file)
		return 0;
	if (fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	(void)fclose(file);
	return (int64_t)pages * (sysconf(_SC_PAGESIZE) / 1024);
}
