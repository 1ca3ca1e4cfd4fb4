#include "base/log.h"
#include "upstream/peer.h"

int peer_send(struct peer *peer, const struct platform *platform, const char *method, struct value *request,
	      struct arena *arena, peer_done done, void *user)
{
	struct error err = {0};

	if (!request)
		return FC_ENOMEM;
	int result = peer_call(peer, message_find(method), request, arena, done, user, &err);
	if (result && result != FC_EBUSY)
		log_warning("upstream: %s: %s: not sent: %s", platform->options->name, method, err.text);
	return result;
}
