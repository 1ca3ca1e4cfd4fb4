/* Ports: the HTTP servers of the `listen` sections, one for each that a platform uses. */
#ifndef FC_UPSTREAM_PORTS_H
#define FC_UPSTREAM_PORTS_H

#include "config/config.h"
#include "loop/http_server.h"

/* Answers a request that came in on the port of the section listen. */
typedef void (*ports_handler)(void *user, const char *listen, const struct http_request *request,
			      struct http_response *response);

struct port {
	struct port *next;
	struct ports *ports;
	char *listen; /* section name */
	struct http_server *server;
};
struct ports {
	struct loop *loop;
	ports_handler handler;
	void *user;
	struct port *first;
};

void ports_init(struct ports *ports, struct loop *loop, ports_handler handler, void *user);
void ports_fini(struct ports *ports);
/* Opens the sections of `to` that used[] marks (one flag a section), keeps those that are the same as in `from` (NULL:
 * none was), closes the rest. On failure those of `from` are open as before and *err says which port of `to` could not
 * be opened. */
int ports_apply(struct ports *ports, const struct config *from, const struct config *to, const char *used,
		struct error *err);
/* The number it is bound to, or -1. */
int ports_number(const struct ports *ports, const char *listen);

#endif
