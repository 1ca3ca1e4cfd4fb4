/* As world_services.c; its names would be in the way there. */
#include "main/reload_command.c" /* NOLINT(bugprone-suspicious-include) */
