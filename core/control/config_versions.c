#include "control/config_versions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/edit.h"
#include "config/uci.h"

/* "config_version" is the newest one's number; "config_version_N" (N: the number's last digit) holds a line of fields with tabs between
 * them, and the text. */
static const char newest_name[] = "config_version";
enum { HEAD_MAX = 512, NAME_MAX_BYTES = 40 };

int config_file_read(const struct control *control, char **text, size_t *len, char hash[SOURCE_HASH], struct error *err)
{
	const char *path = control->sources.path;
	FILE *in = fopen(path, "rb");

	*text = NULL;
	if (!in)
		return error_set(err, FC_EIO, "%s: %s", path, strerror(errno));
	*text = malloc(UCI_FILE_MAX + 2);
	*len = *text ? fread(*text, 1, UCI_FILE_MAX + 1, in) : 0;
	int failed = ferror(in) || *len > UCI_FILE_MAX;
	(void)fclose(in);
	if (!*text || failed) {
		int result = *text ? FC_EIO : FC_ENOMEM;

		free(*text);
		*text = NULL;
		return error_set(err, result, "%s: %s", path, failed ? "can't be read" : "no memory");
	}
	(*text)[*len] = '\0';
	/* The rest goes back to the box. */
	char *fitting = realloc(*text, *len + 1);
	if (fitting)
		*text = fitting;
	sources_digest(*text, *len, hash);
	return FC_OK;
}

static int64_t newest(struct control *control)
{
	char text[32];

	if (store_value_get(control->sources.store, newest_name, text, sizeof(text)))
		return 0;
	return strtoll(text, NULL, 10);
}

static void name_of(int64_t id, char name[NAME_MAX_BYTES])
{
	(void)snprintf(name, NAME_MAX_BYTES, "config_version_%d", (int)(id % CONFIG_VERSIONS_MAX));
}

/* The next field, up to a tab or newline. */
static char *take(char **at)
{
	char *field = *at, *end = field + strcspn(field, "\t\n");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return field;
}

int config_versions_get(struct control *control, int64_t id, struct config_version *v)
{
	char name[NAME_MAX_BYTES], *whole = malloc(CONFIG_VERSION_TEXT_MAX + HEAD_MAX), *at = whole;

	*v = (struct config_version){0};
	if (!whole)
		return FC_ENOMEM;
	name_of(id, name);
	int result = id > 0 ? store_value_get(control->sources.store, name, whole, CONFIG_VERSION_TEXT_MAX + HEAD_MAX)
			    : FC_ENOENT;
	if (!result) {
		v->id = strtoll(take(&at), NULL, 10);
		v->at_wall = strtoll(take(&at), NULL, 10);
		(void)snprintf(v->who, sizeof(v->who), "%s", take(&at));
		(void)snprintf(v->place, sizeof(v->place), "%s", take(&at));
		(void)snprintf(v->origin, sizeof(v->origin), "%s", take(&at));
		(void)snprintf(v->hash, sizeof(v->hash), "%s", take(&at));
		/* Overwritten by a newer one. */
		if (v->id != id)
			result = FC_ENOENT;
	}
	if (!result) {
		v->len = strlen(at);
		v->text = strdup(at);
		if (!v->text)
			result = FC_ENOMEM;
	}
	free(whole);
	return result ? (result == FC_ENOMEM ? FC_ENOMEM : FC_ENOENT) : FC_OK;
}

int config_versions_each(struct control *control, void (*fn)(void *user, const struct config_version *version),
			 void *user)
{
	int64_t last = newest(control);
	int n = 0;

	for (int64_t id = last; id > 0 && id > last - CONFIG_VERSIONS_MAX; id--) {
		struct config_version v;

		if (config_versions_get(control, id, &v))
			continue;
		fn(user, &v);
		free(v.text);
		n++;
	}
	return n;
}

/* A field of the head: no tab, no newline. */
static void put_field(struct buffer *out, const char *text)
{
	for (; *text; text++)
		(void)buffer_printf(out, "%c", (unsigned char)*text < 0x20 ? ' ' : *text);
	(void)buffer_text(out, "\t");
}

static int write_version(struct control *control, int64_t id, struct buffer *out, struct error *err)
{
	char name[NAME_MAX_BYTES], number[32];
	struct store *store = control->sources.store;

	if (out->failed)
		return error_set(err, FC_ELIMIT, "the configuration is too large for its history");
	name_of(id, name);
	(void)snprintf(number, sizeof(number), "%" PRId64, id);
	int result = store_value_set(store, name, out->data, err);
	return result ? result : store_value_set(store, newest_name, number, err);
}

int config_versions_note(struct control *control, const char *origin, const char *who, const char *place,
			 struct error *err)
{
	char hash[SOURCE_HASH], *text, *masked = NULL;
	struct config_version last = {0};
	size_t len = 0, masked_len = 0;
	struct buffer out;
	int64_t id = newest(control);
	int result = config_file_read(control, &text, &len, hash, err);

	if (result)
		return result;
	if (id && !config_versions_get(control, id, &last)) {
		free(last.text);
		if (!strcmp(last.hash, hash)) {
			free(text);
			return FC_OK;
		}
	}
	masked = edit_mask(text, len, &masked_len);
	free(text);
	buffer_init(&out, CONFIG_VERSION_TEXT_MAX + HEAD_MAX - 1);
	(void)buffer_printf(&out, "%" PRId64 "\t%" PRId64 "\t", id + 1, clock_wall());
	put_field(&out, who);
	put_field(&out, place);
	put_field(&out, origin);
	(void)buffer_printf(&out, "%s\n", hash);
	(void)buffer_add(&out, masked ? masked : "", masked_len);
	result = masked ? write_version(control, id + 1, &out, err) : error_set(err, FC_ENOMEM, "no memory");
	buffer_fini(&out);
	free(masked);
	return result;
}
