/* The listing of a shader, in the syntax of docs/ucode.md.
 *
 * What a line cannot say is kept all the same: each instruction's text is assembled again, and where
 * the words differ they are written themselves (.alu, .fetch, .cf) with the text as a comment. So a
 * listing assembles to the words that it was made from. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ucode_text.h"

/* ---- text of one instruction ---- */

typedef struct text {
    char bytes[512];
    size_t length;
} text;

static void add(text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof t->bytes - t->length;
    int n = vsnprintf(t->bytes + t->length, room, format, arguments);
    va_end(arguments);
    t->length += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void add_predicate(text *t, uint32_t predicated, uint32_t condition)
{
    if (predicated) {
        add(t, condition ? "(p0) " : "(!p0) ");
    }
}

static void add_indexed(text *t, const char *name, uint32_t index, uint32_t relative)
{
    if (relative == XENOS_ADDRESS_ABSOLUTE) {
        add(t, "%s%u", name, index);
    } else {
        add(t, "%s[%u+%s]", name, index, relative == XENOS_ADDRESS_LOOP ? "aL" : "a0");
    }
}

static void add_source(text *t, const xenos_source *source)
{
    if (source->negate) {
        add(t, "-");
    }
    add_indexed(t, source->constant ? "c" : "r", source->index, source->relative);
    if (source->absolute) {
        add(t, "_abs");
    }
}

static void add_letter(text *t, uint32_t component)
{
    add(t, "%c", "xyzw"[component & 3]);
}

/* All four components; the last one is repeated by whoever reads. */
static void add_vector_source(text *t, const xenos_source *source)
{
    add_source(t, source);
    const uint8_t *s = source->swizzle;
    if (s[0] == 0 && s[1] == 1 && s[2] == 2 && s[3] == 3) {
        return;
    }
    uint32_t count = 4;
    while (count > 1 && s[count - 1] == s[count - 2]) {
        count--;
    }
    add(t, ".");
    for (uint32_t i = 0; i < count; i++) {
        add_letter(t, s[i]);
    }
}

static void add_register(text *t, uint32_t stage, uint32_t exports, uint32_t index,
                         uint32_t relative)
{
    uint32_t number;
    if (!exports) {
        add_indexed(t, "r", index, relative ? XENOS_ADDRESS_LOOP : XENOS_ADDRESS_ABSOLUTE);
        return;
    }
    const char *name = ucode_export_name(stage, index, &number);
    if (name == NULL) {
        add(t, "export%u", index); /* does not assemble: the words follow */
    } else if (number == UINT32_MAX) {
        add(t, "%s", name);
    } else {
        add(t, "%s%u", name, number);
    }
}

static void add_mask(text *t, uint32_t mask, uint32_t zero, uint32_t one)
{
    if (mask == 0xF) {
        return;
    }
    add(t, ".");
    if ((mask | zero | one) == 0) {
        add(t, "_");
    } else if (zero | one) {
        for (uint32_t i = 0; i < 4; i++) {
            add(t, "%c",
                mask >> i & 1   ? "xyzw"[i]
                : zero >> i & 1 ? '0'
                : one >> i & 1  ? '1'
                                : '_');
        }
    } else {
        for (uint32_t i = 0; i < 4; i++) {
            if (mask >> i & 1) {
                add_letter(t, i);
            }
        }
    }
}

static int same_source(const xenos_source *a, const xenos_source *b)
{
    return a->constant == b->constant && a->index == b->index && a->relative == b->relative &&
           a->absolute == b->absolute && a->negate == b->negate &&
           memcmp(a->swizzle, b->swizzle, sizeof a->swizzle) == 0;
}

static void add_vector(text *t, uint32_t stage, const xenos_alu *alu)
{
    const xenos_alu_info *info = xenos_vector_info(alu->vector_opcode);
    int twin = alu->vector_opcode == XENOS_V_MAX && same_source(&alu->source[0], &alu->source[1]);
    if (info->name == NULL) {
        add(t, "opcode_%u", alu->vector_opcode);
    } else {
        add(t, "%s", twin ? "mov" : info->name);
    }
    add(t, alu->vector_clamp ? "_sat " : " ");
    add_register(t, stage, alu->exports, alu->vector_dest, alu->vector_relative);
    add_mask(t, alu->vector_mask, alu->zero_mask, alu->one_mask);
    for (uint32_t i = 0; i < (twin ? 1u : info->operands); i++) {
        add(t, ", ");
        add_vector_source(t, &alu->source[i]);
    }
}

static const char *scalar_twin(uint32_t opcode)
{
    return opcode == XENOS_S_MAXS     ? "movs"
           : opcode == XENOS_S_MAXAS  ? "movas"
           : opcode == XENOS_S_MAXASF ? "movasf"
                                      : NULL;
}

static void add_scalar(text *t, uint32_t stage, const xenos_alu *alu)
{
    const xenos_alu_info *info = xenos_scalar_info(alu->scalar_opcode);
    const xenos_source *source = &alu->source[2];
    const char *twin = scalar_twin(alu->scalar_opcode);
    if (source->swizzle[0] != source->swizzle[3]) {
        twin = NULL;
    }
    if (info->name == NULL) {
        add(t, "opcode_%u", alu->scalar_opcode);
    } else {
        add(t, "%s", twin != NULL ? twin : info->name);
    }
    add(t, alu->scalar_clamp ? "_sat " : " ");
    add_register(t, stage, alu->exports, alu->exports ? alu->vector_dest : alu->scalar_dest,
                 alu->scalar_relative);
    add_mask(t, alu->scalar_mask, 0, 0);
    if (info->operands == 0) {
        return;
    }
    add(t, ", ");
    add_source(t, source);
    add(t, ".");
    add_letter(t, source->swizzle[3]);
    if (info->operands == 2 && twin == NULL) {
        add_letter(t, source->swizzle[0]);
    } else if (info->operands == 3) {
        add(t, ", ");
        add_source(t, &alu->scalar_temporary);
        add(t, ".");
        add_letter(t, alu->scalar_temporary.swizzle[0]);
    }
}

/* max r0, r0 without a destination: what stands beside a lone scalar operation. */
static int vector_idles(const xenos_alu *alu)
{
    static const xenos_source r0 = {.swizzle = {0, 1, 2, 3}};
    return alu->vector_opcode == XENOS_V_MAX && !alu->vector_clamp &&
           !(alu->vector_mask | alu->zero_mask | alu->one_mask) &&
           (alu->exports || (alu->vector_dest == 0 && !alu->vector_relative)) &&
           same_source(&alu->source[0], &r0) && same_source(&alu->source[1], &r0);
}

static int scalar_idles(const xenos_alu *alu)
{
    return alu->scalar_opcode == XENOS_S_RETAIN_PREV && !alu->scalar_clamp && !alu->scalar_mask &&
           alu->scalar_dest == 0 && !alu->scalar_relative;
}

/* One or two lines. */
static void alu_lines(uint32_t stage, const xenos_alu *alu, text lines[2], uint32_t *count)
{
    int vector = !vector_idles(alu), scalar = !scalar_idles(alu);
    *count = 0;
    if (!vector && !scalar && !alu->exports) {
        add_predicate(&lines[0], alu->predicated, alu->condition);
        add(&lines[0], "nop");
        *count = 1;
        return;
    }
    if (vector || !scalar) {
        add_predicate(&lines[0], alu->predicated, alu->condition);
        add_vector(&lines[0], stage, alu);
        *count = 1;
    }
    if (scalar) {
        add_predicate(&lines[*count], alu->predicated, alu->condition);
        add_scalar(&lines[*count], stage, alu);
        ++*count;
    }
}

/* ---- fetches ---- */

static void add_fraction(text *t, int32_t value, uint32_t unit)
{
    uint32_t size = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    uint32_t rest = size % unit * (10000 / unit);
    add(t, "%s%u", value < 0 ? "-" : "", size / unit);
    if (rest != 0) {
        char digits[12];
        snprintf(digits, sizeof digits, "%04u", rest);
        for (size_t n = strlen(digits); n > 0 && digits[n - 1] == '0'; n--) {
            digits[n - 1] = '\0';
        }
        add(t, ".%s", digits);
    }
}

static void add_attributes(text *t, const uint32_t words[3], uint32_t kind)
{
    for (uint32_t i = 0; i < ucode_attribute_count; i++) {
        const ucode_attribute *a = &ucode_attributes[i];
        uint32_t field = words[a->word] >> a->low & ((1u << a->width) - 1u);
        if (!(a->fetches & kind) || field == a->preset) {
            continue;
        }
        add(t, ", %s=", a->name);
        if (a->kind == UCODE_BOOL) {
            add(t, field ? "true" : "false");
        } else if (a->kind == UCODE_NAMES && a->names[field] != NULL) {
            add(t, "%s", a->names[field]);
        } else {
            int32_t value = (int32_t)field;
            if (a->is_signed && field >> (a->width - 1)) {
                value -= 1 << a->width;
            }
            add_fraction(t, value + a->bias, a->unit);
        }
    }
}

static void fetch_line(const uint32_t words[3], int vertex_cache, text *t)
{
    xenos_fetch f;
    xenos_fetch_decode(words, &f);
    uint32_t kind = ucode_fetch_kind(f.opcode, f.mini);
    const char *name = xenos_fetch_name(f.opcode);
    add_predicate(t, f.predicated, f.condition);
    if (name == NULL) {
        add(t, "fetch_opcode_%u", f.opcode);
        return;
    }
    text attributes = {.length = 0};
    add_attributes(&attributes, words, kind);
    if (kind & UCODE_VERTEX) { /* a full fetch without format: not bound to a declaration yet */
        name = f.mini ? "vfetch_mini" : attributes.length > 0 ? "vfetch_full" : "vfetch";
    }
    add(t, "%s%s ", name, kind == UCODE_SAMPLE ? ucode_dimensions[f.dimension] : "");
    if (ucode_fetch_has_dest(f.opcode)) {
        add_indexed(t, "r", f.dest, f.dest_relative ? XENOS_ADDRESS_LOOP : 0);
        const uint8_t *s = f.dest_swizzle;
        if (s[0] != 0 || s[1] != 1 || s[2] != 2 || s[3] != 3) {
            add(t, ".");
            for (uint32_t i = 0; i < 4; i++) {
                add(t, "%c", "xyzw01?_"[s[i]]);
            }
        }
    }
    if (kind != UCODE_MINI) {
        add(t, ucode_fetch_has_dest(f.opcode) ? ", " : "");
        add_indexed(t, "r", f.source, f.source_relative ? XENOS_ADDRESS_LOOP : 0);
        add(t, ".");
        for (uint32_t i = 0; i < ucode_fetch_components(f.opcode, f.dimension); i++) {
            add_letter(t, f.source_swizzle[i]);
        }
        if (kind == UCODE_FULL) {
            add(t, ", vf%u", 95u - f.constant);
        } else if (ucode_fetch_has_dest(f.opcode)) {
            add(t, ", tf%u", f.constant);
        }
    }
    add(t, "%s", attributes.bytes);
    if ((kind & UCODE_VERTEX) && !vertex_cache) {
        add(t, ", UseTextureCache=true");
    }
}

/* ---- the listing ---- */

typedef struct listing {
    const xenos_program *program;
    FILE *out;
    ucode_context context;
    uint32_t cf_count; /* whole pairs */
    uint8_t *labels;   /* for each control-flow instruction and the end */
    uint32_t cursor;   /* triple that the next exec starts at, if the order is as usual */
    int in_order;
} listing;

static void print_instruction(listing *l, uint32_t address, uint32_t sequence, int vertex_cache)
{
    const uint32_t *words = l->program->code + 3 * (size_t)address;
    text lines[2] = {{.length = 0}, {.length = 0}};
    uint32_t count = 1;
    int fetch = sequence & 1;
    const char *margin = l->in_order ? "" : "// ";
    if (fetch) {
        fetch_line(words, vertex_cache, &lines[0]);
    } else {
        xenos_alu alu;
        xenos_alu_decode(words, &alu);
        alu_lines(l->program->stage, &alu, lines, &count);
    }
    char joined[1100], error[256] = "";
    snprintf(joined, sizeof joined, "%s%s%s", lines[0].bytes, count > 1 ? "\n+ " : "",
             count > 1 ? lines[1].bytes : "");
    ucode_cursor c = {joined, joined + strlen(joined), 1, error};
    ucode_context context = l->context;
    ucode_line again;
    int same = ucode_read_instruction(&c, &context, &again) && again.fetch == fetch &&
               again.vertex_cache == vertex_cache &&
               memcmp(again.words, words, sizeof again.words) == 0;
    if (fetch && ucode_is_full_fetch(words)) {
        memcpy(l->context.full, words, sizeof l->context.full);
    }
    if (sequence & 2) {
        fprintf(l->out, "                    %sserialize\n", margin);
    }
    fprintf(l->out, "/* %4u   */         %s", address, margin);
    if (same) {
        fprintf(l->out, "%s\n", lines[0].bytes);
        if (count > 1) {
            fprintf(l->out, "                  %s+ %s\n", margin, lines[1].bytes);
        }
        return;
    }
    int vertex = fetch && ucode_is_vertex_fetch(words);
    fprintf(l->out, ".%s 0x%08x, 0x%08x, 0x%08x%s // %s%s%s\n", fetch ? "fetch" : "alu", words[0],
            words[1], words[2], vertex && !vertex_cache ? ", UseTextureCache=true" : "",
            lines[0].bytes, count > 1 ? " + " : "", count > 1 ? lines[1].bytes : "");
}

/* The line without what only its instructions tell. */
static void cf_text(const listing *l, const xenos_cf *cf, text *t)
{
    const char *name = xenos_cf_name(cf->opcode);
    switch (cf->opcode) {
    case XENOS_CF_NOP:
    case XENOS_CF_MARK_VS_FETCH_DONE:
    case XENOS_CF_RETURN:
        add(t, "%s", name);
        break;
    case XENOS_CF_LOOP_START:
        add(t, "loop i%u, L%u%s", cf->loop, cf->address, cf->repeat ? ", Repeat=true" : "");
        break;
    case XENOS_CF_LOOP_END:
        add_predicate(t, cf->predicated, cf->condition);
        add(t, "endloop i%u, L%u", cf->loop, cf->address);
        break;
    case XENOS_CF_COND_CALL:
    case XENOS_CF_COND_JMP:
        if (cf->unconditional) {
            add(t, "%s L%u", name + 1, cf->address);
        } else if (cf->predicated) {
            add_predicate(t, 1, cf->condition);
            add(t, "%s L%u", name + 1, cf->address);
        } else {
            add(t, "%s %sb%u, L%u", name, cf->condition ? "" : "!", cf->boolean, cf->address);
        }
        add(t, cf->backward ? ", ForwardOnly=true" : "");
        break;
    case XENOS_CF_ALLOC:
        if (cf->alloc == XENOS_ALLOC_MEMORY) {
            add(t, "alloc export=%u", cf->alloc_size);
        } else {
            static const char *const kinds[2][3] = {{"none", "position", "interpolators"},
                                                    {"none", "position", "colors"}};
            add(t, "alloc %s", kinds[l->program->stage == XENOS_STAGE_PIXEL][cf->alloc]);
            if (cf->alloc_size) {
                add(t, "=%u", cf->alloc_size);
            }
        }
        add(t, cf->unserialized ? ", DoNotSerialize=true" : "");
        break;
    default:
        if (cf->opcode == XENOS_CF_COND_EXEC_PRED || cf->opcode == XENOS_CF_COND_EXEC_PRED_END) {
            add_predicate(t, 1, cf->condition);
        }
        add(t, "%s", name);
        if (ucode_asks_bool(cf->opcode)) {
            add(t, " %sb%u", cf->condition ? "" : "!", cf->boolean);
        }
        break;
    }
    if (cf->absolute) {
        add(t, ", Addressing=true");
    }
}

/* Bits that the text of an instruction with these fields stands for. */
static void cf_bits(const xenos_cf *cf, uint32_t *low, uint32_t *high)
{
    *low = 0;
    *high = (uint32_t)cf->opcode << 12 | (uint32_t)cf->absolute << 11;
    switch (cf->opcode) {
    case XENOS_CF_NOP:
    case XENOS_CF_MARK_VS_FETCH_DONE:
    case XENOS_CF_RETURN:
        break;
    case XENOS_CF_LOOP_START:
        *low = cf->address | (uint32_t)cf->repeat << 13 | (uint32_t)cf->loop << 16;
        break;
    case XENOS_CF_LOOP_END:
        *low = cf->address | (uint32_t)cf->loop << 16 | (uint32_t)cf->predicated << 21;
        *high |= cf->predicated ? (uint32_t)cf->condition << 10 : 0;
        break;
    case XENOS_CF_COND_CALL:
    case XENOS_CF_COND_JMP:
        *low = cf->address | (uint32_t)cf->unconditional << 13;
        *high |= (uint32_t)cf->backward << 1;
        if (!cf->unconditional) {
            *low |= (uint32_t)cf->predicated << 14;
            *high |= (uint32_t)cf->condition << 10;
            *high |= cf->predicated ? 0 : (uint32_t)cf->boolean << 2;
        }
        break;
    case XENOS_CF_ALLOC:
        *low = cf->alloc_size;
        *high |= (uint32_t)cf->unserialized << 8 | (uint32_t)cf->alloc << 9;
        break;
    default:
        *low = cf->address | (uint32_t)cf->count << 12 | (uint32_t)cf->yield << 15 |
               (uint32_t)cf->sequence << 16 | (uint32_t)cf->vertex_cache << 28;
        *high |= cf->vertex_cache >> 4;
        if (ucode_asks_bool(cf->opcode)) {
            *high |= (uint32_t)cf->boolean << 2 | (uint32_t)cf->condition << 10;
        } else {
            *high |= (uint32_t)cf->clean << 9;
            if (cf->opcode >= XENOS_CF_COND_EXEC_PRED) {
                *high |= (uint32_t)cf->condition << 10;
            }
        }
        break;
    }
}

/* What an exec's line cannot say: instructions that are not there, bits for more than it has. */
static int exec_is_plain(const xenos_program *p, const xenos_cf *cf)
{
    uint32_t used = cf->count < 6 ? cf->count : 6, sequence = (1u << 2 * used) - 1u;
    uint32_t fetches = 0, triples = p->dwords / 3;
    if (cf->count > 6 || cf->address + cf->count > triples || (cf->sequence & ~sequence)) {
        return 0;
    }
    for (uint32_t i = 0; i < used; i++) {
        const uint32_t *words = p->code + 3 * (size_t)(cf->address + i);
        if ((cf->sequence >> 2 * i & 1) && ucode_is_vertex_fetch(words)) {
            fetches |= 1u << i;
        }
    }
    return !(cf->vertex_cache & ~fetches);
}

static void print_exec(listing *l, uint32_t index, const xenos_cf *cf, text *t, int plain,
                       uint32_t low, uint32_t high)
{
    const xenos_program *p = l->program;
    uint32_t triples = p->dwords / 3, count = cf->count;
    if (cf->address >= triples) {
        count = 0;
    } else if (cf->address + count > triples) {
        count = triples - cf->address;
    }
    int sets = 0, elsewhere = 0;
    for (uint32_t i = 0; i < count; i++) { /* whether the exec is clean stands on its own line */
        if (!(cf->sequence >> 2 * i & 1)) {
            sets |= ucode_sets_predicate(p->code + 3 * (size_t)(cf->address + i));
        }
    }
    if (cf->count == 0) {
        elsewhere = cf->address != l->cursor;
    } else if (!plain || cf->address != l->cursor) {
        l->in_order = 0;
    }
    const char *separator = ucode_asks_bool(cf->opcode) ? "," : "";
    if (cf->yield) {
        add(t, "%s Yield=true", separator);
        separator = ",";
    }
    if (elsewhere) {
        add(t, "%s Address=%u", separator, cf->address);
        separator = ",";
    }
    if (cf->clean == sets) {
        add(t, "%s PredicateClean=%s", separator, cf->clean ? "true" : "false");
    }
    fprintf(l->out, "/* %4u.%u */     ", index / 2, index % 2);
    if (plain && l->in_order) {
        fprintf(l->out, "%s%s\n", t->bytes, cf->clean ? "" : "    // PredicateClean=false");
        l->cursor += cf->count;
    } else {
        fprintf(l->out, ".cf 0x%04x, 0x%08x // %s\n", high, low, t->bytes);
    }
    for (uint32_t i = 0; i < count; i++) {
        print_instruction(l, cf->address + i, (uint32_t)cf->sequence >> 2 * i & 3,
                          cf->vertex_cache >> i & 1);
    }
}

static void print_cf(listing *l, uint32_t index)
{
    const uint32_t *words = l->program->code + 3 * (size_t)(index / 2);
    xenos_cf pair[2];
    xenos_cf_decode(words, pair);
    const xenos_cf *cf = &pair[index % 2];
    uint32_t low = index % 2 ? words[1] >> 16 | words[2] << 16 : words[0];
    uint32_t high = index % 2 ? words[2] >> 16 : words[1] & 0xFFFF;
    uint32_t low_again, high_again;
    text t = {.length = 0};
    cf_bits(cf, &low_again, &high_again);
    cf_text(l, cf, &t);
    int plain = low == low_again && high == high_again;
    if (ucode_is_exec(cf->opcode)) {
        plain = plain && exec_is_plain(l->program, cf);
        print_exec(l, index, cf, &t, plain, low, high);
        return;
    }
    int jumps = cf->opcode >= XENOS_CF_LOOP_START && cf->opcode <= XENOS_CF_COND_JMP &&
                cf->opcode != XENOS_CF_RETURN;
    if (jumps && cf->address > l->cf_count) {
        plain = 0; /* no label can stand there */
    }
    fprintf(l->out, "/* %4u.%u */     ", index / 2, index % 2);
    if (plain) {
        fprintf(l->out, "%s\n", t.bytes);
    } else {
        fprintf(l->out, ".cf 0x%04x, 0x%08x // %s\n", high, low, t.bytes);
    }
}

static void find_labels(listing *l)
{
    for (uint32_t i = 0; i < l->cf_count; i++) {
        xenos_cf pair[2];
        xenos_cf_decode(l->program->code + 3 * (size_t)(i / 2), pair);
        const xenos_cf *cf = &pair[i % 2];
        if (cf->opcode >= XENOS_CF_LOOP_START && cf->opcode <= XENOS_CF_COND_JMP &&
            cf->opcode != XENOS_CF_RETURN && cf->address <= l->cf_count) {
            l->labels[cf->address] = 1;
        }
    }
}

static void print_label(listing *l, uint32_t index)
{
    if (l->labels[index]) {
        fprintf(l->out, "                label L%u\n", index);
    }
}

void xenos_disassemble(const xenos_program *program, FILE *out)
{
    listing l = {
        .program = program,
        .out = out,
        .context = {.stage = program->stage},
        .cf_count = program->cf_count + (program->cf_count & 1),
        .in_order = 1,
    };
    uint32_t triples = program->dwords / 3;
    l.cursor = l.cf_count / 2;
    l.labels = calloc(l.cf_count + 1, 1);
    if (l.labels == NULL) {
        fputs("// no memory for a listing\n", out);
        return;
    }
    find_labels(&l);
    fputs(program->stage == XENOS_STAGE_PIXEL ? "xps_3_0\n\n" : "xvs_3_0\n\n", out);
    uint32_t count = l.cf_count;
    if (count > 0 && !l.labels[count] && !l.labels[count - 1]) {
        const uint32_t *last = program->code + 3 * (size_t)(count / 2 - 1);
        count -= last[1] >> 16 == 0 && last[2] == 0; /* a cnop that only fills the pair */
    }
    for (uint32_t i = 0; i < count; i++) {
        print_label(&l, i);
        print_cf(&l, i);
    }
    if (count == l.cf_count) {
        print_label(&l, count);
    }
    const uint32_t *rest = program->code + 3 * (size_t)l.cursor;
    if (l.cursor >= triples) {
        fputs("                .data\n", out);
    } else if (triples - l.cursor != 1 || (rest[0] | rest[1] | rest[2]) != 0) {
        for (uint32_t i = l.cursor; i < triples; i++, rest += 3) {
            fprintf(out, "                .data 0x%08x, 0x%08x, 0x%08x\n", rest[0], rest[1],
                    rest[2]);
        }
    }
    free(l.labels);
}
