/* Listings beside the words that they list.
 *
 * Published pairs: headers that the console's fxc 2.0.21256.0 wrote, with its listing as a comment above
 * the words (github.com/Olde-Skuul/burgerlib, source/graphics/shadersxbox360/generated), and two more of
 * the same form for its assembler (a memory export, a patch shader). Names of vertex inputs stand for
 * fetch constants there; ours are numbers. Single lines: xenia's shader_translator_disasm.cc. */
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "ucode.h"

/* The listing without its first line, comments and blanks at the ends of lines; lines end with \n. */
static char *list(uint32_t stage, const uint32_t *words, uint32_t dwords)
{
    char *text = NULL;
    size_t size = 0;
    xenos_program *program = xenos_program_new(stage, words, dwords);
    assert_non_null(program);
    FILE *out = open_memstream(&text, &size);
    xenos_disassemble(program, out);
    fclose(out);
    xenos_program_free(program);

    char *result = calloc(size + 1, 1), *to = result;
    char *at = strchr(text, '\n');
    while (at != NULL && *++at != '\0') {
        char *end = strchr(at, '\n');
        *end = '\0';
        char *comment = strstr(at, "*/");
        at = comment != NULL ? comment + 2 : at;
        at += strspn(at, " ");
        comment = strstr(at, "//");
        if (comment != NULL) {
            *comment = '\0';
        }
        size_t n = strlen(at);
        while (n > 0 && at[n - 1] == ' ') {
            n--;
        }
        memcpy(to, at, n);
        to += n;
        if (n > 0) {
            *to++ = '\n';
        }
        at = end;
    }
    free(text);
    return result;
}

static void check_both_ways(uint32_t stage, const uint32_t *words, uint32_t dwords,
                            const char *listing)
{
    char *ours = list(stage, words, dwords);
    assert_string_equal(ours, listing);
    free(ours);

    char text[4096], error[256];
    snprintf(text, sizeof text, "%s\n%s", stage == XENOS_STAGE_PIXEL ? "xps_3_0" : "xvs_3_0",
             listing);
    uint32_t got_stage, got;
    uint32_t *assembled = xenos_assemble(text, strlen(text), &got_stage, &got, error);
    if (assembled == NULL) {
        fail_msg("%s", error);
    }
    assert_int_equal(got_stage, stage);
    assert_int_equal(got, dwords);
    for (uint32_t i = 0; i < dwords; i++) {
        if (assembled[i] != words[i]) {
            fail_msg("word %u: %08x, published %08x", i, assembled[i], words[i]);
        }
    }
    free(assembled);
}

#define CHECK(stage, words, listing) check_both_ways(stage, words, sizeof(words) / 4, listing)

/* pscclr4360.h */
static void published_constant_colour(void **state)
{
    static const uint32_t words[] = {0x00000000, 0x1001c400, 0x22000000, 0xc80f8000, 0x00000000,
                                     0x22000000, 0x00000000, 0x00000000, 0x00000000};
    CHECK(XENOS_STAGE_PIXEL, words,
          "alloc colors\n"
          "exece\n"
          "mov oC0, c0\n");
}

/* pstex2clr4360.h */
static void published_texture_times_colour(void **state)
{
    static const uint32_t words[] = {0x00011002, 0x00001200, 0xc4000000, 0x00001003, 0x00002200,
                                     0x00000000, 0x10080001, 0x1f1ff688, 0x00004000, 0xc80f8000,
                                     0x00000000, 0xe1000100, 0x00000000, 0x00000000, 0x00000000};
    CHECK(XENOS_STAGE_PIXEL, words,
          "exec\n"
          "tfetch2D r0, r0.xy, tf0\n"
          "alloc colors\n"
          "exece\n"
          "mul oC0, r0, r1\n");
}

/* vs20pos22d360.h; the last exec is empty, and this compiler gives it the first one's address. */
static void published_export_of_constants(void **state)
{
    static const uint32_t words[] = {0x10011003, 0x00001200, 0xc2000000, 0x00003004, 0x00001200,
                                     0xc4000000, 0x00000003, 0x00002200, 0x00000000, 0x05f80000,
                                     0x0000023f, 0x00000000, 0xc8010000, 0x006cb1c6, 0x0b00ffff,
                                     0xc8020000, 0x00b16c1b, 0x0b00ffff, 0xc88bc03e, 0x001a1ab0,
                                     0xab000000, 0x00000000, 0x00000000, 0x00000000};
    CHECK(XENOS_STAGE_VERTEX, words,
          "exec\n"
          "vfetch r0.__xy, r0.x, vf0\n" /* position */
          "alloc position\n"
          "exec\n"
          "mad r0.x, c0.x, c255.y, c255.z\n"
          "mad r0.y, c0.y, c255.x, c255.w\n"
          "mad oPos.xy01, r0.zw, c0.zw, r0.xy\n"
          "alloc interpolators\n"
          "exece Address=3\n");
}

/* vsstaticposition360.h */
static void published_transform(void **state)
{
    static const uint32_t words[] = {
        0x30052003, 0x00001200, 0xc2000000, 0x00004005, 0x00001200, 0xc4000000, 0x00001009,
        0x00002200, 0x00000000, 0x05f81000, 0x00000a88, 0x00000000, 0x05f80000, 0x00000fc8,
        0x00000000, 0xc801803e, 0x003e3e00, 0x6f000100, 0xc802803e, 0x003e3e00, 0x6f010100,
        0xc804803e, 0x003e3e00, 0x6f020100, 0xc808803e, 0x003e3e00, 0x6f030100, 0xc8038000,
        0x00b0b000, 0xe2000000, 0x00000000, 0x00000000, 0x00000000};
    CHECK(XENOS_STAGE_VERTEX, words,
          "exec\n"
          "vfetch r1.xyz1, r0.x, vf0\n"
          "vfetch r0.xy__, r0.x, vf0\n"
          "alloc position\n"
          "exec\n"
          "dp4 oPos.x, c0.zxyw, r1.zxyw\n"
          "dp4 oPos.y, c1.zxyw, r1.zxyw\n"
          "dp4 oPos.z, c2.zxyw, r1.zxyw\n"
          "dp4 oPos.w, c3.zxyw, r1.zxyw\n"
          "alloc interpolators\n"
          "exece\n"
          "mov o0.xy, r0.xy\n");
}

/* The assembler's: serialize, two allocations in a row, eA and eM. */
static void published_memory_export(void **state)
{
    static const uint32_t words[] = {
        0x30256003, 0x00021200, 0xc6000000, 0x00004009, 0x00001200, 0xc4000000, 0x00000000,
        0x100dc200, 0x22000000, 0x00081000, 0x00000688, 0x00000000, 0x00082000, 0x00000688,
        0x00000000, 0xc80f0003, 0x006c0000, 0xa1010000, 0xc80f0003, 0x00b10000, 0xab010103,
        0xc80f0003, 0x00c60000, 0xab010203, 0xc80f0003, 0x001b0000, 0xab010303, 0xc8010000,
        0x006cc600, 0xa100ff00, 0xc80f8020, 0x006c6000, 0x8b00ff04, 0xc80f8021, 0x00000000,
        0xe2030300, 0xc80f8022, 0x00001b00, 0xa102ff00, 0xc80f803e, 0x00000000, 0xe2030300,
        0x00000000, 0x00000000, 0x00000000};
    CHECK(XENOS_STAGE_VERTEX, words,
          "exec\n"
          "vfetch r1, r0.x, vf95\n"
          "vfetch r2, r0.x, vf95\n"
          "serialize\n"
          "mul r3, r1.x, c0\n"
          "mad r3, r1.y, c1, r3\n"
          "mad r3, r1.z, c2, r3\n"
          "mad r3, r1.w, c3, r3\n"
          "alloc export=2\n"
          "exec\n"
          "mul r0.x, r0.x, c255.z\n"
          "mad eA, r0.x, c255.xyx, c4\n"
          "mov eM0, r3\n"
          "mul eM1, r2, c255.w\n"
          "alloc interpolators\n"
          "alloc position\n"
          "exece\n"
          "mov oPos, r3\n");
}

/* The assembler's: an exec that sets the predicate is not clean, six instructions to an exec. The words
 * of the instructions as published; addresses of this excerpt by hand. */
static void published_predicates(void **state)
{
    static const uint32_t words[] = {
        0x00000000, 0x6003c200, 0x10000000, /* alloc position; exec of 6 at 3, not clean */
        0x00003009, 0x00001200, 0x00000000, /* exec of 3 at 9; nothing */
        0x0000000c, 0x00002200, 0x00000000, /* exece of 0 at 12 */
        0xc80f0001, 0x026c0000, 0xa0010f00, 0x6c100200, 0x000000b1, 0xe2000001,
        0xc8020000, 0x1ab10000, 0x600f0000, 0x6c100200, 0x000000c6, 0xe2000001,
        0xc8060000, 0x1ab10000, 0x600f0000, 0xc80f0001, 0x04be6500, 0xeb020301,
        0xc8080001, 0x00000000, 0xf0010100, 0x58800100, 0x0000001b, 0xe2000001,
        0xc8040002, 0x00b1b100, 0xe2000000, 0x00000000, 0x00000000, 0x00000000};
    CHECK(XENOS_STAGE_VERTEX, words,
          "alloc position\n"
          "exec\n"
          "add r1, r1.x, -c15\n"
          "setp_eq r2.x, r1.y\n"
          "(p0) add r0.y, c15.y, -r0\n"
          "setp_eq r2.x, r1.z\n"
          "(p0) add r0.yz, c15.y, -r0\n"
          "mad r1, -r2.zxy, r3.yzx, r1\n"
          "exec\n"
          "dp3 r1.w, r1, r1\n"
          "rsq r1.w, r1.w\n"
          "mov r2.z, r0.y\n"
          "cnop\n"
          "exece\n");
}

/* ---- single instructions: words by hand ---- */

static void check_line(uint32_t stage, int fetch, uint32_t w0, uint32_t w1, uint32_t w2,
                       const char *line)
{
    uint32_t words[9] = {0x00001001 | (uint32_t)fetch << 16, 0x2000, 0, w0, w1, w2};
    int vertex = fetch && (w0 & 31) == 0;
    uint32_t high = 0x2200;
    if (strstr(line, "setp") != NULL) {
        high = 0x2000;
    }
    words[0] |= (uint32_t)(vertex && strstr(line, "UseTextureCache") == NULL) << 28;
    words[1] = high;
    char listing[600];
    snprintf(listing, sizeof listing, "exece\n%s\n", line);
    check_both_ways(stage, words, 9, listing);
}

/* The name of every operation, as xenia's ucode.cc has them. */
static void every_vector_operation(void **state)
{
    static const char *const two[] = {"add", "mul", "max", "min", "seq", "sgt", "sge", "sne"};
    static const char *const one[] = {"frc", "trunc", "floor"};
    static const char *const three[] = {"mad", "cndeq", "cndge", "cndgt"};
    char line[64];
    for (uint32_t i = 0; i < 8; i++) {
        snprintf(line, sizeof line, "%s r1, r2, r3", two[i]);
        check_line(0, 0, 0xC80F0001, 0, 0xE0020300 | i << 24, line);
    }
    for (uint32_t i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "%s r1, r2", one[i]);
        check_line(0, 0, 0xC80F0001, 0, 0xE8020000 | i << 24, line);
    }
    for (uint32_t i = 0; i < 4; i++) {
        snprintf(line, sizeof line, "%s r1, r2, r3, r4", three[i]);
        check_line(0, 0, 0xC80F0001, 0, 0xEB020304 + (i << 24), line);
    }
    check_line(0, 0, 0xC80F0001, 0, 0xEF020300, "dp4 r1, r2, r3");
    check_line(0, 0, 0xC80F0001, 0, 0xF0020300, "dp3 r1, r2, r3");
    check_line(0, 0, 0xC80F0001, 0, 0xF1020304, "dp2add r1, r2, r3, r4");
    check_line(0, 0, 0xC80F0001, 0, 0xF2020300, "cube r1, r2, r3");
    check_line(0, 0, 0xC80F0001, 0, 0xF3020000, "max4 r1, r2");
    static const char *const rest[] = {
        "setp_eq_push", "setp_ne_push", "setp_gt_push", "setp_ge_push", "kill_eq",
        "kill_gt",      "kill_ge",      "kill_ne",      "dst",          "maxa"};
    for (uint32_t i = 0; i < 10; i++) {
        snprintf(line, sizeof line, "%s r1, r2, r3", rest[i]);
        check_line(0, 0, 0xC80F0001, 0, 0xF4020300 + (i << 24), line);
    }
}

static void every_scalar_operation(void **state)
{
    /* two operands: a = x, b = y of r2: components y, y, x, x, each less its place */
    static const struct {
        uint32_t opcode;
        const char *name;
    } two[] = {{0, "adds"}, {2, "muls"},   {4, "muls_prev2"}, {5, "maxs"},
               {6, "mins"}, {23, "maxas"}, {24, "maxasf"},    {25, "subs"}},
      one[] = {{1, "adds_prev"}, {3, "muls_prev"},  {7, "seqs"},       {8, "sgts"},
               {9, "sges"},      {10, "snes"},      {11, "frcs"},      {12, "truncs"},
               {13, "floors"},   {14, "exp"},       {15, "logc"},      {16, "log"},
               {17, "rcpc"},     {18, "rcpf"},      {19, "rcp"},       {20, "rsqc"},
               {21, "rsqf"},     {22, "rsq"},       {26, "subs_prev"}, {27, "setp_eq"},
               {28, "setp_ne"},  {29, "setp_gt"},   {30, "setp_ge"},   {31, "setp_inv"},
               {32, "setp_pop"}, {34, "setp_rstr"}, {35, "kills_eq"},  {36, "kills_gt"},
               {37, "kills_ge"}, {38, "kills_ne"},  {39, "kills_one"}, {40, "sqrt"},
               {48, "sin"},      {49, "cos"}};
    char line[64];
    for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
        snprintf(line, sizeof line, "%s r1.x, r2.xy", two[i].name);
        check_line(0, 0, two[i].opcode << 26 | 0x00100100, 0x61, 0xE2000002, line);
    }
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) { /* zzzz: 2, 1, 0, 3 */
        snprintf(line, sizeof line, "%s r1.x, r2.z", one[i].name);
        check_line(0, 0, one[i].opcode << 26 | 0x00100100, 0xC6, 0xE2000002, line);
    }
    check_line(0, 0, 33u << 26 | 0x00100100, 0, 0xE2000000, "setp_clr r1.x");
    check_line(0, 0, 50u << 26 | 0x00100100, 0, 0xE2000000, "retain_prev r1.x");
    /* mulsc, addsc, subsc: register 45 = 101101b: bits 5..2 in the swizzle, bit 1 (0) instead of
     * "temporary", bit 0 (1) in the opcode; constant's component y at place 3: (1 - 3) & 3 = 2 */
    static const char *const mixed[] = {"mulsc", "addsc", "subsc"};
    for (uint32_t i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "%s r1.x, c200.y, r45.z", mixed[i]);
        check_line(0, 0, (43 + 2 * i) << 26 | 0x00100100, 2u << 6 | 0x2C | 2, 0xC20000C8, line);
        snprintf(line, sizeof line, "%s r1.x, c200.y, r46.z", mixed[i]);
        check_line(0, 0, (42 + 2 * i) << 26 | 0x00100100, 2u << 6 | 0x2C | 2, 0xE20000C8, line);
    }
    check_line(0, 0, 5u << 26 | 0x00100100, 0xC6, 0xE2000002, "movs r1.x, r2.z");
    check_line(0, 0, 23u << 26 | 0x00100100, 0xC6, 0xE2000002, "movas r1.x, r2.z");
    check_line(0, 0, 24u << 26 | 0x00100100, 0xC6, 0xE2000002, "movasf r1.x, r2.z");
}

static void modifiers_of_operands(void **state)
{
    check_line(0, 0, 0xC9030001, 0x07000000, 0xEB828384,
               "mad_sat r1.xy, -r2_abs, -r3_abs, -r4_abs");
    check_line(0, 0, 0xC80F0081, 0x01000000, 0x2B020304, "mad r1, c2_abs, c3_abs, -r4");
    check_line(0, 0, 0xC80F0041, 0, 0xE0430300, "add r[1+aL], r[3+aL], r3");
    /* the first constant has its own bit, the later ones share another; a0 or aL for all */
    check_line(0, 0, 0xC80F0001, 0xA0000000, 0x20020300, "add r1, c[2+a0], c3");
    check_line(0, 0, 0xC80F0001, 0x60000000, 0x20020300, "add r1, c2, c[3+a0]");
    check_line(0, 0, 0xC80F0001, 0x80000000, 0xA0020300, "add r1, r2, c[3+aL]");
    check_line(0, 0, 0xC80F0001, 0x40000000, 0x0B020304, "mad r1, c2, c[3+aL], c[4+aL]");
    check_line(0, 0, 0xC80F0001, 0x18000000, 0xE2000000, "(p0) mov r1, r0");
    check_line(0, 0, 0xC80F0001, 0x10000000, 0xE2000000, "(!p0) mov r1, r0");
    /* 0.0.1.1: two writers and constants */
    check_line(1, 0, 0x4C21803D, 0x001B001B, 0xE0000001,
               "add oDepth.x, r0.w, r0\n+ rcp oDepth.y, r1.w");
    check_line(0, 0, 0x4E0F4201, 0x0000001B, 0xE0000001,
               "add r1, r0, r0\n+ rcp_sat r[2+aL]._, r1.w");
}

static void every_export_register(void **state)
{
    char line[64];
    for (uint32_t i = 0; i < 16; i++) {
        snprintf(line, sizeof line, "mov o%u, r0", i);
        check_line(0, 0, 0xC80F8000 | i, 0, 0xE2000000, line);
    }
    check_line(0, 0, 0xC80F803E, 0, 0xE2000000, "mov oPos, r0");
    check_line(0, 0, 0xC801803F, 0, 0xE2000000, "mov oPts.x, r0");
    for (uint32_t i = 0; i < 4; i++) {
        snprintf(line, sizeof line, "mov oC%u, r0", i);
        check_line(1, 0, 0xC80F8000 | i, 0, 0xE2000000, line);
    }
    check_line(1, 0, 0xC80F803D, 0, 0xE2000000, "mov oDepth, r0");
    for (uint32_t stage = 0; stage < 2; stage++) {
        check_line(stage, 0, 0xC80F8020, 0, 0xE2000000, "mov eA, r0");
        check_line(stage, 0, 0xC80F8025, 0, 0xE2000000, "mov eM4, r0");
    }
    /* register 40 has no name: the words stand there */
    check_line(0, 0, 0xC80F8028, 0, 0xE2000000, ".alu 0xc80f8028, 0x00000000, 0xe2000000");
}

static void vertex_fetches(void **state)
{
    /* vf0 is number 95 = 31 * 3 + 2; stride 6, format 57, signed, integer: the XDK sample's */
    check_line(0, 1, 0x2DF85000, 0x00393E88, 6,
               "vfetch_full r5.xyz_, r0.x, vf0, DataFormat=FMT_32_32_32_FLOAT, Stride=6, "
               "Signed=true, NumFormat=integer, PrefetchCount=6");
    check_line(0, 1, 0xC0081FE0, 0xBF00F688, 0xFFFFFF80,
               "(p0) vfetch_full r1, r[63+aL].w, vf95, Stride=128, Offset=-1, Signed=true, "
               "NumFormat=integer, SignedRFMode=no_zero, ExpAdjust=-1, RoundIndex=true");
    check_line(0, 1, 0x00080000, 0x00060688, 0,
               "vfetch_full r0, r0.x, vf95, DataFormat=FMT_8_8_8_8, "
               "UseTextureCache=true");
    check_line(0, 1, 0x000C0000, 0x400103EC, 0x00000100,
               "vfetch_mini r[0+aL].01_y, DataFormat=1, Offset=1");
}

static void texture_fetches(void **state)
{
    static const char *const names[] = {"1D r0, r1.x", "2D r0, r1.xy", "3D r0, r1.xyz",
                                        "Cube r0, r1.xyz"};
    static const uint32_t swizzles[] = {0, 0x10000000, 0x90000000, 0x90000000};
    static const struct {
        uint32_t opcode;
        const char *name;
    } operations[] = {{1, "tfetch"}, {16, "getBCF"}, {17, "getCompTexLOD"}, {19, "getWeights"}};
    char line[200];
    for (uint32_t o = 0; o < 4; o++) {
        for (uint32_t i = 0; i < 4; i++) {
            snprintf(line, sizeof line, "%s%s, tf31", operations[o].name, names[i]);
            check_line(1, 1, 0x01F80020 | swizzles[i] | operations[o].opcode, 0x1F1FF688, i << 14,
                       line);
        }
    }
    check_line(1, 1, 0x10080032, 0x1F1FF688, 0x4000, "getGradients r0, r1.xy, tf0");
    check_line(1, 1, 0x00080038, 0x1F1FFFFF, 0x4000, "setTexLOD r1.x");
    check_line(1, 1, 0x90080039, 0x1F1FFFFF, 0x4000, "setGradientH r1.xyz");
    check_line(1, 1, 0x9008003A, 0x9F1FFFFF, 0x80004000, "(p0) setGradientV r1.xyz");
    /* every attribute: bias -4 = -64 / 16 = 1000000b, offsets 7.5 = 15 / 2 and -8 = -16 / 2 */
    check_line(1, 1, 0x12000021, 0x24A54688, 0x40000000 | 15u << 16 | 16u << 21 | 1u << 14 | 0x103,
               "tfetch2D r0, r1.xy, tf0, FetchValidOnly=false, UnnormalizedTextureCoords=true, "
               "MagFilter=point, MinFilter=linear, MipFilter=linear, AnisoFilter=max1to1, "
               "ArbitraryFilter=filter4x4_asym, VolMagFilter=point, VolMinFilter=linear, "
               "UseComputedLOD=false, UseRegisterLOD=true, UseRegisterGradients=true, "
               "SampleLocation=center, LODBias=-4, OffsetX=7.5, OffsetY=-8, OffsetZ=-8");
    check_line(1, 1, 0x10080021, 0x1F1FF688, 0x4000 | 1u << 2,
               "tfetch2D r0, r1.xy, tf0, LODBias=0.0625");
}

/* ---- control flow: words by hand, two instructions to a triple ---- */

static void check_cf(uint32_t high, uint32_t low, const char *line)
{
    /* cnop, the instruction, exece of nothing at 2 */
    uint32_t words[9] = {0, (low & 0xFFFF) << 16, low >> 16 | high << 16, 0x00000002, 0x2200, 0};
    char listing[200];
    snprintf(listing, sizeof listing, "cnop\n%s\nlabel L2\nexece\n", line);
    if (strstr(line, "L2") == NULL) {
        snprintf(listing, sizeof listing, "cnop\n%s\nexece\n", line);
    }
    check_both_ways(XENOS_STAGE_VERTEX, words, 9, listing);
}

static void every_control_flow_instruction(void **state)
{
    check_cf(0x0000, 0, "cnop");
    check_cf(0x1200, 2, "exec");
    check_cf(0x1200, 0x8002, "exec Yield=true");
    check_cf(0xD000 | 77u << 2 | 0x400, 2, "cexec b77");
    check_cf(0xE000 | 255u << 2, 2, "cexece !b255");
    check_cf(0x3000 | 1u << 2, 2, "cexec !b1, PredicateClean=false");
    check_cf(0x5600, 2, "(p0) exec");
    check_cf(0x6200, 2, "(!p0) exece");
    check_cf(0x7000, 31u << 16 | 2, "loop i31, L2");
    check_cf(0x7000, 0x2002, "loop i0, L2, Repeat=true");
    check_cf(0x8000, 3u << 16 | 2, "endloop i3, L2");
    check_cf(0x8400, 1u << 21 | 2, "(p0) endloop i0, L2");
    check_cf(0x8000, 1u << 21 | 2, "(!p0) endloop i0, L2");
    check_cf(0x9000, 0x2002, "call L2");
    check_cf(0x9400 | 9u << 2, 2, "ccall b9, L2");
    check_cf(0x9400, 0x4002, "(p0) call L2");
    check_cf(0xA000, 0, "ret");
    check_cf(0xB000, 0x2002, "jmp L2");
    check_cf(0xB000 | 9u << 2, 2, "cjmp !b9, L2");
    check_cf(0xB000, 0x4002, "(!p0) jmp L2");
    check_cf(0xB002, 0x2002, "jmp L2, ForwardOnly=true");
    check_cf(0xC000, 0, "alloc none");
    check_cf(0xC200, 0, "alloc position");
    check_cf(0xC400, 0, "alloc interpolators");
    check_cf(0xC600, 5, "alloc export=5");
    check_cf(0xC700, 1, "alloc export=1, DoNotSerialize=true");
    check_cf(0xF000, 0, "vfetchdone");
    check_cf(0xA800, 0, "ret, Addressing=true");
    check_cf(0x0000, 1, ".cf 0x0000, 0x00000001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_constant_colour),
        cmocka_unit_test(published_texture_times_colour),
        cmocka_unit_test(published_export_of_constants),
        cmocka_unit_test(published_transform),
        cmocka_unit_test(published_memory_export),
        cmocka_unit_test(published_predicates),
        cmocka_unit_test(every_vector_operation),
        cmocka_unit_test(every_scalar_operation),
        cmocka_unit_test(modifiers_of_operands),
        cmocka_unit_test(every_export_register),
        cmocka_unit_test(vertex_fetches),
        cmocka_unit_test(texture_fetches),
        cmocka_unit_test(every_control_flow_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
