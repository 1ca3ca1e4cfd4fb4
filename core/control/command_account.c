/* Accounts, tokens and sessions of the page. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/command.h"
#include "control/guard.h"
#include "control/password.h"

enum { DAYS = 365, DAY_S = 86400 };

static int find_guard(struct control *control, struct guard **guard, struct error *err)
{
	*guard = control->sources.guard;
	return *guard ? FC_OK : error_set(err, FC_ENOENT, "there are no accounts");
}

static void put_wall(struct maker *m, struct value *o, const char *key, int64_t wall)
{
	if (wall)
		maker_int(m, o, key, wall);
}

/* Accounts ----------------------------------------------------------------------------------------------------------- */

int command_accounts(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *list = value_array(m.arena);
	const struct account_row *row;
	struct guard *guard;

	if (find_guard(control, &guard, err))
		return FC_ENOENT;
	const char *configured = guard_configured(guard);
	if (configured) {
		struct value *o = value_object(m.arena);

		maker_text(&m, o, "name", configured);
		maker_text(&m, o, "role", control_role(CONTROL_ADMINISTER));
		maker_text(&m, o, "source", guard_source_name(GUARD_CONFIGURATION));
		maker_push(&m, list, o);
	}
	for (int i = 0; (row = guard_account_at(guard, i)); i++) {
		struct value *o = value_object(m.arena);

		maker_text(&m, o, "name", row->name);
		maker_text(&m, o, "role", row->role);
		maker_text(&m, o, "source", guard_source_name(GUARD_PAGE));
		maker_flag(&m, o, "disabled", row->disabled);
		maker_flag(&m, o, "must_change", row->must_change);
		/* Its name is the configuration's: nobody gets in by this one. */
		maker_flag(&m, o, "hidden", configured && !strcmp(configured, row->name));
		put_wall(&m, o, "created_at", row->created_wall);
		put_wall(&m, o, "login_at", row->login_wall);
		maker_optional(&m, o, "login_place", row->login_place);
		maker_push(&m, list, o);
	}
	maker_put(&m, root, "accounts", list);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* The same as the configuration's user: it goes into logs and headers. */
static int check_name(const char *name, struct error *err)
{
	if (guard_name_is_good(name))
		return FC_OK;
	return error_set(err, FC_EINVAL, "name: must be letters, digits, _ . and -");
}

static int check_role(const char *role, struct error *err)
{
	enum control_right right;

	if (!role || !control_right_of(role, &right))
		return FC_OK;
	return error_set(err, FC_EINVAL, "role: must be viewer, operator, integrator or administrator");
}

/* While a password is hashed. */
struct setting {
	struct control_reply *reply;
	struct guard *guard;
	struct account_row row;
	char told[PASSWORD_GENERATED]; /* a generated one, for the answer */
};

static void free_setting(struct setting *s)
{
	explicit_bzero(s, sizeof(*s));
	free(s);
}

static void cancel(void *user)
{
	struct setting *s = user;

	guard_forget(s->guard, s);
	free_setting(s);
}

static void say_state(const struct account_row *row, char text[AUDIT_TEXT])
{
	(void)snprintf(text, AUDIT_TEXT, "%s%s%s", row->role, row->disabled ? ", disabled" : "",
		       row->must_change ? ", must change its password" : "");
}

/* FC_OK and the answer, or why not. */
static int keep(struct setting *s, struct error *err)
{
	struct control_reply *reply = s->reply;
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	const struct account_row *old = guard_account(s->guard, s->row.name);

	if (old)
		say_state(old, reply->before);
	int result = guard_set(s->guard, &s->row, err);
	if (result)
		return result;
	say_state(&s->row, reply->after);
	maker_text(&m, root, "name", s->row.name);
	maker_text(&m, root, "role", s->row.role);
	maker_optional(&m, root, "password", s->told);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

static void hashed(void *user, int is_right, const char *hash)
{
	struct setting *s = user;
	struct control_reply *reply = s->reply;
	struct error err = {0};
	int result = FC_EIO;

	(void)is_right;
	(void)snprintf(s->row.hash, sizeof(s->row.hash), "%s", hash);
	if (*hash)
		result = keep(s, &err);
	else
		(void)error_set(&err, FC_EIO, "the password can't be hashed");
	free_setting(s);
	control_finish(reply, result, err.text);
}

/* The row as it will be, but for its hash. */
static int fill(const struct control_reply *reply, struct setting *s, struct error *err)
{
	const char *name = control_text(reply, "name"), *role = control_text(reply, "role");
	const struct account_row *old = guard_account(s->guard, name);

	if (check_name(name, err) || check_role(role, err))
		return FC_EINVAL;
	if (guard_configured(s->guard) && !strcmp(guard_configured(s->guard), name))
		return error_set(err, FC_EBUSY, "%s is the account of the configuration: it is changed there", name);
	if (!old && !role)
		return error_set(err, FC_EINVAL, "role: is missing: there is no account %s yet", name);
	if (old)
		s->row = *old;
	else
		s->row.created_wall = clock_wall();
	(void)snprintf(s->row.name, sizeof(s->row.name), "%s", name);
	if (role)
		(void)snprintf(s->row.role, sizeof(s->row.role), "%s", role);
	if (value_get(reply->arguments, "disabled"))
		s->row.disabled = control_flag(reply, "disabled");
	return FC_OK;
}

/* The password that it is to have; NULL: that which it has. */
static int choose_password(const struct control_reply *reply, struct setting *s, const char **password,
			   struct error *err)
{
	const char *given = control_text(reply, "password"), *refused;

	*password = given;
	if (!given && *s->row.hash && !control_flag(reply, "reset"))
		return FC_OK;
	/* Whoever took over a session must not take the account over: he does not know its password. */
	if (!strcmp(reply->who, s->row.name))
		return error_set(err, FC_EAUTH, "your own password is changed with the old one");
	s->row.must_change = 1;
	refused = given ? password_refused(given, s->row.name) : NULL;
	if (refused)
		return error_set(err, FC_EINVAL, "%s", refused);
	if (given)
		return FC_OK;
	*password = s->told;
	return password_generate(s->told) ? error_set(err, FC_EIO, "no randomness for a password") : FC_OK;
}

static int set(struct control_reply *reply, struct setting *s, struct error *err)
{
	const char *password = NULL;
	int result = fill(reply, s, err);

	if (!result)
		result = choose_password(reply, s, &password, err);
	if (result || !password)
		return result ? result : keep(s, err);
	result = guard_hash(s->guard, password, hashed, s);
	if (result)
		return error_set(err, result, "others log in: try again");
	reply->cancel = cancel;
	reply->cancel_user = s;
	return CONTROL_LATER;
}

int command_account_set(struct control *control, struct control_reply *reply, struct error *err)
{
	struct guard *guard;

	if (find_guard(control, &guard, err))
		return FC_ENOENT;
	struct setting *s = calloc(1, sizeof(*s));
	if (!s)
		return error_set(err, FC_ENOMEM, "no memory");
	s->reply = reply;
	s->guard = guard;
	int result = set(reply, s, err);
	if (result != CONTROL_LATER)
		free_setting(s);
	return result; /* NOLINT(clang-analyzer-unix.Malloc): the hasher has it until it is done */
}

int command_account_remove(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	const char *name = control_text(reply, "name");
	struct guard *guard;

	if (find_guard(control, &guard, err))
		return FC_ENOENT;
	const struct account_row *old = guard_account(guard, name);
	if (old)
		say_state(old, reply->before);
	int result = guard_remove(guard, name, err);
	if (result)
		return result;
	maker_text(&m, root, "name", name);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* Tokens ------------------------------------------------------------------------------------------------------------- */

static struct value *describe_token(struct maker *m, const struct token_row *row)
{
	struct value *o = value_object(m->arena);

	maker_int(m, o, "id", row->id);
	maker_text(m, o, "name", row->name);
	maker_text(m, o, "role", row->role);
	maker_text(m, o, "by", row->by);
	put_wall(m, o, "created_at", row->created_wall);
	put_wall(m, o, "expires_at", row->expires_wall);
	put_wall(m, o, "used_at", row->used_wall);
	return o;
}

int command_tokens(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *list = value_array(m.arena);
	const struct token_row *row;
	struct guard *guard;

	if (find_guard(control, &guard, err))
		return FC_ENOENT;
	for (int i = 0; (row = guard_token_at(guard, i)); i++)
		maker_push(&m, list, describe_token(&m, row));
	maker_put(&m, root, "tokens", list);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_token_add(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct token_row row = {0};
	char text[GUARD_TOKEN_TEXT];
	struct guard *guard;

	if (find_guard(control, &guard, err))
		return FC_ENOENT;
	if (check_name(control_text(reply, "name"), err) || check_role(control_text(reply, "role"), err))
		return FC_EINVAL;
	/* Its end would be anywhere. */
	if (!clock_wall_trusted())
		return error_set(err, FC_EBUSY, "the clock is not set yet");
	(void)snprintf(row.name, sizeof(row.name), "%s", control_text(reply, "name"));
	(void)snprintf(row.role, sizeof(row.role), "%s", control_text(reply, "role"));
	(void)snprintf(row.by, sizeof(row.by), "%.*s", ACCOUNT_NAME - 1, reply->who);
	row.expires_wall = clock_wall() + control_int(reply, "days", DAYS) * DAY_S;
	int result = guard_token_add(guard, &row, text, err);
	if (result)
		return result;
	(void)snprintf(reply->after, sizeof(reply->after), "token %lld", (long long)row.id);
	struct value *root = describe_token(&m, &row);
	maker_text(&m, root, "token", text);
	explicit_bzero(text, sizeof(text));
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_token_remove(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	int64_t id = control_int(reply, "id", 0);
	const struct token_row *row;
	struct guard *guard;

	if (find_guard(control, &guard, err))
		return FC_ENOENT;
	for (int i = 0; (row = guard_token_at(guard, i)); i++)
		if (row->id == id)
			(void)snprintf(reply->before, sizeof(reply->before), "%s, %s", row->name, row->role);
	int result = guard_token_remove(guard, id, err);
	if (result)
		return result;
	maker_int(&m, root, "id", id);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* Sessions ----------------------------------------------------------------------------------------------------------- */

int command_sessions(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *list = value_array(m.arena);
	int64_t now_us = clock_mono_us();
	const struct session *s;
	struct guard *guard;

	if (find_guard(control, &guard, err))
		return FC_ENOENT;
	for (int i = 0; (s = guard_session_at(guard, i)); i++) {
		struct value *o = value_object(m.arena);

		maker_int(&m, o, "id", s->id);
		maker_text(&m, o, "name", s->account);
		maker_text(&m, o, "place", s->place);
		put_wall(&m, o, "begun_at", s->begun_wall);
		maker_int(&m, o, "idle_s", (now_us - s->used_us) / 1000000);
		maker_push(&m, list, o);
	}
	maker_put(&m, root, "sessions", list);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_session_end(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	int64_t id = control_int(reply, "id", 0);
	const struct session *s;
	struct guard *guard;

	if (find_guard(control, &guard, err))
		return FC_ENOENT;
	for (int i = 0; (s = guard_session_at(guard, i)); i++)
		if (s->id == id)
			(void)snprintf(reply->before, sizeof(reply->before), "%s from %s", s->account, s->place);
	if (guard_session_end(guard, (uint32_t)id))
		return error_set(err, FC_ENOENT, "there is no session %lld", (long long)id);
	maker_int(&m, root, "id", id);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
