/* Decode: registers to a point's value, and points to the connector's status. Pure functions. */
#ifndef FC_DEVICE_DECODE_H
#define FC_DEVICE_DECODE_H

#include "device/profile.h"

/* words: point->words registers (or bits, one a word). Sets is_text and milli or text. FC_OK, or FC_EINVAL when the
 * device marks the value as absent (an invalid pattern, NaN) or it lies outside the point's range: then it is unknown.
 * The names of bits and what other points have to do with it: sample.h. */
int decode_point(const struct point *point, const uint16_t *words, struct point_value *out);
/* The same times factor, for connector number. */
int decode_scaled(const struct point *point, const uint16_t *words, int number, double factor, struct point_value *out);
/* The bits of the words in the point's order. */
uint64_t decode_raw(const struct point *point, const uint16_t *words);
/* Nonzero when that rule says fault; an unknown value says nothing. */
int decode_is_fault(const struct status_fault *fault, const struct point_value *v);
/* values[] by point. OFFLINE when the state is not GOOD. */
enum connector_status decode_status(const struct status_rules *rules, const struct point_value *values);

#endif
