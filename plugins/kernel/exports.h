/* Prototypes of every export's function, made of the same rows as the table. */
#ifndef WEFT_KERNEL_EXPORTS_H
#define WEFT_KERNEL_EXPORTS_H

#include "kernel.h"

#define EXPORT_DECLARE_FULL(name)    uint32_t ex_##name(kcall *call);
#define EXPORT_DECLARE_PARTIAL(name) uint32_t ex_##name(kcall *call);
#define EXPORT_DECLARE_MISSING(name)
#define EXPORT_DECLARE_VARIABLE(name)
#define EXPORT(module, ordinal, name, signature, status, remark) EXPORT_DECLARE_##status(name)
#include "exports.def"
#undef EXPORT
#undef EXPORT_DECLARE_FULL
#undef EXPORT_DECLARE_PARTIAL
#undef EXPORT_DECLARE_MISSING
#undef EXPORT_DECLARE_VARIABLE

#endif
