/* sim-platform: a platform that takes what a station pushes and asks its questions in turn, over HTTPS, and records both. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "sim/platform_talk.h"

enum { PORT_MAX = 65535, EXIT_BAD = 3 };

static void command(struct platform *p, const char *line, FILE *out)
{
	if (!strncmp(line, "summary", 7)) {
		talk_summary(p, out);
		return;
	}
	if (!strncmp(line, "discard on", 10) || !strncmp(line, "discard off", 11))
		p->discard = line[9] == 'n';
	else if (!strncmp(line, "fail on", 7) || !strncmp(line, "fail off", 8))
		p->fail = line[6] == 'n';
	else if (!strncmp(line, "badtoken", 8))
		memset(p->tokens, 0, sizeof(p->tokens));
	else if (!strncmp(line, "drain ", 6) && atoi(line + 6) > 0)
		business_drain(p->business, atoi(line + 6));
	else if (!strncmp(line, "quit", 4))
		loop_stop(p->loop);
	else {
		fprintf(out, "error\n");
		return;
	}
	fprintf(out, "ok\n");
}

static void serve_control(void *user, int listener)
{
	char line[256];
	struct timeval limit = {.tv_sec = 1};
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	FILE *both = fdopen(fd, "r+");
	if (!both) {
		close(fd);
		return;
	}
	if (fgets(line, sizeof(line), both)) {
		(void)fseek(both, 0, SEEK_CUR);
		command(user, line, both);
	}
	(void)fclose(both);
}

static int listen_control(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8)) {
		fprintf(stderr, "sim-platform: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

static void end(void *user)
{
	loop_stop(((struct platform *)user)->loop);
}

static void on_signal(void *user, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		end(user);
}

/* http(s)://host:port/prefix */
static void parse_url(struct platform *p, const char *url, struct http_client_config *client, char host[128])
{
	const char *rest = strstr(url, "://");

	client->tls = !strncmp(url, "https", 5);
	if (!rest || sscanf(rest + 3, "%127[^:/]:%d%255s", host, &client->port, p->prefix) < 2) {
		fprintf(stderr, "sim-platform: --station-url wants http(s)://host:port/prefix\n");
		exit(2);
	}
	client->host = host;
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* A whole number from low to high; else *bad. */
static int number(const char *text, int low, int high, int *bad)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end != text && !*end && value >= low && value <= high)
		return (int)value;
	*bad = 1;
	return low;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"listen", 1, NULL, 'l'},
	    {"certificate", 1, NULL, 'c'},
	    {"key", 1, NULL, 'k'},
	    {"ca", 1, NULL, 'a'},
	    {"client-certificate", 1, NULL, 'C'},
	    {"client-key", 1, NULL, 'K'},
	    {"station-url", 1, NULL, 'u'},
	    {"operator-id", 1, NULL, 'o'},
	    {"station-operator-id", 1, NULL, 's'},
	    {"secrets-ours", 1, NULL, 'O'},
	    {"secrets-theirs", 1, NULL, 'T'},
	    {"path", 1, NULL, 'p'},
	    {"log", 1, NULL, 'g'},
	    {"interval", 1, NULL, 'i'},
	    {"control", 1, NULL, 'x'},
	    {"seconds", 1, NULL, 'e'},
	    {"dialect", 1, NULL, 'd'},
	    {"charges", 1, NULL, 'n'},
	    {"charge-seconds", 1, NULL, 't'},
	    {"leave-every", 1, NULL, 'v'},
	    {"order-seconds", 1, NULL, 'w'},
	    {"pull", 0, NULL, 'P'},
	    {"address", 1, NULL, 'A'},
	    {NULL, 0, NULL, 0},
	};
	static struct platform p;
	struct http_server_config server = {.name = "sim-platform", .address = "127.0.0.1", .max_connections_peer = 64};
	struct http_client_config client = {.name = "sim-platform-client", .max_in_flight = 1};
	/* protocol.md 2.14: an order may take 150 s where it may take longest; a station in reach sends it at once. */
	struct business_options business = {.charge_s = 10, .leave_every = 2, .order_s = 60};
	struct error err = {0};
	const char *url = "";
	char host[128] = "";
	double seconds = 0;
	int c, bad = 0;

	p = (struct platform){.operator_id = "",
			      .station_operator_id = "",
			      .path = "/evcs/v20160701",
			      .interval_us = 1000000,
			      .dialect = dialect_find("base")};
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			server.port = number(optarg, 1, PORT_MAX, &bad);
			break;
		case 'c':
			server.certificate = optarg;
			break;
		case 'k':
			server.key = optarg;
			break;
		case 'a':
			client.ca = optarg;
			break;
		case 'C':
			client.certificate = optarg;
			break;
		case 'K':
			client.key = optarg;
			break;
		case 'u':
			url = optarg;
			break;
		case 'o':
			p.operator_id = optarg;
			break;
		case 's':
			p.station_operator_id = optarg;
			break;
		case 'O':
			bad |= wire_parse_keys(optarg, &p.ours);
			break;
		case 'T':
			bad |= wire_parse_keys(optarg, &p.theirs);
			break;
		case 'p':
			p.path = optarg;
			break;
		case 'g':
			p.log = fopen(optarg, "w");
			if (!p.log) {
				perror(optarg);
				bad = 1;
			}
			break;
		case 'i':
			p.interval_us = (int64_t)number(optarg, 1, INT32_MAX, &bad) * 1000;
			break;
		case 'x':
			p.control_path = optarg;
			break;
		case 'e':
			seconds = atof(optarg);
			bad |= !(seconds > 0);
			break;
		case 'd':
			p.dialect = dialect_find(optarg);
			bad |= !p.dialect;
			break;
		case 'n':
			business.at_a_time = number(optarg, 0, CHARGES_MAX, &bad);
			break;
		case 't':
			business.charge_s = number(optarg, 1, INT32_MAX, &bad);
			break;
		case 'v':
			business.leave_every = number(optarg, 0, INT32_MAX, &bad);
			break;
		case 'A':
			server.address = optarg;
			break;
		case 'P':
			p.pull = 1;
			break;
		case 'w':
			business.order_s = number(optarg, 1, INT32_MAX, &bad);
			break;
		default:
			bad = 1;
		}
	}
	if (bad || optind < argc || !server.port || !*p.ours.sig_secret || !*p.theirs.sig_secret ||
	    !client.certificate != !client.key) {
		fprintf(stderr, "usage: see core/sim/README.md\n");
		return 2;
	}
	srandom((unsigned)time(NULL));
	parse_url(&p, url, &client, host);
	int signals = block_signals();
	p.methods = json_object();
	p.business = business_new(p.operator_id, p.dialect, &business);
	p.loop = p.business ? loop_new(&err) : NULL;
	p.server = p.loop ? http_server_new(p.loop, &server, talk_handle, &p, &err) : NULL;
	p.client = p.server ? http_client_new(p.loop, &client, &err) : NULL;
	p.ask_timer = (struct loop_timer){.fn = talk_ask, .user = &p};
	p.end_timer = (struct loop_timer){.fn = end, .user = &p};
	struct loop_fd *signal_fd = p.client ? loop_fd_add(p.loop, signals, on_signal, &p, &err) : NULL;
	struct loop_fd *control = signal_fd && p.control_path
				      ? loop_fd_add(p.loop, listen_control(p.control_path), serve_control, &p, &err)
				      : NULL;
	if (!signal_fd || (p.control_path && !control) || loop_timer_set(p.loop, &p.ask_timer, 1) ||
	    (seconds > 0 && loop_timer_set(p.loop, &p.end_timer, (int64_t)(seconds * 1e6)))) {
		fprintf(stderr, "sim-platform: %s\n", err.text);
		return 1;
	}
	printf("ready\n");
	(void)fflush(stdout);
	int result = loop_run(p.loop);
	loop_timer_cancel(p.loop, &p.ask_timer);
	loop_timer_cancel(p.loop, &p.end_timer);
	http_client_free(p.client);
	http_server_free(p.server);
	loop_fd_remove(control);
	loop_fd_remove(signal_fd);
	loop_free(p.loop);
	if (p.control_path)
		(void)unlink(p.control_path);
	if (p.log)
		(void)fclose(p.log);
	json_decref(p.question);
	json_decref(p.pending);
	json_decref(p.methods);
	free(p.station_token);
	free(p.station_id);
	if (business.at_a_time)
		business_say(p.business);
	int good = business_good(p.business);
	business_free(p.business);
	return result ? 1 : good ? 0 : EXIT_BAD;
}
