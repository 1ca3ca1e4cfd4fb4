/* Trouble: why a charger's connector is in fault, as far as its profile can say: the words of its fault texts, or the number of
 * its fault register. */
#ifndef FC_DEVICE_TROUBLE_H
#define FC_DEVICE_TROUBLE_H

#include "device/device.h"

enum { TROUBLE_TEXT = 160 };
enum trouble_kind {
	TROUBLE_NONE,  /* nothing is known of it */
	TROUBLE_WORDS, /* text: "overcurrent, relay welded" */
	TROUBLE_CODE,  /* text: the number that the point shows */
	TROUBLE_STATE, /* no fault is named, but the state itself means one; text: the state */
};
struct trouble {
	enum trouble_kind kind;
	const char *point; /* valid until the next reload */
	char text[TROUBLE_TEXT];
};
/* Of a connector whose status is CONNECTOR_FAULT. Control characters of what the charger says are blanks. */
void device_trouble(const struct device *device, int number, struct trouble *out);
/* The first point of a connector whose value is STALE, and how many there are. NULL: there is none. */
const char *device_stale_point(const struct device *device, int number, int *count);

#endif
