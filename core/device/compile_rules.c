/* Rules of a profile: conditions, firmware, groups, the connector's status. */
#include <stdio.h>
#include <string.h>

#include "device/compile.h"

static int add_value(struct profile_match *match, const struct value *v)
{
	const char *text = value_text(v);
	double number;

	if (match->count == PROFILE_MATCH_VALUES)
		return FC_ELIMIT;
	if (text && strlen(text) < sizeof(match->values[0].text)) {
		match->values[match->count].is_text = 1;
		(void)snprintf(match->values[match->count++].text, sizeof(match->values[0].text), "%s", text);
		return FC_OK;
	}
	if (text || value_to_double(v, &number) || number > 9e15 || number < -9e15)
		return FC_EINVAL;
	match->values[match->count++].milli = (int64_t)(number * 1000 + (number < 0 ? -0.5 : 0.5));
	return FC_OK;
}

/* v: 3, "C2" or a list of such. */
static int add_values(struct profile_match *match, const struct value *v)
{
	int result = FC_OK;

	if (v && v->type != VALUE_ARRAY)
		return add_value(match, v);
	value_each (item, v)
		result = result ? result : add_value(match, item);
	return result || !match->count ? FC_EINVAL : FC_OK;
}

static struct profile_match *next_match(struct compiler *c, const char *where)
{
	if (c->p->match_count < PROFILE_MATCHES_MAX)
		return &c->p->matches[c->p->match_count];
	compile_wrong(c, where, "is one condition too many: %d are allowed", PROFILE_MATCHES_MAX);
	return NULL;
}

static void wrong_values(struct compiler *c, const char *where)
{
	compile_wrong(c, where, "wants a value, or a list of at most %d (texts below 16 letters)",
		      PROFILE_MATCH_VALUES);
}

void compile_matches(struct compiler *c, const struct value *t, const char *where, int *out, int most)
{
	int n = 0;

	value_each (v, t) {
		struct profile_match *match = next_match(c, where);
		const struct value *unequal = v->type == VALUE_OBJECT ? value_get(v, "not") : NULL;

		if (!match)
			return;
		if (n == most || !v->key) {
			compile_wrong(c, where, "must be { point = value }, at most %d", most);
			return;
		}
		match->point =
		    compile_point_name(c, &(struct value){.type = VALUE_STRING, .text = v->key}, where, v->key);
		match->negated = unequal != NULL;
		if (add_values(match, unequal ? unequal : v))
			wrong_values(c, where);
		else if (match->point >= 0)
			out[n++] = ++c->p->match_count;
	}
}

int compile_match_of(struct compiler *c, const struct value *t, const char *where)
{
	struct profile_match *match = next_match(c, where);
	const struct value *equals = value_get(t, "equals"), *unequal = value_get(t, "not");

	if (!match)
		return 0;
	match->negated = unequal != NULL;
	if ((equals && unequal) || add_values(match, unequal ? unequal : equals)) {
		wrong_values(c, where);
		return 0;
	}
	return ++c->p->match_count;
}

int firmware_parse(const char *text, struct firmware_version *version)
{
	int n = 0;

	*version = (struct firmware_version){0};
	text += strcspn(text, "0123456789");
	if (!*text)
		return FC_EINVAL;
	while (*text >= '0' && *text <= '9' && n < PROFILE_PARTS) {
		uint64_t part = 0;

		for (; *text >= '0' && *text <= '9'; text++)
			part = part < 100000000 ? part * 10 + (uint64_t)(*text - '0') : part;
		version->part[n++] = (uint32_t)part;
		text += *text == '.' && text[1] >= '0' && text[1] <= '9';
	}
	return FC_OK;
}

static int read_bound(struct firmware_range *range, const char *text)
{
	static const struct {
		const char *sign;
		enum firmware_relation relation;
	} signs[] = {{">=", FIRMWARE_LEAST}, {"<=", FIRMWARE_MOST}, {"!=", FIRMWARE_NOT},
		     {">", FIRMWARE_MORE},   {"<", FIRMWARE_LESS},  {"=", FIRMWARE_EQUAL}};

	if (range->count == 2)
		return FC_ELIMIT;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t n = strlen(signs[i].sign);

		if (strncmp(text, signs[i].sign, n) != 0)
			continue;
		range->relation[range->count] = signs[i].relation;
		if (strspn(text + n, "0123456789. ") != strlen(text + n))
			return FC_EINVAL;
		return firmware_parse(text + n, &range->bound[range->count++]);
	}
	return FC_EINVAL;
}

int compile_range(struct compiler *c, const struct value *t, const char *where)
{
	/* Of the variant itself: its point's own does not count. */
	const struct value *v = value_get(t, "firmware");
	struct firmware_range range = {0};
	int result = FC_OK;

	if (!v)
		return 0;
	if (v->type == VALUE_STRING)
		result = read_bound(&range, v->text);
	value_each (item, v->type == VALUE_ARRAY ? v : NULL)
		result = result ? result : value_text(item) ? read_bound(&range, value_text(item)) : FC_EINVAL;
	if (result || !range.count || c->p->range_count == PROFILE_RANGES_MAX) {
		compile_wrong_key(c, where, "firmware", "must be \">=1.2.1\" or { \">=1.2\", \"<2\" }; %d in a file",
				  PROFILE_RANGES_MAX);
		return 0;
	}
	c->p->ranges[c->p->range_count] = range;
	return ++c->p->range_count;
}

void compile_firmware(struct compiler *c, const struct value *table)
{
	static const char *const known[] = {"point", "form", NULL};
	static const char *const forms[] = {"text", "number", "decimal", "bytes", NULL};
	const struct value *v = value_get(table, "firmware");
	struct profile *p = c->p;

	if (!v && !p->range_count)
		return;
	const struct value *name = v && v->type == VALUE_OBJECT ? value_get(v, "point") : v;
	p->firmware_point = v ? compile_point_name(c, name, "firmware", "point") + 1 : profile_point(p, "firmware") + 1;
	if (!p->firmware_point) {
		if (!v)
			compile_wrong(c, "firmware",
				      "is wanted where points have a range: the point that says the version");
		return;
	}
	const struct point *point = &p->points[p->firmware_point - 1];
	int is_text = point->type == POINT_TEXT;
	p->firmware_form = is_text ? FIRMWARE_TEXT : FIRMWARE_NUMBER;
	if (v && v->type == VALUE_OBJECT) {
		compile_keys(c, v, "firmware", known);
		p->firmware_form =
		    (enum firmware_form)compile_choice(c, v, "firmware", "form", forms, (int)p->firmware_form);
	}
	/* A hook may make a text of anything. */
	if (!point->hook && is_text != (p->firmware_form == FIRMWARE_TEXT))
		compile_wrong(c, "firmware.form", "text is for a text; number, decimal and bytes are for a number");
	if (point->range || point->variants || (point->group && p->groups[point->group - 1].range))
		compile_wrong(c, "firmware.point", "the point that says the version can't depend on it");
}

void compile_groups(struct compiler *c, const struct value *groups)
{
	static const char *const known[] = {"optional", "firmware", NULL};
	char where[80];

	value_each (t, groups) {
		struct point_group *group = &c->p->groups[c->p->group_count];

		(void)snprintf(where, sizeof(where), "groups.%.40s", t->key ? t->key : "");
		if (!t->key || !value_is_object(t) || strlen(t->key) >= sizeof(group->name) ||
		    c->p->group_count == PROFILE_GROUPS_MAX) {
			compile_wrong(c, where, "must be one of at most %d named tables", PROFILE_GROUPS_MAX);
			return;
		}
		compile_keys(c, t, where, known);
		(void)snprintf(group->name, sizeof(group->name), "%s", t->key);
		group->optional = compile_bool(c, t, where, "optional");
		group->range = compile_range(c, t, where);
		c->p->group_count++;
	}
}

static int is_status(int64_t i)
{
	return (i >= 0 && i <= 4) || i == CONNECTOR_FAULT;
}

static void compile_states(struct compiler *c, const struct value *map)
{
	struct status_rules *rules = &c->p->status;
	enum point_type type = c->p->points[rules->point].type;
	/* A hook says what it likes: the key decides. */
	int hooked = c->p->points[rules->point].hook;
	int is_text = type == POINT_TEXT || type == POINT_HEX || type == POINT_BITS;
	int64_t place = 0;

	value_each (v, map) {
		struct status_state *state = &rules->states[rules->state_count];
		int64_t status;

		place++;
		if (rules->state_count == PROFILE_STATES_MAX || value_to_int(v, &status) || !is_status(status)) {
			compile_wrong(c, "status.map", "wants at most %d entries, each one of 0 1 2 3 4 255",
				      PROFILE_STATES_MAX);
			return;
		}
		state->status = (enum connector_status)status;
		state->is_text = is_text;
		/* A map with the keys 1..n arrives as a list. */
		if (!v->key) {
			state->number = place;
			state->is_text = 0;
		} else if (!is_text &&
			   value_to_int(&(struct value){.type = VALUE_STRING, .text = v->key, .len = strlen(v->key)},
					&state->number)) {
			state->is_text = hooked;
			if (!hooked)
				compile_wrong(c, "status.map", "\"%.20s\" is no number, and the point is no text",
					      v->key);
		}
		if (state->is_text)
			(void)snprintf(state->text, sizeof(state->text), "%.15s", v->key);
		rules->state_count++;
	}
}

static void compile_faults(struct compiler *c, const struct value *faults)
{
	static const char *const known[] = {"point", "equals", "not", "mask", NULL};
	struct status_rules *rules = &c->p->status;

	value_each (t, faults) {
		struct status_fault *fault = &rules->faults[rules->fault_count];

		if (rules->fault_count == PROFILE_FAULTS_MAX) {
			compile_wrong(c, "status.faults", "more than %d", PROFILE_FAULTS_MAX);
			return;
		}
		compile_keys(c, t, "status.faults", known);
		fault->point = compile_point_name(c, value_get(t, "point"), "status.faults", "point");
		fault->negated = value_get(t, "not") != NULL;
		fault->number =
		    compile_int(c, t, "status.faults", fault->negated ? "not" : "equals", 0, INT32_MIN, UINT32_MAX);
		fault->mask = (uint64_t)compile_int(c, t, "status.faults", "mask", 0, 0, INT64_MAX);
		if (!value_get(t, "equals") && !value_get(t, "not") && !value_get(t, "mask"))
			compile_wrong(c, "status.faults", "wants equals, not or mask");
		rules->fault_count++;
	}
}

void compile_status(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"point", "map", "default", "faults", NULL};
	struct status_rules *rules = &c->p->status;

	rules->point = -1;
	if (!t)
		return;
	compile_keys(c, t, "status", known);
	rules->point = compile_point_name(c, value_get(t, "point"), "status", "point");
	int64_t otherwise = compile_int(c, t, "status", "default", CONNECTOR_FAULT, 0, 255);
	if (!is_status(otherwise))
		compile_wrong(c, "status.default", "must be one of 0 1 2 3 4 255");
	rules->otherwise = (enum connector_status)otherwise;
	if (rules->point < 0)
		return;
	compile_states(c, compile_table(c, t, "status", "map"));
	compile_faults(c, compile_table(c, t, "status", "faults"));
}
