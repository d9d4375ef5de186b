/* The linked 32-bit probe as the content of a 64-bit program, which is what qemu-ppc64 starts; by
 * the second ABI's rules, because there the entry is code and not a descriptor. It runs in 64-bit
 * mode; all its addresses have bit 31 clear, so nothing in it can tell. */
    .abiversion 2
    .section .blob,"awx",@progbits
    .globl _start
_start:
    .incbin "probe.bin"
    .section .note.GNU-stack,"",@progbits
