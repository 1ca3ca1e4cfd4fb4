/* Candump: frames of CAN lines as can-utils' candump logs them: "(1436509052.249713) can0 1826F456#010100". */
#ifndef FC_BUS_CANDUMP_H
#define FC_BUS_CANDUMP_H

#include <stdio.h>

#include "bus/frame.h"

/* 1: written; 0: no CAN frame; -1: it can't be written. */
int candump_frame(FILE *to, const struct frame *frame);

#endif
