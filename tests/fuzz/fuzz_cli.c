/* What `forecourt` prints. The first byte is the call (calls[]), the second how it is called (bits HOW_...), then each line is what the
 * daemon answers to one question; behind the last one it hangs up.
 *
 *   {"connectors":[...     a result: the daemon's object is put around it
 *   !"no such order"       a refusal with that error
 *   =...                   the bytes as they are
 *
 * Whatever stands in an answer: nothing that acts on a terminal comes out, neither of the one stream nor of the other; what is printed
 * with --json are lines of JSON; who fails says something, and the exit code is one of those there are. No file is touched but in a folder of
 * the target's own. The daemon's socket, a terminal's answer to isatty and the clock are made by ld --wrap (fuzz.mk). */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/cli.h"

enum { WORDS = 12, DAEMON = 1 << 20, ANSWER = 1 << 20, PRINTED = 4 << 20 };
enum { HOW_JSON = 1, HOW_CHINESE = 2, HOW_TERMINAL = 4, HOW_PIECES = 8, HOW_WORD = 16 };

/* OUT, IN: files of our own. HOW_WORD leaves the last word away. csv: for other programs, the bytes as they are. */
static const struct call {
	const char *words[WORDS];
	int csv;
} calls[] = {
    {{"status"}, 0},
    {{"connectors"}, 0},
    {{"connectors", "C11"}, 0},
    {{"start", "C11"}, 0},
    {{"stop", "C11"}, 0},
    {{"alarms"}, 0},
    {{"unlock", "C11"}, 0},
    {{"limit", "C11", "7000"}, 0},
    {{"reserve", "C11", "30", "note"}, 0},
    {{"unreserve", "C11"}, 0},
    {{"orders", "list", "--limit", "60"}, 0},
    {{"orders", "list", "--open", "--platform", "city"}, 0},
    {{"orders", "show", "123456789202601010000000001"}, 0},
    {{"orders", "show", "123456789202601010000000001", "--life"}, 0},
    {{"orders", "resend", "123456789202601010000000001", "city"}, 0},
    {{"orders", "export"}, 1},
    {{"reconcile", "city", "2026-01-31"}, 0},
    {{"reconcile", "city", "--last"}, 0},
    {{"reconcile", "city", "--csv"}, 1},
    {{"lua", "record", "OUT"}, 0},
    {{"lua", "versions", "policies/x"}, 0},
    {{"lua", "show", "policies/x", "0123abcd"}, 0},
    {{"lua", "diff", "policies/x", "0123abcd", "4567ef01"}, 0},
    {{"lua", "diff", "policies/x"}, 0},
    {{"lua", "rollback", "policies/x", "0123abcd"}, 0},
    {{"lua", "rollback", "policies/x", "--modules"}, 0},
    {{"lua", "save", "policies/x", "IN"}, 0},
    {{"lua", "reload"}, 0},
    {{"bus", "stats"}, 0},
    {{"bus", "stats", "line1", "--csv"}, 1},
    {{"bus", "scan", "line1", "--units", "1-8"}, 0},
    {{"bus", "scan", "line1", "--function", "4", "--address", "7"}, 0},
    {{"bus", "read", "line1", "1", "3", "0", "4"}, 0},
    {{"bus", "read", "line1", "1", "3", "40001", "--base", "40001", "--type", "f32"}, 0},
    {{"bus", "read", "line1", "1", "4", "0", "8", "--type", "text"}, 0},
    {{"bus", "read", "line1", "1", "3", "0", "--type", "u64", "--order", "lo-hi"}, 0},
    {{"bus", "read", "line1", "1", "1", "0", "9"}, 0},
    {{"bus", "write", "line1", "1", "16", "0", "70000", "--type", "u32", "--yes"}, 0},
    {{"bus", "write", "line1", "1", "5", "0", "on", "--force", "--yes"}, 0},
    {{"bus", "trace"}, 0},
    {{"bus", "trace", "line1", "--seconds", "2", "--raw"}, 0},
    {{"bus", "trace", "--follow", "--unit", "1"}, 0},
    {{"bus", "trace", "--pcapng", "OUT"}, 0},
    {{"bus", "trace", "--candump", "OUT"}, 0},
    {{"audit"}, 0},
    {{"account", "list"}, 0},
    {{"account", "set", "somebody", "--role", "viewer", "--reset"}, 0},
    {{"account", "remove", "somebody"}, 0},
    {{"token", "list"}, 0},
    {{"token", "add", "program", "operator", "--days", "30"}, 0},
    {{"token", "remove", "3"}, 0},
    {{"session", "list"}, 0},
    {{"session", "end", "3"}, 0},
    {{"config", "show"}, 0},
    {{"config", "check", "IN"}, 0},
    {{"config", "apply", "IN"}, 0},
    {{"config", "confirm"}, 0},
    {{"config", "revert"}, 0},
    {{"config", "versions"}, 0},
    {{"config", "versions", "3"}, 0},
    {{"config", "versions", "3", "--put-back", "--confirm", "60"}, 0},
    {{"config", "backup", "--passphrase-file", "IN"}, 0},
    {{"config", "backup", "--passphrase-file", "IN", "OUT"}, 0},
    {{"config", "restore", "--passphrase-file", "IN", "IN"}, 0},
    {{"log"}, 0},
    {{"log", "--follow", "--level", "debug"}, 0},
};

static struct json_reader *reader;
static char folder[64], in_path[96], out_path[96];
static int ours = -1, before = -1; /* the working directory: one of our own, and that of whoever runs us */

/* The daemon ----------------------------------------------------------------------------------------------------------- */

static struct daemon {
	struct fuzz_input in;
	char *answer; /* what is left of the one that it says now */
	size_t len, at;
	unsigned how;
	int64_t now_us;
	int turns, hung_up;
} daemon_;

int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_isatty(int fd);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int64_t __wrap_clock_mono_us(void);
int64_t __wrap_clock_mono_ms(void);

int __wrap_socket(int domain, int type, int protocol)
{
	(void)type, (void)protocol;
	fuzz_check(domain == AF_UNIX);
	return DAEMON;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	(void)address, (void)len;
	fuzz_check(fd == DAEMON);
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)level, (void)name, (void)value, (void)len;
	fuzz_check(fd == DAEMON);
	return 0;
}

/* The next answer, with the daemon's words around it. */
static void prepare(struct daemon *d)
{
	free(d->answer);
	d->answer = NULL;
	d->len = d->at = 0;
	d->hung_up = !d->in.left;
	if (d->hung_up)
		return;
	char *line = fuzz_line(&d->in);
	size_t size = strlen(line) + 80;
	d->answer = malloc(size);
	fuzz_check(d->answer);
	int n = *line == '=' ? snprintf(d->answer, size, "%s\n", line + 1)
		: *line == '!'
		    ? snprintf(d->answer, size, "{\"ok\":false,\"code\":\"refused\",\"error\":%s}\n", line + 1)
		    : snprintf(d->answer, size, "{\"ok\":true,\"result\":%s}\n", line);
	d->len = (size_t)n;
	free(line);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
	const char *text = bytes;

	(void)flags;
	fuzz_check(fd == DAEMON && len);
	/* One question is one line. */
	fuzz_check(memchr(text, '\n', len) == text + len - 1);
	prepare(&daemon_);
	return (ssize_t)len;
}

ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags)
{
	struct daemon *d = &daemon_;
	size_t n = d->len - d->at;

	(void)flags;
	fuzz_check(fd == DAEMON);
	if (n > len)
		n = len;
	if (d->how & HOW_PIECES && n > 7)
		n = 7;
	if (n)
		memcpy(bytes, d->answer + d->at, n);
	d->at += n;
	return (ssize_t)n;
}

int __wrap_close(int fd)
{
	return fd == DAEMON ? 0 : __real_close(fd);
}

/* What is made: where the call says, or by a plain name where it was made. */
int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list list;

		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
		fuzz_check(!strchr(path, '/') || !strcmp(path, out_path));
	}
	return __real_open(path, flags, mode);
}

int __wrap_isatty(int fd)
{
	return fd != STDIN_FILENO && daemon_.how & HOW_TERMINAL;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)left;
	fuzz_check(time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < 1000000000);
	/* Whoever waits asks again: a daemon that has gone ends it. */
	fuzz_check(daemon_.turns++ < ANSWER);
	daemon_.now_us += time->tv_sec > 1000 ? 1000000000 : time->tv_sec * 1000000 + time->tv_nsec / 1000;
	return 0;
}

int64_t __wrap_clock_mono_us(void)
{
	return daemon_.now_us;
}

int64_t __wrap_clock_mono_ms(void)
{
	return daemon_.now_us / 1000;
}

/* What comes out --------------------------------------------------------------------------------------------------------- */

/* Where a report of the sanitizers goes; the stream itself is ours meanwhile. */
void __sanitizer_set_report_fd(void *fd) __attribute__((weak));

struct stream {
	int fd, file, before;
	size_t len;
	char *text;
};

static struct stream streams[2];

static void begin_stream(struct stream *s, int fd)
{
	if (!s->text) {
		s->fd = fd;
		s->file = memfd_create("printed", MFD_CLOEXEC);
		s->before = dup(fd);
		s->text = malloc(PRINTED + 1);
		fuzz_check(s->file >= 0 && s->before >= 0 && s->text);
		if (fd == STDERR_FILENO && __sanitizer_set_report_fd)
			__sanitizer_set_report_fd((void *)(intptr_t)s->before);
	}
	fuzz_check(dup2(s->file, fd) == fd);
}

static void end_stream(struct stream *s)
{
	fuzz_check(dup2(s->before, s->fd) == s->fd);
	off_t len = lseek(s->file, 0, SEEK_CUR);
	fuzz_check(len >= 0 && len <= PRINTED);
	s->len = (size_t)len;
	s->text[s->len] = '\0';
	fuzz_check(!len || pread(s->file, s->text, s->len, 0) == (ssize_t)len);
	fuzz_check(!lseek(s->file, 0, SEEK_SET) && !ftruncate(s->file, 0));
}

/* Bytes of the character there, 0 when it is none; not the code under test's. */
static size_t utf8(const unsigned char *p, uint32_t *c)
{
	if (p[0] < 0x80) {
		*c = p[0];
		return 1;
	}
	size_t n = p[0] >= 0xC2 && p[0] < 0xE0   ? 2
		   : p[0] >= 0xE0 && p[0] < 0xF0 ? 3
		   : p[0] >= 0xF0 && p[0] < 0xF5 ? 4
						 : 0;
	*c = n ? p[0] & (0x7Fu >> n) : 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3F);
	}
	return (n == 3 && (*c < 0x800 || (*c >= 0xD800 && *c < 0xE000))) || (n == 4 && (*c < 0x10000 || *c > 0x10FFFF))
		   ? 0
		   : n;
}

static int acts(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x61C || c == 0x200E || c == 0x200F ||
	       (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

static void check_safe(const struct stream *s, const char *allowed)
{
	for (size_t i = 0; i < s->len;) {
		uint32_t c;
		size_t n = utf8((const unsigned char *)s->text + i, &c);

		if (!n || (acts(c) && (c >= 0x80 || !c || !strchr(allowed, (int)c)))) {
			size_t from = i > 100 ? i - 100 : 0;

			fprintf(stderr, "at %zu, %02x: %.*s\n", i, (unsigned char)s->text[i], (int)(i - from),
				s->text + from);
			fuzz_failed("what is printed does nothing to a terminal", __FILE__, __LINE__);
		}
		i += n;
	}
}

static void check_json(const struct stream *s)
{
	const char *line = s->text, *end;
	struct value *tree;
	struct error err = {0};
	struct arena arena;

	while (*line) {
		end = strchr(line, '\n');
		if (!end)
			fuzz_failed(line, __FILE__, __LINE__);
		arena_init(&arena, (size_t)64 << 20);
		if (json_read(reader, line, (size_t)(end - line), &arena, &tree, &err)) {
			fprintf(stderr, "%s: %s", err.text, line);
			fuzz_failed("what is printed with --json is JSON", __FILE__, __LINE__);
		}
		arena_fini(&arena);
		line = end + 1;
	}
}

/* Its life --------------------------------------------------------------------------------------------------------------- */

static void clean(void)
{
	DIR *dir = folder[0] ? opendir(folder) : NULL;
	const struct dirent *entry;
	char path[400];

	while (dir && (entry = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			(void)unlink(path);
	}
	if (dir)
		(void)closedir(dir);
	(void)rmdir(folder);
}

static void set_up(void)
{
	(void)snprintf(folder, sizeof(folder), "%s/fc-fuzz-cli-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	fuzz_check(mkdtemp(folder) && !atexit(clean));
	ours = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz_check(ours >= 0 && before >= 0);
	(void)snprintf(in_path, sizeof(in_path), "%s/in", folder);
	(void)snprintf(out_path, sizeof(out_path), "%s/out", folder);
	FILE *in = fopen(in_path, "w");
	fuzz_check(in && fputs("a file's text\n", in) >= 0 && !fclose(in));
	reader = json_reader_new((size_t)64 << 20);
	fuzz_check(reader);
}

/* Its files: where the call says, or by a plain name where it was called. */
static void check_files(void)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);

	fuzz_check(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		fuzz_check(!strchr(entry->d_name, '/'));
		if (strcmp(entry->d_name, "in") != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	(void)closedir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	char *argv[WORDS + 3], name[] = "forecourt", json[] = "--json";
	char copies[WORDS][96];
	int argc = 1;

	if (!reader)
		set_up();
	const struct call *call = &calls[fuzz_pick(&in, sizeof(calls) / sizeof(calls[0]))];
	unsigned how = fuzz_byte(&in);
	argv[0] = name;
	for (int i = 0; i < WORDS && call->words[i]; i++) {
		const char *word = call->words[i];

		word = !strcmp(word, "IN") ? in_path : !strcmp(word, "OUT") ? out_path : word;
		(void)snprintf(copies[i], sizeof(copies[i]), "%s", word);
		argv[argc++] = copies[i];
	}
	if (how & HOW_WORD && argc > 3)
		argc--;
	if (how & HOW_JSON)
		argv[argc++] = json;
	argv[argc] = NULL;
	fuzz_check(!setenv("LC_ALL", how & HOW_CHINESE ? "zh_CN.UTF-8" : "C.UTF-8", 1));
	daemon_ = (struct daemon){.in = in, .how = how | (call->csv ? 0 : HOW_TERMINAL)};
	fuzz_check(!fchdir(ours));
	begin_stream(&streams[0], STDOUT_FILENO);
	begin_stream(&streams[1], STDERR_FILENO);
	int code = cli_main(argc, argv, "fuzz");
	(void)fflush(stdout);
	end_stream(&streams[0]);
	end_stream(&streams[1]);
	fuzz_check(!fchdir(before));
	free(daemon_.answer);
	if (fuzz_shows())
		fprintf(stderr, "  %d %s %s\n%s%s", code, call->words[0], call->words[1] ? call->words[1] : "",
			streams[0].text, streams[1].text);
	fuzz_check(code >= CLI_DONE && code <= CLI_AWAY);
	/* Mistakes of a file are what was asked for, and an object says itself what became of it. */
	fuzz_check(code == CLI_DONE || streams[0].len || streams[1].len);
	if (how & HOW_JSON)
		check_json(&streams[0]);
	/* A progress is written over itself. */
	check_safe(&streams[1], "\n\r");
	if (!call->csv || how & HOW_JSON)
		check_safe(&streams[0], "\n\t");
	check_files();
	return 0;
}
