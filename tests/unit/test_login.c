/* admin/login: passwords, lock-out, sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admin/login.h"

static const int64_t second = 1000000;

static void one_time_password(void **state)
{
	struct login a, b;
	struct error err = {0};
	char token[LOGIN_TOKEN_SIZE], other[LOGIN_TOKEN_SIZE];

	(void)state;
	assert_int_equal(login_init(&a, "admin", "", &err), FC_OK);
	assert_int_equal(login_init(&b, "admin", "", &err), FC_OK);
	assert_int_equal(strlen(a.one_time), 16);
	assert_string_not_equal(a.one_time, b.one_time);
	assert_int_equal(login_attempt(&a, "admin", "", 0, token), FC_EAUTH);
	assert_int_equal(login_attempt(&a, "admin", a.one_time, 0, token), FC_EBUSY);
	assert_int_equal(login_attempt(&a, "admin", a.one_time, second, token), FC_OK);
	assert_int_equal(login_attempt(&a, "admin", a.one_time, second, other), FC_OK);
	assert_string_not_equal(token, other);
	assert_true(login_check(&a, token, 2 * second));
	assert_false(login_check(&b, token, 2 * second));
	assert_false(login_check(&a, "", 2 * second));
	assert_false(login_check(&a, "0000", 2 * second));
	login_end(&a, token);
	assert_false(login_check(&a, token, 2 * second));
	assert_true(login_check(&a, other, 2 * second));
	assert_false(login_check(&a, other, (int64_t)13 * 3600 * second));
}

static void stored_hash(void **state)
{
	/* PBKDF2-HMAC-SHA256, "password", salt "saltsalt", 1000 rounds: Python's hashlib gives this. */
	static const char hash[] = "pbkdf2-sha256$1000$73616c7473616c74$"
				   "135f7a66144fcf0fb003ce048f31f024ed5cbff30525d3ba0bfb3199479362a6";
	struct login login;
	struct error err = {0};
	char token[LOGIN_TOKEN_SIZE];

	(void)state;
	assert_int_equal(login_init(&login, "root", hash, &err), FC_OK);
	assert_string_equal(login.one_time, "");
	assert_int_equal(login_attempt(&login, "root", "password", 0, token), FC_OK);
	assert_int_equal(login_attempt(&login, "admin", "password", 0, token), FC_EAUTH);
	assert_int_equal(login_attempt(&login, "root", "Password", second, token), FC_EAUTH);
	static const char *const bad[] = {"x", "pbkdf2-sha256$10$73616c7473616c74$00", "pbkdf2-sha256$1000$zz$00",
					  "pbkdf2-sha256$1000$73616c7473616c74",
					  "pbkdf2-sha256$1000$73616c7473616c74$00"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(login_init(&login, "root", bad[i], &err), FC_EINVAL);
}

static void lock_out_grows(void **state)
{
	struct login login;
	struct error err = {0};
	char token[LOGIN_TOKEN_SIZE];
	int64_t now = 0, wait = 0;

	(void)state;
	assert_int_equal(login_init(&login, "admin", "", &err), FC_OK);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(login_attempt(&login, "admin", "wrong", now, token), FC_EAUTH);
		assert_true(login.locked_until_us - now >= wait);
		wait = login.locked_until_us - now;
		assert_int_equal(login_attempt(&login, "admin", login.one_time, login.locked_until_us - 1, token),
				 FC_EBUSY);
		now = login.locked_until_us;
	}
	assert_int_equal(wait, 60 * second);
	assert_int_equal(login_attempt(&login, "admin", login.one_time, now, token), FC_OK);
	assert_int_equal(login.failures, 0);
}

static void sessions_are_bounded(void **state)
{
	struct login login;
	struct error err = {0};
	char first[LOGIN_TOKEN_SIZE], token[LOGIN_TOKEN_SIZE];

	(void)state;
	assert_int_equal(login_init(&login, "admin", "", &err), FC_OK);
	assert_int_equal(login_attempt(&login, "admin", login.one_time, 1, first), FC_OK);
	for (int i = 0; i < LOGIN_SESSIONS; i++)
		assert_int_equal(login_attempt(&login, "admin", login.one_time, 2 + i, token), FC_OK);
	assert_false(login_check(&login, first, 100));
	assert_true(login_check(&login, token, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_time_password),
	    cmocka_unit_test(stored_hash),
	    cmocka_unit_test(lock_out_grows),
	    cmocka_unit_test(sessions_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
