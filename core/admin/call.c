/* Commands of core/control by HTTP: arguments from the query or the body, the result as JSON or as a file. */
#include <wolfssl/options.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/types.h>

#include "admin/inside.h"
#include "base/log.h"
#include "control/command.h"

enum { PREFIX = sizeof("/api/") - 1 };

/* Arguments ---------------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* A part of a query, decoded; NULL when it is no such thing, or holds a zero byte. */
static char *decode(struct arena *arena, const char *text, size_t len)
{
	char *out = arena_copy(arena, text, len), *to = out;

	for (size_t i = 0; out && i < len; i++) {
		if (text[i] != '%') {
			*to++ = text[i] == '+' ? ' ' : text[i];
			continue;
		}
		int high = i + 2 < len ? hex_digit(text[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(text[i + 2]);

		if (low < 0 || !(high | low))
			return NULL;
		*to++ = (char)(high * 16 + low);
		i += 2;
	}
	if (out)
		*to = '\0';
	return out;
}

/* A number as a whole one where it is one; else the text, which the command will refuse. */
static struct value *number(struct arena *arena, const char *text)
{
	char *end;

	errno = 0;
	long long i = strtoll(text, &end, 10);
	if (!errno && end != text && !*end)
		return value_int(arena, i);
	double f = strtod(text, &end);
	if (end != text && !*end && f > -1e15 && f < 1e15 && !strpbrk(text, "xXnN"))
		return value_float(arena, f);
	return value_string(arena, text);
}

static struct value *convert(struct admin *admin, struct arena *arena, const struct control_argument *a, char *text)
{
	struct value *tree;

	if (!a || a->kind == CONTROL_TEXT || a->kind == CONTROL_DATE || a->kind == CONTROL_SECRET)
		return value_string(arena, text);
	if (a->kind == CONTROL_FLAG && (!strcmp(text, "1") || !strcmp(text, "true")))
		return value_bool(arena, 1);
	if (a->kind == CONTROL_FLAG && (!strcmp(text, "0") || !strcmp(text, "false")))
		return value_bool(arena, 0);
	if (strchr("[{", *text) && *text && !json_read(admin->reader, text, strlen(text), arena, &tree, NULL))
		return tree;
	return number(arena, text);
}

static const struct control_argument *find_argument(const struct control_command *c, const char *name)
{
	for (const struct control_argument *a = c->arguments; a && a->name; a++)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

/* The query as an object; "download" is for us. NULL: it can't be read. */
static struct value *from_query(struct admin *admin, const struct control_command *c, const char *query,
				struct arena *arena, int *is_download)
{
	struct value *object = value_object(arena);

	while (object && *query) {
		size_t len = strcspn(query, "&"), name_len = strcspn(query, "=&");
		char *name = decode(arena, query, name_len);
		char *text =
		    name_len < len ? decode(arena, query + name_len + 1, len - name_len - 1) : decode(arena, "", 0);

		query += len + (query[len] == '&');
		if (!len)
			continue;
		if (!name || !text)
			return NULL;
		if (!strcmp(name, "download"))
			*is_download = !strcmp(text, "1");
		else if (value_put(arena, object, name, convert(admin, arena, find_argument(c, name), text)))
			return NULL;
	}
	return object;
}

/* Answers ------------------------------------------------------------------------------------------------------------ */

/* Types that are sent as what they are. Nothing else is: a browser must not run what a command has put into a file. */
static const char *media_type(const char *type)
{
	static const char *const known[] = {
	    "text/plain;charset=utf-8",
	    "text/csv;charset=utf-8",
	    "application/json",
	    "application/gzip",
	    "application/zip",
	    "application/x-ndjson",
	    "text/markdown;charset=utf-8",
	};
	size_t len = strcspn(type, ";");

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(type, known[i], len) && strcspn(known[i], ";") == len)
			return known[i];
	return "application/octet-stream";
}

static int put_content(struct buffer *body, const struct value *text, const struct value *base64)
{
	if (value_text(text))
		return buffer_add(body, text->text, text->len);
	const char *coded = value_text(base64);
	if (!coded)
		return FC_EINVAL;
	word32 size = (word32)base64->len + 1;
	byte *plain = malloc(size);
	int result = plain && !Base64_Decode((const byte *)coded, (word32)base64->len, plain, &size)
			 ? buffer_add(body, plain, size)
			 : FC_EINVAL;
	free(plain);
	return result;
}

/* FC_EINVAL: it is no file. */
static int say_file(struct http_response *response, const struct value *result, char *headers, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *file = value_text(value_get(result, "file")), *type = value_text(value_get(result, "type"));
	char name[128];

	if (!file || !type || result->count != 3 ||
	    put_content(&response->body, value_get(result, "text"), value_get(result, "base64"))) {
		buffer_clear(&response->body);
		return FC_EINVAL;
	}
	(void)snprintf(name, sizeof(name), "%s", file);
	for (char *at = name; *at; at++)
		if (!strchr(allowed, *at))
			*at = '_';
	(void)snprintf(headers, size, "cache-control: no-store\r\ncontent-disposition: attachment; filename=\"%s\"\r\n",
		       name);
	response->content_type = media_type(type);
	response->headers = headers;
	return FC_OK;
}

static void done(void *user, const struct control_result *result)
{
	struct pending *p = user;
	struct http_response response;
	char headers[256];

	pending_response(&response);
	/* He is to come again, over a new connection: the old one must not be what his browser takes again. */
	if (result->key && !strcmp(result->key, CONTROL_KEY_NEW_CONNECTION)) {
		response.close = 1;
		response.headers = "cache-control: no-store\r\nconnection: close\r\n";
	}
	if (result->code)
		say_refusal(&response, say_status(result->code), error_name(result->code), result->key, result->error);
	else if (!p->is_download || say_file(&response, result->result, headers, sizeof(headers)))
		say_tree(&response, result->result);
	pending_end(p, &response);
}

/* Calls -------------------------------------------------------------------------------------------------------------- */

static const struct control_command *find_command(const char *name)
{
	const struct control_command *c;

	for (int i = 0; (c = control_command_at(control_tables, i)); i++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static void call(struct admin *admin, const struct http_request *request, struct http_response *response,
		 const struct guard_who *who, const struct control_command *c, const struct value *arguments,
		 int is_download)
{
	const struct control_caller caller = {
	    .name = who->name, .place = request->peer, .right = who->right, .connected_us = request->connected_us};
	struct pending *p = pending_begin(admin, request, response);

	if (!p)
		return;
	p->is_download = is_download;
	struct control_reply *reply = control_call(admin->sources.control, &caller, c->name, arguments, done, p);
	/* NULL: it is answered, and gone. */
	if (reply)
		p->reply = reply;
}

void answer_command(struct admin *admin, const struct http_request *request, struct http_response *response,
		    const struct guard_who *who)
{
	const struct control_command *c = find_command(request->path + PREFIX);
	int is_get = !strcmp(request->method, "GET"), is_download = 0;
	struct value *arguments = NULL;
	struct error err = {0};
	struct arena arena;

	if (!c) {
		say_refusal(response, 404, "missing", NULL, "there is no such command");
		return;
	}
	/* Whoever may not, learns nothing of what it wants. */
	if (c->right > who->right) {
		say_refusal(response, 403, error_name(FC_EAUTH), "role", "this wants another role");
		return;
	}
	/* A look may be a POST, too: an address has no room for a long text. */
	if (is_get && c->deed == CONTROL_ACT) {
		response->headers = "cache-control: no-store\r\nallow: POST\r\n";
		say_refusal(response, 405, "method", NULL, "this wants a POST");
		return;
	}
	arena_init(&arena, BODY_MEMORY);
	int result = FC_OK;
	if (is_get) {
		arguments = from_query(admin, c, request->query, &arena, &is_download);
		result = arguments ? FC_OK : error_set(&err, FC_EINVAL, "the query can't be read");
	} else if (request->body_len) {
		result = json_read(admin->reader, request->body, request->body_len, &arena, &arguments, &err);
	}
	if (result)
		say_refusal(response, say_status(result), error_name(result), NULL, err.text);
	else
		call(admin, request, response, who, c, arguments, is_download);
	arena_fini(&arena);
}
