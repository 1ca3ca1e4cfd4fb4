/* Command log: the last lines of the log, from the daemon's memory. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/tail.h"

enum { LINES = 100 };

struct search {
	struct tail tail;
	int level;        /* this and worse */
	const char *room; /* NULL = all */
	const char *text;
	size_t text_len; /* 0 = all */
	uint64_t oldest, newest;
	struct maker m;
	struct value *list;
};

static int contains(const char *text, size_t len, const char *wanted, size_t wanted_len)
{
	for (size_t at = 0; at + wanted_len <= len; at++) {
		size_t n = 0;

		while (n < wanted_len && tolower((unsigned char)text[at + n]) == tolower((unsigned char)wanted[n]))
			n++;
		if (n == wanted_len)
			return 1;
	}
	return 0;
}

static int is_wanted(const struct search *s, const struct log_kept *line)
{
	size_t room = s->room ? strlen(s->room) : 0;

	if ((int)line->level > s->level)
		return 0;
	if (room && (line->len <= room || memcmp(line->text, s->room, room) != 0 || line->text[room] != ':'))
		return 0;
	return !s->text_len || contains(line->text, line->len, s->text, s->text_len);
}

static int count_line(void *user, const struct log_kept *line)
{
	struct search *s = user;

	if (!s->oldest)
		s->oldest = line->number;
	s->newest = line->number;
	if (is_wanted(s, line))
		tail_count(&s->tail, line->number);
	return 0;
}

static int put_line(void *user, const struct log_kept *line)
{
	struct search *s = user;

	if (line->number > s->newest || s->m.failed)
		return 1;
	if (!is_wanted(s, line) || !tail_takes(&s->tail, line->number))
		return 0;
	struct value *o = value_object(s->m.arena);
	maker_int(&s->m, o, "id", (int64_t)line->number);
	maker_int(&s->m, o, "at", line->wall_ms / 1000);
	maker_int(&s->m, o, "ms", line->wall_ms % 1000);
	maker_text(&s->m, o, "level", log_level_name(line->level));
	maker_put(&s->m, o, "text", value_string_len(s->m.arena, line->text, line->len));
	maker_push(&s->m, s->list, o);
	return 0;
}

int command_log(struct control *control, struct control_reply *reply, struct error *err)
{
	struct search s = {.m = {.arena = &reply->arena}, .list = value_array(&reply->arena)};
	const char *level = control_text(reply, "level");
	const struct config *config = station_set_config(control->sources.stations);
	int result = tail_begin(&s.tail, reply, LINES, err);

	if (result)
		return result;
	s.level = level ? log_level_parse(level) : LOG_LEVEL_DEBUG;
	if (s.level < 0)
		return error_set(err, FC_EINVAL, "level: must be error, warning, notice, info or debug");
	s.room = control_text(reply, "room");
	s.text = control_text(reply, "search");
	s.text_len = s.text ? strlen(s.text) : 0;
	struct value *root = value_object(s.m.arena);
	log_each_kept(0, count_line, &s);
	log_each_kept(0, put_line, &s);
	maker_put(&s.m, root, "lines", s.list);
	tail_end(&s.tail, &s.m, root, s.oldest, s.newest);
	if (config && !config->gateway.log_kb)
		maker_flag(&s.m, root, "off", 1);
	reply->result = s.m.failed ? NULL : root;
	return FC_OK;
}
