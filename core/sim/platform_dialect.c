#include "sim/platform_dialect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { E4 = 10000, WHOLE_DIGITS_MAX = 9 };

static const char *const unchanged[][2] = {{NULL, NULL}};
static const char *const strict_paths[][2] = {
    {"query_equip_business_policy", "query_business_policy"},
    {"notification_charge_order_info", "notification_order_info"},
    {NULL, NULL},
};
static const struct dialect dialects[] = {
    {"base", "SevicePrice", "SeviceMoney", "DetailSeviceMoney", "TotalSeviceMoney", "Status", "ConfirmResult", 2, 0,
     unchanged},
    {"strict", "ServicePrice", "ServiceMoney", "DetailServiceMoney", "TotalServiceMoney", "ConfirmResult", "SuccStat",
     3, 1, strict_paths},
};

const struct dialect *dialect_find(const char *name)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
		if (!strcmp(dialects[i].name, name))
			return &dialects[i];
	return NULL;
}

const char *dialect_path(const struct dialect *dialect, const char *method)
{
	for (int i = 0; dialect->renamed[i][0]; i++)
		if (!strcmp(dialect->renamed[i][0], method))
			return dialect->renamed[i][1];
	return method;
}

const char *dialect_method(const struct dialect *dialect, const char *path)
{
	for (int i = 0; dialect->renamed[i][0]; i++)
		if (!strcmp(dialect->renamed[i][1], path))
			return dialect->renamed[i][0];
	return path;
}

/* Digits, a point, exactly so many digits. */
static int text_decimal(const char *text, int places, int64_t *e4)
{
	size_t whole = text ? strspn(text, "0123456789") : 0;

	if (!whole || whole > WHOLE_DIGITS_MAX || text[whole] != '.' ||
	    strspn(text + whole + 1, "0123456789") != (size_t)places || text[whole + 1 + (size_t)places])
		return -1;
	*e4 = llround(strtod(text, NULL) * E4);
	return 0;
}

int dialect_decimal(const struct dialect *dialect, const json_t *object, const char *key, int places, int64_t *e4)
{
	const json_t *value = json_object_get(object, key);
	double number = json_number_value(value);
	double steps = number * pow(10, places);

	if (dialect->text)
		return text_decimal(json_string_value(value), places, e4);
	/* More decimals than the standard's are money or energy that the other side would lose. */
	if (!json_is_number(value) || number < 0 || number > 1e9 || fabs(steps - round(steps)) > 1e-4)
		return -1;
	*e4 = llround(number * E4);
	return 0;
}
