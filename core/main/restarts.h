/* Restarts: how often the watchdog has restarted this box because of a bus that stands still, and whether one more may help.
 *
 * A driver that hangs is often cured by a restart. One that hangs again after each is not, and a box that is restarted every minute
 * charges nobody: after RESTARTS_MOST in a row the others are worth more than the one. The count is a small file in the data folder:
 * written once before a restart that is to be expected, removed after RESTARTS_CALM_S without a bus that stands still. A file that can't
 * be written or read counts for none. On the loop's thread. */
#ifndef FC_MAIN_RESTARTS_H
#define FC_MAIN_RESTARTS_H

#include <stdint.h>

enum { RESTARTS_MOST = 3, RESTARTS_CALM_S = 3600, RESTARTS_PATH = 300 };

struct restarts {
	char path[RESTARTS_PATH]; /* "" = not opened: nothing is kept */
	int count;                /* before this start */
	int is_noted;             /* the one that this process is heading for */
	int64_t calm_us;          /* since when no bus stands still; 0 = one does, or nobody looked */
};

/* folder: where the file is or will be. */
void restarts_open(struct restarts *restarts, const char *folder);
/* One look, at least every few minutes. is_stuck: a bus stands still; is_armed: there is a watchdog that would restart the box; now_us:
 * monotonic. Nonzero when it is of use to let it. */
int restarts_look(struct restarts *restarts, int is_stuck, int is_armed, int64_t now_us);

#endif
