/* What the files of this room share; for them only. */
#ifndef FC_ADMIN_INSIDE_H
#define FC_ADMIN_INSIDE_H

#include "admin/admin.h"
#include "base/json_read.h"
#include "loop/http_server.h"

/* Bodies: of those who are known, and of strangers. */
enum { BODY_MAX = 1 << 20, BODY_STRANGER = 4096 };
/* A tree of such a body. */
#define BODY_MEMORY ((size_t)8 << 20)

/* What the page is served with: the configuration's texts go with the configuration. */
struct settings {
	int enabled, port, tls, is_self_signed;
	char address[64], certificate[256], key[256], www[256];
};

struct pending;
struct live;

struct admin {
	struct admin_sources sources;
	struct live *live;
	struct json_reader *reader;
	struct http_server *server; /* NULL when off */
	struct settings settings;
	struct pending *pending; /* answers that are owed */
	char headers[320];       /* of the answer that is being made */
};

/* Who asks, and whether it is this page that asks ----------------------------------------------------------------- */

/* By its token, else by its session. FC_EAUTH: nobody. */
int who_asks(struct admin *admin, const struct http_request *request, struct guard_who *who);
/* The session's token in the cookie, or "". */
void who_cookie(const struct admin *admin, const struct http_request *request, char token[SESSION_TOKEN]);
/* A header line that sets the cookie; seconds 0: takes it away. */
void who_set_cookie(const struct admin *admin, const char *token, int seconds, char *out, size_t size);
/* Nonzero when a foreign page asks: its Origin is not our Host, or the browser says that it comes from elsewhere. */
int who_is_foreign(const struct http_request *request);
/* Nonzero when a POST of a session lacks that session's own token. */
int who_lacks_csrf(const struct http_request *request, const struct guard_who *who);
/* For live.h: who may have a live connection; admin is the room's. */
int who_may_look(void *admin, const struct http_request *request, struct guard_who *who);
int who_may_still(void *admin, const struct guard_who *who);

/* Answers ----------------------------------------------------------------------------------------------------------- */

/* {"code","error"} and "key" where there is one. */
void say_refusal(struct http_response *response, int status, const char *code, const char *key, const char *error);
/* The HTTP status of a result of control. */
int say_status(int code);
void say_tree(struct http_response *response, const struct value *tree);
void say_who(struct http_response *response, const struct guard_who *who);

/* An answer that comes when it comes. */
struct pending {
	struct pending *next;
	struct admin *admin;
	struct http_ticket *ticket;
	struct control_reply *reply; /* of a command; NULL = none */
	int is_download;
	char left[SESSION_TOKEN]; /* of a log-in: the session that it replaces, or "" */
};
/* NULL: no memory, and the response says so. */
struct pending *pending_begin(struct admin *admin, const struct http_request *request, struct http_response *response);
/* Sends it; the response's headers are copied. */
void pending_end(struct pending *pending, struct http_response *response);
void pending_end_all(struct admin *admin);
/* Ready to be filled, for pending_end. */
void pending_response(struct http_response *response);

/* What is answered --------------------------------------------------------------------------------------------------- */

void answer_login(struct admin *admin, const struct http_request *request, struct http_response *response,
		  const struct guard_who *who);
void answer_logout(struct admin *admin, const struct http_request *request, struct http_response *response,
		   const struct guard_who *who);
void answer_password(struct admin *admin, const struct http_request *request, struct http_response *response,
		     const struct guard_who *who);
/* A command of core/control. */
void answer_command(struct admin *admin, const struct http_request *request, struct http_response *response,
		    const struct guard_who *who);
/* All routes: files, too. */
void answer_request(void *admin, const struct http_request *request, struct http_response *response);
/* The headers of every answer. */
const char *answer_headers(int tls);
/* The largest body that this request may have. */
size_t answer_body_limit(void *admin, const struct http_request *head);

#endif
