/* How a platform differs from the base standard in what it says and takes: the other end of a mapping in lua/operators/. A
 * platform insists on its own form: what comes in the standard's is wrong for one that wants another. */
#ifndef FC_SIM_PLATFORM_DIALECT_H
#define FC_SIM_PLATFORM_DIALECT_H

#include <stdint.h>

#include <jansson.h>

/* The decimals of protocol.md 2.0. */
enum { MONEY_PLACES = 2, PRICE_PLACES = 4 };

struct dialect {
	const char *name; /* of the mapping that speaks it */
	const char *service_price, *service_money, *detail_service_money, *total_service_money;
	const char *status_verdict, *order_verdict; /* where an answer says whether a push was taken */
	int energy_places;
	int text;                        /* decimals are texts, with exactly their number of places */
	const char *const (*renamed)[2]; /* method and its last part of the URL, NULL at the end */
};

/* "base" or "strict"; NULL when there is no such. */
const struct dialect *dialect_find(const char *name);
/* The last part of a method's URL, and back. */
const char *dialect_path(const struct dialect *dialect, const char *method);
const char *dialect_method(const struct dialect *dialect, const char *path);
/* A decimal in 1/10 000. 0, or -1 when it is not there, negative, or not in the dialect's form. */
int dialect_decimal(const struct dialect *dialect, const json_t *object, const char *key, int places, int64_t *e4);

#endif
