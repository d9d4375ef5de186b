/* Assembles one instruction: an ALU pair, a fetch, or words as they are. */
#include <string.h>

#include "ucode_operand.h"

/* ".alu W, W, W" and ".fetch W, W, W" */
static int read_raw(ucode_cursor *c, ucode_line *out)
{
    char word[32];
    if (!ucode_word(c, word, "alu or fetch")) {
        return 0;
    }
    out->fetch = strcmp(word, "fetch") == 0;
    if (!out->fetch && strcmp(word, "alu") != 0) {
        return ucode_fail_found(c, "no such directive", word, "alu or fetch");
    }
    for (int i = 0; i < 3; i++) {
        if ((i > 0 && !ucode_comma(c)) ||
            !ucode_number(c, UINT32_MAX, &out->words[i], "a word is wrong")) {
            return 0;
        }
    }
    if (out->fetch) {
        uint32_t no_cache = 0;
        out->vertex_cache = (uint8_t)ucode_is_vertex_fetch(out->words);
        if (ucode_take(c, ',')) {
            if (!ucode_word(c, word, "UseTextureCache") || !ucode_same(word, "UseTextureCache") ||
                !ucode_take(c, '=') || !ucode_bool(c, &no_cache)) {
                return ucode_fail(c, "an attribute is wrong", "UseTextureCache=true");
            }
            out->vertex_cache = !no_cache;
        }
    } else {
        out->sets_predicate = (uint8_t)ucode_sets_predicate(out->words);
    }
    return 1;
}

int ucode_read_instruction(ucode_cursor *c, ucode_context *context, ucode_line *out)
{
    memset(out, 0, sizeof *out);
    int ok;
    if (ucode_take(c, '.')) {
        ok = read_raw(c, out);
    } else {
        uint32_t condition = 0;
        int predicated = ucode_predicate(c, &condition);
        char word[32];
        ucode_fetch_name name;
        if (c->error[0] != '\0' || !ucode_word(c, word, "an instruction")) {
            return 0;
        }
        ok = ucode_find_fetch(word, &name)
                 ? ucode_read_fetch(c, &name, predicated, condition, context, out)
                 : ucode_read_alu(c, word, context->stage, predicated, condition, out);
    }
    if (ok && !ucode_line_end(c)) {
        return ucode_fail(c, "an instruction goes on", "the end of the line");
    }
    if (ok && out->fetch && ucode_is_full_fetch(out->words)) {
        memcpy(context->full, out->words, sizeof out->words);
    }
    return ok;
}
