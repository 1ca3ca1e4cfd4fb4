/* Config scripts: the Lua files that a configuration needs, each loaded once to see whether it can be: form, examples, and whether it fits.
 * Beside the loop: nothing in here is the loop's. */
#ifndef FC_CONTROL_CONFIG_SCRIPTS_H
#define FC_CONTROL_CONFIG_SCRIPTS_H

#include "config/config.h"
#include "script/host.h"

enum { CONFIG_SCRIPTS_TOLD = 20 };

struct config_script {
	char folder[12], name[64];
};

struct config_scripts {
	struct script_host host;     /* lua_dir and limits are the configuration's */
	const struct config *config; /* borrowed */
	struct config_script *list;
	int count, next;
	/* What can't be loaded. */
	struct {
		char item[80];
		struct error why;
	} refused[CONFIG_SCRIPTS_TOLD];
	int refused_count;
};

/* lua_dir is borrowed: that of the running gateway. FC_OK, FC_ENOMEM. */
int config_scripts_init(struct config_scripts *scripts, const struct config *config, const char *lua_dir,
			const struct script_instead *instead);
void config_scripts_fini(struct config_scripts *scripts);
/* Loads the next one. Nonzero while there are more. */
int config_scripts_step(struct config_scripts *scripts);

#endif
