#include "base/error.h"

#include <stdio.h>

int error_set(struct error *err, int code, const char *fmt, ...)
{
	if (err) {
		va_list args;

		err->code = code;
		va_start(args, fmt);
		/* A text longer than the field is cut: the first part names the object. */
		(void)vsnprintf(err->text, sizeof(err->text), fmt, args);
		va_end(args);
	}
	return code;
}

const char *error_name(int code)
{
	switch (code) {
	case FC_OK:
		return "ok";
	case FC_EINVAL:
		return "invalid";
	case FC_ENOMEM:
		return "no memory";
	case FC_EIO:
		return "input/output";
	case FC_ENOENT:
		return "not found";
	case FC_ELIMIT:
		return "limit";
	case FC_EAUTH:
		return "not proven";
	case FC_EBUSY:
		return "busy";
	case FC_ETIMEOUT:
		return "timeout";
	case FC_ESCRIPT:
		return "script";
	case FC_EEXIST:
		return "exists";
	default:
		return "unknown";
	}
}
