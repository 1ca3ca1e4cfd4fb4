#include "upstream/peer_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "upstream/client.h"

void peer_exchange_free(struct peer_exchange *exchange)
{
	if (exchange->json.data)
		explicit_bzero(exchange->json.data, exchange->json.len); /* query_token's has the secret in it */
	buffer_fini(&exchange->json);
	free(exchange);
}

struct peer *peer_keeper(struct peer *peer)
{
	const struct platform *hub = peer->platform->hub;

	return hub != peer->platform && hub->client ? client_peer(hub->client) : peer;
}

/* Another hexadecimal digit in front of the signature, which is the last member. */
static void spoil_sig(struct buffer *body)
{
	static const char sig[] = "\"Sig\":\"";
	char *at = body->data ? memmem(body->data, body->len, sig, sizeof(sig) - 1) : NULL;

	if (at)
		at[sizeof(sig) - 1] = at[sizeof(sig) - 1] == '0' ? '1' : '0';
}

static int seal_and_send(struct peer *peer, struct peer_exchange *exchange, http_done done, struct error *err)
{
	const struct platform *p = peer->platform;
	struct envelope_keys keys = p->theirs;
	struct buffer body;
	int result = FC_OK;

	/* Signed right, and readable for nobody. */
	if (exchange->flaw == PEER_FLAW_DATA)
		keys.data_secret[0] ^= 1;
	buffer_init(&body, (size_t)PLATFORM_MESSAGE_MAX * 2);
	if (exchange->plain && buffer_add(&body, exchange->json.data, exchange->json.len))
		result = error_set(err, FC_ELIMIT, "upstream: request: too large");
	else if (!exchange->plain)
		result = envelope_seal_request(&keys, p->config->gateway.operator_id, &peer_keeper(peer)->sequence,
					       clock_wall(), exchange->json.data, exchange->json.len, &body, err);
	envelope_keys_clear(&keys);
	if (!result && exchange->flaw == PEER_FLAW_SIG)
		spoil_sig(&body);
	exchange->bytes = (uint32_t)body.len;
	if (!result)
		result = http_client_post(peer->http, exchange->path,
					  exchange->authorization[0] ? exchange->authorization : NULL,
					  "application/json;charset=utf-8", body.data, body.len,
					  p->options->request_timeout_ms, done, exchange, err);
	buffer_fini(&body);
	return result;
}

int peer_went_again(struct peer *peer, struct peer_exchange *exchange, const struct http_result *result, http_done done)
{
	struct error err = {0};

	if (result->status || !result->stale || exchange->resent)
		return 0;
	exchange->resent = 1;
	return !seal_and_send(peer, exchange, done, &err);
}

int peer_post(struct peer *peer, struct peer_exchange *exchange, struct value *request, struct arena *arena,
	      http_done done, struct error *err)
{
	const struct platform *p = peer->platform;
	const struct codec codec = platform_codec(p);

	buffer_init(&exchange->json, PLATFORM_MESSAGE_MAX);
	const char *path = mapping_path(p->mapping, exchange->message);
	/* One with a / in front is the whole path. */
	int n = snprintf(exchange->path, sizeof(exchange->path), "%s%s%s", *path == '/' ? "" : peer->url.prefix,
			 *path == '/' ? "" : "/", path);
	if (n < 0 || (size_t)n >= sizeof(exchange->path))
		return error_set(err, FC_ELIMIT, "upstream: %s: path too long", exchange->message->method);
	uint64_t before = recorder_newest(p->recorder);
	int result = codec_encode(&codec, exchange->message, MESSAGE_REQUEST, request, arena, &exchange->json, err);
	uint64_t after = recorder_newest(p->recorder);
	exchange->recorded = after > before ? after : 0;
	exchange->sent_us = clock_mono_us();
	exchange->wall_ms = clock_wall_ms();
	return result ? result : seal_and_send(peer, exchange, done, err);
}
