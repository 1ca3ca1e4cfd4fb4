/* Server: answers what platforms ask. The handler of one `listen` section: path and method lead to a platform, the
 * envelope is opened, the question answered, the answer sealed with our keys for that platform.
 *
 * Order of checks (protocol.md 1.8): path and HTTP method, client certificate's name, Bearer, five fields, Sig, and only
 * then what costs or remembers: rate, TimeStamp, replay, decryption, parameters. Nobody without our SigSecret can
 * fill a replay ring or use up a platform's rate.
 *
 *   HTTP 404  no platform has this path, or the method is unknown or off there
 *   HTTP 405  not a POST
 *   HTTP 200  everything else, with Ret: -1 rate, 4001 Sig, 4002 token (4003 by option when it is missing), 4003
 *             envelope (also a repeated or an old one), 4004 Data or parameters, 500 our own trouble
 *
 * Platforms that share a path are told apart by the envelope's OperatorID. A caller that can't be told is answered
 * unsigned: whose keys should sign? */
#ifndef FC_UPSTREAM_SERVER_H
#define FC_UPSTREAM_SERVER_H

#include "loop/http_server.h"
#include "upstream/platform_state.h"

/* Those that may call on one port; borrowed. */
struct server_routes {
	struct platform *const *platforms;
	int count;
	const char *listen; /* section name: platforms of other sections are passed over */
	struct json_reader *reader;
};

/* Fills *response, whatever *request is. response->body has been initialised by the caller. */
void server_answer(const struct server_routes *routes, const struct http_request *request,
		   struct http_response *response);
/* A request of platform that was fetched from it (pull.h) and did not come in on a port: request->path is its prefix and the interface. All
 * checks but the port's; an answer that would wait for a result (option mode sync) is given at once. */
void server_pulled(struct platform *platform, const struct http_request *request, struct http_response *response);

#endif
