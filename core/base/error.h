/* Errors: what failed, in words a person can act on.
 *
 * A function that can fail returns 0 or a negative FC_E... code and, where its caller needs the reason, fills a
 * struct error. The text names room, operation, object and cause: "bus: connect: 10.0.0.7:502: refused". An error
 * is logged once, where it is handled, never where it is made. */
#ifndef FC_BASE_ERROR_H
#define FC_BASE_ERROR_H

#include <stdarg.h>

enum {
	FC_OK = 0,
	FC_EINVAL = -1,   /* input breaks its rules */
	FC_ENOMEM = -2,   /* no memory, or a fixed limit is reached */
	FC_EIO = -3,      /* the system, the disk or the line said no */
	FC_ENOENT = -4,   /* no such object */
	FC_ELIMIT = -5,   /* a bound (size, time, count) was exceeded */
	FC_EAUTH = -6,    /* identity or signature not proven */
	FC_EBUSY = -7,    /* try again later */
	FC_ETIMEOUT = -8, /* no answer in time */
	FC_ESCRIPT = -9,  /* a Lua script failed */
	FC_EEXIST = -10,  /* it is there already */
};

#define ERROR_TEXT_MAX 320

struct error {
	int code;                  /* FC_E..., FC_OK when nothing failed */
	char text[ERROR_TEXT_MAX]; /* one line, no newline at the end */
};

/* Fills *err (which may be NULL) and returns code, so that "return error_set(err, FC_EIO, ...)" reads well. */
int error_set(struct error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The code's short English name, "invalid" ...; never NULL. */
const char *error_name(int code);

#endif
