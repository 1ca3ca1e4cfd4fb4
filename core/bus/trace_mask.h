/* Mask: personal data taken out of frames of the trace before they leave the gateway (DESIGN.md, rule 8): the VIN that a vehicle
 * tells its charger (GB/T 27930, BRM) and a charger its billing unit (chargers.md 2.10), and registers that the owner names, such as
 * a card's number. What is taken out reads 'X' (0x58; registers of zero stay, there is nothing in them); checksums are made anew, so
 * that the frame still reads as good. Of what was thrown away on a line with such registers only the head stays.
 *
 * Frames must come in the order of their numbers: what a frame means depends on those before it on its line. Where that is not
 * known (the beginning of the trace), what may be a VIN is masked. */
#ifndef FC_BUS_TRACE_MASK_H
#define FC_BUS_TRACE_MASK_H

#include "bus/trace.h"

enum { TRACE_MASK_LINES = 64, TRACE_MASK_RANGES = 128 };

struct trace_mask {
	struct trace_mask_range {
		uint32_t line;
		uint8_t unit, function;
		uint16_t address, words;
	} ranges[TRACE_MASK_RANGES];
	int range_count;
	int all_registers; /* the data of every answer is masked: more ranges than there is room for, or the owner knows no better */
	/* What was heard of a line last; one that finds no place is masked as if nothing were known. */
	struct trace_mask_line {
		uint32_t line;
		int pgn;     /* of the vehicle's transfer under way; -1 none known */
		int packets; /* of it */
		int packet;  /* number of the last one */
		int asked;   /* a read is under way: */
		uint8_t unit, function;
		uint16_t address, count;
	} lines[TRACE_MASK_LINES];
	int line_count;
};

void trace_mask_init(struct trace_mask *mask);
/* Registers (of functions 3, 4, and of writes by 6 and 16 where function is 3) whose values are personal. */
void trace_mask_add(struct trace_mask *mask, uint32_t line, uint8_t unit, uint8_t function, uint16_t address,
		    uint16_t words);
/* Masks the frame; nonzero when it was changed. */
int trace_mask_apply(struct trace_mask *mask, struct trace_entry *entry);

#endif
