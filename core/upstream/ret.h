/* Ret: the verdict codes of the protocol (protocol.md 1.8) and what a caller does about each. */
#ifndef FC_UPSTREAM_RET_H
#define FC_UPSTREAM_RET_H

enum ret {
	RET_BUSY = -1,        /* retry later */
	RET_OK = 0,           /* the business verdict is in Data */
	RET_SYSTEM = 500,     /* system error, retry later */
	RET_SIGNATURE = 4001, /* Sig wrong */
	RET_TOKEN = 4002,     /* token missing, wrong or expired */
	RET_ENVELOPE = 4003,  /* one of the five envelope fields missing or illegal */
	RET_PARAMETER = 4004, /* business parameter illegal, or Data can't be read (see envelope.h) */
	RET_DUPLICATE = 4015, /* Zhejiang: the order is there already */
};

enum ret_action {
	RET_DONE,      /* accepted: 0 and 4015 */
	RET_RETRY,     /* again after a delay: -1, 500 and codes nobody knows */
	RET_NEW_TOKEN, /* fetch a token, repeat once: 4002 */
	RET_GIVE_UP,   /* a fault to be repaired by people, do not loop: 4000, 4001, 4003 .. 4010 */
};

enum ret_action ret_action(int ret);
/* Short English text, used as Msg and in logs: "signature wrong". Never NULL. */
const char *ret_text(int ret);

#endif
