/* Describe: the reference of the API given to scripts, made from the tables that the API itself is made from. */
#ifndef FC_SCRIPT_DESCRIBE_H
#define FC_SCRIPT_DESCRIBE_H

#include <stdio.h>

/* Markdown: a table and an example for each subject, as it stands in lua/README.md. */
void script_describe(FILE *to);
/* Every call and value one by one: "forecourt.time.date(t)", what it gives ("" = nothing), what it does. */
void script_describe_each(void (*fn)(void *user, const char *subject, const char *call, const char *gives,
				     const char *what),
			  void *user);
/* The examples of the reference one by one, index 0..; NULL past the end. Each is Lua that runs as it stands. */
const char *script_example(int index);

#endif
