/* core/control/backup_files: what of a backup from elsewhere may become a file of this box. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/backup_files.h"
#include "control/backup_lua.h"

static void becomes(const char *text, const char *wanted)
{
	size_t len = 0;
	char *pem = backup_files_pem(text, strlen(text), &len);

	if (!wanted) {
		assert_null(pem);
		return;
	}
	assert_non_null(pem);
	assert_string_equal(pem, wanted);
	assert_int_equal(len, strlen(wanted));
	free(pem);
}

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB/+a=\nQUJD\n-----END CERTIFICATE-----\n"
#define ENCRYPTED                                                                                         \
	"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00AAFF\n\nQUJD\n" \
	"-----END RSA PRIVATE KEY-----\n"

static void test_blocks_stay(void **state)
{
	(void)state;
	becomes(CERTIFICATE, CERTIFICATE);
	becomes(CERTIFICATE ENCRYPTED, CERTIFICATE ENCRYPTED);
	/* As other programs write it: what it says in words before, another end of line, no end at the end. */
	becomes("Certificate:\n    Data:\n" CERTIFICATE, CERTIFICATE);
	becomes("-----BEGIN X-----\r\nQUJD\r\n-----END X-----\r\n", "-----BEGIN X-----\nQUJD\n-----END X-----\n");
	becomes("-----BEGIN X-----\nQUJD\n-----END X-----", "-----BEGIN X-----\nQUJD\n-----END X-----\n");
}

/* What is no block does not get onto the disk: /etc/profile.d, /etc/crontabs and /etc/uci-defaults would carry it out. */
static void test_a_script_does_not(void **state)
{
	static const char nul[] = CERTIFICATE "\0reboot";
	size_t len;

	(void)state;
	becomes("#!/bin/sh\nreboot\n" CERTIFICATE "reboot\n", CERTIFICATE);
	becomes("#!/bin/sh\nreboot\n: '-----BEGIN -----END '\n", NULL);
	becomes("-----BEGIN X-----\n* * * * * reboot\n-----END X-----\n", NULL);
	becomes("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED; reboot\n\nQUJD\n-----END X-----\n", NULL);
	becomes("-----BEGIN X-----\nQUJD\n\nreboot now\n-----END X-----\n", NULL);
	becomes("-----BEGIN $(reboot)-----\nQUJD\n-----END $(reboot)-----\n", NULL);
	becomes("-----BEGIN X-----\nQUJD\n-----END Y-----\n", NULL);
	becomes("-----BEGIN X-----\nQUJD\n", NULL);
	becomes("", NULL);
	assert_null(backup_files_pem(nul, sizeof(nul) - 1, &len));
}

/* Of two of one name one would be tried, and another one written. Found by fuzz_backup. */
static void test_no_file_comes_twice(void **state)
{
	static const char list[] = "lib/a 3\nlib/a 4\n", packed[] = "eJxLTEpOSU1LBwAK2wK9"; /* "abcdefg" */
	static struct backup_lua lua;
	struct error err = {0};
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 16);
	assert_int_equal(backup_lua_unpack(&lua, list, packed, &arena, &err), FC_EINVAL);
	assert_string_equal(err.text, "the backup's Lua files are damaged");
	assert_int_equal(backup_lua_unpack(&lua, "lib/b 3\nlib/a 4\n", packed, &arena, &err), FC_EINVAL);
	assert_int_equal(backup_lua_unpack(&lua, "lib/a 3\nlib/b 4\n", packed, &arena, &err), FC_OK);
	assert_int_equal(lua.count, 2);
	assert_string_equal(lua.files[1].text, "defg");
	arena_fini(&arena);
}

/* A name is what the configuration says to its last byte. Found by fuzz_backup. */
static void test_only_names_of_the_configuration(void **state)
{
	struct config config = {.admin = {.certificate = "/nowhere/a.pem", .key = ""}};
	struct error err = {0};
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 16);
	for (int longer = 0; longer < 2; longer++) {
		struct value *list = value_array(&arena), *file = value_object(&arena);

		assert_int_equal(
		    value_add(&arena, file, "path", value_string_len(&arena, "/nowhere/a.pem", (size_t)(14 + longer))),
		    FC_OK);
		assert_int_equal(
		    value_add(&arena, file, "text", value_string(&arena, "-----BEGIN X-----\nTUI=\n-----END X-----\n")),
		    FC_OK);
		assert_int_equal(value_push(list, file), FC_OK);
		assert_int_equal(backup_files_check(&config, list, &err), longer ? FC_EINVAL : FC_OK);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blocks_stay),
	    cmocka_unit_test(test_a_script_does_not),
	    cmocka_unit_test(test_no_file_comes_twice),
	    cmocka_unit_test(test_only_names_of_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
