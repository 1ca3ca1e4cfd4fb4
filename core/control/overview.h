/* Overview: everything at a glance as one tree: what the page keeps live, and command `overview` answers. It holds objects with stable
 * keys and no lists, so that a merge patch (base/patch.h) of two of them is small.
 *
 * Times are seconds since 1970, power in W, energy in Wh, money in 1/10 000 yuan. What is not known is left out, never 0; so is a time that
 * was taken while the clock was not set.
 *
 *   time, gateway{operator_id, version, uptime_s (steps of a minute), rss_kb (steps of 256), config_pending},
 *   setup{what is not set up yet, of operator_id, station, bus, charger, platform, clock, certificate (the page has the one that the box made):
 *     needed} (there is none when nothing is missing),
 *   totals{connectors, charging, idle, occupied, reserved, fault, offline, power_w, today_wh, today_money_e4, today_orders,
 *     today_unseen_wh},
 *   alarms{id: level, kind, object_kind, object, name, since, cause, key, args, count} (alarms.h),
 *   stations{SECTION: name, station_id},
 *   connectors{ConnectorID: n (place in the configuration), name, station, charger, park_no, status (protocol.md 2.1), since, session,
 *     seq, power_w, soc, energy_wh, money_e4, started_at, limit{value, unit, state}, reserved_until, quality, read_at, fault (words)},
 *   platforms{SECTION: linked, since, outbox, oldest_at, last_error, last_error_at, mapping, push_failed, answered, answer_mean_us,
 *     answer_p99_us},
 *   buses{SECTION: kind, up, since, load (thousandths), polls, errors, units, silent, latency_us}
 *
 * today_wh is what the meters counted; today_money_e4 and today_orders are of the orders that ended today and those that run. An order counts
 * once there is energy or money in it: a start that was refused or came to nothing is none. today_unseen_wh of it is nobody's: it went by unseen
 * and has orders of its own (charge/unseen). The standard's statistics (protocol.md 2.5) are of energy alone, by the meters. quality and
 * read_at are those of the freshest value that the charger itself gave; while none is known, read_at is when the last one was. What the
 * journal says (outbox, today) is up to OVERVIEW_LEDGER_S old. power_w of all is the sum of what is known. */
#ifndef FC_CONTROL_OVERVIEW_H
#define FC_CONTROL_OVERVIEW_H

#include "base/value.h"
#include "control/control.h"

enum { OVERVIEW_LEDGER_S = 5 };

/* In arena (CONTROL_MEMORY is enough); NULL when that is full. */
struct value *control_overview(struct control *control, struct arena *arena);
/* One connector with its points, as command `connectors` tells it; NULL: there is none of that ID, or the arena is full. */
struct value *control_connector(struct control *control, const char *connector_id, struct arena *arena);

#endif
