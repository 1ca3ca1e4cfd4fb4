#include "script/sources.h"

#include <wolfssl/options.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "base/buffer.h"
#include "base/error.h"

struct source {
	struct script_source shown; /* points to what is below */
	char item[SOURCE_ITEM], hash[SOURCE_HASH];
	char *text;
};

struct sources {
	struct source *list[SOURCES_MAX];
	int count;
	size_t bytes;
	int failed, closed;
	char whole[SOURCE_HASH];
};

void sources_digest(const void *text, size_t len, char hash[SOURCE_HASH])
{
	unsigned char digest[WC_SHA256_DIGEST_SIZE];

	hash[0] = '\0';
	if (wc_Sha256Hash(text, (word32)len, digest))
		return;
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(hash + 2 * i, 3, "%02x", digest[i]);
}

struct sources *sources_new(void)
{
	return calloc(1, sizeof(struct sources));
}

static void free_source(struct source *source)
{
	free(source->text);
	free(source);
}

void sources_free(struct sources *s)
{
	for (int i = 0; s && i < s->count; i++)
		free_source(s->list[i]);
	free(s);
}

/* Names and hashes, a line each. */
static void hash_all(struct sources *s)
{
	struct buffer text;

	if (s->count == 1) {
		(void)snprintf(s->whole, sizeof(s->whole), "%s", s->list[0]->hash);
		return;
	}
	buffer_init(&text, (size_t)SOURCES_MAX * (SOURCE_ITEM + SOURCE_HASH + 2));
	for (int i = 0; i < s->count; i++)
		(void)buffer_printf(&text, "%s %s\n", s->list[i]->item, s->list[i]->hash);
	s->whole[0] = '\0';
	if (!text.failed)
		sources_digest(text.data, text.len, s->whole);
	s->failed |= !*s->whole;
	buffer_fini(&text);
}

static struct source *make_source(const char *item, const char *text, size_t len)
{
	struct source *source = calloc(1, sizeof(*source));

	if (source)
		source->text = malloc(len + 1);
	if (!source || !source->text) {
		free(source);
		return NULL;
	}
	memcpy(source->text, text, len);
	source->text[len] = '\0';
	(void)snprintf(source->item, sizeof(source->item), "%s", item);
	sources_digest(text, len, source->hash);
	source->shown = (struct script_source){source->item, source->hash, source->text, len};
	return source;
}

/* By name behind the file, so that the order in which modules are required does not count. */
static void enter(struct sources *s, struct source *source)
{
	int at = s->count++;

	for (; at > 1 && strcmp(s->list[at - 1]->item, source->item) > 0; at--)
		s->list[at] = s->list[at - 1];
	s->list[at] = source;
	s->bytes += source->shown.len;
}

int sources_add(struct sources *s, const char *item, const char *text, size_t len)
{
	if (!s || s->closed)
		return FC_OK;
	for (int i = 0; i < s->count; i++)
		if (!strcmp(s->list[i]->item, item))
			return FC_OK;
	if (s->count == SOURCES_MAX || s->bytes + len > SOURCES_BYTES_MAX) {
		s->failed = 1;
		return FC_ELIMIT;
	}
	struct source *source = make_source(item, text, len);
	if (!source) {
		s->failed = 1;
		return FC_ENOMEM;
	}
	enter(s, source);
	hash_all(s);
	return FC_OK;
}

int sources_failed(const struct sources *s)
{
	return s && s->failed;
}

void sources_close(struct sources *s)
{
	if (s)
		s->closed = 1;
}

const char *sources_hash(const struct sources *s)
{
	return s->whole;
}

int sources_count(const struct sources *s)
{
	return s ? s->count : 0;
}

const struct script_source *sources_at(const struct sources *s, int index)
{
	return s && index >= 0 && index < s->count ? &s->list[index]->shown : NULL;
}

void sources_forget(struct sources *s)
{
	for (int i = 0; s && i < s->count; i++) {
		free(s->list[i]->text);
		s->list[i]->text = NULL;
		s->list[i]->shown.text = NULL;
	}
}

void sources_read(void *reading, const char *text, size_t len)
{
	const struct source_reading *r = reading;

	(void)sources_add(r->sources, r->item, text, len);
}

void sources_item_of(const char *path, char item[SOURCE_ITEM])
{
	static const char ending[] = ".lua";
	const char *name = path + strlen(path);
	int slashes = 0;

	while (name > path && (name[-1] != '/' || ++slashes < 2))
		name--;
	size_t len = strlen(name);
	if (len > strlen(ending) && !strcmp(name + len - strlen(ending), ending))
		len -= strlen(ending);
	(void)snprintf(item, SOURCE_ITEM, "%.*s", (int)len, name);
}
