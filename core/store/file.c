#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "base/usage.h"
#include "store/internal.h"
#include "store/versions.h"

/* What lies beyond was never written by any: it is damage. */
enum { SCHEMA_VERSION_LIKELY = 1000 };

enum { NAME = 512, PAGE = 512 };
static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
enum { TAILS = sizeof(tails) / sizeof(tails[0]) };

int file_failed(sqlite3 *db, const char *path, struct error *err)
{
	int system = db ? sqlite3_system_errno(db) : 0;

	return error_set(err, FC_EIO, "store: %s: %s%s%s", path, db ? sqlite3_errmsg(db) : "no memory",
			 system ? ": " : "", system ? strerror(system) : "");
}

int file_query(sqlite3 *db, const char *sql, char *out, size_t size)
{
	sqlite3_stmt *s = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

	if (code == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
		/* Without memory for it nothing was found out: no version of 0, no file that is not "ok". */
		code = store_text(s, 0, out, size) ? SQLITE_NOMEM : SQLITE_OK;
		sqlite3_finalize(s);
		return code;
	}
	code = sqlite3_extended_errcode(db);
	sqlite3_finalize(s);
	return code;
}

/* By bytes, whatever the size of this file's pages is. */
static void bound_wal(sqlite3 *db)
{
	char text[32];
	int page = file_query(db, "PRAGMA page_size", text, sizeof(text)) ? 0 : atoi(text);

	if (page > 0)
		(void)sqlite3_wal_autocheckpoint(db, STORE_WAL_BYTES / page);
}

/* What the file is for one process alone: its index of the WAL is in memory then. In a file of its own (-shm) three pages of it would
 * be written after each transaction. Tests that look into the file beside the gateway say that they share it. */
static int is_shared(void)
{
	return getenv("FORECOURT_SHARED_STORE") != NULL;
}

/* Hashes of passwords, and who charged when: for the file's owner alone, also in a folder that others may enter. What SQLite puts
 * beside it gets the same rights. What can't be done here fails where the file is opened, or is somebody else's. */
static void make_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && (st.st_mode & 0077) && fchmod(fd, st.st_mode & 0700))
		log_warning("store: %s: others may read it: %s", path, strerror(errno));
	(void)close(fd);
}

/* *out is to be closed whatever comes back. */
static int open_database(const char *path, sqlite3 **out, int alone, struct error *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

	make_private(path);
	int code = sqlite3_open_v2(path, out, flags, NULL);
	if (code == SQLITE_OK) {
		(void)sqlite3_extended_result_codes(*out, 1);
		/* Damage may say that a row is as long as all memory; none of ours is. */
		(void)sqlite3_limit(*out, SQLITE_LIMIT_LENGTH, 2 * VERSION_TEXTS_MAX);
		/* Someone who has the file open is waited for with each of some sixty attempts. */
		(void)sqlite3_busy_timeout(*out, 50);
		if (alone)
			(void)sqlite3_exec(*out, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
		/* Small pages: what changes in a transaction is a few bytes on each of many pages, and each is written whole. Files
		 * of earlier versions have larger ones: make_pages_small. A small cache: the box has 128 MB in all. FULL: what is committed
		 * is on the disk. */
		code = sqlite3_exec(*out,
				    "PRAGMA page_size = 512; PRAGMA cache_size = -256; PRAGMA journal_mode = WAL;"
				    " PRAGMA synchronous = FULL;",
				    NULL, NULL, NULL);
		if (code == SQLITE_OK)
			bound_wal(*out);
		(void)sqlite3_busy_timeout(*out, 2000);
	}
	return code == SQLITE_OK ? FC_OK : file_failed(*out, path, err);
}

/* Never deletes: someone may want what can still be read. number: of the name that it has now; 0 when there was no file. */
static int set_aside(const char *path, int *number, struct error *err)
{
	char from[NAME], to[NAME];
	int n;

	*number = 0;
	for (n = 1; n < 1000; n++) {
		(void)snprintf(to, sizeof(to), "%s.damaged-%d", path, n);
		if (access(to, F_OK) != 0)
			break;
	}
	for (size_t i = 0; i < TAILS; i++) {
		(void)snprintf(from, sizeof(from), "%s%s", path, tails[i]);
		(void)snprintf(to, sizeof(to), "%s.damaged-%d%s", path, n, tails[i]);
		if (rename(from, to) == 0)
			*number = n;
		else if (errno != ENOENT)
			return error_set(err, FC_EIO, "store: set aside: %s: %s", from, strerror(errno));
	}
	return FC_OK;
}

static void close_database(sqlite3 **db)
{
	sqlite3_close(*db);
	*db = NULL;
}

static void remember_file(struct store *store)
{
	char name[NAME];
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", store->path, tails[i]);
		store->inode[i] = stat(name, &st) == 0 ? (uint64_t)st.st_ino : 0;
	}
}

int file_is_gone(const struct store *store)
{
	char name[NAME];
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", store->path, tails[i]);
		if (store->inode[i] &&
		    (stat(name, &st) != 0 ? errno == ENOENT : (uint64_t)st.st_ino != store->inode[i]))
			return 1;
	}
	return 0;
}

static void remove_file(const char *path)
{
	char name[NAME];

	for (size_t i = 0; i < TAILS; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		(void)unlink(name);
	}
}

/* Nobody's data: a new file is complete before the old one gives its name away. */
static void take_new(const struct store *store)
{
	char fresh[NAME];

	(void)snprintf(fresh, sizeof(fresh), "%s.new", store->path);
	if (access(store->path, F_OK) != 0 && access(fresh, F_OK) == 0)
		(void)rename(fresh, store->path);
}

/* A new file beside the old one, with all that can be read of it. */
static int make_new(sqlite3 *from, int is_mislabelled, const char *path, struct rescue *found, struct error *err)
{
	int version = from && !is_mislabelled ? migrate_version(from) : -1;
	sqlite3 *to = NULL;

	if (version == MIGRATE_NO_MEMORY)
		return error_set(err, FC_EIO, "store: %s: no memory", path);
	remove_file(path);
	/* SQLite reads nothing of a file that has lost its end, but for who says that he mends it. Nothing is written to it. */
	if (from)
		(void)sqlite3_exec(from, "PRAGMA writable_schema = ON", NULL, NULL, NULL);
	/* Rows go into tables as they were; what the schema has learned since is done to them at the next open. */
	int result = open_database(path, &to, 1, err);
	if (!result)
		result = migrate_to(to, path, version > 0 && version < migrate_newest ? version : migrate_newest, err);
	if (!result)
		result = store_rescue(from, to, found, err);
	close_database(&to);
	if (result)
		remove_file(path);
	return result;
}

static int open_existing(struct store *store, struct error *err)
{
	int result = open_database(store->path, &store->db, !is_shared(), err);

	if (!result)
		result = migrate_to(store->db, store->path, migrate_newest, err);
	if (!result)
		remember_file(store);
	store->detached = result != FC_OK;
	return result;
}

/* What waits in the WAL of a damaged file stays there: it may be the better part. */
static void detach(struct store *store)
{
	(void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	close_database(&store->db);
	store->detached = 1;
}

int file_replace(struct store *store, struct error *err)
{
	char fresh[NAME];
	struct rescue found = {0};
	int number;

	if (store->detached) {
		close_database(&store->db);
		take_new(store);
		return open_existing(store, err);
	}
	(void)snprintf(fresh, sizeof(fresh), "%s.new", store->path);
	int result = make_new(store->db, store->is_mislabelled, fresh, &found, err);
	if (result)
		return result;
	/* From here on a power cut finds either file: file_open takes the new one when there is no other. */
	detach(store);
	result = set_aside(store->path, &number, err);
	if (!result && rename(fresh, store->path) != 0)
		result = error_set(err, FC_EIO, "store: %s: %s", fresh, strerror(errno));
	(void)disk_sync_folder(store->path);
	if (result)
		return result;
	store->damaged = 0;
	store->is_mislabelled = 0;
	store->health.replaced++;
	log_error("store: %s: damaged: set aside as %s.damaged-%d, a new one is begun", store->path, store->path,
		  number);
	log_error("store: %s: taken over: %lld row(s), of them %lld order(s), %lld open, %lld to be sent; %lld "
		  "order(s) known "
		  "to be lost%s",
		  store->path, (long long)found.rows, (long long)found.orders, (long long)found.open,
		  (long long)found.outbox, (long long)found.lost,
		  found.torn ? "; the old one could not be read to its end" : "");
	return open_existing(store, err);
}

static int make_folder(const char *path, struct error *err)
{
	char part[400];
	size_t len = strlen(path);

	if (!len || len >= sizeof(part))
		return error_set(err, FC_EINVAL, "store: data_dir: \"%s\" is no usable path", path);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return error_set(err, FC_EIO, "store: make folder: %s: %s", part, strerror(errno));
	}
	return FC_OK;
}

/* Pragmas with nothing wrong in them fail with SQLITE_ERROR where a file's schema can't be read: "unsupported file format", four other bytes
 * in its header. */
static int is_unreadable(int code)
{
	return store_is_damage(code) || (code & 0xff) == SQLITE_ERROR;
}

/* 1 sound, 0 damaged; or FC_EIO when that can't be said: a full or read-only disk is no damage, nor is a lack of memory. Of a page for which
 * there was none SQLite says that it can't be had, as of a bad one; of a row that says it is longer than all memory, that there is none: so what is
 * bad is looked at once more, a moment later. */
static int is_sound(struct store *store, struct error *err)
{
	enum { LOOKS = 3, ROOM = 256 << 10 };
	const struct timespec moment = {.tv_nsec = 50000000};
	int code = SQLITE_OK;

	for (int i = 0; i < LOOKS; i++) {
		char text[200] = "";

		if (i)
			(void)nanosleep(&moment, NULL);
		code = file_query(store->db, "PRAGMA quick_check(1)", text, sizeof(text));
		if (code == SQLITE_OK && !strcmp(text, "ok"))
			return 1;
		if (code != SQLITE_OK && !is_unreadable(code) && !store_is_for_memory(code))
			return file_failed(store->db, store->path, err);
	}
	return usage_has_room(ROOM) ? 0 : error_set(err, FC_EIO, "store: %s: no memory to look at it", store->path);
}

/* A disk that has become read-only can be read with a shared index alone, of which a file must be there, if an empty one. */
static int open_somehow(struct store *store, struct error *err)
{
	int alone = !is_shared(), result = open_database(store->path, &store->db, alone, err);
	int code = store->db ? sqlite3_extended_errcode(store->db) : SQLITE_NOMEM;
	char index[NAME];

	if (result && !is_unreadable(code) && code != SQLITE_CANTOPEN) {
		close_database(&store->db);
		return open_database(store->path, &store->db, !alone, err);
	}
	(void)snprintf(index, sizeof(index), "%s-shm", store->path);
	int fd = result ? -1 : open(index, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)close(fd);
	return result;
}

/* Nonzero when the disk has room for so many times what the file holds, and some more. */
static int has_room(const struct store *store, uint64_t times)
{
	enum { SPARE = 4 << 20 };
	struct statvfs disk;
	struct stat st;

	return !stat(store->path, &st) && !statvfs(store->path, &disk) &&
	       (uint64_t)disk.f_bavail * disk.f_frsize > times * (uint64_t)st.st_size + SPARE;
}

/* A file of a released version is kept as it was: with it the gateway of that version can be put back. One such file, the newest. */
static void keep_older(struct store *store, int version)
{
	char kept[NAME], part[NAME], *sql;

	(void)snprintf(kept, sizeof(kept), "%s.older", store->path);
	(void)snprintf(part, sizeof(part), "%s.older.part", store->path);
	(void)unlink(part);
	sql = has_room(store, 2) ? sqlite3_mprintf("VACUUM INTO %Q", part) : NULL;
	if (sql)
		make_private(part); /* empty: it may be there */
	if (sql && sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK && !disk_sync_file(part) &&
	    rename(part, kept) == 0) {
		(void)disk_sync_folder(store->path);
		log_notice("store: %s: of schema %d: kept as %s, taken further", store->path, version, kept);
	} else {
		(void)unlink(part);
		log_warning("store: %s: of schema %d: no room to keep it as it is: taken further without", store->path,
			    version);
	}
	sqlite3_free(sql);
}

/* Once, of a file of an earlier version. A power cut in its midst is rolled back at the next start, which tries again; without room
 * for it all goes on with the pages that there are. */
static void make_pages_small(struct store *store)
{
	char text[32];
	int page = file_query(store->db, "PRAGMA page_size", text, sizeof(text)) ? PAGE : atoi(text);

	if (page == PAGE || !has_room(store, 3))
		return;
	int code =
	    sqlite3_exec(store->db, "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		log_warning("store: %s: its pages of %d bytes stay: %s", store->path, page, sqlite3_errmsg(store->db));
	else
		log_notice("store: %s: its pages have %d bytes now, no longer %d", store->path, PAGE, page);
	(void)sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	bound_wal(store->db);
}

/* What SQLite puts aside (of a large sort, a new index, VACUUM): beside the file. In its sandbox the daemon may write into no other folder, and
 * elsewhere /tmp is the box's memory. For the process; no thread but ours uses SQLite. */
static void put_aside_in(const char *folder)
{
	sqlite3_free(sqlite3_temp_directory);
	sqlite3_temp_directory = sqlite3_mprintf("%s", folder);
}

/* Orders, and what is to be told of them, stand there as this schema has them. */
static int has_our_orders(sqlite3 *db)
{
	sqlite3_stmt *orders = store_prepare(db, "SELECT " JOURNAL_COLUMNS " FROM orders"),
		     *outbox = store_prepare(db, "SELECT " OUTBOX_COLUMNS " FROM outbox");
	int yes = orders && outbox;

	sqlite3_finalize(orders);
	sqlite3_finalize(outbox);
	return yes;
}

int file_open(struct store *store, const char *data_dir, struct error *err)
{
	struct error first = {0};

	if (make_folder(data_dir, err))
		return FC_EIO;
	put_aside_in(data_dir);
	(void)snprintf(store->path, sizeof(store->path), "%s/forecourt.db", data_dir);
	store->is_shared = is_shared();
	take_new(store);
	if (open_somehow(store, &first) && !(store->db && is_unreadable(sqlite3_extended_errcode(store->db))))
		return error_set(err, FC_EIO, "%s", first.text);
	int version = migrate_version(store->db);
	if (version == MIGRATE_NO_MEMORY)
		return error_set(err, FC_EIO, "store: %s: no memory", store->path);
	int is_none = (version < 0 || version > SCHEMA_VERSION_LIKELY) && has_our_orders(store->db);
	if (version > migrate_newest && !is_none)
		return error_set(err, FC_EINVAL, "store: %s: written by a newer version (schema %d, this one knows %d)",
				 store->path, version, migrate_newest);
	int sound = is_sound(store, err);
	if (sound < 0)
		return sound;
	if (!sound)
		return file_replace(store, err);
	if (version > 0 && version < migrate_newest)
		keep_older(store, version);
	int result = is_none ? FC_EINVAL : migrate_to(store->db, store->path, migrate_newest, err);
	/* Its version is damaged, and nothing else that could be seen: the tables are what they are. */
	if (result == FC_EINVAL && has_our_orders(store->db)) {
		store->is_mislabelled = 1;
		return file_replace(store, err);
	}
	if (!result)
		make_pages_small(store);
	if (!result)
		remember_file(store);
	return result;
}

void file_close(struct store *store)
{
	char name[NAME];

	close_database(&store->db);
	/* Without a WAL there is nothing that an index would be needed for. */
	(void)snprintf(name, sizeof(name), "%s-wal", store->path);
	if (is_shared() || access(name, F_OK) == 0)
		return;
	(void)snprintf(name, sizeof(name), "%s-shm", store->path);
	(void)unlink(name);
}
