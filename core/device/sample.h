/* Sample: one point's value from its registers and the values that it depends on: scale, decimals, hook, validity. For this
 * room only. */
#ifndef FC_DEVICE_SAMPLE_H
#define FC_DEVICE_SAMPLE_H

#include "device/profile.h"

/* Points of one stage depend on those of earlier ones at most: plain, scaled by others, or filtered and worked out by a hook. */
enum { SAMPLE_STAGES = 3 };
int sample_stage(const struct profile *profile, int place);
/* points[place] from its words: *out gets quality GOOD or UNKNOWN and the value; mono_us is left alone. values: by point, of
 * that connector, may hold *out. Runs the hook, if any, on the caller's thread. */
void sample_point(struct profile *profile, int place, const uint16_t *words, int number,
		  const struct point_value *values, struct point_value *out);
/* The same from what an agent says: a number or a text. said->quality UNKNOWN gives UNKNOWN. */
void sample_said(struct profile *profile, int place, const struct point_value *said, int number,
		 const struct point_value *values, struct point_value *out);

#endif
