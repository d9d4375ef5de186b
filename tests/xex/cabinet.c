#include "cabinet.h"

#include <mspack.h>
#include <stdlib.h>
#include <string.h>

#include "xex_bytes.h"

/* libmspack reads and writes through this; "in" is the cabinet, "out" the file in it. */
typedef struct memory_system {
    struct mspack_system base;
    uint8_t *in, *out;
    size_t in_size, out_size;
} memory_system;

typedef struct memory_file {
    uint8_t *bytes;
    size_t size, pos;
} memory_file;

static struct mspack_file *memory_open(struct mspack_system *self, const char *name, int mode)
{
    memory_system *m = (memory_system *)self;
    memory_file *f = calloc(1, sizeof *f);
    bool in = !strcmp(name, "in");
    f->bytes = in ? m->in : m->out;
    f->size = in ? m->in_size : m->out_size;
    return (struct mspack_file *)f;
}

static void memory_close(struct mspack_file *file)
{
    free(file);
}

static int transfer(memory_file *f, int bytes)
{
    size_t n = (size_t)bytes < f->size - f->pos ? (size_t)bytes : f->size - f->pos;
    f->pos += n;
    return (int)n;
}

static int memory_read(struct mspack_file *file, void *buffer, int bytes)
{
    memory_file *f = (memory_file *)file;
    uint8_t *from = f->bytes + f->pos;
    int n = transfer(f, bytes);
    memcpy(buffer, from, (size_t)n);
    return n;
}

static int memory_write(struct mspack_file *file, void *buffer, int bytes)
{
    memory_file *f = (memory_file *)file;
    uint8_t *to = f->bytes + f->pos;
    int n = transfer(f, bytes);
    memcpy(to, buffer, (size_t)n);
    return n;
}

static int memory_seek(struct mspack_file *file, off_t offset, int mode)
{
    memory_file *f = (memory_file *)file;
    off_t from = mode == MSPACK_SYS_SEEK_START ? 0
                 : mode == MSPACK_SYS_SEEK_CUR ? (off_t)f->pos
                                               : (off_t)f->size;
    if (from + offset < 0 || from + offset > (off_t)f->size) {
        return -1;
    }
    f->pos = (size_t)(from + offset);
    return 0;
}

static off_t memory_tell(struct mspack_file *file)
{
    return (off_t)((memory_file *)file)->pos;
}

static void memory_message(struct mspack_file *file, const char *format, ...)
{
}

static void *memory_alloc(struct mspack_system *self, size_t bytes)
{
    return malloc(bytes);
}

static void memory_copy(void *from, void *to, size_t bytes)
{
    memcpy(to, from, bytes);
}

/* Microsoft's cabinet format: CFHEADER, one CFFOLDER, one CFFILE "f", one CFDATA per frame. */
static uint8_t *wrap(const weft_lzx_stream *s, uint32_t window, size_t size, size_t *cab_size)
{
    const uint32_t data_at = 36 + 8 + 18;
    uint8_t *cab = calloc(1, data_at + s->size + 8 * (size_t)s->frame_count);
    unsigned bits = 15;
    while (1u << bits < window) {
        bits++;
    }
    size_t p = data_at, from = 0;
    for (uint32_t i = 0; i < s->frame_count; i++) {
        size_t length = s->frame_ends[i] - from;
        size_t plain = size - i * 0x8000u < 0x8000 ? size - i * 0x8000u : 0x8000;
        put_le16(cab + p + 4, (uint32_t)length);
        put_le16(cab + p + 6, (uint32_t)plain);
        memcpy(cab + p + 8, s->bytes + from, length);
        p += 8 + length;
        from = s->frame_ends[i];
    }
    memcpy(cab, "MSCF", 4);
    put_le32(cab + 8, (uint32_t)p);
    put_le32(cab + 16, 36 + 8); /* first CFFILE */
    cab[24] = 3;
    cab[25] = 1;
    put_le16(cab + 26, 1);
    put_le16(cab + 28, 1);
    put_le32(cab + 36, data_at);
    put_le16(cab + 40, s->frame_count);
    put_le16(cab + 42, 3 | bits << 8);
    put_le32(cab + 44, (uint32_t)size);
    memcpy(cab + 60, "f", 2);
    *cab_size = p;
    return cab;
}

bool cabinet_decode(const weft_lzx_stream *stream, uint32_t window, uint8_t *out, size_t size)
{
    memory_system m = {
        .base =
            {
                .open = memory_open,
                .close = memory_close,
                .read = memory_read,
                .write = memory_write,
                .seek = memory_seek,
                .tell = memory_tell,
                .message = memory_message,
                .alloc = memory_alloc,
                .free = free,
                .copy = memory_copy,
            },
        .out = out,
        .out_size = size,
    };
    m.in = wrap(stream, window, size, &m.in_size);
    struct mscab_decompressor *d = mspack_create_cab_decompressor(&m.base);
    struct mscabd_cabinet *cab = d->open(d, "in");
    bool ok = cab && d->extract(d, cab->files, "out") == MSPACK_ERR_OK;
    if (cab) {
        d->close(d, cab);
    }
    mspack_destroy_cab_decompressor(d);
    free(m.in);
    return ok;
}
