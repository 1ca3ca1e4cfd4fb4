/* GB/T 27930: who waits for what, and how long (chargers.md 2.5), as a listener can see it. */
#include "device/gbt_state.h"

enum {
	MS = 1000,
	LOOK_MS = 700, /* the shortest wait is longer: what begins between two looks is not overdue before the next */
	SILENCE_MS = 15000,
	SILENCE_ERROR_MS = 35000, /* after BEM or CEM there are 30 s for a new CRM */
	STOPPED_A = 5,
};

enum id {
	W_CRM,
	W_BRM,
	W_KNOWN,
	W_BCP,
	W_CML,
	W_BRO,
	W_BRO_READY,
	W_CRO,
	W_CRO_READY,
	W_BCL_FIRST,
	W_BCL,
	W_BCS,
	W_CCS,
	W_BST,
	W_CST,
	W_BSD,
	W_CSD,
	W_CURRENT,
	W_AGAIN,
	W_PAUSE,
};

static const struct gbt_wait waits[WAITS] = {
    [W_CRM] = {"CRM", "car", 30000, "the vehicle waited for the charger's identification (CRM)"},
    [W_BRM] = {"BRM", "charger", 5000, "the charger waited for the identification (BRM)"},
    [W_KNOWN] = {"CRM_known", "car", 5000, "the vehicle waited to be known (CRM 0xAA)"},
    [W_BCP] = {"BCP", "charger", 5000, "the charger waited for the battery parameters (BCP)"},
    [W_CML] = {"CML", "car", 5000, "the vehicle waited for the charger's limits (CML)"},
    [W_BRO] = {"BRO", "charger", 5000, "the charger waited for the vehicle's readiness (BRO)"},
    [W_BRO_READY] = {"BRO_ready", "charger", 60000, "the vehicle did not become ready (BRO 0xAA)"},
    [W_CRO] = {"CRO", "car", 5000, "the vehicle waited for the charger's readiness (CRO)"},
    [W_CRO_READY] = {"CRO_ready", "car", 60000, "the charger did not become ready (CRO 0xAA)"},
    [W_BCL_FIRST] = {"BCL_first", "charger", 5000, "the charger waited for the first demand (BCL)"},
    [W_BCL] = {"BCL", "charger", 1000, "the charger waited for a demand (BCL)"},
    [W_BCS] = {"BCS", "charger", 5000, "the charger waited for the battery's state (BCS)"},
    [W_CCS] = {"CCS", "car", 1000, "the vehicle waited for the charger's state (CCS)"},
    [W_BST] = {"BST", "charger", 5000, "the charger waited for the vehicle's stop (BST)"},
    [W_CST] = {"CST", "car", 5000, "the vehicle waited for the charger's stop (CST)"},
    [W_BSD] = {"BSD", "charger", 10000, "the charger waited for the final values (BSD)"},
    [W_CSD] = {"CSD", "car", 10000, "the vehicle waited for the final values (CSD)"},
    [W_CURRENT] = {"current", "both", 10000, "the current did not fall below 5 A after the stop"},
    [W_AGAIN] = {"CRM_again", "both", 30000, "no new identification after an error (CRM)"},
    [W_PAUSE] = {"pause", "charger", 600000, "the vehicle paused for longer than 10 min"},
};

/* When the first of this attempt came; 0: none yet. */
static int64_t first(const struct gbt *g, enum gbt_id m)
{
	return g->heard[m].count ? g->heard[m].first_us : 0;
}

/* Since when it was first said, while the other has not come. */
static int64_t unless(int64_t since_us, int64_t came)
{
	return came ? 0 : since_us;
}

/* While the charge runs each message is waited for from the one before, or from the beginning. */
static int64_t again(const struct gbt *g, enum gbt_id m)
{
	if (g->phase != GBT_CHARGING)
		return 0;
	return g->heard[m].count && g->heard[m].last_us > g->phase_us ? g->heard[m].last_us : g->phase_us;
}

/* What it counts from; 0: nobody waits for it now. */
static int64_t since(const struct gbt *g, enum id w)
{
	int early = g->phase == GBT_IDENTIFICATION, set_up = g->phase == GBT_CONFIGURATION;
	int ending = g->phase == GBT_STOPPING || g->phase == GBT_ENDED;

	switch (w) {
	case W_CRM:
		return g->phase == GBT_HANDSHAKE ? unless(first(g, CHM), first(g, CRM)) : 0;
	case W_BRM:
		return early ? unless(unless(first(g, CRM), first(g, BRM)), g->known_us) : 0;
	case W_KNOWN:
		return early ? unless(first(g, BRM), g->known_us) : 0;
	case W_BCP:
		return early ? unless(g->known_us, first(g, BCP)) : 0;
	case W_CML:
		return set_up ? unless(first(g, BCP), first(g, CML)) : 0;
	case W_BRO:
		return set_up ? unless(first(g, CML), first(g, BRO)) : 0;
	case W_BRO_READY:
		return set_up ? unless(first(g, BRO), g->bro_us) : 0;
	case W_CRO:
		return set_up ? unless(g->bro_us, first(g, CRO)) : 0;
	case W_CRO_READY:
		return set_up ? unless(first(g, CRO), g->cro_us) : 0;
	case W_BCL_FIRST:
		return set_up ? g->cro_us : 0;
	case W_BCL:
		return again(g, BCL);
	case W_BCS:
		return again(g, BCS);
	case W_CCS:
		return again(g, CCS);
	case W_BST:
		return ending ? unless(first(g, CST), first(g, BST)) : 0;
	case W_CST:
		return ending ? unless(first(g, BST), first(g, CST)) : 0;
	case W_BSD:
		return ending ? unless(first(g, CST), first(g, BSD)) : 0;
	case W_CSD:
		return ending ? unless(first(g, BST), first(g, CSD)) : 0;
	case W_CURRENT:
		return 0; /* gbt_wait_current */
	case W_AGAIN:
		return g->phase == GBT_ERROR ? g->phase_us : 0;
	case W_PAUSE:
		return g->phase == GBT_CHARGING ? g->pause_us : 0;
	}
	return 0;
}

static void fire(struct gbt *g, enum id w, int64_t from_us, int64_t due_us)
{
	struct gbt_event e = {
	    .what = GBT_WAITED, .mono_us = due_us, .phase = g->phase, .from = g->phase, .wait = &waits[w]};

	g->fired[w] = from_us;
	g->waited = &waits[w];
	g->waited_us = due_us;
	g->stats.waited++;
	g->changes++;
	gbt_tell(g, &e);
}

void gbt_wait_current(struct gbt *g)
{
	const uint8_t *d = g->heard[CCS].data;
	/* Charging current is what is below zero, which is 4000. */
	int tenths = 4000 - (d[2] | d[3] << 8);

	if ((g->phase == GBT_STOPPING || g->phase == GBT_ENDED) && tenths >= STOPPED_A * 10 && g->stop_us &&
	    g->fired[W_CURRENT] != g->stop_us && g->now_us - g->stop_us > (int64_t)waits[W_CURRENT].limit_ms * MS)
		fire(g, W_CURRENT, g->stop_us, g->now_us);
}

void gbt_wait_look(struct gbt *g, int64_t now_us)
{
	/* In the order in which they fell due, silence among them: it ends the session, and with it the other waits. */
	for (;;) {
		int64_t due = INT64_MAX, from = 0;
		int which = -1;

		g->look_us = now_us + (int64_t)LOOK_MS * MS;
		if (g->phase != GBT_IDLE)
			due = g->heard_us + (int64_t)(g->phase == GBT_ERROR ? SILENCE_ERROR_MS : SILENCE_MS) * MS;
		for (int w = 0; w < WAITS; w++) {
			int64_t counted = since(g, (enum id)w);
			int64_t then = counted + (int64_t)waits[w].limit_ms * MS;

			if (counted && counted != g->fired[w] && then < due) {
				which = w;
				due = then;
				from = counted;
			}
		}
		if (due >= now_us) {
			g->look_us = due < g->look_us ? due : g->look_us;
			return;
		}
		if (which < 0)
			gbt_session_silent(g, due);
		else
			fire(g, (enum id)which, from, due);
	}
}
