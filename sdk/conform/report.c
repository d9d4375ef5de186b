/* report.c: counting and printing for all kits. */
#include "conform.h"

#include <stdarg.h>
#include <stdio.h>

static void say(weft_conform_report *report, const char *format, va_list list)
{
    char line[1024];
    vsnprintf(line, sizeof line, format, list);
    report->print(report, line);
}

void weft_conform_pass(weft_conform_report *report)
{
    report->passed++;
}

void weft_conform_fail(weft_conform_report *report, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(report, format, list);
    va_end(list);
    report->failed++;
}

void weft_conform_loose(weft_conform_report *report, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(report, format, list);
    va_end(list);
    report->loose++;
}

void weft_conform_note(weft_conform_report *report, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(report, format, list);
    va_end(list);
}
