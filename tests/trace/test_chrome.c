/* sdk/trace's Chrome writer, read back with cJSON. What each phase means and which members it needs
 * is from "Trace Event Format" (Google). */
#include <cjson/cJSON.h>

#include "chrome.h"
#include "look.h"

#define W(n) ((uint64_t)(n))

static void add(void *writer, const weft_event *event, int show)
{
    weft_chrome_add(writer, event, show);
}

static void start(look *l, const char *title)
{
    look_start(l, title);
    l->writer = weft_chrome_new(fileno(l->file), &l->begin, 65536);
    assert_non_null(l->writer);
    l->add = add;
}

static cJSON *finish(look *l)
{
    size_t length;
    uint64_t written, left_out;
    weft_chrome_end(l->writer, 0);
    assert_int_equal(weft_chrome_error(l->writer, &written, &left_out), 0);
    weft_chrome_free(l->writer);
    char *text = look_bytes(l, &length);
    assert_int_equal(length, written);
    assert_int_equal(strlen(text), length);
    fclose(l->file);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    free(text);
    return json;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    assert_true(cJSON_IsString(item));
    return item->valuestring;
}

static double number_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

static void take_metadata(look_marks *m, const cJSON *e, uint64_t track)
{
    const cJSON *args = cJSON_GetObjectItemCaseSensitive(e, "args");
    const char *what = text_of(e, "name");
    if (strcmp(what, "thread_name") == 0) {
        const char *name = text_of(args, "name");
        look_add_track(m, track, name, strlen(name));
    } else if (strcmp(what, "thread_sort_index") == 0) {
        number_of(args, "sort_index");
    } else {
        assert_string_equal(what, "process_name");
    }
}

/* The file as marks; flows belong to the mark before them. */
static void read_marks(look_marks *m, const cJSON *json)
{
    const cJSON *e;
    memset(m, 0, sizeof *m);
    cJSON_ArrayForEach(e, cJSON_GetObjectItemCaseSensitive(json, "traceEvents"))
    {
        const char *phase = text_of(e, "ph");
        uint64_t track = (uint64_t)number_of(e, "tid");
        assert_int_equal(number_of(e, "pid"), 1);
        if (*phase == 'M') {
            take_metadata(m, e, track);
            continue;
        }
        uint64_t ns = (uint64_t)(number_of(e, "ts") * 1000 + 0.5);
        if (*phase == 's' || *phase == 'f') {
            look_mark *of = &m->at[m->count - 1];
            assert_true(of->track == track && of->ns == ns && of->type == 'i');
            if (*phase == 's') {
                of->out[of->out_count++] = (uint64_t)number_of(e, "id");
            } else {
                assert_string_equal(text_of(e, "bp"), "e"); /* binds to the slice around it */
                of->in[of->in_count++] = (uint64_t)number_of(e, "id");
            }
            continue;
        }
        look_mark *made = look_add(m);
        made->type = *phase == 'X' ? 'i' : *phase;
        assert_non_null(strchr("BEiC", made->type));
        made->track = made->sequence = track;
        made->ns = ns;
        if (*phase == 'X') {
            assert_int_equal(number_of(e, "dur"), 0);
        } else if (*phase == 'i') {
            assert_string_equal(text_of(e, "s"), "t"); /* of a thread */
        } else if (*phase == 'C') {
            made->value = (int64_t)number_of(cJSON_GetObjectItem(e, "args"), "value");
            if (!look_track(m, track)) {
                look_add_track(m, track, text_of(e, "name"), strlen(text_of(e, "name")));
            }
        }
        if (*phase != 'E') {
            snprintf(made->name, sizeof made->name, "%s", text_of(e, "name"));
        }
    }
}

static void call_is_a_pair_of_b_and_e(void **state)
{
    look l;
    start(&l, "t.xex");
    uint64_t close = look_id(&l, "xboxkrnl.exe!NtClose(handle)#207"),
             a = look_id(&l, "thread:main");
    look_put(&l, WEFT_EVENT_KERNEL_CALL, a, 1234567, 4, close, W(1), W(0xf8000004), W(0));
    look_put(&l, WEFT_EVENT_KERNEL_RETURN, a, 1234999, 2, close, W(7));
    cJSON *json = finish(&l), *e, *begin = NULL, *end = NULL;
    cJSON_ArrayForEach(e, cJSON_GetObjectItem(json, "traceEvents"))
    {
        const cJSON *cat = cJSON_GetObjectItem(e, "cat");
        if (cat && strcmp(cat->valuestring, "call") == 0) {
            begin = e;
        }
        if (text_of(e, "ph")[0] == 'E' && cJSON_GetObjectItem(e, "args")) {
            end = begin && number_of(e, "tid") == number_of(begin, "tid") ? e : end;
        }
    }
    assert_non_null(begin);
    assert_non_null(end);
    assert_string_equal(text_of(begin, "name"), "NtClose");
    assert_true(number_of(begin, "ts") == 1234.567); /* microseconds */
    assert_true(number_of(end, "ts") == 1234.999);
    assert_string_equal(text_of(cJSON_GetObjectItem(begin, "args"), "handle"), "0xf8000004");
    assert_int_equal(number_of(cJSON_GetObjectItem(end, "args"), "return_value"), 7);
    cJSON_Delete(json);
}

static void slices_nest_and_flows_end_in_any_run(void **state)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        look l;
        look_marks m;
        start(&l, "t.xex");
        look_nonsense(&l, seed, 500);
        cJSON *json = finish(&l);
        read_marks(&m, json);
        assert_true(m.count > 200);
        look_check(&m);
        look_free(&m);
        cJSON_Delete(json);
    }
}

/* A quote, a backslash and bytes that are no ASCII neither end a string nor get lost. */
static void texts_are_escaped(void **state)
{
    look l;
    start(&l, "a\"b\\c\n\xff.xex");
    look_call(&l, 7, 10, look_id(&l, "x!a\"},{\"ph\":\"B\\\x02()#1"));
    cJSON *json = finish(&l), *e;
    int met = 0;
    cJSON_ArrayForEach(e, cJSON_GetObjectItem(json, "traceEvents"))
    {
        const cJSON *name = cJSON_GetObjectItem(e, "name");
        if (name && strcmp(name->valuestring, "process_name") == 0) {
            assert_string_equal(text_of(cJSON_GetObjectItem(e, "args"), "name"),
                                "a\"b\\c\xe2\x90\x8a\xc3\xbf.xex");
            met |= 1;
        }
        met |= name && strcmp(name->valuestring, "a\"},{\"ph\":\"B\\\xe2\x90\x82") == 0 ? 2 : 0;
    }
    assert_int_equal(met, 3);
    cJSON_Delete(json);
}

/* 2^64-1 ns is 18446744073709551.615 us; a double holds 2^53 exactly, and larger values are texts. */
static void largest_numbers_stay_numbers(void **state)
{
    look l;
    size_t length;
    start(&l, "t.xex");
    look_put(&l, WEFT_EVENT_SOURCE_FIRE, 7, UINT64_MAX, 1, UINT64_MAX);
    weft_chrome_end(l.writer, 0);
    weft_chrome_free(l.writer);
    char *text = look_bytes(&l, &length);
    assert_non_null(strstr(text, "\"ts\":18446744073709551.615"));
    assert_non_null(strstr(text, "\"count\":\"0xffffffffffffffff\""));
    free(text);
    fclose(l.file);
}

static void full_disk_ends_the_writing(void **state)
{
    look l;
    uint64_t written, left_out;
    look_start(&l, "t.xex");
    FILE *full = fopen("/dev/full", "w"); /* every write gives ENOSPC */
    assert_non_null(full);
    l.writer = weft_chrome_new(fileno(full), &l.begin, 100);
    l.add = add;
    look_nonsense(&l, 1, 500);
    weft_chrome_end(l.writer, 0);
    assert_int_not_equal(weft_chrome_error(l.writer, &written, &left_out), 0);
    assert_int_equal(written, 0);
    weft_chrome_free(l.writer);
    fclose(full);
    fclose(l.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_is_a_pair_of_b_and_e),
        cmocka_unit_test(slices_nest_and_flows_end_in_any_run),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(largest_numbers_stay_numbers),
        cmocka_unit_test(full_disk_ends_the_writing),
    };
    return cmocka_run_group_tests_name("chrome", tests, NULL, NULL);
}
