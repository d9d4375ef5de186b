/* shared_log.h: lines of the reference system's schema v1 (REFERENCE-SYSTEM 2.1, 2.2), by hand. */
#ifndef TESTS_TRACE_SHARED_LOG_H
#define TESTS_TRACE_SHARED_LOG_H

#define SHARED_LINE(engine, kind, tid, index, payload)                                             \
    "{\"schema_version\":1,\"engine\":\"" engine "\",\"kind\":\"" kind "\",\"tid\":" #tid          \
    ",\"tid_event_idx\":" #index ",\"guest_cycle\":0,\"host_ns\":123456,\"deterministic\":true,"   \
    "\"payload\":{" payload "}}\n"
#define SHARED_HEAD(engine)                                                                        \
    SHARED_LINE(engine, "schema_version", 0, 0, "\"version\":1,\"emitter_build\":\"abc\"")
#define SHARED_IMPORT(engine, tid, index, name)                                                    \
    SHARED_LINE(engine, "import.call", tid, index, "\"name\":\"" name "\"")
#define SHARED_CALL(engine, tid, index, name, args)                                                \
    SHARED_LINE(engine, "kernel.call", tid, index,                                                 \
                "\"name\":\"" name "\",\"args\":{" args "},\"args_resolved\":{}")
#define SHARED_RETURN(engine, tid, index, name, value)                                             \
    SHARED_LINE(engine, "kernel.return", tid, index,                                               \
                "\"name\":\"" name "\",\"return_value\":" value                                    \
                ",\"status\":\"0x00000000\",\"side_effects\":[]")
#define SHARED_HANDLE(engine, tid, index, sid, type, raw)                                          \
    SHARED_LINE(engine, "handle.create", tid, index,                                               \
                "\"handle_semantic_id\":\"" sid "\",\"object_type\":" type                         \
                ",\"raw_handle_id\":" raw)
#define SHARED_WAIT(engine, tid, index, sid, timeout)                                              \
    SHARED_LINE(engine, "wait.begin", tid, index,                                                  \
                "\"handles_semantic_ids\":[\"" sid "\"],\"timeout_ns\":" timeout                   \
                ",\"wait_type\":\"any\"")

#endif
