#include "device/gbt27930.h"

#include <stdlib.h>
#include <string.h>

#include "device/gbt_state.h"

enum { TRANSPORT_SESSIONS = 2, LONGEST = 512, PGN_DM1 = 0x2000, PGN_DM6 = 0x2500, PGN_STEP = 0x100, PGN_PAGE = 0xff };

static void hear(struct gbt *g, uint32_t pgn, int from_car, const uint8_t *data, size_t len);

static void from_transport(void *user, const struct j1939_event *e)
{
	struct gbt *g = user;
	struct gbt_event event = {
	    .what = GBT_TRANSPORT, .mono_us = e->mono_us, .phase = g->phase, .from = g->phase, .transport = e};

	switch (e->what) {
	case J1939_OPENED:
		gbt_session_opened(g, e->pgn, e->length);
		break;
	case J1939_WHOLE:
		hear(g, e->pgn, e->source == GBT_CAR, e->data, e->length);
		break;
	case J1939_RESTARTED:
	case J1939_ABORTED:
	case J1939_TIMED_OUT:
	case J1939_BROKEN:
		gbt_tell(g, &event);
		break;
	}
}

struct gbt *gbt_new(void (*event)(void *user, const struct gbt_event *event), void *user)
{
	struct gbt *g = calloc(1, sizeof(*g));
	uint8_t *at;

	if (!g)
		return NULL;
	if (j1939_init(&g->transport, TRANSPORT_SESSIONS, LONGEST, from_transport, g)) {
		free(g);
		return NULL;
	}
	g->event = event;
	g->user = user;
	at = g->pool;
	for (int i = 0; i < MESSAGES; i++) {
		g->heard[i].data = at;
		at += gbt_rows[i].most;
	}
	return g;
}

void gbt_free(struct gbt *g)
{
	if (!g)
		return;
	j1939_fini(&g->transport);
	free(g);
}

static enum gbt_id row_of(uint32_t pgn)
{
	for (int i = 0; i < MESSAGES; i++)
		if (gbt_rows[i].pgn == pgn)
			return (enum gbt_id)i;
	return NO_MESSAGE;
}

/* SPN 3092 to 3095: 10 is unknown, and leaves in force what was said before (chargers.md 2.3). Its time stays the old one's. */
static void hold(struct gbt *g, const uint8_t *old, uint8_t *new, int had)
{
	static const struct {
		uint8_t byte, shift;
	} fields[HELD_FIELDS] = {{5, 4}, {5, 6}, {6, 0}, {6, 2}};

	for (int i = 0; i < HELD_FIELDS; i++) {
		unsigned mask = 3u << fields[i].shift, was = old[fields[i].byte] & mask;

		if ((new[fields[i].byte] & mask) == 2u << fields[i].shift && had)
			new[fields[i].byte] = (uint8_t)((new[fields[i].byte] & ~mask) | was);
		else
			g->held_us[i] = g->now_us;
	}
}

static void store(struct gbt *g, enum gbt_id m, const uint8_t *data, size_t len)
{
	struct gbt_heard *h = &g->heard[m];
	uint8_t bsm[8];

	if (len > gbt_rows[m].most)
		len = gbt_rows[m].most;
	if (m == BSM) {
		memcpy(bsm, data, len);
		hold(g, h->data, bsm, h->count > 0);
		data = bsm;
	}
	memcpy(h->data, data, len);
	h->len = (uint16_t)len;
	h->last_us = g->now_us;
	if (!h->count)
		h->first_us = g->now_us ? g->now_us : 1;
	h->count += h->count < UINT32_MAX;
}

static void hear(struct gbt *g, uint32_t pgn, int from_car, const uint8_t *data, size_t len)
{
	enum gbt_id m = row_of(pgn);

	if (m == NO_MESSAGE) {
		if (pgn >= PGN_DM1 && pgn <= PGN_DM6 && !(pgn & PGN_PAGE)) {
			g->stats.diagnostics++;
		} else {
			g->stats.unknown++;
			g->stats.unknown_pgn = pgn;
		}
		return;
	}
	if (gbt_rows[m].from_car != from_car) {
		g->stats.misdirected++;
		return;
	}
	if (len < gbt_rows[m].least) {
		g->stats.malformed++;
		return;
	}
	g->stats.messages++;
	g->whole = (int)m;
	g->counts[m]++;
	g->lasts[m] = g->now_us;
	store(g, m, data, len);
	gbt_session_message(g, m);
}

void gbt_tick(struct gbt *g, int64_t now_us)
{
	if (now_us < g->now_us)
		return;
	if (now_us > g->look_us) {
		/* What was waited for and long messages that did not come whole, in the order in which they fell due. */
		for (int64_t due; (due = j1939_due(&g->transport)) < now_us;) {
			gbt_wait_look(g, due);
			j1939_tick(&g->transport, due + 1);
		}
		j1939_tick(&g->transport, now_us);
		gbt_wait_look(g, now_us);
		if (j1939_due(&g->transport) < g->look_us)
			g->look_us = j1939_due(&g->transport);
	}
	g->now_us = now_us;
	if (!g->listening_us)
		g->listening_us = now_us ? now_us : 1;
}

int gbt_frame(struct gbt *g, const struct can_frame *frame)
{
	unsigned source = j1939_source(frame->id), destination = j1939_ps(frame->id);
	uint32_t pgn = j1939_pgn(frame->id);
	int from_car = source == GBT_CAR && destination == GBT_CHARGER;
	size_t len = frame->len < CAN_DATA_MAX ? frame->len : CAN_DATA_MAX;

	gbt_tick(g, frame->mono_us);
	g->stats.frames++;
	g->whole = -1;
	if (!frame->extended || frame->remote || frame->error ||
	    (!from_car && (source != GBT_CHARGER || destination != GBT_CAR)) ||
	    j1939_destination(frame->id) != destination) {
		g->stats.foreign++;
		return -1;
	}
	g->heard_us = g->now_us;
	if (!j1939_frame(&g->transport, frame->id, frame->data, len, g->now_us))
		hear(g, pgn, from_car, frame->data, len);
	return g->whole;
}

void gbt_deaf(struct gbt *g, int64_t now_us)
{
	gbt_tick(g, now_us);
	j1939_reset(&g->transport);
	gbt_session_deaf(g);
	g->listening_us = 0;
}

enum gbt_phase gbt_phase(const struct gbt *g)
{
	return g->phase;
}

enum gbt_edition gbt_edition(const struct gbt *g)
{
	return g->edition;
}

const struct gbt_reason *gbt_stop(const struct gbt *g)
{
	return g->stop;
}

const struct gbt_reason *gbt_error(const struct gbt *g)
{
	return g->error;
}

uint32_t gbt_changes(const struct gbt *g)
{
	return g->changes;
}

void gbt_get_stats(const struct gbt *g, struct gbt_stats *stats)
{
	*stats = g->stats;
	stats->transport = g->transport.stats;
}

int gbt_get_message(const struct gbt *g, int index, struct gbt_message *out)
{
	if (index < 0 || index >= MESSAGES)
		return FC_ENOENT;
	*out = (struct gbt_message){
	    .name = gbt_rows[index].name,
	    .pgn = gbt_rows[index].pgn,
	    .from_car = gbt_rows[index].from_car,
	    .period_ms = gbt_rows[index].period_ms,
	    .count = g->counts[index],
	    .last_us = g->lasts[index],
	};
	return FC_OK;
}
