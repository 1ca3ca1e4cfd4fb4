/* Each kind of bad certificate is refused on both sides, and then nothing of a request has gone out or been handled.
 * openssl s_server shows every byte that came, so it also proves that none did; it and s_client speak TLS 1.1 too. */
#include "folder.h"
#include "loop_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct fixture {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct seen seen;
	int descriptors; /* open before the test */
};

struct files {
	char certificate[128], key[128], ca[128];
};

/* Where the certificates are: made once for all tests. */
static char folder[64];

static const char *file(char *out, size_t size, const char *name, const char *end)
{
	(void)snprintf(out, size, "%s/%s%s", folder, name, end);
	return out;
}

static int make_certificates(void **state)
{
	const char *tests = getenv("FORECOURT_TESTS");
	char command[512];

	(void)state;
	folder_make(folder, sizeof(folder), "tls");
	(void)snprintf(command, sizeof(command), "sh '%s/make-certs.sh' '%s'", tests ? tests : "tests/unit", folder);
	return system(command) ? -1 : 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	folder_remove(folder);
	return 0;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	f->descriptors = open_descriptors();
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	*state = f;
	return 0;
}

static void end_both(struct fixture *f)
{
	http_client_free(f->client);
	http_server_free(f->server);
	f->client = NULL;
	f->server = NULL;
	f->seen = (struct seen){0};
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	end_both(f);
	loop_free(f->loop);
	int left = open_descriptors() - f->descriptors;
	free(f);
	if (left)
		print_error("%d descriptors left open\n", left);
	return left;
}

static struct http_server *new_server(struct fixture *f, const char *name, const char *certificate,
				      const char *client_ca, enum http_client_cert client_cert, struct seen *seen)
{
	struct files files;
	struct error err = {0};
	struct http_server_config config = {
	    .name = name,
	    .address = "127.0.0.1",
	    .certificate = file(files.certificate, sizeof(files.certificate), certificate, ".pem"),
	    .key = file(files.key, sizeof(files.key), certificate, ".key"),
	    .client_ca = client_ca ? file(files.ca, sizeof(files.ca), client_ca, ".pem") : NULL,
	    .client_cert = client_cert,
	};
	struct http_server *server = http_server_new(f->loop, &config, seen_handler, seen, &err);

	if (!server)
		fail_msg("%s", err.text);
	return server;
}

static void serve(struct fixture *f, const char *certificate)
{
	f->server = new_server(f, "test", certificate, NULL, HTTP_CLIENT_CERT_NONE, &f->seen);
}

/* certificate: the client's own, or NULL. ca NULL: the system's bundle. */
static void ask(struct fixture *f, const char *host, int port, const char *ca, const char *certificate)
{
	struct files files;
	struct error err = {0};
	struct http_client_config config = {
	    .name = "asks",
	    .host = host,
	    .port = port,
	    .tls = 1,
	    .ca = ca ? file(files.ca, sizeof(files.ca), ca, ".pem") : NULL,
	    .certificate = certificate ? file(files.certificate, sizeof(files.certificate), certificate, ".pem") : NULL,
	    .key = certificate ? file(files.key, sizeof(files.key), certificate, ".key") : NULL,
	};

	f->client = http_client_new(f->loop, &config, &err);
	if (!f->client)
		fail_msg("%s", err.text);
}

static void expect_good(struct fixture *f, const char *what)
{
	struct told told = {0};

	post(f->client, "{\"secret\":1}", &told);
	turn_until(f->loop, &told.done, 1);
	if (told.status != 200)
		fail_msg("%s: %s", what, told.err.text);
	assert_int_equal(f->seen.requests, 1);
	assert_string_equal(f->seen.body_start, "{\"secret\":1}");
}

/* code and words: what the client must say. */
static void expect_refused(struct fixture *f, const char *what, int code, const char *words)
{
	struct told told = {0};

	post(f->client, "{\"secret\":1}", &told);
	turn_until(f->loop, &told.done, 1);
	turn_for(f->loop, 30);
	if (told.status || told.err.code != code || !strstr(told.err.text, words))
		fail_msg("%s: status %d, code %d, %s", what, told.status, told.err.code, told.err.text);
	assert_int_equal(told.done, 1);
	assert_int_equal(f->seen.requests, 0);
}

/* openssl as a child: its input and its output with errors are pipes. */
struct child {
	pid_t pid;
	int in, out;
	size_t len;
	char text[65536];
};

static void start(struct child *child, const char *const *arguments)
{
	posix_spawn_file_actions_t actions;
	int in[2], out[2];

	*child = (struct child){0};
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, in[0], 0), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out[1], 1), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out[1], 2), 0);
	assert_int_equal(
	    posix_spawnp(&child->pid, arguments[0], &actions, NULL, (char *const *)(size_t)arguments, environ), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	child->in = in[1];
	child->out = out[0];
	assert_int_equal(fcntl(child->out, F_SETFL, O_NONBLOCK), 0);
}

/* Takes what the child has written so far; 1 when it has closed its output. */
static int take(struct child *child)
{
	for (;;) {
		ssize_t n = read(child->out, child->text + child->len, sizeof(child->text) - 1 - child->len);

		if (n == 0)
			return 1;
		if (n < 0)
			return 0;
		child->len += (size_t)n;
		/* s_client prints the session with zero bytes. */
		for (size_t i = 0; i < child->len; i++)
			if (!child->text[i])
				child->text[i] = '.';
		child->text[child->len] = '\0';
		assert_true(child->len + 1 < sizeof(child->text));
	}
}

/* want NULL: until the child ends. */
static void wait_for(struct fixture *f, struct child *child, const char *want)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	for (;;) {
		int closed = take(child);

		if (want ? strstr(child->text, want) != NULL : closed)
			return;
		if (closed || clock_mono_ms() > end)
			fail_msg("'%s' never came: %s", want ? want : "(end)", child->text);
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
	}
}

static void stop(struct child *child)
{
	int status;

	close(child->in);
	(void)kill(child->pid, SIGTERM);
	/* What it wrote at its end counts too. */
	assert_int_equal(fcntl(child->out, F_SETFL, 0), 0);
	(void)take(child);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	close(child->out);
}

/* openssl s_server with this certificate; the port it got. version: "-tls1_1" ..., or NULL. */
static int openssl_serves(struct fixture *f, struct child *child, const char *certificate, const char *version)
{
	struct files files;
	const char *arguments[] = {"openssl",  "s_server",
				   "-accept",  "127.0.0.1:0",
				   "-naccept", "1",
				   "-cert",    file(files.certificate, sizeof(files.certificate), certificate, ".pem"),
				   "-key",     file(files.key, sizeof(files.key), certificate, ".key"),
				   "-cipher",  "DEFAULT:@SECLEVEL=0",
				   version,    NULL};
	const char *at;

	start(child, arguments);
	wait_for(f, child, "ACCEPT 127.0.0.1:");
	at = strstr(child->text, "ACCEPT 127.0.0.1:") + strlen("ACCEPT 127.0.0.1:");
	while (!strchr(at, '\n')) {
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
		(void)take(child);
	}
	return (int)strtol(at, NULL, 10);
}

/* session: "-sess_out" or "-sess_in" with its file, or NULL. */
static void openssl_asks(struct child *child, int port, const char *version, const char *session,
			 const char *session_file)
{
	char to[32];
	const char *arguments[] = {"openssl",  "s_client", "-connect", to,           "-cipher", "DEFAULT:@SECLEVEL=0",
				   "-ign_eof", version,    session,    session_file, NULL};
	static const char request[] = "GET /secret HTTP/1.0\r\n\r\n";

	(void)snprintf(to, sizeof(to), "127.0.0.1:%d", port);
	start(child, arguments);
	/* It may be gone already. */
	if (write(child->in, request, strlen(request)) < 0)
		assert_int_equal(errno, EPIPE);
}

static void test_good(void **state)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		serve(f, "good");
		ask(f, hosts[i], http_server_port(f->server), "ca", NULL);
		expect_good(f, hosts[i]);
		end_both(f);
	}
}

static void test_good_many(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};

	serve(f, "good");
	ask(f, "localhost", http_server_port(f->server), "ca", NULL);
	f->seen.answer_len = 500000;
	for (int i = 0; i < 20; i++)
		post(f->client, "{}", &told);
	turn_until(f->loop, &told.done, 20);
	assert_int_equal(told.failed, 0);
	assert_int_equal(told.len, 500000);
	assert_true(told.filled);
	assert_int_equal(f->seen.requests, 20);
}

/* why: what the operator reads, whatever texts wolfSSL was built with. */
static const struct {
	const char *name, *why;
} bad_servers[] = {
    {"wronghost", "tls: the certificate is not for "},
    {"wrongname", "tls: the certificate is not for "},
    {"otherca-server", ": signed by no CA that is trusted here"},
    {"expired", ": expired"},
    {"future", ": not valid yet by this clock"},
    {"selfsigned", ": signed by itself, and not trusted here"},
};
enum { BAD_SERVERS = sizeof(bad_servers) / sizeof(bad_servers[0]) };

static void test_bad_servers(void **state)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1"};
	struct fixture *f = *state;

	for (size_t i = 0; i < BAD_SERVERS * 2; i++) {
		serve(f, bad_servers[i / 2].name);
		ask(f, hosts[i % 2], http_server_port(f->server), "ca", NULL);
		/* Twice: a refused session must not be taken up again. */
		expect_refused(f, bad_servers[i / 2].name, FC_EAUTH, bad_servers[i / 2].why);
		expect_refused(f, bad_servers[i / 2].name, FC_EAUTH, bad_servers[i / 2].why);
		end_both(f);
	}
}

/* A CA that did not sign it, and the system's, do not make it good. */
static void test_not_the_ca(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	serve(f, "good");
	ask(f, "localhost", http_server_port(f->server), "otherca", NULL);
	expect_refused(f, "other CA", FC_EAUTH, ": signed by no CA that is trusted here");
	http_client_free(f->client);
	/* A box may have no bundle at all: then there is no client. */
	struct http_client_config config = {
	    .name = "asks", .host = "localhost", .port = http_server_port(f->server), .tls = 1};
	f->client = http_client_new(f->loop, &config, &err);
	if (f->client)
		expect_refused(f, "system's bundle", FC_EAUTH, ": signed by no CA that is trusted here");
	else
		assert_int_not_equal(err.code, FC_OK);
}

/* Each client trusts its own CA, also when another of the same shape was there before it. */
static void test_own_ca_only(void **state)
{
	struct fixture *f = *state;

	serve(f, "good");
	ask(f, "localhost", http_server_port(f->server), "ca", NULL);
	expect_good(f, "the right CA");
	struct http_client *first = f->client;
	f->seen = (struct seen){0};
	ask(f, "localhost", http_server_port(f->server), "otherca", NULL);
	expect_refused(f, "another client's CA", FC_EAUTH, ": signed by no CA that is trusted here");
	struct http_client *second = f->client;
	ask(f, "127.0.0.1", http_server_port(f->server), "ca", NULL);
	expect_good(f, "the right CA again");
	http_client_free(first);
	http_client_free(second);
}

/* A file that holds no certificate must not lead to a client that trusts everyone. */
static void test_unusable_ca(void **state)
{
	struct fixture *f = *state;
	struct files files;
	struct error err = {0};
	struct http_client_config config = {.name = "asks", .host = "localhost", .tls = 1};

	serve(f, "good");
	config.port = http_server_port(f->server);
	config.ca = file(files.ca, sizeof(files.ca), "good", ".key");
	f->client = http_client_new(f->loop, &config, &err);
	if (f->client)
		expect_refused(f, "no certificate in the file", FC_EAUTH, ": signed by no CA that is trusted here");
	else
		assert_int_not_equal(err.code, FC_OK);
	http_client_free(f->client);
	config.ca = file(files.ca, sizeof(files.ca), "missing", ".pem");
	f->client = http_client_new(f->loop, &config, &err);
	assert_null(f->client);
	assert_int_equal(err.code, FC_EIO);
}

/* A CA that has expired keeps no client from being made, which would keep the gateway from starting; nobody is trusted by it, also when
 * its name and key are those of a CA that signed what is good. Beside one that is valid it harms nobody. */
static void test_expired_ca(void **state)
{
	struct fixture *f = *state;

	serve(f, "good");
	ask(f, "localhost", http_server_port(f->server), "oldca", NULL);
	expect_refused(f, "an expired CA", FC_EAUTH, ": signed by no CA that is trusted here");
	expect_refused(f, "an expired CA, again", FC_EAUTH, ": signed by no CA that is trusted here");
	end_both(f);
	static const char *const both[] = {"oldca-ca", "ca-oldca"};
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		serve(f, "good");
		ask(f, "localhost", http_server_port(f->server), both[i], NULL);
		expect_good(f, both[i]);
		end_both(f);
	}
}

/* Likewise a server whose callers' CA has expired: it is there, and no certificate is good. */
static void test_expired_client_ca(void **state)
{
	struct fixture *f = *state;

	f->server = new_server(f, "test", "good", "oldca", HTTP_CLIENT_CERT_REQUIRED, &f->seen);
	ask(f, "localhost", http_server_port(f->server), "ca", "client-good");
	expect_refused(f, "a caller under an expired CA", FC_EIO, "it does not trust the CA of our certificate");
	end_both(f);
	f->server = new_server(f, "test", "good", "oldca-ca", HTTP_CLIENT_CERT_REQUIRED, &f->seen);
	ask(f, "localhost", http_server_port(f->server), "ca", "client-good");
	expect_good(f, "a caller under its successor");
}

static void test_no_verify(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	serve(f, "selfsigned");
	struct http_client_config config = {
	    .name = "asks", .host = "localhost", .port = http_server_port(f->server), .tls = 1, .no_verify = 1};
	f->client = http_client_new(f->loop, &config, &err);
	assert_non_null(f->client);
	expect_good(f, "no_verify");
}

/* The strict proof: a server that prints each byte it is sent. */
static void test_nothing_sent(void **state)
{
	struct fixture *f = *state;
	struct child child;

	int port = openssl_serves(f, &child, "good", NULL);
	struct told told = {0};
	ask(f, "localhost", port, "ca", NULL);
	post(f->client, "{\"secret\":1}", &told);
	wait_for(f, &child, "{\"secret\":1}"); /* it would be seen */
	assert_non_null(strstr(child.text, "Bearer SECRET"));
	http_client_free(f->client);
	f->client = NULL;
	assert_int_equal(told.failed, 1);
	stop(&child);
	for (size_t i = 0; i < BAD_SERVERS; i++) {
		port = openssl_serves(f, &child, bad_servers[i].name, NULL);
		ask(f, "localhost", port, "ca", NULL);
		expect_refused(f, bad_servers[i].name, FC_EAUTH, bad_servers[i].why);
		http_client_free(f->client);
		f->client = NULL;
		/* It ends after one connection, all it read is printed then. */
		wait_for(f, &child, NULL);
		stop(&child);
		assert_null(strstr(child.text, "POST"));
		assert_null(strstr(child.text, "ecret"));
	}
}

static void test_old_server(void **state)
{
	struct fixture *f = *state;
	struct child server, client;

	/* This openssl can do it at all. */
	int port = openssl_serves(f, &server, "good", "-tls1_1");
	openssl_asks(&client, port, "-tls1_1", NULL, NULL);
	wait_for(f, &server, "GET /secret");
	stop(&client);
	stop(&server);
	port = openssl_serves(f, &server, "good", "-tls1_1");
	ask(f, "localhost", port, "ca", NULL);
	expect_refused(f, "TLS 1.1 server", FC_EIO, "no version of TLS in common");
	wait_for(f, &server, NULL);
	assert_null(strstr(server.text, "POST"));
	stop(&server);
}

static void test_old_client(void **state)
{
	static const struct {
		const char *version;
		int good;
	} rows[] = {{"-tls1", 0}, {"-tls1_1", 0}, {"-tls1_2", 1}, {"-tls1_3", 1}};
	struct fixture *f = *state;
	struct child child;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		serve(f, "good");
		openssl_asks(&child, http_server_port(f->server), rows[i].version, NULL, NULL);
		wait_for(f, &child, NULL);
		if (f->seen.requests != rows[i].good)
			fail_msg("%s: %d requests: %s", rows[i].version, f->seen.requests, child.text);
		/* It was the other side that would not, not openssl here. */
		if (!rows[i].good)
			assert_non_null(strstr(child.text, "alert protocol version"));
		stop(&child);
		end_both(f);
	}
}

static void test_client_certificates(void **state)
{
	static const struct {
		enum http_client_cert wanted;
		const char *shown;
		const char *peer_name; /* NULL = refused ... */
		const char *why;       /* ... and this is what the client says */
	} rows[] = {
	    {HTTP_CLIENT_CERT_REQUIRED, NULL, NULL, "it asks for our certificate"},
	    {HTTP_CLIENT_CERT_REQUIRED, "client-otherca", NULL, "it does not trust the CA of our certificate"},
	    {HTTP_CLIENT_CERT_REQUIRED, "client-expired", NULL, "our certificate has expired, or is not valid yet"},
	    {HTTP_CLIENT_CERT_REQUIRED, "client-future", NULL, "our certificate has expired, or is not valid yet"},
	    {HTTP_CLIENT_CERT_REQUIRED, "selfsigned", NULL, "it refused our certificate"},
	    {HTTP_CLIENT_CERT_REQUIRED, "client-good", "operator-a", NULL},
	    {HTTP_CLIENT_CERT_OPTIONAL, NULL, "", NULL},
	    {HTTP_CLIENT_CERT_OPTIONAL, "client-otherca", NULL, "it does not trust the CA of our certificate"},
	    {HTTP_CLIENT_CERT_OPTIONAL, "client-expired", NULL, "our certificate has expired, or is not valid yet"},
	    {HTTP_CLIENT_CERT_OPTIONAL, "client-good", "operator-a", NULL},
	    {HTTP_CLIENT_CERT_NONE, "client-otherca", "", NULL},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char what[80];

		(void)snprintf(what, sizeof(what), "wanted %d, shown %s", (int)rows[i].wanted,
			       rows[i].shown ? rows[i].shown : "none");
		f->server = new_server(f, "test", "good", "ca", rows[i].wanted, &f->seen);
		ask(f, "localhost", http_server_port(f->server), "ca", rows[i].shown);
		if (rows[i].peer_name) {
			expect_good(f, what);
			assert_string_equal(f->seen.peer_name, rows[i].peer_name);
		} else {
			expect_refused(f, what, FC_EIO, rows[i].why);
		}
		end_both(f);
	}
}

/* Two servers on one loop with unlike rules: neither's rules or certificate are taken for the other's. */
static void test_two_servers(void **state)
{
	struct fixture *f = *state;
	struct seen open_seen = {0};

	f->server = new_server(f, "strict", "good", "ca", HTTP_CLIENT_CERT_REQUIRED, &f->seen);
	struct http_server *second = new_server(f, "open", "good", NULL, HTTP_CLIENT_CERT_NONE, &open_seen);
	struct http_server *foreign =
	    new_server(f, "localhost", "otherca-server", NULL, HTTP_CLIENT_CERT_NONE, &open_seen);
	struct told told = {0};

	ask(f, "localhost", http_server_port(second), "ca", NULL);
	post(f->client, "{}", &told);
	turn_until(f->loop, &told.done, 1);
	assert_int_equal(told.status, 200);
	assert_int_equal(open_seen.requests, 1);
	http_client_free(f->client);
	ask(f, "localhost", http_server_port(f->server), "ca", NULL);
	expect_refused(f, "no certificate at the strict one", FC_EIO, "it asks for our certificate");
	http_client_free(f->client);
	ask(f, "localhost", http_server_port(foreign), "ca", NULL);
	expect_refused(f, "the third's certificate", FC_EAUTH, ": signed by no CA that is trusted here");
	http_client_free(f->client);
	ask(f, "localhost", http_server_port(f->server), "ca", "client-good");
	expect_good(f, "certificate at the strict one");
	assert_int_equal(open_seen.requests, 1);
	http_server_free(second);
	http_server_free(foreign);
}

/* A session begun where no certificate is asked for must not open the door where one is. */
static void test_session_of_another_server(void **state)
{
	static const char *const versions[] = {"-tls1_2", "-tls1_3"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct seen open_seen = {0};
		struct child child;
		char session[128];

		f->server = new_server(f, "strict", "good", "ca", HTTP_CLIENT_CERT_REQUIRED, &f->seen);
		struct http_server *second = new_server(f, "open", "good", NULL, HTTP_CLIENT_CERT_NONE, &open_seen);

		(void)file(session, sizeof(session), versions[i], ".session");
		openssl_asks(&child, http_server_port(second), versions[i], "-sess_out", session);
		wait_for(f, &child, NULL);
		stop(&child);
		assert_int_equal(open_seen.requests, 1);
		if (!access(session, R_OK)) { /* no session kept is as good */
			openssl_asks(&child, http_server_port(f->server), versions[i], "-sess_in", session);
			wait_for(f, &child, NULL);
			stop(&child);
			if (f->seen.requests)
				fail_msg("%s: the strict server took it: %s", versions[i], child.text);
		}
		http_server_free(second);
		end_both(f);
	}
}

/* Plain text at the TLS port, and TLS at a plain port. */
static void test_mixed_up(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	serve(f, "good");
	struct http_client_config config = {.name = "asks", .host = "localhost", .port = http_server_port(f->server)};
	f->client = http_client_new(f->loop, &config, &err);
	assert_non_null(f->client);
	struct told told = {0};
	post(f->client, "{}", &told);
	turn_until(f->loop, &told.done, 1);
	assert_int_not_equal(told.status, 200);
	assert_int_equal(f->seen.requests, 0);
	end_both(f);
	struct http_server_config plain = {.name = "plain", .address = "127.0.0.1"};
	f->server = http_server_new(f->loop, &plain, seen_handler, &f->seen, &err);
	assert_non_null(f->server);
	ask(f, "localhost", http_server_port(f->server), "ca", NULL);
	expect_refused(f, "plain server", FC_EIO, "what came is no TLS");
}

/* A server with unusable files does not start, or refuses; it never runs open. */
static void test_unusable_server_files(void **state)
{
	struct fixture *f = *state;
	char certificate[128], key[128], ca[128];
	struct error err = {0};
	struct http_server_config config = {.name = "bad", .address = "127.0.0.1"};

	config.certificate = file(certificate, sizeof(certificate), "good", ".pem");
	config.key = file(key, sizeof(key), "missing", ".key");
	assert_null(http_server_new(f->loop, &config, seen_handler, &f->seen, &err));
	assert_int_equal(err.code, FC_EIO);
	/* Another's key. wolfSSL 5.5 does not tell for elliptic curves: then no handshake succeeds. */
	config.key = file(key, sizeof(key), "expired", ".key");
	f->server = http_server_new(f->loop, &config, seen_handler, &f->seen, &err);
	if (f->server) {
		ask(f, "localhost", http_server_port(f->server), "ca", NULL);
		expect_refused(f, "another's key", FC_EIO, "its key is not that of its certificate");
		end_both(f);
	}
	config.key = NULL;
	assert_null(http_server_new(f->loop, &config, seen_handler, &f->seen, &err));
	assert_int_equal(err.code, FC_EINVAL);
	config.key = file(key, sizeof(key), "good", ".key");
	config.client_cert = HTTP_CLIENT_CERT_REQUIRED;
	for (int i = 0; i < 2; i++) {
		config.client_ca = i ? file(ca, sizeof(ca), "good", ".key") : NULL; /* none, and no certificate in it */
		f->server = http_server_new(f->loop, &config, seen_handler, &f->seen, &err);
		if (!f->server)
			continue;
		ask(f, "localhost", http_server_port(f->server), "ca", "client-good");
		expect_refused(f, "client CA not usable", FC_EIO, "tls: handshake");
		end_both(f);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(test_good),
	    T(test_good_many),
	    T(test_bad_servers),
	    T(test_not_the_ca),
	    T(test_unusable_ca),
	    T(test_expired_ca),
	    T(test_expired_client_ca),
	    T(test_own_ca_only),
	    T(test_no_verify),
	    T(test_nothing_sent),
	    T(test_old_server),
	    T(test_old_client),
	    T(test_client_certificates),
	    T(test_two_servers),
	    T(test_session_of_another_server),
	    T(test_mixed_up),
	    T(test_unusable_server_files),
	};
#undef T

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
