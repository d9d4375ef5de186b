/* plasma: an animated picture, written by the CPU into the front buffer at 60 Hz.
 *
 *     frames=N   ends after N frames (0 or absent: never)
 *
 * The left stick or the cross moves the pattern, A and B change its colours, Back or Start held for
 * half a second ends it.
 *
 * The picture is computed at 640x360 and each point becomes 2x2 pixels: about 11 instructions a
 * point and 2.6 million a frame, a sixth of what the guest has between two vertical blanks. */
#include "display.h"

#define WIDTH  (DISPLAY_WIDTH / 2)
#define HEIGHT (DISPLAY_HEIGHT / 2)

#define PALETTES     4u
#define HOLD_FRAMES  30u
#define STICK_DEAD   8000 /* of 32767, about what XInput recommends */
#define STICK_DIVIDE 4096
#define RIPPLES_X    (2 * WIDTH)
#define RIPPLES_Y    (2 * HEIGHT)

typedef struct plasma {
    u8 *ripples; /* RIPPLES_X * RIPPLES_Y: rings around the middle */
    u8 sine[256];
    u64 colors[256]; /* of this frame, a pixel twice */
    u8 columns[WIDTH];
    u32 palette;
    i32 shift_x, shift_y;
    u32 buttons; /* of the last frame */
    u32 held;    /* frames for which Back or Start was down */
} plasma;

/* sin(2 pi i / 256) as 0..255, by Bhaskara's rational approximation in integers: for x in 0..128,
 * 16 x (128 - x) / (5 * 128^2 - 4 x (128 - x)), which is off by less than 0.2 %. */
static void make_sine(plasma *p)
{
    for (u32 i = 0; i < 256; i++) {
        u32 x = i & 127;
        u32 product = x * (128 - x);
        u32 height = 127 * 16 * product / (5 * 128 * 128 - 4 * product);
        p->sine[i] = (u8)(i < 128 ? 128 + height : 128 - height);
    }
}

/* The square root is followed along the row: it grows by at most one from point to point. */
static void make_ripples(plasma *p)
{
    for (u32 y = 0; y < HEIGHT; y++) {
        u32 root = y;
        for (u32 x = 0; x < WIDTH; x++) {
            u32 square = x * x + y * y;
            if ((root + 1) * (root + 1) <= square) {
                root++;
            }
            u8 value = p->sine[(root * 3 / 2) & 255];
            u8 *middle = p->ripples + HEIGHT * RIPPLES_X + WIDTH;
            middle[(i32)(y * RIPPLES_X + x)] = value;
            middle[(i32)(y * RIPPLES_X) - (i32)x - 1] = value;
            middle[-(i32)((y + 1) * RIPPLES_X) + (i32)x] = value;
            middle[-(i32)((y + 1) * RIPPLES_X) - (i32)x - 1] = value;
        }
    }
}

static void make_colors(plasma *p, u32 frame)
{
    /* Phases of red, green and blue in 256ths of a turn. */
    static const u8 phases[PALETTES][3] = {
        {0, 85, 170}, {0, 32, 96}, {128, 160, 16}, {64, 64, 192}};
    const u8 *phase = phases[p->palette % PALETTES];
    for (u32 i = 0; i < 256; i++) {
        u32 at = i + frame;
        u32 red = p->sine[(at + phase[0]) & 255];
        u32 green = p->sine[(at + phase[1]) & 255];
        u32 blue = p->sine[(at + phase[2]) & 255];
        u64 pixel = 0xFF000000u | red << 16 | green << 8 | blue;
        p->colors[i] = pixel << 32 | pixel;
    }
}

/* Eight points to 8 * 16 bytes: a group of 4x2 pixels is 32 bytes, its second row behind its
 * first. */
static inline void draw_eight(u64 *out, const u64 *colors, const u8 *columns, const u8 *near,
                              const u8 *far, u32 row)
{
#pragma GCC unroll 4
    for (u32 i = 0; i < 8; i += 2) {
        u64 left = colors[(columns[i] + near[i] + far[i] + row) & 255];
        u64 right = colors[(columns[i + 1] + near[i + 1] + far[i + 1] + row) & 255];
        out[0] = left;
        out[1] = right;
        out[2] = left;
        out[3] = right;
        out += 4;
    }
}

/* Where a pixel of a 32-bit tiled surface lies in its 32x32 tile (xenia
 * src/xenia/gpu/texture_address.h): address bits 3..2 are x bits 1..0, bit 4 is y bit 0, bits 7..5
 * are x bits 4..2 with the top one exclusive-or y bit 3, bits 10..8 are y bits 3..1, bit 11 is y
 * bit 4. So two rows of a tile are 256 bytes in sequence, with halves exchanged where y has bit 3.
 */
static __attribute__((noinline)) void draw_line(u8 *out, const plasma *p, const u8 *near,
                                                const u8 *far, u32 row, u32 flip)
{
    const u8 *columns = p->columns;
    for (u32 tile = 0; tile < DISPLAY_TILES_X; tile++) {
        draw_eight((u64 *)(out + flip), p->colors, columns, near, far, row);
        draw_eight((u64 *)(out + (flip ^ 128)), p->colors, columns + 8, near + 8, far + 8, row);
        columns += 16;
        near += 16;
        far += 16;
        out += DISPLAY_TILE_BYTES;
    }
}

static void draw(const plasma *p, u8 *buffer, u32 frame)
{
    u32 near_x = (WIDTH / 2 + p->sine[(frame * 2) & 255] + (u32)p->shift_x) % WIDTH;
    u32 near_y = (p->sine[(frame * 3 + 64) & 255] + (u32)p->shift_y) % HEIGHT;
    u32 far_x = (p->sine[(frame + 128) & 255] + 2u * (u32)p->shift_x) % WIDTH;
    u32 far_y = (p->sine[(frame * 2 + 32) & 255] + 2u * (u32)p->shift_y) % HEIGHT;
    for (u32 y = 0; y < HEIGHT; y++) {
        u32 line = 2 * y;
        u8 *out = buffer + (line / DISPLAY_TILE) * DISPLAY_TILES_X * DISPLAY_TILE_BYTES +
                  (line >> 1 & 7) * 256 + (line >> 4 & 1) * 2048;
        draw_line(out, p, p->ripples + (y + near_y) * RIPPLES_X + near_x,
                  p->ripples + (y + far_y) * RIPPLES_X + far_x, p->sine[(y + frame) & 255],
                  (line >> 3 & 1) * 128);
    }
}

static i32 stick(int16_t value)
{
    return value > -STICK_DEAD && value < STICK_DEAD ? 0 : value / STICK_DIVIDE;
}

static i32 wrap(i32 value, i32 limit)
{
    return value < 0 ? value + limit : value >= limit ? value - limit : value;
}

/* False when the player wants to leave. */
static bool read_pad(plasma *p)
{
    gamepad pad;
    memset(&pad, 0, sizeof pad);
    if (XamInputGetState(0, INPUT_GAMEPAD, &pad) != STATUS_SUCCESS) {
        p->held = 0;
        return true;
    }
    i32 x = stick(pad.left_x);
    i32 y = -stick(pad.left_y);
    x += pad.buttons & GAMEPAD_RIGHT ? 4 : pad.buttons & GAMEPAD_LEFT ? -4 : 0;
    y += pad.buttons & GAMEPAD_DOWN ? 4 : pad.buttons & GAMEPAD_UP ? -4 : 0;
    p->shift_x = wrap(p->shift_x - x, (i32)WIDTH);
    p->shift_y = wrap(p->shift_y - y, (i32)HEIGHT);
    u32 pressed = pad.buttons & ~p->buttons;
    p->buttons = pad.buttons;
    if (pressed & GAMEPAD_A) {
        p->palette = (p->palette + 1) % PALETTES;
    }
    if (pressed & GAMEPAD_B) {
        p->palette = (p->palette + PALETTES - 1) % PALETTES;
    }
    p->held = pad.buttons & (GAMEPAD_BACK | GAMEPAD_START) ? p->held + 1 : 0;
    return p->held < HOLD_FRAMES;
}

int main(int argc, char **argv)
{
    static display d;
    static plasma p;
    const char *option = weft_option(argc, argv, "frames");
    u32 limit = option != NULL ? weft_number(option) : 0;
    if (!display_open(&d)) {
        return 1;
    }
    p.ripples = MmAllocatePhysicalMemoryEx(0, RIPPLES_X * RIPPLES_Y, PAGE_READWRITE, 0, 0xFFFFFFFFu,
                                           0x1000);
    if (p.ripples == NULL) {
        DbgPrint("plasma: no memory for the ripples\n");
        return 1;
    }
    make_sine(&p);
    make_ripples(&p);
    const volatile time_bundle *time = KeTimeStampBundle;
    u32 start = time->tick_count;
    u32 frame = 0;
    bool good = true;
    while (good && read_pad(&p) && (limit == 0 || frame < limit)) {
        make_colors(&p, frame * 2);
        for (u32 x = 0; x < WIDTH; x++) {
            p.columns[x] = p.sine[(x + frame * 3) & 255];
        }
        draw(&p, display_back(&d), frame);
        good = display_show(&d);
        frame++;
    }
    DbgPrint("plasma: %u frames in %u ms\n", frame, time->tick_count - start);
    return good ? 0 : 1;
}
