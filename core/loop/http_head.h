/* Head of a request, as libwebsockets has read it: method, path, query and the headers that a handler may ask for. For this room only.
 * Nothing is cut: what is longer than its place is refused, since a cut token would be another token. */
#ifndef FC_LOOP_HTTP_HEAD_H
#define FC_LOOP_HTTP_HEAD_H

#include <stddef.h>

struct lws;

enum {
	HTTP_HEAD_VALUE = 2048,
	HTTP_HEAD_PATH = 512,
	HTTP_HEAD_QUERY = 1024,
	HTTP_HEAD_NAME = 300 /* of a host with its port and scheme */
};

struct http_head {
	const char *method; /* NULL: no request */
	char path[HTTP_HEAD_PATH];
	char query[HTTP_HEAD_QUERY]; /* as it came, so that an encoded & is no border of arguments */
	char authorization[HTTP_HEAD_VALUE];
	char content_type[128];
	char cookie[1024]; /* cookies know no ports: those of other pages of the box come too */
	char host[HTTP_HEAD_NAME], origin[HTTP_HEAD_NAME], fetch_site[16], csrf[72], if_none_match[128];
	char accept_encoding[128]; /* empty when it is longer: it is a wish */
	int has_body;              /* by its method: there may be one */
	unsigned long long length; /* of its body, as it says; 0 = it says nothing */
};

/* path: as libwebsockets gives it. 0, or the status to refuse it with: 405 a method that is not known, 400 a path that leads elsewhere or
 * a length that is told twice or not plainly (RFC 9112 6.3), 413 a header that is too long. */
int http_head_read(struct http_head *head, struct lws *wsi, const char *path);

#endif
