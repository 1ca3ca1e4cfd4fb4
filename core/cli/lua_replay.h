/* Lua replay: what the two kinds of replay share with the command that reads the records. */
#ifndef FC_CLI_LUA_REPLAY_H
#define FC_CLI_LUA_REPLAY_H

#include "base/tree.h"
#include "cli/lua_file.h"

/* One line of the records. */
struct replay_line {
	const char *text;
	size_t len;
	int number;               /* of the line */
	const struct value *tree; /* numbers as made (tree.h) */
	struct arena *arena;      /* freed after each line */
};

struct replay {
	struct cli *cli;
	struct lua_file file;
	struct lua_file against; /* path NULL: the records themselves are what is compared with */
	struct json_reader *reader;
	/* Of the header. */
	struct arena kept;
	const struct value *header; /* NULL before it came */
	/* Figures. */
	int bad_lines;
	int compared, differ, failed;
	const char *comma; /* between the objects of --json */
};

/* A mapping's. each: FC_OK, or FC_EINVAL and *err: the line is no good message. */
struct replay_messages;
struct replay_messages *replay_messages_new(struct replay *replay);
int replay_message(struct replay_messages *messages, const struct replay_line *line, struct error *err);
/* Prints the totals; frees. */
void replay_messages_end(struct replay_messages *messages);

/* A policy's, alike. */
struct replay_orders;
struct replay_orders *replay_orders_new(struct replay *replay);
int replay_order(struct replay_orders *orders, const struct replay_line *line, struct error *err);
void replay_orders_end(struct replay_orders *orders);

/* A text for a terminal, and one as JSON. */
void replay_print(const char *text);
void replay_print_json(const char *text);

#endif
