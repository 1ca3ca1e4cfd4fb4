/* Icomm: Part 2 of the protocol, public information (protocol.md 2.1 to 2.5). Builds the standard's structures from the
 * station room and answers the platform's questions about them. Everything is a tree of values with the standard's
 * field names; JSON, mappings and the envelope are other files' work.
 *
 * Each platform sees only the stations on its list; the others don't exist for it.
 *
 * Where the protocol is silent:
 *   - a PageSize above the platform's page_size_max is answered with page_size_max;
 *   - LastQueryTime includes its own second, so that a change within the second of the last query is told once more
 *     rather than never;
 *   - both dates of a statistics query are inclusive, the range is at most ICOMM_DAYS_MAX days. */
#ifndef FC_UPSTREAM_ICOMM_H
#define FC_UPSTREAM_ICOMM_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"
#include "config/config.h"
#include "station/station.h"
#include "upstream/message.h"

enum {
	ICOMM_IDS_MAX = 50,   /* protocol.md 2.4 */
	ICOMM_PAGE_SIZE = 10, /* protocol.md 2.2: the default */
	ICOMM_DAYS_MAX = 400, /* a year and some */
};

/* What one platform may see; both borrowed. The platform's station indices belong to station_set_config(stations). */
struct icomm {
	const struct station_set *stations;
	const struct config_platform *platform;
};

/* Nonzero when the platform may see the station (index into the configuration). */
int icomm_sees(const struct icomm *view, int station);
/* Index of a station by its id, if the platform may see it; -1 otherwise. */
int icomm_station(const struct icomm *view, const char *station_id);

/* The structures. NULL when the arena is full. */
struct value *icomm_station_info(const struct icomm *view, int station, struct arena *arena);
struct value *icomm_connector_status(const struct connector *connector, struct arena *arena);
/* Days first..last inclusive. Values of equipment and station are the sums of the rounded values below them, so that
 * the tree adds up to the digit. */
struct value *icomm_station_stats(const struct icomm *view, int station, int32_t first, int32_t last,
				  struct arena *arena);

/* The messages that we push. NULL when the arena is full. */
struct value *icomm_push_status(const struct connector *connector, struct arena *arena);
struct value *icomm_push_info(const struct icomm *view, int station, struct arena *arena);
struct value *icomm_push_stats(const struct icomm *view, int station, int32_t day, struct arena *arena);

/* Nonzero when the method is one that icomm_answer knows. */
int icomm_answers(const struct message *message);
/* Answers a question whose request message_check has found right. RET_OK and *answer in arena; RET_PARAMETER and
 * err->text the Msg ("Data.PageNo: 1 at least"); RET_SYSTEM (no memory). */
int icomm_answer(const struct icomm *view, const struct message *message, const struct value *request,
		 struct arena *arena, struct value **answer, struct error *err);

#endif
