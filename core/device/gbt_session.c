/* GB/T 27930: which phase a session is in, where one ends and the next begins, and which edition is spoken (chargers.md 2.2, 2.6, 2.7). */
#include "device/gbt_state.h"

#include <string.h>

enum {
	READY = 0xaa,
	SETTLE_US = 5000000, /* chargers.md 2.5, default: after it a message of before is no straggler any more */
	BRM_2011 = 41,
	BRM_2015 = 49,
};

/* How much a sign of the edition is worth. The version that the car names is the car's own word; a length may be an oddity: the 2015
 * text itself still has a table with a BRM of 41 bytes. */
enum { NONE, BY_LENGTH, BY_FIRST, BY_BRM_41, BY_CHM, BY_BOTH, BY_VERSION };

const char *gbt_phase_name(enum gbt_phase phase)
{
	static const char *const names[] = {"idle",     "handshake", "identification", "configuration",
					    "charging", "stopping",  "ended",          "error"};

	return names[phase];
}

void gbt_tell(struct gbt *g, const struct gbt_event *event)
{
	if (g->event)
		g->event(g->user, event);
}

static void enter(struct gbt *g, enum gbt_phase phase, int64_t when_us)
{
	struct gbt_event e = {.what = GBT_PHASE, .mono_us = when_us, .phase = phase, .from = g->phase};

	if (phase == g->phase)
		return;
	g->phase = phase;
	g->phase_us = when_us;
	g->changes++;
	gbt_tell(g, &e);
}

static void believe(struct gbt *g, enum gbt_edition edition, int evidence)
{
	struct gbt_event e = {
	    .what = GBT_EDITION, .mono_us = g->now_us, .phase = g->phase, .from = g->phase, .edition = edition};

	if (evidence < g->evidence)
		return;
	g->evidence = evidence;
	if (edition == g->edition)
		return;
	g->edition = edition;
	g->changes++;
	gbt_tell(g, &e);
}

/* Values become unknown; keep_end: but for those of the end. */
static void forget(struct gbt *g, int keep_end)
{
	for (int i = 0; i < MESSAGES; i++)
		if (!keep_end || (i != BSD && i != CSD && i != BST && i != CST)) {
			g->heard[i].count = 0;
			g->heard[i].len = 0;
		}
	memset(g->held_us, 0, sizeof(g->held_us));
	g->pause_us = g->known_us = g->bro_us = g->cro_us = 0;
}

/* What was heard of m just now, put back after everything was forgotten. */
static void forget_but(struct gbt *g, enum gbt_id m)
{
	struct gbt_heard kept = g->heard[m];

	forget(g, 0);
	kept.count = 1;
	kept.first_us = kept.last_us;
	g->heard[m] = kept;
	for (int i = 0; m == BSM && i < HELD_FIELDS; i++)
		g->held_us[i] = kept.last_us;
}

static void begin(struct gbt *g, enum gbt_id m)
{
	forget_but(g, m);
	memset(&g->told, 0, sizeof(g->told));
	g->stop = g->error = NULL;
	g->waited = NULL;
	g->edition = GBT_EDITION_UNKNOWN;
	g->evidence = NONE;
	g->attempts = 0;
	g->stop_us = 0;
	g->stats.sessions++;
	g->stats.joined += m != CHM && m != CRM && m != BHM;
	g->changes++;
	/* chargers.md 2.6: the 2011 edition begins with CRM. That it began is known only after a silence. */
	if (m == CRM && g->watched)
		believe(g, GBT_2011, BY_FIRST);
	g->watched = 0;
}

/* From the identification again, within the session: after an error, or since one side gave up. */
static void restart(struct gbt *g, enum gbt_id m)
{
	struct gbt_event e = {
	    .what = GBT_RESTARTED, .mono_us = g->now_us, .phase = gbt_rows[m].phase, .from = g->phase};

	forget_but(g, m);
	g->attempts++;
	g->stats.restarts++;
	g->changes++;
	gbt_tell(g, &e);
	enter(g, gbt_rows[m].phase, g->now_us);
}

/* The charge that was running will not be heard of again. */
static void cut(struct gbt *g, int64_t when_us)
{
	if (g->phase != GBT_CHARGING && g->phase != GBT_STOPPING)
		return;
	g->stats.cut += g->phase == GBT_CHARGING;
	gbt_reason_update(g);
	enter(g, GBT_ENDED, when_us);
}

void gbt_session_silent(struct gbt *g, int64_t when_us)
{
	g->told.silent = g->phase == GBT_CHARGING;
	cut(g, when_us);
	g->told.silent = 0;
	forget(g, 1);
	g->watched = 1;
	enter(g, GBT_IDLE, when_us);
}

void gbt_session_deaf(struct gbt *g)
{
	forget(g, 1);
	g->watched = 0;
	g->edition = GBT_EDITION_UNKNOWN;
	g->evidence = NONE;
	enter(g, GBT_IDLE, g->now_us);
}

static void new_session(struct gbt *g, enum gbt_id m)
{
	g->told.replaced = g->phase == GBT_CHARGING;
	cut(g, g->now_us);
	begin(g, m);
	gbt_reason_note(g, m);
	enter(g, gbt_rows[m].phase, g->now_us);
}

/* CHM, or a CRM that does not know the car yet: something begins. */
static void opening(struct gbt *g, enum gbt_id m)
{
	switch (g->phase) {
	case GBT_IDLE:
	case GBT_CHARGING:
	case GBT_STOPPING:
	case GBT_ENDED:
		new_session(g, m);
		break;
	case GBT_HANDSHAKE:
		enter(g, gbt_rows[m].phase, g->now_us);
		break;
	case GBT_IDENTIFICATION:
		if (m == CHM || g->known_us)
			restart(g, m);
		break;
	case GBT_CONFIGURATION:
	case GBT_ERROR:
		restart(g, m);
		break;
	}
}

/* What was said before this charge is no reason for its end. */
static void charge(struct gbt *g)
{
	memset(&g->told, 0, sizeof(g->told));
	g->stop = NULL;
	g->stop_us = g->pause_us = 0;
	g->heard[BST].count = g->heard[CST].count = g->heard[BSD].count = g->heard[CSD].count = 0;
	enter(g, GBT_CHARGING, g->now_us);
}

/* Messages come late and out of order (chargers.md 2.7): a phase is never left backwards for one of them, unless they go on. */
static void proceed(struct gbt *g, enum gbt_id m)
{
	enum gbt_phase phase = gbt_rows[m].phase;
	int settled = g->phase < GBT_STOPPING || g->now_us - g->settled_us > SETTLE_US;

	if (phase == GBT_ERROR || (phase > g->phase && g->phase != GBT_ERROR)) {
		gbt_reason_note(g, m);
		if (phase == GBT_CHARGING)
			charge(g);
		else
			enter(g, phase, g->now_us);
	} else if (settled && g->phase >= GBT_STOPPING && (m == BCL || m == CCS)) {
		g->stats.resumed++;
		charge(g);
	}
}

static void note_edition(struct gbt *g, enum gbt_id m)
{
	const struct gbt_heard *h = &g->heard[m];

	switch (m) {
	case CHM:
		believe(g, GBT_2015, BY_CHM);
		break;
	case BHM:
		believe(g, GBT_2015, BY_BOTH);
		break;
	case BRM:
		if (h->data[1] == 1 && !h->data[2] && h->data[0] <= 1)
			believe(g, h->data[0] ? GBT_2015 : GBT_2011, BY_VERSION);
		break;
	case CML:
	case CCS:
		believe(g, h->len == 6 ? GBT_2011 : GBT_2015, BY_LENGTH);
		break;
	case CSD:
		if (h->len == 5 || h->len >= 8)
			believe(g, h->len == 5 ? GBT_2011 : GBT_2015, BY_LENGTH);
		break;
	default:
		break;
	}
}

void gbt_session_opened(struct gbt *g, uint32_t pgn, unsigned length)
{
	if (pgn != gbt_rows[BRM].pgn || g->phase == GBT_IDLE)
		return;
	if (length == BRM_2011)
		believe(g, GBT_2011, BY_BRM_41);
	else if (length == BRM_2015)
		believe(g, GBT_2015, BY_BOTH);
}

/* When something was first said in this attempt. */
static void note_time(int64_t *first_us, int yes, int64_t now_us)
{
	if (!yes)
		*first_us = 0;
	else if (!*first_us)
		*first_us = now_us ? now_us : 1;
}

/* All of SPN 3090 to 3095 well, and 3096 forbids (chargers.md 2.3, coupling). */
static void note_pause(struct gbt *g)
{
	const uint8_t *d = g->heard[BSM].data;

	note_time(&g->pause_us, !d[5] && !(d[6] & 0x3f), g->now_us);
}

void gbt_session_message(struct gbt *g, enum gbt_id m)
{
	const struct gbt_heard *h = &g->heard[m];
	int is_opening = m == CHM || (m == CRM && h->data[0] == 0);

	if (is_opening)
		opening(g, m);
	else if (g->phase == GBT_IDLE)
		new_session(g, m);
	else
		proceed(g, m);
	if (m == CRM && h->data[0] == READY)
		note_time(&g->known_us, 1, g->now_us);
	if (m == BRO)
		note_time(&g->bro_us, h->data[0] == READY, g->now_us);
	if (m == CRO)
		note_time(&g->cro_us, h->data[0] == READY, g->now_us);
	if (gbt_rows[m].phase == GBT_STOPPING || gbt_rows[m].phase == GBT_ENDED || gbt_rows[m].phase == GBT_ERROR)
		g->settled_us = g->now_us;
	if (gbt_rows[m].phase == GBT_STOPPING && !g->stop_us)
		g->stop_us = g->now_us;
	if (m == BSM)
		note_pause(g);
	if (m == CCS)
		gbt_wait_current(g);
	note_edition(g, m);
	gbt_reason_note(g, m);
}
