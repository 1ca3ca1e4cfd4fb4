#include "bus/candump.h"

/* can-utils lib.c, sprint_canframe: three digits of a standard identifier, eight of an extended one and of an error frame, whose
 * bit is in them; of a remote frame "R" and how many bytes it asks for, if any. */
int candump_frame(FILE *to, const struct frame *f)
{
	static const uint32_t extended = 0x80000000, remote = 0x40000000, error_frame = 0x20000000;

	if (f->kind != TRACE_CAN)
		return 0;
	int n = fprintf(to, "(%lld.%06lld) %s ", (long long)(f->wall_us / 1000000), (long long)(f->wall_us % 1000000),
			*f->line ? f->line : "can");
	if (f->id & error_frame)
		n |= fprintf(to, "%08X#", f->id & 0x3FFFFFFF);
	else
		n |= fprintf(to, f->id & extended ? "%08X#" : "%03X#", f->id & 0x1FFFFFFF);
	if (f->id & remote)
		n |= fprintf(to, f->len ? "R%u" : "R", (unsigned)f->len);
	for (int i = 0; i < f->len && !(f->id & remote); i++)
		n |= fprintf(to, "%02X", f->bytes[i]);
	n |= fputc('\n', to) < 0 ? -1 : 0;
	return n < 0 ? -1 : 1;
}
