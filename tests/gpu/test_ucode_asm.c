/* The assembler: other ways of writing things, errors, and that listings assemble to the words that they
 * were made from, for random words too. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "ucode.h"

#define GUEST_SHADERS WEFT_SOURCE_DIR "/sdk/guest/titles/gpu"

static char *disassemble(uint32_t stage, const uint32_t *words, uint32_t dwords, size_t *length)
{
    char *text = NULL;
    xenos_program *program = xenos_program_new(stage, words, dwords);
    FILE *out = open_memstream(&text, length);
    xenos_disassemble(program, out);
    fclose(out);
    xenos_program_free(program);
    return text;
}

static uint64_t next_random(uint64_t *state) /* xorshift64* */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(next_random(state) >> 33) % limit;
}

static void check_round_trip(uint32_t stage, const uint32_t *words, uint32_t dwords, char **text)
{
    size_t length;
    char error[256];
    uint32_t got_stage, got;
    *text = disassemble(stage, words, dwords, &length);
    uint32_t *again = xenos_assemble(*text, length, &got_stage, &got, error);
    if (again == NULL) {
        fail_msg("%s in\n%s", error, *text);
    }
    if (got != dwords || got_stage != stage || memcmp(again, words, 4 * (size_t)dwords) != 0) {
        fail_msg("%u dwords came back for %u of\n%s", got, dwords, *text);
    }
    free(again);
}

/* ---- random shaders ---- */

static void any_words_survive(void **state)
{
    uint64_t seed = 1;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t words[60], triples = below(&seed, 21);
        for (uint32_t j = 0; j < 60; j++) {
            words[j] = (uint32_t)next_random(&seed) & (uint32_t)next_random(&seed);
        }
        if (i % 2) { /* begin with an exec, or hardly anything looks like a shader */
            words[0] = (2 + below(&seed, 3)) | below(&seed, 7) << 12 | below(&seed, 4096) << 16;
            words[1] = (words[1] & 0xFFFF0FFF) | (1 + below(&seed, 2)) << 12;
        }
        char *text;
        check_round_trip(i & 1, words, 3 * triples, &text);
        free(text);
    }
}

static void put(uint32_t *words, uint32_t word, uint32_t low, uint32_t value)
{
    words[word] |= value << low;
}

/* An instruction that a listing can say: what it does not use is as compilers leave it. */
static void random_alu(uint64_t *seed, uint32_t stage, uint32_t w[3], int *sets_predicate)
{
    static const uint8_t exports[2][4] = {{0, 15, 62, 63}, {0, 3, 61, 33}};
    uint32_t vector = below(seed, XENOS_V_COUNT), scalar = below(seed, XENOS_S_COUNT);
    uint32_t operands = xenos_vector_info(vector)->operands;
    if (xenos_scalar_info(scalar)->name == NULL || operands == 3) {
        scalar = XENOS_S_RETAIN_PREV; /* else both would have to agree on the third source */
    }
    uint32_t scalar_operands = xenos_scalar_info(scalar)->operands, exporting = below(seed, 3) == 0;
    *sets_predicate |= ((xenos_vector_info(vector)->effects | xenos_scalar_info(scalar)->effects) &
                        XENOS_EFFECT_PREDICATE) != 0;
    w[0] = w[1] = w[2] = 0;
    put(w, 0, 26, scalar);
    put(w, 2, 24, vector);
    put(w, 0, 16, below(seed, 256)); /* both masks */
    put(w, 0, 24, below(seed, 4));
    if (exporting) {
        put(w, 0, 0, exports[stage][below(seed, 4)] | 1u << 15 | below(seed, 2) << 14);
        if (((w[0] >> 16 | w[0] >> 20) & 15) == 15) {
            w[0] &= ~(1u << 14); /* nothing is left to be 0 */
        }
    } else {
        put(w, 0, 0, below(seed, 128));
        put(w, 0, 8, below(seed, 128));
    }
    if (below(seed, 3) == 0) {
        put(w, 1, 27, 2 | below(seed, 2));
    }
    uint32_t constants = 0, absolute = below(seed, 2), a0 = below(seed, 2), relative[2] = {0, 0};
    for (uint32_t i = 0; i < 3; i++) {
        int used = i < operands || (i == 2 && scalar_operands != 0);
        int mixed = i == 2 && scalar_operands == 3;
        uint32_t is_constant = mixed || (used && below(seed, 2));
        if (!is_constant || mixed) {
            put(w, 2, 31 - i, mixed ? below(seed, 2) : 1);
        }
        if (!used) {
            continue;
        }
        put(w, 2, 16 - 8 * i, below(seed, 256));
        put(w, 1, 26 - i, below(seed, 2));
        if (i == 2 && (scalar_operands == 1 || scalar_operands == 2)) { /* b, b, a, a */
            uint32_t a = below(seed, 4), b = scalar_operands == 1 ? a : below(seed, 4);
            put(w, 1, 0, b | ((b - 1) & 3) << 2 | ((a - 2) & 3) << 4 | ((a - 3) & 3) << 6);
        } else {
            put(w, 1, 16 - 8 * i, below(seed, 256));
        }
        if (is_constant) {
            relative[constants > 0] |= 1; /* that bit has a constant to say something about */
            constants++;
        }
    }
    if (constants) {
        put(w, 0, 7, absolute);
        uint32_t first = relative[0] & below(seed, 2), later = relative[1] & below(seed, 2);
        put(w, 1, 30, later | first << 1);
        put(w, 1, 29, (first | later) & a0);
    }
}

static void random_fetch(uint64_t *seed, uint32_t w[3])
{
    static const uint8_t opcodes[] = {0, 1, 16, 17, 19};
    static const uint8_t swizzles[] = {0, 1, 2, 3, 4, 5, 7};
    uint32_t opcode = opcodes[below(seed, 5)];
    w[0] = opcode | below(seed, 1u << 14) << 5;
    w[1] = 0;
    w[2] = 0;
    for (uint32_t i = 0; i < 4; i++) {
        put(w, 1, 3 * i, swizzles[below(seed, 7)]);
    }
    if (below(seed, 3) == 0) {
        put(w, 1, 31, 1);
        put(w, 2, 31, below(seed, 2));
    }
    if (opcode == 0) {
        put(w, 0, 19, 1);
        put(w, 0, 20, below(seed, 32) | below(seed, 3) << 5);
        put(w, 0, 27, below(seed, 32));
        put(w, 1, 12, below(seed, 1u << 10));
        put(w, 1, 24, below(seed, 64));
        put(w, 2, 0, below(seed, 1u << 31));
    } else {
        uint32_t dimension = below(seed, 4);
        uint32_t coordinates = dimension == 0 ? 1 : dimension == 1 ? 2 : 3;
        put(w, 0, 19, below(seed, 128));
        put(w, 0, 26, below(seed, 1u << 2 * coordinates));
        put(w, 1, 12, below(seed, 1u << 18));
        put(w, 2, 0, below(seed, 512));
        put(w, 2, 14, dimension | below(seed, 1u << 15) << 2);
    }
}

static void shaders_that_listings_can_say(void **state)
{
    uint64_t seed = 7;
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t words[42] = {0}, stage = i & 1, count = below(&seed, 7);
        uint32_t sequence = 0, cache = 0;
        int sets_predicate = 0;
        for (uint32_t j = 0; j < count; j++) {
            uint32_t *w = words + 3 + 3 * j;
            uint32_t fetch = below(&seed, 2);
            sequence |= (fetch | below(&seed, 2) << 1) << 2 * j;
            if (fetch) {
                random_fetch(&seed, w);
                cache |= (uint32_t)((w[0] & 31) == 0) << j;
            } else {
                random_alu(&seed, stage, w, &sets_predicate);
            }
        }
        words[0] = 1 | count << 12 | sequence << 16 | cache << 28;
        words[1] = cache >> 4 | (sets_predicate ? 0u : 0x200u) | XENOS_CF_EXEC_END << 12;
        char *text;
        check_round_trip(stage, words, 6 + 3 * count, &text);
        if (strstr(text, " .alu") != NULL || strstr(text, " .fetch") != NULL ||
            strstr(text, " .cf") != NULL || strstr(text, "PredicateClean=true") != NULL) {
            fail_msg("words instead of text in\n%s", text);
        }
        free(text);
    }
}

/* ---- other ways of writing ---- */

static void check_same(const char *a, const char *b)
{
    char error[256];
    uint32_t stage_a, stage_b, count_a, count_b;
    uint32_t *x = xenos_assemble(a, strlen(a), &stage_a, &count_a, error);
    if (x == NULL) {
        fail_msg("%s in %s", error, a);
    }
    uint32_t *y = xenos_assemble(b, strlen(b), &stage_b, &count_b, error);
    if (y == NULL) {
        fail_msg("%s in %s", error, b);
    }
    assert_int_equal(stage_a, stage_b);
    assert_int_equal(count_a, count_b);
    assert_memory_equal(x, y, 4 * (size_t)count_a);
    free(x);
    free(y);
}

static void other_ways_of_writing(void **state)
{
    static const char *const pairs[][2] = {
        {"mov r0, r1", "max r0, r1, r1"},
        {"mov r0.xz, r1", "mov r0.x_z_, r1"},
        {"mov r0, r1", "mov r0.xyzw, r1.xyzw"},
        {"mov r0, r1.x", "mov r0, r1.xxxx"},
        {"mov r0, r1.xy", "mov r0, r1.xyyy"},
        {"mov r0, -r1_abs", "mov r0, -r_abs[1]"},
        {"mov r0, c[5+aL]_abs", "mov r0, c_abs[aL+5]"},
        {"mov r0, c[0+a0]", "mov r0, c[a0]"},
        {"mov r0, r[3]", "mov r0, r3"},
        {"muls r0.x, r1.y", "muls r0.x, r1.yy"},
        {"movs r0.x, r1.y", "maxs r0.x, r1.yy"},
        {"tfetch2D r0.xy, r1.xy, tf0", "tfetch2D r0.xy__, r1.xy, tf0"},
        {"tfetch2D r0, r1.xy, tf0, LODBias = -0.5", "tfetch2D r0, r1.xy, tf0,\n  lodbias=-0.5000"},
        {"vfetch r0, r1.x, vf5, Signed=true", "vfetch_full r0, r1.x, vf5, Signed=1"},
        {"vfetch r0, r1.x, vf5, DataFormat=FMT_8_8_8_8", "vfetch r0, r1.x, vf5, DataFormat=6"},
        {"(p0) mov r0, r1\n+ (p0) rcp r0.x, r1.x", "( p0 ) mov r0, r1 // and\n\n + rcp r0.x, r1.x"},
        {"/* a\nb */ nop", "mov r0._, r0"},
        {"nop\nlabel A\njmp A", "nop\nA:\njmp A"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char a[256], b[256];
        snprintf(a, sizeof a, "xvs_3_0\nexec\n%s\ncnop\n", pairs[i][0]);
        snprintf(b, sizeof b,
                 "vs_3_0\r\nconfig AutoSerialize=false\ndcl_index r0.x\nexec\n%s\ncnop",
                 pairs[i][1]);
        check_same(a, b);
    }
}

/* Labels count control-flow instructions: cnop 0, exec 1, jmp 2, exece 3. */
static void labels_reach_both_ways(void **state)
{
    static const char text[] = "xps_3_0\n"
                               "cnop\n"
                               "label first\n"
                               "exec\n"
                               "cjmp b3, last\n"
                               "label last\n"
                               "exece\n"
                               "(!p0) jmp first\n";
    char error[256];
    uint32_t stage, dwords;
    uint32_t *words = xenos_assemble(text, strlen(text), &stage, &dwords, error);
    assert_non_null(words);
    xenos_cf cf[2];
    xenos_cf_decode(words + 3, cf);
    assert_int_equal(cf[0].opcode, XENOS_CF_COND_JMP);
    assert_int_equal(cf[0].address, 3);
    assert_int_equal(cf[0].boolean, 3);
    assert_int_equal(cf[0].condition, 1);
    xenos_cf_decode(words + 6, cf);
    assert_int_equal(cf[0].address, 1);
    assert_int_equal(cf[0].predicated, 1);
    assert_int_equal(cf[0].condition, 0);
    free(words);
}

/* 1 = 3F800000, -0.5 = BF000000, 0.1 rounds to 3DCCCCCD, 2^-126 = 00800000 (IEEE 754 single). */
static void constants_of_def_lines(void **state)
{
    static const char text[] = "xps_3_0\n"
                               "def c255, 1, -0.5, 0.1, 1.17549435e-38 // last\n"
                               "    def  c0, 0, -0, 2.0, 3\n"
                               "definitely\n";
    xenos_constant constants[256];
    uint32_t count;
    char error[256];
    assert_true(xenos_assemble_constants(text, strlen(text), constants, &count, error));
    assert_int_equal(count, 2);
    assert_int_equal(constants[0].index, 255);
    assert_int_equal(constants[0].bits[0], 0x3F800000);
    assert_int_equal(constants[0].bits[1], 0xBF000000);
    assert_int_equal(constants[0].bits[2], 0x3DCCCCCD);
    assert_int_equal(constants[0].bits[3], 0x00800000);
    assert_int_equal(constants[1].index, 0);
    assert_int_equal(constants[1].bits[1], 0x80000000);

    static const struct {
        const char *text, *error;
    } rows[] = {
        {"def c1, 1, 2, 3", "line 1: a def has too few numbers (found the end, expected four)"},
        {"\ndef c256, 1, 2, 3, 4", "line 2: no such constant (found '256, 1, 2, 3, 4', expected"},
        {"def r1, 1, 2, 3, 4", "line 1: a def names no constant (found 'r1"},
        {"def c1, 1, 2, 3, x", "line 1: a number is wrong (found 'x', expected a decimal float)"},
        {"def c1, 1, 2, 3, 1e99", "line 1: a number is wrong (found '1e99'"},
        {"def c1, 1, 2, 3, 4 5", "line 1: a def goes on (found '5'"},
        {"def c1, 1, 2, 3, 4\ndef c1, 1, 2, 3, 4", "line 2: a constant is defined twice (found c1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int ok =
            xenos_assemble_constants(rows[i].text, strlen(rows[i].text), constants, &count, error);
        if (ok || strncmp(error, rows[i].error, strlen(rows[i].error)) != 0) {
            fail_msg("%s: %s", rows[i].text, error);
        }
    }
}

/* The listings that titles draw with: they assemble, and ours lists them without words. */
static void shaders_of_the_titles(void **state)
{
    DIR *folder = opendir(GUEST_SHADERS);
    assert_non_null(folder);
    uint32_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *end = strrchr(entry->d_name, '.');
        if (end == NULL || strcmp(end, ".ucode") != 0) {
            continue;
        }
        char path[1024], text[8192], error[256];
        snprintf(path, sizeof path, "%s/%s", GUEST_SHADERS, entry->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t length = fread(text, 1, sizeof text, f);
        fclose(f);
        assert_true(length < sizeof text);
        uint32_t stage, dwords;
        uint32_t *words = xenos_assemble(text, length, &stage, &dwords, error);
        if (words == NULL) {
            fail_msg("%s: %s", entry->d_name, error);
        }
        char *listing;
        check_round_trip(stage, words, dwords, &listing);
        if (strstr(listing, " .") != NULL) {
            fail_msg("%s", listing);
        }
        free(listing);
        free(words);
        count++;
    }
    closedir(folder);
    assert_true(count >= 6);
}

/* ---- errors ---- */

static void errors_name_line_found_and_expected(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "line 1: a listing begins with its stage"},
        {"xgs_3_0", "line 1: no such stage (found xgs_3_0, expected xvs_3_0 or xps_3_0)"},
        {"xvs_3_0\nmov r0, r1", "line 2: an instruction stands outside an exec"},
        {"xvs_3_0\nexec\nmul r0, r1", "line 3: an operand is missing (found the end, expected ,)"},
        {"xvs_3_0\nexec\nmov r64, r1", "line 3: no such register (found r"},
        {"xvs_3_0\nexec\nmov oC0, r1", "line 3: a destination is wrong (found oC"},
        {"xps_3_0\nexec\nmov oPos, r1", "line 3: a destination is wrong (found oPos"},
        {"xvs_3_0\nexec\nmov r0, c256", "line 3: no such register (found c256"},
        {"xvs_3_0\nexec\nmov r0, c[300+aL]", "line 3: no such register (found '300+aL]'"},
        {"xvs_3_0\nexec\nmov r0, r[1+a0]", "line 3: a register's index is wrong (found a0"},
        {"xvs_3_0\nexec\nmov r0.yx, r1", "line 3: a mask is wrong (found yx"},
        {"xvs_3_0\nexec\nmov r0, r1.q", "line 3: components are wrong (found 'q'"},
        {"xvs_3_0\nexec\nmov r0, r1.xyzwx", "line 3: components are wrong (found 'x'"},
        {"xvs_3_0\nexec\nfoo r0, r1", "line 3: no such operation (found foo"},
        {"xvs_3_0\nexec\nadd r0, r1, r2\n+ mul r0, r1, r2", "line 4: no such operation (found mul"},
        {"xvs_3_0\nexec\nmad r0, r1, r2, r3\n+ rcp r0.x, r4.x",
         "line 4: the third operand differs from what shares its field"},
        {"xvs_3_0\nexec\nadd r0, c1_abs, c2", "line 3: a constant's _abs differs"},
        {"xvs_3_0\nexec\nmad r0, c1, c2, c[3+a0]", "line 3: a constant's relative index differs"},
        {"xvs_3_0\nexec\nadd r0, c[1+a0], c[3+aL]", "line 3: a0 or aL differs"},
        {"xvs_3_0\nexec\nrcp r0.x, r1", "line 3: a scalar operand is wrong (found no components"},
        {"xvs_3_0\nexec\nmulsc r0.x, r1.x, r2.x", "line 3: the first operand is wrong"},
        {"xvs_3_0\nexec\nmulsc r0.x, -c1.x, r2.x", "line 3: the operands' signs differ"},
        {"xvs_3_0\nexec\nmov o0.x, r0\n+ movs o1.y, r0.x",
         "line 4: the operations export differently"},
        {"xvs_3_0\nexec\nmov o0.x, r0\n+ movs o0.x, r0.x",
         "line 4: both operations write a component"},
        {"xvs_3_0\nexec\nmov o0.x0__, r0", "line 3: a 0 stands beside a component"},
        {"xvs_3_0\nexec\n(p1) mov r0, r1", "line 3: no such predicate (found p1, expected p0)"},
        {"xvs_3_0\nexec\ntfetch2D r0, r1.xyz, tf0",
         "line 3: a fetch's source is wrong (found xyz, expected 2 components)"},
        {"xvs_3_0\nexec\ntfetch2D r0, r1.xy, tf32", "line 3: a fetch constant is wrong"},
        {"xvs_3_0\nexec\ntfetch2D r0, r1.xy, tf0, Stride=3",
         "line 3: this fetch has no such attribute (found Stride"},
        {"xvs_3_0\nexec\ntfetch2D r0, r1.xy, tf0, LODBias=4",
         "line 3: LODBias is out of range (found the end, expected -4 to 3.9375)"},
        {"xvs_3_0\nexec\ntfetch2D r0, r1.xy, tf0, OffsetX=0.3",
         "line 3: a number lies between steps (found the end, expected a multiple of 1/2)"},
        {"xvs_3_0\nexec\ntfetch2D r0, r1.xy, tf0, MagFilter=soft",
         "line 3: MagFilter has no such value (found soft"},
        {"xvs_3_0\nexec\nvfetch r0, r1.x, vf96", "line 3: a fetch constant is wrong"},
        {"xvs_3_0\nexec\nnop\nnop\nnop\nnop\nnop\nnop\nnop", "line 9: an exec is full"},
        {"xvs_3_0\njmp away\n", "line 2: a label stands nowhere (found away"},
        {"xvs_3_0\nlabel a\nlabel a\n", "line 3: a label stands twice (found a"},
        {"xvs_3_0\ncexec b256\n",
         "line 2: no such constant (found '256', expected a number from 0 to 255)"},
        {"xvs_3_0\nalloc colors\n", "line 2: no such allocation (found colors"},
        {"xvs_3_0\nalloc export\n", "line 2: an allocation has no count"},
        {"xvs_3_0\nexec Maybe=true\n", "line 2: there is no such attribute here (found Maybe"},
        {"xvs_3_0\nexec Yield=perhaps\n", "line 2: a truth value is wrong (found perhaps"},
        {"xvs_3_0\nexec\nnop nop\n", "line 3: an instruction goes on (found 'nop'"},
        {"xvs_3_0\nexec\nserialize\n", "line 4: serialize has no instruction"},
        {"xvs_3_0\n.data 1, 2\n", "line 2: an operand is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char error[256];
        uint32_t stage, dwords;
        uint32_t *words =
            xenos_assemble(rows[i].text, strlen(rows[i].text), &stage, &dwords, error);
        if (words != NULL || strncmp(error, rows[i].error, strlen(rows[i].error)) != 0 ||
            strstr(error, "(found ") == NULL || strstr(error, ", expected ") == NULL) {
            free(words);
            fail_msg("%s: %s", rows[i].text, error);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_words_survive),
        cmocka_unit_test(shaders_that_listings_can_say),
        cmocka_unit_test(other_ways_of_writing),
        cmocka_unit_test(labels_reach_both_ways),
        cmocka_unit_test(constants_of_def_lines),
        cmocka_unit_test(shaders_of_the_titles),
        cmocka_unit_test(errors_name_line_found_and_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
