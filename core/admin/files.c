#include "admin/files.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *ending, *type;
} types[] = {
    {".html", "text/html;charset=utf-8"},
    {".js", "text/javascript;charset=utf-8"},
    {".css", "text/css;charset=utf-8"},
    {".svg", "image/svg+xml"},
};

static const char plain_headers[] = "cache-control: no-cache\r\n"
				    "x-content-type-options: nosniff\r\n"
				    "content-security-policy: default-src 'self'; frame-ancestors 'none'\r\n";
static const char gzip_headers[] = "content-encoding: gzip\r\n"
				   "cache-control: no-cache\r\n"
				   "x-content-type-options: nosniff\r\n"
				   "content-security-policy: default-src 'self'; frame-ancestors 'none'\r\n";

static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(dot, types[i].ending))
			return types[i].type;
	return NULL;
}

static int name_is_plain(const char *name)
{
	return *name && *name != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(name);
}

static int read_file(const char *path, struct buffer *body)
{
	char part[4096];
	size_t n;
	FILE *file = fopen(path, "rb");

	if (!file)
		return -1;
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		if (buffer_add(body, part, n))
			break;
	int failed = ferror(file) || body->failed;
	(void)fclose(file);
	return failed ? -1 : 0;
}

void files_answer(const char *folder, const char *path, struct http_response *response)
{
	const char *name = !strcmp(path, "/") ? "index.html" : path + 1;
	const char *type = name_is_plain(name) ? type_of(name) : NULL;
	char full[512];

	if (type) {
		int n = snprintf(full, sizeof(full), "%s/%s.gz", folder, name);

		if (n > 0 && (size_t)n < sizeof(full)) {
			response->content_type = type;
			response->headers = gzip_headers;
			if (!read_file(full, &response->body))
				return;
			full[n - 3] = '\0';
			response->headers = plain_headers;
			if (!read_file(full, &response->body))
				return;
		}
	}
	buffer_clear(&response->body);
	response->status = 404;
	response->headers = NULL;
	response->content_type = "text/plain;charset=utf-8";
	(void)buffer_text(&response->body, "not found\n");
}
