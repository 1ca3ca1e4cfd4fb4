/* core/control/apply: one configuration on trial at a time: kept, taken back, refused; what a load that fails leaves; who goes while
 * one is under way; and the backup's parts. The loading itself is played: tests/system/test_config_apply.py has the real one. */
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

#include "base/clock.h"
#include "base/json.h"
#include "config/trial.h"
#include "control/apply.h"
#include "control/backup.h"
#include "control/command.h"
#include "folder.h"
#include "loop/loop.h"
#include "script/shelf.h"
#include "store/audit.h"

enum { PATIENCE_MS = 60000 };

static const char first[] = "# ours\n"
			    "config gateway 'gw'\n"
			    "\toption operator_id '123456789'\n"
			    "\n"
			    "config admin 'page'\n"
			    "\toption tls '0'\n"
			    "\toption port '8443'\n"
			    "\toption password_hash 'geheimnis'\n"
			    "\n"
			    "config bus 'b1'\n"
			    "\toption kind 'tcp'\n"
			    "\toption host '10.0.0.1'\n";

struct home {
	char folder[64], config[100];
	struct loop *loop;
	struct script_host host;
	struct store *store;
	struct control *control;
	struct config *running;
	/* How a load ends; or that it waits. */
	int load_code, is_slow, loads;
	control_loaded loaded;
	void *loaded_user;
	/* The answer to the last command. */
	int done, code;
	char error[400], key[60], result[20000];
	/* The part of a backup. */
	int checked, restored;
	char part[100];
};

static const struct config *running_of(void *user)
{
	return ((struct home *)user)->running;
}

static void end_load(struct home *h)
{
	struct error err = {0};
	control_loaded loaded = h->loaded;

	h->loaded = NULL;
	if (!h->load_code) {
		struct config *next = config_read(h->config, NULL, &err);

		assert_non_null(next);
		config_free(h->running);
		h->running = next;
	}
	loaded(h->loaded_user, h->load_code, h->load_code ? "the port is taken" : "");
}

static void load(void *user, control_loaded done, void *done_user)
{
	struct home *h = user;

	h->loads++;
	h->loaded = done;
	h->loaded_user = done_user;
	if (!h->is_slow)
		end_load(h);
}

static void no_reload(void *user, const char *origin, control_reloaded done, void *done_user)
{
	(void)user, (void)origin;
	done(done_user, NULL, 0);
}

static void no_ready(void *user)
{
	(void)user;
}

static void put(const char *path, const char *text)
{
	FILE *to = fopen(path, "wb");

	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

static const char *file(const struct home *h)
{
	static char text[8192];
	FILE *in = fopen(h->config, "rb");

	assert_non_null(in);
	text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
	(void)fclose(in);
	return text;
}

static void begin(struct home *h, int was_put_back)
{
	struct error err = {0};
	const struct control_sources sources = {
	    .version = "test",
	    .path = h->config,
	    .store = h->store,
	    .lua = {&h->host, no_reload, NULL},
	    .config = {h->loop, running_of, load, h, was_put_back},
	};

	h->control = control_new(&sources, &err);
	assert_non_null(h->control);
	control_config_loaded(h->control, "start");
}

static int set_up(void **state)
{
	struct home *h = calloc(1, sizeof(*h));
	struct error err = {0};

	assert_non_null(h);
	folder_make(h->folder, sizeof(h->folder), "apply");
	(void)snprintf(h->config, sizeof(h->config), "%s/forecourt", h->folder);
	put(h->config, first);
	h->loop = loop_new(&err);
	assert_non_null(h->loop);
	h->host.lua_dir = h->folder;
	h->host.shelf = shelf_new(h->loop, &h->host, no_ready, h, &err);
	assert_non_null(h->host.shelf);
	h->store = store_open(h->folder, &err);
	assert_non_null(h->store);
	h->running = config_read(h->config, stderr, &err);
	assert_non_null(h->running);
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct home *h = *state;

	control_free(h->control);
	shelf_free(h->host.shelf);
	store_close(h->store);
	loop_free(h->loop);
	config_free(h->running);
	folder_remove(h->folder);
	free(h);
	return 0;
}

static void on_done(void *user, const struct control_result *result)
{
	struct home *h = user;
	struct buffer text;

	h->done = 1;
	h->code = result->code;
	(void)snprintf(h->error, sizeof(h->error), "%s", result->error);
	(void)snprintf(h->key, sizeof(h->key), "%s", result->key ? result->key : "");
	h->result[0] = '\0';
	buffer_init(&text, 1 << 20);
	if (result->result && !json_write(&text, result->result))
		(void)snprintf(h->result, sizeof(h->result), "%s", text.data);
	buffer_fini(&text);
}

static struct control_reply *call_as(struct home *h, enum control_right right, int64_t connected_us, const char *name,
				     const struct value *arguments)
{
	const struct control_caller caller = {.name = "ines", .right = right, .connected_us = connected_us};

	h->done = 0;
	return control_call(h->control, &caller, name, arguments, on_done, h);
}

static int wait_for(struct home *h, const int *flag)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (!*flag && clock_mono_ms() < end)
		(void)loop_step(h->loop, 50);
	assert_true(*flag);
	return h->code;
}

static int call(struct home *h, const char *name, const struct value *arguments)
{
	(void)call_as(h, CONTROL_ADMINISTER, 0, name, arguments);
	return wait_for(h, &h->done);
}

/* Arguments of an apply of one set; hash NULL: that of the file. */
static struct value *wish(struct home *h, struct arena *a, const char *type, const char *name, const char *option,
			  const char *value, const char *hash)
{
	struct value *o = value_object(a), *edits = value_array(a), *edit = value_object(a);
	char now[SOURCE_HASH];

	sources_digest(file(h), strlen(file(h)), now);
	(void)value_put(a, edit, "op", value_string(a, "set"));
	(void)value_put(a, edit, "type", value_string(a, type));
	(void)value_put(a, edit, "name", value_string(a, name));
	(void)value_put(a, edit, "option", value_string(a, option));
	(void)value_put(a, edit, "value", value_string(a, value));
	(void)value_push(edits, edit);
	(void)value_put(a, o, "edits", edits);
	(void)value_put(a, o, "hash", value_string(a, hash ? hash : now));
	return o;
}

static int apply(struct home *h, const char *type, const char *name, const char *option, const char *value)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	const struct value *arguments = wish(h, &a, type, name, option, value, NULL);
	int code = call(h, "config_apply", arguments);
	arena_fini(&a);
	return code;
}

static int is_pending(struct home *h, const char *state)
{
	struct control_pending p;

	if (!control_config_pending(h->control, &p))
		return !state;
	return state && !strcmp(p.state, state);
}

static void kept(void **state)
{
	struct home *h = *state;

	begin(h, 0);
	assert_int_equal(call(h, "config_confirm", NULL), FC_ENOENT);
	assert_int_equal(apply(h, "bus", "b1", "host", "10.0.0.2"), FC_OK);
	assert_true(is_pending(h, "waiting"));
	assert_true(trial_is_open(h->config));
	assert_non_null(strstr(file(h), "10.0.0.2"));
	assert_string_equal(h->running->buses[0].host, "10.0.0.2");
	assert_int_equal(apply(h, "bus", "b1", "host", "10.0.0.3"), FC_EBUSY);
	assert_int_equal(call(h, "config_confirm", NULL), FC_OK);
	assert_true(is_pending(h, NULL));
	assert_false(trial_is_open(h->config));
	assert_int_equal(trial_recover(h->config, NULL), 0);
	assert_non_null(strstr(file(h), "10.0.0.2"));
	assert_int_equal(call(h, "config_versions", NULL), FC_OK);
	assert_non_null(strstr(h->result, "\"id\":2"));
	assert_non_null(strstr(h->result, "\"who\":\"ines\""));
}

static void taken_back(void **state)
{
	struct home *h = *state;

	begin(h, 0);
	assert_int_equal(apply(h, "bus", "b1", "host", "10.0.0.2"), FC_OK);
	assert_int_equal(call(h, "config_revert", NULL), FC_OK);
	assert_true(is_pending(h, NULL));
	assert_string_equal(file(h), first);
	assert_string_equal(h->running->buses[0].host, "10.0.0.1");
	assert_int_equal(h->loads, 2);
	/* While the return is being loaded nothing else begins. */
	assert_int_equal(apply(h, "bus", "b1", "host", "10.0.0.2"), FC_OK);
	h->is_slow = 1;
	assert_int_equal(call(h, "config_revert", NULL), FC_OK);
	assert_true(is_pending(h, "returning"));
	assert_int_equal(apply(h, "bus", "b1", "host", "10.0.0.3"), FC_EBUSY);
	assert_int_equal(call(h, "config_confirm", NULL), FC_EBUSY);
	/* It fails: it is not over, and the files are the old ones. */
	h->load_code = FC_EINVAL;
	end_load(h);
	assert_true(is_pending(h, "returning"));
	assert_string_equal(file(h), first);
}

static void refused(void **state)
{
	struct home *h = *state;
	struct arena a;

	begin(h, 0);
	h->load_code = FC_EINVAL;
	assert_int_equal(apply(h, "bus", "b1", "host", "10.0.0.2"), FC_EINVAL);
	assert_non_null(strstr(h->error, "the port is taken"));
	assert_true(is_pending(h, NULL));
	assert_string_equal(file(h), first);
	assert_false(trial_is_open(h->config));
	h->load_code = FC_OK;
	h->loads = 0;
	/* Before a byte is written. */
	assert_int_equal(apply(h, "bus", "b1", "kind", "tpc"), FC_EINVAL);
	assert_int_equal(apply(h, "bus", "b1", "host", "a\nb"), FC_EINVAL);
	assert_int_equal(apply(h, "bus", "b2", "host", "a"), FC_ENOENT);
	assert_int_equal(apply(h, "bus", "b1", "host", "10.0.0.1"), FC_EINVAL);
	assert_int_equal(apply(h, "gateway", "", "operator_id", "987654321"), FC_EINVAL);
	arena_init(&a, 1 << 20);
	static const char old[] = "0123456789012345678901234567890123456789012345678901234567890123";
	assert_int_equal(call(h, "config_apply", wish(h, &a, "bus", "b1", "host", "x", old)), FC_EEXIST);
	assert_string_equal(h->key, "config.changed_meanwhile");
	arena_fini(&a);
	assert_int_equal(h->loads, 0);
	assert_string_equal(file(h), first);
}

static void an_old_connection_proves_nothing(void **state)
{
	struct home *h = *state;
	int64_t before = clock_mono_us();

	begin(h, 0);
	assert_int_equal(apply(h, "bus", "b1", "host", "10.0.0.2"), FC_OK);
	(void)call_as(h, CONTROL_INTEGRATE, before, "config_confirm", NULL);
	assert_int_equal(h->code, FC_EBUSY);
	assert_string_equal(h->key, CONTROL_KEY_NEW_CONNECTION);
	assert_true(is_pending(h, "waiting"));
	(void)call_as(h, CONTROL_OPERATE, clock_mono_us() + 1, "config_confirm", NULL);
	assert_int_equal(h->code, FC_EAUTH);
	(void)call_as(h, CONTROL_INTEGRATE, clock_mono_us() + 1, "config_confirm", NULL);
	assert_int_equal(h->code, FC_OK);
}

static void what_moves_the_page_is_answered_before(void **state)
{
	struct home *h = *state;

	begin(h, 0);
	assert_int_equal(apply(h, "admin", "", "port", "8444"), FC_OK);
	assert_true(is_pending(h, "loading"));
	assert_non_null(strstr(h->result, "\"loading\""));
	assert_int_equal(h->loads, 0);
	assert_int_equal(call(h, "config_confirm", NULL), FC_EBUSY);
	wait_for(h, &h->loads);
	assert_true(is_pending(h, "waiting"));
	assert_int_equal(h->running->admin.port, 8444);
}

static void an_integrator_makes_himself_no_administrator(void **state)
{
	static const char *const options[][2] = {{"password_hash", "x"}, {"user", "root"}, {"www", "/etc"}};
	struct home *h = *state;
	struct arena a;

	begin(h, 0);
	for (size_t i = 0; i < 3; i++) {
		arena_init(&a, 1 << 20);
		(void)call_as(h, CONTROL_INTEGRATE, 0, "config_apply",
			      wish(h, &a, "admin", "", options[i][0], options[i][1], NULL));
		wait_for(h, &h->done);
		assert_int_equal(h->code, FC_EAUTH);
		arena_fini(&a);
	}
	assert_string_equal(file(h), first);
	assert_int_equal(apply(h, "admin", "", "password_hash", "neugeheim"), FC_OK);
}

static int seen_secrets;
static void look_for_secrets(void *user, const struct audit_entry *e)
{
	(void)user;
	seen_secrets += strstr(e->arguments, "geheim") || strstr(e->before, "geheim") || strstr(e->after, "geheim") ||
			strstr(e->result, "geheim");
}

#define PLATFORM(name, url, secret, more)                                                              \
	"config platform '" name "'\n\toption operator_id '987654321'\n\toption url '" url "'\n"       \
	"\toption their_operator_secret '" secret "'\n\toption their_data_secret 'dataSecret012345'\n" \
	"\toption their_data_secret_iv 'dataIvSecret0123'\n\toption their_sig_secret 'sigsecret'\n" more

/* Who is shown no secret must not have one sent to him: the log-in hands the OperatorSecret over. */
static void a_secret_goes_nowhere_else_unseen(void **state)
{
	static const struct {
		const char *option, *value;
		int code;
	} options[] = {{"url", "https://evil.example/evcs", FC_EAUTH},
		       {"url", "https://city.example.evil.example", FC_EAUTH},
		       {"url", "https://city.example:8443/evcs", FC_EAUTH},
		       {"url", "http://city.example/evcs", FC_EAUTH},
		       {"ca", "/tmp/own.pem", FC_EAUTH},
		       {"verify", "0", FC_EAUTH},
		       {"exchange", "hub", FC_EAUTH},
		       {"url", "https://city.example/v2", FC_OK},
		       {"rate_per_s", "7", FC_OK},
		       {"their_data_secret", "otherSecret01234", FC_OK}};
	static const char *const texts[][2] = {
	    /* Under another name, too; typed, it is his own. */
	    {PLATFORM("other", "https://evil.example", "********", ""), "no"},
	    {PLATFORM("city", "https://evil.example", "********", ""), "no"},
	    {PLATFORM("city", "https://evil.example", "geheim-city", ""), "yes"},
	    {PLATFORM("new", "https://new.example", "his-own", ""), "yes"},
	};
	char text[4096], path[120];
	struct home *h = *state;
	struct error err = {0};
	struct arena a;

	(void)snprintf(text, sizeof(text), "%s%s%s", first,
		       PLATFORM("city", "https://city.example/evcs", "geheim-city", ""),
		       PLATFORM("hub", "https://hub.example", "geheim-hub", ""));
	put(h->config, text);
	(void)snprintf(path, sizeof(path), "%s/operators", h->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/operators/base.lua", h->folder);
	put(path, "return { forecourt = 1, kind = 'operator', name = 'base' }\n");
	config_free(h->running);
	h->running = config_read(h->config, stderr, &err);
	assert_non_null(h->running);
	begin(h, 0);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		arena_init(&a, 1 << 20);
		(void)call_as(h, CONTROL_INTEGRATE, 0, "config_apply",
			      wish(h, &a, "platform", "city", options[i].option, options[i].value, NULL));
		wait_for(h, &h->done);
		if (h->code != options[i].code)
			fail_msg("%s %s: %d %s", options[i].option, options[i].value, h->code, h->error);
		if (h->code)
			assert_non_null(strstr(h->error, "platform city: where its secret goes"));
		else
			assert_int_equal(call(h, "config_revert", NULL), FC_OK);
		assert_string_equal(file(h), text);
		arena_fini(&a);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char wanted[4096], hash[SOURCE_HASH];

		/* A renamed section keeps its secrets by an edit; as a text there is none to keep, which is a mistake. */
		(void)snprintf(wanted, sizeof(wanted), "%s%s%s", first, texts[i][0],
			       PLATFORM("hub", "https://hub.example", "********", ""));
		char *stars = strstr(wanted, "'geheimnis'");
		assert_non_null(stars);
		memcpy(stars, "'********' ", 11);
		sources_digest(file(h), strlen(file(h)), hash);
		arena_init(&a, 1 << 20);
		struct value *o = value_object(&a);
		(void)value_put(&a, o, "text", value_string(&a, wanted));
		(void)value_put(&a, o, "hash", value_string(&a, hash));
		(void)call_as(h, CONTROL_INTEGRATE, 0, "config_apply", o);
		wait_for(h, &h->done);
		if ((h->code == FC_OK) != !strcmp(texts[i][1], "yes"))
			fail_msg("%zu: %d %s", i, h->code, h->error);
		if (!h->code)
			assert_int_equal(call(h, "config_revert", NULL), FC_OK);
		arena_fini(&a);
	}
	/* Renamed and led elsewhere at once. */
	arena_init(&a, 1 << 20);
	struct value *o = wish(h, &a, "platform", "city", "url", "https://evil.example", NULL),
		     *edit = value_object(&a);
	(void)value_put(&a, edit, "op", value_string(&a, "rename"));
	(void)value_put(&a, edit, "type", value_string(&a, "platform"));
	(void)value_put(&a, edit, "name", value_string(&a, "city"));
	(void)value_put(&a, edit, "to", value_string(&a, "town"));
	(void)value_push((struct value *)value_get(o, "edits"), edit);
	(void)call_as(h, CONTROL_INTEGRATE, 0, "config_apply", o);
	wait_for(h, &h->done);
	assert_int_equal(h->code, FC_EAUTH);
	assert_non_null(strstr(h->error, "platform town: "));
	arena_fini(&a);
	/* An administrator may. */
	assert_int_equal(apply(h, "platform", "city", "url", "https://moved.example"), FC_OK);
}

static void no_secret_is_told(void **state)
{
	static const char *const looks[] = {"config_show", "config_versions", NULL};
	struct home *h = *state;
	struct arena a;

	begin(h, 0);
	assert_int_equal(apply(h, "admin", "", "password_hash", "neugeheim"), FC_OK);
	wait_for(h, &h->loads);
	for (int i = 0; looks[i]; i++) {
		assert_int_equal(call(h, looks[i], NULL), FC_OK);
		assert_null(strstr(h->result, "geheim"));
	}
	assert_int_equal(call(h, "config_confirm", NULL), FC_OK);
	arena_init(&a, 1 << 20);
	struct value *o = value_object(&a);
	(void)value_put(&a, o, "id", value_int(&a, 1));
	assert_int_equal(call(h, "config_version", o), FC_OK);
	assert_null(strstr(h->result, "geheim"));
	arena_fini(&a);
	/* Refused, and in the audit: an edit that lacks what says that it is a secret, and so many that nothing fits beside them. */
	for (int i = 0; i < 3; i++) {
		arena_init(&a, 4 << 20);
		o = value_object(&a);
		struct value *edits = value_array(&a);
		for (int k = 0; k < (i < 2 ? 1 : 500); k++) {
			struct value *e = value_object(&a);

			(void)value_put(&a, e, "value", value_string(&a, "geheim"));
			(void)value_put(&a, e, "op", value_string(&a, "set"));
			if (i)
				(void)value_put(&a, e, "type", value_string(&a, "admin"));
			if (i != 1)
				(void)value_put(&a, e, "option", value_string(&a, "password_hash"));
			(void)value_push(edits, e);
		}
		(void)value_put(&a, o, "edits", edits);
		(void)value_put(&a, o, "hash",
				value_string(&a, "0000000000000000000000000000000000000000000000000000000000000000"));
		(void)call(h, "config_apply", o);
		arena_fini(&a);
	}
	assert_true(audit_each(h->store, 0, 100, look_for_secrets, h) > 3);
	assert_int_equal(seen_secrets, 0);
}

static void who_goes_meanwhile(void **state)
{
	struct home *h = *state;

	/* While it is loaded: its end comes when the room is gone. The next start takes it back. */
	begin(h, 0);
	h->is_slow = 1;
	struct arena a;
	arena_init(&a, 1 << 20);
	(void)call_as(h, CONTROL_ADMINISTER, 0, "config_apply", wish(h, &a, "bus", "b1", "host", "10.0.0.2", NULL));
	arena_fini(&a);
	wait_for(h, &h->loads);
	control_free(h->control);
	h->control = NULL;
	h->load_code = FC_EINVAL;
	end_load(h);
	assert_int_equal(trial_recover(h->config, NULL), 1);
	assert_string_equal(file(h), first);
	begin(h, 1);
	assert_int_equal(call(h, "config_show", NULL), FC_OK);
	assert_non_null(strstr(h->result, "\"outcome\":\"restarted\""));
	/* While it is written: nobody is told. */
	h->load_code = FC_OK;
	h->is_slow = 0;
	arena_init(&a, 1 << 20);
	(void)call_as(h, CONTROL_ADMINISTER, 0, "config_apply", wish(h, &a, "bus", "b1", "host", "10.0.0.2", NULL));
	arena_fini(&a);
	control_free(h->control);
	h->control = NULL;
	assert_false(h->done);
}

/* Parts of a backup ------------------------------------------------------------------------------------------------------- */

static struct value *save_part(void *user, struct arena *arena)
{
	(void)user;
	return value_string(arena, "konto geheim");
}

static int check_part(void *user, const struct value *saved, struct error *err)
{
	struct home *h = user;

	h->checked++;
	return value_text(saved) ? FC_OK : error_set(err, FC_EINVAL, "no accounts in it");
}

static int restore_part(void *user, const struct value *saved, struct error *err)
{
	struct home *h = user;

	(void)err;
	h->restored++;
	(void)snprintf(h->part, sizeof(h->part), "%s", value_text(saved));
	return FC_OK;
}

static void a_part_is_restored_once_it_is_confirmed(void **state)
{
	struct home *h = *state;
	const struct control_part part = {"accounts", save_part, check_part, restore_part, h};
	struct json_reader *reader = json_reader_new(0);
	struct value *made;
	struct arena a;

	begin(h, 0);
	assert_int_equal(control_backup_add(h->control, &part), FC_OK);
	arena_init(&a, 8 << 20);
	struct value *o = value_object(&a);
	(void)value_put(&a, o, "passphrase", value_string(&a, "correct horse"));
	assert_int_equal(call(h, "backup", o), FC_OK);
	assert_null(strstr(h->result, "konto"));
	assert_null(strstr(h->result, "geheim"));
	assert_int_equal(json_read(reader, h->result, strlen(h->result), &a, &made, NULL), FC_OK);
	put(h->config, "config gateway 'gw'\n\toption operator_id '123456789'\n");
	(void)value_put(&a, o, "file", value_string(&a, value_text(value_get(made, "text"))));
	assert_int_equal(call(h, "restore", o), FC_OK);
	assert_int_equal(h->checked, 1);
	assert_int_equal(h->restored, 0);
	wait_for(h, &h->loads);
	assert_int_equal(call(h, "config_confirm", NULL), FC_OK);
	assert_int_equal(h->restored, 1);
	assert_string_equal(h->part, "konto geheim");
	assert_non_null(strstr(file(h), "geheimnis"));
	json_reader_free(reader);
	arena_fini(&a);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(kept),
	    T(taken_back),
	    T(refused),
	    T(an_old_connection_proves_nothing),
	    T(what_moves_the_page_is_answered_before),
	    T(an_integrator_makes_himself_no_administrator),
	    T(a_secret_goes_nowhere_else_unseen),
	    T(no_secret_is_told),
	    T(who_goes_meanwhile),
	    T(a_part_is_restored_once_it_is_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
