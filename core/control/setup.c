/* Set-up: what a gateway still lacks before it can do its work; the page leads from each to the form that mends it. */
#include "base/clock.h"
#include "control/command.h"

static int platforms_enabled(const struct config *config)
{
	int n = 0;

	for (int i = 0; i < config->platform_count; i++)
		n += config->platforms[i].enabled != 0;
	return n;
}

static void put(struct maker *m, struct value *all, const char *key, int is_missing, int is_needed, int *count)
{
	struct value *o;

	if (!is_missing)
		return;
	o = value_object(m->arena);
	maker_flag(m, o, "needed", is_needed);
	maker_put(m, all, key, o);
	(*count)++;
}

void control_put_setup(const struct control *control, struct maker *m, struct value *root)
{
	const struct config *config = station_set_config(control->sources.stations);
	struct value *all = value_object(m->arena);
	int count = 0;

	if (!config)
		return;
	put(m, all, "operator_id", !*config->gateway.operator_id, 1, &count);
	put(m, all, "station", !config->station_count, 1, &count);
	put(m, all, "bus", !config->bus_count, 1, &count);
	put(m, all, "charger", !config->charger_count, 1, &count);
	put(m, all, "platform", !platforms_enabled(config), 1, &count);
	put(m, all, "clock", !clock_wall_trusted(), 1, &count);
	/* All works with it: it is for people to know. */
	put(m, all, "certificate", control->page.is_on && control->page.is_self_signed, 0, &count);
	if (count)
		maker_put(m, root, "setup", all);
}
