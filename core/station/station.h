/* Station: what stands here and how it is: stations, their equipment, their connectors, as the platforms and the
 * page see them. Values come from devices; changes go to listeners as events on the loop. */
#ifndef FC_STATION_STATION_H
#define FC_STATION_STATION_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "device/device.h"
#include "station/limits.h"
#include "station/reserve.h"
#include "store/store.h"

struct station_set;

/* What else knows something of a connector. */
struct connector_source {
	struct device *device; /* borrowed; NULL: there is none, or it has no profile yet */
	int number;            /* which of its connectors */
};

struct connector {
	const struct config_connector *config;
	const struct config_charger *charger;
	const struct config_station *station;
	struct device *device; /* borrowed; NULL while its charger has none */
	struct connector_source meter, bms;
	struct device_set *devices;   /* all of them, borrowed; may be NULL */
	enum connector_status status; /* last derived; RESERVED also while it is idle and reserved */
	int64_t status_wall;          /* when it became so */
	int64_t status_mono_us;
	uint64_t changes; /* status changes since start */
	struct reservation reservation;
	struct operator_limit limit;
};

enum station_event_kind {
	STATION_CONNECTOR_STATUS, /* connector->status changed */
	STATION_INFO_CHANGED,     /* configuration of stations changed: connector is NULL */
};
struct station_event {
	enum station_event_kind kind;
	const struct connector *connector;
	enum connector_status before;
};
struct station_listener {
	void (*fn)(void *user, const struct station_event *event);
	void *user;
	struct station_listener *next; /* the set's */
};

/* store may be NULL (no statistics kept). */
struct station_set *station_set_new(struct loop *loop, struct store *store, struct error *err);
void station_set_free(struct station_set *set);
/* Takes a new configuration over (borrowed until the next apply; config must outlive it). devices must have been
 * applied already. Sends STATION_INFO_CHANGED when station data changed. */
int station_set_apply(struct station_set *set, const struct config *config, struct device_set *devices,
		      struct error *err);
/* The device_set's changed callback belongs here, and its replaced one: connectors, statuses and counters stay, and find their devices
 * anew. */
void station_set_device_changed(void *station_set, struct device *device, int number);
void station_set_devices_replaced(void *station_set);
void station_listen(struct station_set *set, struct station_listener *listener);
void station_unlisten(struct station_set *set, struct station_listener *listener);

/* Keeps a connector for somebody for so many seconds (1..STATION_RESERVE_MAX_S), instead of an earlier reservation: while it is idle its
 * status is RESERVED; who may start a charge there meanwhile is core/charge's affair. It ends by itself. Durable when it
 * returns FC_OK; FC_ENOENT, FC_EIO. */
int station_reserve(struct station_set *set, const char *connector_id, int64_t seconds, const char *note,
		    struct error *err);
/* who and why: for the events, NULL = nobody, nothing to say. FC_ENOENT: no such connector, or nothing was reserved. FC_EIO: it is over, but a restart may bring it back. */
int station_unreserve(struct station_set *set, const char *connector_id, const char *who, const char *why,
		      struct error *err);
/* An operator's limit, in thousandths of the profile's unit: durable, and told to the charger. FC_ENOENT, FC_EINVAL (device_cap), FC_EIO. */
int station_limit(struct station_set *set, const char *connector_id, int64_t milli, struct error *err);
/* FC_OK also when there was none. */
int station_unlimit(struct station_set *set, const char *connector_id, struct error *err);

const struct config *station_set_config(const struct station_set *set);
int station_connector_count(const struct station_set *set);
const struct connector *station_connector_at(const struct station_set *set, int index);
/* By connector_id; NULL when there is none. */
const struct connector *station_connector_find(const struct station_set *set, const char *connector_id);
/* Wall time of the last change of a station's, its equipment's or its connectors' data (index into the
 * configuration's stations). Survives a restart through the store. */
int64_t station_changed_wall(const struct station_set *set, int station);
/* Energy of a connector over days first..last inclusive (clock_day numbers), Wh, from measured registers. FC_EIO
 * (negative): it can't be read now. */
int64_t station_energy_wh(const struct station_set *set, const char *connector_id, int32_t first, int32_t last);
/* Writes what is only in memory to the store (also done every 15 minutes and at free). */
void station_set_flush(struct station_set *set);

#endif
