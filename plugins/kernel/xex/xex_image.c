/* From the file's data to the flat image: AES, block chain, LZX, page digests. */
#include "xex.h"

#include <stdlib.h>
#include <string.h>

#include "lzx.h"
#include "pe.h"
#include "xex_bytes.h"
#include "xex_crypto.h"
#include "xex_layout.h"

/* The file's bytes behind the headers, decrypted if need be. */
typedef struct payload {
    const uint8_t *bytes;
    size_t size;
    uint32_t at; /* in the file */
} payload;

static int copy_plain(const weft_xex *xex, const payload *in, weft_xex_image *image, char *err)
{
    if (in->size < image->size) {
        return xex_fail(err, WEFT_XEX_E_FORMAT,
                        "xex: image data at 0x%x (found 0x%zx bytes, expected 0x%x)", in->at,
                        in->size, image->size);
    }
    memcpy(image->bytes, in->bytes, image->size);
    return 0;
}

/* Blocks of data, each followed by zeros that the file does not store. */
static int expand_basic(const weft_xex *xex, const payload *in, weft_xex_image *image, char *err)
{
    uint64_t from = 0, to = 0;
    for (uint32_t i = 0; i < xex->format.block_count; i++) {
        uint32_t data = be32(xex->format.blocks + 8 * (size_t)i);
        uint32_t zeros = be32(xex->format.blocks + 8 * (size_t)i + 4);
        if (!in_range(from, data, in->size)) {
            return xex_fail(
                err, WEFT_XEX_E_FORMAT,
                "xex: basic block %u at 0x%llx (found 0x%x bytes of data, expected at most "
                "the file's 0x%llx)",
                i, (unsigned long long)(in->at + from), data,
                (unsigned long long)(in->size - from));
        }
        if (!in_range(to, (uint64_t)data + zeros, image->size)) {
            return xex_fail(
                err, WEFT_XEX_E_FORMAT,
                "xex: basic block %u (found 0x%x + 0x%x bytes at image offset 0x%llx, expected "
                "inside the image of 0x%x)",
                i, data, zeros, (unsigned long long)to, image->size);
        }
        memcpy(image->bytes + to, in->bytes + from, data);
        from += data;
        to += (uint64_t)data + zeros;
    }
    return 0;
}

/* Appends the chunks of one block, each preceded by its 16-bit size and ended by a size of 0. */
static int gather_chunks(const uint8_t *block, size_t size, size_t at, uint8_t *out,
                         size_t *out_size, char *err)
{
    size_t p = XEX_BLOCK_HEADER;
    while (in_range(p, 2, size)) {
        size_t chunk = be16(block + p);
        p += 2;
        if (!chunk) {
            break;
        }
        if (!in_range(p, chunk, size)) {
            return xex_fail(err, WEFT_XEX_E_FORMAT,
                            "xex: LZX chunk at 0x%zx (found 0x%zx bytes, expected at most 0x%zx)",
                            at + p, chunk, size - p);
        }
        memcpy(out + *out_size, block + p, chunk);
        *out_size += chunk;
        p += chunk;
    }
    return 0;
}

/* Every block names the size and SHA-1 of the one after it; the header names those of the first. */
static int walk_blocks(const weft_xex *xex, const payload *in, weft_xex_image *image, uint8_t *out,
                       size_t *out_size, char *err)
{
    size_t p = 0, size = xex->format.first_size;
    const uint8_t *expected = xex->format.first_digest;
    while (size) {
        if (size < XEX_BLOCK_HEADER || !in_range(p, size, in->size)) {
            return xex_fail(
                err, WEFT_XEX_E_FORMAT,
                "xex: LZX block %u at 0x%zx (found 0x%zx bytes, expected 0x18 to the file's "
                "0x%zx)",
                image->blocks.total, in->at + p, size, in->size - p);
        }
        const uint8_t *block = in->bytes + p;
        uint8_t digest[XEX_DIGEST];
        weft_xex_sha1(block, size, NULL, 0, digest);
        image->blocks.total++;
        image->blocks.ok += !memcmp(digest, expected, XEX_DIGEST);
        int status = gather_chunks(block, size, in->at + p, out, out_size, err);
        if (status) {
            return status;
        }
        p += size;
        size = be32(block);
        expected = block + 4;
    }
    return 0;
}

static int expand_lzx(const weft_xex *xex, const payload *in, weft_xex_image *image, char *err)
{
    uint8_t *stream = malloc(in->size + 1);
    size_t stream_size = 0;
    if (!stream) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for 0x%zx bytes of LZX", in->size);
    }
    int status = walk_blocks(xex, in, image, stream, &stream_size, err);
    if (!status) {
        status = weft_lzx_decode(stream, stream_size, xex->format.window, image->bytes, image->size,
                                 err);
    }
    free(stream);
    return status;
}

void weft_xex_check_pages(const weft_xex *xex, weft_xex_image *image)
{
    const uint8_t *descriptor = xex->data + xex->security.offset + XEX_SEC_PAGES;
    const uint8_t *expected = xex->security.page_digest;
    uint64_t at = 0;
    image->pages.ok = 0;
    image->pages.total = xex->page_run_count;
    for (uint32_t i = 0; i < xex->page_run_count; i++, descriptor += XEX_PAGE_ENTRY) {
        uint64_t length = (uint64_t)xex->page_runs[i].count * xex->page_size;
        if (in_range(at, length, image->size)) {
            uint8_t digest[XEX_DIGEST];
            weft_xex_sha1(image->bytes + at, (size_t)length, descriptor, XEX_PAGE_ENTRY, digest);
            image->pages.ok += !memcmp(digest, expected, XEX_DIGEST);
        }
        expected = xex->page_runs[i].next_digest;
        at += length;
    }
}

static int expand(const weft_xex *xex, const payload *in, weft_xex_image *image, char *err)
{
    image->size = xex->security.image_size;
    image->base = xex->image_base;
    image->bytes = calloc(1, image->size);
    if (!image->bytes) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for an image of 0x%x bytes",
                        image->size);
    }
    int status;
    switch (xex->format.compression) {
    case XEX_COMPRESSION_NONE:
        status = copy_plain(xex, in, image, err);
        break;
    case XEX_COMPRESSION_BASIC:
        status = expand_basic(xex, in, image, err);
        break;
    default:
        status = expand_lzx(xex, in, image, err);
        break;
    }
    if (!status) {
        weft_pe pe;
        status = weft_pe_parse(image->bytes, image->size, &pe, err);
    }
    if (status) {
        weft_xex_image_free(image);
        return status;
    }
    weft_xex_check_pages(xex, image);
    return 0;
}

/* Decodes under one console key: it opens the file's key, which opens the data. */
static int decode_under(const weft_xex *xex, uint32_t which, weft_xex_image *image, char *err)
{
    const uint8_t *console =
        which == WEFT_XEX_KEY_DEVKIT ? weft_xex_devkit_key : weft_xex_retail_key;
    size_t size = (xex->size - xex->header_size) & ~(size_t)15;
    uint8_t key[16];
    uint8_t *plain = malloc(size + 1);
    if (!plain) {
        return xex_fail(err, WEFT_XEX_E_MEMORY, "xex: no memory for 0x%zx bytes of data", size);
    }
    weft_xex_aes_decrypt(console, xex->security.file_key, key, sizeof key);
    weft_xex_aes_decrypt(key, xex->data + xex->header_size, plain, size);
    payload in = {plain, size, xex->header_size};
    int status = expand(xex, &in, image, err);
    image->key = which;
    free(plain);
    return status;
}

int weft_xex_decode(const weft_xex *xex, weft_xex_image *out, char *err)
{
    memset(out, 0, sizeof *out);
    if (xex->format.compression == XEX_COMPRESSION_DELTA ||
        (xex->module_flags & XEX_MODULE_PATCH_MASK)) {
        return xex_fail(
            err, WEFT_XEX_E_UNSUPPORTED,
            "xex: a patch for another title (module flags 0x%x, compression %u), expected a "
            "whole title",
            xex->module_flags, xex->format.compression);
    }
    if (xex->format.encryption == XEX_ENCRYPTION_NONE) {
        payload in = {xex->data + xex->header_size, xex->size - xex->header_size, xex->header_size};
        return expand(xex, &in, out, err);
    }
    char devkit_err[256] = "", retail_err[256] = "";
    int devkit_status = decode_under(xex, WEFT_XEX_KEY_DEVKIT, out, devkit_err);
    if (!devkit_status && out->pages.ok == out->pages.total) {
        return 0;
    }
    weft_xex_image retail = {0};
    int retail_status = decode_under(xex, WEFT_XEX_KEY_RETAIL, &retail, retail_err);
    if (!retail_status && (devkit_status || retail.pages.ok > out->pages.ok)) {
        weft_xex_image_free(out);
        *out = retail;
        return 0;
    }
    weft_xex_image_free(&retail);
    if (!devkit_status) {
        return 0;
    }
    return xex_fail(err, devkit_status, "%.110s under the devkit key, %.110s under the retail key",
                    devkit_err, retail_err);
}

void weft_xex_image_free(weft_xex_image *image)
{
    free(image->bytes);
    memset(image, 0, sizeof *image);
}
