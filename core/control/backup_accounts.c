#include "control/backup_accounts.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/maker.h"
#include "control/password.h"

static struct value *save(void *user, struct arena *arena)
{
	struct guard *guard = user;
	struct maker m = {.arena = arena};
	struct value *list = value_array(arena);
	const struct account_row *row;

	for (int i = 0; (row = guard_account_at(guard, i)); i++) {
		struct value *o = value_object(arena);

		maker_text(&m, o, "name", row->name);
		maker_text(&m, o, "role", row->role);
		maker_text(&m, o, "hash", row->hash);
		maker_int(&m, o, "must_change", row->must_change);
		maker_int(&m, o, "disabled", row->disabled);
		maker_int(&m, o, "created", row->created_wall);
		maker_push(&m, list, o);
	}
	return m.failed ? NULL : list;
}

static int take_text(const struct value *saved, const char *key, char *out, size_t size)
{
	const char *text = value_text(value_get(saved, key));

	if (!text || !*text || strlen(text) >= size)
		return FC_EINVAL;
	(void)snprintf(out, size, "%s", text);
	return FC_OK;
}

static int take_flag(const struct value *saved, const char *key)
{
	int64_t i = 0;

	return !value_to_int(value_get(saved, key), &i) && i != 0;
}

static int take_row(const struct value *saved, struct account_row *row, struct error *err)
{
	enum control_right right;

	*row = (struct account_row){.created_wall = clock_wall()};
	if (take_text(saved, "name", row->name, sizeof(row->name)) || !guard_name_is_good(row->name))
		return error_set(err, FC_EINVAL, "accounts: one has no usable name");
	if (take_text(saved, "role", row->role, sizeof(row->role)) || control_right_of(row->role, &right))
		return error_set(err, FC_EINVAL, "accounts: %s: its role is not known", row->name);
	if (take_text(saved, "hash", row->hash, sizeof(row->hash)) || !password_hash_is_good(row->hash))
		return error_set(err, FC_EINVAL, "accounts: %s: its password can't be checked here", row->name);
	row->must_change = take_flag(saved, "must_change");
	row->disabled = take_flag(saved, "disabled");
	(void)value_to_int(value_get(saved, "created"), &row->created_wall);
	return FC_OK;
}

static int check(void *user, const struct value *saved, struct error *err)
{
	struct account_row row;
	int count = 0;

	(void)user;
	if (!saved)
		return FC_OK;
	if (!value_is_array(saved))
		return error_set(err, FC_EINVAL, "accounts: must be a list");
	value_each (item, saved) {
		int result = take_row(item, &row, err);

		if (result)
			return result;
		count++;
	}
	return count <= GUARD_ACCOUNTS_MAX ? FC_OK
					   : error_set(err, FC_ELIMIT, "accounts: more than %d", GUARD_ACCOUNTS_MAX);
}

/* Administrators first: whoever is the last one here may be less in the backup. One that can't be taken (it is the configuration's) does
 * not keep the others out; the first reason is told. */
static int restore(void *user, const struct value *saved, struct error *err)
{
	struct guard *guard = user;
	struct account_row row;
	int result = FC_OK;

	for (int administrators = 1; administrators >= 0; administrators--) {
		value_each (item, saved) {
			struct error why = {0};
			int one = take_row(item, &row, &why);

			if (!one &&
			    !strcmp(row.role, control_role(CONTROL_ADMINISTER)) * !row.disabled != administrators)
				continue;
			if (!one)
				one = guard_set(guard, &row, &why);
			if (one && !result) {
				result = one;
				*err = why;
			}
		}
	}
	return result;
}

struct control_part backup_accounts(struct guard *guard)
{
	return (struct control_part){"accounts", save, check, restore, guard};
}
