/* DBC: reads the plain part of a CAN database file (Vector's format): messages, signals, value tables, cycle times, floats.
 *
 * What a profile can't say (nested multiplexing, messages of more than 8 bytes, ...) is told by its line, and left out. */
#ifndef FC_CLI_DBC_H
#define FC_CLI_DBC_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { DBC_NAME = 64, DBC_UNIT = 16 };

struct dbc_value {
	int64_t number;
	char text[DBC_NAME];
};

struct dbc_signal {
	char name[DBC_NAME], unit[DBC_UNIT];
	int message; /* place */
	int start, bits, big, is_signed;
	enum { DBC_WHOLE, DBC_FLOAT, DBC_DOUBLE } form;
	double scale, offset, min, max; /* min == max: no range */
	enum { DBC_ALWAYS, DBC_MUX, DBC_MUXED } kind;
	uint32_t mux; /* of DBC_MUXED */
	int line;
	struct dbc_value *values;
	int value_count;
};

struct dbc_message {
	char name[DBC_NAME];
	uint32_t id;
	int extended, bytes, period_ms; /* 0: not said */
	int mux;                        /* place of the signal that selects, or -1 */
	int line;
};

struct dbc {
	struct dbc_message *messages;
	struct dbc_signal *signals;
	int message_count, signal_count;
	int left_out; /* told by line */
};

/* text: len bytes and a zero byte behind; is changed. FC_OK; FC_EINVAL: it has no message; FC_ENOMEM; FC_ELIMIT: over 4000 signals. Free with
 * dbc_fini in any case. */
int dbc_read(struct dbc *dbc, char *text, size_t len, void (*left_out)(void *user, int line, const char *what),
	     void *user, struct error *err);
void dbc_fini(struct dbc *dbc);

#endif
