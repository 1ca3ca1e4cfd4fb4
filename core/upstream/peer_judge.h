/* Peer judge: what the transport brought, from bytes to a verdict and, when there is one, the answer's tree. */
#ifndef FC_UPSTREAM_PEER_JUDGE_H
#define FC_UPSTREAM_PEER_JUDGE_H

#include "base/log.h"
#include "loop/http_client.h"
#include "upstream/peer.h"

struct peer_verdict {
	enum peer_outcome outcome;
	struct value *answer; /* checked by its schema, in arena; NULL when there was none or it made no sense */
	enum log_level level; /* of trouble: error, people must act; warning, it may heal by itself */
	struct error trouble; /* text "" when there is none */
	const char *key;      /* its kind, which alarms are told by: peer_trouble_words */
	/* What came, for those who look closer. */
	int has_ret, ret;
	int sig_ok;       /* the answer's signature was there and right */
	const char *json; /* the answer object's text, in arena; NULL = there was none */
	size_t json_len;
};
/* What a kind of trouble means. */
const char *peer_trouble_words(const char *key);

/* plain: the body has no envelope (field variation 5). */
void peer_judge(const struct platform *platform, const struct message *message, int plain,
		const struct http_result *result, struct arena *arena, struct peer_verdict *verdict);

#endif
