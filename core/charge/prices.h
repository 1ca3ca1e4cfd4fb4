/* Prices: the policies that a configuration names, loaded, and the tariff of one charge from them. For this room only. */
#ifndef FC_CHARGE_PRICES_H
#define FC_CHARGE_PRICES_H

#include "charge/policy.h"
#include "config/config.h"
#include "station/station.h"

struct prices;

/* Takes the policies of all stations and platforms; config is borrowed. NULL and *err with file and place. */
struct prices *prices_load(const struct config *config, const struct script_host *host, struct error *err);
void prices_free(struct prices *prices);
/* The platform's policy, else the station's, else everything for nothing. As policy_tariff; FC_ENOENT when it is not loaded. */
int prices_tariff(const struct prices *prices, const struct connector *connector, const char *platform,
		  const char *user_class, int days, struct tariff *out, struct error *err);
/* What the policies were made of, one by one (index 0..); NULL past the end. prices may be NULL. */
struct sources *prices_sources(const struct prices *prices, int index);

#endif
