/* Which identifiers a polled CAN device is spoken to by: what the port lets through, and units that fit. */
#include "device/agent_can.h"

static int add_filter(struct can_filter *filters, int count, int most, const struct can_filter *filter)
{
	for (int i = 0; i < count; i++)
		if (filters[i].id == filter->id && filters[i].mask == filter->mask &&
		    filters[i].extended == filter->extended)
			return count;
	if (count < 0 || count == most)
		return -1;
	filters[count] = *filter;
	return count + 1;
}

static struct can_filter filter_of(const struct can_match *m, int unit, int number)
{
	struct can_filter f = {.id = m->id, .mask = m->mask, .extended = m->extended};

	f.id |= (uint32_t)unit << m->unit.first & ((1u << m->unit.bits) - 1) << m->unit.first;
	f.mask |= ((1u << m->unit.bits) - 1) << m->unit.first;
	f.id |= (uint32_t)number << m->number.first & ((1u << m->number.bits) - 1) << m->number.first;
	f.mask |= ((1u << m->number.bits) - 1) << m->number.first;
	return f;
}

int can_agent_filters(void *agent, struct can_filter *filters, int most)
{
	static const struct can_filter transport[] = {{J1939_PGN_TP_CM << 8, 0x03FF0000, 1},
						      {J1939_PGN_TP_DT << 8, 0x03FF0000, 1}};
	const struct can_agent *a = agent;
	int count = 0;

	for (int m = 0; m < a->plan->message_count; m++)
		for (int i = 0; i < a->count && count >= 0; i++) {
			struct can_filter f = filter_of(&a->plan->messages[m].match, a->units[i], a->numbers[i]);

			count = add_filter(filters, count, most, &f);
		}
	for (int i = 0; a->has_packets && count >= 0 && i < 2; i++)
		count = add_filter(filters, count, most, &transport[i]);
	/* Too many to say: all frames, looked at here. */
	return count < 0 ? 0 : count;
}

static int fits_bits(const struct can_bits *at, int value)
{
	return !at->bits || (value >= 0 && (unsigned)value < 1u << at->bits);
}

int can_agent_check_units(const struct can_agent *a, struct error *err)
{
	const struct can_plan *plan = a->plan;

	for (int i = 0; i < a->count; i++) {
		int ok = a->units[i] >= 0 && a->units[i] <= 255;

		for (int m = 0; m < plan->message_count; m++)
			ok &= fits_bits(&plan->messages[m].match.unit, a->units[i]) &&
			      fits_bits(&plan->messages[m].match.number, a->numbers[i]);
		for (int s = 0; s < plan->send_count; s++)
			ok &= fits_bits(&plan->sends[s].unit, a->units[i]) &&
			      fits_bits(&plan->sends[s].number, a->numbers[i]);
		if (!ok)
			return error_set(err, FC_EINVAL,
					 "device: %s: profile %s: unit %d, connector %d do not fit its identifiers",
					 a->name, a->profile->name, a->units[i], a->numbers[i]);
	}
	return FC_OK;
}
