/* control: the commands on accounts, tokens and sessions; what is secret is in the answer alone. */
#include "control/backup_accounts.h"
#include "control/guard.h"
#include "control/password.h"
#include "control_fixture.h"
#include "store/audit.h"

/* Without one the commands say so; with one they work on it. */
static struct guard *guard;
static struct loop *loop;

static void told(void *user, const struct control_result *result)
{
	struct fixture *f = user;

	f->answers++;
	f->code = result->code;
	(void)snprintf(f->error, sizeof(f->error), "%s", result->error);
	buffer_clear(&f->text);
	f->result = NULL;
	if (!result->result)
		return;
	assert_int_equal(json_write(&f->text, result->result), FC_OK);
	arena_fini(&f->arena);
	assert_int_equal(json_read(f->reader, f->text.data, f->text.len, &f->arena, &f->result, &f->err), FC_OK);
}

static struct control_reply *begin(struct fixture *f, const char *who, const char *name, const char *arguments)
{
	const struct control_caller caller = {who, "10.0.0.1", CONTROL_ADMINISTER, 0};
	struct value *tree = NULL;
	struct arena a;

	arena_init(&a, 1 << 20);
	if (arguments)
		assert_int_equal(json_read(f->reader, arguments, strlen(arguments), &a, &tree, &f->err), FC_OK);
	struct control_reply *reply = control_call(f->control, &caller, name, tree, told, f);
	arena_fini(&a);
	return reply;
}

static int call_as(struct fixture *f, const char *who, const char *name, const char *arguments)
{
	int before = f->answers;

	(void)begin(f, who, name, arguments);
	while (f->answers == before)
		assert_int_equal(loop_step(loop, 100), 0);
	assert_int_equal(f->answers, before + 1);
	return f->code;
}

static int call(struct fixture *f, const char *name, const char *arguments)
{
	return call_as(f, "boss", name, arguments);
}

static int set_up_guard(void **state)
{
	static struct config config = {.admin = {.enabled = 0, .user = "admin", .password_hash = ""}};

	if (set_up(state))
		return -1;
	struct fixture *f = *state;
	loop = loop_new(&f->err);
	assert_non_null(loop);
	guard = guard_new(loop, f->store, &f->err);
	assert_non_null(guard);
	guard_apply(guard, &config);
	f->control->sources.guard = guard;
	return 0;
}

static int tear_down_guard(void **state)
{
	struct fixture *f = *state;

	control_free(f->control);
	f->control = NULL;
	guard_free(guard);
	loop_free(loop);
	return tear_down(state);
}

/* All that the audit holds, as one text. */
struct all {
	char text[8192];
	size_t len;
};

static void add(void *user, const struct audit_entry *e)
{
	struct all *all = user;

	all->len += (size_t)snprintf(all->text + all->len, sizeof(all->text) - all->len, "%s|%s|%s|%s|%s|%s|%s\n",
				     e->who, e->place, e->command, e->arguments, e->before, e->after, e->result);
	assert_true(all->len < sizeof(all->text));
}

static void without_a_guard(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "accounts", NULL), FC_ENOENT);
	assert_int_equal(call(f, "account_set", "{\"name\":\"a\",\"role\":\"viewer\"}"), FC_ENOENT);
	assert_int_equal(call(f, "token_add", "{\"name\":\"a\",\"role\":\"viewer\"}"), FC_ENOENT);
	assert_int_equal(call(f, "sessions", NULL), FC_ENOENT);
}

static void accounts_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct all all = {0};

	assert_int_equal(call(f, "account_set", "{\"name\":\"boss\",\"role\":\"administrator\"}"), FC_EAUTH);
	assert_int_equal(call_as(f, "box", "account_set", "{\"name\":\"boss\",\"role\":\"administrator\"}"), FC_OK);
	const char *given = value_text(value_get(f->result, "password"));
	assert_int_equal(strlen(given), PASSWORD_GENERATED - 1);
	char first[PASSWORD_GENERATED];
	(void)snprintf(first, sizeof(first), "%s", given);
	assert_true(password_is_right(first, guard_account(guard, "boss")->hash));
	assert_true(guard_account(guard, "boss")->must_change);
	assert_int_equal(
	    call(f, "account_set", "{\"name\":\"eve\",\"role\":\"operator\",\"password\":\"most secret words\"}"),
	    FC_OK);
	assert_null(value_get(f->result, "password"));
	assert_int_equal(call(f, "account_set", "{\"name\":\"eve\",\"role\":\"viewer\"}"), FC_OK);
	assert_true(password_is_right("most secret words", guard_account(guard, "eve")->hash));
	assert_int_equal(call(f, "account_set", "{\"name\":\"eve\",\"disabled\":true}"), FC_OK);
	assert_true(guard_account(guard, "eve")->disabled);
	assert_string_equal(guard_account(guard, "eve")->role, "viewer");
	assert_int_equal(call(f, "account_set", "{\"name\":\"eve\",\"password\":\"short\"}"), FC_EINVAL);
	assert_int_equal(call(f, "account_set", "{\"name\":\"boss\",\"reset\":true}"), FC_EAUTH);
	assert_int_equal(call(f, "account_set", "{\"name\":\"boss\",\"role\":\"viewer\"}"), FC_EBUSY);
	assert_int_equal(call(f, "account_set", "{\"name\":\"a\\nb\",\"role\":\"viewer\"}"), FC_EINVAL);
	assert_int_equal(call(f, "account_remove", "{\"name\":\"eve\"}"), FC_OK);
	assert_int_equal(call(f, "account_remove", "{\"name\":\"eve\"}"), FC_ENOENT);
	assert_int_equal(call(f, "account_remove", "{\"name\":\"boss\"}"), FC_EBUSY);
	assert_true(audit_each(f->store, 0, 100, add, &all) > 5);
	assert_null(strstr(all.text, "most secret"));
	assert_null(strstr(all.text, first));
	assert_null(strstr(all.text, "short"));
	assert_non_null(strstr(all.text, "\"password\":\"********\""));
	assert_non_null(strstr(all.text, "|operator, must change its password|viewer, must change its password|done"));
	assert_non_null(
	    strstr(all.text, "|account_remove|{\"name\":\"boss\"}|administrator, must change its password||boss is the "
			     "last administrator"));
}

static void tokens_are_told_once(void **state)
{
	struct fixture *f = *state;
	struct guard_who who;
	struct all all = {0};
	char token[GUARD_TOKEN_TEXT];

	assert_int_equal(call(f, "token_add", "{\"name\":\"grafana\",\"role\":\"viewer\",\"days\":2}"), FC_OK);
	(void)snprintf(token, sizeof(token), "%s", value_text(value_get(f->result, "token")));
	assert_int_equal(guard_by_token(guard, token, &who), FC_OK);
	assert_int_equal(call(f, "tokens", NULL), FC_OK);
	assert_null(strstr(f->text.data, token));
	assert_null(strstr(f->text.data, token + 3));
	assert_int_equal(call(f, "token_add", "{\"name\":\"x\",\"role\":\"none\"}"), FC_EINVAL);
	assert_int_equal(call(f, "token_add", "{\"name\":\"x y\",\"role\":\"viewer\"}"), FC_EINVAL);
	assert_int_equal(call(f, "token_remove", "{\"id\":1}"), FC_OK);
	assert_int_equal(guard_by_token(guard, token, &who), FC_EAUTH);
	assert_int_equal(call(f, "token_remove", "{\"id\":1}"), FC_ENOENT);
	assert_int_equal(call(f, "session_end", "{\"id\":7}"), FC_ENOENT);
	assert_true(audit_each(f->store, 0, 100, add, &all) > 2);
	assert_null(strstr(all.text, token + 3));
}

/* The thread may still be at it. */
static void a_password_is_given_up(void **state)
{
	struct fixture *f = *state;

	assert_non_null(begin(f, "box", "account_set", "{\"name\":\"a\",\"role\":\"viewer\"}"));
	control_forget(begin(f, "box", "account_set", "{\"name\":\"b\",\"role\":\"viewer\"}"));
	for (int i = 0; i < 1000 && !guard_account(guard, "b"); i++)
		(void)loop_step(loop, 20);
	/* Nobody listens: it is done all the same. */
	assert_non_null(guard_account(guard, "b"));
	assert_int_equal(f->answers, 1);
	assert_non_null(begin(f, "box", "account_set", "{\"name\":\"c\",\"role\":\"viewer\"}"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up_guard, tear_down_guard)

static void accounts_in_a_backup(void **state)
{
	static const char *const hostile[] = {
	    "{\"ann\":1}",
	    "[{\"name\":\"a b\",\"role\":\"viewer\",\"hash\":\"HASH\"}]",
	    "[{\"name\":\"ann\",\"role\":\"king\",\"hash\":\"HASH\"}]",
	    "[{\"name\":\"ann\",\"role\":\"viewer\",\"hash\":\"plain\"}]",
	    "[{\"name\":\"ann\",\"role\":\"viewer\"}]",
	    "[3]",
	};
	const struct control_part part = backup_accounts(guard);
	struct fixture *f = *state;
	struct value *tree = NULL;
	struct buffer text;
	struct arena a;

	assert_int_equal(
	    call(f, "account_set", "{\"name\":\"carl\",\"role\":\"administrator\",\"password\":\"quite a long one\"}"),
	    FC_OK);
	assert_int_equal(
	    call(f, "account_set", "{\"name\":\"ann\",\"role\":\"operator\",\"password\":\"another long one\"}"),
	    FC_OK);
	buffer_init(&text, 1 << 16);
	arena_init(&a, 1 << 20);
	struct value *saved = part.save(part.user, &a);
	assert_non_null(saved);
	assert_int_equal(json_write(&text, saved), FC_OK);
	assert_int_equal(json_read(f->reader, text.data, text.len, &a, &tree, &f->err), FC_OK);
	assert_int_equal(part.check(part.user, tree, &f->err), FC_OK);
	/* A box where ann is gone, and carl has less to say beside another. */
	assert_int_equal(call(f, "account_remove", "{\"name\":\"ann\"}"), FC_OK);
	assert_int_equal(
	    call(f, "account_set", "{\"name\":\"eve\",\"role\":\"administrator\",\"password\":\"one more long one\"}"),
	    FC_OK);
	assert_int_equal(call_as(f, "eve", "account_set", "{\"name\":\"carl\",\"role\":\"viewer\"}"), FC_OK);
	assert_int_equal(part.restore(part.user, tree, &f->err), FC_OK);
	assert_string_equal(guard_account(guard, "carl")->role, "administrator");
	assert_string_equal(guard_account(guard, "ann")->role, "operator");
	assert_true(password_is_right("another long one", guard_account(guard, "ann")->hash));
	assert_non_null(guard_account(guard, "eve"));
	/* A backup from before there were accounts is none of ours to refuse. */
	assert_int_equal(part.check(part.user, NULL, &f->err), FC_OK);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct error err = {0};

		assert_int_equal(json_read(f->reader, hostile[i], strlen(hostile[i]), &a, &tree, &f->err), FC_OK);
		assert_int_equal(part.check(part.user, tree, &err), FC_EINVAL);
		assert_true(*err.text);
	}
	buffer_fini(&text);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(without_a_guard, set_up, tear_down),
	    T(accounts_come_and_go),
	    T(tokens_are_told_once),
	    T(a_password_is_given_up),
	    T(accounts_in_a_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
