/* Conformance page: the report of a run as a page to hand in, HTML or plain text, in English or Chinese. */
#ifndef FC_CONTROL_CONFORMANCE_PAGE_H
#define FC_CONTROL_CONFORMANCE_PAGE_H

#include "base/buffer.h"
#include "base/value.h"

/* report: the result of command conformance_report. A failure stays in out. */
void conformance_page(const struct value *report, int is_html, int is_chinese, struct buffer *out);

#endif
