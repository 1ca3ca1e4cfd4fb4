/* Metrics: figures for a monitoring system, in Prometheus' text form (0.0.4). A table that code walks: name, type, help, and what
 * writes the samples.
 *
 * Names begin with forecourt_, or process_ for what every program has. Units are the base units of Prometheus (seconds, bytes, watts,
 * ratios of 0 to 1) with one exception: energy is in watt-hours (_watthours_total), since that is what the meters count and what
 * is billed. Labels are connector, platform, bus and few others: a sample more a connector is all that a larger station costs. What is
 * not known has no sample, never a 0. */
#ifndef FC_ADMIN_METRICS_H
#define FC_ADMIN_METRICS_H

#include "admin/admin.h"
#include "base/buffer.h"

void metrics_write(const struct admin_sources *sources, struct buffer *out);

#endif
