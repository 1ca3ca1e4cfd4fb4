/* Policy: prices as an integrator writes them (lua/policies/NAME.lua), turned into the tariff of one charge. The same prices
 * answer query_equip_business_policy. */
#ifndef FC_CHARGE_POLICY_H
#define FC_CHARGE_POLICY_H

#include "charge/tariff.h"
#include "script/shelf.h"
#include "script/sources.h"

struct policy;

/* What a policy may ask about a charge. Texts may be "" where nothing is known; none may be NULL. */
struct policy_context {
	const char *station_id, *connector_id;
	const char *platform;   /* section of the platform that asks or starts, "" = none */
	const char *user_class; /* as the authorisation named it */
};

/* Loads the file, runs its examples and works out the prices of a week, so that a mistake shows now. NULL and *err with file
 * and place. */
struct policy *policy_load(const struct script_host *host, const char *name, struct error *err);
/* The same for a file anywhere; its name without .lua is the policy's. */
struct policy *policy_load_file(const struct script_host *host, const char *path, struct error *err);
void policy_free(struct policy *policy);
extern const struct shelf_kind policy_kind;
/* The file itself, for trying it out (forecourt lua). */
struct script *policy_script(const struct policy *policy);
const char *policy_name(const struct policy *policy);
/* As script_hash: the version that an order remembers. */
const char *policy_hash(const struct policy *policy);
struct sources *policy_sources(const struct policy *policy);
/* The tariff of a charge that starts at wall, days (1 to TARIFF_DAYS) of it worked out; those after are like the last of these. FC_OK; FC_ELIMIT or FC_ESCRIPT when a function of the file fails; FC_EINVAL when
 * what it gives is no tariff, with the place. */
int policy_tariff(struct policy *policy, const struct policy_context *context, int64_t wall, int days,
		  struct tariff *out, struct error *err);
/* Everything for nothing: where no policy is set. */
void policy_free_of_charge(int64_t wall, struct tariff *out);

#endif
