/* frontend.c: the frontend's contract (weft/frontend.h). */
#include "checked.h"

static weft_status open_window(void *self, const char *title)
{
    checked *c = self;
    checked_thread(c, "open", WEFT_THREAD_MAIN);
    weft_status status = c->ops.frontend.open(c->instance, title);
    c->opened = status == WEFT_OK;
    return status;
}

static int32_t pump(void *self, uint32_t milliseconds)
{
    checked *c = self;
    checked_thread(c, "pump", WEFT_THREAD_MAIN);
    CHECK(c, "pump", c->opened, "called too early (found no open, expected one before)");
    int32_t answer = c->ops.frontend.pump(c->instance, milliseconds);
    CHECK(c, "pump", answer == 0 || answer == 1, "answer is unknown (found %d, expected 0 or 1)",
          answer);
    return answer;
}

static void present(void *self, const weft_frame *frame)
{
    checked *c = self;
    checked_thread(c, "present", WEFT_THREAD_GUEST);
    CHECK(c, "present",
          frame->width > 0 && frame->height > 0 && frame->pixels &&
              frame->stride / 4 >= frame->width,
          "frame has no pixels (found %ux%u with %u bytes a row, expected some)", frame->width,
          frame->height, frame->stride);
    c->ops.frontend.present(c->instance, frame);
}

static void pads(void *self, weft_pad *answer)
{
    checked *c = self;
    checked_thread(c, "pads", WEFT_THREAD_GUEST);
    c->ops.frontend.pads(c->instance, answer);
    for (uint32_t i = 0; i < WEFT_PAD_COUNT; i++) {
        const weft_pad *p = &answer[i];
        CHECK(c, "pads", p->connected <= 1, "connected is unknown (found %u, expected 0 or 1)",
              p->connected);
        CHECK(c, "pads",
              p->connected || !(p->buttons | p->left_trigger | p->right_trigger | p->left_x |
                                p->left_y | p->right_x | p->right_y),
              "controller %u is absent but pressed (found buttons 0x%x, expected 0)", i,
              p->buttons);
    }
}

static void rumble(void *self, uint32_t port, uint16_t left, uint16_t right)
{
    checked *c = self;
    checked_thread(c, "rumble", WEFT_THREAD_GUEST);
    c->ops.frontend.rumble(c->instance, port, left, right);
}

static void close_window(void *self)
{
    checked *c = self;
    checked_thread(c, "close", WEFT_THREAD_MAIN);
    CHECK(c, "close", c->opened, "called too early (found no open, expected one before)");
    c->opened = 0;
    c->ops.frontend.close(c->instance);
}

void checked_frontend(role_ops *ops)
{
    ops->frontend.open = open_window;
    ops->frontend.pump = pump;
    ops->frontend.present = present;
    ops->frontend.pads = pads;
    ops->frontend.rumble = rumble;
    ops->frontend.close = close_window;
}
