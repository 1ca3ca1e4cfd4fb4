/* Reload command: the reload that a command of core/control asks for (control_lua), by way of main/reload. */
#ifndef FC_MAIN_RELOAD_COMMAND_H
#define FC_MAIN_RELOAD_COMMAND_H

#include "control/control.h"
#include "main/reload.h"

struct reload_commands {
	struct reload *reload;
	struct reload_command *list; /* those that wait */
};

/* As control_lua.reload; commands is a struct reload_commands. */
void reload_for_command(void *commands, const char *origin, control_reloaded done, void *done_user);
/* As control_config.load; the same. */
void reload_config_for_command(void *commands, control_loaded done, void *done_user);
/* Whoever waits is told that nothing comes any more. */
void reload_commands_end(struct reload_commands *commands);

#endif
