/* test_disasm.c: `weft info --disasm` on real code, word for word against objdump of the GNU
 * binutils. Real code is the code of our own titles; where both write an operand in another way,
 * the line is brought into one form first. Skipped where objdump or the titles are missing. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OBJDUMP "powerpc64-linux-gnu-objdump"

/* Replaces the first `from` in the line. */
static void replace(char *line, const char *from, const char *to)
{
    char *at = strstr(line, from);
    if (at) {
        size_t old = strlen(from), new = strlen(to);
        memmove(at + new, at + old, strlen(at + old) + 1);
        memcpy(at, to, new);
    }
}

static int starts(const char *line, const char *word)
{
    size_t n = strlen(word);
    return strncmp(line, word, n) == 0 && (line[n] == ' ' || line[n] == 0);
}

/* objdump names condition bits (lt, 4*cr6+eq); we count them. */
static void number_bits(char *line)
{
    static const char *const bits[4] = {"lt", "gt", "eq", "so"};
    for (unsigned i = 0; i < 64; i++) {
        char name[24], digits[8], before = i < 32 ? ',' : ' ';
        unsigned bit = i & 31;
        snprintf(digits, sizeof digits, "%c%u", before, bit);
        if (bit < 4) {
            snprintf(name, sizeof name, "%c%s", before, bits[bit]);
        } else {
            snprintf(name, sizeof name, "%c4*cr%u+%s", before, bit / 4, bits[bit % 4]);
        }
        while (strstr(line, name)) {
            replace(line, name, digits);
        }
    }
}

/* objdump's raw form to ours: compares carry L as an operand there and in the name here; it writes
 * hints that are zero. */
static void unify(char *line)
{
    static const struct {
        const char *name, *zero, *one;
    } compares[] = {{"cmpli", "cmplwi", "cmpldi"},
                    {"cmpi", "cmpwi", "cmpdi"},
                    {"cmpl", "cmplw", "cmpld"},
                    {"cmp", "cmpw", "cmpd"}};
    static const char *const hinted[] = {"dcbf", "dcbt",  "dcbtst", "lwarx", "ldarx",
                                         "bclr", "bclrl", "bcctr",  "bcctrl"};
    for (unsigned i = 0; i < 4; i++) {
        if (starts(line, compares[i].name)) {
            char *comma = strchr(line, ',');
            int one = comma && comma[1] == '1';
            if (comma && comma[2] == ',') {
                memmove(comma, comma + 2, strlen(comma + 2) + 1);
                replace(line, compares[i].name, one ? compares[i].one : compares[i].zero);
            }
            break;
        }
    }
    for (unsigned i = 0; i < sizeof hinted / sizeof *hinted; i++) {
        size_t n = strlen(line);
        if (starts(line, hinted[i]) && n > 2 && strcmp(line + n - 2, ",0") == 0) {
            line[n - 2] = 0;
        }
    }
    if (starts(line, "mfcr")) {
        replace(line, ",-1", "");
    }
    if (starts(line, "mtfsf")) {
        replace(line, ",0,0", "");
    }
    if (starts(line, "sync")) {
        strcpy(line, line[5] == '1' ? "lwsync" : line[5] == '2' ? "ptesync" : "sync");
    }
    if (starts(line, "dcbzl")) {
        replace(line, "dcbzl", "dcbz128");
    }
    if (starts(line, ".long")) {
        unsigned long word = strtoul(line + 6, NULL, 0);
        sprintf(line, ".long 0x%08lx", word);
    }
    if (line[0] == 'b' || strncmp(line, "cr", 2) == 0) {
        number_bits(line);
    }
}

/* "ADDRESS:\tbytes \tmnemonic operands <symbol>" to "mnemonic operands". */
static int objdump_line(const char *line, unsigned *address, char *text, size_t capacity)
{
    char *end;
    unsigned long at = strtoul(line, &end, 16);
    const char *tab = *end == ':' ? strchr(end + 2, '\t') : NULL;
    if (!tab) {
        return 0;
    }
    *address = (unsigned)at;
    size_t n = 0;
    int blank = 0;
    for (const char *p = tab + 1; *p && *p != '\n' && *p != '<' && *p != '#'; p++) {
        int space = *p == ' ' || *p == '\t';
        if (!space || !blank) {
            text[n++] = space ? ' ' : *p;
        }
        blank = space;
        if (n + 2 >= capacity) {
            break;
        }
    }
    while (n && text[n - 1] == ' ') {
        n--;
    }
    text[n] = 0;
    return 1;
}

/* Address and size of the section .text, by `weft info --json`. */
static int text_of(const char *title, unsigned *address, unsigned *size)
{
    char command[600];
    static char json[1 << 20];
    snprintf(command, sizeof command, "./weft info --json %s 2>/dev/null", title);
    FILE *f = popen(command, "r");
    size_t n = fread(json, 1, sizeof json - 1, f);
    json[n] = 0;
    pclose(f);
    const char *at = strstr(json, "\".text\"");
    return at && sscanf(at, "\".text\",\"address\":%u,\"size\":%u", address, size) == 2;
}

/* Every word of the title's code. Returns how many were compared. */
static unsigned compare_title(const char *title)
{
    unsigned address, size, compared = 0, at;
    char command[600], binary[64], ours[256], theirs[256], line[512], word[16];
    if (!text_of(title, &address, &size)) {
        return 0;
    }
    size &= ~3u;
    snprintf(binary, sizeof binary, "tests/disasm-%ld.bin", (long)getpid());
    snprintf(command, sizeof command, "./weft info --disasm 0x%x,%u %s", address, size / 4, title);
    FILE *f = popen(command, "r"), *out = fopen(binary, "wb");
    char(*texts)[128] = calloc(size / 4, sizeof *texts);
    assert_non_null(out);
    for (unsigned i = 0; i < size / 4; i++) {
        assert_non_null(fgets(line, sizeof line, f));
        assert_int_equal(sscanf(line, "%x %15s %255[^\n]", &at, word, ours), 3);
        assert_int_equal(at, address + 4 * i);
        uint8_t bytes[4];
        weft_store32(bytes, (uint32_t)strtoul(word, NULL, 16));
        fwrite(bytes, 1, 4, out);
        snprintf(texts[i], sizeof texts[i], "%s", ours);
    }
    assert_int_equal(pclose(f), 0);
    fclose(out);
    snprintf(command, sizeof command,
             OBJDUMP " -D -z -b binary -m powerpc:common64 -EB -M raw,power4,altivec "
                     "--adjust-vma=0x%x %s",
             address, binary);
    f = popen(command, "r");
    while (fgets(line, sizeof line, f)) {
        if (objdump_line(line, &at, theirs, sizeof theirs)) {
            unify(theirs);
            if (strcmp(texts[(at - address) / 4], theirs) != 0) {
                fail_msg("%s at %08x: \"%s\", objdump \"%s\"", title, at, texts[(at - address) / 4],
                         theirs);
            }
            compared++;
        }
    }
    pclose(f);
    unlink(binary);
    free(texts);
    assert_int_equal(compared, size / 4);
    return compared;
}

static void text_is_objdumps(void **state)
{
    static const char *const titles[] = {"titles/hello.xex", "titles/plasma.xex",
                                         "titles/locks.xex"};
    unsigned compared = 0;
    if (system("command -v " OBJDUMP " >/dev/null") != 0 || access(titles[0], R_OK) != 0) {
        print_message("objdump or the titles are missing\n");
        skip();
    }
    for (unsigned i = 0; i < 3; i++) {
        compared += compare_title(titles[i]);
    }
    assert_true(compared > 3000);
}

static int exit_of(const char *arguments)
{
    char command[300];
    snprintf(command, sizeof command, "./weft info %s >/dev/null 2>&1", arguments);
    return WEXITSTATUS(system(command));
}

/* CONTRACTS.md: 2 for usage, 3 for what is no title. */
static void requests_are_checked(void **state)
{
    if (access("titles/hello.xex", R_OK) != 0) {
        skip();
    }
    assert_int_equal(exit_of("--disasm 0x82000002,1 titles/hello.xex"), 2);
    assert_int_equal(exit_of("--disasm 0x82000000,0 titles/hello.xex"), 2);
    assert_int_equal(exit_of("--disasm here titles/hello.xex"), 2);
    assert_int_equal(exit_of("--disasm 0x10000000 titles/hello.xex"), 2);
    assert_int_equal(exit_of("--disasm 0x82000000 weft"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_objdumps),
        cmocka_unit_test(requests_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
