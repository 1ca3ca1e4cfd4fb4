/* What the model's files share. */
#ifndef FC_TESTS_MODEL_INSIDE_H
#define FC_TESTS_MODEL_INSIDE_H

#include "model.h"

enum { DIED = 1, CUT = 2 };

/* Sets, a bit each. */
#define ALL_ORDERS    ((1u << MODEL_ORDERS) - 1)
#define ALL_PLATFORMS ((1u << MODEL_PLATFORMS) - 1)
static inline unsigned without(unsigned set, int which)
{
	return set & ~(1u << which);
}

/* It must be so. */
void model_claim(struct model *m, int holds, const char *otherwise);
/* The rules look no further. */
_Noreturn void model_cut(struct model *m);
static inline int model_has(const struct model *m, enum model_mistake mistake)
{
	return m->rules->mistake == mistake;
}

/* disk.c: core/store. Nonzero: nothing of it was kept. */
int disk_open(struct model *m, int k, int order, const struct model_record *record);
int disk_note(struct model *m, int order, const struct model_record *record);
int disk_close(struct model *m, int order, const struct model_record *record, int is_told);
/* Opened and closed at once. */
int disk_keep(struct model *m, int k, int order, const struct model_record *record);
int disk_flush(struct model *m);
/* Of a transaction with BEGIN and COMMIT: confirmations that wait go along. */
void disk_ride(struct model *m);
/* A transaction is through: a crash may come. */
void disk_committed(struct model *m);
/* The connector's last closed order with energy, or MODEL_NONE. */
int disk_last(const struct model *m, int k);
enum model_outbox disk_outbox(const struct model *m, int platform, int order);
void disk_set_outbox(struct model *m, int platform, int order, enum model_outbox state);
/* Of those in a set of orders the first that waits for a platform, or MODEL_NONE. */
int disk_first(const struct model *m, int platform, unsigned among);
int disk_is_settling(const struct model *m, int platform, int order);
void disk_settle(struct model *m, int platform, int order, int is_on);

/* delivery.c: core/upstream/business.c, by platform. */
void delivery_pump(struct model *m, int p, int is_soon);
void delivery_take(struct model *m, int p, int disputes);
void delivery_answer(struct model *m, int p, int is_lost);
void delivery_refuse(struct model *m, int p);
void delivery_resend(struct model *m, int p, int order);

/* energy.c: metering.c and unseen.c of core/charge. */
void energy_pin(struct model *m, int k);
void energy_begin(struct model *m, int k);
void energy_look(struct model *m, int k);
void energy_rest(struct model_connector *c);
void energy_unseen_remember(const struct model *m, struct model_connector *c);
void energy_unseen_look(struct model *m, int k);
/* A number made here. */
int model_make_order(struct model *m);
static inline struct model_connector *at(struct model *m, int k)
{
	return &m->s.connector[k];
}

/* session.c: orders, commands, starts and stops, of the rest of core/charge. */
void session_do_start(struct model *m, int k, int order);
void session_do_stop(struct model *m, int order);
void session_do_card(struct model *m, int k);
void session_do_decide(struct model *m, int k, int granted);
void session_do_done(struct model *m, int k, enum model_command command, enum model_outcome outcome);
/* Nonzero: the trigger means nothing now, or a start can't be carried out; nothing was done. */
int session_conduct(struct model *m, int k, enum session_trigger trigger, int order);
void session_stop(struct model *m, int k);
void session_note(struct model *m, int k);
/* Nonzero: it is not written yet. */
int session_settle(struct model *m, int k);
void session_look_at_closing(struct model *m, int k);
void session_send_command(struct model *m, int k);
int session_is_over(const struct model_connector *c);
/* Whether somebody vouches for what charges. */
void session_ask(struct model *m, int k);

/* time.c: the rest of it. */
void session_do_see(struct model *m, int k, enum model_status status, enum model_reading reading);
void session_do_tick(struct model *m, int k, enum model_time time);
void session_do_boot(struct model *m);
void session_do_end(struct model *m);

#endif
