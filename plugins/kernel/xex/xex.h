/*
 * XEX2 files: bytes in, structure out. This library touches no guest memory, keeps no global and
 * calls nothing but the C library and mbedTLS, so the kernel, `weft info`, mkxex and the fuzz
 * targets all use the same code.
 *
 * Order of use: weft_xex_open (headers), weft_xex_decode (the flat PE image), then
 * weft_xex_imports, weft_xex_exports and weft_pe_parse over that image.
 *
 * Errors: every function that can fail returns one of the negative statuses below and writes one
 * sentence, naming what, where (a file offset or RVA), found and expected, to err: 256 bytes, or
 * NULL. Out parameters are defined only after success unless said otherwise. All input is taken as
 * hostile.
 *
 * What does not match but does not hinder (digests) is counted, not refused: a public title exists
 * whose pages were patched after signing. The RSA signature is kept but never verified.
 *
 * Sources of every number are in xex_layout.h. Thread tag of all functions: [any]; a weft_xex or
 * weft_xex_image that nobody changes may be read by several threads.
 */
#ifndef WEFT_XEX_H
#define WEFT_XEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEFT_XEX_OK = 0,
    WEFT_XEX_E_FORMAT = -1,      /* the bytes are not what the format says */
    WEFT_XEX_E_UNSUPPORTED = -2, /* well formed, but of a kind that is refused: patches, XEX1 */
    WEFT_XEX_E_MEMORY = -3,
    WEFT_XEX_E_NOT_FOUND = -4, /* no such header, resource, library or export */
};

/* An optional header: value is the number itself or a file offset, as the key's low byte says. */
typedef struct weft_xex_header {
    uint32_t key;
    uint32_t value;
} weft_xex_header;

typedef struct weft_xex_security {
    uint32_t offset; /* of this structure in the file */
    uint32_t size;
    uint32_t image_size; /* bytes of the flat image, at most 256 MiB */
    uint32_t load_address;
    uint32_t image_flags;
    uint32_t export_table; /* guest address of the export table by ordinal, 0 if none */
    uint32_t import_count; /* number of import libraries */
    uint32_t region;
    uint32_t media_types;
    uint8_t signature[256];
    uint8_t page_digest[20];   /* expected for the first page descriptor */
    uint8_t import_digest[20]; /* expected for the first import library */
    uint8_t header_digest[20];
    uint8_t media_id[16];
    uint8_t file_key[16]; /* still encrypted under a console key */
} weft_xex_security;

/* A run of pages of one kind, with the digest of the run that follows. */
typedef struct weft_xex_pages {
    uint32_t kind;  /* XEX_PAGE_* */
    uint32_t count; /* pages of page_size bytes */
    uint8_t next_digest[20];
} weft_xex_pages;

typedef struct weft_xex_tls {
    uint32_t slot_count;
    uint32_t data_address; /* guest address of the template, 0 if none */
    uint32_t data_size;    /* bytes each thread gets */
    uint32_t raw_size;     /* of which the template initialises so many; the rest is zero */
} weft_xex_tls;

typedef struct weft_xex_execution {
    uint32_t media_id;
    uint32_t version; /* 4 bits major, 4 minor, 16 build, 8 qfe */
    uint32_t base_version;
    uint32_t title_id;
    uint8_t platform;
    uint8_t executable_type;
    uint8_t disc_number;
    uint8_t disc_count;
    uint32_t savegame_id;
} weft_xex_execution;

typedef struct weft_xex_format {
    uint16_t encryption;         /* XEX_ENCRYPTION_* */
    uint16_t compression;        /* XEX_COMPRESSION_* */
    uint32_t window;             /* LZX only */
    uint32_t block_count;        /* basic only */
    const uint8_t *blocks;       /* basic: block_count pairs of big-endian words {data, zeros} */
    uint32_t first_size;         /* LZX: of the first block in the file */
    const uint8_t *first_digest; /* LZX: its SHA-1 */
} weft_xex_format;

typedef struct weft_xex_resource {
    char name[9];
    uint32_t address; /* in guest memory */
    uint32_t size;
} weft_xex_resource;

typedef struct weft_xex_static_library {
    char name[9];
    uint16_t version[3]; /* major, minor, build */
    uint8_t qfe;
    uint8_t approval;
} weft_xex_static_library;

/*
 * An open file. `data` is the caller's and must live until weft_xex_close; every pointer below is
 * valid until then. Read-only for the caller.
 */
typedef struct weft_xex {
    const uint8_t *data;
    size_t size;
    uint32_t module_flags;
    uint32_t header_size; /* where the image data begin in the file */
    uint32_t header_count;
    weft_xex_header *headers;
    weft_xex_security security;
    uint32_t page_size; /* 0x1000 or 0x10000, from the image flags */
    uint32_t page_run_count;
    weft_xex_pages *page_runs;
    uint32_t image_base; /* optional header IMAGE_BASE_ADDRESS, else the load address */
    weft_xex_format format;
    bool header_digest_ok;
    bool import_digest_ok; /* of all libraries; true if there is none */
} weft_xex;

/* Parses the headers of data[0..size). On success *out is to be given to weft_xex_close. */
int weft_xex_open(const uint8_t *data, size_t size, weft_xex **out, char *err);

/* Frees what open made; NULL is allowed. */
void weft_xex_close(weft_xex *xex);

/*
 * The bytes of an optional header as they stand in the file: 4 for a value, else the structure, its
 * size word included. WEFT_XEX_E_NOT_FOUND if the file has none.
 */
int weft_xex_header_raw(const weft_xex *xex, uint32_t key, const uint8_t **bytes, uint32_t *size);

/* A header whose value is the number itself; `absent` is returned where the file has none. */
uint32_t weft_xex_header_u32(const weft_xex *xex, uint32_t key, uint32_t absent);

/* The name of a known key ("ENTRY_POINT"), or NULL. Static. */
const char *weft_xex_header_name(uint32_t key);

/* Entry point in guest memory, 0 if the file has none (a resource-only DLL). */
uint32_t weft_xex_entry_point(const weft_xex *xex);

/* The following return 0, or WEFT_XEX_E_NOT_FOUND if the file has no such header. */
int weft_xex_tls_info(const weft_xex *xex, weft_xex_tls *out);
int weft_xex_execution_info(const weft_xex *xex, weft_xex_execution *out);
int weft_xex_checksum_timestamp(const weft_xex *xex, uint32_t *checksum, uint32_t *timestamp);
/* Copies the original PE name, cut to fit name_size, always terminated. */
int weft_xex_pe_name(const weft_xex *xex, char *name, size_t name_size);

/* Resource and static library number `index`; WEFT_XEX_E_NOT_FOUND past the last. */
int weft_xex_resource_at(const weft_xex *xex, uint32_t index, weft_xex_resource *out);
int weft_xex_static_library_at(const weft_xex *xex, uint32_t index, weft_xex_static_library *out);

/* The resource of that name (at most 8 characters, case counts). */
int weft_xex_resource_find(const weft_xex *xex, const char *name, weft_xex_resource *out);

/* Which console key opened the image. */
enum { WEFT_XEX_KEY_NONE = 0, WEFT_XEX_KEY_DEVKIT = 1, WEFT_XEX_KEY_RETAIL = 2 };

/* The decoded, flat PE image: byte i belongs at guest address base + i. */
typedef struct weft_xex_image {
    uint8_t *bytes; /* malloc'ed */
    uint32_t size;  /* security.image_size */
    uint32_t base;
    uint32_t key; /* WEFT_XEX_KEY_* */
    struct {
        uint32_t ok;
        uint32_t total;
    } pages,    /* page descriptors whose digest matches */
        blocks; /* LZX blocks whose digest matches */
} weft_xex_image;

/*
 * Decrypts and decompresses. An encrypted image is tried under the devkit and the retail key; the
 * one that decodes to a PE image wins, and the one with more matching page digests if both do.
 * Refused: delta patches (WEFT_XEX_E_UNSUPPORTED), an image that decodes under no key. On success
 * the caller ends with weft_xex_image_free.
 */
int weft_xex_decode(const weft_xex *xex, weft_xex_image *out, char *err);

/* Frees the bytes and clears the structure. */
void weft_xex_image_free(weft_xex_image *image);

/* Recomputes image->pages from the image's present bytes. */
void weft_xex_check_pages(const weft_xex *xex, weft_xex_image *image);

enum { WEFT_XEX_VARIABLE = 0, WEFT_XEX_FUNCTION = 1 };

typedef struct weft_xex_import {
    uint32_t ordinal;
    uint32_t kind;           /* WEFT_XEX_VARIABLE or WEFT_XEX_FUNCTION */
    uint32_t record_address; /* guest address of the word that receives a variable's address */
    uint32_t thunk_address;  /* guest address of the 16-byte thunk, 0 for a variable */
} weft_xex_import;

typedef struct weft_xex_library {
    const char *name; /* in the file, as long as the weft_xex lives */
    uint32_t id;
    uint32_t version;
    uint32_t version_min;
    uint32_t import_count;
    weft_xex_import *imports;
} weft_xex_library;

typedef struct weft_xex_import_list {
    uint32_t library_count;
    weft_xex_library *libraries;
} weft_xex_import_list;

/*
 * Reads the import libraries. The records are addresses into the image, whose words say type and
 * ordinal; so the image must be as decoded, not yet bound. A file without imports gives an empty
 * list. The caller ends with weft_xex_imports_free.
 */
int weft_xex_imports(const weft_xex *xex, const weft_xex_image *image, weft_xex_import_list *out,
                     char *err);
void weft_xex_imports_free(weft_xex_import_list *list);

typedef struct weft_xex_export {
    uint32_t ordinal;
    uint32_t address; /* guest address */
    const char *name; /* in the image, or NULL */
} weft_xex_export;

/*
 * Everything the image exports, in order of ordinals: from the export table of the security info,
 * from the directory of the EXPORTS_BY_NAME header, and from the PE export directory, the earlier
 * one winning where two give the same ordinal; names are taken from the latter two. *out is
 * malloc'ed, *count long, NULL if empty; the caller frees it.
 */
int weft_xex_exports(const weft_xex *xex, const weft_xex_image *image, weft_xex_export **out,
                     uint32_t *count, char *err);

/* Address of one export by ordinal in a list of weft_xex_exports, or 0. */
uint32_t weft_xex_export_find(const weft_xex_export *list, uint32_t count, uint32_t ordinal);

#endif
