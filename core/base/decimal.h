/* Exact decimals: money and energy are integers (DESIGN.md, rule 3).
 *
 * The one rounding of the project is here: half up, away from zero at the middle. */
#ifndef FC_BASE_DECIMAL_H
#define FC_BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* n / d rounded half up (away from zero); d > 0. */
int64_t decimal_div_round(int64_t n, int64_t d);
/* Changes the number of decimals of a scaled integer: 12345 with 3 -> 1 decimals is 123 (12.345 -> 12.3).
 * 0 <= from, to <= 9. Saturates at the limits of int64_t. */
int64_t decimal_rescale(int64_t scaled, int from, int to);
/* Writes scaled / 10^decimals with exactly that many decimals: 1050, 2 -> "10.50". Returns the length, or
 * FC_ELIMIT when size is too small (24 + decimals always suffices). 0 <= decimals <= 9. */
int decimal_format(int64_t scaled, int decimals, char *out, size_t size);
/* Reads [+-]digits[.digits], rounded half up to that many decimals. 0, FC_EINVAL (not a number), FC_ELIMIT
 * (too large). */
int decimal_parse(const char *text, int decimals, int64_t *scaled);

#endif
