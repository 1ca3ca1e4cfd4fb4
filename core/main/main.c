/* forecourtd: reads the configuration, starts the rooms from the bottom up, runs the loop, ends in reverse. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/log.h"
#include "base/privileges.h"
#include "cli/cli.h"
#include "config/config.h"
#include "main/check_lua.h"
#include "main/daemon.h"
#include "main/good.h"
#include "script/describe.h"
#include "upstream/message.h"
#ifdef CONFIG_ADMIN
#include "admin/admin.h"
#endif

/* What a service manager may tell apart; README.md has the table. */
enum { EXIT_START = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_USER = 4 };

static const char default_path[] = "/etc/config/forecourt";

static void usage(FILE *to)
{
	fprintf(
	    to,
	    "usage: forecourtd [-c FILE] [--user NAME [--can]] [--last-good FILE] [--stats-file FILE]\n"
	    "       forecourtd [-c FILE] --check [--against FILE]\n"
	    "  -c FILE            configuration, default %s\n"
	    "  --user NAME        started by root: run as that user, with no right of root's but that to low ports\n"
	    "  --can              with --user: and what it takes to set a CAN interface's bit rate and bring it up\n"
	    "  --last-good FILE   where the last configuration that was in force is kept, for a start with a bad one;\n"
	    "                     default /etc/forecourt/forecourt.good, of other configurations beside them\n"
	    "  --check            check the configuration and everything it names, print what was found, end\n"
	    "                     with 0, or 2 when something is wrong\n"
	    "  --against FILE     with --check: print what a change from FILE would touch\n"
	    "  --stats-file FILE  write counters as JSON there at the end and on SIGUSR1\n"
	    "  --options          print every option of the configuration with its range and default\n"
	    "  --messages         print every message of the protocol with its fields\n"
	    "  --lua-api          print the reference of what Lua scripts are given, as it stands in lua/README.md\n"
	    "  --openapi          print the page's API as OpenAPI 3.1\n"
	    "  --version          print the version\n"
	    "Signals: HUP reads configuration and Lua files again, USR1 writes the counters, TERM and INT end.\n"
	    "Ends with 0 as told; 1 it could not start, or its loop failed; 2 the command line is wrong, or --check "
	    "found\n"
	    "something; 3 the configuration is refused, and there is no last good one; 4 --user is refused.\n",
	    default_path);
}

static void print_change(void *user, const struct config_change *change)
{
	FILE *to = user;

	fprintf(to, "  %-8s %s %s\n", config_action_name(change->action), change->type, change->name);
}

/* --check: configuration first, then the Lua it names. */
static int check(const char *path, const char *against)
{
	struct error err = {0};
	struct config *config = config_read(path, stderr, &err);
	int result = 0;

	if (!config) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_USAGE;
	}
	if (check_lua(config, stderr))
		result = EXIT_USAGE;
	if (against) {
		struct config *from = config_read(against, stderr, &err);

		if (from) {
			int n = config_compare(from, config, print_change, stdout);

			printf("%d object(s) would be touched\n", n);
			config_free(from);
		} else {
			fprintf(stderr, "%s\n", err.text);
			result = EXIT_USAGE;
		}
	}
	if (!result)
		printf("%s: good: %d station(s), %d bus(es), %d charger(s), %d connector(s), %d platform(s)\n", path,
		       config->station_count, config->bus_count, config->charger_count, config->connector_count,
		       config->platform_count);
	config_free(config);
	return result;
}

/* Signals become readable on a descriptor, so that they are handled on the loop like everything else. Blocked before
 * any thread starts: the bus workers inherit it. */
static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* One heap for all threads, trimmed early: the workers hardly allocate, and the box has little memory. */
static void trim_early(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	(void)mallopt(M_MMAP_THRESHOLD, 64 * 1024);
#endif
}

/* Before the first line: what is told of the start is what someone who looks from afar wants to see. */
static void begin_log(const struct config *config)
{
	log_init("forecourtd", (enum log_level)config->gateway.log_level, config->gateway.log_syslog);
	/* Without the memory for it the start tells, later. */
	(void)log_keep((size_t)config->gateway.log_kb << 10);
}

/* Takes config over; its log has begun. NULL: *err says why. */
static struct daemon *start(const char *path, const char *stats_file, struct config *config, int was_put_back,
			    struct good *good, struct error *err)
{
	int signals = block_signals();

	if (signals < 0) {
		config_free(config);
		(void)error_set(err, FC_EIO, "signals can't be set up");
		return NULL;
	}
	return daemon_new(path, FORECOURT_VERSION, config, signals, stats_file, was_put_back, good, err);
}

/* The configuration is refused, by itself or by a room that could not be started with it: the last good one, if there is another. */
static struct daemon *start_instead(const char *path, const char *stats_file, int was_put_back, struct good *good,
				    const struct error *why)
{
	struct error err = {0};
	struct config *config = good_instead(good, why, &err);

	if (!config) {
		/* That there is no other is what a new box has, and no news. */
		if (err.code != FC_ENOENT && err.code != FC_EEXIST)
			log_error("main: no other configuration to start with: %s", err.text);
		return NULL;
	}
	begin_log(config);
	log_error("main: %s is refused: %s", path, why->text);
	log_warning("main: the last good configuration is in force instead, until it is mended");
	struct daemon *daemon = start(path, stats_file, config, was_put_back, good, &err);
	if (!daemon)
		log_error("main: not started with the last good configuration either: %s", err.text);
	return daemon;
}

static int run_with(const char *path, const char *stats_file, struct good *good)
{
	struct error err = {0};
	int was_put_back = daemon_put_back(path), code = EXIT_START;
	struct config *config = good_read(good, &err);
	struct daemon *daemon = NULL;

	trim_early();
	if (config) {
		begin_log(config);
		log_notice("main: forecourtd %s starts with %s", FORECOURT_VERSION, path);
		daemon = start(path, stats_file, config, was_put_back, good, &err);
		if (!daemon)
			log_error("main: not started: %s", err.text);
	} else {
		fprintf(stderr, "%s\n", err.text);
		code = err.code == FC_ENOMEM ? EXIT_START : EXIT_CONFIG;
	}
	/* Where another gateway runs, or there is no memory now, it is not the configuration's fault. */
	if (!daemon && err.code != FC_EBUSY && err.code != FC_ENOMEM)
		daemon = start_instead(path, stats_file, was_put_back, good, &err);
	if (!daemon)
		return code;
	int result = daemon_run(daemon);
	daemon_free(daemon);
	log_notice("main: forecourtd ended");
	return result ? EXIT_START : 0;
}

static int run(const char *path, const char *last_good, const char *stats_file)
{
	struct error err = {0};
	struct good *good = good_new(path, last_good, &err);

	if (!good) {
		fprintf(stderr, "forecourtd: %s\n", err.text);
		return err.code == FC_ENOMEM ? EXIT_START : EXIT_USAGE;
	}
	int code = run_with(path, stats_file, good);
	good_free(good);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"check", no_argument, NULL, 'k'},           {"against", required_argument, NULL, 'a'},
	    {"config", required_argument, NULL, 'c'},    {"help", no_argument, NULL, 'h'},
	    {"messages", no_argument, NULL, 'm'},        {"lua-api", no_argument, NULL, 'l'},
	    {"options", no_argument, NULL, 'o'},
#ifdef CONFIG_ADMIN
	    {"openapi", no_argument, NULL, 'p'},
#endif
	    {"version", no_argument, NULL, 'v'},         {"stats-file", required_argument, NULL, 's'},
	    {"user", required_argument, NULL, 'u'},      {"can", no_argument, NULL, 'n'},
	    {"last-good", required_argument, NULL, 'g'}, {NULL, 0, NULL, 0},
	};
	const char *path = default_path, *against = NULL, *stats_file = NULL, *user = NULL, *last_good = NULL;
	uint64_t kept = PRIVILEGES_LOW_PORTS;
	int only_check = 0, c;

	/* By its other name it is the command line: a box has both in one file (rootfs/package). */
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	if (argc && !strcmp(slash ? slash + 1 : argv[0], "forecourt"))
		return cli_main(argc, argv, FORECOURT_VERSION);
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'k':
			only_check = 1;
			break;
		case 'a':
			against = optarg;
			break;
		case 's':
			stats_file = optarg;
			break;
		case 'g':
			last_good = optarg;
			break;
		case 'u':
			user = optarg;
			break;
		case 'n':
			kept |= PRIVILEGES_CAN;
			break;
		case 'o':
			config_describe(stdout);
			return 0;
#ifdef CONFIG_ADMIN
		case 'p':
			admin_describe(stdout);
			return 0;
#endif
		case 'm':
			message_describe(stdout);
			return 0;
		case 'l':
			script_describe(stdout);
			return 0;
		case 'v':
			printf("forecourtd %s\n", FORECOURT_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "forecourtd: \"%s\" is not an option\n", argv[optind]);
		return EXIT_USAGE;
	}
	/* Before anything is opened; a check by the user that is to run it finds what that user can't read. */
	struct error err = {0};
	if (user && privileges_drop(user, kept, &err)) {
		fprintf(stderr, "forecourtd: %s\n", err.text);
		return EXIT_USER;
	}
	return only_check ? check(path, against) : run(path, last_good, stats_file);
}
