/* The control socket of sim-bms: a connection, a line, an answer of one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/bms_pair.h"

enum { LINE = 256, WORD = 64, PATIENCE_S = 2 };

int command_listen(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8)) {
		perror(path);
		exit(1);
	}
	return fd;
}

static void say_state(const struct pair *p, FILE *out)
{
	fprintf(out,
		"{\"charger\":\"%s\",\"car\":\"%s\",\"plugged\":%d,\"edition\":%d,\"soc\":%.3f,\"voltage\":%.1f,"
		"\"current\":%.1f,\"energy_wh\":%.1f,\"minutes\":%.2f,\"vin\":\"%s\",\"charges\":%lu,\"sent\":%lu,"
		"\"lost\":%lu}\n",
		charger_state_name(p->charger.state), car_state_name(p->car.state), p->car.plugged, p->edition,
		p->car.soc, p->charger.volts, p->charger.amperes, p->charger.wh, p->charger.minutes, p->car.vin,
		p->charges, p->sent, bus_lost(p->bus));
}

static int set_vin(struct pair *p, const char *text)
{
	if (strlen(text) != VIN_LENGTH)
		return 0;
	memcpy(p->car.vin, text, VIN_LENGTH);
	return 1;
}

static int set_number(double *to, const char *text, double low, double high)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= low && value <= high))
		return 0;
	*to = value;
	return 1;
}

static int set_switch(int *to, const char *text)
{
	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
		return 0;
	*to = !strcmp(text, "on");
	return 1;
}

static int set_count(int *to, const char *text)
{
	double value = 1;

	if (*text && !set_number(&value, text, 0, 1000))
		return 0;
	*to = (int)value;
	return 1;
}

static int set_silent(struct pair *p, const char *who)
{
	if (strcmp(who, "bms") != 0 && strcmp(who, "charger") != 0 && strcmp(who, "none") != 0)
		return 0;
	p->car.silent = !strcmp(who, "bms");
	p->charger.silent = !strcmp(who, "charger");
	return 1;
}

/* 1: done, 0: no such thing, or not now. */
static int obey(struct pair *p, const char *word, const char *rest)
{
	double number;

	if (!strcmp(word, "plug")) {
		if (*rest && !set_number(&p->car.soc, rest, 0, 100))
			return 0;
		pair_plug(p);
		return 1;
	}
	if (!strcmp(word, "unplug")) {
		pair_unplug(p);
		return 1;
	}
	if (!strcmp(word, "start"))
		return pair_start(p);
	if (!strcmp(word, "stop"))
		return pair_stop(p, *rest ? rest : "manual");
	if (!strcmp(word, "soc"))
		return set_number(&p->car.soc, rest, 0, 100);
	if (!strcmp(word, "current"))
		return set_number(&p->car.amperes, rest, 0, 400);
	if (!strcmp(word, "vin"))
		return set_vin(p, rest);
	if (!strcmp(word, "late"))
		return set_number(&p->bcl_late_ms, rest, 0, 60000);
	if (!strcmp(word, "edition")) {
		if (!set_number(&number, rest, 2011, 2015) || (number != 2011 && number != 2015))
			return 0;
		p->next_edition = (int)number;
		return 1;
	}
	if (!strcmp(word, "silent"))
		return set_silent(p, rest);
	if (!strcmp(word, "no") || !strcmp(word, "ack")) {
		p->no_ack = word[0] == 'n';
		return p->no_ack ? !strcmp(rest, "ack") : !*rest;
	}
	if (!strcmp(word, "hide"))
		return set_switch(&p->hide_acks, rest);
	if (!strcmp(word, "abort"))
		return set_count(&p->abort_next, rest);
	if (!strcmp(word, "lose"))
		return set_count(&p->lose, rest);
	if (!strcmp(word, "foreign"))
		return set_switch(&p->foreign, *rest ? rest : "on");
	if (!strcmp(word, "pause"))
		return set_switch(&p->car.paused, *rest ? rest : "on");
	return 0;
}

int command_serve(struct pair *p, int listener)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), quit = 0;
	char line[LINE] = "", word[WORD] = "";
	size_t used = 0;
	FILE *out;

	if (fd < 0)
		return 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (used < sizeof(line) - 1 && !memchr(line, '\n', used)) {
		ssize_t n = read(fd, line + used, sizeof(line) - 1 - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	line[used] = 0;
	line[strcspn(line, "\r\n")] = 0;
	size_t len = strcspn(line, " ");
	(void)snprintf(word, sizeof(word), "%.*s", (int)len, line);
	const char *rest = line + len + strspn(line + len, " ");
	out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		return 0;
	}
	if (!strcmp(word, "state")) {
		say_state(p, out);
	} else if (!strcmp(word, "quit")) {
		quit = 1;
		fprintf(out, "ok\n");
	} else {
		fprintf(out, "%s\n", obey(p, word, rest) ? "ok" : "no");
	}
	(void)fclose(out);
	return quit;
}
