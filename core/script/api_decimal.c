/* Decimals for scripts: exact, or an error. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/decimal.h"
#include "base/wide.h"
#include "script/api.h"
#include "script/library.h"

#define DECIMAL "forecourt.decimal"

enum { DECIMALS_MAX = 9, TEXT_MAX = 40, DIGITS_SURE = 18 /* so many always fit */ };

/* scaled / 10^decimals; as many decimals as it was written or calculated with. */
struct decimal {
	int64_t scaled;
	int decimals;
};

static const char too_long[] = "has more than 18 digits", no_number[] = "is no number such as 12.5 or \"12.50\"";

static uint32_t power_of_ten(int n)
{
	uint32_t p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

static uint64_t magnitude(int64_t i)
{
	return i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
}

static int push(lua_State *L, struct decimal d)
{
	struct decimal *made = lua_newuserdatauv(L, sizeof(*made), 0);

	*made = d;
	luaL_setmetatable(L, DECIMAL);
	return 1;
}

/* Does not come back. */
static void overflow(lua_State *L)
{
	luaL_error(L, "decimal: the result has more than 18 digits");
}

/* A result with just so many decimals, or an error. */
static struct decimal exactly(lua_State *L, struct wide w, int negative, int decimals)
{
	if (w.high || w.low > INT64_MAX)
		overflow(L);
	return (struct decimal){negative ? -(int64_t)w.low : (int64_t)w.low, decimals};
}

/* A result before it is known to fit. Zeros at its end are given up where that makes it fit; anything else is an error. */
static struct decimal fit(lua_State *L, struct wide w, int negative, int decimals)
{
	while (decimals > 0 && (decimals > DECIMALS_MAX || w.high || w.low > INT64_MAX)) {
		struct wide shorter = w;

		if (wide_shrink(&shorter, 10))
			break;
		w = shorter;
		decimals--;
	}
	if (decimals > DECIMALS_MAX)
		luaL_error(L, "decimal: the result has more than 9 decimals: say how many with mul, div or round");
	return exactly(L, w, negative, decimals);
}

/* Reading ------------------------------------------------------------------------------------------------------------- */

/* What is being read: digits times 10^-decimals. */
struct written {
	char digits[TEXT_MAX];
	size_t count;
	int negative, decimals;
};

/* most: at -1 the number is taken exactly or not at all, else rounded half up to so many decimals. NULL, or why not. */
static const char *take(struct written *w, int most, struct decimal *out)
{
	struct decimal d = {0, 0};
	char dropped = '0';

	for (; most >= 0 && w->decimals > most; w->decimals--)
		dropped = (char)(w->count ? w->digits[--w->count] : '0');
	for (; most < 0 && w->decimals > 0 && (w->decimals > DECIMALS_MAX || w->count > DIGITS_SURE) && w->count &&
	       w->digits[w->count - 1] == '0';
	     w->decimals--)
		w->count--;
	if (w->decimals > DECIMALS_MAX && w->count)
		return "has more than 9 decimals";
	for (size_t i = 0; i < w->count; i++)
		if (__builtin_mul_overflow(d.scaled, 10, &d.scaled) ||
		    __builtin_add_overflow(d.scaled, w->digits[i] - '0', &d.scaled))
			return too_long;
	if (dropped >= '5' && __builtin_add_overflow(d.scaled, 1, &d.scaled))
		return too_long;
	for (; w->decimals < 0; w->decimals++)
		if (__builtin_mul_overflow(d.scaled, 10, &d.scaled))
			return too_long;
	d.decimals = w->decimals < DECIMALS_MAX ? w->decimals : DECIMALS_MAX;
	if (w->negative)
		d.scaled = -d.scaled;
	*out = d;
	return NULL;
}

static const char *from_text(const char *text, size_t len, int most, struct decimal *out)
{
	struct written w = {.count = 0};
	int point = 0;

	if (!len || len >= TEXT_MAX)
		return no_number;
	w.negative = *text == '-';
	for (size_t i = *text == '-' || *text == '+'; i < len; i++) {
		if (text[i] == '.' && !point) {
			point = 1;
		} else if (text[i] >= '0' && text[i] <= '9') {
			w.digits[w.count++] = text[i];
			w.decimals += point;
		} else {
			return no_number;
		}
	}
	return w.count ? take(&w, most, out) : no_number;
}

/* A binary number stands for the decimal of at most 15 digits that a person would write for it. */
static const char *from_float(double f, int most, struct decimal *out)
{
	struct written w = {.count = 0};
	char text[TEXT_MAX];

	if (!isfinite(f))
		return "is not a finite number";
	(void)snprintf(text, sizeof(text), "%.14e", f);
	if (most < 0 && strtod(text, NULL) != f)
		return "has no decimal of at most 15 digits: round it by a second argument, or take a text";
	const char *exponent = strchr(text, 'e');
	for (const char *c = text; c < exponent; c++)
		if (*c >= '0' && *c <= '9')
			w.digits[w.count++] = *c;
	while (w.count > 1 && w.digits[w.count - 1] == '0')
		w.count--;
	w.negative = f < 0;
	w.decimals = (int)w.count - 1 - (int)strtol(exponent + 1, NULL, 10);
	return take(&w, most, out);
}

/* The text of a fixed(), pushed; or 0. */
static int push_fixed(lua_State *L, int index)
{
	if (!lua_getmetatable(L, index))
		return 0;
	luaL_getmetatable(L, LIBRARY_FIXED);
	int is_fixed = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return is_fixed && lua_rawgeti(L, index, 1) == LUA_TSTRING;
}

/* Any number that a script may hold: a decimal, an integer, a float, a text, a fixed(). most as above. */
static const char *read_number(lua_State *L, int index, int most, struct decimal *out)
{
	const struct decimal *d = luaL_testudata(L, index, DECIMAL);
	const char *text, *why;
	size_t len;

	if (d || lua_isinteger(L, index)) {
		*out = d ? *d : (struct decimal){lua_tointeger(L, index), 0};
		if (most >= 0 && out->decimals > most)
			*out = (struct decimal){decimal_rescale(out->scaled, out->decimals, most), most};
		return out->scaled == INT64_MIN ? too_long : NULL;
	}
	switch (lua_type(L, index)) {
	case LUA_TNUMBER:
		return from_float(lua_tonumber(L, index), most, out);
	case LUA_TSTRING:
		text = lua_tolstring(L, index, &len);
		return from_text(text, len, most, out);
	case LUA_TTABLE:
		if (!push_fixed(L, index))
			break;
		text = lua_tolstring(L, -1, &len);
		why = from_text(text, len, most, out);
		lua_pop(L, 1);
		return why;
	default:
		break;
	}
	return no_number;
}

/* Does not come back. */
static void refuse(lua_State *L, int index, const char *why)
{
	int is_short =
	    lua_type(L, index) == LUA_TNUMBER || (lua_type(L, index) == LUA_TSTRING && lua_rawlen(L, index) < TEXT_MAX);

	luaL_error(L, "decimal: %s %s", is_short ? luaL_tolstring(L, index, NULL) : luaL_typename(L, index), why);
}

static struct decimal check(lua_State *L, int index)
{
	struct decimal d = {0, 0};
	const char *why = read_number(L, index, -1, &d);

	if (why)
		refuse(L, index, why);
	return d;
}

static struct decimal check_self(lua_State *L)
{
	const struct decimal *d = luaL_checkudata(L, 1, DECIMAL);

	return *d;
}

static int check_decimals(lua_State *L, int index)
{
	lua_Integer n = luaL_checkinteger(L, index);

	if (n < 0 || n > DECIMALS_MAX)
		luaL_error(L, "decimal: 0 to 9 decimals are allowed, not %I", (LUAI_UACINT)n);
	return (int)n;
}

/* Calculating ---------------------------------------------------------------------------------------------------------- */

/* Brings d to n decimals, half up (away from zero at the middle). */
static struct decimal rounded(lua_State *L, struct decimal d, int n)
{
	int64_t scaled = decimal_rescale(d.scaled, d.decimals, n);

	if (n > d.decimals && (scaled == INT64_MAX || scaled == INT64_MIN))
		overflow(L);
	return (struct decimal){scaled, n};
}

static int make(lua_State *L)
{
	struct decimal d = {0, 0};

	if (lua_isnoneornil(L, 2))
		return push(L, check(L, 1));
	int n = check_decimals(L, 2);
	const char *why = read_number(L, 1, n, &d);
	if (why)
		refuse(L, 1, why);
	return push(L, rounded(L, d, n));
}

static struct decimal without_zeros(struct decimal d)
{
	while (d.decimals > 0 && d.scaled % 10 == 0) {
		d.scaled /= 10;
		d.decimals--;
	}
	return d;
}

/* The size of a with so many decimals; 2^63 * 10^9 fits. */
static struct wide aligned(struct decimal a, int decimals)
{
	struct wide w = {0, magnitude(a.scaled)};

	(void)wide_scale(&w, power_of_ten(decimals - a.decimals));
	return w;
}

static int sum(lua_State *L, struct decimal a, struct decimal b)
{
	int decimals = a.decimals > b.decimals ? a.decimals : b.decimals;
	struct wide x = aligned(a, decimals), y = aligned(b, decimals);

	if ((a.scaled < 0) == (b.scaled < 0))
		return push(L, fit(L, wide_sum(x, y), a.scaled < 0, decimals));
	if (wide_compare(x, y) >= 0)
		return push(L, fit(L, wide_difference(x, y), a.scaled < 0, decimals));
	return push(L, fit(L, wide_difference(y, x), b.scaled < 0, decimals));
}

static int add(lua_State *L)
{
	struct decimal a = check(L, 1), b = check(L, 2);

	return sum(L, a, b);
}

static int subtract(lua_State *L)
{
	struct decimal a = check(L, 1), b = check(L, 2);

	b.scaled = -b.scaled;
	return sum(L, a, b);
}

static int multiply(lua_State *L)
{
	struct decimal a = check(L, 1), b = check(L, 2);

	return push(L, fit(L, wide_product(magnitude(a.scaled), magnitude(b.scaled)), (a.scaled < 0) != (b.scaled < 0),
			   a.decimals + b.decimals));
}

static int negate(lua_State *L)
{
	struct decimal d = check_self(L);

	d.scaled = -d.scaled;
	return push(L, d);
}

static int divide(lua_State *L)
{
	return luaL_error(L, "decimal: a quotient has any number of decimals: write a:div(b, n) with n decimals");
}

/* d:mul(x, n): of the exact product. */
static int multiply_rounded(lua_State *L)
{
	struct decimal a = check_self(L), b = check(L, 2);
	int n = check_decimals(L, 3), drop = a.decimals + b.decimals - n;
	struct wide w = wide_product(magnitude(a.scaled), magnitude(b.scaled));
	int negative = (a.scaled < 0) != (b.scaled < 0);

	for (; drop > 1; drop--)
		(void)wide_shrink(&w, 10);
	/* The first digit that is dropped decides; those after it change nothing. */
	if (drop == 1 && wide_shrink(&w, 10) >= 5)
		(void)wide_increase(&w);
	if (drop < 0 && wide_scale(&w, power_of_ten(-drop)))
		overflow(L);
	return push(L, exactly(L, w, negative, n));
}

static int divide_rounded(lua_State *L)
{
	struct decimal a = check_self(L), b = check(L, 2);
	int n = check_decimals(L, 3), e = n + b.decimals - a.decimals;
	int negative = (a.scaled < 0) != (b.scaled < 0);
	uint64_t d = magnitude(b.scaled);
	struct wide w = {0, magnitude(a.scaled)};

	if (!d)
		return luaL_error(L, "decimal: division by zero");
	/* At most 2^63 * 10^18: fits. */
	for (int k = e; k > 0; k--)
		(void)wide_scale(&w, 10);
	uint64_t rest = wide_divide(&w, d);
	if (e >= 0) {
		if (rest >= d - rest)
			(void)wide_increase(&w);
	} else {
		uint32_t p = power_of_ten(-e);

		/* Half of p * d or more is left exactly when p / 2 or more is left here. */
		if (wide_shrink(&w, p) >= p / 2)
			(void)wide_increase(&w);
	}
	return push(L, exactly(L, w, negative, n));
}

static int round_to(lua_State *L)
{
	struct decimal d = check_self(L);

	return push(L, rounded(L, d, check_decimals(L, 2)));
}

static int absolute(lua_State *L)
{
	struct decimal d = check_self(L);

	d.scaled = (int64_t)magnitude(d.scaled);
	return push(L, d);
}

/* Comparing ------------------------------------------------------------------------------------------------------------ */

/* -1, 0, 1. By whole parts first: bringing both to the same decimals might not fit. */
static int compare(struct decimal a, struct decimal b)
{
	int64_t pa = (int64_t)power_of_ten(a.decimals), pb = (int64_t)power_of_ten(b.decimals);
	int64_t wa = a.scaled / pa, wb = b.scaled / pb;

	if (wa != wb)
		return wa < wb ? -1 : 1;
	int64_t fa = decimal_rescale(a.scaled % pa, a.decimals, DECIMALS_MAX);
	int64_t fb = decimal_rescale(b.scaled % pb, b.decimals, DECIMALS_MAX);
	return fa < fb ? -1 : fa > fb;
}

static int is_equal(lua_State *L)
{
	const struct decimal *a = luaL_testudata(L, 1, DECIMAL), *b = luaL_testudata(L, 2, DECIMAL);

	lua_pushboolean(L, a && b && !compare(*a, *b));
	return 1;
}

static int is_less(lua_State *L)
{
	struct decimal a = check(L, 1), b = check(L, 2);

	lua_pushboolean(L, compare(a, b) < 0);
	return 1;
}

static int is_less_or_equal(lua_State *L)
{
	struct decimal a = check(L, 1), b = check(L, 2);

	lua_pushboolean(L, compare(a, b) <= 0);
	return 1;
}

/* Writing -------------------------------------------------------------------------------------------------------------- */

static void push_text(lua_State *L, struct decimal d)
{
	char text[TEXT_MAX];

	(void)decimal_format(d.scaled, d.decimals, text, sizeof(text));
	lua_pushstring(L, text);
}

int api_push_decimal_text(lua_State *L, int index)
{
	const struct decimal *d = luaL_testudata(L, index, DECIMAL);

	if (d)
		push_text(L, *d);
	return d != NULL;
}

int api_push_fixed_text(lua_State *L, int index, int n)
{
	struct decimal d;

	if (read_number(L, index, n, &d))
		return 0;
	int64_t scaled = decimal_rescale(d.scaled, d.decimals, n);
	if (n > d.decimals && (scaled == INT64_MAX || scaled == INT64_MIN))
		return 0;
	push_text(L, (struct decimal){scaled, n});
	return 1;
}

static int to_text(lua_State *L)
{
	push_text(L, check_self(L));
	return 1;
}

static int concatenate(lua_State *L)
{
	for (int i = 1; i <= 2; i++) {
		if (api_push_decimal_text(L, i))
			continue;
		(void)luaL_checkstring(L, i);
		lua_pushvalue(L, i);
	}
	lua_concat(L, 2);
	return 1;
}

/* The same mark that fixed() makes. */
static int to_fixed(lua_State *L)
{
	struct decimal d = check_self(L);
	int n = check_decimals(L, 2);

	lua_newtable(L);
	push_text(L, rounded(L, d, n));
	lua_rawseti(L, -2, 1);
	luaL_setmetatable(L, LIBRARY_FIXED);
	return 1;
}

static int to_number(lua_State *L)
{
	struct decimal d = without_zeros(check_self(L));

	if (d.decimals) {
		push_text(L, d);
		lua_pushnumber(L, strtod(lua_tostring(L, -1), NULL)); /* the nearest; a division might miss it */
	} else {
		lua_pushinteger(L, d.scaled);
	}
	return 1;
}

static const struct api_entry entries[] = {
    {"forecourt.decimal(x, n)", "decimal",
     "the exact decimal of an integer, a float, a text or a fixed(); with n rounded half up to n decimals", make},
    {"d:round(n)", "decimal", "rounded half up to n decimals, 0 to 9", round_to},
    {"d:mul(x, n)", "decimal", "the exact product, rounded half up to n decimals", multiply_rounded},
    {"d:div(x, n)", "decimal", "the exact quotient, rounded half up to n decimals", divide_rounded},
    {"d:abs()", "decimal", "without its sign", absolute},
    {"d:fixed(n)", "number for a message", "the same as fixed(d, n)", to_fixed},
    {"d:number()", "integer or float", "the nearest Lua number", to_number},
    {NULL, NULL, NULL, NULL}};

const struct api_subject api_decimal_subject = {
    .title = "Money and energy",
    .text = "Decimals are exact: up to 18 digits, up to 9 of them after the point; what does not fit is an error, "
	    "never another number. "
	    "`+`, `-`, `*`, `<`, `<=`, unary `-`, `..` and `tostring` take them, also mixed with numbers and texts of "
	    "digits; `==` is true only "
	    "between two decimals (`1.5` and `1.50` are equal). `/` is an error: `d:div(x, n)` says how many decimals. "
	    "A float stands for the "
	    "decimal of at most 15 digits that is written for it: `0.285` is 0.285, and `1/3` or `0.1 + 0.2`, which "
	    "have none, are an error "
	    "unless `n` is given. A sum has the decimals of the longer one, a product those of both. In a message or a "
	    "price list a decimal is a "
	    "number in just that form.",
    .metatable = DECIMAL,
    .entries = entries,
    .example = "local decimal = forecourt.decimal\n"
	       "local energy, price = decimal(\"12.345\"), decimal(0.285)   -- kWh, yuan per kWh\n"
	       "local money = (energy * price):round(2)                  -- 3.518325 becomes 3.52\n"
	       "assert(money == decimal(\"3.52\") and tostring(money) == \"3.52\")\n"
	       "assert(decimal(0.6) - 0.1 == decimal(\"0.5\"))\n"
	       "assert(tostring(decimal(10):div(3, 4)) == \"3.3333\")",
};

void api_decimal_open(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
	    {"__add", add},          {"__sub", subtract},       {"__mul", multiply}, {"__div", divide},
	    {"__unm", negate},       {"__eq", is_equal},        {"__lt", is_less},   {"__le", is_less_or_equal},
	    {"__tostring", to_text}, {"__concat", concatenate}, {NULL, NULL}};

	luaL_getmetatable(L, DECIMAL);
	luaL_setfuncs(L, metamethods, 0);
	lua_pop(L, 1);
}
