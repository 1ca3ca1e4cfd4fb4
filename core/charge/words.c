#include "charge/words.h"

#include <stdio.h>
#include <string.h>

const char *words_reason(int reason)
{
	switch ((enum session_reason)reason) {
	case SESSION_BY_USER:
		return "stopped on site";
	case SESSION_BY_PLATFORM:
		return "stopped by command";
	case SESSION_BY_CAR:
		return "ended by car or charger";
	case SESSION_BY_FAULT:
		return "fault";
	case SESSION_BY_UNPLUGGING:
		return "unplugged";
	case SESSION_BY_SILENCE:
		return "the charger did not come back";
	case SESSION_NOT_STARTED:
		return "did not start";
	case SESSION_NOT_AUTHORISED:
		return "began on site, not authorised";
	case SESSION_RESERVED:
		return "began on site, the connector was reserved";
	case SESSION_UNSEEN:
		return "went by unseen, nobody's";
	case SESSION_KEEP_REASON:
		break;
	}
	return "unknown";
}

const char *words_mode(enum order_mode mode)
{
	switch (mode) {
	case ORDER_BY_PLATFORM:
		return "platform";
	case ORDER_BY_CARD:
		return "card";
	case ORDER_OTHER:
		return "operator or on site";
	case ORDER_UNKNOWN_MODE:
		return "nobody";
	}
	return "unknown";
}

const char *words_masked(const char *user, char out[WORDS_MASKED])
{
	size_t len = strlen(user);

	(void)snprintf(out, WORDS_MASKED, "%s%s", len ? "***" : "", len > 4 ? user + len - 4 : "");
	return out;
}

const char *words_repair(enum split_repair repair)
{
	switch (repair) {
	case SPLIT_RESET:
		return "the register went back: counted on from its new value";
	case SPLIT_JUMP:
		return "the register jumped: not counted";
	case SPLIT_GAP:
		return "no readings for a while: periods are interpolated";
	case SPLIT_UNSEEN:
		return "went by while the gateway or the charger was away";
	case SPLIT_LATE:
		return "the meter could not be read at the start: counted from its first reading";
	case SPLIT_METER:
		return "another meter took over: what went by between is not counted";
	case SPLIT_UNREAD:
		return "the meter could not be read from start to end: the energy is not known";
	case SPLIT_MERGED:
		return "more periods than there is room for: the last line holds several";
	}
	return "unknown";
}
