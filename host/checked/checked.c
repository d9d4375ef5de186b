/* checked.c: what all wrappers share. */
#include "checked.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static void tags_text(uint32_t tags, char *text, size_t room)
{
    static const char *const names[] = {"main", "guest", "gpu", "drain"};
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < 4 && at < room; i++) {
        if (tags >> i & 1) {
            at += (size_t)snprintf(text + at, room - at, "[%s]", names[i]);
        }
    }
}

static void violation(const char *id, const char *op, const char *sentence)
{
    fflush(stdout);
    fprintf(stderr, "weft: error: %s.%s: %s\n", id, op, sentence);
    fflush(stderr);
    _exit(EXIT_PLUGIN); /* from any thread, and with a plugin in an unknown state */
}

void checked_violation(const checked *c, const char *op, const char *format, ...)
{
    char sentence[512];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    violation(c->part->plugin->desc->id, op, sentence);
    abort();
}

void checked_thread(const checked *c, const char *op, uint32_t tags)
{
    uint32_t tag = run_thread_tag(c->part->run);
    if (!(tag & tags)) {
        char found[40], expected[40];
        tags_text(tag, found, sizeof found);
        tags_text(tags, expected, sizeof expected);
        checked_violation(c, op, "called on the wrong thread (found %s, expected %s)", found,
                          expected);
    }
}

void checked_service(part *p, const char *service, uint32_t tags)
{
    uint32_t tag;
    if (!p->run->profile->checked || ((tag = run_thread_tag(p->run)) & tags)) {
        return;
    }
    char found[40], expected[40], sentence[160];
    tags_text(tag, found, sizeof found);
    tags_text(tags, expected, sizeof expected);
    snprintf(sentence, sizeof sentence, "called on the wrong thread (found %s, expected %s)", found,
             expected);
    violation(p->plugin->desc->id, service, sentence);
}

void checked_alone(part *p, const char *service, _Atomic uint32_t *busy)
{
    if (atomic_exchange_explicit(busy, 1, memory_order_relaxed)) {
        violation(p->plugin->desc->id, service,
                  "called by two threads at once (found no lock around it, expected the kernel's)");
    }
}

void checked_wrap(part *p)
{
    checked *c = text_need(sizeof *c);
    *c = (checked){.part = p, .ops = p->ops, .instance = p->instance};
    switch (p->role) {
    case WEFT_ROLE_CPU:
        checked_cpu(&p->ops);
        break;
    case WEFT_ROLE_KERNEL:
        checked_kernel(&p->ops);
        break;
    case WEFT_ROLE_GPU:
        checked_gpu(&p->ops);
        break;
    case WEFT_ROLE_TRACER:
        checked_tracer(&p->ops);
        break;
    case WEFT_ROLE_POLICY:
        guard_install();
        checked_policy(&p->ops);
        break;
    default:
        checked_frontend(&p->ops);
        break;
    }
    p->checked = c;
    p->self = c;
}

void checked_unwrap(part *p)
{
    checked *c = p->checked;
    if (c) {
        free(c->view_records);
        free(c);
    }
    p->checked = NULL;
}
