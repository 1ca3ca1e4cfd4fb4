/* The baseline of bench_iserv: libwebsockets as its own examples use it, over the same TLS: reads a POST and answers with as
 * many bytes as the query names ("?412"). Nothing of the gateway is in it.
 *
 *   bench_bare PORT CERTIFICATE KEY */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <libwebsockets.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 8192, IDLE_SECONDS = 60, DESCRIPTORS = 2048 };

struct exchange {
	size_t answer_len, body_len;
	char body[BODY_MAX];
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static int begin(struct exchange *e, struct lws *wsi)
{
	char query[16] = "";

	if (lws_hdr_copy(wsi, query, sizeof(query), WSI_TOKEN_HTTP_URI_ARGS) < 0)
		return -1;
	e->answer_len = strtoul(query, NULL, 10);
	e->body_len = 0;
	return e->answer_len && e->answer_len <= BODY_MAX ? 0 : -1;
}

static int take(struct exchange *e, const void *part, size_t len)
{
	if (len > BODY_MAX - e->body_len)
		return -1;
	memcpy(e->body + e->body_len, part, len);
	e->body_len += len;
	return 0;
}

static int answer(const struct exchange *e, struct lws *wsi)
{
	unsigned char head[LWS_PRE + 1024], *start = head + LWS_PRE, *at = start, *end = head + sizeof(head);

	if (lws_add_http_common_headers(wsi, HTTP_STATUS_OK, "application/json;charset=utf-8", e->answer_len, &at,
					end) ||
	    lws_finalize_write_http_header(wsi, start, &at, end))
		return -1;
	lws_callback_on_writable(wsi);
	return 0;
}

static int write_body(const struct exchange *e, struct lws *wsi)
{
	static unsigned char body[LWS_PRE + BODY_MAX];

	if (lws_write(wsi, body + LWS_PRE, e->answer_len, LWS_WRITE_HTTP_FINAL) != (int)e->answer_len)
		return -1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct exchange *e = user;

	switch (reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		return wolfSSL_CTX_SetMinVersion(user, WOLFSSL_TLSV1_2) == WOLFSSL_SUCCESS ? 0 : -1;
	case LWS_CALLBACK_HTTP:
		return begin(e, wsi);
	case LWS_CALLBACK_HTTP_BODY:
		return take(e, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return answer(e, wsi);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return write_body(e, wsi);
	default:
		return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
}

int main(int argc, char **argv)
{
	static const struct lws_protocols protocols[] = {
	    {.name = "http", .callback = callback, .per_session_data_size = sizeof(struct exchange)}, {0}};
	struct lws_context_creation_info info = {
	    .iface = "127.0.0.1",
	    .protocols = protocols,
	    .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
	    .keepalive_timeout = IDLE_SECONDS,
	    .fd_limit_per_thread = DESCRIPTORS,
	    .gid = -1,
	    .uid = -1,
	};

	if (argc != 4)
		return 2;
	info.port = (int)strtol(argv[1], NULL, 10);
	info.ssl_cert_filepath = argv[2];
	info.ssl_private_key_filepath = argv[3];
	(void)signal(SIGTERM, on_signal);
	(void)signal(SIGINT, on_signal);
	lws_set_log_level(LLL_ERR, NULL);
	struct lws_context *context = lws_create_context(&info);
	if (!context)
		return 1;
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (!stopped && lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
