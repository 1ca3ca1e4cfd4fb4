#include "main/reload_command.h"

#include <stdlib.h>

struct reload_command {
	struct reload_commands *owner;
	struct reload_command *next;
	struct reload_call *call;
	control_reloaded done;
	control_loaded loaded; /* of one with the configuration, in place of done */
	void *user;
};

static void tell(struct reload_command *command, const char *const *refusals, int count)
{
	if (command->loaded)
		command->loaded(command->user, count ? FC_EINVAL : FC_OK, count ? refusals[0] : "");
	else
		command->done(command->user, refusals, count);
	free(command);
}

/* Takes it out of the list and tells it. */
static void end(struct reload_command *command, const char *const *refusals, int count)
{
	struct reload_command **at = &command->owner->list;

	while (*at && *at != command)
		at = &(*at)->next;
	if (*at)
		*at = command->next;
	tell(command, refusals, count);
}

static void on_reloaded(void *user, const struct reload_result *result)
{
	const char **refusals = calloc((size_t)result->count + 1, sizeof(*refusals));
	int count = 0;

	/* What is in force beside a configuration that was taken is its own business. */
	int scripts = refusals && !((const struct reload_command *)user)->loaded;
	for (int i = 0; scripts && i < result->count; i++)
		if (result->items[i].outcome == RELOAD_KEPT && *result->items[i].error)
			refusals[count++] = result->items[i].error;
	if (refusals && result->code && !count)
		refusals[count++] = result->error;
	end(user, refusals, count);
	free(refusals);
}

void reload_for_command(void *user, const char *origin, control_reloaded done, void *done_user)
{
	static const char *const no_memory[] = {"no memory"};
	struct reload_commands *commands = user;
	struct reload_command *command = calloc(1, sizeof(*command));

	if (!command) {
		done(done_user, no_memory, 1);
		return;
	}
	*command = (struct reload_command){.owner = commands, .next = commands->list, .done = done, .user = done_user};
	commands->list = command;
	command->call = reload_request(commands->reload, 0, origin, on_reloaded, command);
	if (!command->call)
		end(command, no_memory, 1);
}

void reload_config_for_command(void *user, control_loaded done, void *done_user)
{
	struct reload_commands *commands = user;
	struct reload_command *command = calloc(1, sizeof(*command));

	if (!command) {
		done(done_user, FC_ENOMEM, "no memory");
		return;
	}
	*command =
	    (struct reload_command){.owner = commands, .next = commands->list, .loaded = done, .user = done_user};
	commands->list = command;
	command->call = reload_request(commands->reload, 1, "apply", on_reloaded, command);
	if (!command->call) {
		static const char *const no_memory[] = {"no memory"};

		end(command, no_memory, 1);
	}
}

void reload_commands_end(struct reload_commands *commands)
{
	while (commands->list) {
		struct reload_command *command = commands->list;

		commands->list = command->next;
		reload_forget(command->call);
		tell(command, NULL, 0);
	}
}
