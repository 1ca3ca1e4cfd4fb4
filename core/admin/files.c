#include "admin/files.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TAG = 64, HASH_LEN = 8, FILE_MAX = 4 << 20 };

static const struct {
	const char *ending, *type;
} types[] = {
    {".html", "text/html;charset=utf-8"},
    {".js", "text/javascript;charset=utf-8"},
    {".css", "text/css;charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".json", "application/json"},
    {".woff2", "font/woff2"},
    {".png", "image/png"},
    {".txt", "text/plain;charset=utf-8"},
};

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

/* "-" and eight capital letters or digits before the ending. */
static int has_hash(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot || dot - name < HASH_LEN + 2 || dot[-HASH_LEN - 1] != '-')
		return 0;
	for (int i = 1; i <= HASH_LEN; i++)
		if (!isupper((unsigned char)dot[-i]) && !isdigit((unsigned char)dot[-i]))
			return 0;
	return 1;
}

/* Opened, a plain file and not too long; its tag changes whenever it does. */
static FILE *open_file(const char *path, char tag[TAG])
{
	struct stat st;
	FILE *file = fopen(path, "rbe");

	if (!file)
		return NULL;
	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		(void)fclose(file);
		return NULL;
	}
	(void)snprintf(tag, TAG, "\"%llx-%llx.%lx\"", (unsigned long long)st.st_size,
		       (unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
	return file;
}

static int read_file(FILE *file, struct buffer *body)
{
	char part[4096];
	size_t n;

	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		if (buffer_add(body, part, n))
			break;
	return ferror(file) || body->failed ? -1 : 0;
}

static void answer(FILE *file, const char *name, const char *tag, int is_gzip, const struct http_request *request,
		   struct http_response *response, char headers[FILES_HEADERS])
{
	(void)snprintf(headers, FILES_HEADERS, "%scache-control: %s\r\netag: %s\r\n",
		       is_gzip ? "content-encoding: gzip\r\n" : "",
		       has_hash(name) ? "public, max-age=31536000, immutable" : "no-cache", tag);
	response->content_type = type_of(name);
	response->headers = headers;
	if (!strcmp(request->if_none_match, tag))
		response->status = 304;
	else if (read_file(file, &response->body)) {
		buffer_clear(&response->body);
		response->status = 500;
	}
}

void files_answer(const char *folder, const struct http_request *request, struct http_response *response,
		  char headers[FILES_HEADERS])
{
	static const char assets[] = "/assets/";
	const char *path = strcmp(request->path, "/") != 0 ? request->path : "/index.html";
	int is_asset = !strncmp(path, assets, sizeof(assets) - 1);
	const char *name = path + (is_asset ? sizeof(assets) - 1 : 1);
	char full[512], tag[TAG];
	FILE *file = NULL;
	int is_gzip = 1;

	if (name_is_plain(name) && type_of(name)) {
		int n = snprintf(full, sizeof(full), "%s%s%s.gz", folder, is_asset ? assets : "/", name);

		if (n > 3 && (size_t)n < sizeof(full)) {
			file = open_file(full, tag);
			full[n - 3] = '\0';
			is_gzip = file != NULL;
			file = file ? file : open_file(full, tag);
		}
	}
	if (file) {
		answer(file, name, tag, is_gzip, request, response, headers);
		(void)fclose(file);
		return;
	}
	response->status = 404;
	response->content_type = "text/plain;charset=utf-8";
	(void)buffer_text(&response->body, "not found\n");
}
