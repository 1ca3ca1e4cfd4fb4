/* Texts of the tools (bus, audit, Lua) and of what is refused; the rest stands in text.c, which looks both up. */
#ifndef FC_CLI_TEXT_TOOLS_H
#define FC_CLI_TEXT_TOOLS_H

#include <stddef.h>

struct text {
	const char *english, *chinese;
};
extern const struct text text_tools[];
extern const size_t text_tools_count;

#endif
