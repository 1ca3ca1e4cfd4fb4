/* Wide: unsigned numbers of 128 bits for exact products and quotients in between; the 32-bit boards have no __int128. */
#ifndef FC_BASE_WIDE_H
#define FC_BASE_WIDE_H

#include <stdint.h>

struct wide {
	uint64_t high, low;
};

/* The whole product. */
struct wide wide_product(uint64_t a, uint64_t b);
/* *w times m; nonzero when that does not fit (then *w is not changed). */
int wide_scale(struct wide *w, uint32_t m);
/* *w divided by d (not 0), rounded down; returns the rest. */
uint32_t wide_shrink(struct wide *w, uint32_t d);
/* The same by a large number: 0 < d < 2^63. */
uint64_t wide_divide(struct wide *w, uint64_t d);
/* *w plus one; nonzero when that does not fit. */
int wide_increase(struct wide *w);
/* -1, 0, 1. */
int wide_compare(struct wide a, struct wide b);
/* a + b, which must fit, and a - b, b not being more than a. */
struct wide wide_sum(struct wide a, struct wide b);
struct wide wide_difference(struct wide a, struct wide b);

#endif
