/* lua_preview: a text, in place of its file, over the recorded messages and the last orders: what would differ. A batch is taken on
 * the loop, worked off on the shelf's thread, and so on: whoever goes meanwhile ends it, and reloads are not held up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/preview.h"
#include "control/trial.h"
#include "device/report.h"
#include "script/script.h"
#include "store/journal_list.h"

enum { MEMORY = 512 << 10, BATCH_MEMORY = 4 << 20, ORDER_PAGE = 10, ROUND_MS = 500 };

enum phase { PREVIEW_LOAD, PREVIEW_MESSAGES, PREVIEW_ORDERS, PREVIEW_DONE };

struct preview {
	struct lua_work work; /* first */
	struct trial trial;   /* its items are those that are replayed, one after the other */
	struct script_host as_is;
	char path[SCRIPT_PATH_MAX];
	char *text;
	int64_t begun_ms;
	int64_t round_ms; /* since then it has the thread; 0 = not yet */
	int is_cut;       /* it took too long */
	enum phase phase;
	int user; /* of the trial's items */
	/* The one that is replayed: as it stands (NULL when that can't be loaded), and as it would be. */
	struct mapping *was_mapping, *is_mapping;
	struct policy *was_policy, *is_policy;
	int has_no_before;
	/* Where it is, and the batch at hand. */
	uint64_t number;
	struct journal_place place;
	int orders_left, failed;
	struct arena batch;
	struct recorded *messages;
	struct journal_order *orders;
	const char **notes; /* beside each: the platform's id, the order's station */
	int count, next;
	/* What came of it. */
	struct arena told;
	struct preview_messages message_result;
	struct preview_orders order_result;
	struct maker m; /* in told */
	struct value *table, *prices;
	int table_count;
	struct error err;
};

static struct preview *preview_of(struct lua_work *work)
{
	return (struct preview *)work;
}

static const struct config *config_of(const struct preview *p)
{
	return station_set_config(p->work.control->sources.stations);
}

static const char *item_of(const struct preview *p)
{
	return p->trial.items[p->user];
}

static const char *name_of(const struct preview *p)
{
	return strchr(item_of(p), '/') + 1;
}

static int is_of(const char *item, const char *folder)
{
	return !strncmp(item, folder, strlen(folder));
}

static void drop_scripts(struct preview *p)
{
	mapping_free(p->was_mapping);
	mapping_free(p->is_mapping);
	policy_free(p->was_policy);
	policy_free(p->is_policy);
	p->was_mapping = p->is_mapping = NULL;
	p->was_policy = p->is_policy = NULL;
}

static void release(struct lua_work *work)
{
	struct preview *p = preview_of(work);

	/* Without a reply the control room is gone. */
	if (work->reply)
		work->control->is_previewing_lua = 0;
	drop_scripts(p);
	preview_orders_fini(&p->order_result);
	trial_fini(&p->trial);
	arena_fini(&p->batch);
	arena_fini(&p->told);
	free(p->text);
	free(p);
}

/* On the thread ---------------------------------------------------------------------------------------------------------- */

/* The prices of a day, for somebody without a class. */
static struct value *day_of(struct preview *p, struct policy *policy)
{
	const struct policy_context context = {"", "", "", ""};
	struct value *list = value_array(p->m.arena);
	struct tariff *tariff = malloc(sizeof(*tariff));
	struct error err = {0};

	if (tariff && policy && !policy_tariff(policy, &context, clock_wall(), 1, tariff, &err))
		for (int i = 0; i < tariff->days[0].count; i++) {
			const struct tariff_period *period = &tariff->days[0].periods[i];
			struct value *o = value_object(p->m.arena);

			maker_int(&p->m, o, "from_s", period->start_s);
			maker_int(&p->m, o, "elec_e4", period->elec_e4);
			maker_int(&p->m, o, "service_e4", period->service_e4);
			maker_push(&p->m, list, o);
		}
	free(tariff);
	return list;
}

static void on_table_difference(void *user, const struct difference *d)
{
	struct preview *p = user;
	struct value *o = value_object(p->m.arena);

	/* They describe nothing, and are checked anyway. */
	if (!strncmp(d->path, "examples", strlen("examples")))
		return;
	if (++p->table_count > PREVIEW_LIST_MAX)
		return;
	maker_text(&p->m, o, "kind", difference_name(d->kind));
	maker_text(&p->m, o, "path", d->path);
	maker_text(&p->m, o, "before", d->before);
	maker_text(&p->m, o, "after", d->after);
	maker_push(&p->m, p->table, o);
}

/* A profile: nobody keeps the registers that were read, so that what can be told is where its description differs. */
static int compare_profiles(struct preview *p)
{
	struct differ differ = {.fn = on_table_difference, .user = p};
	struct error err = {0};

	if (trial_load(&p->trial.host, item_of(p), &p->err))
		return FC_ESCRIPT;
	struct script *is = script_load(&p->trial.host, "profiles", name_of(p), NULL, &p->err);
	struct script *was = script_load(&p->as_is, "profiles", name_of(p), NULL, &err);
	p->has_no_before |= !was;
	if (is && was)
		differ_run(&differ, script_table(was), script_table(is));
	int result = is ? FC_OK : FC_ESCRIPT;
	script_free(is);
	script_free(was);
	return result;
}

static int load(struct preview *p)
{
	const char *item = item_of(p);
	struct error err = {0};

	drop_scripts(p);
	if (is_of(item, "operators/")) {
		p->is_mapping = mapping_load(&p->trial.host, name_of(p), "", &p->err);
		p->was_mapping = p->is_mapping ? mapping_load(&p->as_is, name_of(p), "", &err) : NULL;
		p->has_no_before |= !p->was_mapping;
		return p->is_mapping ? FC_OK : FC_ESCRIPT;
	}
	if (is_of(item, "policies/")) {
		p->is_policy = policy_load(&p->trial.host, name_of(p), &p->err);
		p->was_policy = p->is_policy ? policy_load(&p->as_is, name_of(p), &err) : NULL;
		p->has_no_before |= !p->was_policy;
		if (p->is_policy && !p->prices) {
			p->prices = value_object(p->m.arena);
			maker_put(&p->m, p->prices, "before", day_of(p, p->was_policy));
			maker_put(&p->m, p->prices, "after", day_of(p, p->is_policy));
		}
		return p->is_policy ? FC_OK : FC_ESCRIPT;
	}
	if (is_of(item, "profiles/"))
		return compare_profiles(p);
	return trial_load(&p->trial.host, item, &p->err);
}

static int step(struct lua_work *work)
{
	struct preview *p = preview_of(work);
	int i = p->next;

	if (p->phase == PREVIEW_LOAD) {
		p->failed = load(p);
		return 0;
	}
	if (i >= p->count)
		return 0;
	if (!p->round_ms)
		p->round_ms = clock_mono_ms();
	if (p->phase == PREVIEW_MESSAGES)
		preview_message(&p->message_result, &p->messages[i], p->notes[p->count], p->notes[i], p->was_mapping,
				p->is_mapping);
	else
		preview_order(&p->order_result, &p->orders[i], p->notes[i], name_of(p), p->was_policy, p->is_policy);
	/* Others want to have something loaded: what is left of the batch has another turn. */
	return ++p->next < p->count && clock_mono_ms() - p->round_ms < ROUND_MS;
}

/* On the loop ---------------------------------------------------------------------------------------------------------- */

static void *batch_array(struct preview *p, size_t count, size_t size)
{
	arena_fini(&p->batch);
	p->count = p->next = 0;
	p->notes = arena_alloc(&p->batch, (count + 1) * sizeof(*p->notes));
	return arena_alloc(&p->batch, count * size);
}

static const char *copy(struct preview *p, const char *text)
{
	const char *copied = text ? arena_copy(&p->batch, text, strlen(text)) : "";

	return copied ? copied : "";
}

/* The platform that the message was of, when it has this mapping; NULL otherwise. */
static const struct config_platform *platform_of(const struct preview *p, const struct recorded *m)
{
	const struct config *config = config_of(p);

	for (int i = 0; config && i < config->platform_count; i++)
		if (!strcmp(config->platforms[i].name, m->platform))
			return strcmp(config->platforms[i].mapping, name_of(p)) != 0 ? NULL : &config->platforms[i];
	return NULL;
}

static void take_messages(struct preview *p)
{
	enum { MOST = 256, LOOKS = 1000 };
	const struct recorder *recorder = platform_set_recorder(p->work.control->sources.platforms);
	const struct config *config = config_of(p);
	struct recorded m;
	size_t bytes = 0;

	p->messages = batch_array(p, MOST, sizeof(m));
	for (int looks = 0; p->messages && p->notes && p->count < MOST && bytes < PREVIEW_BATCH_BYTES && looks < LOOKS;
	     looks++) {
		if (recorder_next(recorder, &p->number, &m)) {
			p->phase = p->count ? PREVIEW_MESSAGES : PREVIEW_DONE;
			break;
		}
		const struct config_platform *platform = platform_of(p, &m);
		if (!platform)
			continue;
		bytes += m.before_len;
		m.before = arena_copy(&p->batch, m.before, m.before_len);
		m.platform = copy(p, m.platform);
		m.mapping = m.hash = "";
		if (!m.before)
			break;
		p->notes[p->count] = copy(p, platform->operator_id);
		p->messages[p->count++] = m;
	}
	if (p->messages && p->notes)
		p->notes[p->count] = copy(p, config ? config->gateway.operator_id : "");
	else
		p->phase = PREVIEW_DONE;
}

static void keep_order(void *user, const struct journal_order *entry)
{
	struct preview *p = user;
	const struct connector *c = station_connector_find(p->work.control->sources.stations, entry->connector_id);
	struct journal_order order = *entry;

	p->orders_left--;
	order.record = arena_copy(&p->batch, entry->record, strlen(entry->record));
	if (!order.record)
		return;
	p->notes[p->count] = copy(p, c ? c->station->station_id : "");
	p->orders[p->count++] = order;
}

static int take_orders(struct preview *p, struct error *err)
{
	const struct journal_query query = {.last = INT64_MAX, .most = ORDER_PAGE};
	int more = 1;

	p->orders = batch_array(p, ORDER_PAGE, sizeof(*p->orders));
	if (!p->orders || !p->notes)
		return error_set(err, FC_ENOMEM, "no memory");
	while (more > 0 && !p->count && p->orders_left > 0)
		more = journal_page(p->work.control->sources.store, &query, &p->place, keep_order, p);
	if (more < 0)
		return error_set(err, FC_EIO, "the journal can't be read");
	if (!p->count)
		p->phase = PREVIEW_DONE;
	return FC_OK;
}

/* What the script that was loaded is to be tried on. */
static void begin_replay(struct preview *p)
{
	const struct recorder *recorder = platform_set_recorder(p->work.control->sources.platforms);
	uint64_t noted = recorder ? recorder_counts(recorder).noted : 0;

	p->number = noted > PREVIEW_MESSAGES_MAX ? noted - PREVIEW_MESSAGES_MAX : 0;
	p->place = (struct journal_place){0};
	p->orders_left = PREVIEW_ORDERS_MAX;
	p->phase = p->is_mapping && recorder ? PREVIEW_MESSAGES : p->is_policy ? PREVIEW_ORDERS : PREVIEW_DONE;
}

static int tell(struct preview *p, struct error *err)
{
	struct arena *arena = &p->work.reply->arena;
	struct maker m = {.arena = arena};
	struct value *root = value_object(arena), *table = value_object(arena);

	if (p->m.failed)
		return error_set(err, FC_ELIMIT, "the answer is too large");
	maker_put(&m, root, "messages", preview_put_messages(&m, &p->message_result));
	maker_put(&m, root, "orders", preview_put_orders(&m, &p->order_result));
	if (p->prices)
		maker_put(&m, root, "prices", value_copy(arena, p->prices));
	if (is_of(p->trial.items[0], "profiles/") || p->table_count) {
		maker_int(&m, table, "changed", p->table_count);
		maker_put(&m, table, "list", value_copy(arena, p->table));
		maker_put(&m, root, "table", table);
	}
	if (p->has_no_before)
		maker_put(&m, root, "no_before", value_bool(arena, 1));
	if (p->is_cut)
		maker_put(&m, root, "cut", value_bool(arena, 1));
	maker_int(&m, root, "took_ms", clock_mono_ms() - p->begun_ms);
	p->work.reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* A batch has been worked off. */
static int go_on(struct lua_work *work, struct error *err)
{
	struct preview *p = preview_of(work);
	int result = FC_OK;

	if (!work->reply->done)
		return error_set(err, FC_ETIMEOUT, "nobody waits any more");
	if (p->failed)
		return error_set(err, FC_EINVAL, "%s", p->err.text);
	if (clock_mono_ms() - p->begun_ms > PREVIEW_TIME_MS) {
		p->is_cut = 1;
		return tell(p, err);
	}
	p->round_ms = 0;
	if (p->next < p->count)
		return LUA_AGAIN;
	if (p->phase == PREVIEW_LOAD)
		begin_replay(p);
	if (p->phase == PREVIEW_MESSAGES)
		take_messages(p);
	if (p->phase == PREVIEW_ORDERS)
		result = take_orders(p, err);
	if (result)
		return result;
	if (p->phase == PREVIEW_DONE && ++p->user == p->trial.count) {
		p->user = 0;
		return tell(p, err);
	}
	if (p->phase == PREVIEW_DONE)
		p->phase = PREVIEW_LOAD;
	return LUA_AGAIN;
}

static int prepare(struct preview *p, struct error *err)
{
	const struct control_reply *reply = p->work.reply;
	const struct value *text = value_get(reply->arguments, "text");
	const char *item = control_text(reply, "item");
	int result = lua_path(p->work.control, item, p->path, err);

	if (!result)
		result = lua_check_text(text->text, text->len, err);
	if (result)
		return result;
	p->text = malloc(text->len + 1);
	if (!p->text || preview_orders_init(&p->order_result, &p->told) || !p->table)
		return error_set(err, FC_ENOMEM, "no memory");
	memcpy(p->text, text->text, text->len + 1);
	const struct script_instead instead = {p->path, p->text, text->len};
	result = trial_plan(&p->trial, p->work.control, item, &instead, 1, err);
	p->as_is = p->trial.host;
	p->as_is.instead = NULL;
	return result;
}

int command_lua_preview(struct control *control, struct control_reply *reply, struct error *err)
{
	struct preview *p;

	reply->is_quiet = 1;
	if (control->is_previewing_lua)
		return error_set(err, FC_EBUSY, "another preview is under way");
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_set(err, FC_ENOMEM, "no memory");
	p->work =
	    (struct lua_work){.control = control, .reply = reply, .step = step, .done = go_on, .release = release};
	arena_init(&p->batch, BATCH_MEMORY);
	arena_init(&p->told, MEMORY);
	p->m = (struct maker){.arena = &p->told};
	p->message_result.arena = &p->told;
	p->table = value_array(&p->told);
	p->begun_ms = clock_mono_ms();
	control->is_previewing_lua = 1;
	int result = prepare(p, err);
	if (result) {
		release(&p->work);
		return result;
	}
	return lua_work(&p->work, err);
}
