/* What people want on site: a card presented at the charger, a charge that began without anyone's order. Platforms decide. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "charge/durable.h"
#include "charge/set.h"
#include "charge/words.h"
#include "station/point.h"

/* FC_OK when the point is a good text of printable characters, without blanks around it. */
static int read_text(const struct charge *c, const char *point, char out[ORDER_USER])
{
	struct point_value value;

	if (!c->connector || connector_point(c->connector, point, &value) || value.quality != QUALITY_GOOD ||
	    !value.is_text)
		return FC_ENOENT;
	const char *from = value.text + strspn(value.text, " ");
	size_t len = strlen(from);
	while (len && from[len - 1] == ' ')
		len--;
	if (len >= ORDER_USER)
		return FC_ELIMIT;
	for (size_t i = 0; i < len; i++)
		if (!isprint((unsigned char)from[i]))
			return FC_EINVAL;
	memcpy(out, from, len);
	out[len] = '\0';
	return FC_OK;
}

static void present(struct charge *c)
{
	enum charge_refusal refusal;
	struct error err = {0};
	char text[WORDS_MASKED];

	if (c->order && !c->closing && !c->settling && !strcmp(c->order->user, c->card)) {
		log_notice("charge: order %s: stopped by its card", c->order->seq);
		conduct_stop(c, SESSION_BY_USER, CHARGE_RESULT_S);
		return;
	}
	refusal = set_check_start(c, 0);
	if (!refusal && conduct(c, SESSION_REQUEST, NULL, &err))
		refusal = CHARGE_OCCUPIED;
	if (refusal)
		log_notice("charge: connector %s: card %s: no charge: %s", c->connector_id, words_masked(c->card, text),
			   charge_refusal_text(refusal));
}

void wish_look(struct charge *c)
{
	char card[ORDER_USER];

	/* Asked before a restart: the answer went with it. */
	if (c->order && c->order->asking && !c->wish && !c->closing && c->connector && c->state == SESSION_CHARGING)
		wish_ask(c);
	if (read_text(c, "card", card) || (c->card_known && !strcmp(card, c->card)))
		return;
	/* What stands there when we come is nobody's wish of now. */
	int presented = c->card_known && *card;
	c->card_known = 1;
	(void)snprintf(c->card, sizeof(c->card), "%s", card);
	if (presented)
		present(c);
}

void wish_ask(struct charge *c)
{
	struct charge_set *set = c->conductor->user;
	const struct charge_hooks *hooks = &c->conductor->hooks;
	char user[ORDER_USER] = "";
	struct charge_wish wish = {.connector_id = c->connector_id, .user = user, .seq = c->wish_seq};

	if (c->state != SESSION_AUTHORISING && c->connector && c->connector->reservation.held) {
		log_notice("charge: order %s: began on site where it is reserved: stopped", c->order->seq);
		c->order->asking = 0;
		c->order->unwanted = SESSION_RESERVED;
		conduct_stop(c, SESSION_RESERVED, CHARGE_RESULT_S);
		return;
	}
	set->wishes = set->wishes + 1 ? set->wishes + 1 : 1;
	c->wish = wish.number = set->wishes;
	if (c->state == SESSION_AUTHORISING) {
		set_make_seq(set, c->wish_seq);
		(void)snprintf(user, sizeof(user), "%s", c->card);
	} else {
		wish.began = 1;
		(void)snprintf(c->wish_seq, sizeof(c->wish_seq), "%s", c->order->seq);
		(void)read_text(c, "vin", user);
	}
	if (!hooks->authorise || hooks->authorise(hooks->user, &wish))
		charge_decide(set, c->connector_id, wish.number, &(struct charge_grant){0});
}

static int known(struct charge_set *set, const char *seq)
{
	return charge_find(set, seq, NULL, NULL) != FC_ENOENT;
}

/* protocol.md 4.2: 27 characters; the platform's own number, if it gave a usable one. */
static const char *number_of(struct charge_set *set, const struct charge *c, const struct charge_grant *grant)
{
	if (!grant->seq || strlen(grant->seq) != JOURNAL_SEQ - 1 || known(set, grant->seq))
		return c->wish_seq;
	return grant->seq;
}

static void begin(struct charge_set *set, struct charge *c, const struct charge_grant *grant)
{
	struct charge_request request = {.seq = number_of(set, c, grant),
					 .connector_id = c->connector_id,
					 .platform = grant->platform,
					 .user_class = grant->user_class,
					 .user = c->card,
					 .mode = ORDER_BY_CARD};
	struct error err = {0};
	enum charge_refusal refusal = set_check_start(c, 0);
	struct order *order = refusal ? NULL : set_new_order(set, c->connector, &request, &err);

	c->result_s = grant->result_s;
	if (order && !conduct(c, SESSION_GRANTED, order, &err))
		return;
	free(order);
	log_error("charge: connector %s: granted, but not started: %s", c->connector_id,
		  refusal ? charge_refusal_text(refusal) : err.text);
	(void)conduct(c, SESSION_REFUSED, NULL, NULL);
}

/* The charge that runs belongs to a platform from now on, at that platform's prices from its first Wh on. */
static void adopt(struct charge_set *set, struct charge *c, const struct charge_grant *grant)
{
	struct order *o = c->order;
	struct tariff tariff;
	struct error err = {0};

	(void)snprintf(o->platform, sizeof(o->platform), "%s", grant->platform);
	(void)snprintf(o->user_class, sizeof(o->user_class), "%s", grant->user_class);
	if (!c->connector) {
		log_warning("charge: order %s: keeps the station's prices: its connector is not configured now",
			    o->seq);
	} else if (prices_tariff(set->prices, c->connector, grant->platform, grant->user_class, TARIFF_DAYS, &tariff,
				 &err)) {
		log_error("charge: order %s: keeps the station's prices: %s", o->seq, err.text);
	} else if (!o->split.repairs) {
		int64_t start = o->split.start_register_wh, last = o->split.last_register_wh, at = o->split.last_wall;

		o->tariff = tariff;
		int unread = o->split.unread;

		split_begin(&o->split, &o->tariff, o->start_wall, start);
		if (!unread)
			(void)split_reading(&o->split, &o->tariff, at, last, c->connector->config->power_w);
		o->split.unread = unread;
	}
	durable_note(c);
	conduct_tell_started(c);
}

/* Where only who is vouched for may charge it is stopped: when the charger is silent now, as soon as it is heard; when its connector is not
 * configured, as soon as it is, and its station says so. */
static void refuse_running(struct charge *c)
{
	if (c->connector && c->connector->station->local_start != CONFIG_LOCAL_AUTHORISED)
		return;
	log_notice("charge: order %s: began on site, and nobody vouches for it: %s", c->order->seq,
		   c->connector && c->state != SESSION_UNKNOWN ? "stopped" : "to be stopped once its charger is heard");
	c->order->unwanted = SESSION_NOT_AUTHORISED;
	if (c->connector)
		conduct_stop(c, SESSION_NOT_AUTHORISED, CHARGE_RESULT_S);
	if (c->state != SESSION_STOPPING)
		durable_note(c);
}

void charge_decide(struct charge_set *set, const char *connector_id, unsigned number, const struct charge_grant *grant)
{
	struct charge *c = set_find(set, connector_id);
	int running = c && c->order && !c->closing && !c->settling && !strcmp(c->order->seq, c->wish_seq);
	char text[WORDS_MASKED];

	if (!c || c->wish != number || (c->state != SESSION_AUTHORISING && !running)) {
		log_notice("charge: connector %s: authorised or not, it is too late", connector_id);
		return;
	}
	c->wish = 0;
	if (c->state == SESSION_AUTHORISING) {
		log_notice("charge: connector %s: card %s: %s", connector_id, words_masked(c->card, text),
			   grant->platform ? grant->platform : "refused");
		if (grant->platform)
			begin(set, c, grant);
		else
			(void)conduct(c, SESSION_REFUSED, NULL, NULL);
		return;
	}
	c->order->asking = 0;
	if (grant->platform) {
		log_notice("charge: order %s: began on site, vouched for by %s", c->order->seq, grant->platform);
		adopt(set, c, grant);
	} else {
		refuse_running(c);
	}
}
