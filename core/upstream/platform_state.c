#include "upstream/platform_state.h"

#include <stdlib.h>
#include <string.h>

#include "upstream/client.h"
#include "upstream/sync.h"

void platform_times_add(struct platform_times *times, int64_t us)
{
	uint32_t clipped = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;

	times->last_us[times->count % PLATFORM_TIMES] = clipped;
	times->count++;
	times->sum_us += clipped;
}

uint32_t platform_times_mean(const struct platform_times *times)
{
	return times->count ? (uint32_t)(times->sum_us / times->count) : 0;
}

static int compare_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t platform_times_p99(const struct platform_times *times)
{
	uint32_t sorted[PLATFORM_TIMES];
	size_t n = times->count < PLATFORM_TIMES ? (size_t)times->count : PLATFORM_TIMES;

	if (!n)
		return 0;
	memcpy(sorted, times->last_us, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare_times);
	/* Nearest rank: the smallest that at least 99 of 100 don't exceed. */
	return sorted[(n * 99 + 99) / 100 - 1];
}

int platform_rate_take(struct platform_rate *rate, int rate_per_s, int64_t now_ms)
{
	enum { ONE_E3 = 1000 };
	int64_t full = (int64_t)rate_per_s * ONE_E3;
	int64_t passed_ms = now_ms - rate->filled_ms;

	/* rate_per_s calls a second are rate_per_s thousandths of a call a millisecond. */
	if (!rate->filled_ms || passed_ms >= 1000)
		rate->level_e3 = full;
	else if (passed_ms > 0)
		rate->level_e3 += passed_ms * rate_per_s;
	if (rate->level_e3 > full)
		rate->level_e3 = full;
	rate->filled_ms = now_ms;
	if (rate->level_e3 < ONE_E3)
		return 0;
	rate->level_e3 -= ONE_E3;
	return 1;
}

int64_t platform_rate_wait_ms(const struct platform_rate *rate, int rate_per_s)
{
	int64_t lacks_e3 = 1000 - rate->level_e3;

	return lacks_e3 > 0 ? (lacks_e3 + rate_per_s - 1) / rate_per_s : 0;
}

static int has_keys(const struct config_keys *keys)
{
	return keys->data_secret[0] && keys->data_secret_iv[0] && keys->sig_secret[0];
}

int platform_can_push(const struct config_platform *options)
{
	return has_keys(&options->theirs);
}

int platform_can_answer(const struct config_platform *options)
{
	return options->listen >= 0 && has_keys(&options->ours);
}

static int set_keys(struct envelope_keys *keys, const struct config_keys *from, const char *platform, const char *whose,
		    struct error *err)
{
	struct error why = {0};

	if (!has_keys(from))
		return FC_OK;
	int result = envelope_keys_set(keys, from->data_secret, from->data_secret_iv, from->sig_secret, &why);
	return result ? error_set(err, result, "upstream: platform %s: %s secrets: %s", platform, whose, why.text)
		      : FC_OK;
}

struct platform *platform_new(struct loop *loop, const struct station_set *stations, struct json_reader *reader,
			      const struct config *config, const struct config_platform *options,
			      struct mapping *mapping, struct error *err)
{
	struct platform *p = calloc(1, sizeof(*p));

	if (!p) {
		mapping_free(mapping);
		(void)error_set(err, FC_ENOMEM, "upstream: platform %s: no memory", options->name);
		return NULL;
	}
	p->loop = loop;
	p->stations = stations;
	p->reader = reader;
	p->config = config;
	p->options = options;
	p->mapping = mapping;
	p->hub = p;
	token_server_init(&p->tokens, options->token_lifetime_s, options->keep_old_tokens);
	p->tokens.any_case = options->token_any_case;
	if (set_keys(&p->ours, &options->ours, options->name, "our", err) ||
	    set_keys(&p->theirs, &options->theirs, options->name, "their", err)) {
		platform_free(p);
		return NULL;
	}
	return p;
}

void platform_unwatch(struct platform *p)
{
	struct platform_watcher *watcher = p->watcher;

	p->watcher = NULL;
	p->conformance = NULL;
	if (watcher)
		watcher->free(watcher);
}

void platform_free(struct platform *p)
{
	if (!p)
		return;
	client_free(p->client);
	p->client = NULL;
	platform_unwatch(p);
	sync_free(p);
	mapping_free(p->mapping);
	envelope_keys_clear(&p->ours);
	envelope_keys_clear(&p->theirs);
	explicit_bzero(&p->tokens, sizeof(p->tokens));
	free(p);
}

int platform_sends_order(const struct platform *platform, const char *method)
{
	struct config_platform options = *platform->options;

	options.iserv = 1;
	return mapping_enabled(platform->mapping, message_find(method), &options);
}

struct codec platform_codec(const struct platform *p)
{
	return (struct codec){.mapping = p->mapping,
			      .reader = p->reader,
			      .ascii = p->options->ascii_json,
			      .context = {.operator_id = p->config->gateway.operator_id,
					  .platform_id = p->options->operator_id,
					  .platform = p->options->name},
			      .recorder = p->recorder,
			      .secrets = {p->options->ours.operator_secret, p->options->theirs.operator_secret}};
}

struct envelope_form platform_form(const struct platform *p)
{
	return (struct envelope_form){.error_data = p->options->error_data, .ret_as_text = p->options->ret_as_text};
}

struct icomm platform_view(const struct platform *p)
{
	return (struct icomm){.stations = p->stations, .platform = p->options};
}

/* Their words are in it at times. */
static void mask_why(const struct platform *p, const char *why, char out[CALL_WHY])
{
	struct buffer text;

	buffer_init(&text, (size_t)ERROR_TEXT_MAX * 8);
	const struct value v = {.type = VALUE_STRING, .text = why, .len = strlen(why)};
	/* Written as JSON, between quotes. */
	if (!recorder_mask(p->recorder, NULL, &v, &text) && text.len > 2)
		(void)snprintf(out, CALL_WHY, "%.*s", (int)(text.len - 2), text.data + 1);
	buffer_fini(&text);
}

uint64_t platform_called(struct platform *p, struct call *call, const char *why, const struct platform_bodies *bodies)
{
	(void)snprintf(call->platform, sizeof(call->platform), "%s", p->options->name);
	call->why[0] = '\0';
	if (why && *why)
		mask_why(p, why, call->why);
	uint64_t id = calls_add(p->calls, call);
	if (p->watcher)
		p->watcher->saw(p->watcher, call, why, bodies);
	return id;
}
