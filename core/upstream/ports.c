#include "upstream/ports.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void ports_init(struct ports *ports, struct loop *loop, ports_handler handler, void *user)
{
	*ports = (struct ports){.loop = loop, .handler = handler, .user = user};
}

static void handle(void *user, const struct http_request *request, struct http_response *response)
{
	struct port *port = user;

	port->ports->handler(port->ports->user, port->listen, request, response);
}

static void close_port(struct port *port)
{
	http_server_free(port->server);
	free(port->listen);
	free(port);
}

static struct port *open_port(struct ports *ports, const struct config_listen *l, struct error *err)
{
	const struct http_server_config config = {
	    .name = l->name,
	    .address = l->address,
	    .may_await = 1,
	    .port = l->port,
	    .certificate = l->tls ? l->certificate : NULL,
	    .key = l->tls ? l->key : NULL,
	    .client_ca = l->client_ca[0] ? l->client_ca : NULL,
	    .client_cert = (enum http_client_cert)l->client_certificate,
	    .max_body = (size_t)l->max_body_kb * 1024,
	    .max_connections = l->max_connections,
	    .max_connections_peer = l->max_connections_peer,
	};
	struct error why = {0};
	struct port *port = calloc(1, sizeof(*port));

	if (port)
		port->listen = strdup(l->name);
	if (!port || !port->listen) {
		free(port);
		(void)error_set(err, FC_ENOMEM, "upstream: listen %s: no memory", l->name);
		return NULL;
	}
	port->ports = ports;
	port->server = http_server_new(ports->loop, &config, handle, port, &why);
	if (!port->server) {
		(void)error_set(err, FC_EIO, "upstream: listen %s: %s", l->name, why.text);
		free(port->listen);
		free(port);
		return NULL;
	}
	return port;
}

static struct port *find_port(const struct ports *ports, const char *listen)
{
	for (struct port *port = ports->first; port; port = port->next)
		if (!strcmp(port->listen, listen))
			return port;
	return NULL;
}

static const struct config_listen *find_listen(const struct config *config, const char *name)
{
	for (int i = 0; config && i < config->listen_count; i++)
		if (!strcmp(config->listens[i].name, name))
			return &config->listens[i];
	return NULL;
}

/* The section that a port has to serve, if the new configuration leaves it as it is. */
static int stays(const struct port *port, const struct config *from, const struct config *to, const char *used)
{
	const struct config_listen *before = find_listen(from, port->listen);
	const struct config_listen *now = find_listen(to, port->listen);

	return before && now && used[now - to->listens] && config_listen_equal(before, now);
}

/* Closes what does not stay and returns it as a list of names (servers gone), so that it can be opened again. */
static struct port *close_changed(struct ports *ports, const struct config *from, const struct config *to,
				  const char *used)
{
	struct port **at = &ports->first, *closed = NULL;

	while (*at) {
		struct port *port = *at;

		if (stays(port, from, to, used)) {
			at = &port->next;
			continue;
		}
		*at = port->next;
		http_server_free(port->server);
		port->server = NULL;
		port->next = closed;
		closed = port;
	}
	return closed;
}

static int open_missing(struct ports *ports, const struct config *to, const char *used, struct port **opened,
			struct error *err)
{
	*opened = NULL;
	for (int i = 0; i < to->listen_count; i++) {
		if (!used[i] || find_port(ports, to->listens[i].name))
			continue;
		struct port *port = open_port(ports, &to->listens[i], err);
		if (!port)
			return FC_EIO;
		port->next = *opened;
		*opened = port;
	}
	return FC_OK;
}

static void append(struct ports *ports, struct port *list)
{
	struct port *next;

	for (; list; list = next) {
		next = list->next;
		list->next = ports->first;
		ports->first = list;
	}
}

static void free_list(struct port *list)
{
	struct port *next;

	for (; list; list = next) {
		next = list->next;
		close_port(list);
	}
}

/* Opens again what close_changed closed. */
static void reopen(struct ports *ports, const struct config *from, struct port *closed)
{
	struct error err = {0};

	for (; closed; closed = closed->next) {
		const struct config_listen *l = find_listen(from, closed->listen);
		struct port *port = l ? open_port(ports, l, &err) : NULL;

		if (!port) {
			log_error("upstream: listen %s: can't be opened again: %s", closed->listen, err.text);
			continue;
		}
		port->next = ports->first;
		ports->first = port;
	}
}

int ports_apply(struct ports *ports, const struct config *from, const struct config *to, const char *used,
		struct error *err)
{
	struct port *opened;
	/* Closed first: a changed or renamed section may want the same port again. */
	struct port *closed = close_changed(ports, from, to, used);

	int result = open_missing(ports, to, used, &opened, err);
	if (result) {
		free_list(opened);
		reopen(ports, from, closed);
	} else {
		append(ports, opened);
	}
	free_list(closed);
	return result;
}

int ports_number(const struct ports *ports, const char *listen)
{
	const struct port *port = find_port(ports, listen);

	return port ? http_server_port(port->server) : -1;
}

void ports_fini(struct ports *ports)
{
	free_list(ports->first);
	ports->first = NULL;
}
