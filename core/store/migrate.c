#include <stdio.h>
#include <stdlib.h>

#include "store/internal.h"

/* Each step brings the file from the version of its place to the next; never edit one that was released. */
static const char *const migrations[] = {
    "CREATE TABLE energy(connector_id TEXT NOT NULL, day INTEGER NOT NULL, wh INTEGER NOT NULL,"
    " PRIMARY KEY(connector_id, day)) WITHOUT ROWID;"
    "CREATE TABLE meter(connector_id TEXT PRIMARY KEY, wh INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE value(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
    /* journal.c */
    "CREATE TABLE orders(seq TEXT PRIMARY KEY, connector_id TEXT NOT NULL, platform TEXT NOT NULL, mode INTEGER NOT "
    "NULL,"
    " closed INTEGER NOT NULL, start_wall INTEGER NOT NULL, end_wall INTEGER NOT NULL, wh INTEGER NOT NULL,"
    " money_e4 INTEGER NOT NULL, reason INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX orders_open ON orders(closed, end_wall);"
    "CREATE INDEX orders_connector ON orders(connector_id, end_wall);"
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, method TEXT NOT NULL,"
    " seq TEXT NOT NULL REFERENCES orders(seq), attempts INTEGER NOT NULL DEFAULT 0, next_wall INTEGER NOT NULL "
    "DEFAULT 0,"
    " state INTEGER NOT NULL DEFAULT 0, answer INTEGER NOT NULL DEFAULT -1, UNIQUE(platform, method, seq));"
    "CREATE INDEX outbox_waiting ON outbox(platform, state, id);",
    /* Orders by number of their opening: a note writes one page instead of three, the last order of a connector is found by what
     * came after what and not by a clock that may jump, and a damaged page costs fewer rows. */
    "CREATE TABLE orders_new(id INTEGER PRIMARY KEY, seq TEXT NOT NULL, connector_id TEXT NOT NULL, platform TEXT NOT "
    "NULL,"
    " mode INTEGER NOT NULL, closed INTEGER NOT NULL, start_wall INTEGER NOT NULL, end_wall INTEGER NOT NULL,"
    " wh INTEGER NOT NULL, money_e4 INTEGER NOT NULL, reason INTEGER NOT NULL, record TEXT NOT NULL);"
    "INSERT INTO orders_new(seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, "
    "record)"
    " SELECT seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, record FROM orders"
    " ORDER BY closed DESC, end_wall, start_wall, seq;"
    "DROP TABLE orders;"
    "ALTER TABLE orders_new RENAME TO orders;"
    "CREATE UNIQUE INDEX orders_seq ON orders(seq);"
    "CREATE INDEX orders_connector ON orders(connector_id);"
    "CREATE INDEX orders_open ON orders(closed) WHERE closed = 0;"
    "CREATE INDEX orders_end ON orders(end_wall, seq) WHERE closed = 1;"
    "DROP INDEX outbox_waiting;"
    "CREATE INDEX outbox_waiting ON outbox(platform, id) WHERE state = 0;",
    /* checks.c */
    "CREATE TABLE checked(platform TEXT NOT NULL, day INTEGER NOT NULL, at_wall INTEGER NOT NULL, orders INTEGER NOT "
    "NULL,"
    " energy_e2 INTEGER NOT NULL, money_e4 INTEGER NOT NULL, differences INTEGER NOT NULL, PRIMARY KEY(platform, day))"
    " WITHOUT ROWID;"
    "CREATE TABLE difference(platform TEXT NOT NULL, day INTEGER NOT NULL, seq TEXT NOT NULL, reason INTEGER NOT NULL,"
    " our_energy_e2 INTEGER NOT NULL, our_money_e4 INTEGER NOT NULL, their_energy_e2 INTEGER NOT NULL,"
    " their_money_e4 INTEGER NOT NULL, PRIMARY KEY(platform, day, seq, reason)) WITHOUT ROWID;",
    /* journal_list.c: years of confirmed entries must not be looked through for what became of one order, or for the few that
     * are not confirmed. */
    ("CREATE INDEX outbox_order ON outbox(seq, id);"
     "CREATE INDEX outbox_unsettled ON outbox(platform, state) WHERE state <> 1;"),
    /* lookup.c: what scripts have put; stamp says what was put after what. */
    "CREATE TABLE lookup(space TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " stamp INTEGER NOT NULL, PRIMARY KEY(space, name, key)) WITHOUT ROWID;"
    "CREATE INDEX lookup_value ON lookup(space, name, value, stamp);"
    "CREATE INDEX lookup_stamp ON lookup(space, name, stamp);",
    /* versions.c. Texts without a rowid: what is damaged of them costs those on the page. */
    "CREATE TABLE script_text(hash TEXT PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE script_version(id INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT NOT NULL, hash TEXT NOT NULL,"
    " whole TEXT NOT NULL, at_wall INTEGER NOT NULL, origin TEXT NOT NULL, used_wall INTEGER NOT NULL);"
    "CREATE INDEX script_version_item ON script_version(item, id);"
    "CREATE INDEX script_version_whole ON script_version(whole);"
    "CREATE TABLE script_part(whole TEXT NOT NULL, item TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY(whole, item))"
    " WITHOUT ROWID;"
    "CREATE INDEX script_part_item ON script_part(item, hash);"
    "ALTER TABLE outbox ADD COLUMN mapping TEXT NOT NULL DEFAULT '';",
    /* audit.c. The key never goes back: a page of the list goes on where the one before ended. */
    "CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, at_wall INTEGER NOT NULL, who TEXT NOT NULL,"
    " command TEXT NOT NULL, arguments TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,"
    " result TEXT NOT NULL);",
    "ALTER TABLE audit ADD COLUMN place TEXT NOT NULL DEFAULT '';",
    /* accounts.c. A token's key never comes back: the audit names it. */
    ("CREATE TABLE account(name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, must_change INTEGER NOT NULL,"
     " disabled INTEGER NOT NULL, created_wall INTEGER NOT NULL, login_wall INTEGER NOT NULL,"
     " login_place TEXT NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE token(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, role TEXT NOT NULL,"
     " digest TEXT NOT NULL, made_by TEXT NOT NULL, created_wall INTEGER NOT NULL, expires_wall INTEGER NOT NULL,"
     " used_wall INTEGER NOT NULL);"),
    /* events.c. The numbers are given by the code: one page less is written than with AUTOINCREMENT. */
    "CREATE TABLE event(id INTEGER PRIMARY KEY, at_wall INTEGER NOT NULL, kind INTEGER NOT NULL, connector_id TEXT NOT "
    "NULL,"
    " seq TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, text TEXT NOT NULL, who TEXT NOT NULL,"
    " detail TEXT NOT NULL);"
    "CREATE INDEX event_seq ON event(seq, id) WHERE seq <> '';",
    /* samples.c. By time first: what is written together stands together, and flash is written in pages. */
    "CREATE TABLE samples(slot INTEGER NOT NULL, connector_id TEXT NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY(slot, connector_id)) WITHOUT ROWID;",
    /* One index of what is not settled instead of two: each order writes two pages less. Whoever uses it says state <> 1, too. */
    "DROP INDEX outbox_waiting; DROP INDEX outbox_unsettled;"
    "CREATE INDEX outbox_unsettled ON outbox(platform, state, id) WHERE state <> 1;",
    /* By day first: what is counted every quarter of an hour stands on a page or two, and not on one of each connector. */
    ("CREATE TABLE energy_new(day INTEGER NOT NULL, connector_id TEXT NOT NULL, wh INTEGER NOT NULL,"
     " PRIMARY KEY(day, connector_id)) WITHOUT ROWID;"
     "INSERT INTO energy_new SELECT day, connector_id, wh FROM energy ORDER BY day, connector_id;"
     "DROP TABLE energy; ALTER TABLE energy_new RENAME TO energy;"),
    /* One index that also finds what became of an order, instead of two; and numbers without a page that remembers the last: none is
     * ever deleted. Each order writes three pages less. */
    ("CREATE TABLE outbox_new(id INTEGER PRIMARY KEY, platform TEXT NOT NULL, method TEXT NOT NULL,"
     " seq TEXT NOT NULL REFERENCES orders(seq), attempts INTEGER NOT NULL DEFAULT 0, next_wall INTEGER NOT NULL "
     "DEFAULT 0,"
     " state INTEGER NOT NULL DEFAULT 0, answer INTEGER NOT NULL DEFAULT -1, mapping TEXT NOT NULL DEFAULT '',"
     " UNIQUE(seq, platform, method));"
     "INSERT INTO outbox_new SELECT id, platform, method, seq, attempts, next_wall, state, answer, mapping FROM outbox;"
     "DROP TABLE outbox; ALTER TABLE outbox_new RENAME TO outbox;"
     "CREATE INDEX outbox_unsettled ON outbox(platform, state, id) WHERE state <> 1;"),
    /* samples.c: connectors by number, and one number as the key: a row grows at the table's end and stands on its page. By name in the
     * key it went over to a page of its own, where pages are small. id: slot * 65536 + place. */
    ("CREATE TABLE place(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
     "INSERT INTO place(name) SELECT DISTINCT connector_id FROM samples;"
     "CREATE TABLE curve(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
     "INSERT INTO curve SELECT slot * 65536 + p.id, data FROM samples JOIN place p ON p.name = connector_id ORDER BY 1;"
     "DROP TABLE samples;"
     "CREATE VIEW samples AS SELECT c.id / 65536 AS slot, p.name AS connector_id, c.data FROM curve c"
     " JOIN place p ON p.id = c.id % 65536;"),
    /* The 18 digits behind the operator's id, as a number: a third of the bytes, and of the pages that are split. */
    ("DROP INDEX event_seq;"
     "CREATE INDEX event_order ON event(CAST(substr(seq, 10) AS INTEGER)) WHERE seq <> '';"),
};
const int migrate_newest = sizeof(migrations) / sizeof(migrations[0]);

int migrate_version(sqlite3 *db)
{
	char text[64];
	int code = file_query(db, "PRAGMA user_version", text, sizeof(text));

	if (store_is_for_memory(code))
		return MIGRATE_NO_MEMORY;
	return code ? -1 : atoi(text);
}

int migrate_to(sqlite3 *db, const char *path, int upto, struct error *err)
{
	char text[64];

	for (int version = migrate_version(db); version < upto; version++) {
		if (version < 0)
			return file_failed(db, path, err);
		(void)snprintf(text, sizeof(text), "PRAGMA user_version = %d", version + 1);
		if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
		    sqlite3_exec(db, migrations[version], NULL, NULL, NULL) == SQLITE_OK &&
		    sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK &&
		    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
			continue;
		int code = sqlite3_errcode(db);
		(void)file_failed(db, path, err);
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		if (err && code == SQLITE_ERROR)
			err->code = FC_EINVAL;
		return code == SQLITE_ERROR ? FC_EINVAL : FC_EIO;
	}
	return FC_OK;
}
