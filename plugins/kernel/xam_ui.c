/* System dialogues without a screen: a message box is answered with its focused button, as by a
 * user who presses A; a keyboard keeps its default text. The answer comes a user's time later. */
#include <stdio.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define BUTTONS_MAX          3 /* XMB_MAXBUTTONS */
#define RESULT_SIZE          8 /* MESSAGEBOX_RESULT: the button, or four pass code words */
#define FLAG_PASSCODE        UINT32_C(0x00010000) /* XMB_PASSCODEMODE: asks for a code, no buttons */
#define FLAG_VERIFY_PASSCODE UINT32_C(0x00020000)

static void box_answered(kernel *k, kxam_request *r)
{
    uint8_t *p = kxam_memory(k, r->data[0], RESULT_SIZE, WEFT_PAGE_WRITE);
    r->result = r->extended = p ? r->data[2] : X_ERROR_INVALID_PARAMETER;
    if (p) {
        memset(p, 0, RESULT_SIZE);
        weft_store32(p, r->data[1]);
        kwritten(k, r->data[0], RESULT_SIZE);
    }
}

static void log_box(kcall *call, uint32_t count, uint32_t buttons, uint32_t chosen)
{
    char title[64], text[400], button[48] = "none", line[560];
    kxam_text(call, karg(call, 1), title, sizeof title);
    kxam_text(call, karg(call, 2), text, sizeof text);
    if (chosen < count) {
        kxam_text(call, kget32(call, buttons + 4 * chosen), button, sizeof button);
    }
    snprintf(line, sizeof line, "message box \"%s\": %s (answered with button %u, \"%s\")", title,
             text, chosen, button);
    call->k->host->log(call->k->host, WEFT_LOG_INFO, line);
}

static uint32_t show_box(kcall *call, uint32_t result_out, uint32_t overlapped)
{
    uint32_t count = karg(call, 3), buttons = karg(call, 4), focus = karg(call, 5);
    bool code = (karg(call, 6) & (FLAG_PASSCODE | FLAG_VERIFY_PASSCODE)) != 0;
    if (!karg(call, 2) || !result_out || (!code && (count == 0 || !buttons)) ||
        count > BUTTONS_MAX) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    if (!kwrite(call, result_out, RESULT_SIZE)) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    uint32_t chosen = focus < count ? focus : 0;
    log_box(call, count, buttons, chosen);
    return kxam_begin_ui(call, overlapped,
                         &(kxam_request){
                             .fn = box_answered,
                             .data = {result_out, chosen, code ? X_ERROR_CANCELLED : 0},
                         });
}

uint32_t ex_XamShowMessageBoxUI(kcall *call)
{
    return show_box(call, karg(call, 7), karg(call, 8));
}

/* One more argument before the result, which titles set to 0 or 1. */
uint32_t ex_XamShowMessageBoxUIEx(kcall *call)
{
    return show_box(call, karg(call, 8), karg(call, 9));
}

static void keyboard_answered(kernel *k, kxam_request *r)
{
    uint32_t source = r->data[0], target = r->data[1], capacity = r->data[2];
    uint8_t *out = kxam_memory(k, target, 2 * capacity, WEFT_PAGE_WRITE);
    r->result = r->extended = out ? X_ERROR_SUCCESS : X_ERROR_INVALID_PARAMETER;
    if (!out) {
        return;
    }
    uint16_t c = 1;
    for (uint32_t i = 0; i < capacity; i++) {
        const uint8_t *in =
            c ? kxam_memory(k, source ? source + 2 * i : 0, 2, WEFT_PAGE_READ) : NULL;
        c = in && i + 1 < capacity ? weft_load16(in) : 0;
        weft_store16(out + 2 * i, c);
    }
    kwritten(k, target, 2 * capacity);
}

/* (user, flags, default text, title, description, buffer, its characters, overlapped) */
uint32_t ex_XamShowKeyboardUI(kcall *call)
{
    uint32_t buffer = karg(call, 5), capacity = karg(call, 6);
    if (!buffer || capacity == 0 || capacity > 0x10000) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    if (!kwrite(call, buffer, 2 * capacity)) {
        return kret(call, X_ERROR_INVALID_PARAMETER);
    }
    char text[96], line[160];
    kxam_text(call, karg(call, 3), text, sizeof text);
    snprintf(line, sizeof line, "keyboard \"%s\": answered with its default text", text);
    call->k->host->log(call->k->host, WEFT_LOG_INFO, line);
    return kxam_begin_ui(call, karg(call, 7),
                         &(kxam_request){
                             .fn = keyboard_answered,
                             .data = {karg(call, 2), buffer, capacity},
                         });
}

uint32_t ex_XamIsUIActive(kcall *call)
{
    return kret(call, call->k->xam.ui_active > 0);
}
