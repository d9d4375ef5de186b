/* tracer-ring: a flight recorder. It keeps the last events of a run in memory and writes them as a
 * trace when something happens: a fault, a run that fails, a request (docs/trace.md,
 * "tracer-ring"). Nothing is written before, so it may stay on in every run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dump.h"
#include "weft/host.h"

/* Bits of `on` above the kinds. */
#define ON_FAILURE WEFT_EVENT_KIND_END
#define ON_CLOSE   (WEFT_EVENT_KIND_END + 1)

typedef struct tracer_ring {
    const weft_host *host;
    const weft_trace_begin *begin; /* NULL: not open */
    store store;
    ring_names names;
    uint8_t on[WEFT_EVENT_KIND_END + 2]; /* 1: a reason to dump */
    uint64_t last;                       /* sequence of the latest event */
    uint64_t dumped;                     /* `last` of the latest dump + 1; 0: none */
    uint32_t dumps;
    char path[1024]; /* of the latest dump */
    int error;       /* errno of the first dump that failed, or ENOMEM */
    char failed[1024];
    uint64_t written; /* bytes of that dump */
} tracer_ring;

/* "fault, failure": sets the reasons; a word that is none is copied to `word` and gives 0. */
static int parse_reasons(tracer_ring *r, const char *text, char word[64])
{
    while (*text) {
        size_t length = strcspn(text, ", ");
        if (length > 0) {
            snprintf(word, 64, "%.*s", (int)(length > 63 ? 63 : length), text);
            uint16_t number = 1;
            while (number < WEFT_EVENT_KIND_END &&
                   strcmp(weft_event_kind_of(number)->name, word) != 0) {
                number++;
            }
            if (strcmp(word, "failure") == 0) {
                number = ON_FAILURE;
            } else if (strcmp(word, "close") == 0) {
                number = ON_CLOSE;
            } else if (number == WEFT_EVENT_KIND_END) {
                return 0;
            }
            r->on[number] = 1;
        }
        text += length + strspn(text + length, ", ");
    }
    return 1;
}

static weft_status create(const weft_host *host, void **instance)
{
    char word[64], sentence[256];
    tracer_ring *r = calloc(1, sizeof *r);
    if (!r) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-ring");
    }
    r->host = host;
    if (!parse_reasons(r, host->option_text(host, "dump_on"), word)) {
        snprintf(sentence, sizeof sentence,
                 "dump_on has no such word (found %s, expected kinds of events, failure or close)",
                 word);
        free(r);
        return host->fail(host, WEFT_E_INVALID, sentence);
    }
    *instance = r;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    tracer_ring *r = instance;
    store_free(&r->store);
    ring_names_free(&r->names);
    free(r);
}

static weft_status fail_io(const tracer_ring *r, const char *what, const char *path, int error,
                           const char *expected)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "cannot %s %.300s (found %s, expected %s)", what, path,
             strerror(error), expected);
    return r->host->fail(r->host, WEFT_E_IO, sentence);
}

/* A recorder that cannot write is to be known before the flight: the file, or else its folder, must
 * be writable. */
static int check_path(const char *path)
{
    char folder[1024];
    if (access(path, F_OK) == 0) {
        return access(path, W_OK) == 0 ? 0 : errno;
    }
    const char *slash = strrchr(path, '/');
    if (snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1,
                 slash ? path : ".") >= (int)sizeof folder) {
        return ENAMETOOLONG;
    }
    return access(folder, W_OK) == 0 ? 0 : errno;
}

static weft_status ring_open(void *instance, const weft_trace_begin *begin)
{
    tracer_ring *r = instance;
    const char *path = r->host->option_text(r->host, "path");
    int error = check_path(path);
    r->begin = NULL;
    if (error) {
        return fail_io(r, "create", path, error, "a path that can be written");
    }
    ring_names_free(&r->names); /* of an earlier use: this host tells them all again */
    store_start(&r->store, begin, (uint64_t)r->host->option_int(r->host, "events"),
                (uint64_t)r->host->option_int(r->host, "kib") * 1024);
    r->begin = begin;
    r->last = begin->first - 1;
    r->dumped = 0;
    r->error = 0;
    return WEFT_OK;
}

/* "a/b.wtr" for the first, "a/b-2.wtr" for the second. */
static void name_dump(tracer_ring *r)
{
    const char *path = r->host->option_text(r->host, "path");
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(path, '.');
    if (++r->dumps == 1) {
        snprintf(r->path, sizeof r->path, "%s", path);
        return;
    }
    if (!dot || (slash && dot < slash + 2) || dot == path) { /* none, or a hidden file's */
        dot = path + strlen(path);
    }
    snprintf(r->path, sizeof r->path, "%.*s-%u%s", (int)(dot - path), path, r->dumps, dot);
}

/* Writes a file; what fails first is also kept for close. `digest` NULL: ask the host. */
static int dump(tracer_ring *r, const char *reason, const char *digest)
{
    char now[33] = "";
    uint64_t written;
    if (!digest && r->begin->digest_now) {
        r->begin->digest_now(r->begin->names, now);
    }
    ring_dump d = {
        .store = &r->store,
        .names = &r->names,
        .begin = r->begin,
        .parallel = r->host->machine && r->host->machine->mode == WEFT_MODE_PARALLEL,
        .last = r->last,
        .digest = digest ? digest : now,
    };
    name_dump(r);
    int error = ring_dump_write(&d, r->path, &written);
    if (error) {
        if (!r->error) {
            r->error = error;
            r->written = written;
            memcpy(r->failed, r->path, sizeof r->failed);
        }
        return error;
    }
    r->dumped = r->last + 1;
    /* Not host->log: its event would come into the stream at a place that depends on this host. */
    fprintf(stderr, "weft: tracer-ring: %s: wrote %s, the last %llu events up to %lld\n", reason,
            r->path, (unsigned long long)r->store.events, (long long)r->last);
    return 0;
}

static void event(void *instance, const weft_event *record)
{
    tracer_ring *r = instance;
    if (!r->begin) {
        return;
    }
    if (record->kind == WEFT_EVENT_DEFINE) {
        if (!ring_names_learn(&r->names, record)) {
            r->error = ENOMEM;
        }
        if (record->sequence == 0 && r->begin->first != 0) {
            return; /* an identity from before the swap, told again */
        }
    }
    if (!store_add(&r->store, record)) { /* better a shorter trace than one with a gap */
        r->error = ENOMEM;
        store_start(&r->store, r->begin, r->store.wanted, r->store.limit);
        r->store.next_first = record->sequence + 1;
        r->store.next_before[0] = 0;
    }
    r->last = record->sequence;
    if (record->kind < WEFT_EVENT_KIND_END && r->on[record->kind] &&
        r->dumps < (uint32_t)r->host->option_int(r->host, "dumps")) {
        dump(r, weft_event_kind_of(record->kind)->name, NULL);
    }
}

static int run_failed(const weft_host *host)
{
    const weft_host_run *run = host->extension ? host->extension(host, WEFT_HOST_RUN) : NULL;
    return run && run->exit_code(host) > 0;
}

static weft_status ring_close(void *instance, uint64_t last, const char *digest)
{
    tracer_ring *r = instance;
    if (!r->begin) {
        return WEFT_OK;
    }
    int failed = r->on[ON_FAILURE] && run_failed(r->host);
    if ((r->on[ON_CLOSE] || failed) && r->dumped != last + 1) {
        r->last = last;
        dump(r, failed ? "failure" : "close", digest);
    }
    r->begin = NULL;
    if (r->error) {
        char expected[64];
        snprintf(expected, sizeof expected, "room beyond the first %llu bytes",
                 (unsigned long long)r->written);
        return fail_io(r, "write", r->failed[0] ? r->failed : "the last events", r->error,
                       expected);
    }
    return WEFT_OK;
}

static weft_status dump_now(void *instance, const char **path)
{
    tracer_ring *r = instance;
    if (!r->begin) {
        return r->host->fail(r->host, WEFT_E_STATE,
                             "nothing is recorded (found no open trace, "
                             "expected one)");
    }
    int before = r->error; /* the answer to a request is given here, not at close */
    int error = dump(r, "request", NULL);
    r->error = before;
    *path = r->path;
    return error ? fail_io(r, "write", r->path, error, "a path that can be written") : WEFT_OK;
}

static const void *extension(void *instance, const char *name)
{
    static const weft_tracer_dump dump_extension = {
        .size = sizeof dump_extension,
        .dump = dump_now,
    };
    return strcmp(name, WEFT_TRACER_DUMP) == 0 ? &dump_extension : NULL;
}

static const weft_option options[] = {
    {
        .key = "path",
        .type = WEFT_OPTION_PATH,
        .default_value = "flight.wtr",
        .help = "file of the first dump, text where it ends in .jsonl; the next are NAME-2, NAME-3",
    },
    {
        .key = "events",
        .type = WEFT_OPTION_INT,
        .default_value = "65536",
        .minimum = 1,
        .maximum = 1 << 26,
        .help = "events that are kept at least; a sixteenth more at most",
    },
    {
        .key = "kib",
        .type = WEFT_OPTION_INT,
        .default_value = "65536",
        .minimum = 64,
        .maximum = 1 << 24,
        .help = "KiB of events that are kept at most, definitions not counted",
    },
    {
        .key = "dump_on",
        .type = WEFT_OPTION_STRING,
        .default_value = "fault,failure",
        .help = "when to write: kinds of events, failure (the run failed), close (the end, a swap)",
    },
    {
        .key = "dumps",
        .type = WEFT_OPTION_INT,
        .default_value = "8",
        .minimum = 0,
        .maximum = 9999,
        .help = "dumps at events; requests and the end are not limited",
    },
};

static const weft_tracer_ops ops = {
    .size = sizeof ops,
    .open = ring_open,
    .event = event,
    .close = ring_close,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-ring",
    .version = "0.1",
    .summary = "flight recorder: keeps the last events, writes them when something happens",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
    .extension = extension,
};
