/* clang-format off */
/* Imports by ordinal from another module: the thunk that the loader replaces by a branch, the cell
 * that it fills with the export's address, and the record that mkxex reads (elf_image.h). Both sides
 * are made by one compiler, so that no convention has to be converted. */
    .macro import_record kind ordinal cell thunk library
    .section .weft.imports,"",@progbits
    .long \kind, \ordinal, \cell, \thunk
9:  .asciz "\library"
    .zero 16 - (. - 9b)
    .endm

    .macro import_function name ordinal library
    .section .text
    .balign 16
    .globl \name
    .type \name,@function
\name:
    .long 0x01000000 | \ordinal, 0x02000000 | \ordinal, 0x7D6903A6, 0x4E800420
    .size \name,.-\name
    .section .rodata
    .balign 4
    .globl __imp_\name
__imp_\name:
    .long \ordinal
    import_record 1 \ordinal __imp_\name \name \library
    .endm

    .macro import_variable name ordinal library
    .section .rodata
    .balign 4
    .globl __imp_\name
__imp_\name:
    .long \ordinal
    import_record 0 \ordinal __imp_\name 0 \library
    .endm

    .section .note.GNU-stack,"",@progbits
