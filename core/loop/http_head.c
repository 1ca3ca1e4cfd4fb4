#include "loop/http_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

#include "base/error.h"

static const struct {
	enum lws_token_indexes token;
	const char *method;
	int has_body;
} methods[] = {
    {WSI_TOKEN_GET_URI, "GET", 0},         {WSI_TOKEN_POST_URI, "POST", 1},   {WSI_TOKEN_PUT_URI, "PUT", 1},
    {WSI_TOKEN_DELETE_URI, "DELETE", 0},   {WSI_TOKEN_PATCH_URI, "PATCH", 1}, {WSI_TOKEN_HEAD_URI, "HEAD", 0},
    {WSI_TOKEN_OPTIONS_URI, "OPTIONS", 0},
};
enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

/* libwebsockets has split and decoded it; put together again as it came, so that an encoded & is no border of arguments. */
static int copy_query(struct lws *wsi, char *out, size_t size)
{
	char part[4096];
	size_t used = 0;
	int len = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);

	out[0] = '\0';
	if (len >= (int)size || len >= (int)sizeof(part))
		return FC_ELIMIT;
	/* Where nothing follows the question mark, libwebsockets puts a slash. */
	if (len == 1 && lws_hdr_copy_fragment(wsi, part, (int)sizeof(part), WSI_TOKEN_HTTP_URI_ARGS, 0) == 1 &&
	    part[0] == '/')
		return FC_OK;
	for (int i = 0; (len = lws_hdr_copy_fragment(wsi, part, (int)sizeof(part), WSI_TOKEN_HTTP_URI_ARGS, i)) >= 0;
	     i++) {
		if (i && used < size)
			out[used++] = '&';
		for (int k = 0; k < len && used < size; k++) {
			unsigned char c = (unsigned char)part[k];
			int is_plain = c > ' ' && c < 0x7F && !strchr("%&+;#", c);
			int n = is_plain ? snprintf(out + used, size - used, "%c", c)
					 : snprintf(out + used, size - used, "%%%02X", c);

			used += n > 0 ? (size_t)n : 0;
		}
	}
	if (used >= size)
		return FC_ELIMIT;
	out[used] = '\0';
	return FC_OK;
}

/* FC_ELIMIT when it is longer than its place. */
static int copy_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size)
{
	out[0] = '\0';
	int len = lws_hdr_total_length(wsi, token);
	if (len <= 0)
		return FC_OK;
	if ((size_t)len >= size || lws_hdr_copy(wsi, out, (int)size, token) < 0)
		return FC_ELIMIT;
	return FC_OK;
}

/* A header that libwebsockets has no number for: its name in small letters with the colon. */
static int copy_other(struct lws *wsi, const char *name, char *out, size_t size)
{
	int name_len = (int)strlen(name), len = lws_hdr_custom_length(wsi, name, name_len);

	out[0] = '\0';
	if (len <= 0)
		return FC_OK;
	if ((size_t)len >= size || lws_hdr_custom_copy(wsi, out, (int)size, name, name_len) < 0)
		return FC_ELIMIT;
	return FC_OK;
}

static int path_is_plain(const char *path)
{
	return path[0] == '/' && !strstr(path, "/../") && !strstr(path, "//") &&
	       (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

/* One length, told one way (RFC 9112 6.3). libwebsockets passes chunks over, and the body of a GET, and takes what is in them for a request:
 * whoever sends through a proxy could put one of his behind it. */
static int length_is_plain(struct lws *wsi, const char *length, int has_body)
{
	return lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) <= 0 &&
	       lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, 1) <= 0 &&
	       strspn(length, "0123456789") == strlen(length) && (has_body || strspn(length, "0") == strlen(length));
}

int http_head_read(struct http_head *head, struct lws *wsi, const char *path)
{
	char length[24];

	head->method = NULL;
	head->has_body = 0;
	for (int i = 0; i < METHODS; i++)
		if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
			head->method = methods[i].method;
			head->has_body |= methods[i].has_body;
		}
	if (!head->method)
		return HTTP_STATUS_METHOD_NOT_ALLOWED;
	if (strlen(path) >= sizeof(head->path) || !path_is_plain(path))
		return HTTP_STATUS_BAD_REQUEST;
	(void)snprintf(head->path, sizeof(head->path), "%s", path);
	if (copy_query(wsi, head->query, sizeof(head->query)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, head->authorization, sizeof(head->authorization)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, head->content_type, sizeof(head->content_type)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_COOKIE, head->cookie, sizeof(head->cookie)) ||
	    copy_header(wsi, WSI_TOKEN_HOST, head->host, sizeof(head->host)) ||
	    copy_header(wsi, WSI_TOKEN_ORIGIN, head->origin, sizeof(head->origin)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, head->if_none_match, sizeof(head->if_none_match)) ||
	    copy_other(wsi, "sec-fetch-site:", head->fetch_site, sizeof(head->fetch_site)) ||
	    copy_other(wsi, "x-forecourt-csrf:", head->csrf, sizeof(head->csrf)) ||
	    copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof(length)))
		return HTTP_STATUS_REQ_ENTITY_TOO_LARGE;
	(void)copy_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, head->accept_encoding, sizeof(head->accept_encoding));
	if (!length_is_plain(wsi, length, head->has_body))
		return HTTP_STATUS_BAD_REQUEST;
	/* Of 23 digits at the most: more than fits is the largest there is. */
	head->length = strtoull(length, NULL, 10);
	return 0;
}
