#include "upstream/ret.h"

enum ret_action ret_action(int ret)
{
	switch (ret) {
	case RET_OK:
	case RET_DUPLICATE:
		return RET_DONE;
	case RET_TOKEN:
		return RET_NEW_TOKEN;
	case RET_SIGNATURE:
	case RET_ENVELOPE:
	case RET_PARAMETER:
		return RET_GIVE_UP;
	default:
		break;
	}
	/* protocol.md 1.8: one vendor's own range, to be treated as 4004. */
	return ret == 4000 || (ret >= 4005 && ret <= 4010) ? RET_GIVE_UP : RET_RETRY;
}

const char *ret_text(int ret)
{
	switch (ret) {
	case RET_BUSY:
		return "system busy";
	case RET_OK:
		return "success";
	case RET_SYSTEM:
		return "system error";
	case RET_SIGNATURE:
		return "signature wrong";
	case RET_TOKEN:
		return "token missing, wrong or expired";
	case RET_ENVELOPE:
		return "envelope parameter missing or illegal";
	case RET_PARAMETER:
		return "business parameter illegal";
	case RET_DUPLICATE:
		return "order exists already";
	default:
		return "unknown verdict";
	}
}
