/* sdk/trace's Perfetto writer and the model of tracks behind it, read back by a decoder that knows
 * the wire format alone (look_perfetto.c), and by protoc. */
#include <unistd.h>

#include "look.h"
#include "perfetto.h"
#include "tracks.h"
#include "weft/policy.h"

#define W(n) ((uint64_t)(n))

static void add(void *writer, const weft_event *event, int show)
{
    weft_perfetto_add(writer, event, show);
}

static void start(look *l, const char *title)
{
    look_start(l, title);
    l->writer = weft_perfetto_new(fileno(l->file), &l->begin, 65536);
    assert_non_null(l->writer);
    l->add = add;
}

/* Ends the trace and gives its marks, checked; the number of events left out. */
static uint64_t finish(look *l, look_marks *m)
{
    size_t length;
    uint64_t written, left_out;
    weft_perfetto_end(l->writer, 0);
    assert_int_equal(weft_perfetto_error(l->writer, &written, &left_out), 0);
    weft_perfetto_free(l->writer);
    char *bytes = look_bytes(l, &length);
    assert_int_equal(length, written);
    fclose(l->file);
    memset(m, 0, sizeof *m);
    look_perfetto(m, bytes, length);
    free(bytes);
    look_check(m);
    return left_out;
}

/* By hand, after protobuf.dev, "Encoding": Trace.packet (field 1) of 16 bytes: sequence id (10) 1;
 * track_descriptor (60) of 11 bytes: uuid (1) 1, process (3) of 5 bytes: pid (1) 1 and process_name
 * (6) "t"; child_ordering (11) 3. */
static void first_packet_is_the_process(void **state)
{
    static const unsigned char expected[] = {0x0a, 0x10, 0x50, 0x01, 0xe2, 0x03, 0x0b, 0x08, 0x01,
                                             0x1a, 0x05, 0x08, 0x01, 0x32, 0x01, 't',  0x58, 0x03};
    look l;
    size_t length;
    start(&l, "t");
    weft_perfetto_end(l.writer, 0);
    weft_perfetto_free(l.writer);
    char *bytes = look_bytes(&l, &length);
    assert_int_equal(length, sizeof expected);
    assert_memory_equal(bytes, expected, length);
    free(bytes);
    fclose(l.file);
}

static void call_is_a_slice_with_arguments_and_result(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t close = look_id(&l, "xboxkrnl.exe!NtClose(handle,flags)#207");
    uint64_t thread = look_id(&l, "thread:main");
    look_put(&l, WEFT_EVENT_IMPORT_CALL, thread, 90, 2, close, W(0x82001234));
    /* three registers, of which the third is no argument of the export */
    look_put(&l, WEFT_EVENT_KERNEL_CALL, thread, 100, 6, close, W(3), W(0xf8000004), W(7), W(9),
             W(0));
    look_put(&l, WEFT_EVENT_KERNEL_RETURN, thread, 250, 2, close, W(0xc0000008));
    finish(&l, &m);
    char track[64];
    snprintf(track, sizeof track, "thread:main (tid %u)", (unsigned)(thread % 1000 + 1));
    const look_mark *begin = look_find(&m, 'B', track, "NtClose");
    assert_non_null(begin);
    assert_int_equal(begin->ns, 100);
    assert_string_equal(begin->args, "handle=0xf8000004;flags=7;caller=0x82001234;");
    const look_mark *end = begin + 1; /* nothing stands between them */
    while (end->type != 'E') {
        end++;
    }
    assert_int_equal(end->ns, 250);
    assert_string_equal(end->args, "return_value=0xc0000008;status=0xc0000008;");
    look_free(&m);
}

static void wait_is_a_slice_inside_the_call(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t wait = look_id(&l, "xboxkrnl.exe!KeWait()#1"), thread = look_id(&l, "thread:main");
    uint64_t event = look_id(&l, "event:main#0");
    look_call(&l, thread, 10, wait);
    look_wait(&l, thread, 11, event);
    look_woken(&l, thread, 50, event);
    look_return(&l, thread, 51, wait);
    finish(&l, &m);
    static const char types[] = {'B', 'B', 'E', 'E'};
    static const uint64_t times[] = {10, 11, 50, 51};
    uint32_t met = 0;
    uint64_t track = 0;
    for (size_t i = 0; i < m.count; i++) {
        if (strcmp(m.at[i].name, "KeWait") == 0) {
            track = m.at[i].track;
        }
        if (track && m.at[i].track == track && m.at[i].type != 'i') {
            assert_int_equal(m.at[i].type, types[met]);
            assert_int_equal(m.at[i].ns, times[met++]);
        }
    }
    assert_int_equal(met, 4);
    look_free(&m);
}

static void signal_flows_to_the_wait_that_it_ends(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t a = look_id(&l, "thread:main"), b = look_id(&l, "thread:main/0");
    uint64_t event = look_id(&l, "event:main#0"), other = look_id(&l, "event:main#1");
    look_wait(&l, b, 10, event);
    look_put(&l, WEFT_EVENT_SIGNAL_MATCH, a, 40, 2, event, b);
    /* the same wake-up a second time: no second arrow */
    look_put(&l, WEFT_EVENT_WAKE_REQUESTED, a, 40, 6, b, event, W(1), W(0), W(2), W(3));
    look_wait(&l, a, 41, other);
    look_woken(&l, b, 42, event);
    finish(&l, &m);
    uint32_t arrows = 0;
    for (size_t i = 0; i < m.count; i++) {
        const look_mark *from = &m.at[i];
        arrows += from->out_count;
        if (from->out_count) {
            assert_string_equal(from->name, "signal.match");
            assert_int_equal(from->ns, 40);
        }
        if (from->in_count) {
            assert_string_equal(from->name, "woken");
            assert_int_equal(from->ns, 42);
        }
    }
    assert_int_equal(arrows, 1);
    look_free(&m);
}

/* A contended lock that is taken without a wait: the release before flows to the acquisition. */
static void release_flows_to_the_acquisition_after_it(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t a = look_id(&l, "thread:main"), b = look_id(&l, "thread:main/0"), lock = 0x82031000;
    uint64_t enter = look_id(&l, "xboxkrnl.exe!RtlEnterCriticalSection(cs)#293");
    uint64_t leave = look_id(&l, "xboxkrnl.exe!RtlLeaveCriticalSection(cs)#304");
    look_put(&l, WEFT_EVENT_KERNEL_CALL, b, 10, 4, enter, W(1), lock, W(0));
    look_put(&l, WEFT_EVENT_CONTENTION_OBSERVED, b, 10, 3, lock, W(1), W(0));
    look_put(&l, WEFT_EVENT_KERNEL_CALL, a, 20, 4, leave, W(1), lock + 64, W(0)); /* another one */
    look_put(&l, WEFT_EVENT_KERNEL_RETURN_VOID, a, 21, 1, leave);
    look_put(&l, WEFT_EVENT_KERNEL_CALL, a, 30, 4, leave, W(1), lock, W(0));
    look_put(&l, WEFT_EVENT_KERNEL_RETURN_VOID, a, 31, 1, leave);
    look_put(&l, WEFT_EVENT_KERNEL_RETURN_VOID, b, 35, 1, enter);
    finish(&l, &m);
    const look_mark *from = NULL, *to = NULL;
    for (size_t i = 0; i < m.count; i++) {
        from = m.at[i].out_count ? &m.at[i] : from;
        to = m.at[i].in_count ? &m.at[i] : to;
    }
    assert_non_null(from);
    assert_non_null(to);
    assert_string_equal(from->name, "released");
    assert_int_equal(from->ns, 31);
    assert_string_equal(to->name, "acquired");
    assert_int_equal(to->ns, 35);
    look_free(&m);
}

static void requests_flow_to_their_completion_in_order(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t a = look_id(&l, "thread:main"), io = look_id(&l, "source:io");
    uint64_t file = look_id(&l, "file:a");
    look_put(&l, WEFT_EVENT_VFS_WRITE, a, 9, 3, look_id(&l, "file:b"), W(0), W(16));
    look_put(&l, WEFT_EVENT_VFS_READ, a, 10, 3, file, W(0), W(16));
    look_put(&l, WEFT_EVENT_VFS_READ, a, 11, 3, file, W(16), W(16));
    look_put(&l, WEFT_EVENT_IO_COMPLETE, io, 40, 4, file, W(99), W(0), W(16)); /* another's */
    look_put(&l, WEFT_EVENT_IO_COMPLETE, io, 50, 4, file, a, W(0), W(16));
    look_put(&l, WEFT_EVENT_IO_COMPLETE, io, 60, 4, file, a, W(0), W(16));
    finish(&l, &m);
    uint64_t asked[3] = {0}, done[3] = {0}, at[3] = {0};
    int64_t outstanding[8];
    uint32_t q = 0, d = 0, values = 0;
    for (size_t i = 0; i < m.count; i++) {
        const look_mark *k = &m.at[i];
        if (k->out_count) {
            assert_true(q < 3);
            asked[q++] = k->out[0];
        }
        if (k->in_count) {
            assert_true(d < 3);
            at[d] = k->ns;
            done[d++] = k->in[0];
        }
        if (k->type == 'C' && strcmp(look_track(&m, k->track), "outstanding I/O") == 0) {
            assert_true(values < 8);
            outstanding[values++] = k->value;
        }
    }
    assert_true(q == 3 && d == 3);
    assert_true(done[0] == asked[1] && at[0] == 50);
    assert_true(done[1] == asked[2] && at[1] == 60);
    assert_true(done[2] == asked[0] && at[2] == 60); /* not completed: the trace's end */
    static const int64_t expected[] = {1, 2, 3, 2, 1, 0};
    assert_int_equal(values, 6);
    assert_memory_equal(outstanding, expected, sizeof expected);
    look_free(&m);
}

static void creation_flows_to_the_first_event(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t a = look_id(&l, "thread:main"), b = look_id(&l, "thread:main/0");
    look_put(&l, WEFT_EVENT_THREAD_CREATE, a, 10, 8, b, W(1), W(2), W(0x82000000), W(0), W(65536),
             W(1), W(0));
    look_put(&l, WEFT_EVENT_THREAD_EXIT, b, 30, 1, W(0));
    finish(&l, &m);
    for (size_t i = 0; i < m.count; i++) {
        assert_true(m.at[i].out_count == 0 || strcmp(m.at[i].name, "thread.create") == 0);
        assert_true(m.at[i].in_count == 0 || m.at[i].ns == 30);
    }
    look_free(&m);
}

static void switches_say_who_runs_where(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t a = look_id(&l, "thread:main"), b = look_id(&l, "thread:main/0");
    /* header hw is thread % 6: 0 for the machine */
    look_put(&l, WEFT_EVENT_SCHED_SWITCH, 0, 10, 4, W(0), a, W(0), W(2));
    look_put(&l, WEFT_EVENT_SCHED_SWITCH, 0, 30, 4, a, b, W(1), W(5));
    look_put(&l, WEFT_EVENT_SCHED_SWITCH, 0, 45, 4, b, W(0), W(1), W(0));
    finish(&l, &m);
    const look_mark *first = look_find(&m, 'B', "hw 0", "thread:main");
    const look_mark *second = look_find(&m, 'B', "hw 0", "thread:main/0");
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(first->ns, 10);
    assert_int_equal(second->ns, 30);
    int64_t ready[3] = {0};
    uint32_t n = 0;
    for (size_t i = 0; i < m.count; i++) {
        if (strcmp(look_track(&m, m.at[i].track), "ready on hw 0") == 0) {
            assert_true(n < 3);
            ready[n++] = m.at[i].value;
        }
    }
    assert_int_equal(n, 3);
    assert_true(ready[0] == 2 && ready[1] == 5 && ready[2] == 0);
    look_free(&m);
}

static void without_switches_events_say_who_runs_where(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t call = look_id(&l, "xboxkrnl.exe!NtClose(handle)#207");
    look_call(&l, 6, 10, call); /* threads 6 and 12 are both on hardware thread 0 */
    look_return(&l, 6, 20, call);
    look_call(&l, 12, 30, call);
    look_return(&l, 12, 40, call);
    finish(&l, &m);
    const look_mark *a = look_find(&m, 'B', "hw 0", "0000000000000006");
    const look_mark *b = look_find(&m, 'B', "hw 0", "000000000000000c");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->ns, 10);
    assert_int_equal(b->ns, 30);
    look_free(&m);
}

static void swaps_cut_the_gpus_track_into_frames(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t swap = look_id(&l, "xboxkrnl.exe!VdSwap(slot)#603"), a = look_id(&l, "thread:main");
    look_call(&l, a, 5, swap);
    look_put(&l, WEFT_EVENT_GPU_DRAW, 0, 10, 4, W(0), W(0), W(3), W(0));
    look_put(&l, WEFT_EVENT_GPU_DRAW, 0, 11, 4, W(1), W(0), W(3), W(0));
    look_return(&l, a, 12, swap);
    look_put(&l, WEFT_EVENT_GPU_SWAP, 0, 20, 5, W(1), W(0), W(64), W(64), W(0));
    look_put(&l, WEFT_EVENT_GPU_SWAP, 0, 40, 5, W(2), W(0), W(64), W(64), W(0));
    finish(&l, &m);
    const look_mark *first = look_find(&m, 'B', "GPU", "frame 1");
    const look_mark *second = look_find(&m, 'B', "GPU", "frame 2");
    const look_mark *swapped = look_find(&m, 'i', "GPU", "swap");
    assert_non_null(first);
    assert_non_null(second);
    assert_non_null(swapped);
    assert_int_equal(first->ns, 5); /* the run's beginning */
    assert_int_equal(second->ns, 20);
    assert_int_equal(swapped->in_count, 1); /* from VdSwap's return */
    int64_t draws[2] = {-1, -1};
    uint32_t n = 0;
    for (size_t i = 0; i < m.count; i++) {
        if (strcmp(look_track(&m, m.at[i].track), "draws in a frame") == 0) {
            assert_true(n < 2);
            draws[n++] = m.at[i].value;
        }
    }
    assert_true(n == 2 && draws[0] == 2 && draws[1] == 0);
    look_free(&m);
}

/* The second vertical blank raises no interrupt, and the one on the command processor's behalf is not
 * the blank's. */
static void vertical_blank_flows_to_the_interrupt_that_it_raises(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t blank = look_id(&l, "source:vblank"), a = look_id(&l, "thread:interrupt/2");
    look_put(&l, WEFT_EVENT_SOURCE_FIRE, blank, 100, 1, W(0));
    look_put(&l, WEFT_EVENT_INTERRUPT, a, 100, 2, W(0), W(2));
    look_put(&l, WEFT_EVENT_SOURCE_FIRE, blank, 200, 1, W(1));
    look_put(&l, WEFT_EVENT_GPU_INTERRUPT, 0, 250, 1, W(4));
    look_put(&l, WEFT_EVENT_INTERRUPT, a, 250, 2, W(1), W(2));
    look_put(&l, WEFT_EVENT_INTERRUPT, a, 260, 2, W(0), W(2));
    finish(&l, &m);
    uint64_t from[2], to[2];
    uint32_t q = 0, d = 0;
    for (size_t i = 0; i < m.count; i++) {
        if (m.at[i].out_count) {
            assert_true(q < 2);
            assert_memory_equal(look_track(&m, m.at[i].track), q ? "GPU" : "source:vblank",
                                q ? 3 : 13);
            from[q++] = m.at[i].ns;
        }
        if (m.at[i].in_count) {
            assert_true(d < 2);
            assert_string_equal(m.at[i].name,
                                d ? "interrupt command processor" : "interrupt vblank");
            to[d++] = m.at[i].ns;
        }
    }
    assert_true(q == 2 && d == 2);
    assert_true(from[0] == 100 && to[0] == 100 && from[1] == 250 && to[1] == 250);
    look_free(&m);
}

static void operations_have_their_names(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    for (uint64_t op = 0; op <= WEFT_SYNC_KINDS; op++) {
        look_put(&l, WEFT_EVENT_SYNC_OP, 6, 10 + op, 4, op, W(1), W(0), W(0));
    }
    finish(&l, &m);
    assert_non_null(look_find(&m, 'i', "0000000000000006 (tid 7)", "op: enter"));
    assert_non_null(look_find(&m, 'i', "0000000000000006 (tid 7)", "op: time-out"));
    assert_non_null(
        look_find(&m, 'i', "0000000000000006 (tid 7)", "sync.op")); /* one that is none */
    look_free(&m);
}

static void slices_nest_and_flows_end_in_any_run(void **state)
{
    for (uint32_t seed = 1; seed <= 40; seed++) {
        look l;
        look_marks m;
        start(&l, "t.xex");
        look_nonsense(&l, seed, 500);
        finish(&l, &m);
        assert_true(m.count > 200);
        look_free(&m);
    }
}

/* A range within: what is hidden leaves no mark but the slices that reach into it. */
static void range_shows_what_is_open_at_its_beginning(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t call = look_id(&l, "xboxkrnl.exe!NtRead(file)#1"), a = look_id(&l, "thread:main");
    uint64_t b = look_id(&l, "thread:main/0"), gone = look_id(&l, "xboxkrnl.exe!NtGone()#2");
    l.hidden = 1;
    look_call(&l, a, 10, gone);
    look_return(&l, a, 20, gone);
    look_call(&l, a, 30, call);
    look_call(&l, b, 40, call);
    look_put(&l, WEFT_EVENT_GPU_SWAP, 0, 50, 5, W(1), W(0), W(64), W(64), W(0));
    l.hidden = 0;
    weft_perfetto_from(l.writer, 100);
    look_return(&l, a, 150, call);
    finish(&l, &m);
    char track[64];
    snprintf(track, sizeof track, "thread:main (tid %u)", (unsigned)(a % 1000 + 1));
    const look_mark *reaching = look_find(&m, 'B', track, "NtRead");
    assert_non_null(reaching);
    assert_int_equal(reaching->ns, 100);
    assert_string_equal(reaching->args, "began=30;");
    assert_null(look_find(&m, 'B', track, "NtGone"));
    snprintf(track, sizeof track, "thread:main/0 (tid %u)", (unsigned)(b % 1000 + 1));
    assert_non_null(look_find(&m, 'B', track, "NtRead")); /* of a thread that does nothing in it */
    const look_mark *frame = look_find(&m, 'B', "GPU", "frame 2");
    assert_non_null(frame);
    assert_int_equal(frame->ns, 100);
    assert_null(look_find(&m, 'B', "GPU", "frame 1"));
    look_free(&m);
}

static void any_run_with_a_range_keeps_the_rules(void **state)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        look l;
        look_marks m;
        start(&l, "t.xex");
        l.hidden = 1;
        look_nonsense(&l, seed, 300);
        l.hidden = 0;
        look_nonsense(&l, seed + 100, 200);
        l.hidden = 1;
        look_nonsense(&l, seed + 200, 100);
        l.hidden = 0;
        look_nonsense(&l, seed + 300, 100);
        finish(&l, &m);
        look_free(&m);
    }
}

static void open_slices_end_with_the_trace(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t call = look_id(&l, "xboxkrnl.exe!NtRead(file)#1"), a = look_id(&l, "thread:main");
    look_call(&l, a, 10, call);
    look_put(&l, WEFT_EVENT_THREAD_EXIT, 7, 90, 1, W(0));
    finish(&l, &m);
    const look_mark *end = NULL;
    for (size_t i = 0; i < m.count; i++) {
        if (strcmp(m.at[i].args, "cut=1;") == 0) {
            end = &m.at[i];
        }
    }
    assert_non_null(end);
    assert_int_equal(end->ns, 90); /* the last tick of the trace */
    look_free(&m);
}

/* A million calls within calls, then as many returns: the deepest are left out, and the next call is
 * drawn again. */
static void deep_nesting_is_bounded(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    uint64_t call = look_id(&l, "xboxkrnl.exe!NtRead()#1"), a = look_id(&l, "thread:main");
    for (uint32_t i = 0; i < 1000000; i++) {
        look_call(&l, a, i, call);
    }
    for (uint32_t i = 0; i < 1000000; i++) {
        look_return(&l, a, 1000000 + i, call);
    }
    look_call(&l, a, 3000000, look_id(&l, "xboxkrnl.exe!NtWrite()#2"));
    uint64_t left_out = finish(&l, &m);
    assert_int_equal(left_out, 1000000 - WEFT_TRACKS_DEPTH);
    uint32_t begun = 0;
    for (size_t i = 0; i < m.count; i++) {
        begun += m.at[i].type == 'B' && strcmp(m.at[i].name, "NtRead") == 0;
    }
    assert_int_equal(begun, WEFT_TRACKS_DEPTH);
    char track[64];
    snprintf(track, sizeof track, "thread:main (tid %u)", (unsigned)(a % 1000 + 1));
    assert_non_null(look_find(&m, 'B', track, "NtWrite"));
    look_free(&m);
}

/* More names on one track than are remembered: the sequence begins anew, and all can be read. */
static void names_beyond_the_table_are_told_anew(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    for (uint32_t i = 0; i < 140000; i++) {
        look_call(&l, 1, i, look_many(i));
        look_return(&l, 1, i, look_many(i));
    }
    size_t length;
    uint64_t written, left_out;
    weft_perfetto_end(l.writer, 0);
    assert_int_equal(weft_perfetto_error(l.writer, &written, &left_out), 0);
    weft_perfetto_free(l.writer);
    char *bytes = look_bytes(&l, &length);
    assert_int_equal(left_out, 0);
    assert_int_equal(length, written);
    memset(&m, 0, sizeof m);
    m.forget = 1;
    look_perfetto(&m, bytes, length); /* fails where a name is not known */
    assert_true(m.restarts > 0);
    look_free(&m);
    free(bytes);
    fclose(l.file);
}

static void threads_beyond_the_limit_are_counted(void **state)
{
    look l;
    uint64_t written, left_out;
    start(&l, "t.xex");
    uint64_t call = look_id(&l, "xboxkrnl.exe!NtRead()#1");
    for (uint64_t i = 1; i <= WEFT_TRACKS_THREADS + 100; i++) {
        look_call(&l, i, i, call);
    }
    weft_perfetto_end(l.writer, 0);
    assert_int_equal(weft_perfetto_error(l.writer, &written, &left_out), 0);
    assert_int_equal(left_out, 100);
    weft_perfetto_free(l.writer);
    fclose(l.file);
}

/* Any bytes in a title, in names and strings come out as UTF-8 without control characters, which
 * finish checks; 0xFF is U+00FF, a newline the picture of one (U+240A). */
static void texts_are_utf8_whatever_they_were(void **state)
{
    look l;
    look_marks m;
    start(&l, "\x01<&\"\xff.xex");
    uint64_t call = look_id(&l, "a\nb!\x80\xff\x7f(\x1b[31m,y\xc3)#1"),
             a = look_id(&l, "thread:\xfe\n");
    look_put(&l, WEFT_EVENT_KERNEL_CALL, a, 10, 7, call, W(2), W(1), W(2), W(9),
             W(0x0a0d00ff80c2e9), W(0x41));
    weft_event_buffer e;
    weft_event_begin(&e, WEFT_EVENT_DEBUG_PRINT);
    e.head.thread = a;
    e.head.tick = 11;
    weft_event_text(&e, "x\n\xff", 3);
    weft_perfetto_add(l.writer, &e.head, 1);
    finish(&l, &m);
    const look_mark *print = NULL;
    for (size_t i = 0; i < m.count; i++) {
        print = strcmp(m.at[i].name, "debug.print") == 0 ? &m.at[i] : print;
    }
    assert_non_null(print);
    assert_string_equal(print->args, "text=x\xe2\x90\x8a\xc3\xbf;");
    look_free(&m);
}

/* Payloads that are not what their kind says, and kinds that are none, are counted and left out. */
static void malformed_payloads_are_left_out(void **state)
{
    look l;
    look_marks m;
    start(&l, "t.xex");
    for (uint16_t kind = 0; kind < WEFT_EVENT_KIND_END + 10; kind++) {
        look_put(&l, kind, 1, 10, 0);
        look_put(&l, kind, 1, 10, 3, UINT64_MAX, UINT64_MAX, UINT64_MAX);
        look_put(&l, kind, 1, UINT64_MAX, 9, W(1), UINT64_MAX, W(0), W(1) << 63, W(5), W(6), W(7),
                 W(8), W(9));
    }
    assert_true(finish(&l, &m) > 50);
    look_free(&m);
}

static void full_disk_ends_the_writing(void **state)
{
    look l;
    uint64_t written, left_out;
    look_start(&l, "t.xex");
    FILE *full = fopen("/dev/full", "w"); /* every write gives ENOSPC */
    assert_non_null(full);
    l.writer = weft_perfetto_new(fileno(full), &l.begin, 100);
    l.add = add;
    look_nonsense(&l, 1, 500);
    weft_perfetto_end(l.writer, 0);
    assert_int_not_equal(weft_perfetto_error(l.writer, &written, &left_out), 0);
    assert_int_equal(written, 0);
    weft_perfetto_free(l.writer);
    fclose(full);
    fclose(l.file);
}

/* protoc, which shares nothing with Weft, decodes the file with the published field numbers: it
 * would refuse bytes that are no message, and print a field of another number or type as a bare
 * number. */
static void protoc_decodes_every_field(void **state)
{
    char path[] = "/tmp/weft-perfetto-XXXXXX", command[512], line[4096];
    look l;
    if (system("protoc --version >/dev/null 2>&1") != 0) {
        print_message("protoc is not installed (package protobuf-compiler)\n");
        skip();
    }
    int file = mkstemp(path);
    assert_true(file >= 0);
    look_start(&l, "t.xex");
    fclose(l.file);
    l.file = fdopen(file, "wb");
    l.writer = weft_perfetto_new(file, &l.begin, 65536);
    l.add = add;
    look_nonsense(&l, 7, 2000);
    weft_perfetto_end(l.writer, 0);
    weft_perfetto_free(l.writer);
    fclose(l.file);
    snprintf(command, sizeof command,
             "protoc -I %s/tests/trace --decode Trace perfetto.proto < %s 2>&1", WEFT_SOURCE_DIR,
             path);
    FILE *decoded = popen(command, "r");
    uint32_t lines = 0, packets = 0;
    while (fgets(line, sizeof line, decoded)) {
        const char *text = line + strspn(line, " ");
        assert_false(*text >= '0' && *text <= '9');
        assert_null(strstr(line, "Failed"));
        packets += strcmp(line, "packet {\n") == 0;
        lines++;
    }
    assert_int_equal(pclose(decoded), 0);
    assert_true(packets > 1000 && lines > packets * 5);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_packet_is_the_process),
        cmocka_unit_test(call_is_a_slice_with_arguments_and_result),
        cmocka_unit_test(wait_is_a_slice_inside_the_call),
        cmocka_unit_test(signal_flows_to_the_wait_that_it_ends),
        cmocka_unit_test(release_flows_to_the_acquisition_after_it),
        cmocka_unit_test(requests_flow_to_their_completion_in_order),
        cmocka_unit_test(creation_flows_to_the_first_event),
        cmocka_unit_test(switches_say_who_runs_where),
        cmocka_unit_test(without_switches_events_say_who_runs_where),
        cmocka_unit_test(swaps_cut_the_gpus_track_into_frames),
        cmocka_unit_test(vertical_blank_flows_to_the_interrupt_that_it_raises),
        cmocka_unit_test(operations_have_their_names),
        cmocka_unit_test(slices_nest_and_flows_end_in_any_run),
        cmocka_unit_test(range_shows_what_is_open_at_its_beginning),
        cmocka_unit_test(any_run_with_a_range_keeps_the_rules),
        cmocka_unit_test(open_slices_end_with_the_trace),
        cmocka_unit_test(deep_nesting_is_bounded),
        cmocka_unit_test(names_beyond_the_table_are_told_anew),
        cmocka_unit_test(threads_beyond_the_limit_are_counted),
        cmocka_unit_test(texts_are_utf8_whatever_they_were),
        cmocka_unit_test(malformed_payloads_are_left_out),
        cmocka_unit_test(full_disk_ends_the_writing),
        cmocka_unit_test(protoc_decodes_every_field),
    };
    return cmocka_run_group_tests_name("perfetto", tests, NULL, NULL);
}
