/* For tests that fake the loop and the station: there is no charge room behind them either. */
#ifndef FC_TESTS_CHARGE_STUB_H
#define FC_TESTS_CHARGE_STUB_H

#include "charge/charge.h"
#include "loop/http_server.h"

int charge_find(struct charge_set *set, const char *seq,
		void (*fn)(void *user, const struct order *order, enum session_state state,
			   const struct connector *connector),
		void *user)
{
	(void)set, (void)seq, (void)fn, (void)user;
	return FC_ENOENT;
}

void charge_each_running(const struct charge_set *set,
			 void (*fn)(void *user, const struct order *order, enum session_state state,
				    const struct connector *connector),
			 void *user)
{
	(void)set, (void)fn, (void)user;
}

void charge_start(struct charge_set *set, const struct charge_request *request, struct charge_answer *answer)
{
	(void)set, (void)request;
	answer->refusal = CHARGE_NO_CONNECTOR;
}

void charge_stop(struct charge_set *set, const struct charge_stop_request *request, struct charge_answer *answer)
{
	(void)set, (void)request;
	answer->refusal = CHARGE_NO_CONNECTOR;
}

void charge_decide(struct charge_set *set, const char *connector_id, unsigned number, const struct charge_grant *grant)
{
	(void)set, (void)connector_id, (void)number, (void)grant;
}

enum charge_refusal charge_tariff(struct charge_set *set, const char *connector_id, const char *platform,
				  struct tariff *out)
{
	(void)set, (void)connector_id, (void)platform, (void)out;
	return CHARGE_NO_CONNECTOR;
}

const char *charge_refusal_text(enum charge_refusal refusal)
{
	return refusal == CHARGE_ACCEPTED ? "accepted" : "refused";
}

/* Without a server no answer can wait. */
struct http_ticket *http_defer(const struct http_request *request)
{
	(void)request;
	return NULL;
}

int http_answer(struct http_ticket *ticket, struct http_response *response)
{
	(void)ticket;
	buffer_fini(&response->body);
	return -1;
}

#endif
