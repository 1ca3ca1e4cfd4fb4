/* One event for both, and the world around it. */
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

/* One event for both. 0: the model can't go there. */
int world_step(struct world *w, struct model_event e)
{
	struct model before = w->m;

	model_do(&w->m, &e);
	if (w->m.cut) {
		w->m = before;
		return 0;
	}
	int most = w->m.commits, least = most - w->m.same, dies = !w->m.s.up && before.s.up;
	w->way[w->steps++] = e;
	played_us += 1000;
	played_s++;
	w->commits = 0;
	w->answer = -1;
	w->image_at = e.crash;
	if (e.kind == MODEL_BOOT) {
		world_boot(w, e.b);
	} else if (e.kind == MODEL_CRASH) {
		world_image(w);
	} else if (e.kind == MODEL_END && !e.crash) {
		world_stop(w);
		/* One more: events that wait (store/events.h) go by themselves. */
		if (w->commits < least || w->commits > most + 1)
			world_differ(w, "transactions at the end", 0, most, w->commits);
		world_image(w);
		w->life++;
	} else if (e.kind == MODEL_END) {
		world_stop(w);
	} else if (w->store) {
		world_act(w, &e);
	}
	if (dies && w->store) {
		w->image_at = 0;
		world_stop(w);
	}
	if (dies && (e.crash || e.kind == MODEL_CRASH))
		w->life++;
	world_compare(w, &e);
	model_look(&w->m);
	if (w->m.wrong && !w->different[0])
		(void)snprintf(w->different, sizeof(w->different), "%s", w->m.wrong);
	return 1;
}

static void print_way(const struct world *w)
{
	char text[800];

	for (int i = 0; i < w->steps; i++) {
		model_print_event(&w->way[i], text, sizeof(text));
		print_message("  %2d. %s\n", i + 1, text);
	}
	model_print_state(&w->m.s, text, sizeof(text));
	print_message("      model: %s\n      %s\n", text, w->different);
}

struct world *world_new(const struct model_rules *rules, uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	struct error err = {0};
	char folder[128];

	assert_non_null(w);
	world = w;
	w->rules = rules;
	w->random = seed * 2654435761u + 12345;
	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/fc-model-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	world_folder(w, 0, folder, sizeof(folder));
	assert_int_equal(mkdir(folder, 0700), 0);
	w->loop = loop_new(&err);
	assert_non_null(w->loop);
	for (int o = 0; o < rules->seqs; o++)
		(void)snprintf(w->seq[o], sizeof(w->seq[o]), "%s", world_given[o]);
	model_init(&w->m, rules);
	return w;
}

/* Nonzero when the two differ. */
int world_end(struct world *w, int *steps)
{
	int result = w->different[0] != 0;
	char line[128];

	*steps += w->steps;
	if (result && w->rules->mistake == MODEL_RIGHT)
		print_way(w);
	world_stop(w);
	loop_free(w->loop);
	for (int p = 0; p < MODEL_PLATFORMS; p++)
		for (int o = 0; o < MODEL_ORDERS; o++)
			free(w->content[p][o]);
	(void)snprintf(line, sizeof(line), "rm -r '%s'", w->folder);
	assert_int_equal(system(line), 0);
	free(w);
	return result;
}
