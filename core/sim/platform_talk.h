/* The simulated platform's state. For sim-platform only. */
#ifndef FC_SIM_PLATFORM_TALK_H
#define FC_SIM_PLATFORM_TALK_H

#include <stdint.h>
#include <stdio.h>

#include "loop/http_client.h"
#include "loop/http_server.h"
#include "sim/platform_business.h"
#include "sim/platform_wire.h"

enum { CONNECTORS_MAX = 4096, TIMES_MAX = 8192, TOKENS = 8, ID = 64, METHODS_MAX = 32 };

/* What was seen of a connector: a whole charge is 1 or 2, then 3, then 2 or nothing, then 1. */
struct seen {
	char id[ID];
	int status; /* -1: none yet */
	int charging, charges;
};

struct platform {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct wire_keys ours, theirs; /* issued by us, by the station */
	const struct dialect *dialect;
	struct business *business;
	const char *operator_id, *station_operator_id, *path, *control_path;
	char prefix[256]; /* of the station's URL */
	FILE *log;
	char tokens[TOKENS][40];
	int next_token;
	char *station_token;
	int64_t renew_us; /* when station_token should be replaced */
	struct loop_timer ask_timer, end_timer;
	int64_t interval_us, round_us; /* between two questions of the round; when the next one is due */
	int step, page, busy;
	int64_t asked_us;
	const char *asked_method;
	struct charge *asked_charge; /* NULL: a question of the round */
	json_t *question;
	int pull; /* it can't call: its question waits in pending until the station fetches it (core/upstream/message_pull.h) */
	json_t *pending;  /* NULL: none waits */
	int next_request; /* number of the last one that waited */
	char *station_id;
	int discard, fail;
	unsigned long pushes, accepted, asked, answered, errors, unreachable;
	json_t *methods; /* pushes per method */
	struct seen seen[CONNECTORS_MAX];
	int seen_count;
	double times_us[TIMES_MAX];
	unsigned long time_count;
};

/* What the station calls (http_handler; user is the platform). */
void talk_handle(void *user, const struct http_request *request, struct http_response *response);
/* Asks the station what is due (a timer's function; user is the platform). */
void talk_ask(void *user);
/* The figures so far as one line of JSON. */
void talk_summary(struct platform *p, FILE *out);

#endif
