#include "sim/charger_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Figures of an everyday car: 60 kWh battery, current falls above 80 %. */
static const double battery_wh = 60000;
static const double taper_from = 80;
static const double ramp_s = 6;
static const double empty_v = 350, volts_per_percent = 1; /* of a direct-current battery */

static double chance(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (double)(*state >> 8) / 16777216.0;
}

void model_init(struct model_charger *charger, int index, int connectors, int is_ac)
{
	*charger = (struct model_charger){.index = index, .connectors = connectors, .is_ac = is_ac};
	if (is_ac)
		charger->rated_w = index % 2 ? 7000 : 22000;
	else
		charger->rated_w = index % 2 ? 60000 : 120000;
	for (int i = 0; i < connectors; i++)
		charger->c[i].energy_wh = 100000 + 1000 * index + 10 * i;
}

static uint32_t register_of(double wh)
{
	return (uint32_t)floor(wh / 10);
}

static void enter(struct model_connector *c, enum model_state state)
{
	struct model_session *session = &c->sessions[c->session_count % MODEL_SESSIONS];

	if (c->state != MODEL_CHARGING && state == MODEL_CHARGING)
		session->start = register_of(c->energy_wh);
	if (c->state == MODEL_CHARGING && state != MODEL_CHARGING) {
		session->end = register_of(c->energy_wh);
		c->session_count++;
	}
	c->state = state;
	c->in_state_s = 0;
	c->next_s = 0;
	if (state != MODEL_CHARGING)
		c->power_w = c->current = c->voltage = 0; /* the contactor is open */
}

static void begin_session(struct model_connector *c)
{
	c->session_wh = 0;
	enter(c, MODEL_CHARGING);
}

static double voltage_of(const struct model_charger *charger, double soc)
{
	return charger->is_ac ? 230 : empty_v + volts_per_percent * soc;
}

/* Ramp up, constant current (so that power rises with the voltage, up to the rated power), taper above 80 %. */
static double power_wanted(const struct model_charger *charger, const struct model_connector *c)
{
	double power = charger->rated_w * voltage_of(charger, c->soc) / voltage_of(charger, 100);

	if (c->in_state_s < ramp_s)
		power *= c->in_state_s / ramp_s;
	if (!charger->is_ac && c->soc > taper_from)
		power *= fmax(0.08, 1 - (c->soc - taper_from) / (100 - taper_from) * 0.92);
	return c->limit_e2 ? fmin(power, c->limit_e2 * 100.0) : power;
}

static void charge(struct model_charger *charger, struct model_connector *c, double seconds, double speed)
{
	c->power_w = power_wanted(charger, c);
	c->voltage = voltage_of(charger, c->soc);
	c->current = c->power_w / c->voltage / (charger->is_ac && charger->rated_w > 10000 ? 3 : 1);
	double wh = c->power_w * seconds / 3600;
	c->energy_wh += wh;
	c->session_wh += wh;
	c->soc = fmin(100, c->soc + wh * speed / battery_wh * 100);
	if (c->soc >= c->target_soc)
		enter(c, MODEL_FINISHED);
}

/* How long a car stays in a state. */
static double stay(const struct model_charger *charger, const struct model_connector *c, uint32_t *random)
{
	switch (c->state) {
	case MODEL_FREE:
		return c->visited ? 200 + 600 * chance(random)
				  : 100 + 900 * chance(random) * (charger->index ? 1 : 0.1);
	case MODEL_PLUGGED:
		/* Where it must be started from outside it waits a while before it leaves again. */
		return charger->remote ? 600 + 600 * chance(random) : 100 + 60 * chance(random);
	case MODEL_CHARGING:
		return 600 + 600 * chance(random); /* at the latest */
	case MODEL_FINISHED:
		return 120;
	case MODEL_RESERVED:
	case MODEL_FAULT:
		break;
	}
	return HUGE_VAL;
}

/* A car's visit, one step after the other. */
static void next_step(const struct model_charger *charger, struct model_connector *c, uint32_t *random)
{
	switch (c->state) {
	case MODEL_FREE:
		c->visited = 1;
		c->soc = 30 + 30 * chance(random);
		c->target_soc = c->soc + 8 + 12 * chance(random);
		enter(c, MODEL_PLUGGED);
		return;
	case MODEL_PLUGGED:
		if (charger->remote)
			enter(c, MODEL_FREE);
		else
			begin_session(c);
		return;
	case MODEL_CHARGING:
		enter(c, MODEL_FINISHED);
		return;
	case MODEL_FINISHED:
		enter(c, MODEL_FREE);
		return;
	case MODEL_RESERVED:
	case MODEL_FAULT:
		return;
	}
}

void model_step(struct model_charger *charger, double seconds, double speed, int automatic, uint32_t *random)
{
	for (int i = 0; i < charger->connectors; i++) {
		struct model_connector *c = &charger->c[i];

		c->in_state_s += seconds * speed;
		if (c->state == MODEL_CHARGING)
			charge(charger, c, seconds, speed);
		if (!automatic)
			continue;
		/* Who was told late that cars come has them one by one, too, and not all at once. */
		if (c->next_s <= 0)
			c->next_s = stay(charger, c, random) + (c->in_state_s > seconds * speed ? c->in_state_s : 0);
		if (c->in_state_s >= c->next_s)
			next_step(charger, c, random);
	}
}

int model_command(struct model_charger *charger, int connector, const char *command)
{
	struct model_connector *c = &charger->c[connector];

	if (!strcmp(command, "plug") && (c->state == MODEL_FREE || c->state == MODEL_RESERVED)) {
		c->soc = 40;
		c->target_soc = 100;
		enter(c, MODEL_PLUGGED);
	} else if (!strcmp(command, "start") && (c->state == MODEL_PLUGGED || c->state == MODEL_FINISHED)) {
		begin_session(c);
	} else if (!strcmp(command, "stop") && c->state == MODEL_CHARGING) {
		enter(c, MODEL_FINISHED);
	} else if ((!strcmp(command, "unplug") && c->state != MODEL_FREE && c->state != MODEL_FAULT) ||
		   (!strcmp(command, "clear") && c->state == MODEL_RESERVED)) {
		enter(c, MODEL_FREE);
	} else if (!strcmp(command, "unlock") && c->state != MODEL_CHARGING) {
		c->unlocks++;
	} else if (!strcmp(command, "reserve") && c->state == MODEL_FREE) {
		enter(c, MODEL_RESERVED);
	} else if (!strcmp(command, "clear") && c->state == MODEL_FAULT) {
		c->fault = 0;
		enter(c, c->before_fault == MODEL_CHARGING ? MODEL_FINISHED : c->before_fault);
	} else {
		return -1;
	}
	return 0;
}

void model_fault(struct model_charger *charger, int connector, uint16_t code)
{
	struct model_connector *c = &charger->c[connector];

	if (c->state != MODEL_FAULT)
		c->before_fault = c->state;
	c->fault = code;
	enter(c, MODEL_FAULT);
}

int model_text(struct model_charger *charger, int connector, const char *what, const char *text)
{
	struct model_connector *c = &charger->c[connector];
	int is_card = !strcmp(what, "card");
	size_t most = is_card ? MODEL_CARD : MODEL_VIN;

	if (!strcmp(text, "-"))
		text = "";
	if (strlen(text) > most)
		return -1;
	/* To the end, so that registers show nothing of an earlier text. */
	memset(is_card ? c->card : c->vin, 0, most);
	memcpy(is_card ? c->card : c->vin, text, strlen(text));
	return 0;
}

static uint16_t two_letters(const char *text, int word)
{
	return (uint16_t)((unsigned char)text[2 * word] << 8 | (unsigned char)text[2 * word + 1]);
}

static uint16_t half(uint32_t value, int low)
{
	return (uint16_t)(low ? value & 0xFFFF : value >> 16);
}

static uint16_t scaled(double value, double factor)
{
	return (uint16_t)(int16_t)lround(value * factor);
}

static uint16_t serial_word(const struct model_charger *charger, int word)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "SIM%04d-FORECOURT", charger->index);
	return two_letters(text, word);
}

int model_read(const struct model_charger *charger, uint16_t address, uint16_t *value)
{
	int number = address / MODEL_STRIDE, at = address % MODEL_STRIDE;

	if (number >= charger->connectors || (address >= MODEL_DENY_FIRST && address <= MODEL_DENY_LAST))
		return 2;
	const struct model_connector *c = &charger->c[number];
	uint32_t power = (uint32_t)lround(c->power_w);
	uint32_t energy = register_of(c->energy_wh), session = register_of(c->session_wh);

	if (number == 0 && at >= 20 && at < 28) {
		*value = serial_word(charger, at - 20);
		return 0;
	}
	if (at >= 12 && at < 12 + MODEL_CARD / 2) {
		*value = two_letters(c->card, at - 12);
		return 0;
	}
	if (at >= 28 && at < 28 + MODEL_VIN / 2) {
		*value = two_letters(c->vin, at - 28);
		return 0;
	}
	switch (at) {
	case 0:
		*value = (uint16_t)c->state;
		return 0;
	case 1:
		*value = c->fault;
		return 0;
	case 2:
		*value = scaled(c->voltage, 10);
		return 0;
	case 3:
		*value = scaled(c->current, 10);
		return 0;
	case 4:
	case 5:
		*value = half(power, at == 5);
		return 0;
	case 6:
	case 7:
		*value = half(energy, at == 7);
		return 0;
	case 8:
	case 9:
		*value = half(session, at == 9);
		return 0;
	case 10:
		*value = scaled(c->soc, 10);
		return 0;
	case 11:
		*value = scaled(25 + c->power_w / 10000, 10);
		return 0;
	case 37:
		*value = c->unlocks;
		return 0;
	case 38:
		*value = c->limit_e2;
		return 0;
	default:
		*value = 0;
		return at < 50 ? 0 : 2;
	}
}

int model_writable(const struct model_charger *charger, uint16_t address)
{
	int at = address % MODEL_STRIDE;

	return address / MODEL_STRIDE < charger->connectors && (at == 38 || at == 40);
}

int model_write(struct model_charger *charger, uint16_t address, uint16_t value)
{
	static const char *const commands[] = {NULL, "start", "stop", "plug", "unplug", "clear", "unlock"};
	int number = address / MODEL_STRIDE;

	if (!model_writable(charger, address))
		return 2;
	if (address % MODEL_STRIDE == 38) {
		charger->c[number].limit_e2 = value;
		return 0;
	}
	if (value < 1 || value >= sizeof(commands) / sizeof(commands[0]))
		return 3;
	return model_command(charger, number, commands[value]) ? 3 : 0;
}

const char *model_state_name(enum model_state state)
{
	switch (state) {
	case MODEL_FREE:
		return "free";
	case MODEL_PLUGGED:
		return "plugged";
	case MODEL_CHARGING:
		return "charging";
	case MODEL_FINISHED:
		return "finished";
	case MODEL_RESERVED:
		return "reserved";
	case MODEL_FAULT:
		return "fault";
	}
	return "?";
}
