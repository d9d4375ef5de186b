/* cpu_vectors.c: CPU vectors in JSONL, as CONTRACTS.md describes them. */
#include "cpu_kit.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define VECTOR_STEPS UINT64_C(1000000) /* a vector that runs longer has failed */

/* A register by its name: which one, and its width in bytes. */
typedef struct reg {
    char kind; /* r f v, c cr, l lr, t ctr, p fpscr, a o s n xer parts, j S vscr parts */
    uint8_t index;
    uint8_t width;
} reg;

static int reg_parse(const char *name, reg *out)
{
    static const struct {
        const char *name;
        reg reg;
    } named[] = {
        {"cr", {'c', 0, 4}},       {"lr", {'l', 0, 8}},        {"ctr", {'t', 0, 8}},
        {"fpscr", {'p', 0, 4}},    {"xer.ca", {'a', 0, 4}},    {"xer.ov", {'o', 0, 4}},
        {"xer.so", {'s', 0, 4}},   {"xer.count", {'n', 0, 4}}, {"vscr.nj", {'j', 0, 4}},
        {"vscr.sat", {'S', 0, 4}},
    };
    for (unsigned i = 0; i < sizeof named / sizeof *named; i++) {
        if (strcmp(name, named[i].name) == 0) {
            *out = named[i].reg;
            return 1;
        }
    }
    if (!strchr("rfv", name[0]) || name[0] == 0 || name[1] < '0' || name[1] > '9') {
        return 0;
    }
    char *end;
    unsigned long n = strtoul(name + 1, &end, 10);
    if (*end || n >= (name[0] == 'v' ? 128 : 32)) {
        return 0;
    }
    *out = (reg){name[0], (uint8_t)n, name[0] == 'v' ? 16 : 8};
    return 1;
}

static void put_bits(uint32_t *word, uint32_t mask, uint32_t value)
{
    *word = (*word & ~mask) | (value ? mask : 0);
}

/* Values travel as big-endian bytes, right-aligned in reg.width. */
static void reg_set(weft_cpu_state *s, reg r, const uint8_t *bytes)
{
    uint32_t word = r.width == 4 ? weft_load32(bytes) : 0;
    switch (r.kind) {
    case 'r':
        s->r[r.index] = weft_load64(bytes);
        break;
    case 'f':
        s->f[r.index] = weft_load64(bytes);
        break;
    case 'v':
        memcpy(s->v[r.index], bytes, 16);
        break;
    case 'l':
        s->lr = weft_load64(bytes);
        break;
    case 't':
        s->ctr = weft_load64(bytes);
        break;
    case 'c':
        s->cr = word;
        break;
    case 'p':
        s->fpscr = word;
        break;
    case 'a':
        put_bits(&s->xer, 0x20000000, word);
        break;
    case 'o':
        put_bits(&s->xer, 0x40000000, word);
        break;
    case 's':
        put_bits(&s->xer, 0x80000000, word);
        break;
    case 'n':
        s->xer = (s->xer & ~UINT32_C(0x7F)) | (word & 0x7F);
        break;
    case 'j':
        put_bits(&s->vscr, 0x00010000, word);
        break;
    default:
        put_bits(&s->vscr, 1, word);
        break;
    }
}

static void reg_get(const weft_cpu_state *s, reg r, uint8_t *bytes)
{
    switch (r.kind) {
    case 'r':
        weft_store64(bytes, s->r[r.index]);
        break;
    case 'f':
        weft_store64(bytes, s->f[r.index]);
        break;
    case 'v':
        memcpy(bytes, s->v[r.index], 16);
        break;
    case 'l':
        weft_store64(bytes, s->lr);
        break;
    case 't':
        weft_store64(bytes, s->ctr);
        break;
    case 'c':
        weft_store32(bytes, s->cr);
        break;
    case 'p':
        weft_store32(bytes, s->fpscr);
        break;
    case 'a':
        weft_store32(bytes, s->xer >> 29 & 1);
        break;
    case 'o':
        weft_store32(bytes, s->xer >> 30 & 1);
        break;
    case 's':
        weft_store32(bytes, s->xer >> 31);
        break;
    case 'n':
        weft_store32(bytes, s->xer & 0x7F);
        break;
    case 'j':
        weft_store32(bytes, s->vscr >> 16 & 1);
        break;
    default:
        weft_store32(bytes, s->vscr & 1);
        break;
    }
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Hex text, blanks between bytes allowed, to at most `capacity` bytes; the count, or -1. */
static long hex_bytes(const char *text, uint8_t *out, long capacity)
{
    long n = 0;
    for (; *text; text++) {
        if (*text == ' ') {
            continue;
        }
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0 || n == capacity) {
            return -1;
        }
        out[n++] = (uint8_t)(high << 4 | low);
        text++;
    }
    return n;
}

/* A register's value: hex text of its width (with or without 0x), or a number. */
static int reg_value(const cJSON *item, reg r, uint8_t *bytes)
{
    memset(bytes, 0, 16);
    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 4294967295.0) {
        weft_store32(bytes + r.width - 4, (uint32_t)item->valuedouble);
        return 1;
    }
    if (cJSON_IsBool(item)) {
        bytes[r.width - 1] = cJSON_IsTrue(item) != 0;
        return 1;
    }
    if (!cJSON_IsString(item)) {
        return 0;
    }
    const char *text = item->valuestring;
    text += text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 2 : 0;
    size_t digits = strlen(text);
    if (digits == 0 || digits > 2u * r.width) {
        return 0;
    }
    for (size_t i = 0; i < digits; i++) {
        int value = digit(text[digits - 1 - i]);
        if (value < 0) {
            return 0;
        }
        bytes[r.width - 1 - i / 2] |= (uint8_t)(value << (i % 2 ? 4 : 0));
    }
    return 1;
}

/* What one line says, besides the JSON itself. */
typedef struct vector {
    const char *name;
    const cJSON *regs_out, *mem_out, *out_mask;
    int loose, trap, nan_any, clobber, tol_absolute;
    double tol; /* 0: exact */
    int failed;
} vector;

static void differs(cpu_kit *kit, vector *v, const char *what, const char *got,
                    const char *expected)
{
    v->failed = 1;
    if (v->loose) {
        weft_conform_note(kit->report, "%s: %s: got %s, expected %s (loose)", v->name, what, got,
                          expected);
    } else {
        weft_conform_note(kit->report, "%s: %s: got %s, expected %s", v->name, what, got, expected);
    }
}

static void hex_text(const uint8_t *bytes, uint32_t length, char *text, uint32_t capacity)
{
    text[0] = 0;
    for (uint32_t i = 0; i < length && 2 * i + 3 <= capacity; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
}

static int near_enough(const vector *v, double got, double expected)
{
    if (v->nan_any && isnan(expected)) {
        return isnan(got);
    }
    if (v->tol == 0 || !isfinite(expected) || !isfinite(got)) {
        return 0;
    }
    double error = fabs(got - expected);
    return error <= (v->tol_absolute ? v->tol : v->tol * fabs(expected));
}

/* Equal under the mask, or a float within the tolerance (vectors: lane by lane). */
static int reg_equal(const vector *v, reg r, const uint8_t *got, const uint8_t *expected,
                     const uint8_t *mask)
{
    uint32_t step = r.kind == 'v' ? 4 : r.width;
    for (uint32_t at = 0; at < r.width; at += step) {
        int same = 1;
        for (uint32_t i = at; i < at + step; i++) {
            same &= ((got[i] ^ expected[i]) & mask[i]) == 0;
        }
        if (same) {
            continue;
        }
        if (r.kind == 'f') {
            uint64_t g = weft_load64(got), e = weft_load64(expected);
            double x, y;
            memcpy(&x, &g, 8);
            memcpy(&y, &e, 8);
            same = near_enough(v, x, y);
        } else if (r.kind == 'v') {
            uint32_t g = weft_load32(got + at), e = weft_load32(expected + at);
            float x, y;
            memcpy(&x, &g, 4);
            memcpy(&y, &e, 4);
            same = near_enough(v, x, y);
        }
        if (!same) {
            return 0;
        }
    }
    return 1;
}

static int compare_regs(cpu_kit *kit, vector *v, const weft_cpu_state *s)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, v->regs_out)
    {
        reg r;
        uint8_t expected[16], got[16], mask[16];
        char a[40], b[40];
        if (!reg_parse(item->string, &r) || !reg_value(item, r, expected)) {
            return 0;
        }
        memset(mask, 0xFF, sizeof mask);
        const cJSON *m = cJSON_GetObjectItemCaseSensitive(v->out_mask, item->string);
        if (m && !reg_value(m, r, mask)) {
            return 0;
        }
        reg_get(s, r, got);
        if (!reg_equal(v, r, got, expected, mask)) {
            hex_text(got, r.width, a, sizeof a);
            hex_text(expected, r.width, b, sizeof b);
            differs(kit, v, item->string, a, b);
        }
    }
    return 1;
}

/* "clobber": registers that regs_out does not name are as they were. */
static void compare_rest(cpu_kit *kit, vector *v, const weft_cpu_state *s,
                         const weft_cpu_state *before)
{
    static const struct {
        char kind;
        uint8_t count, width;
    } files[] = {{'r', 32, 8}, {'f', 32, 8}, {'v', 128, 16}};
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned i = 0; i < files[f].count; i++) {
            reg r = {files[f].kind, (uint8_t)i, files[f].width};
            char name[8], a[40], b[40];
            uint8_t got[16], expected[16];
            snprintf(name, sizeof name, "%c%u", r.kind, i);
            if ((r.kind == 'r' && (i == 1 || i == 13)) ||
                cJSON_GetObjectItemCaseSensitive(v->regs_out, name)) {
                continue;
            }
            reg_get(s, r, got);
            reg_get(before, r, expected);
            if (memcmp(got, expected, r.width) != 0) {
                hex_text(got, r.width, a, sizeof a);
                hex_text(expected, r.width, b, sizeof b);
                differs(kit, v, name, a, b);
            }
        }
    }
}

/* Address and bytes of one entry of mem_in or mem_out; the length, or -1 when it is malformed or
 * outside the vectors' RAM. */
static long mem_entry(const cJSON *item, uint32_t *address, uint8_t *bytes)
{
    char *end;
    unsigned long long at = strtoull(item->string, &end, 16);
    if (!cJSON_IsString(item) || *end || end == item->string) {
        return -1;
    }
    long length = hex_bytes(item->valuestring, bytes, KIT_RAM_SIZE);
    if (length < 0 || at < KIT_RAM + 0x1000 ||
        at + (unsigned long)length > KIT_RAM + KIT_RAM_SIZE) {
        return -1;
    }
    *address = (uint32_t)at;
    return length;
}

static int compare_memory(cpu_kit *kit, vector *v, uint8_t *buffer)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, v->mem_out)
    {
        uint32_t address;
        long length = mem_entry(item, &address, buffer);
        if (length < 0) {
            return 0;
        }
        const uint8_t *got = kit->memory->base + address;
        if (memcmp(got, buffer, (size_t)length) != 0) {
            char a[80], b[80];
            uint32_t shown = length > 32 ? 32 : (uint32_t)length;
            hex_text(got, shown, a, sizeof a);
            hex_text(buffer, shown, b, sizeof b);
            differs(kit, v, item->string, a, b);
        }
    }
    return 1;
}

/* Zeroes RAM, then mem_in; 0 when malformed. */
static int set_memory(cpu_kit *kit, const cJSON *mem_in, uint8_t *buffer)
{
    const cJSON *item;
    weft_memory *m = kit->memory;
    memset(m->base + KIT_RAM + 0x1000, 0, KIT_RAM_SIZE - 0x1000);
    cJSON_ArrayForEach(item, mem_in)
    {
        uint32_t address;
        long length = mem_entry(item, &address, buffer);
        if (length < 0) {
            return 0;
        }
        memcpy(m->base + address, buffer, (size_t)length);
    }
    m->written(m, KIT_RAM + 0x1000, KIT_RAM_SIZE - 0x1000);
    return 1;
}

/* "1/256", "abs 1/32", "0.01". */
static int parse_tolerance(const cJSON *item, vector *v)
{
    char *end;
    if (!item) {
        return 1;
    }
    if (!cJSON_IsString(item)) {
        return 0;
    }
    const char *text = item->valuestring;
    if (strncmp(text, "abs ", 4) == 0) {
        v->tol_absolute = 1;
        text += 4;
    }
    v->tol = strtod(text, &end);
    if (end != text && *end == '/') {
        const char *below = end + 1;
        double divisor = strtod(below, &end);
        if (end == below || divisor <= 0) {
            return 0;
        }
        v->tol /= divisor;
    }
    return *end == 0 && end != text && v->tol >= 0;
}

static int object_or_none(const cJSON *item)
{
    return !item || cJSON_IsObject(item);
}

/* Runs one line; NULL, or what is malformed in it. */
static const char *run_line(cpu_kit *kit, const cJSON *line, uint8_t *buffer)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(line, "name");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(line, "code");
    const cJSON *sf = cJSON_GetObjectItemCaseSensitive(line, "sf");
    const cJSON *regs_in = cJSON_GetObjectItemCaseSensitive(line, "regs_in");
    const cJSON *mem_in = cJSON_GetObjectItemCaseSensitive(line, "mem_in");
    vector v = {
        .name = cJSON_IsString(name) ? name->valuestring : "(no name)",
        .regs_out = cJSON_GetObjectItemCaseSensitive(line, "regs_out"),
        .mem_out = cJSON_GetObjectItemCaseSensitive(line, "mem_out"),
        .out_mask = cJSON_GetObjectItemCaseSensitive(line, "out_mask"),
        .loose = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "loose")),
        .trap = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "trap")),
        .nan_any = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "nan_any")),
        .clobber = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "clobber")),
    };
    uint32_t words[KIT_CODE_SIZE / 8];

    if (!cJSON_IsObject(line) || !cJSON_IsString(code)) {
        return "an object with `code`";
    }
    if (!object_or_none(regs_in) || !object_or_none(v.regs_out) || !object_or_none(mem_in) ||
        !object_or_none(v.mem_out) || !object_or_none(v.out_mask)) {
        return "objects for regs_in, regs_out, mem_in, mem_out, out_mask";
    }
    if (!parse_tolerance(cJSON_GetObjectItemCaseSensitive(line, "tol"), &v)) {
        return "`tol` like \"1/256\" or \"abs 1/32\"";
    }
    long length = hex_bytes(code->valuestring, buffer, (long)sizeof words);
    if (length < 4 || length % 4) {
        return "`code` in hex, whole words";
    }
    for (long i = 0; i < length / 4; i++) {
        words[i] = weft_load32(buffer + 4 * i);
    }
    if (!set_memory(kit, mem_in, buffer)) {
        return "`mem_in` as {\"10001000\": \"hex bytes\"} in 0x10001000-0x1000ffff";
    }
    cpu_kit_code(kit, KIT_CODE, words, (uint32_t)(length / 4));
    weft_cpu_state *s = cpu_kit_state(kit);
    if (!s) {
        return NULL;
    }
    s->msr = (cJSON_IsNumber(sf) && sf->valuedouble != 0) || cJSON_IsTrue(sf) ? WEFT_MSR_SF : 0;
    const char *wrong = NULL;
    const cJSON *item;
    cJSON_ArrayForEach(item, regs_in)
    {
        reg r;
        uint8_t bytes[16];
        if (!reg_parse(item->string, &r) || !reg_value(item, r, bytes)) {
            wrong = "registers and values in `regs_in`";
            break;
        }
        reg_set(s, r, bytes);
    }
    weft_cpu_state before = *s;
    uint32_t exit = wrong ? WEFT_CPU_SYSCALL : cpu_kit_run(kit, s, VECTOR_STEPS);
    int program = exit == WEFT_CPU_TRAP || exit == WEFT_CPU_ILLEGAL ||
                  exit == WEFT_CPU_PRIVILEGED || exit == WEFT_CPU_FP;
    int ended = exit == WEFT_CPU_SYSCALL && s->pc == KIT_SENTINEL;
    if (!wrong && !(v.trap ? program : ended)) {
        char got[64];
        snprintf(got, sizeof got, "exit %u at 0x%08x", exit, s->pc);
        differs(kit, &v, "run", got, v.trap ? "a program exception" : "the return address");
    } else if (!wrong && !compare_regs(kit, &v, s)) {
        wrong = "registers and values in `regs_out` and `out_mask`";
    } else if (!wrong && !compare_memory(kit, &v, buffer)) {
        wrong = "`mem_out` as {\"10001000\": \"hex bytes\"}";
    } else if (!wrong && v.clobber) {
        compare_rest(kit, &v, s, &before);
    }
    kit->ops->state_destroy(kit->engine, s);
    if (wrong) {
        return wrong;
    }
    if (v.loose) {
        kit->report->loose++;
    } else if (v.failed) {
        kit->report->failed++;
    } else {
        kit->report->passed++;
    }
    return NULL;
}

int cpu_kit_vectors(cpu_kit *kit, const char *path)
{
    FILE *file = fopen(path, "r");
    uint8_t *buffer = malloc(KIT_RAM_SIZE);
    char *text = NULL;
    size_t capacity = 0;
    uint64_t number = 0;
    const char *wrong = file && buffer ? NULL : "a readable file";
    ssize_t length;

    while (!wrong && (length = getline(&text, &capacity, file)) >= 0) {
        number++;
        if (strspn(text, " \t\r\n") == (size_t)length) {
            continue;
        }
        cJSON *line = cJSON_ParseWithLength(text, (size_t)length);
        wrong = line ? run_line(kit, line, buffer) : "JSON";
        cJSON_Delete(line);
    }
    if (wrong) {
        weft_conform_note(kit->report,
                          "weft: error: %s:%" PRIu64 ": malformed vector (expected %s)", path,
                          number, wrong);
        kit->report->malformed = 1;
    }
    free(text);
    free(buffer);
    if (file) {
        fclose(file);
    }
    return wrong ? -1 : 0;
}
