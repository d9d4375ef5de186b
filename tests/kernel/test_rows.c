/* The table of exports: every row is whole, and every export that is implemented is called by some test
 * or bundled title. */
#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exports.h"

typedef struct text {
    char *bytes;
    size_t length;
} text;

static void add_file(text *t, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    t->bytes = realloc(t->bytes, t->length + (size_t)size + 1);
    assert_non_null(t->bytes);
    t->length += fread(t->bytes + t->length, 1, (size_t)size, file);
    t->bytes[t->length] = 0;
    fclose(file);
}

/* All C and assembler sources below a folder. */
static void add_folder(text *t, const char *folder)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char path[1024];
        const char *dot = strrchr(entry->d_name, '.');
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
            add_folder(t, path);
        } else if (dot && strlen(dot) == 2 && strchr("chS", dot[1]) &&
                   strcmp(entry->d_name, "ordinals.h") != 0) { /* a list of names calls nobody */
            add_file(t, path);
        }
    }
    closedir(dir);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The name as a word, or behind ex_. */
static bool mentions(const text *t, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = t->bytes; (at = strstr(at, name)) != NULL; at += length) {
        bool begins = at == t->bytes || !is_word(at[-1]) ||
                      (at - t->bytes >= 3 && memcmp(at - 3, "ex_", 3) == 0);
        if (begins && !is_word(at[length])) {
            return true;
        }
    }
    return false;
}

static void every_export_is_called_somewhere(void **state)
{
    text t = {0};
    add_folder(&t, WEFT_SOURCE_DIR "/tests");
    add_folder(&t, WEFT_SOURCE_DIR "/sdk/guest/titles");
    add_folder(&t, WEFT_SOURCE_DIR "/sdk/guest/lib");
    uint32_t count, alone = 0;
    const kexport *rows = kexport_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].fn && !mentions(&t, rows[i].name)) {
            print_error("%s is called by no test and no title\n", rows[i].name);
            alone++;
        }
    }
    free(t.bytes);
    assert_int_equal(alone, 0);
}

/* exports_names_*.c has every ordinal's name, from another source than the rows. */
static void every_row_has_its_ordinals_name(void **state)
{
    uint32_t count;
    const kexport *rows = kexport_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = kexport_ordinal_name(rows[i].module, rows[i].ordinal);
        assert_non_null(name);
        assert_string_equal(name, rows[i].name);
        assert_ptr_equal(kexport_find(rows[i].module, rows[i].ordinal), &rows[i]); /* only one */
    }
}

/* "ret(name:type,...)": types v i u p h q d, `...` last. */
static bool signature_good(const char *s)
{
    if (!strchr("viupqd", s[0]) || s[1] != '(') {
        return false;
    }
    for (s += 2; *s != ')';) {
        if (strcmp(s, "...)") == 0) {
            return true;
        }
        size_t name = strcspn(s, ":,)");
        if (name == 0 || s[name] != ':' || !strchr("iuphqd", s[name + 1])) {
            return false;
        }
        s += name + 2;
        if (*s == ',') {
            s++;
        } else if (*s != ')') {
            return false;
        }
    }
    return s[1] == 0;
}

static void every_row_is_whole(void **state)
{
    uint32_t count;
    const kexport *rows = kexport_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        bool implemented = rows[i].status == KEXPORT_FULL || rows[i].status == KEXPORT_PARTIAL;
        if (!signature_good(rows[i].signature)) {
            print_error("%s: %s\n", rows[i].name, rows[i].signature);
            fail();
        }
        assert_int_equal(rows[i].fn != NULL, implemented);
        /* a partial one says what is missing */
        assert_true(rows[i].status != KEXPORT_PARTIAL || rows[i].remark[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_export_is_called_somewhere),
        cmocka_unit_test(every_row_has_its_ordinals_name),
        cmocka_unit_test(every_row_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
