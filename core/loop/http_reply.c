#include "loop/http_reply.h"

#include <stdio.h>
#include <string.h>

#include <libwebsockets.h>

enum {
	HEAD_MAX = 2048,
	PART = 8192, /* of a body, written at once */
	ANSWER_MAX = 16 << 20,
	PART_SECONDS = 10, /* somebody who takes no part for so long takes none any more */
};

void http_reply_init(struct http_reply *reply)
{
	*reply = (struct http_reply){.response = {.status = 200, .content_type = "application/json;charset=utf-8"}};
	buffer_init(&reply->response.body, ANSWER_MAX);
}

void http_reply_fini(struct http_reply *reply)
{
	buffer_fini(&reply->response.body);
	reply->sent = 0;
}

/* "name: value" lines of the handler. */
static int add_headers(struct lws *wsi, const char *headers, unsigned char **at, unsigned char *end)
{
	char name[64];

	while (headers && *headers) {
		const char *colon = strchr(headers, ':'), *stop = strstr(headers, "\r\n");

		if (!colon || !stop || colon > stop || (size_t)(colon - headers) + 2 > sizeof(name))
			return -1;
		(void)snprintf(name, sizeof(name), "%.*s:", (int)(colon - headers), headers);
		const char *value = colon + 1 + (colon[1] == ' ');
		if (lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
						(int)(stop - value), at, end))
			return -1;
		headers = stop + 2;
	}
	return 0;
}

/* Each part anew has its time: libwebsockets gives the whole answer to a GET ten seconds, too little for a file over a slow link, and
 * that to a POST all the time in the world, for whoever takes nothing. */
static void go_on_later(struct lws *wsi)
{
	lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PART_SECONDS);
	lws_callback_on_writable(wsi);
}

/* start: head_len bytes of the head, with room for PART behind. */
static int write_next(struct http_reply *reply, struct lws *wsi, unsigned char *start, size_t head_len)
{
	const struct buffer *body = &reply->response.body;
	size_t left = body->len - reply->sent, n = left < PART ? left : PART;

	if (n)
		memcpy(start + head_len, body->data + reply->sent, n);
	int len = (int)(head_len + n);
	if (lws_write(wsi, start, (size_t)len, n == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) != len)
		return -1;
	reply->sent += n;
	if (n < left)
		go_on_later(wsi);
	return 0;
}

int http_reply_begin(struct http_reply *reply, struct lws *wsi)
{
	struct http_response *response = &reply->response;
	unsigned char out[LWS_PRE + HEAD_MAX + PART], *start = out + LWS_PRE, *at = start, *end = start + HEAD_MAX;

	if (response->body.failed) {
		buffer_clear(&response->body);
		response->status = 500;
	}
	if (lws_add_http_common_headers(wsi, (unsigned)response->status, response->content_type, response->body.len,
					&at, end) ||
	    add_headers(wsi, reply->always, &at, end) || add_headers(wsi, response->headers, &at, end))
		return -1;
	if (lws_get_network_wsi(wsi) == wsi)
		return lws_finalize_http_header(wsi, &at, end) ? -1
							       : write_next(reply, wsi, start, (size_t)(at - start));
	/* HTTP/2, where libwebsockets has it: a head is a frame of its own there. */
	if (lws_finalize_write_http_header(wsi, start, &at, end))
		return -1;
	if (response->body.len)
		go_on_later(wsi);
	return 0;
}

int http_reply_go_on(struct http_reply *reply, struct lws *wsi)
{
	unsigned char out[LWS_PRE + PART];

	return write_next(reply, wsi, out + LWS_PRE, 0);
}

int http_reply_is_out(const struct http_reply *reply)
{
	return reply->sent == reply->response.body.len;
}
