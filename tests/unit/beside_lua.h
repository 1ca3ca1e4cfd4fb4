/* How long a script takes in a sandbox of ours, and how long in a state with Lua's own library. */
#ifndef FC_TESTS_BESIDE_LUA_H
#define FC_TESTS_BESIDE_LUA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "cpu_time.h"
#include "script/sandbox.h"

/* A sanitizer is in our code and not in the library beside it: there the bodies run, and nothing is said of their time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { TIME_SAYS_SOMETHING = 0 };
#else
enum { TIME_SAYS_SOMETHING = 1 };
#endif

/* The least of several rounds, taken in turns: what else the machine does is not in all of them. */
static inline void time_beside_lua(lua_State *stock, struct sandbox *box, const char *body, int64_t us[2])
{
	lua_State *states[2] = {stock, box->L};

	us[0] = us[1] = INT64_MAX;
	for (int round = 0; round < 8; round++) {
		for (int k = 0; k < 2; k++) {
			sandbox_budget(box, 2000000000, 0);
			assert_int_equal(luaL_loadstring(states[k], body), LUA_OK);
			int64_t begin = cpu_us();
			if (lua_pcall(states[k], 0, 0, 0))
				fail_msg("%s", lua_tostring(states[k], -1));
			int64_t took = cpu_us() - begin;
			if (took < us[k])
				us[k] = took;
		}
	}
}

/* In the sandbox the body takes at most that many times what it takes in the other state. */
static inline void assert_times_lua(lua_State *stock, struct sandbox *box, const char *body, int times)
{
	int64_t us[2];
	int is_good = 0;

	for (int try = 0; try < CPU_TRIES && !is_good; try++) {
		time_beside_lua(stock, box, body, us);
		print_message("Lua's own %6lld us, in the sandbox %6lld us: %.2f   %.60s\n", (long long)us[0],
			      (long long)us[1], (double)us[1] / (double)(us[0] ? us[0] : 1), body);
		is_good = !TIME_SAYS_SOMETHING || us[1] < us[0] * times + 1000;
	}
	assert_true(is_good);
}

#endif
