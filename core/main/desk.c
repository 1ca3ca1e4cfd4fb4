#include "main/desk.h"

#include "control/alarms.h"
#include "control/guard.h"
#include "control/socket.h"
#ifdef CONFIG_ADMIN
#include "admin/admin.h"
#endif

static int open_page(struct desk *desk, const struct control_sources *rooms, const struct config *config,
		     struct error *err)
{
#ifdef CONFIG_ADMIN
	const struct admin_sources sources = {.version = rooms->version,
					      .started_us = rooms->started_us,
					      .loop = rooms->loop,
					      .store = rooms->store,
					      .control = desk->control,
					      .guard = desk->guard,
					      .host = rooms->lua.host,
					      .devices = rooms->devices,
					      .stations = rooms->stations,
					      .charges = rooms->charges,
					      .platforms = rooms->platforms,
					      .alarms = desk->alarms};

	desk->admin = admin_new(&sources, config, err);
	return desk->admin ? FC_OK : FC_EIO;
#else
	(void)desk;
	(void)rooms;
	(void)config;
	(void)err;
	return FC_OK;
#endif
}

int desk_open(struct desk *desk, const struct control_sources *rooms, const struct config *config, struct error *err)
{
	struct control_sources sources = *rooms;

	desk->guard = guard_new(rooms->loop, rooms->store, err);
	if (!desk->guard)
		return FC_ENOMEM;
	sources.guard = desk->guard;
	desk->alarms = alarms_new(rooms->loop, &sources, NULL, err);
	if (!desk->alarms)
		return FC_ENOMEM;
	sources.alarms = desk->alarms;
	desk->control = control_new(&sources, err);
	if (!desk->control)
		return FC_ENOMEM;
	desk->socket = control_socket_new(rooms->loop, desk->control, config, err);
	return desk->socket ? open_page(desk, rooms, config, err) : FC_ENOMEM;
}

int desk_apply(struct desk *desk, const struct config *config, struct error *err)
{
	int result = FC_OK;

#ifdef CONFIG_ADMIN
	if (desk->admin)
		result = admin_apply(desk->admin, config, err);
#endif
	return !result && desk->socket ? control_socket_apply(desk->socket, config, err) : result;
}

void desk_close(struct desk *desk)
{
#ifdef CONFIG_ADMIN
	admin_free(desk->admin);
#endif
	control_socket_free(desk->socket);
	control_free(desk->control);
	guard_free(desk->guard);
	alarms_free(desk->alarms);
	*desk = (struct desk){0};
}
