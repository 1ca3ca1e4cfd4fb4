/* Line: a bus with what is on it: chargers and devices, and where each answer belongs. A line is of a kind, Modbus or CAN; what
 * differs between the two stands behind struct line_kind. For this room only. */
#ifndef FC_DEVICE_LINE_H
#define FC_DEVICE_LINE_H

#include "bus/can.h"
#include "device/command.h"
#include "device/instance.h"
#include "device/profiles.h"
#include "device/seat.h"

/* Tags of reads: the generation of the plan, and the place in reads. Tags of writes: a command's place; or an upkeep's, which is
 * a device's place and a slot, with the low bits of the generation: places change when devices come and go. */
enum {
	LINE_TAG_BITS = 20,
	LINE_TAG_UPKEEP = 1 << 30,
	LINE_UPKEEP_SLOT = 8,
	LINE_UPKEEP_PLACE = 10,
	LINE_UPKEEP_GENERATIONS = 1 << (30 - LINE_UPKEEP_SLOT - LINE_UPKEEP_PLACE)
};

/* What a line is opened with. Borrowed as long as it is open. */
struct line_host {
	struct loop *loop;
	struct bus *bus;
	struct commands *commands;
	void *user;
	/* Something of a device changed without a bus_result: an agent heard it, a port went down. */
	void (*changed)(void *user, struct device *device);
};

/* Where a result belongs: tag is the index. */
struct target {
	struct device *device;
	uint32_t block;
};

struct line_modbus {
	struct bus_line_config config;
	struct bus_line *bus; /* NULL until opened */
	struct bus_read *reads;
	struct target *targets;
	uint32_t read_count, generation;
};

struct line_can {
	struct can_config config;
	struct can_port *port; /* NULL until opened */
	int up;
	int64_t since_wall; /* of up */
	struct seat_hooks hooks;
	struct loop_timer timer; /* of the agent that is due first */
	int64_t armed_us;        /* 0 = not */
};

struct line {
	char name[BUS_NAME_MAX];
	char *signature; /* of the bus itself, as text: equal text, same line */
	uint64_t
	    print; /* of what is on it, and of the profiles: with another one the line goes on with other devices or reads */
	const struct line_kind *kind;
	const struct line_host *host; /* NULL until opened */
	struct device **devices;
	int device_count;
	struct line_modbus modbus;
	struct line_can can;
};

/* What becomes of a device when a line goes on with those of another configuration. */
enum line_fate {
	LINE_KEEPS,  /* the running one, as it is */
	LINE_RENEWS, /* the running one, by another profile */
	LINE_TAKES,  /* a new one */
};
struct line_pick {
	enum line_fate fate;
	struct device *running, *fresh; /* running NULL: LINE_TAKES */
};

struct line_kind {
	/* What it needs of the configuration, once the devices are there. FC_OK, or *err. */
	int (*prepare)(struct line *line, const struct config_bus *bus, struct error *err);
	int (*open)(struct line *line, struct error *err);
	/* Also of a line that was never opened: frees what prepare made. */
	void (*close)(struct line *line);
	/* The open line is to go on with fresh's devices as picks say, one a device of fresh. FC_OK, or nothing changed: then it is
	 * closed and fresh opened. */
	int (*change)(struct line *line, struct line *fresh, const struct line_pick *picks);
	/* ... and the devices are in their places now. */
	void (*changed)(struct line *line);
	/* Does what is due; when more is. INT64_MAX: not before something else happens. */
	int64_t (*run)(struct line *line, int64_t now_us);
	void (*stats)(const struct line *line, struct bus_line_stats *stats);
};
extern const struct line_kind line_kind_modbus, line_kind_can;

/* The bus's own options. NULL when there is no memory; freed by the caller. */
char *line_signature(const struct config *config, int bus);
/* Fingerprint of the units on it (config_unit), and of their profiles: of what their reads and values depend on, not of comments,
 * hooks, commands and status rules. */
uint64_t line_print(const struct config *config, int bus, const struct profiles *profiles);
/* Takes the signature over (NULL: there was no memory for it). NULL and *err; not opened yet. */
struct line *line_new(const struct config *config, int bus, const struct profiles *profiles, char *signature,
		      struct error *err);
int line_open(struct line *line, const struct line_host *host, struct error *err);
/* Closes it. line may be NULL. */
void line_free(struct line *line);
/* Profiles of the same reads: each device gets the new one of its name. Sequences that are no longer what they were are ended. */
void line_adopt(struct line *line, const struct profiles *profiles, struct commands *commands);
/* The line goes on with the devices and reads of fresh: what both have stays as it is, and those that go have their commands ended.
 * fresh is left without devices, to be freed. FC_OK, or nothing changed. */
int line_renew(struct line *line, struct line *fresh, struct commands *commands);

/* Of a CAN line: its port's state. */
void line_can_state(struct line *line, enum can_state state);
/* Of a Modbus line. Where a read's answer belongs, or NULL: of reads that are no more. */
const struct target *line_target(const struct line *line, uint32_t tag);
/* The device that an upkeep's answer belongs to, or NULL. */
struct device *line_upkeep_target(const struct line *line, uint32_t tag);
/* A device's plan has changed: the line is asked the new reads from now on. FC_OK, FC_ENOMEM: the old ones go on. */
int line_refresh(struct line *line, struct device *device);

#endif
