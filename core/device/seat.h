/* Seat: where a CAN device's agent sits: what the room does for it, and asks of it. For this room only. */
#ifndef FC_DEVICE_SEAT_H
#define FC_DEVICE_SEAT_H

#include "device/agent.h"
#include "device/instance.h"

/* What its line does for it. Borrowed as long as it is attached. */
struct seat_hooks {
	void *user;
	int (*send)(void *user, const struct can_frame *frame);
	void (*done)(void *user, struct device *device, int number, enum bus_status status);
};

struct seat {
	struct device *device;
	const struct agent_kind *kind;
	void *agent;
	struct agent_host host;
	const struct seat_hooks *hooks; /* NULL while it is not attached: it sends nothing */
	int dirty;                      /* something of the device changed, and nobody was told yet */
	int up;                         /* as the agent was told of the port */
	int64_t due_us;                 /* when the agent wants to run */
};

/* Starts the agent of the device's profile. NULL and *err. */
struct seat *seat_new(struct device *device, struct error *err);
/* Stops it. seat may be NULL, here and in seat_move. */
void seat_free(struct seat *seat);
/* The device has the seat now. */
void seat_move(struct seat *seat, struct device *device);
void seat_attach(struct seat *seat, const struct seat_hooks *hooks);
/* The profile was read again, and says the same of points and frames. */
void seat_adopt(struct seat *seat, const struct profile *profile);
/* The seat is put in the place of from, whose profile was another. */
void seat_take_over(struct seat *seat, const struct seat *from);
/* The port is up or down; nothing when it was so already. */
void seat_port(struct seat *seat, int up);
/* A frame, or nothing (NULL): then what is due. */
void seat_feed(struct seat *seat, const struct can_frame *frame, int64_t now_us);
int seat_command(struct seat *seat, int number, const char *command, struct error *err);
int seat_limit(struct seat *seat, int number, int64_t milli, struct error *err);

#endif
