/*
 * Where things lie in an XEX2 file, its PE image and its export table. One place for each number:
 * the reader (xex*.c, pe.c) and the writer (sdk/guest/mkxex) both take them from here.
 *
 * Sources: xenia src/xenia/kernel/util/xex2_info.h (fields, keys, flags) and
 * src/xenia/cpu/xex_module.cc (keys, block chain); Free60Project/wiki "XEX". The three digests were
 * confirmed against a public XDK sample, where all of them match as they are described here.
 * XEX fields are big-endian; PE fields are little-endian although the code is big-endian.
 */
#ifndef WEFT_XEX_LAYOUT_H
#define WEFT_XEX_LAYOUT_H

#define XEX_MAGIC 0x58455832u /* "XEX2" */
#define XEX_MAX_IMAGE                                                                              \
    (256u << 20)               /* our limit: half of the console's memory, more than any title */
#define XEX_DIGEST     20u     /* SHA-1 */
#define XEX_FRAME_SIZE 0x8000u /* uncompressed bytes of one LZX chunk */

/* File header. */
#define XEX_OFF_MAGIC        0x00
#define XEX_OFF_MODULE_FLAGS 0x04
#define XEX_OFF_HEADER_SIZE  0x08 /* also the file offset of the image data */
#define XEX_OFF_SECURITY     0x10
#define XEX_OFF_HEADER_COUNT 0x14
#define XEX_OFF_HEADERS      0x18 /* {key, value or offset} each */
#define XEX_HEADER_ENTRY     8u

/* Module flags. */
#define XEX_MODULE_TITLE      0x01u
#define XEX_MODULE_EXPORTS    0x02u
#define XEX_MODULE_DLL        0x08u
#define XEX_MODULE_PATCH_MASK 0x70u /* module patch, full patch, delta patch */

/*
 * Optional header keys. The low byte says what the second word is: 0 or 1 the value itself, 0xFF an
 * offset to a structure that begins with its size, n an offset to n words.
 */
#define XEX_KEY_RESOURCES     0x000002FFu
#define XEX_KEY_FILE_FORMAT   0x000003FFu
#define XEX_KEY_DELTA_PATCH   0x000005FFu
#define XEX_KEY_ORIGINAL_BASE 0x00010001u
#define XEX_KEY_ENTRY_POINT   0x00010100u
#define XEX_KEY_IMAGE_BASE    0x00010201u
#define XEX_KEY_IMPORTS       0x000103FFu
#define XEX_KEY_CHECKSUM_TIME 0x00018002u
#define XEX_KEY_PE_NAME       0x000183FFu
#define XEX_KEY_STATIC_LIBS   0x000200FFu
#define XEX_KEY_TLS           0x00020104u
#define XEX_KEY_STACK_SIZE    0x00020200u
#define XEX_KEY_HEAP_SIZE     0x00020401u
#define XEX_KEY_SYSTEM_FLAGS  0x00030000u
#define XEX_KEY_EXECUTION     0x00040006u
#define XEX_KEY_GAME_RATINGS  0x00040310u
#define XEX_KEY_LAN_KEY       0x00040404u
#define XEX_KEY_EXPORTS_NAMED 0x00E10402u

/* Security info, from its own start. */
#define XEX_SEC_SIZE         0x000 /* 0x184 + 24 per page descriptor */
#define XEX_SEC_IMAGE_SIZE   0x004
#define XEX_SEC_SIGNATURE    0x008 /* 256 bytes, RSA over the image info that follows */
#define XEX_SEC_INFO_SIZE    0x108 /* 0x174 */
#define XEX_SEC_IMAGE_FLAGS  0x10C
#define XEX_SEC_LOAD_ADDRESS 0x110
#define XEX_SEC_PAGE_DIGEST  0x114 /* of the first page descriptor's pages and the descriptor */
#define XEX_SEC_IMPORT_COUNT 0x128
#define XEX_SEC_IMPORT_DIGEST                                                                      \
    0x12C /* of the first import library record, without its size word                             \
           */
#define XEX_SEC_MEDIA_ID     0x140
#define XEX_SEC_FILE_KEY     0x150 /* the image's AES key, encrypted under the console key */
#define XEX_SEC_EXPORT_TABLE 0x160 /* address of the export table by ordinal, or 0 */
#define XEX_SEC_HEADER_DIGEST                                                                      \
    0x164 /* headers from XEX_SEC_MEDIA on, then those up to the signature */
#define XEX_SEC_REGION     0x178
#define XEX_SEC_MEDIA      0x17C
#define XEX_SEC_PAGE_COUNT 0x180
#define XEX_SEC_PAGES      0x184
#define XEX_PAGE_ENTRY     24u /* word (pages << 4 | kind), then the digest for the next entry */

#define XEX_IMAGE_PAGE_4K 0x10000000u /* image flag; else pages are of 64 KiB */

/* Kinds of page, the low four bits of a page descriptor. */
#define XEX_PAGE_CODE     1u
#define XEX_PAGE_DATA     2u
#define XEX_PAGE_READONLY 3u

/* File format info. */
#define XEX_FMT_ENCRYPTION    0x04 /* u16 */
#define XEX_FMT_COMPRESSION   0x06 /* u16 */
#define XEX_FMT_BLOCKS        0x08 /* basic: {data bytes, zero bytes} each */
#define XEX_FMT_WINDOW        0x08 /* normal: LZX window size in bytes */
#define XEX_FMT_FIRST_BLOCK   0x0C /* normal: size and SHA-1 of the first block */
#define XEX_BLOCK_HEADER      24u  /* size and SHA-1 of the next block */
#define XEX_ENCRYPTION_NONE   0u
#define XEX_ENCRYPTION_AES    1u
#define XEX_COMPRESSION_NONE  0u
#define XEX_COMPRESSION_BASIC 1u
#define XEX_COMPRESSION_LZX   2u
#define XEX_COMPRESSION_DELTA 3u

/* Import libraries: {size, string bytes, string count, strings}, then one record per library. */
#define XEX_IMPORTS_STRING_SIZE  0x04
#define XEX_IMPORTS_STRING_COUNT 0x08
#define XEX_IMPORTS_STRINGS      0x0C
#define XEX_LIB_SIZE             0x00
#define XEX_LIB_NEXT_DIGEST      0x04 /* SHA-1 of the next record, without its size word */
#define XEX_LIB_ID               0x18
#define XEX_LIB_VERSION          0x1C
#define XEX_LIB_VERSION_MIN      0x20
#define XEX_LIB_NAME             0x24 /* u16, index of the name; the low byte counts */
#define XEX_LIB_COUNT            0x26 /* u16, number of record addresses */
#define XEX_LIB_RECORDS          0x28

/* The word at a record address: type << 24 | library << 16 | ordinal. */
#define XEX_RECORD_VARIABLE 0u
#define XEX_RECORD_THUNK    1u
/* A thunk before it is bound: the word above with types 1 and 2, then these two. */
#define XEX_THUNK_MTCTR_R11 0x7D6903A6u
#define XEX_THUNK_BCTR      0x4E800420u
#define XEX_THUNK_SIZE      16u

/* Export table by ordinal, in the image. */
#define XEX_EXPORT_MAGIC_0 0x48000000u
#define XEX_EXPORT_MAGIC_1 0x00485645u /* "HVE" */
#define XEX_EXPORT_MAGIC_2 0x48000000u
#define XEX_EXPORT_BASE_16 0x20 /* image base >> 16 */
#define XEX_EXPORT_COUNT   0x24
#define XEX_EXPORT_ORDINAL 0x28 /* ordinal of the first entry */
#define XEX_EXPORT_ENTRIES 0x2C /* offsets from the image base; 0 is a hole */

/* PE: Microsoft's PE/COFF specification, with the console's machine and subsystem. */
#define PE_DOS_MAGIC         0x5A4Du /* "MZ" */
#define PE_DOS_LFANEW        0x3C
#define PE_MAGIC             0x00004550u /* "PE\0\0" */
#define PE_MACHINE_POWERPCBE 0x01F2u
#define PE_FILE_HEADER       4u  /* from the magic */
#define PE_OPTIONAL_HEADER   24u /* from the magic */
#define PE_OPTIONAL_SIZE     0xE0u
#define PE_OPTIONAL_MAGIC    0x010Bu
#define PE_SUBSYSTEM_XBOX    14u
#define PE_DIRECTORY_COUNT   16u
#define PE_SECTION_ENTRY     40u
#define PE_SECTION_MAX       96u
#define PE_DIR_EXPORT        0u
#define PE_DIR_EXCEPTION     3u
#define PE_SCN_CODE          0x00000020u
#define PE_SCN_DATA          0x00000040u
#define PE_SCN_BSS           0x00000080u
#define PE_SCN_EXECUTE       0x20000000u
#define PE_SCN_READ          0x40000000u
#define PE_SCN_WRITE         0x80000000u

#endif
