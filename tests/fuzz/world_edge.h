/* Where answers of world.h's station arrive. */
#ifndef FUZZ_WORLD_EDGE_H
#define FUZZ_WORLD_EDGE_H

#include "loop/http_server.h"

/* A request's connection: what is deferred comes here. */
struct edge {
	int owed, answers;
	void (*check)(const struct http_response *response); /* more that must hold of what comes later; may be NULL */
};
/* Whoever called has gone: what is owed to it goes nowhere. NULL: all have. */
void edge_leave(struct edge *edge);
/* What must hold of any answer. */
void edge_check(const struct http_response *response);

#endif
