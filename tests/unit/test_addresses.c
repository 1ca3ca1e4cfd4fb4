/* Which address of a name is tried: getaddrinfo() is this file's, so that the DNS says what a test wants. */
#include "loop_fixture.h"

#include <netdb.h>
#include <stdatomic.h>
#include <unistd.h>

#include "loop/addresses.h"

/* What the DNS says next: numbers of 192.0.2.x, "" = it does not know the name; how long it takes; how often it was asked. Written while nobody
 * asks. */
static const char *says = "";
static atomic_int slow_ms, asked;

static void add_address(char digit, struct addrinfo ***tail)
{
	struct addrinfo *a = calloc(1, sizeof(*a) + sizeof(struct sockaddr_in));
	struct sockaddr_in in = {.sin_family = AF_INET};

	assert_non_null(a);
	in.sin_addr.s_addr = htonl(0xC0000200U + (unsigned)(digit - '0'));
	a->ai_family = AF_INET;
	a->ai_socktype = SOCK_STREAM;
	a->ai_addrlen = sizeof(in);
	a->ai_addr = (struct sockaddr *)(a + 1);
	memcpy(a->ai_addr, &in, sizeof(in));
	**tail = a;
	*tail = &a->ai_next;
}

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
		struct addrinfo **restrict out)
{
	(void)service;
	(void)hints;
	assert_string_equal(name, "platform.test");
	asked++;
	if (slow_ms)
		usleep((unsigned)slow_ms * 1000);

	struct addrinfo *first = NULL, **tail = &first;
	for (const char *digit = says; *digit; digit++)
		add_address(*digit, &tail);
	*out = first;
	return *says ? 0 : EAI_AGAIN;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

struct fixture {
	struct loop *loop;
	struct addresses *addresses;
	int known;
};

static void count(void *user)
{
	((struct fixture *)user)->known++;
}

static void begin(struct fixture *f, const char *host)
{
	struct error err = {0};

	f->addresses = addresses_new(f->loop, "p1", host, count, f, &err);
	assert_non_null(f->addresses);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	says = "";
	slow_ms = asked = 0;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	addresses_free(f->addresses);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void wait_known(struct fixture *f, int times)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (f->known < times && clock_mono_ms() < end)
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
	assert_int_equal(f->known, times);
}

static const char *nth(const struct fixture *f, int attempt)
{
	int number = addresses_first(f->addresses);

	while (attempt--)
		number = addresses_next(f->addresses, number);
	return addresses_at(f->addresses, number);
}

static void an_address_is_never_looked_up(void **state)
{
	static const char *const hosts[] = {"192.0.2.7", "2001:db8::7"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		begin(f, hosts[i]);
		addresses_doubt(f->addresses);
		assert_true(addresses_ready(f->addresses));
		assert_int_equal(addresses_count(f->addresses), 1);
		assert_string_equal(nth(f, 0), hosts[i]);
		assert_int_equal(asked, 0);
		addresses_free(f->addresses);
		f->addresses = NULL;
	}
}

static void what_is_not_known_is_waited_for(void **state)
{
	struct fixture *f = *state;

	begin(f, "platform.test");
	assert_false(addresses_ready(f->addresses));
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 1);
	assert_int_equal(asked, 1);
	assert_int_equal(addresses_count(f->addresses), 0);
	assert_string_equal(addresses_why(f->addresses), gai_strerror(EAI_AGAIN));
	says = "123";
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 2);
	assert_true(addresses_ready(f->addresses));
	assert_string_equal(addresses_why(f->addresses), "");
	assert_int_equal(addresses_count(f->addresses), 3);
	assert_string_equal(nth(f, 0), "192.0.2.1");
	assert_string_equal(nth(f, 2), "192.0.2.3");
	assert_int_equal(asked, 2);
}

/* Also when the next look-up brings them in another order. */
static void the_one_that_worked_is_first(void **state)
{
	struct fixture *f = *state;

	says = "123";
	begin(f, "platform.test");
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 1);
	addresses_worked(f->addresses, addresses_next(f->addresses, addresses_first(f->addresses)));
	assert_string_equal(nth(f, 0), "192.0.2.2");
	assert_string_equal(nth(f, 1), "192.0.2.3");
	assert_string_equal(nth(f, 2), "192.0.2.1");
	says = "312";
	addresses_doubt(f->addresses);
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 2);
	assert_string_equal(nth(f, 0), "192.0.2.2");
	says = "45";
	addresses_doubt(f->addresses);
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 3);
	assert_int_equal(addresses_count(f->addresses), 2);
	assert_string_equal(nth(f, 0), "192.0.2.4");
	/* A number of before, when there were more. */
	assert_string_equal(addresses_at(f->addresses, 2), "192.0.2.4");
}

static void the_last_serve_while_the_dns_fails(void **state)
{
	struct fixture *f = *state;

	says = "1";
	begin(f, "platform.test");
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 1);
	says = "";
	addresses_doubt(f->addresses);
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 2);
	assert_true(addresses_ready(f->addresses));
	assert_string_equal(nth(f, 0), "192.0.2.1");
	assert_string_equal(addresses_why(f->addresses), gai_strerror(EAI_AGAIN));
	says = "9";
	addresses_doubt(f->addresses);
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 3);
	assert_string_equal(nth(f, 0), "192.0.2.9");
	assert_string_equal(addresses_why(f->addresses), "");
}

static void a_slow_dns_is_not_waited_for_longer_than_it_is_given(void **state)
{
	struct fixture *f = *state;

	says = "1";
	begin(f, "platform.test");
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 1);
	slow_ms = ADDRESSES_PATIENCE_MS + 1500;
	addresses_doubt(f->addresses);
	int64_t begun = clock_mono_ms();
	assert_false(addresses_ready(f->addresses));
	wait_known(f, 2);
	assert_true(clock_mono_ms() - begun >= ADDRESSES_PATIENCE_MS - 1);
	assert_true(addresses_ready(f->addresses));
	assert_string_equal(nth(f, 0), "192.0.2.1");
	/* It comes in the end. */
	wait_known(f, 3);
	assert_int_equal(asked, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_address_is_never_looked_up, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_not_known_is_waited_for, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_one_that_worked_is_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_last_serve_while_the_dns_fails, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_slow_dns_is_not_waited_for_longer_than_it_is_given, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
