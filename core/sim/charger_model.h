/* The simulated charger: cars come and go, charging curves, registers. Knows nothing of Modbus framing. */
#ifndef FC_SIM_CHARGER_MODEL_H
#define FC_SIM_CHARGER_MODEL_H

#include <stdint.h>

enum {
	MODEL_CONNECTORS = 4,
	MODEL_STRIDE = 100,
	MODEL_DENY_FIRST = 60,
	MODEL_DENY_LAST = 79,
	MODEL_SESSIONS = 512,
	MODEL_CARD = 16,
	MODEL_VIN = 18
};
enum model_state {
	MODEL_FREE = 0,
	MODEL_PLUGGED = 1,
	MODEL_CHARGING = 2,
	MODEL_FINISHED = 3,
	MODEL_RESERVED = 4,
	MODEL_FAULT = 9
};

/* A charge as the charger's own register shows it, in 0.01 kWh. */
struct model_session {
	uint32_t start, end;
};

struct model_connector {
	enum model_state state, before_fault;
	int visited; /* a car has been here */
	uint16_t fault;
	double soc, target_soc; /* percent */
	double power_w, voltage, current;
	double energy_wh, session_wh;
	double in_state_s; /* simulated time since the last change */
	struct model_session sessions[MODEL_SESSIONS];
	unsigned session_count;
	uint16_t unlocks;                              /* so often was its lock opened from afar */
	uint16_t limit_e2;                             /* most power in 0.1 kW; 0 = none */
	char card[MODEL_CARD + 1], vin[MODEL_VIN + 1]; /* "" = none */
	double next_s;                                 /* --auto: when the next step comes; 0: not planned yet */
};

struct model_charger {
	int index, connectors, is_ac;
	int remote; /* begins when it is told to, not when a car is plugged in */
	double rated_w;
	struct model_connector c[MODEL_CONNECTORS];
};

void model_init(struct model_charger *charger, int index, int connectors, int is_ac);
/* Advances time by real seconds. speed shortens stays and shrinks the batteries; power and energy stay what a real
 * charger's registers would show. automatic: cars come and go by themselves. */
void model_step(struct model_charger *charger, double seconds, double speed, int automatic, uint32_t *random);
/* start, stop, plug, unplug, reserve, clear, unlock; 0, or -1 when the state does not allow it. */
int model_command(struct model_charger *charger, int connector, const char *command);
void model_fault(struct model_charger *charger, int connector, uint16_t code);
/* What the reader shows, what the car says: "card" or "vin"; 0, or -1 when text is too long. "-" takes it away. */
int model_text(struct model_charger *charger, int connector, const char *what, const char *text);
/* The register at address: 0, or the Modbus exception (2: no such register). */
int model_read(const struct model_charger *charger, uint16_t address, uint16_t *value);
int model_writable(const struct model_charger *charger, uint16_t address);
/* A write: 0, or the exception (2 address, 3 value). */
int model_write(struct model_charger *charger, uint16_t address, uint16_t value);
const char *model_state_name(enum model_state state);

#endif
