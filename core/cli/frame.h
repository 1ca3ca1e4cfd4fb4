/* Frames of the trace as the daemon told them, and what they mean to people. */
#ifndef FC_CLI_FRAME_H
#define FC_CLI_FRAME_H

#include "base/value.h"
#include "bus/frame.h"
#include "cli/cli.h"

enum { FRAME_MEANING = 160 };

/* 0, or -1: that is none. */
int frame_read(const struct value *object, struct frame *frame);
/* "unit 1: read holding registers 16, 2", "answer: 2 registers", "BRM"; in the user's language. */
void frame_explain(const struct cli *cli, const struct frame *frame, char out[FRAME_MEANING]);
/* What a device means by an exception code; English. */
const char *frame_exception(unsigned code);
/* "1826F456", or "123"; "error frame". */
void frame_id(const struct frame *frame, char out[16]);

#endif
