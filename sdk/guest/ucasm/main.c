/* ucasm: the command line around the microcode assembler (docs/ucode.md). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ucode.h"

static const char usage[] =
    "usage: ucasm [--name NAME] -o OUT.h|OUT.bin IN.ucode\n"
    "Assembles a listing of Xenos microcode (docs/ucode.md).\n"
    "\n"
    "  -o FILE        .h: a C array NAME_code of words, macros about it and NAME_constants, rows "
    "of\n"
    "                 {number, bits of x, y, z, w}, from def lines; .bin: the words, big-endian\n"
    "      --name NAME  what the header's names begin with (default: OUT without .h)\n"
    "  -h, --help     print this\n"
    "\n"
    "Exit codes: 0 written, 1 the input cannot be assembled, 2 wrong usage.\n";

typedef struct shader {
    uint32_t *words;
    uint32_t stage, dwords;
    xenos_program *program;
    xenos_constant constants[256];
    uint32_t constant_count;
} shader;

static int complain(const char *where, const char *what)
{
    fprintf(stderr, "ucasm: error: %s: %s\n", where, what);
    return 1;
}

static int complain_of_file(const char *path, const char *what, const char *expected)
{
    fprintf(stderr, "ucasm: error: %s: %s (found: %s, expected %s)\n", path, what,
            errno ? strerror(errno) : "too little memory", expected);
    return 1;
}

static char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    long length = -1;
    if (f != NULL && fseek(f, 0, SEEK_END) == 0) {
        length = ftell(f);
        rewind(f);
    }
    char *bytes = length >= 0 ? malloc((size_t)length + 1) : NULL;
    *size = length >= 0 ? (size_t)length : 0;
    if (bytes == NULL || fread(bytes, 1, *size, f) != *size) {
        complain_of_file(path, "cannot be read", "a listing");
        free(bytes);
        bytes = NULL;
    }
    if (f != NULL) {
        fclose(f);
    }
    return bytes;
}

/* Interpolators of a vertex shader, colours of a pixel shader. */
static uint32_t count_parameters(const xenos_program *program)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < 16; i++) {
        if (program->exports >> i & 1) {
            count = i + 1;
        }
    }
    return count;
}

static void write_header(FILE *out, const char *name, const shader *s)
{
    fprintf(out, "/* Written by ucasm. */\n");
    fprintf(out, "#define %s_STAGE %u /* 0 vertex, 1 pixel */\n", name, s->stage);
    fprintf(out, "#define %s_DWORDS %uu\n", name, s->dwords);
    fprintf(out, "#define %s_REGISTERS %uu\n", name, s->program->temporaries);
    fprintf(out, "#define %s_PARAMETERS %uu /* interpolators or colours written */\n", name,
            count_parameters(s->program));
    fprintf(out, "#define %s_CONSTANTS %uu\n", name, s->constant_count);
    fprintf(out, "static const unsigned int %s_code[%u] = {", name, s->dwords ? s->dwords : 1);
    for (uint32_t i = 0; i < s->dwords; i++) {
        fprintf(out, "%s0x%08x,", i % 6 ? " " : "\n    ", s->words[i]);
    }
    fprintf(out, "%s\n};\n", s->dwords ? "" : "0");
    if (s->constant_count > 0) {
        fprintf(out, "static const unsigned int %s_constants[%u][5] = {\n", name,
                s->constant_count);
        for (uint32_t i = 0; i < s->constant_count; i++) {
            const xenos_constant *c = &s->constants[i];
            fprintf(out, "    {%u, 0x%08x, 0x%08x, 0x%08x, 0x%08x},\n", c->index, c->bits[0],
                    c->bits[1], c->bits[2], c->bits[3]);
        }
        fprintf(out, "};\n");
    }
}

static void write_binary(FILE *out, const shader *s)
{
    for (uint32_t i = 0; i < s->dwords; i++) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            putc((int)(s->words[i] >> shift & 0xFF), out);
        }
    }
}

/* The file's name without folders and ending; what no name has becomes _. */
static void name_of(const char *path, char name[64])
{
    const char *slash = strrchr(path, '/');
    const char *from = slash != NULL ? slash + 1 : path;
    size_t n = 0;
    while (from[n] != '\0' && from[n] != '.' && n < 63) {
        char c = from[n];
        int fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                   (c >= '0' && c <= '9' && n > 0);
        name[n++] = fits ? c : '_';
    }
    name[n] = '\0';
}

static int assemble(const char *in, shader *s)
{
    char error[256];
    size_t length;
    char *text = read_file(in, &length);
    if (text == NULL) {
        return 1;
    }
    int ok = xenos_assemble_constants(text, length, s->constants, &s->constant_count, error);
    s->words = ok ? xenos_assemble(text, length, &s->stage, &s->dwords, error) : NULL;
    free(text);
    if (s->words == NULL) {
        return complain(in, error);
    }
    s->program = xenos_program_new(s->stage, s->words, s->dwords);
    return s->program != NULL ? 0 : complain(in, "no memory");
}

static int write_out(const char *path, const char *name, const shader *s)
{
    const char *end = strrchr(path, '.');
    int header = end != NULL && strcmp(end, ".h") == 0;
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        return complain_of_file(path, "cannot be written", "a place for it");
    }
    if (header) {
        write_header(out, name, s);
    } else {
        write_binary(out, s);
    }
    if (ferror(out) | fclose(out)) {
        return complain(path, "cannot be written");
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"name", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *path = NULL;
    char name[64] = "";
    for (int c; (c = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        switch (c) {
        case 'o':
            path = optarg;
            break;
        case 'n':
            name_of(optarg, name);
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            return 2;
        }
    }
    const char *end = path != NULL ? strrchr(path, '.') : NULL;
    if (path == NULL || optind != argc - 1) {
        fprintf(stderr,
                "ucasm: error: arguments: (found %d inputs%s, expected -o OUT IN.ucode); "
                "see ucasm --help\n",
                argc - optind, path == NULL ? " and no -o" : "");
        return 2;
    }
    if (end == NULL || (strcmp(end, ".h") != 0 && strcmp(end, ".bin") != 0)) {
        fprintf(stderr, "ucasm: error: -o: (found %s, expected OUT.h or OUT.bin)\n", path);
        return 2;
    }
    if (name[0] == '\0') {
        name_of(path, name);
    }
    shader s = {0};
    int failed = assemble(argv[optind], &s);
    if (!failed) {
        failed = write_out(path, name, &s);
    }
    free(s.words);
    xenos_program_free(s.program);
    return failed;
}
