/* Decode text: registers to texts. Pure functions; text is always ended, and what has no room is cut. For this room only. */
#ifndef FC_DEVICE_DECODE_TEXT_H
#define FC_DEVICE_DECODE_TEXT_H

#include <stddef.h>

#include "device/profile.h"

/* By encoding, swap, skip and chars; ends at what can't be shown, trailing blanks are left out. */
void decode_text(const struct point *point, const uint16_t *words, char *text, size_t size);
void decode_hex(const struct point *point, const uint16_t *words, char *text, size_t size);
/* "door open, emergency stop": the named bits that are set, in the order of the file; "" when there is none. */
void decode_bit_names(const struct profile *profile, int place, uint64_t raw, char *text, size_t size);

#endif
