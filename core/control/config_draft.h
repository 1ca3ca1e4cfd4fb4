/* Config draft: the text that somebody would like to have: sent whole, as edits, or an earlier version; with the secrets that he was
 * not shown. And what is wrong with it. For this room only. */
#ifndef FC_CONTROL_CONFIG_DRAFT_H
#define FC_CONTROL_CONFIG_DRAFT_H

#include "config/config.h"
#include "control/command.h"
#include "script/sources.h"

struct config_draft {
	char *old, *text; /* the file as it is, and as it would be */
	size_t old_len, len;
	char hash[SOURCE_HASH]; /* of old */
	char origin[48];
	struct config *config; /* NULL: there are mistakes */
	/* Of the answer. */
	struct value *mistakes, *changes;
	char first[ERROR_TEXT_MAX]; /* the first mistake, with its place */
};

/* From the arguments text, edits or version (one of them). Mistakes of the text are no failure: they are in the draft. FC_OK;
 * FC_EINVAL, FC_ENOENT ... and *err for edits that mean nothing, FC_EIO when the file can't be read. */
int config_draft_make(struct config_draft *draft, struct control *control, struct control_reply *reply,
		      struct error *err);
/* The same of a text of its own, secrets and all (a backup's); it is copied. */
int config_draft_take(struct config_draft *draft, struct control *control, struct control_reply *reply,
		      const char *text, size_t len, struct error *err);
void config_draft_fini(struct config_draft *draft);
/* What nobody but an administrator may change: who may log in by the configuration, which files the page serves, and where a platform's
 * OperatorSecret is sent that he was not shown and has not typed. FC_OK, FC_EAUTH. */
int config_draft_may(const struct config_draft *draft, struct control *control, const struct control_reply *reply,
		     struct error *err);
/* One more mistake. */
void config_draft_mistake(struct config_draft *draft, struct arena *arena, int line, const char *type, const char *name,
			  const char *option, const char *text);
/* For the log and the audit: the arguments without secrets and long texts. */
void config_draft_say(struct control_reply *reply);

#endif
