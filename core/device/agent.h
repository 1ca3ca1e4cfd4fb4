/* Agent: what a device on a CAN line does with frames. A Modbus device is read by the bus's worker from a plan; a CAN device has
 * an agent of its own, which turns the frames of its line into values. Kinds: "gbt27930", a listener between charger and vehicle,
 * and "can", a device that is asked as its profile describes.
 *
 * All of it runs on the loop's thread (the examples of a profile run an agent of their own wherever the file is loaded: an agent
 * has no variables but its own), and nothing of it allocates after start. An agent knows its profile, its settings and its
 * host; never the port, the line, or another agent. For this room only. */
#ifndef FC_DEVICE_AGENT_H
#define FC_DEVICE_AGENT_H

#include <stdint.h>

#include "device/device.h"
#include "device/profile.h"

struct can_frame;
struct can_filter;

enum { AGENT_FILTERS_MAX = 32 };

/* What the agent may ask of the line. The functions may be called from any function of the agent but start and stop. */
struct agent_host {
	void *user;
	/* FC_OK; FC_EBUSY: try it again later; FC_EIO: the port is down, or listens only. */
	int (*send)(void *user, const struct can_frame *frame);
	/* A value of the point with that place in the profile: *value is copied. number: the connector, 1..; 0: all that are
	 * configured. quality is GOOD (the host notes the time: mono_us, or now when it is 0) or UNKNOWN (said to be invalid, or
	 * asked for and not answered). STALE is worked out by age: an agent repeats a value as often as it hears it, at least
	 * once a period of the point. Hooks, and points scaled by others, are the host's affair: it is given what the frames say. */
	void (*value)(void *user, int number, int point, const struct point_value *value);
	/* The device is there, or no longer. Told when it changes; a repeat does no harm. Not there: its values become unknown. */
	void (*heard)(void *user, int online);
	/* How a command ended that command() took with FC_OK: once, and not from within command(). BUS_OK: the device confirmed
	 * all of it. */
	void (*done)(void *user, int number, enum bus_status status);
};

/* Copied by start where it is needed longer. */
struct agent_settings {
	const char *name;                    /* the section's, for the log */
	int unit;                            /* its address on the line, what the kind makes of it */
	int numbers[PROFILE_CONNECTORS_MAX]; /* connectors that are configured; at least one */
	int connectors;
	uint32_t poll_ms;
};

struct agent_kind {
	const char *name;
	int listens; /* it never sends: a bus of such agents alone is opened for listening only */
	/* The profile and the host are borrowed until stop (the profile: until adopt gives another). NULL and *err. Called also
	 * while a configuration is only tried, and then stopped again: it sends and tells nothing. */
	void *(*start)(const struct profile *profile, const struct agent_settings *settings,
		       const struct agent_host *host, struct error *err);
	/* Its commands are forgotten: done is not called. */
	void (*stop)(void *agent);
	/* The profile was read again and says the same of points and frames (equal fingerprint): borrow this one from now on.
	 * Commands under way are forgotten: done is not called for them, the room has told whoever waits. */
	void (*adopt)(void *agent, const struct profile *profile);
	/* The device goes on with this agent instead of from, one of the same kind by another profile: limits that are held stay
	 * held, where the new setpoint allows them and is in the same unit. NULL: the kind holds none. */
	void (*take_over)(void *agent, const void *from);
	/* The port is up, or it went down or bus-off; called once before the first frame, and at every change. Down: the host has
	 * made all values unknown and the device offline; heard(1) says when it is there again. A listener, whose bus may
	 * rightly be silent, says heard(1) at once when the port is up. */
	void (*port)(void *agent, int up);
	/* A frame of the line: possibly another device's, an error frame never. */
	void (*frame)(void *agent, const struct can_frame *frame);
	/* Does what is due; when it wants to be called again (monotonic; INT64_MAX: not before something else happens). Called also
	 * after every command and limit and, but for listeners, after every frame. */
	int64_t (*run)(void *agent, int64_t now_us);
	/* Begins a command that the profile has (it stands in profile->commands, which device_can looks at). FC_OK: done will
	 * tell; FC_ENOENT, FC_EBUSY, FC_EIO: it will not. A command while another of that connector is under way takes its
	 * place: done is told BUS_DISCONNECTED for the one before, within run. NULL: the kind has none. */
	int (*command)(void *agent, int number, const char *command, struct error *err);
	/* Holds a limit (the profile's setpoint, in thousandths of its unit) as device_limit says. NULL: the kind has none. */
	int (*limit)(void *agent, int number, int64_t milli, struct error *err);
	/* The frames that it wants to have: fills at most most filters; how many it filled. 0: every frame. */
	int (*filters)(void *agent, struct can_filter *filters, int most);
};

/* profile->agent names the kind of a profile, set when it is compiled; NULL: a Modbus profile.
 *
 * gbt27930: points[i].signal - 1 is the place in gbt_signals() of what point i shows (0: none). */
extern const struct agent_kind agent_gbt27930;
extern const struct agent_kind agent_can;

#endif
