/* Words: what the numbers on an order mean, for people. Short, in English, and always the same: they are translated by their
 * English text. */
#ifndef FC_CHARGE_WORDS_H
#define FC_CHARGE_WORDS_H

#include "charge/order.h"
#include "charge/session.h"

/* StopReason; also the operator stops "on site". */
const char *words_reason(int reason);
/* Who started it. */
const char *words_mode(enum order_mode mode);
/* A card or VIN as people may see it: its end is enough to recognise one's own. Returns out. */
enum { WORDS_MASKED = 16 };
const char *words_masked(const char *user, char out[WORDS_MASKED]);
/* One of enum split_repair: what was mended in the order's energy. */
const char *words_repair(enum split_repair repair);

#endif
