/* The model (tests/model) held against the code: the same events at random for both, the same state after each step. The code is that of
 * core/charge, of core/store with a real file, and core/upstream/business.c; chargers, station, prices, peers and clocks are played
 * (tests/model/walk).
 *
 * A power cut between two transactions is the file as it was after the first one. It also counts them: a transaction more or less than
 * the model's is a difference, too. FORECOURT_WALKS=n walks further. */
#include "../model/walk/world.h"

enum { STEPS = 60 };

static unsigned rows_seen[SESSION_STATES][SESSION_TRIGGERS];

static struct session_step next_seen(enum session_state state, enum session_trigger trigger)
{
	struct session_step step = session_next(state, trigger);

	if (step.why)
		rows_seen[state][trigger]++;
	return step;
}

static unsigned choose(struct world *w, unsigned of)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w->random >> 33) % of;
}

/* A kind first: else there would be little but chargers seen. */
static struct model_event choose_event(struct world *w)
{
	struct model_event list[160], of_kind[160];
	int n = model_events(&w->m, list, 160), kinds = 0, m = 0, kind[MODEL_KINDS];
	unsigned seen = 0;

	assert_true(n <= 160);
	for (int i = 0; i < n; i++)
		if (!(seen >> list[i].kind & 1)) {
			seen |= 1u << list[i].kind;
			kind[kinds++] = list[i].kind;
		}
	/* The world moves most often, and a power cut is no every-day event. */
	int chosen = choose(w, 2) && seen >> MODEL_SEE & 1 ? MODEL_SEE : kind[choose(w, (unsigned)kinds)];
	if ((chosen == MODEL_CRASH || chosen == MODEL_END) && choose(w, 3))
		chosen = MODEL_TICK;
	for (int i = 0; i < n; i++) {
		const struct model_connector *c = &w->m.s.connector[list[i].a & 1];
		int rare = list[i].kind == MODEL_SEE &&
			   (list[i].b == MODEL_CHARGING ? c->order == MODEL_NONE : list[i].b != MODEL_OCCUPIED);

		/* Orders are few: most are to be begun by somebody, at a car that is there. */
		if (list[i].kind == chosen && (!rare || !choose(w, 4)))
			of_kind[m++] = list[i];
	}
	if (!m)
		return (struct model_event){.kind = w->m.s.up ? MODEL_TICK : MODEL_BOOT,
					    .b = w->m.s.up ? MODEL_NOW : 1};
	return of_kind[choose(w, (unsigned)m)];
}

static void bound(struct model_state *s)
{
	s->crashes = 3;
	s->fulls = 2;
	s->resets = s->resends = s->reloads = 1;
}

/* After which of its transactions a power cut comes, if one does. */
static uint8_t choose_crash(struct world *w, const struct model_event *e)
{
	struct model copy = w->m;

	if (!w->m.s.up || choose(w, 8))
		return 0;
	model_do(&copy, e);
	return copy.cut || !copy.commits || copy.same ? 0 : (uint8_t)(1 + choose(w, (unsigned)copy.commits));
}

static int walk(const struct model_rules *rules, uint64_t seed, int most, int *steps)
{
	struct world *w = world_new(rules, seed);

	for (int tries = 0; tries < 3 * most && w->steps < most && !w->different[0]; tries++) {
		bound(&w->m.s);
		struct model_event e = choose_event(w);
		e.crash = choose_crash(w, &e);
		(void)world_step(w, e);
	}
	return world_end(w, steps);
}

static int may_be(const struct world *w, const struct model_event *e)
{
	struct model_event list[160];
	int n = model_events(&w->m, list, 160), may = 0;

	for (int i = 0; i < n; i++)
		may |= list[i].kind == e->kind && list[i].a == e->a && list[i].b == e->b && list[i].c == e->c;
	return may;
}

/* A way that was found, and some seconds more. What can't be on the right way is left out. */
static int go(const struct model_rules *rules, const struct check_result *result, int *steps)
{
	static const struct model_event after[] = {{.kind = MODEL_TICK, .b = MODEL_DEADLINE},
						   {.kind = MODEL_TICK},
						   {.kind = MODEL_TICK, .b = MODEL_DEADLINE},
						   {.kind = MODEL_TICK}};
	struct world *w = world_new(rules, 0);

	for (int i = 0; i < result->steps && i < CHECK_STEPS && !w->different[0]; i++) {
		struct model_event e = result->way[i];
		struct model copy = w->m;

		if (!may_be(w, &e))
			continue;
		e.crash = 0;
		model_do(&copy, &e);
		e.crash = result->way[i].crash <= copy.commits ? result->way[i].crash : (uint8_t)copy.commits;
		(void)world_step(w, e);
	}
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]) && !w->different[0]; i++)
		if (may_be(w, &after[i]))
			(void)world_step(w, after[i]);
	return world_end(w, steps);
}

static struct model_rules rules_of(unsigned i, enum model_mistake mistake)
{
	return (struct model_rules){.name = "walk",
				    .connectors = 1 + (i & 1),
				    .platforms = 1 + (i >> 1 & 1),
				    .orders = MODEL_ORDERS,
				    .seqs = 1 + (i >> 2 & 1),
				    .units = MODEL_UNITS,
				    .crashes = 3,
				    .resets = 1,
				    .resends = 1,
				    .reloads = i % 3 == 1,
				    .fulls = i % 5 < 3 ? 2 : 0,
				    .refusals = 3,
				    .cards = i % 3 == 0,
				    .clocks = i % 5 == 0,
				    .disputes = 1,
				    .occupancy = i % 4 == 1,
				    .authorised = i % 2 == 0,
				    .unread = i % 3 != 1,
				    .commands = 1,
				    .faults = 1,
				    .mistake = mistake,
				    .next = next_seen};
}

static int walks(void)
{
	const char *text = getenv("FORECOURT_WALKS");

	return text ? atoi(text) : 240;
}

static void the_code_does_what_the_model_does(void **state)
{
	int steps = 0, rows = 0, seen = 0;

	(void)state;
	for (int i = 0; i < walks(); i++) {
		const struct model_rules rules = rules_of((unsigned)i, MODEL_RIGHT);

		if (walk(&rules, (uint64_t)i, STEPS, &steps))
			fail_msg("walk %d: the code differs from the model", i);
	}
	for (int s = 0; s < SESSION_STATES; s++)
		for (int t = 0; t < SESSION_TRIGGERS; t++) {
			rows += session_next((enum session_state)s, (enum session_trigger)t).why != NULL;
			seen += rows_seen[s][t] > 0;
		}
	print_message("%d walks, %d steps, %d of the table's %d transitions\n", walks(), steps, seen, rows);
	/* What is seldom is left to more walks. */
	assert_true(walks() < 240 || seen >= rows - 2);
}

/* A model that is wrong in one thing differs from the code; so would a code that is. */
static void a_difference_is_seen(void **state)
{
	static const enum model_mistake soon[] = {
	    MODEL_CONFIRM_AT_SENDING, MODEL_OUTBOX_APART,        MODEL_NO_REPEATS,           MODEL_ON_BEFORE_OPEN,
	    MODEL_REFUSED_GOES_ON,    MODEL_TOLD_BEFORE_WRITTEN, MODEL_STOP_NOT_NOTED,       MODEL_NOT_RESUMED,
	    MODEL_LOST_ANSWER_IS_ONE, MODEL_UNSEEN_IN_TWO,       MODEL_STARTED_BEFORE_NOTED, MODEL_RESUMED_FORGETS_LAST,
	    MODEL_END_FORGETS_STOP};
	enum { MISTAKES = sizeof(soon) / sizeof(soon[0]), PATIENCE = 300 };

	(void)state;
	for (size_t i = 0; i < MISTAKES; i++) {
		int steps = 0, found = 0;
		unsigned n = 0;

		for (; !found && n < PATIENCE; n++) {
			const struct model_rules rules = rules_of(n, soon[i]), right = rules_of(n, MODEL_RIGHT);

			found = walk(&rules, n, STEPS, &steps);
			/* ... where the right one does not. */
			if (found)
				assert_int_equal(walk(&right, n, STEPS, &steps), 0);
		}
		print_message("%-52s %s, %d steps\n", model_mistake_name(soon[i]), found ? "seen" : "not seen", steps);
		assert_true(found);
	}
}

/* The shortest way to each mistake that was in the code once (and to the planted ones), gone by the code: now it does what the right model
 * does. */
static void the_code_passes_where_it_would_fail(void **state)
{
	/* Of one connector, one platform and one number that it gives. */
	static const struct model_rules of[] = {
	    {.name = "energy", .orders = 4, .units = 3, .crashes = 2, .unread = 1},
	    {.name = "disk", .orders = 2, .units = 1, .crashes = 2, .fulls = 1, .resends = 1, .disputes = 1},
	    {.name = "occupancy", .orders = 2, .units = 1, .crashes = 1, .occupancy = 1},
	    {.name = "who vouches", .orders = 2, .units = 1, .crashes = 1, .cards = 1, .authorised = 1},
	    {.name = "reload", .orders = 2, .units = 1, .crashes = 1, .reloads = 1},
	};

	(void)state;
	for (int i = MODEL_RIGHT + 1; i < MODEL_MISTAKES; i++) {
		struct check_result result = {0};
		struct model_rules rules;
		int steps = 0;

		for (size_t r = 0; r < sizeof(of) / sizeof(of[0]) && !result.wrong; r++) {
			rules = of[r];
			rules.connectors = rules.platforms = rules.seqs = rules.commands = 1;
			rules.next = session_next;
			rules.mistake = (enum model_mistake)i;
			assert_int_equal(check(&rules, 150000, NULL, &result), 0);
		}
		if (!result.wrong) {
			print_message("%-52s no way within 150000 states\n", model_mistake_name((enum model_mistake)i));
			continue;
		}
		rules.mistake = MODEL_RIGHT;
		if (go(&rules, &result, &steps))
			fail_msg("%s: the code differs from the model", model_mistake_name((enum model_mistake)i));
		print_message("%-52s %d steps, %d gone\n", model_mistake_name((enum model_mistake)i), result.steps,
			      steps);
	}
}

/* What the walks found, and what takes for ever to show. */
static void known_ways_are_gone(void **state)
{
	static const struct model_event granted_while_away[] = {{.kind = MODEL_BOOT, .b = 1},
								{.kind = MODEL_SEE, .b = MODEL_CHARGING},
								{.kind = MODEL_AWAY},
								{.kind = MODEL_DECIDE, .b = 1},
								{.kind = MODEL_BACK}};
	static const struct model_event silent_for_good[] = {{.kind = MODEL_BOOT, .b = 1},
							     {.kind = MODEL_SEE, .b = MODEL_OCCUPIED},
							     {.kind = MODEL_START},
							     {.kind = MODEL_SEE, .b = MODEL_OFFLINE, .c = MODEL_UNREAD},
							     {.kind = MODEL_TICK, .b = MODEL_DEADLINE},
							     {.kind = MODEL_TICK, .b = MODEL_DEADLINE},
							     {.kind = MODEL_TICK},
							     {.kind = MODEL_TICK, .b = MODEL_DEADLINE}};
	/* The end, of 1970, waits for the disk; then the clock is set. */
	static const struct model_event dated_while_it_ends[] = {
	    {.kind = MODEL_BOOT},
	    {.kind = MODEL_DISK, .b = 1},
	    {.kind = MODEL_SEE, .b = MODEL_CHARGING},
	    {.kind = MODEL_SEE, .b = MODEL_CHARGING, .c = MODEL_MORE},
	    {.kind = MODEL_SEE, .b = MODEL_OCCUPIED},
	    {.kind = MODEL_TICK, .b = MODEL_LAST},
	    {.kind = MODEL_CLOCK},
	    {.kind = MODEL_DISK},
	    {.kind = MODEL_TICK},
	    {.kind = MODEL_TICK, .b = MODEL_OCCUPANCY}};
	/* A register that is reset, and passes by unseen to where the last order began. */
	static const struct model_event as_it_began[] = {
	    {.kind = MODEL_BOOT, .b = 1},
	    {.kind = MODEL_SEE, .b = MODEL_CHARGING, .c = MODEL_MORE},
	    {.kind = MODEL_SEE, .b = MODEL_CHARGING, .c = MODEL_MORE},
	    {.kind = MODEL_SEE, .b = MODEL_CHARGING, .c = MODEL_MORE_UNREAD},
	    {.kind = MODEL_SEE, .b = MODEL_IDLE},
	    {.kind = MODEL_SEE, .b = MODEL_OCCUPIED},
	    {.kind = MODEL_SEE, .b = MODEL_IDLE, .c = MODEL_RESET},
	    {.kind = MODEL_SEE, .b = MODEL_OFFLINE, .c = MODEL_UNREAD},
	    {.kind = MODEL_SEE, .b = MODEL_OCCUPIED, .c = MODEL_MORE},
	    {.kind = MODEL_CRASH},
	    {.kind = MODEL_BOOT, .b = 1}};
	struct model_rules rules = rules_of(0, MODEL_RIGHT);
	struct check_result way = {.steps = sizeof(granted_while_away) / sizeof(granted_while_away[0])};
	int steps = 0;

	(void)state;
	rules.connectors = 1;
	rules.reloads = 1;
	memcpy(way.way, granted_while_away, sizeof(granted_while_away));
	assert_int_equal(go(&rules, &way, &steps), 0);
	way.steps = sizeof(silent_for_good) / sizeof(silent_for_good[0]);
	memcpy(way.way, silent_for_good, sizeof(silent_for_good));
	assert_int_equal(go(&rules, &way, &steps), 0);
	assert_true(steps >= 13);

	rules = rules_of(5, MODEL_RIGHT);
	rules.connectors = 1;
	way.steps = sizeof(dated_while_it_ends) / sizeof(dated_while_it_ends[0]);
	memcpy(way.way, dated_while_it_ends, sizeof(dated_while_it_ends));
	steps = 0;
	assert_int_equal(go(&rules, &way, &steps), 0);
	assert_true(steps > way.steps);
	rules = rules_of(0, MODEL_RIGHT);
	rules.connectors = 1;
	way.steps = sizeof(as_it_began) / sizeof(as_it_began[0]);
	memcpy(way.way, as_it_began, sizeof(as_it_began));
	steps = 0;
	assert_int_equal(go(&rules, &way, &steps), 0);
	assert_true(steps >= way.steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_code_does_what_the_model_does),
	    cmocka_unit_test(a_difference_is_seen),
	    cmocka_unit_test(the_code_passes_where_it_would_fail),
	    cmocka_unit_test(known_ways_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
