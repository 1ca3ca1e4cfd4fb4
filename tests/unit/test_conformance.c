/* upstream/conformance: a run's life without a network. The messages are tests/system/test_conformance.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server_fixture.h"
#include "upstream/conformance.h"

/* A platform that was called once and is not any more: the run ends at its first look. */
static int nobody;

struct peer *client_peer(const struct client *client)
{
	assert_ptr_equal(client, &nobody);
	return NULL;
}

/* Found by fuzz_control: the timer of the run before was lost, and with it its memory (the suite asan tells). */
static void a_run_after_another_has_one_timer(void **state)
{
	struct fixture *f = *state;
	struct platform *p = f->platforms[0];
	struct error err = {0};
	const struct conformance_order order = {.seconds = 60, .trial_s = 1};

	p->loop = loop_new(NULL);
	assert_non_null(p->loop);
	p->client = (struct client *)&nobody;
	assert_int_equal(conformance_start(p, &order, &err), FC_OK);
	for (int i = 0; i < 3; i++) {
		int result = conformance_start(p, &order, &err);

		/* One at a time. */
		assert_int_equal(result, FC_EBUSY);
		while ((result = conformance_start(p, &order, &err)) == FC_EBUSY)
			assert_int_equal(loop_step(p->loop, 20), FC_OK);
		assert_int_equal(result, FC_OK);
	}
	platform_unwatch(p);
	p->client = NULL;
	loop_free(p->loop);
	p->loop = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_run_after_another_has_one_timer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
