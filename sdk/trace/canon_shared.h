/* canon_shared.h: WEFT_CANON_SHARED of canon.h: what two different engines can be compared by, namely
 * schema v1 as the reference system compares it (docs/trace.md, "Between engines").
 *
 * Kinds that have a form: import.call, kernel.call, kernel.return (void or not), handle.create,
 * handle.destroy, thread.create, thread.exit, wait.begin. All others are known to one engine alone.
 * Exports go by their bare name. What an allocator gave out, a ctx_ptr and a raw handle are named by
 * the thread that got it and a running number there, now and in every later argument. */
#ifndef WEFT_TRACE_CANON_SHARED_H
#define WEFT_TRACE_CANON_SHARED_H

#include "trace.h"

typedef struct canon_shared canon_shared;

/* NULL without memory. */
canon_shared *canon_shared_new(void);
canon_shared *canon_shared_clone(const canon_shared *canon);
void canon_shared_free(canon_shared *canon);

/* As weft_canon_add. */
int canon_shared_add(canon_shared *canon, const weft_trace *trace, const weft_event *event,
                     uint64_t *hash);
int canon_shared_no_memory(const canon_shared *canon);

/* The latest event that had a form, as it is compared: its kind, then word by word what counts of
 * its payload, a text as its hash. *fields: the field of the kind's row that each is of, UINT8_MAX
 * where the payload is not what the row says. Valid until the next call. */
const uint64_t *canon_shared_words(const canon_shared *canon, const uint8_t **fields,
                                   uint32_t *count);

/* What a compared word that is a name stands for, "handle 2 of the thread"; "" for other words. */
void canon_shared_show(uint64_t word, char to[64]);

/* 1 for an export that returns nothing, so that r3 behind it is nobody's answer. */
int canon_shared_is_void(const char *name, size_t length);

/* The bare name within "module!name(arguments)#ordinal", or the whole text. */
const char *canon_shared_export(const char *text, size_t *length);

#endif
