/* control/self_signed: made once, for this host name, by nobody else's leave; kept, and never in place of another's file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/first_password.h"
#include "control/self_signed.h"
#include "folder.h"

struct fixture {
	char first[64], second[64];
	const char *folders[3];
	struct self_signed_names names;
	char path[SELF_SIGNED_PATH];
	int is_new;
	struct error err;
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->first, sizeof(f->first), "keys");
	folder_make(f->second, sizeof(f->second), "keys");
	f->folders[0] = f->first;
	f->folders[1] = f->second;
	f->names = (struct self_signed_names){
	    .host = "station-7", .addresses = {"192.0.2.7", "2001:db8::7", "127.0.0.1", "::1"}, .address_count = 4};
	*state = f;
	return 0;
}

static int drop_fixture(void **state)
{
	struct fixture *f = *state;

	folder_remove(f->first);
	folder_remove(f->second);
	free(f);
	return 0;
}

static int have(struct fixture *f)
{
	return self_signed_have(f->folders, &f->names, f->path, &f->is_new, &f->err);
}

/* What openssl says of it. */
static void ask_openssl(const char *path, const char *what, char *said, size_t size)
{
	char command[600];

	(void)snprintf(command, sizeof(command), "openssl x509 -in '%s' -noout %s 2>&1", path, what);
	FILE *in = popen(command, "r");
	assert_non_null(in);
	said[fread(said, 1, size - 1, in)] = '\0';
	assert_int_equal(pclose(in), 0);
}

static void put(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void it_is_for_this_box_and_for_long(void **state)
{
	struct fixture *f = *state;
	char said[4096], fingerprint[SELF_SIGNED_FINGERPRINT];
	struct stat st;

	assert_int_equal(have(f), FC_OK);
	assert_true(f->is_new);
	assert_int_equal(strncmp(f->path, f->first, strlen(f->first)), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ask_openssl(f->path, "-text", said, sizeof(said));
	assert_non_null(strstr(said, "NIST CURVE: P-256"));
	assert_non_null(
	    strstr(said, "DNS:station-7, DNS:station-7.lan, DNS:station-7.local, DNS:localhost, IP Address:192.0.2.7, "
			 "IP Address:2001:DB8:0:0:0:0:0:7, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"));
	assert_non_null(strstr(said, "Not Before: Jan  1 00:00:00 2024 GMT"));
	assert_non_null(strstr(said, "Not After : Dec 31 23:59:59 2049 GMT"));
	assert_non_null(strstr(said, "Subject: O = Forecourt gateway, CN = station-7"));
	assert_null(strstr(said, "CA:TRUE"));
	/* Signed by itself, and what a browser shows of it is what we tell. */
	ask_openssl(f->path, "-fingerprint -sha256", said, sizeof(said));
	assert_int_equal(self_signed_fingerprint(f->path, fingerprint, &f->err), FC_OK);
	assert_int_equal(strlen(fingerprint), 95);
	assert_non_null(strstr(said, fingerprint));
	char command[600];
	(void)snprintf(command, sizeof(command), "openssl verify -CAfile '%s' '%s' >/dev/null", f->path, f->path);
	assert_int_equal(system(command), 0);
}

/* The lengths in it have forms of one, two and three bytes: each is read by wolfSSL, which makes it, and by openssl. */
static void names_of_any_length(void **state)
{
	static const size_t lengths[] = {1, 20, 63};
	static const int counts[] = {0, 2, 5, 9, SELF_SIGNED_ADDRESSES};
	struct fixture *f = *state;
	char said[8192], last[40], command[600];

	for (size_t l = 0; l < 3; l++)
		for (size_t c = 0; c < 5; c++) {
			memset(f->names.host, 'a' + (int)c, lengths[l]);
			f->names.host[lengths[l]] = '\0';
			f->names.address_count = counts[c];
			for (int i = 0; i < counts[c]; i++)
				(void)snprintf(f->names.addresses[i], SELF_SIGNED_ADDRESS, "2001:db8::%x", i + 1);
			assert_int_equal(have(f), FC_OK);
			assert_true(f->is_new);
			assert_int_equal(have(f), FC_OK);
			assert_false(f->is_new);
			ask_openssl(f->path, "-text", said, sizeof(said));
			assert_non_null(strstr(said, f->names.host));
			(void)snprintf(last, sizeof(last), "2001:DB8:0:0:0:0:0:%X\n", counts[c]);
			assert_true(!counts[c] || strstr(said, last));
			(void)snprintf(command, sizeof(command), "openssl verify -CAfile '%s' '%s' >/dev/null", f->path,
				       f->path);
			assert_int_equal(system(command), 0);
		}
}

static void it_is_kept(void **state)
{
	struct fixture *f = *state;
	char before[SELF_SIGNED_FINGERPRINT], after[SELF_SIGNED_FINGERPRINT];

	assert_int_equal(have(f), FC_OK);
	assert_int_equal(self_signed_fingerprint(f->path, before, &f->err), FC_OK);
	/* Another address is no other box. */
	(void)snprintf(f->names.addresses[0], SELF_SIGNED_ADDRESS, "192.0.2.8");
	assert_int_equal(have(f), FC_OK);
	assert_false(f->is_new);
	assert_int_equal(self_signed_fingerprint(f->path, after, &f->err), FC_OK);
	assert_string_equal(before, after);
	/* Another name is. */
	(void)snprintf(f->names.host, sizeof(f->names.host), "station-8");
	assert_int_equal(have(f), FC_OK);
	assert_true(f->is_new);
	assert_int_equal(self_signed_fingerprint(f->path, after, &f->err), FC_OK);
	assert_string_not_equal(before, after);
	/* Two keys are never the same. */
	(void)snprintf(f->names.host, sizeof(f->names.host), "station-7");
	assert_int_equal(have(f), FC_OK);
	assert_int_equal(self_signed_fingerprint(f->path, after, &f->err), FC_OK);
	assert_string_not_equal(before, after);
}

static void a_torn_one_is_made_anew(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(have(f), FC_OK);
	assert_int_equal(truncate(f->path, 400), 0);
	assert_int_equal(have(f), FC_OK);
	assert_true(f->is_new);
	assert_int_equal(have(f), FC_OK);
	assert_false(f->is_new);
}

static void anothers_file_is_not_touched(void **state)
{
	struct fixture *f = *state;
	char path[SELF_SIGNED_PATH], text[32] = "";

	(void)snprintf(path, sizeof(path), "%s/self-signed.pem", f->first);
	put(path, "a person's own\n");
	assert_int_equal(have(f), FC_OK);
	assert_true(f->is_new);
	assert_int_equal(strncmp(f->path, f->second, strlen(f->second)), 0);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(fgets(text, sizeof(text), in));
	(void)fclose(in);
	assert_string_equal(text, "a person's own\n");
	/* The second one is found again. */
	assert_int_equal(have(f), FC_OK);
	assert_false(f->is_new);
	/* With no other place there is none, and that is said. */
	f->folders[1] = NULL;
	assert_int_equal(have(f), FC_EIO);
	assert_non_null(strstr(f->err.text, "can't be made"));
}

static void a_folder_that_is_not_there_is_passed_over(void **state)
{
	struct fixture *f = *state;
	char fingerprint[SELF_SIGNED_FINGERPRINT];

	f->folders[0] = "/nowhere/at/all";
	assert_int_equal(have(f), FC_OK);
	assert_int_equal(strncmp(f->path, f->second, strlen(f->second)), 0);
	assert_int_equal(self_signed_fingerprint("/nowhere/at/all", fingerprint, &f->err), FC_EINVAL);
	assert_string_equal(fingerprint, "");
}

static void this_machine_has_names(void **state)
{
	struct self_signed_names names;

	(void)state;
	self_signed_look(&names);
	assert_true(*names.host);
	assert_null(strchr(names.host, '.'));
	assert_true(names.address_count >= 2 && names.address_count <= SELF_SIGNED_ADDRESSES);
	assert_string_equal(names.addresses[names.address_count - 1], "::1");
	assert_string_equal(names.addresses[names.address_count - 2], "127.0.0.1");
}

static void the_first_password_is_for_root(void **state)
{
	struct fixture *f = *state;
	char path[FIRST_PASSWORD_PATH], text[80] = "";
	struct stat st;

	first_password_path(NULL, path);
	assert_string_equal(path, "");
	first_password_path("", path);
	assert_string_equal(path, "");
	(void)snprintf(f->path, sizeof(f->path), "%s/control.sock", f->first);
	first_password_path(f->path, path);
	/* What was there before goes, whoever may read it. */
	put(path, "old");
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(first_password_put(path, "admin", "abc", &f->err), FC_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(fgets(text, sizeof(text), in));
	(void)fclose(in);
	assert_string_equal(text, "admin abc\n");
	char user[FIRST_PASSWORD_WORD], password[FIRST_PASSWORD_WORD];
	assert_int_equal(first_password_get(path, user, password, &f->err), FC_OK);
	assert_string_equal(user, "admin");
	assert_string_equal(password, "abc");
	first_password_drop(path);
	assert_int_equal(first_password_get(path, user, password, &f->err), FC_ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	first_password_drop("");
	assert_int_equal(first_password_put("/nowhere/at/all", "admin", "abc", &f->err), FC_EIO);
}

/* Root reads it in a folder of the daemon's user, who may have put anything there. */
static void what_was_planted_is_not_shown(void **state)
{
	static const char *const odd[] = {"",     "admin",       "admin abc", "admin  abc\n", "ad\033[2Jmin abc\n",
					  " x\n", "\"admin x\n", "a b\"c\n"};
	struct fixture *f = *state;
	char path[FIRST_PASSWORD_PATH], other[FIRST_PASSWORD_PATH], user[FIRST_PASSWORD_WORD] = "";
	char password[FIRST_PASSWORD_WORD] = "";

	(void)snprintf(f->path, sizeof(f->path), "%s/control.sock", f->first);
	first_password_path(f->path, path);
	(void)snprintf(other, sizeof(other), "%s/secret", f->second);
	put(other, "root secret\n");
	assert_int_equal(chmod(other, 0600), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(first_password_get(path, user, password, &f->err), FC_EIO);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
	assert_int_equal(first_password_get(path, user, password, &f->err), FC_EIO);
	assert_int_equal(unlink(path), 0);
	/* Nobody waits for who never writes. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(first_password_get(path, user, password, &f->err), FC_EIO);
	assert_int_equal(unlink(path), 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		put(path, odd[i]);
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(first_password_get(path, user, password, &f->err), FC_EIO);
	}
	put(path, "admin abc\n");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(first_password_get(path, user, password, &f->err), FC_EIO);
	if (!geteuid()) {
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(chown(path, 4711, 4711), 0);
		assert_int_equal(first_password_get(path, user, password, &f->err), FC_EIO);
	}
	assert_string_equal(user, "");
	assert_string_equal(password, "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, drop_fixture)

int main(void)
{
	static const struct CMUnitTest tests[] = {T(it_is_for_this_box_and_for_long),
						  T(names_of_any_length),
						  T(it_is_kept),
						  T(a_torn_one_is_made_anew),
						  T(anothers_file_is_not_touched),
						  T(a_folder_that_is_not_there_is_passed_over),
						  T(this_machine_has_names),
						  T(the_first_password_is_for_root),
						  T(what_was_planted_is_not_shown)};

	return cmocka_run_group_tests_name("self_signed", tests, NULL, NULL);
}
