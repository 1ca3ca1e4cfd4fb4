/* Commands conformance, conformance_report: a run over every message with a platform's test system. */
#include <string.h>

#include "control/command.h"
#include "control/conformance_page.h"

static const size_t page_max = 256 << 10;

static int fill_in(struct control *control, struct control_reply *reply, const char *platform, struct error *err)
{
	const struct conformance *run = platform_set_conformance_of(control->sources.platforms, platform);
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);

	if (!run)
		return error_set(err, FC_ENOENT, "%.40s: no conformance run was made", platform);
	maker_text(&m, root, "version", control->sources.version);
	conformance_report(run, &m, root);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_conformance(struct control *control, struct control_reply *reply, struct error *err)
{
	const char *platform = control_text(reply, "platform");
	const struct conformance_order order = {
	    .connector = control_text(reply, "connector"),
	    .seconds = (int)control_int(reply, "seconds", CONFORMANCE_SECONDS),
	    .trial_s = (int)control_int(reply, "trial_s", CONFORMANCE_TRIAL_S),
	};
	int result = platform_set_conformance(control->sources.platforms, platform, &order, err);

	return result ? result : fill_in(control, reply, platform, err);
}

int command_conformance_report(struct control *control, struct control_reply *reply, struct error *err)
{
	const char *platform = control_text(reply, "platform"), *form = control_text(reply, "form");
	const char *language = control_text(reply, "language");
	int is_html = form && !strcmp(form, "html"), is_chinese = language && !strcmp(language, "zh");
	int result = fill_in(control, reply, platform, err);
	struct maker m = {.arena = &reply->arena};
	struct buffer page;
	char name[96];

	if (result || !form || !reply->result)
		return result;
	if (!is_html && strcmp(form, "text") != 0)
		return error_set(err, FC_EINVAL, "form: must be html or text");
	if (language && !is_chinese && strcmp(language, "en") != 0)
		return error_set(err, FC_EINVAL, "language: must be en or zh");
	buffer_init(&page, page_max);
	conformance_page(reply->result, is_html, is_chinese, &page);
	struct value *root = value_object(m.arena);
	(void)snprintf(name, sizeof(name), "conformance-%.60s.%s", platform, is_html ? "html" : "txt");
	maker_text(&m, root, "file", name);
	maker_text(&m, root, "type", is_html ? "text/html;charset=utf-8" : "text/plain;charset=utf-8");
	maker_put(&m, root, "text", value_string_len(m.arena, page.data ? page.data : "", page.len));
	reply->result = m.failed || page.failed ? NULL : root;
	buffer_fini(&page);
	return FC_OK;
}
