/* trace_diff_report.h: a comparison of traces as text for a terminal, as Markdown, as JSON. */
#ifndef WEFT_HOST_TRACE_DIFF_REPORT_H
#define WEFT_HOST_TRACE_DIFF_REPORT_H

#include "../text.h"
#include "diff.h"

enum { REPORT_TEXT, REPORT_MARKDOWN, REPORT_JSON };

void report_diff(buffer *b, int format, const weft_trace_diff *diff, const char *const paths[2]);

#endif
