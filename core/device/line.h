/* Line: a bus with its chargers: what is read on it, and where each answer belongs. For this room only. */
#ifndef FC_DEVICE_LINE_H
#define FC_DEVICE_LINE_H

#include "device/command.h"
#include "device/instance.h"
#include "device/profiles.h"

/* Tags of reads: the generation of the plan, and the place in reads. Tags of writes: a command's place, or an upkeep's. */
enum { LINE_TAG_BITS = 20, LINE_TAG_UPKEEP = 1 << 30 };

/* Where a result belongs: tag is the index. */
struct target {
	struct device *device;
	uint32_t block;
};

struct line {
	char name[BUS_NAME_MAX];
	char *signature;   /* all that the line depends on but the profiles, as text: equal text, same line */
	uint64_t profiles; /* fingerprint of those: with another one the line goes on with other reads */
	struct bus_line_config config;
	struct bus_line *bus; /* NULL until opened */
	struct device **devices;
	int device_count;
	struct bus_read *reads;
	struct target *targets;
	uint32_t read_count, generation;
};

/* The bus's part of the signature, and its chargers'. NULL when there is no memory; freed by the caller. */
char *line_signature(const struct config *config, int bus);
/* Fingerprint of the profiles of the bus's chargers: of what their reads and values depend on, not of comments, hooks, commands
 * and status rules. */
uint64_t line_print(const struct config *config, int bus, const struct profiles *profiles);
/* Takes the signature over (NULL: there was no memory for it). NULL and *err; not opened yet. */
struct line *line_new(const struct config *config, int bus, const struct profiles *profiles, char *signature,
		      struct error *err);
/* Closes it. line may be NULL. */
void line_free(struct line *line);
/* Profiles of the same reads: each device gets the new one of its name. Sequences that are no longer what they were are ended. */
void line_adopt(struct line *line, const struct profiles *profiles, struct commands *commands);
/* The line goes on with the reads and values of fresh, which gets its old ones. FC_OK, or nothing changed. */
int line_renew(struct line *line, struct line *fresh, struct commands *commands);
/* Where a read's answer belongs, or NULL: of reads that are no more. */
const struct target *line_target(const struct line *line, uint32_t tag);
/* A device's plan has changed: the line is asked the new reads from now on. FC_OK, FC_ENOMEM: the old ones go on. */
int line_refresh(struct line *line, struct device *device);

#endif
