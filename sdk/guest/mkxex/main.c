/* mkxex: the command line around elf_image and xex_write. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_image.h"
#include "xex.h"
#include "xex_layout.h"
#include "xex_write.h"

#define MAX_ITEMS 256u

static const char usage[] =
    "usage: mkxex [OPTION]... -o OUT.xex IN.elf\n"
    "Wraps a linked big-endian ELF32 executable for PowerPC as an Xbox 360 executable.\n"
    "\n"
    "  -o FILE                      the file to write\n"
    "      --compress none|basic|lzx  of the image (default none)\n"
    "      --encrypt none|devkit    of the image (default none)\n"
    "      --title-id HEX           write execution info with this title id\n"
    "      --stack SIZE             stack of the first thread (default 256K; 0x, K, M understood)\n"
    "      --name NAME.exe          original PE name (default: OUT with .exe)\n"
    "      --system-flags HEX       system flags, the privileges of the title\n"
    "      --base HEX               image base (default 82000000)\n"
    "      --dll                    a DLL instead of a title\n"
    "      --export ORD=SYMBOL      export SYMBOL by ordinal; may be repeated\n"
    "      --resource NAME=FILE     put FILE into the image as resource NAME; may be repeated\n"
    "  -h, --help                   print this\n"
    "\n"
    "Exit codes: 0 written, 1 the input cannot be wrapped, 2 wrong usage.\n";

typedef struct command {
    const char *in, *out;
    char name[256];
    weft_mkxex_options options;
    weft_mkxex_spec spec; /* only what the command line sets */
    weft_mkxex_export exports[MAX_ITEMS];
    weft_mkxex_file files[MAX_ITEMS];
    uint8_t *file_bytes[MAX_ITEMS];
} command;

static int complain(const char *where, const char *what)
{
    fprintf(stderr, "mkxex: error: %s: %s\n", where, what);
    return 1;
}

static int wrong(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "mkxex: error: %s: (found %s, expected %s); see mkxex --help\n", option, value,
            expected);
    return 2;
}

static int read_file(const char *path, uint8_t **bytes, size_t *size)
{
    FILE *f = fopen(path, "rb");
    long length = -1;
    if (f && !fseek(f, 0, SEEK_END)) {
        length = ftell(f);
        rewind(f);
    }
    *bytes = length >= 0 ? malloc((size_t)length + 1) : NULL;
    *size = (size_t)length;
    bool ok = *bytes && fread(*bytes, 1, *size, f) == *size;
    int code = errno;
    if (f) {
        fclose(f);
    }
    if (!ok) {
        free(*bytes);
        *bytes = NULL;
        return complain(path, code ? strerror(code) : "cannot be read");
    }
    return 0;
}

static int write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(bytes, 1, size, f) == size;
    if (f && fclose(f)) {
        ok = false;
    }
    if (!ok) {
        remove(path);
        return complain(path, strerror(errno));
    }
    return 0;
}

/* A number up to 32 bits, with K or M behind it where `suffix` allows. */
static bool parse_number(const char *text, int radix, bool suffix, uint32_t *value)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, radix);
    if (suffix && (*end == 'K' || *end == 'M')) {
        n *= *end++ == 'K' ? 1024u : 1024u * 1024u;
    }
    *value = (uint32_t)n;
    return !errno && end != text && !*end && *text != '-' && n <= UINT32_MAX;
}

static int parse_word(const char *option, const char *value, const char *const *words,
                      const char *expected, unsigned *out)
{
    for (unsigned i = 0; words[i]; i++) {
        if (!strcmp(words[i], value)) {
            *out = i;
            return 0;
        }
    }
    return wrong(option, value, expected);
}

static int parse_export(command *c, char *text)
{
    char *equals = strchr(text, '=');
    uint32_t ordinal;
    if (c->options.export_count == MAX_ITEMS || !equals || !equals[1]) {
        return wrong("--export", text, "ORD=SYMBOL, at most 256 times");
    }
    *equals = '\0';
    if (!parse_number(text, 0, false, &ordinal) || ordinal > 0xFFFF) {
        return wrong("--export", text, "an ordinal from 0 to 65535");
    }
    c->exports[c->options.export_count++] = (weft_mkxex_export){ordinal, equals + 1};
    return 0;
}

static int parse_resource(command *c, char *text)
{
    char *equals = strchr(text, '=');
    uint32_t i = c->options.file_count;
    size_t size;
    if (i == MAX_ITEMS || !equals || equals == text || equals - text > 8) {
        return wrong("--resource", text, "NAME=FILE with a name of at most 8 characters");
    }
    *equals = '\0';
    if (read_file(equals + 1, &c->file_bytes[i], &size)) {
        return 1;
    }
    if (size > XEX_MAX_IMAGE) {
        free(c->file_bytes[i]);
        c->file_bytes[i] = NULL;
        return complain(equals + 1, "larger than an image may be");
    }
    c->files[i] = (weft_mkxex_file){text, c->file_bytes[i], (uint32_t)size};
    c->options.file_count++;
    return 0;
}

enum {
    OPT_COMPRESS = 256,
    OPT_ENCRYPT,
    OPT_TITLE,
    OPT_STACK,
    OPT_NAME,
    OPT_FLAGS,
    OPT_BASE,
    OPT_DLL,
    OPT_EXPORT,
    OPT_RESOURCE
};

static const struct option long_options[] = {
    {"compress", required_argument, NULL, OPT_COMPRESS},
    {"encrypt", required_argument, NULL, OPT_ENCRYPT},
    {"title-id", required_argument, NULL, OPT_TITLE},
    {"stack", required_argument, NULL, OPT_STACK},
    {"name", required_argument, NULL, OPT_NAME},
    {"system-flags", required_argument, NULL, OPT_FLAGS},
    {"base", required_argument, NULL, OPT_BASE},
    {"dll", no_argument, NULL, OPT_DLL},
    {"export", required_argument, NULL, OPT_EXPORT},
    {"resource", required_argument, NULL, OPT_RESOURCE},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int set_name(command *c, const char *name)
{
    if (!*name || strlen(name) >= sizeof c->name) {
        return wrong("--name", name, "1 to 255 characters");
    }
    snprintf(c->name, sizeof c->name, "%s", name);
    return 0;
}

static int parse_option(command *c, int option, char *value)
{
    static const char *const compressions[] = {"none", "basic", "lzx", NULL};
    static const char *const encryptions[] = {"none", "devkit", NULL};
    weft_mkxex_spec *s = &c->spec;
    switch (option) {
    case 'o':
        c->out = value;
        return 0;
    case OPT_COMPRESS:
        return parse_word("--compress", value, compressions, "none, basic or lzx", &s->compression);
    case OPT_ENCRYPT:
        return parse_word("--encrypt", value, encryptions, "none or devkit", &s->encryption);
    case OPT_TITLE:
        s->has_title_id = true;
        return parse_number(value, 16, false, &s->title_id)
                   ? 0
                   : wrong("--title-id", value, "up to 8 hexadecimal digits");
    case OPT_STACK:
        return parse_number(value, 0, true, &s->stack_size) && s->stack_size
                   ? 0
                   : wrong("--stack", value, "a size such as 256K");
    case OPT_NAME:
        return set_name(c, value);
    case OPT_FLAGS:
        return parse_number(value, 16, false, &s->system_flags)
                   ? 0
                   : wrong("--system-flags", value, "up to 8 hexadecimal digits");
    case OPT_BASE:
        return parse_number(value, 16, false, &c->options.base) && c->options.base % 0x10000 == 0
                   ? 0
                   : wrong("--base", value, "a hexadecimal multiple of 10000");
    case OPT_DLL:
        s->module_flags = XEX_MODULE_DLL;
        return 0;
    case OPT_EXPORT:
        return parse_export(c, value);
    case OPT_RESOURCE:
        return parse_resource(c, value);
    default:
        return 2; /* getopt has said why */
    }
}

/* OUT's last part with .exe in place of its extension. */
static void default_name(command *c)
{
    const char *slash = strrchr(c->out, '/');
    const char *leaf = slash ? slash + 1 : c->out;
    const char *dot = strrchr(leaf, '.');
    int length = dot && dot != leaf ? (int)(dot - leaf) : (int)strlen(leaf);
    snprintf(c->name, sizeof c->name, "%.*s.exe", length > 200 ? 200 : length, leaf);
}

/* What is written must also be read: the loader's own code looks at it before it reaches a disk. */
static int read_back(const uint8_t *bytes, size_t size, char *err)
{
    weft_xex *xex;
    weft_xex_image image = {0};
    weft_xex_import_list imports = {0};
    int status = weft_xex_open(bytes, size, &xex, err);
    if (status) {
        return status;
    }
    status = weft_xex_decode(xex, &image, err);
    if (!status) {
        status = weft_xex_imports(xex, &image, &imports, err);
    }
    if (!status && (image.pages.ok != image.pages.total || image.blocks.ok != image.blocks.total ||
                    !xex->header_digest_ok || !xex->import_digest_ok)) {
        snprintf(err, 256, "the digests of the written file do not match");
        status = WEFT_XEX_E_FORMAT;
    }
    weft_xex_imports_free(&imports);
    weft_xex_image_free(&image);
    weft_xex_close(xex);
    return status;
}

static int make(command *c)
{
    uint8_t *elf, *xex = NULL;
    size_t elf_size, xex_size = 0;
    char err[256] = "";
    weft_mkxex_image image;

    if (read_file(c->in, &elf, &elf_size)) {
        return 1;
    }
    c->options.exports = c->exports;
    c->options.files = c->files;
    int status = weft_mkxex_from_elf(elf, elf_size, &c->options, &image, err);
    if (!status) {
        weft_mkxex_spec *s = &image.spec;
        s->compression = c->spec.compression;
        s->encryption = c->spec.encryption;
        s->has_title_id = c->spec.has_title_id;
        s->title_id = c->spec.title_id;
        s->stack_size = c->spec.stack_size;
        s->system_flags = c->spec.system_flags;
        s->module_flags = c->spec.module_flags;
        s->name = c->name;
        status = weft_mkxex_write(s, &xex, &xex_size, err);
        weft_mkxex_image_free(&image);
    }
    if (!status) {
        status = read_back(xex, xex_size, err);
    }
    int result = status ? complain(c->in, err) : write_file(c->out, xex, xex_size);
    free(xex);
    free(elf);
    return result;
}

int main(int argc, char **argv)
{
    static const char short_options[] = "o:h";
    command *c = calloc(1, sizeof *c);
    int option, result = c ? 0 : complain("mkxex", "no memory");
    while (!result && (option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            free(c);
            return 0;
        }
        result = parse_option(c, option, optarg);
    }
    if (!result && (argc - optind != 1 || !c->out)) {
        result = wrong("arguments", c->out ? "no single input" : "no -o", "-o OUT.xex IN.elf");
    }
    if (!result) {
        c->in = argv[optind];
        if (!c->name[0]) {
            default_name(c);
        }
        result = make(c);
    }
    for (uint32_t i = 0; c && i < MAX_ITEMS; i++) {
        free(c->file_bytes[i]);
    }
    free(c);
    return result;
}
