/* Compile, the part `can` of a profile and what of the other parts is different with it. Every mistake is named by its place. For
 * this room only. */
#ifndef FC_DEVICE_COMPILE_CAN_H
#define FC_DEVICE_COMPILE_CAN_H

#include "device/can_plan.h"
#include "device/compile.h"

/* Before the points: p->can, its identifier's fields and messages. FC_OK, FC_ENOMEM. */
int compile_can(struct compiler *c, const struct value *can);
/* After the points: what is sent, and whether somebody asks for every point. */
void compile_can_sends(struct compiler *c, const struct value *table);
/* Type, and place within a message, of a point that is read. */
void compile_can_point(struct compiler *c, const struct value *t, const char *where, int point);
/* A step that sends, or only awaits. */
void compile_can_step(struct compiler *c, const struct value *t, const char *where, struct profile_step *step);
void compile_can_setpoint(struct compiler *c, const struct value *t);
void compile_can_keep_alive(struct compiler *c, const struct value *t, const char *where);

/* The frame that t describes by id, extended, data and fill: its place from 0; a mistake and 0 when it is none. */
int compile_can_frame(struct compiler *c, const struct value *t, const char *where);
/* Frames by id, extended, data and length. */
void compile_can_match(struct compiler *c, const struct value *t, const char *where, struct can_match *match);
/* The same, of frames that are of message already: a list is of their data. */
void compile_can_ok(struct compiler *c, const struct value *v, const char *where, const struct can_match *message,
		    struct can_match *match);
/* The place of a value by byte, or start and length, and order; bits: its own unless length says other, bytes: texts count so. */
void compile_can_place(struct compiler *c, const struct value *t, const char *where, int bits, int most_bytes,
		       struct can_place *place);
/* Place from 1 of the message that v names; 0 and a mistake. */
int compile_can_message(struct compiler *c, const struct value *v, const char *where, const char *key);

#endif
