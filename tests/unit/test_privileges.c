/* base/privileges: from root to another user in a child of its own; the kernel says what is left (/proc/self/status). SKIPPED when
 * the test is not run by root. */
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/privileges.h"

/* On every Debian and every OpenWrt. */
static const char somebody[] = "nobody";

static void need_root(void)
{
	if (geteuid()) {
		print_message("SKIPPED: not root\n");
		skip();
	}
}

/* A line of /proc/self/status, without its name. */
static void status_line(const char *name, char *out, size_t size)
{
	FILE *file = fopen("/proc/self/status", "r");
	size_t n = strlen(name);
	char line[512];

	out[0] = '\0';
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, n) && line[n] == ':') {
			line[strcspn(line, "\n")] = '\0';
			(void)snprintf(out, size, "%s", line + n + 1 + strspn(line + n + 1, "\t "));
		}
	if (file)
		(void)fclose(file);
}

static uint64_t status_mask(const char *name)
{
	char text[512];

	status_line(name, text, sizeof(text));
	return *text ? strtoull(text, NULL, 16) : UINT64_MAX;
}

/* In a child: what check says is the exit code, each a mistake of its own; 0 = all is as it should be. */
static int in_child(int (*check)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child)
		_exit(check());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static uint64_t had, kept = PRIVILEGES_LOW_PORTS;

static int all_four_are(const char *name, unsigned wanted)
{
	unsigned n[4] = {0};
	char text[512];

	status_line(name, text, sizeof(text));
	if (sscanf(text, "%u %u %u %u", &n[0], &n[1], &n[2], &n[3]) != 4)
		return 0;
	return n[0] == wanted && n[1] == wanted && n[2] == wanted && n[3] == wanted;
}

static int drop_and_look(void)
{
	const struct passwd *p = getpwnam(somebody);
	struct error err = {0};
	char text[512];
	gid_t groups[64];

	if (!p || privileges_drop(somebody, kept, &err))
		return 1;
	if (!all_four_are("Uid", p->pw_uid) || !all_four_are("Gid", p->pw_gid))
		return 2;
	if (status_mask("CapPrm") != (had & kept) || status_mask("CapEff") != (had & kept))
		return 3;
	if (status_mask("CapInh") || status_mask("CapAmb") || status_mask("CapBnd"))
		return 4;
	status_line("NoNewPrivs", text, sizeof(text));
	if (strcmp(text, "1") != 0)
		return 5;
	/* The user's own groups, none of root's. */
	int count = getgroups(64, groups);
	for (int i = 0; i < count; i++)
		if (groups[i] != p->pw_gid)
			return 6;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))
		return 7;
	if (!setuid(0) || !seteuid(0) || !setgid(0))
		return 8;
	if (fopen("/etc/shadow", "r"))
		return 9;
	/* Again: it is that user by now. */
	return privileges_drop(somebody, kept, &err) ? 10 : 0;
}

static void roots_rights_are_gone_for_good(void **state)
{
	(void)state;
	need_root();
	had = status_mask("CapPrm");
	assert_int_equal(kept, 0x400);
	assert_int_equal(in_child(drop_and_look), 0);
	kept |= PRIVILEGES_CAN;
	assert_int_equal(kept, 0x1400);
	assert_int_equal(in_child(drop_and_look), 0);
	kept = PRIVILEGES_LOW_PORTS;
	/* And only there. */
	assert_int_equal(geteuid(), 0);
	assert_int_equal(status_mask("CapPrm"), had);
}

static int run_a_program(void)
{
	struct error err = {0};

	if (privileges_drop(somebody, kept, &err))
		return 101;
	/* What a program that is started has: nothing. */
	execl("/bin/sh", "sh", "-c",
	      "grep -q '^CapEff:[[:space:]]*0*$' /proc/self/status && grep -q '^CapPrm:[[:space:]]*0*$' "
	      "/proc/self/status",
	      (char *)NULL);
	return 102;
}

static void nothing_is_handed_on(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(in_child(run_a_program), 0);
}

static int other_from_other(void)
{
	struct error err = {0};

	if (setuid(12345))
		return 1;
	if (privileges_drop(somebody, kept, &err) != FC_EINVAL)
		return 2;
	return strstr(err.text, "only root") ? 0 : 3;
}

static void only_root_can_become_another(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(in_child(other_from_other), 0);
}

static void who_is_not_there_is_refused(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(privileges_drop("forecourt-nobody-of-that-name", kept, &err), FC_ENOENT);
	assert_non_null(strstr(err.text, "forecourt-nobody-of-that-name"));
	assert_non_null(strstr(err.text, "no such user"));
	err = (struct error){0};
	assert_int_equal(privileges_drop("root", kept, &err), FC_EINVAL);
	assert_non_null(strstr(err.text, "is root"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roots_rights_are_gone_for_good),
	    cmocka_unit_test(nothing_is_handed_on),
	    cmocka_unit_test(only_root_can_become_another),
	    cmocka_unit_test(who_is_not_there_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
