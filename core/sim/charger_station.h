/* The simulated station: its chargers, its lines and the byte streams to them. For sim-charger only. */
#ifndef FC_SIM_CHARGER_STATION_H
#define FC_SIM_CHARGER_STATION_H

#include <stdint.h>

#include "sim/charger_modbus.h"
#include "sim/charger_model.h"

enum {
	PORT_MAX = 65535,
	CHARGERS_MAX = 1024,
	LINES_MAX = 8,
	UNITS_MAX = 247, /* Modbus over serial line V1.02, 2.2 */
	STREAMS_MAX = 4096,
	INPUT = 1024,
	TIMES = 200,
	STEP_MS = 50,
	LINE_PAUSE_MS = 100, /* a real line's 3.5 characters, with room for a sender that was held up */
	PENDING_MAX = 4096
};

enum fault { NORMAL, MUTE, LATE, TORN, EXCEPTION, STALE, WRONG_UNIT, GARBAGE };

struct charger {
	struct model_charger model;
	int listener; /* -1: on a line, or closed */
	int port;
	enum fault fault;
	int fault_value;
	unsigned long requests, polls; /* all, and those that read a connector's state */
	int connections, connections_max;
	double times[TIMES]; /* of the last polls */
};

/* A byte stream with requests: a TCP connection (charger >= 0), a line or a control connection. */
enum { ON_LINE = -1, ON_CONTROL = -2 };
struct stream {
	int fd;
	int charger; /* or ON_LINE, ON_CONTROL */
	int line;
	double read_ms; /* when the last bytes came */
	uint8_t input[INPUT];
	size_t used;
};

/* Bytes to be sent later: late and torn answers. */
struct pending {
	int fd;
	double at_ms;
	uint8_t data[MODBUS_FRAME_MAX];
	size_t len;
};

struct station {
	struct charger *chargers;
	int count, tcp, per_line;
	int lines[LINES_MAX], line_count;
	char *links[LINES_MAX];
	struct stream *streams;
	int stream_count;
	struct pending pending[PENDING_MAX];
	int pending_count;
	int control;
	int set;     /* of epoll: all that is waited for */
	int step_ms; /* between two steps of the chargers */
	int automatic, remote;
	double speed;
	uint32_t random;
	int ended;
	unsigned long bytes_in, bytes_out; /* Modbus only */
};

/* Milliseconds of the monotonic clock. */
double station_now_ms(void);
/* Says what failed and why, and ends the program. */
void station_die(const char *what) __attribute__((noreturn));
/* -1 and errno when the port is not to be had. */
int station_listen(int port);
/* From now on a turn looks at it, until it is closed. */
void station_watch(const struct station *s, int fd);
/* A pseudo-terminal behind the link, or the end. */
int station_open_line(const char *link);
struct stream *station_add_stream(struct station *s, int fd, int charger, int line);
void station_drop_stream(struct station *s, int i);
/* Takes what has come and answers what is whole; -1 when the stream must be closed. */
int station_read(struct station *s, struct stream *stream);
void station_accept(struct station *s, int index);
void station_close_charger(struct station *s, int index);
/* Sends the pieces whose time has come. */
void station_send_due(struct station *s);

/* Control: a socket on which tests and people change what the chargers do (charger_command.c). */
int command_listen(const char *path);
void command_accept(struct station *s);
/* All whole lines in a control connection's input; -1 when it must be closed. */
int command_take(struct station *s, struct stream *stream);

#endif
