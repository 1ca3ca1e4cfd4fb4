/* What a backup brings, by the first byte: the Lua files (a list, an empty line, and bytes that are packed here), the same as they are; PEM
 * texts; base64 and hexadecimal; the list of certificates beside a configuration that names some.
 *
 * Nothing but what a configuration of ours may name is taken; what is taken is packed again the same; of a text nothing but PEM is left,
 * and of that again the same. */
#include <zlib.h>

#include "base/error.h"
#include "base/json_read.h"
#include "bytes.h"
#include "control/backup_files.h"
#include "control/backup_lua.h"
#include "control/bytes.h"

enum { MEMORY = 8 << 20, PACKED = 1 << 16 };
enum { LUA_PACKED, LUA_RAW, PEM, TEXTS, FILES, KINDS };

static struct backup_lua lua, again;

static void check_item(const char *item)
{
	size_t len = strlen(item);

	fuzz_check(len >= 5 && len < sizeof(lua.files[0].item) && !strstr(item, "/."));
	fuzz_check(!strncmp(item, "lib/", 4) || !strncmp(item, "operators/", 10) || !strncmp(item, "policies/", 9) ||
		   !strncmp(item, "profiles/", 9));
	fuzz_check(strchr(item, '/') == strrchr(item, '/'));
}

static void unpack(const char *list, const char *data)
{
	struct error err = {0};
	struct arena arena;
	char *list2, *data2;

	arena_init(&arena, MEMORY);
	if (backup_lua_unpack(&lua, list, data, &arena, &err)) {
		fuzz_check(err.text[0]);
	} else {
		fuzz_check(lua.count <= BACKUP_LUA_FILES);
		for (int i = 0; i < lua.count; i++) {
			check_item(lua.files[i].item);
			fuzz_check(lua.files[i].text[lua.files[i].len] == '\0');
			/* One of a name: which of two would be tried, and which written? */
			fuzz_check(!i || strcmp(lua.files[i - 1].item, lua.files[i].item) < 0);
		}
		fuzz_check(!backup_lua_pack(&lua, &list2, &data2, &err));
		fuzz_check(!backup_lua_unpack(&again, list2, data2, &arena, &err) && again.count == lua.count);
		for (int i = 0; i < lua.count; i++)
			fuzz_check(!strcmp(lua.files[i].item, again.files[i].item) &&
				   lua.files[i].len == again.files[i].len &&
				   !memcmp(lua.files[i].text, again.files[i].text, lua.files[i].len));
		free(list2);
		free(data2);
	}
	arena_fini(&arena);
}

static void lua_files(struct fuzz_input *in, int packed)
{
	char list[2000] = "", *data;
	size_t n = 0;

	while (in->left) {
		char *line = fuzz_line(in);
		int got = *line ? snprintf(list + n, sizeof(list) - n, "%s\n", line) : 0;

		free(line);
		if (got <= 0 || n + (size_t)got >= sizeof(list))
			break;
		n += (size_t)got;
	}
	if (packed) {
		static unsigned char out[PACKED];
		uLongf len = sizeof(out);

		if (compress(out, &len, in->data, (uLong)in->left) != Z_OK)
			return;
		data = bytes_to_base64(out, len);
	} else {
		data = fuzz_text(in);
	}
	fuzz_check(data);
	unpack(list, data);
	free(data);
}

static void pem(struct fuzz_input *in)
{
	char *text = copy_of(in->data, in->left, 1);
	size_t len = 0, len2 = 0;
	char *left = backup_files_pem(text, in->left, &len);

	if (left) {
		char *left2 = backup_files_pem(left, len, &len2);

		fuzz_check(len && len <= in->left + 1 && left2 && len2 == len && !memcmp(left, left2, len));
		fuzz_check(!strncmp(left, "-----BEGIN ", 11));
		for (size_t i = 0; i < len; i++)
			fuzz_check(left[i] == '\n' || (left[i] >= ' ' && left[i] <= '~'));
		free(left2);
	}
	free(left);
	free(text);
}

static void texts(struct fuzz_input *in)
{
	char *text = copy_of(in->data, in->left, 1);
	size_t len = 0, len2 = 0;
	unsigned char *bytes = bytes_from_base64(text, in->left, &len), hex[16], back[16];
	char digits[33];

	if (bytes) {
		char *text2 = bytes_to_base64(bytes, len);
		unsigned char *bytes2;

		fuzz_check(text2 && bytes[len] == '\0');
		bytes2 = bytes_from_base64(text2, strlen(text2), &len2);
		fuzz_check(bytes2 && len2 == len && !memcmp(bytes, bytes2, len));
		free(bytes2);
		free(text2);
	}
	free(bytes);
	if (!bytes_from_hex(text, hex, sizeof(hex))) {
		bytes_to_hex(hex, sizeof(hex), digits);
		fuzz_check(strlen(text) == 32 && !strcmp(text, digits));
	}
	take_into(in, hex, sizeof(hex));
	bytes_to_hex(hex, sizeof(hex), digits);
	fuzz_check(!bytes_from_hex(digits, back, sizeof(back)) && !memcmp(hex, back, sizeof(hex)));
	free(text);
}

static void files(struct fuzz_input *in)
{
	static const char conf[] = "config gateway 'g'\nconfig admin 'a'\n\toption certificate '/nowhere/a.pem'\n"
				   "\toption key '/nowhere/a.key'\nconfig listen 'l'\n\toption port '1'\n"
				   "\toption certificate '/nowhere/l.pem'\n\toption key '/nowhere/l.key'\n";
	static struct config *config;
	static struct json_reader *reader;
	struct error err = {0};
	struct arena arena;
	struct value *list = NULL;

	if (!config)
		config = config_parse("c", conf, sizeof(conf) - 1, NULL, NULL, &err);
	if (!config)
		fuzz_failed(err.text, __FILE__, __LINE__);
	if (!reader)
		reader = json_reader_new(0);
	arena_init(&arena, MEMORY);
	if (!json_read(reader, (const char *)in->data, in->left, &arena, &list, &err)) {
		if (backup_files_check(config, list, &err)) {
			fuzz_check(err.text[0]);
		} else {
			value_each (file, list) {
				const char *path = value_text(value_get(file, "path"));
				const struct value *text = value_get(file, "text");
				size_t len;
				char *left;

				fuzz_check(path && strlen(path) == value_get(file, "path")->len);
				fuzz_check(!strncmp(path, "/nowhere/", 9) && value_text(text));
				left = backup_files_pem(text->text, text->len, &len);
				fuzz_check(left);
				free(left);
			}
		}
	}
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .left = size};

	if (!size)
		return -1;
	fuzz_quiet();
	switch (fuzz_pick(&in, KINDS)) {
	case LUA_PACKED:
		lua_files(&in, 1);
		break;
	case LUA_RAW:
		lua_files(&in, 0);
		break;
	case PEM:
		pem(&in);
		break;
	case TEXTS:
		texts(&in);
		break;
	default:
		files(&in);
		break;
	}
	return 0;
}
