/* Commands of the control socket: one line each, answered by one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/charger_station.h"

static const char *const fault_names[] = {"normal",    "mute",  "late",      "torn",
					  "exception", "stale", "wrongunit", "garbage"};

int command_listen(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8))
		station_die(path);
	return fd;
}

static void say_stats(const struct station *s, FILE *out)
{
	unsigned long all = 0;

	for (int i = 0; i < s->count; i++)
		all += s->chargers[i].requests;
	fprintf(out, "{\"requests\":%lu,\"bytes_in\":%lu,\"bytes_out\":%lu,\"chargers\":[", all, s->bytes_in,
		s->bytes_out);
	for (int i = 0; i < s->count; i++)
		fprintf(out, "%s{\"requests\":%lu,\"connections_max\":%d}", i ? "," : "", s->chargers[i].requests,
			s->chargers[i].connections_max);
	fprintf(out, "]}\n");
}

static void say_times(const struct charger *c, FILE *out)
{
	unsigned long n = c->polls < TIMES ? c->polls : TIMES;

	fputc('[', out);
	for (unsigned long i = 0; i < n; i++)
		fprintf(out, "%s%.3f", i ? "," : "", c->times[(c->polls - n + i) % TIMES]);
	fprintf(out, "]\n");
}

/* The ended charges of a charger: [connector, register at the start, at the end]. */
static void say_sessions(const struct charger *c, FILE *out)
{
	const char *comma = "";

	fputc('[', out);
	for (int k = 0; k < c->model.connectors; k++) {
		const struct model_connector *m = &c->model.c[k];
		unsigned n = m->session_count < MODEL_SESSIONS ? m->session_count : MODEL_SESSIONS;

		for (unsigned i = m->session_count - n; i < m->session_count; i++) {
			const struct model_session *s = &m->sessions[i % MODEL_SESSIONS];

			fprintf(out, "%s[%d,%u,%u]", comma, k + 1, s->start, s->end);
			comma = ",";
		}
	}
	fprintf(out, "]\n");
}

static void say_list(const struct station *s, FILE *out)
{
	fputc('[', out);
	for (int i = 0; i < s->count; i++)
		for (int k = 0; k < s->chargers[i].model.connectors; k++)
			fprintf(out, "%s[%d,%d,\"%s\"]", i || k ? "," : "", i, k + 1,
				model_state_name(s->chargers[i].model.c[k].state));
	fprintf(out, "]\n");
}

static int set_fault(struct charger *c, const char *word, int value)
{
	if (!strcmp(word, "unmute"))
		word = "normal";
	for (int i = 0; i < (int)(sizeof(fault_names) / sizeof(fault_names[0])); i++)
		if (!strcmp(word, fault_names[i])) {
			c->fault = (enum fault)i;
			c->fault_value = value;
			return 0;
		}
	return -1;
}

static int open_charger(struct station *s, int index)
{
	struct charger *c = &s->chargers[index];

	if (c->listener < 0)
		c->listener = station_listen(c->port);
	if (c->listener >= 0)
		station_watch(s, c->listener);
	return c->listener < 0 ? -1 : 0;
}

/* A command about one charger: word, its index, and perhaps two more numbers (numbers: how many there are in all).
 * 1 when it was answered, 0 when it was done, -1 when it can't be. */
static int command_charger(struct station *s, const char *word, int numbers, int index, int a, int b, FILE *out)
{
	struct charger *c = &s->chargers[index];
	if (!strcmp(word, "sessions")) {
		say_sessions(c, out);
		return 1;
	}
	if (!strcmp(word, "times")) {
		say_times(c, out);
		return 1;
	}
	if (index >= s->tcp && (!strcmp(word, "close") || !strcmp(word, "open")))
		return -1; /* a unit of a line has no connection of its own: mute it */
	if (!strcmp(word, "close")) {
		station_close_charger(s, index);
		return 0;
	}
	if (!strcmp(word, "open"))
		return open_charger(s, index);
	if (a < 1 && (!strcmp(word, "exception") || !strcmp(word, "late")))
		return -1;
	if (!set_fault(c, word, a))
		return 0;
	int connector = numbers > 1 ? a - 1 : 0;
	if (connector < 0 || connector >= c->model.connectors)
		return -1;
	if (!strcmp(word, "state")) {
		fprintf(out, "%s\n", model_state_name(c->model.c[connector].state));
		return 1;
	}
	if (!strcmp(word, "fault")) {
		if (b < 1 || b > UINT16_MAX)
			return -1;
		model_fault(&c->model, connector, (uint16_t)b);
		return 0;
	}
	return model_command(&c->model, connector, word);
}

static int set_text(struct station *s, const char *word, int index, int connector, const char *text)
{
	if (index < 0 || index >= s->count || connector < 0 || connector >= s->chargers[index].model.connectors)
		return -1;
	return model_text(&s->chargers[index].model, connector, word, text);
}

static void command(struct station *s, const char *line, FILE *out)
{
	char word[24] = "", second[24] = "", text[24] = "";
	int index = -1, a = 0, b = 0;

	(void)sscanf(line, "%23s %23s", word, second);
	int numbers = sscanf(line, "%*s %d %d %d", &index, &a, &b);
	(void)sscanf(line, "%*s %*s %*s %23s", text);
	int result = -1;
	if (!strcmp(word, "list")) {
		say_list(s, out);
		return;
	}
	if (!strcmp(word, "stats")) {
		say_stats(s, out);
		return;
	}
	if (!strcmp(word, "quit"))
		result = 0, s->ended = 1;
	else if (!strcmp(word, "auto") && (!strcmp(second, "on") || !strcmp(second, "off")))
		result = 0, s->automatic = !strcmp(second, "on");
	else if ((!strcmp(word, "card") || !strcmp(word, "vin")) && *text && numbers >= 2)
		result = set_text(s, word, index, a - 1, text);
	else if (numbers >= 1 && index >= 0 && index < s->count)
		result = command_charger(s, word, numbers, index, a, b, out);
	if (result <= 0)
		fprintf(out, "%s\n", result ? "error" : "ok");
}

/* Sends what a command says; -1 when nobody takes it. */
static int answer_command(struct station *s, int fd, const char *line)
{
	char *text = NULL;
	size_t len = 0;
	ssize_t sent = -1;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -1;
	command(s, line, out);
	if (!fclose(out))
		sent = send(fd, text, len, 0); /* waits a second at most, see command_accept */
	free(text);
	return sent == (ssize_t)len ? 0 : -1;
}

/* All whole lines in a control connection's input; -1 when it must be closed. */
int command_take(struct station *s, struct stream *stream)
{
	uint8_t *begin = stream->input, *end = begin + stream->used, *newline;

	while ((newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		*newline = '\0';
		if (answer_command(s, stream->fd, (const char *)begin))
			return -1;
		begin = newline + 1;
	}
	stream->used = (size_t)(end - begin);
	memmove(stream->input, begin, stream->used);
	return stream->used == sizeof(stream->input) ? -1 : 0;
}

void command_accept(struct station *s)
{
	struct timeval limit = {.tv_sec = 1};
	int fd = accept4(s->control, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)station_add_stream(s, fd, ON_CONTROL, 0);
}
