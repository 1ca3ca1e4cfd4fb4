/* A damaged database: a sound one of some orders with the input's damage, opened as the gateway opens it.
 *
 * The first byte says how much of the file is there, then come pieces: where, how long, and with what. It is opened or refused with a
 * reason; what is opened holds orders of the right form only, nothing waits in the outbox that is not there, it takes a new order, and
 * opened again it is sound. A folder in /dev/shm (else /tmp) is its place: the disk is not what is tried. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/error.h"
#include "bytes.h"
#include "store/journal.h"
#include "store/store.h"

/* SQLite is not what is tried, and asks for memory some thousand times an input: from lists of pieces of a size, past the sanitizer. That all
 * is given back is looked at after each store (sqlite3_memory_used). */
enum { CLASSES = 20, LEAST = 5, PIECE_MAX = (1 << 24) - 8 }; /* pieces of 32 bytes to 16 MB, eight of them the head */

static void *pieces[CLASSES];
static sqlite3_int64 kept; /* without a store */

static int class_of(size_t bytes)
{
	int c = 0;

	while (c < CLASSES - 1 && ((size_t)1 << (c + LEAST)) - 8 < bytes)
		c++;
	return c;
}

static int round_up(int bytes)
{
	int whole = (1 << (class_of((size_t)bytes) + LEAST)) - 8;

	return whole > bytes ? whole : bytes;
}

static void *piece_new(int bytes)
{
	int c = class_of((size_t)bytes);
	uint64_t *p = pieces[c];

	if (bytes > PIECE_MAX)
		return NULL;
	if (p) {
		memcpy(&pieces[c], p + 1, sizeof(pieces[c]));
	} else {
		p = malloc((size_t)1 << (c + LEAST));
		if (!p)
			return NULL;
	}
	*p = (uint64_t)c;
	return p + 1;
}

static int piece_size(void *piece)
{
	const uint64_t *p = piece;

	return piece ? (1 << (p[-1] + LEAST)) - 8 : 0;
}

static void piece_free(void *piece)
{
	uint64_t *p = piece;

	if (!piece)
		return;
	p--;
	uint64_t c = *p;
	memcpy(p + 1, &pieces[c], sizeof(pieces[c]));
	pieces[c] = p;
}

static void *piece_resize(void *piece, int bytes)
{
	int size = piece_size(piece);

	if (piece && bytes <= size)
		return piece;
	void *other = piece_new(bytes);
	if (other && piece) {
		memcpy(other, piece, (size_t)size);
		piece_free(piece);
	}
	return other;
}

static int pieces_begin(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void pieces_end(void *unused)
{
	(void)unused;
}

static const sqlite3_mem_methods memory = {piece_new, piece_free,   piece_resize, piece_size,
					   round_up,  pieces_begin, pieces_end,   NULL};

enum { ORDERS = 40, OPEN_EVERY = 8, SHORTEST = 4, PIECES = 24, FILE_MAX = 1 << 20 };

static char folder[64], db[128];
static uint8_t *sound;
static size_t sound_len;
static char record[700];
static int seen;

static struct journal_order order_of(int number)
{
	struct journal_order o = {.connector_id = "K1", .platform = "city", .record = record};

	(void)snprintf(o.seq, sizeof(o.seq), "123456789%018d", number);
	o.start_wall = 1000 + number;
	o.end_wall = 2000 + number;
	o.wh = 10L * number;
	o.money_e4 = 3L * number;
	return o;
}

static void clean(void)
{
	static const char *const names[] = {
	    "forecourt.db",           "forecourt.db-wal",           "forecourt.db-shm",     "forecourt.db.new",
	    "forecourt.db.new-wal",   "forecourt.db.new-shm",       "forecourt.db-journal", "forecourt.db.damaged-1",
	    "forecourt.db.damaged-2", "forecourt.db.damaged-1-wal", "forecourt.db.older"};
	char path[200];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
}

static void leave(void)
{
	clean();
	(void)rmdir(folder);
}

static void make_sound(void)
{
	static const struct journal_recipient names[] = {{"city", "notification_charge_order_info"}};
	struct error err = {0};
	struct stat st;

	fuzz_check(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK);
	fuzz_check(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) == SQLITE_OK);
	(void)snprintf(folder, sizeof(folder), "%s/fc-fuzz-rescue-XXXXXX",
		       access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	fuzz_check(mkdtemp(folder));
	fuzz_check(!atexit(leave));
	(void)snprintf(db, sizeof(db), "%s/forecourt.db", folder);
	memset(record, 'x', sizeof(record) - 1);
	memcpy(record, "{\"filler\":\"", 11);
	memcpy(record + sizeof(record) - 3, "\"}", 2);
	struct store *s = store_open(folder, &err);
	if (!s)
		fuzz_failed(err.text, __FILE__, __LINE__);
	for (int i = 1; i <= ORDERS; i++) {
		struct journal_order o = order_of(i);

		fuzz_check(!journal_open(s, &o, &err));
		if (i % OPEN_EVERY)
			fuzz_check(!journal_close(s, &o, names, 1, &err));
	}
	fuzz_check(!store_value_set(s, "k", "v", &err));
	store_close(s);
	kept = sqlite3_memory_used();
	FILE *in = fopen(db, "rb");
	fuzz_check(in && !fstat(fileno(in), &st) && st.st_size < FILE_MAX);
	sound_len = (size_t)st.st_size;
	sound = malloc(sound_len);
	fuzz_check(sound && fread(sound, 1, sound_len, in) == sound_len);
	(void)fclose(in);
}

static void damage(struct fuzz_input *in, uint8_t *file, size_t len)
{
	for (int i = 0; i < PIECES && in->left; i++) {
		size_t at = take_u32(in) % len, n = take_u8(in);
		int how = take_u8(in);

		n = n < len - at ? n : len - at;
		if (how & 1) { /* from elsewhere in it: a page in the wrong place */
			size_t from = take_u32(in) % len;

			n = how & 2 ? 4096 : n;
			n = n < len - from ? n : len - from;
			n = n < len - at ? n : len - at;
			memmove(file + at, file + from, n);
		} else {
			take_into(in, file + at, n < 16 ? n : 16);
			if (n > 16)
				memset(file + at + 16, how, n - 16);
		}
	}
}

static void look(void *user, const struct journal_order *o)
{
	struct store *s = user;

	(void)s;
	seen++;
	fuzz_check(strnlen(o->seq, sizeof(o->seq)) < sizeof(o->seq));
	fuzz_check(strnlen(o->connector_id, JOURNAL_NAME) < JOURNAL_NAME &&
		   strnlen(o->platform, JOURNAL_NAME) < JOURNAL_NAME);
	fuzz_check(o->record);
}

/* -1: it can't be read to its end. */
static int orders_of(struct store *s)
{
	seen = 0;
	int closed = journal_each_closed(s, NULL, 0, INT64_MAX, look, s), open = journal_each_open(s, look, s);

	return closed < 0 || open < 0 ? -1 : seen;
}

static struct store *open_it(void)
{
	struct error err = {0};
	struct store *s = store_open(folder, &err);

	/* Nothing else keeps a gateway from its orders. */
	if (!s && (err.code != FC_EINVAL || !strstr(err.text, "written by a newer version")))
		fuzz_failed(err.text, __FILE__, __LINE__);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .left = size};
	struct error err = {0};

	if (size < SHORTEST)
		return -1;
	fuzz_quiet();
	if (!sound)
		make_sound();
	clean();
	uint8_t *file = copy_of(sound, sound_len, 0);
	uint8_t part = take_u8(&in);
	size_t len = part < 224 ? sound_len : sound_len * (255u - part) / 32;
	damage(&in, file, sound_len);
	FILE *out = fopen(db, "wb");
	fuzz_check(out && fwrite(file, 1, len, out) == len && !fclose(out));
	free(file);
	struct store *s = open_it();
	if (s && orders_of(s) < 0) {
		/* Found while it was read: replaced, as the gateway does between two turns of its loop. */
		store_tend(s);
		int again = orders_of(s);

		fuzz_check(again >= 0 || store_health(s)->failing);
	}
	if (s) {
		struct journal_order o = order_of(ORDERS + 1);
		int result = journal_open(s, &o, &err);

		fuzz_check(!result || result == FC_EIO || result == FC_EEXIST);
		if (result == FC_EIO) {
			store_tend(s);
			err = (struct error){0};
			result = journal_open(s, &o, &err);
			fuzz_check(!result || result == FC_EEXIST || err.text[0]);
		}
		store_close(s);
		if (!result) {
			s = open_it();
			fuzz_check(s);
			int orders = orders_of(s);

			fuzz_check(orders != 0);
			store_close(s);
		}
	}
	fuzz_check(sqlite3_memory_used() == kept);
	return 0;
}
