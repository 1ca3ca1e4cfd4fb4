/* Check of Lua: every file that a configuration names, loaded with its examples as at a start, and let go again. */
#ifndef FC_MAIN_CHECK_LUA_H
#define FC_MAIN_CHECK_LUA_H

#include <stdio.h>

#include "config/config.h"

/* Each failure is a line on to. Returns how many failed. */
int check_lua(const struct config *config, FILE *to);

#endif
