/* control/guard and what it stands on: passwords, delays, sessions, accounts, tokens, the one-time password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "control/guard_inside.h"
#include "folder.h"
#include "store/audit.h"

static const int64_t second = 1000000;

/* PBKDF2-HMAC-SHA256, "password", salt "saltsalt", 1000 rounds, and scrypt of the same with N = 1024, r = 8, p = 1: Python's hashlib gives
 * these. */
static const char pbkdf2[] = "pbkdf2-sha256$1000$73616c7473616c74$"
			     "135f7a66144fcf0fb003ce048f31f024ed5cbff30525d3ba0bfb3199479362a6";
static const char scrypt[] = "scrypt$10$8$1$73616c7473616c74$"
			     "00e2d710448270f99fd83c54dc3e3b649c69e594dc1c2d12d8c6f67855dce2d2";

/* Passwords ---------------------------------------------------------------------------------------------------------- */

static void hashes_of_others_are_read(void **state)
{
	static const char *const bad[] = {
	    "",
	    "x",
	    "pbkdf2-sha256$10$73616c7473616c74$00",
	    "pbkdf2-sha256$1000$zz$00",
	    "pbkdf2-sha256$1000$73616c7473616c74",
	    "pbkdf2-sha256$1000$73616c7473616c74$00",
	    "pbkdf2-sha256$-1000$73616c7473616c74$135f7a66144fcf0fb003ce048f31f024ed5cbff30525d3ba0bfb3199479362a6",
	    "scrypt$30$8$1$73616c7473616c74$135f7a66144fcf0fb003ce048f31f024ed5cbff30525d3ba0bfb3199479362a6",
	    "scrypt$14$8$99999$73616c7473616c74$135f7a66144fcf0fb003ce048f31f024ed5cbff30525d3ba0bfb3199479362a6",
	    "scrypt$14$8$73616c7473616c74$135f7a66144fcf0fb003ce048f31f024ed5cbff30525d3ba0bfb3199479362a6",
	};

	(void)state;
	assert_true(password_is_right("password", pbkdf2));
	assert_false(password_is_right("Password", pbkdf2));
	assert_false(password_is_right("", pbkdf2));
	assert_int_equal(password_rounds(pbkdf2), 1000);
	assert_true(password_is_right("password", scrypt));
	assert_false(password_is_right("passwore", scrypt));
	assert_int_equal(password_rounds(scrypt), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(password_hash_is_good(bad[i]));
		assert_false(password_is_right("password", bad[i]));
	}
}

static void a_hash_is_salted(void **state)
{
	char a[PASSWORD_HASH], b[PASSWORD_HASH];

	(void)state;
	assert_int_equal(password_hash("correct horse", a), FC_OK);
	assert_int_equal(password_hash("correct horse", b), FC_OK);
	assert_string_not_equal(a, b);
	assert_true(password_is_right("correct horse", a) && password_is_right("correct horse", b));
	assert_false(password_is_right("correct horsf", a));
	assert_true(!strncmp(a, "scrypt$14$8$5$", 14) || !strncmp(a, "pbkdf2-sha256$600000$", 21));
}

static void bad_passwords_are_refused(void **state)
{
	static const char *const refused[] = {"short",        "123456789",    "1234567890",   "PassWord123",
					      "aaaaaaaaaaaa", "abababababab", "station12345", "12station12"};
	char longest[PASSWORD_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (!password_refused(refused[i], i > 5 ? "station12" : "admin"))
			fail_msg("%s is taken", refused[i]);
	assert_null(password_refused("correct horse", "admin"));
	assert_null(password_refused("充电站的密码很长", "admin"));
	for (int i = 0; i < PASSWORD_MAX + 1; i++)
		longest[i] = (char)('a' + i % 26);
	longest[PASSWORD_MAX + 1] = '\0';
	assert_non_null(password_refused(longest, "admin"));
	longest[PASSWORD_MAX] = '\0';
	assert_null(password_refused(longest, "admin"));
}

/* Delays ------------------------------------------------------------------------------------------------------------- */

static void delays_grow(void **state)
{
	struct lockout *l = calloc(1, sizeof(*l));
	int64_t now = 1000 * second;
	int wait = 0, before = 0;

	(void)state;
	assert_non_null(l);
	assert_int_equal(lockout_wait_s(l, "a", "10.0.0.1", now), 0);
	for (int i = 0; i < 14; i++) {
		lockout_failed(l, "a", "10.0.0.1", now);
		wait = lockout_wait_s(l, "a", "10.0.0.1", now);
		assert_true(wait > before || wait == LOCKOUT_ADDRESS_S);
		assert_int_equal(lockout_wait_s(l, "a", "10.0.0.1", now + (wait - 1) * second), 1);
		before = wait;
		now += wait * second;
		assert_int_equal(lockout_wait_s(l, "a", "10.0.0.1", now), 0);
	}
	assert_int_equal(wait, LOCKOUT_ADDRESS_S);
	/* Other addresses wait for the account only, and shortly; other accounts not at all. */
	lockout_failed(l, "a", "10.0.0.1", now);
	assert_int_equal(lockout_wait_s(l, "a", "10.0.0.2", now), LOCKOUT_ACCOUNT_S);
	assert_int_equal(lockout_wait_s(l, "b", "10.0.0.2", now), 0);
	/* Where the account was in use the owner gets in while strangers wait. */
	lockout_succeeded(l, "a", "10.0.0.3", now);
	assert_int_equal(lockout_wait_s(l, "a", "10.0.0.3", now), 0);
	assert_int_equal(lockout_wait_s(l, "a", "10.0.0.2", now), LOCKOUT_ACCOUNT_S);
	/* All is forgotten in the end. */
	assert_int_equal(lockout_wait_s(l, "a", "10.0.0.1", now + (LOCKOUT_FORGET_S + 1) * second), 0);
	free(l);
}

static void a_flood_forgets_nobody_who_guesses(void **state)
{
	struct lockout *l = calloc(1, sizeof(*l));
	int64_t now = 1000 * second;
	char text[40];

	(void)state;
	assert_non_null(l);
	for (int i = 0; i < 5; i++)
		lockout_failed(l, "a", "10.0.0.1", now);
	for (int i = 0; i < 20 * LOCKOUT_ENTRIES; i++) {
		(void)snprintf(text, sizeof(text), "10.1.%d.%d", i / 250, i % 250);
		lockout_failed(l, text, text, now + i);
	}
	assert_true(lockout_wait_s(l, "x", "10.0.0.1", now) >= 16);
	free(l);
}

static void an_ipv6_network_is_one(void **state)
{
	(void)state;
	assert_true(lockout_address("2001:db8:1:2::1") == lockout_address("2001:db8:1:2:ffff::9"));
	assert_true(lockout_address("2001:db8:1:2::1") != lockout_address("2001:db8:1:3::1"));
	assert_true(lockout_address("fe80::1%eth0") == lockout_address("fe80::2"));
	assert_true(lockout_address("::ffff:10.0.0.1") == lockout_address("10.0.0.1"));
	assert_true(lockout_address("10.0.0.1") != lockout_address("10.0.0.2"));
}

/* Sessions ----------------------------------------------------------------------------------------------------------- */

static void sessions_end_by_themselves(void **state)
{
	struct sessions *s = calloc(1, sizeof(*s));
	struct session like = {.account = "a"}, *one;
	char token[SESSION_TOKEN], other[SESSION_TOKEN];
	int64_t now = 1000 * second;

	(void)state;
	assert_non_null(s);
	assert_int_equal(sessions_begin(s, &like, now, token, &one), FC_OK);
	assert_int_equal(sessions_begin(s, &like, now, other, &one), FC_OK);
	assert_string_not_equal(token, other);
	assert_non_null(sessions_find(s, token, now + (SESSION_IDLE_S - 1) * second, 0));
	assert_null(sessions_find(s, "", now, 1));
	assert_null(sessions_find(s, "0000", now, 1));
	assert_null(sessions_find(s, token, now + (SESSION_IDLE_S + 1) * second, 1));
	/* In use all the time: it ends all the same. */
	for (int t = 0; t < SESSION_LIFE_S; t += SESSION_IDLE_S / 2)
		assert_non_null(sessions_find(s, other, now + t * second, 1));
	assert_null(sessions_find(s, other, now + (SESSION_LIFE_S + 1) * second, 1));
	free(s);
}

static void sessions_are_bounded(void **state)
{
	struct sessions *s = calloc(1, sizeof(*s));
	struct session a = {.account = "a"}, b = {.account = "b"}, *one;
	char first[SESSION_TOKEN], token[SESSION_TOKEN], of_b[SESSION_TOKEN];

	(void)state;
	assert_non_null(s);
	assert_int_equal(sessions_begin(s, &b, 1, of_b, &one), FC_OK);
	assert_int_equal(sessions_begin(s, &a, 2, first, &one), FC_OK);
	for (int i = 0; i < SESSIONS_ACCOUNT_MAX; i++)
		assert_int_equal(sessions_begin(s, &a, 3 + i, token, &one), FC_OK);
	/* One account makes room in its own. */
	assert_null(sessions_find(s, first, 100, 0));
	assert_non_null(sessions_find(s, token, 100, 0));
	assert_non_null(sessions_find(s, of_b, 100, 0));
	assert_int_equal(sessions_end_all(s, "a", one->id), SESSIONS_ACCOUNT_MAX - 1);
	assert_non_null(sessions_find(s, token, 100, 0));
	free(s);
}

/* The guard ---------------------------------------------------------------------------------------------------------- */

struct fixture {
	char folder[64];
	struct loop *loop;
	struct store *store;
	struct guard *guard;
	struct config config;
	struct error err;
	/* The last outcome. */
	int outcomes, code, wait_s;
	char token[SESSION_TOKEN], key[40];
	struct guard_who who;
};

static void open_guard(struct fixture *f)
{
	guard_free(f->guard);
	store_close(f->store);
	f->store = store_open(f->folder, &f->err);
	assert_non_null(f->store);
	f->guard = guard_new(f->loop, f->store, &f->err);
	assert_non_null(f->guard);
	guard_apply(f->guard, &f->config);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "guard");
	f->loop = loop_new(&f->err);
	assert_non_null(f->loop);
	f->config.admin = (struct config_admin){.enabled = 1, .user = "admin", .password_hash = ""};
	open_guard(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	guard_free(f->guard);
	store_close(f->store);
	loop_free(f->loop);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static void came(void *user, const struct guard_outcome *outcome)
{
	struct fixture *f = user;

	f->outcomes++;
	f->code = outcome->code;
	f->wait_s = outcome->wait_s;
	(void)snprintf(f->key, sizeof(f->key), "%s", outcome->key);
	f->token[0] = '\0';
	if (outcome->code)
		return;
	(void)snprintf(f->token, sizeof(f->token), "%s", outcome->token);
	f->who = *outcome->who;
}

static void wait_for(struct fixture *f, int outcomes)
{
	while (f->outcomes < outcomes)
		assert_int_equal(loop_step(f->loop, 100), 0);
}

static int login(struct fixture *f, const char *name, const char *password, const char *place)
{
	int n = f->outcomes;

	guard_login(f->guard, name, password, place, came, f);
	wait_for(f, n + 1);
	return f->code;
}

static int change(struct fixture *f, const char *old, const char *password, const char *place)
{
	struct guard_who who = f->who;
	int n = f->outcomes;

	guard_change(f->guard, &who, old, password, place, came, f);
	wait_for(f, n + 1);
	return f->code;
}

static void add(struct fixture *f, const char *name, const char *role, const char *hash)
{
	struct account_row row = {.created_wall = 1};

	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	(void)snprintf(row.role, sizeof(row.role), "%s", role);
	(void)snprintf(row.hash, sizeof(row.hash), "%s", hash);
	assert_int_equal(guard_set(f->guard, &row, &f->err), FC_OK);
}

static void the_one_time_password_dies(void **state)
{
	struct fixture *f = *state;
	char first[PASSWORD_GENERATED], session[SESSION_TOKEN];
	struct guard_who who;

	(void)snprintf(first, sizeof(first), "%s", f->guard->one_time);
	assert_int_equal(strlen(first), 16);
	assert_int_equal(login(f, "root", first, "10.0.0.1"), FC_EAUTH);
	assert_int_equal(login(f, "admin", "", "10.0.0.2"), FC_EAUTH);
	assert_int_equal(login(f, "admin", first, "10.0.0.3"), FC_EBUSY);
	f->guard->lockout = (struct lockout){0};
	assert_int_equal(login(f, "admin", first, "10.0.0.3"), FC_OK);
	assert_true(f->who.must_change);
	assert_int_equal(f->who.source, GUARD_PAGE);
	(void)snprintf(session, sizeof(session), "%s", f->token);
	assert_int_equal(guard_by_session(f->guard, session, &who), FC_OK);
	assert_true(who.must_change);
	/* Not the same, not a weak one, and not without it. */
	assert_int_equal(change(f, first, first, "10.0.0.3"), FC_EINVAL);
	assert_int_equal(change(f, first, "1234567890", "10.0.0.3"), FC_EINVAL);
	assert_int_equal(change(f, "wrong", "correct horse", "10.0.0.3"), FC_EAUTH);
	f->guard->lockout = (struct lockout){0};
	assert_int_equal(change(f, first, "correct horse", "10.0.0.3"), FC_OK);
	assert_false(f->who.must_change);
	assert_int_equal(f->who.right, CONTROL_ADMINISTER);
	assert_string_equal(f->guard->one_time, "");
	/* A new session with a new token against foreign pages; the old one is over. */
	assert_string_not_equal(session, f->token);
	assert_int_equal(guard_by_session(f->guard, session, &who), FC_EAUTH);
	assert_int_equal(guard_by_session(f->guard, f->token, &who), FC_OK);
	assert_int_equal(login(f, "admin", first, "10.0.0.4"), FC_EAUTH);
	/* After a restart, too: nothing but the own password, and no session. */
	(void)snprintf(session, sizeof(session), "%s", f->token);
	open_guard(f);
	assert_string_equal(f->guard->one_time, "");
	assert_int_equal(login(f, "admin", first, "10.0.0.5"), FC_EAUTH);
	assert_int_equal(login(f, "admin", "correct horse", "10.0.0.6"), FC_EBUSY);
	f->guard->lockout = (struct lockout){0};
	assert_int_equal(login(f, "admin", "correct horse", "10.0.0.6"), FC_OK);
	assert_string_equal(guard_account(f->guard, "admin")->login_place, "10.0.0.6");
}

static void the_configuration_comes_first(void **state)
{
	struct fixture *f = *state;

	add(f, "admin", "viewer", scrypt);
	f->config.admin.password_hash = pbkdf2;
	guard_apply(f->guard, &f->config);
	assert_string_equal(f->guard->one_time, "");
	assert_int_equal(login(f, "admin", "password", "10.0.0.1"), FC_OK);
	assert_int_equal(f->who.right, CONTROL_ADMINISTER);
	assert_int_equal(f->who.source, GUARD_CONFIGURATION);
	/* It is not changed here. */
	assert_int_equal(change(f, "password", "correct horse", "10.0.0.1"), FC_EBUSY);
	assert_int_equal(guard_set(f->guard, guard_account(f->guard, "admin"), &f->err), FC_EBUSY);
	/* Another one there: its sessions end. */
	f->config.admin.password_hash = scrypt;
	guard_apply(f->guard, &f->config);
	assert_false(guard_is_still(f->guard, &f->who, 0));
	/* None there: the account of the store is back, and is no administrator. */
	f->config.admin.password_hash = "";
	guard_apply(f->guard, &f->config);
	assert_int_equal(strlen(f->guard->one_time), 16);
	assert_int_equal(login(f, "admin", "password", "10.0.0.1"), FC_OK);
	assert_int_equal(f->who.right, CONTROL_VIEW);
	f->config.admin.password_hash = "nonsense";
	assert_int_equal(guard_check(&f->config, &f->err), FC_EINVAL);
}

static void the_last_administrator_stays(void **state)
{
	struct fixture *f = *state;
	struct account_row row;

	add(f, "one", "administrator", scrypt);
	assert_string_equal(f->guard->one_time, "");
	assert_int_equal(guard_remove(f->guard, "one", &f->err), FC_EBUSY);
	row = *guard_account(f->guard, "one");
	row.disabled = 1;
	assert_int_equal(guard_set(f->guard, &row, &f->err), FC_EBUSY);
	row = *guard_account(f->guard, "one");
	(void)snprintf(row.role, sizeof(row.role), "operator");
	assert_int_equal(guard_set(f->guard, &row, &f->err), FC_EBUSY);
	add(f, "two", "administrator", scrypt);
	assert_int_equal(guard_set(f->guard, &row, &f->err), FC_OK);
	assert_int_equal(guard_remove(f->guard, "two", &f->err), FC_EBUSY);
	assert_int_equal(guard_remove(f->guard, "one", &f->err), FC_OK);
	assert_int_equal(guard_remove(f->guard, "one", &f->err), FC_ENOENT);
	/* The store says the same. */
	open_guard(f);
	assert_null(guard_account(f->guard, "one"));
	assert_string_equal(guard_account(f->guard, "two")->role, "administrator");
}

static void a_change_ends_the_sessions(void **state)
{
	struct fixture *f = *state;
	struct account_row row;

	add(f, "boss", "administrator", scrypt);
	add(f, "eve", "operator", scrypt);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(login(f, "eve", "password", "10.0.0.1"), FC_OK);
		assert_int_equal(f->who.right, CONTROL_OPERATE);
		row = *guard_account(f->guard, "eve");
		if (i == 0)
			(void)snprintf(row.role, sizeof(row.role), "viewer");
		else if (i == 1)
			(void)snprintf(row.hash, sizeof(row.hash), "%s", pbkdf2);
		else
			row.disabled = 1;
		assert_true(guard_is_still(f->guard, &f->who, 0));
		assert_int_equal(guard_set(f->guard, &row, &f->err), FC_OK);
		assert_false(guard_is_still(f->guard, &f->who, 0));
		assert_int_equal(guard_by_session(f->guard, f->token, &f->who), FC_EAUTH);
		(void)snprintf(row.role, sizeof(row.role), "operator");
		assert_int_equal(guard_set(f->guard, &row, &f->err), FC_OK);
	}
	assert_int_equal(login(f, "eve", "password", "10.0.0.1"), FC_EAUTH);
}

static void guesses_wait_their_turn(void **state)
{
	struct fixture *f = *state;
	char place[32];

	add(f, "boss", "administrator", scrypt);
	assert_int_equal(login(f, "boss", "password", "10.0.0.1"), FC_OK);
	f->outcomes = 0;
	/* Of one address one at a time. */
	guard_login(f->guard, "x", "y", "10.9.0.1", came, f);
	guard_login(f->guard, "x2", "y", "10.9.0.1", came, f);
	assert_int_equal(f->outcomes, 1);
	assert_int_equal(f->code, FC_EBUSY);
	/* Of an account one stranger at a time. */
	guard_login(f->guard, "x", "y", "10.9.0.2", came, f);
	assert_int_equal(f->outcomes, 2);
	/* Strangers leave places for the others. */
	for (int i = 0; i < HASHER_PIECES; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%d", i);
		(void)snprintf(place, sizeof(place), "10.9.1.%d", i);
		guard_login(f->guard, name, "y", place, came, f);
	}
	assert_true(hasher_waiting(f->guard->hasher) <= HASHER_PIECES / 2);
	int n = f->outcomes, waiting = hasher_waiting(f->guard->hasher);
	guard_login(f->guard, "boss", "password", "10.0.0.1", came, f);
	assert_int_equal(f->outcomes, n);
	wait_for(f, n + waiting + 1);
	assert_int_equal(f->code, FC_OK);
	/* Nobody who guesses is heard again at once, right or wrong. */
	for (int i = 0; i < 8; i++)
		lockout_failed(&f->guard->lockout, "x", "10.9.0.1", clock_mono_us());
	assert_int_equal(login(f, "boss", "password", "10.9.0.1"), FC_EBUSY);
	assert_true(f->wait_s > 60);
	assert_string_equal(f->key, "login.wait");
}

static void what_is_long_is_wrong(void **state)
{
	struct fixture *f = *state;
	char longest[400];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(login(f, longest, "password", "10.0.0.1"), FC_EAUTH);
	assert_int_equal(login(f, "admin", longest, "10.0.0.2"), FC_EAUTH);
}

/* The thread may still be at it: nothing of ours is touched. */
static void a_log_in_is_given_up(void **state)
{
	struct fixture *f = *state;

	guard_login(f->guard, "admin", "x", "10.0.0.1", came, f);
	guard_forget(f->guard, f);
	for (int i = 0; i < 1000 && hasher_waiting(f->guard->hasher); i++)
		(void)loop_step(f->loop, 20);
	assert_int_equal(f->outcomes, 0);
	f->guard->lockout = (struct lockout){0};
	guard_login(f->guard, "admin", "x", "10.0.0.7", came, f);
	open_guard(f);
	assert_int_equal(f->outcomes, 0);
}

static void tokens(void **state)
{
	struct fixture *f = *state;
	struct token_row row = {.name = "grafana", .role = "viewer", .by = "admin"};
	char text[GUARD_TOKEN_TEXT], other[GUARD_TOKEN_TEXT];
	struct guard_who who;

	row.expires_wall = clock_wall() + 60;
	assert_int_equal(guard_token_add(f->guard, &row, text, &f->err), FC_OK);
	int64_t id = row.id;
	row.expires_wall = clock_wall() - 1;
	assert_int_equal(guard_token_add(f->guard, &row, other, &f->err), FC_OK);
	assert_string_not_equal(text, other);
	assert_int_equal(guard_by_token(f->guard, text, &who), FC_OK);
	assert_string_equal(who.name, "token grafana");
	assert_int_equal(who.right, CONTROL_VIEW);
	assert_int_equal(who.source, GUARD_TOKEN);
	assert_false(who.session);
	assert_int_equal(guard_by_token(f->guard, other, &who), FC_EAUTH);
	assert_int_equal(guard_by_token(f->guard, "", &who), FC_EAUTH);
	text[10] ^= 1;
	assert_int_equal(guard_by_token(f->guard, text, &who), FC_EAUTH);
	text[10] ^= 1;
	/* What is kept is not the token, and is there after a restart. */
	open_guard(f);
	assert_null(strstr(guard_token_at(f->guard, 0)->digest, text + 3));
	assert_true(guard_token_at(f->guard, 0)->used_wall > 0);
	assert_int_equal(guard_by_token(f->guard, text, &who), FC_OK);
	assert_true(guard_is_still(f->guard, &who, 0));
	assert_int_equal(guard_token_remove(f->guard, id, &f->err), FC_OK);
	assert_false(guard_is_still(f->guard, &who, 0));
	assert_int_equal(guard_by_token(f->guard, text, &who), FC_EAUTH);
	assert_int_equal(guard_token_remove(f->guard, id, &f->err), FC_ENOENT);
}

static void bounds(void **state)
{
	struct fixture *f = *state;
	struct token_row token = {.name = "t", .role = "viewer"};
	struct account_row row = {.role = "viewer"};
	char text[GUARD_TOKEN_TEXT];

	for (int i = 0; i < GUARD_ACCOUNTS_MAX; i++) {
		(void)snprintf(row.name, sizeof(row.name), "n%02d", (i * 7) % GUARD_ACCOUNTS_MAX);
		assert_int_equal(guard_set(f->guard, &row, &f->err), FC_OK);
	}
	for (int i = 1; i < GUARD_ACCOUNTS_MAX; i++)
		assert_true(strcmp(guard_account_at(f->guard, i - 1)->name, guard_account_at(f->guard, i)->name) < 0);
	(void)snprintf(row.name, sizeof(row.name), "more");
	assert_int_equal(guard_set(f->guard, &row, &f->err), FC_ELIMIT);
	assert_null(guard_account_at(f->guard, GUARD_ACCOUNTS_MAX));
	for (int i = 0; i < GUARD_TOKENS_MAX; i++)
		assert_int_equal(guard_token_add(f->guard, &token, text, &f->err), FC_OK);
	assert_int_equal(guard_token_add(f->guard, &token, text, &f->err), FC_ELIMIT);
	open_guard(f);
	assert_non_null(guard_account_at(f->guard, GUARD_ACCOUNTS_MAX - 1));
	assert_non_null(guard_token_at(f->guard, GUARD_TOKENS_MAX - 1));
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hashes_of_others_are_read),
	    cmocka_unit_test(a_hash_is_salted),
	    cmocka_unit_test(bad_passwords_are_refused),
	    cmocka_unit_test(delays_grow),
	    cmocka_unit_test(a_flood_forgets_nobody_who_guesses),
	    cmocka_unit_test(an_ipv6_network_is_one),
	    cmocka_unit_test(sessions_end_by_themselves),
	    cmocka_unit_test(sessions_are_bounded),
	    T(the_one_time_password_dies),
	    T(the_configuration_comes_first),
	    T(the_last_administrator_stays),
	    T(a_change_ends_the_sessions),
	    T(guesses_wait_their_turn),
	    T(what_is_long_is_wrong),
	    T(a_log_in_is_given_up),
	    T(tokens),
	    T(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
