/* The station's public state, as scripts may see it. */
#include <string.h>

#include <lauxlib.h>

#include "script/api.h"
#include "script/convert.h"
#include "script/sandbox.h"

enum { ANSWER_MAX = 256 << 10, ASK_STEPS = 300 };

/* Nobody's answer may outlive its call: an error that pushing it raises leaves the arena to the next one. */
static struct value *ask(lua_State *L, const char *kind, const char *id)
{
	struct api *api = api_of(L);

	sandbox_charge(L, ASK_STEPS);
	arena_fini(&api->arena);
	arena_init(&api->arena, ANSWER_MAX);
	return api->services->state(api->services->user, kind, id, &api->arena);
}

/* What an example says of its stations and connectors: a list of tables with an id each. */
static const struct value *in_example(const struct api *api, const char *list, const char *id)
{
	value_each (v, value_get(api->state, list)) {
		const char *text = value_text(value_get(v, "id"));

		if (text && !strcmp(text, id))
			return v;
	}
	return NULL;
}

static int one(lua_State *L, const char *kind, const char *list)
{
	struct api *api = api_of(L);
	const char *id = luaL_checkstring(L, 1);

	if (!api_is_live(api)) {
		convert_push(L, in_example(api, list, id));
		return 1;
	}
	convert_push(L, ask(L, kind, id));
	arena_fini(&api->arena);
	return 1;
}

static int all(lua_State *L, const char *list)
{
	struct api *api = api_of(L);
	lua_Integer n = 0;

	if (api_is_live(api)) {
		const struct value *ids = ask(L, list, NULL);

		sandbox_charge(L, ids ? ids->count : 0);
		if (ids)
			convert_push(L, ids);
		else
			lua_newtable(L);
		arena_fini(&api->arena);
		return 1;
	}
	lua_newtable(L);
	value_each (v, value_get(api->state, list)) {
		convert_push(L, value_get(v, "id"));
		lua_rawseti(L, -2, ++n);
	}
	return 1;
}

static int station(lua_State *L)
{
	return one(L, "station", "stations");
}

static int connector(lua_State *L)
{
	return one(L, "connector", "connectors");
}

static int stations(lua_State *L)
{
	return all(L, "stations");
}

static int connectors(lua_State *L)
{
	return all(L, "connectors");
}

static const struct api_entry entries[] = {
    {"forecourt.stations()", "list of ids", "the stations of this gateway", stations},
    {"forecourt.station(id)", "table or nil", "`id`, `name`, `area_code`, `connectors` (list of ids)", station},
    {"forecourt.connectors()", "list of ids", "the connectors of all stations", connectors},
    {"forecourt.connector(id)", "table or nil",
     "`id`, `name`, `station`, `equipment`, `number`, `park_no`, `status`, `status_name`, `since`; and of what is "
     "measured now: `power_w`, "
     "`voltage_a` `_b` `_c` (V), `current_a` `_b` `_c` (A), `soc` (%), `demand_voltage` and `demand_current` (what the "
     "car "
     "wants), `energy_kwh` (the meter); `quality`: a table "
     "that says of each of "
     "these `\"good\"`, `\"stale\"` or `\"unknown\"`",
     connector},
    {NULL, NULL, NULL, NULL}};

const struct api_subject api_state_subject = {
    .title = "The station",
    .text = "The state at this moment, as a copy. A value that is not good now is not there: unknown, never zero. No "
	    "card, no vehicle, no user, no "
	    "secret. While a file is loaded, and in an example without `state`, there are no stations.",
    .entries = entries,
    .example = "for _, id in ipairs(forecourt.connectors()) do\n"
	       "  local c = forecourt.connector(id)\n"
	       "  if c.status == 3 and c.power_w then\n"
	       "    log(c.name .. \" charges with \" .. c.power_w .. \" W\")\n"
	       "  end\n"
	       "end\n"
	       "assert(forecourt.connector(\"no such\") == nil)",
};
