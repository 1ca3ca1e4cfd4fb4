/* The tables of commands, one after the other, each in a file of its own: table_*.c. */
#include "control/command.h"

const struct control_command *const control_tables[] = {
    control_station,
    control_orders,
    control_audit,
    control_bus,
    control_lua_files,
    control_accounts,
    control_configuration,
    control_acts,
    control_history,
    control_tools,
    NULL,
};

const struct control_command *control_command_at(const struct control_command *const *tables, int i)
{
	for (; *tables; tables++)
		for (const struct control_command *c = *tables; c->name; c++)
			if (!i--)
				return c;
	return NULL;
}
