/* input.c: see input.h. */
#include "input.h"

#include <string.h>

/* XINPUT_GAMEPAD_* as weft/frontend.h lists them. */
#define PAD_UP     0x0001
#define PAD_DOWN   0x0002
#define PAD_LEFT   0x0004
#define PAD_RIGHT  0x0008
#define PAD_START  0x0010
#define PAD_BACK   0x0020
#define PAD_LTHUMB 0x0040
#define PAD_RTHUMB 0x0080
#define PAD_LB     0x0100
#define PAD_RB     0x0200
#define PAD_A      0x1000
#define PAD_B      0x2000
#define PAD_X      0x4000
#define PAD_Y      0x8000

/* An SDL rumble ends by itself after this long; the console's goes on until it is changed, so a
 * running motor is started again in time. */
#define RUMBLE_MS       60000
#define RUMBLE_AGAIN_MS 30000

/* What a key moves besides buttons. */
enum { KEY_BUTTON, KEY_LEFT_X, KEY_LEFT_Y, KEY_RIGHT_X, KEY_RIGHT_Y, KEY_LT, KEY_RT };

/* Keys by their place on a US keyboard, whatever its layout prints on them. */
typedef struct key_row {
    SDL_Scancode key;
    uint8_t moves; /* KEY_* */
    int8_t sign;   /* of a stick */
    uint16_t button;
} key_row;

static const key_row key_rows[] = {
    {SDL_SCANCODE_UP, KEY_BUTTON, 0, PAD_UP},
    {SDL_SCANCODE_DOWN, KEY_BUTTON, 0, PAD_DOWN},
    {SDL_SCANCODE_LEFT, KEY_BUTTON, 0, PAD_LEFT},
    {SDL_SCANCODE_RIGHT, KEY_BUTTON, 0, PAD_RIGHT},
    {SDL_SCANCODE_W, KEY_LEFT_Y, 1, 0},
    {SDL_SCANCODE_S, KEY_LEFT_Y, -1, 0},
    {SDL_SCANCODE_D, KEY_LEFT_X, 1, 0},
    {SDL_SCANCODE_A, KEY_LEFT_X, -1, 0},
    {SDL_SCANCODE_I, KEY_RIGHT_Y, 1, 0},
    {SDL_SCANCODE_K, KEY_RIGHT_Y, -1, 0},
    {SDL_SCANCODE_L, KEY_RIGHT_X, 1, 0},
    {SDL_SCANCODE_J, KEY_RIGHT_X, -1, 0},
    {SDL_SCANCODE_SPACE, KEY_BUTTON, 0, PAD_A},
    {SDL_SCANCODE_F, KEY_BUTTON, 0, PAD_B},
    {SDL_SCANCODE_Q, KEY_BUTTON, 0, PAD_X},
    {SDL_SCANCODE_E, KEY_BUTTON, 0, PAD_Y},
    {SDL_SCANCODE_U, KEY_BUTTON, 0, PAD_LB},
    {SDL_SCANCODE_O, KEY_BUTTON, 0, PAD_RB},
    {SDL_SCANCODE_LSHIFT, KEY_LT, 0, 0},
    {SDL_SCANCODE_RSHIFT, KEY_RT, 0, 0},
    {SDL_SCANCODE_C, KEY_BUTTON, 0, PAD_LTHUMB},
    {SDL_SCANCODE_N, KEY_BUTTON, 0, PAD_RTHUMB},
    {SDL_SCANCODE_RETURN, KEY_BUTTON, 0, PAD_START},
    {SDL_SCANCODE_BACKSPACE, KEY_BUTTON, 0, PAD_BACK},
};

/* SDL's buttons, which are named after this very controller. */
typedef struct button_row {
    SDL_GameControllerButton from;
    uint16_t to;
} button_row;

static const button_row button_rows[] = {
    {SDL_CONTROLLER_BUTTON_DPAD_UP, PAD_UP},
    {SDL_CONTROLLER_BUTTON_DPAD_DOWN, PAD_DOWN},
    {SDL_CONTROLLER_BUTTON_DPAD_LEFT, PAD_LEFT},
    {SDL_CONTROLLER_BUTTON_DPAD_RIGHT, PAD_RIGHT},
    {SDL_CONTROLLER_BUTTON_START, PAD_START},
    {SDL_CONTROLLER_BUTTON_BACK, PAD_BACK},
    {SDL_CONTROLLER_BUTTON_LEFTSTICK, PAD_LTHUMB},
    {SDL_CONTROLLER_BUTTON_RIGHTSTICK, PAD_RTHUMB},
    {SDL_CONTROLLER_BUTTON_LEFTSHOULDER, PAD_LB},
    {SDL_CONTROLLER_BUTTON_RIGHTSHOULDER, PAD_RB},
    {SDL_CONTROLLER_BUTTON_A, PAD_A},
    {SDL_CONTROLLER_BUTTON_B, PAD_B},
    {SDL_CONTROLLER_BUTTON_X, PAD_X},
    {SDL_CONTROLLER_BUTTON_Y, PAD_Y},
};

void input_init(input *in, int keyboard)
{
    memset(in, 0, sizeof *in);
    in->keyboard = keyboard;
    in->pads[0].connected = (uint32_t)keyboard; /* from the start: titles count pads early */
    pthread_mutex_init(&in->lock, NULL);
}

void input_free(input *in)
{
    pthread_mutex_destroy(&in->lock);
}

int input_open(input *in)
{
    if (SDL_InitSubSystem(SDL_INIT_GAMECONTROLLER) != 0) {
        return -1;
    }
    in->open = 1; /* controllers that are there already come as DEVICEADDED events */
    return 0;
}

void input_close(input *in)
{
    if (!in->open) {
        return;
    }
    for (int port = 0; port < WEFT_PAD_COUNT; port++) {
        if (in->controllers[port]) {
            SDL_GameControllerClose(in->controllers[port]);
            in->controllers[port] = NULL;
        }
    }
    in->open = 0;
    SDL_QuitSubSystem(SDL_INIT_GAMECONTROLLER);
}

/* The port of an SDL joystick, or -1. */
static int port_of(const input *in, SDL_JoystickID id)
{
    for (int port = 0; port < WEFT_PAD_COUNT; port++) {
        SDL_GameController *controller = in->controllers[port];
        if (controller && SDL_JoystickInstanceID(SDL_GameControllerGetJoystick(controller)) == id) {
            return port;
        }
    }
    return -1;
}

/* A new controller takes the lowest free port; a fifth one is left alone. */
static void add_controller(input *in, int device)
{
    if (port_of(in, SDL_JoystickGetDeviceInstanceID(device)) >= 0) {
        return; /* SDL may announce one twice that was there before the subsystem */
    }
    for (int port = 0; port < WEFT_PAD_COUNT; port++) {
        if (!in->controllers[port]) {
            in->controllers[port] = SDL_GameControllerOpen(device);
            return;
        }
    }
}

static void remove_controller(input *in, SDL_JoystickID id)
{
    int port = port_of(in, id);
    if (port >= 0) {
        SDL_GameControllerClose(in->controllers[port]);
        in->controllers[port] = NULL;
    }
}

void input_event(input *in, const SDL_Event *event)
{
    switch (event->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP:
        if ((uint32_t)event->key.keysym.scancode < SDL_NUM_SCANCODES) {
            in->keys[event->key.keysym.scancode] = event->type == SDL_KEYDOWN;
        }
        break;
    case SDL_WINDOWEVENT:
        if (event->window.event == SDL_WINDOWEVENT_FOCUS_LOST) {
            memset(in->keys, 0, sizeof in->keys); /* their release goes to another window */
        }
        break;
    case SDL_CONTROLLERDEVICEADDED:
        add_controller(in, event->cdevice.which);
        break;
    case SDL_CONTROLLERDEVICEREMOVED:
        remove_controller(in, event->cdevice.which);
        break;
    default:
        break;
    }
}

/* SDL's y grows downwards, XInput's upwards; -32768 has no negative in 16 bits. */
static int16_t flipped(int16_t y)
{
    return y == INT16_MIN ? INT16_MAX : (int16_t)-y;
}

static void read_controller(SDL_GameController *c, weft_pad *pad)
{
    pad->connected = 1;
    for (size_t i = 0; i < sizeof button_rows / sizeof button_rows[0]; i++) {
        if (SDL_GameControllerGetButton(c, button_rows[i].from)) {
            pad->buttons |= button_rows[i].to;
        }
    }
    /* Triggers are 0..32767 in SDL and 0..255 on the console. */
    pad->left_trigger =
        (uint8_t)(SDL_GameControllerGetAxis(c, SDL_CONTROLLER_AXIS_TRIGGERLEFT) >> 7);
    pad->right_trigger =
        (uint8_t)(SDL_GameControllerGetAxis(c, SDL_CONTROLLER_AXIS_TRIGGERRIGHT) >> 7);
    pad->left_x = SDL_GameControllerGetAxis(c, SDL_CONTROLLER_AXIS_LEFTX);
    pad->left_y = flipped(SDL_GameControllerGetAxis(c, SDL_CONTROLLER_AXIS_LEFTY));
    pad->right_x = SDL_GameControllerGetAxis(c, SDL_CONTROLLER_AXIS_RIGHTX);
    pad->right_y = flipped(SDL_GameControllerGetAxis(c, SDL_CONTROLLER_AXIS_RIGHTY));
}

/* Keys on top of what a controller in the same port says: a key wins over a stick. */
static void read_keyboard(const uint8_t *keys, weft_pad *pad)
{
    int sticks[KEY_RIGHT_Y + 1] = {0};
    pad->connected = 1;
    for (size_t i = 0; i < sizeof key_rows / sizeof key_rows[0]; i++) {
        const key_row *row = &key_rows[i];
        if (!keys[row->key]) {
            continue;
        }
        if (row->moves == KEY_BUTTON) {
            pad->buttons |= row->button;
        } else if (row->moves == KEY_LT) {
            pad->left_trigger = 255;
        } else if (row->moves == KEY_RT) {
            pad->right_trigger = 255;
        } else {
            sticks[row->moves] += row->sign; /* both directions at once: none */
        }
    }
    pad->left_x = sticks[KEY_LEFT_X] ? (int16_t)(sticks[KEY_LEFT_X] * INT16_MAX) : pad->left_x;
    pad->left_y = sticks[KEY_LEFT_Y] ? (int16_t)(sticks[KEY_LEFT_Y] * INT16_MAX) : pad->left_y;
    pad->right_x = sticks[KEY_RIGHT_X] ? (int16_t)(sticks[KEY_RIGHT_X] * INT16_MAX) : pad->right_x;
    pad->right_y = sticks[KEY_RIGHT_Y] ? (int16_t)(sticks[KEY_RIGHT_Y] * INT16_MAX) : pad->right_y;
}

/* Hands SDL the motors that changed, and those whose time runs out. */
static void run_motors(input *in, const input_motors *motors, uint64_t now)
{
    for (int port = 0; port < WEFT_PAD_COUNT; port++) {
        int running = motors[port].left || motors[port].right;
        int again = running && now - motors[port].sent_ms > RUMBLE_AGAIN_MS;
        if (in->controllers[port] && (motors[port].changed || again)) {
            SDL_GameControllerRumble(in->controllers[port], motors[port].left, motors[port].right,
                                     running ? RUMBLE_MS : 0);
        }
    }
}

void input_publish(input *in)
{
    weft_pad pads[WEFT_PAD_COUNT] = {0};
    input_motors motors[WEFT_PAD_COUNT];
    uint64_t now = SDL_GetTicks64();
    for (int port = 0; port < WEFT_PAD_COUNT; port++) {
        if (in->controllers[port]) {
            read_controller(in->controllers[port], &pads[port]);
        }
    }
    if (in->keyboard) {
        read_keyboard(in->keys, &pads[0]);
    }
    pthread_mutex_lock(&in->lock);
    memcpy(in->pads, pads, sizeof in->pads);
    memcpy(motors, in->motors, sizeof motors);
    for (int port = 0; port < WEFT_PAD_COUNT; port++) {
        if (in->motors[port].changed || now - in->motors[port].sent_ms > RUMBLE_AGAIN_MS) {
            in->motors[port].sent_ms = now;
        }
        in->motors[port].changed = 0;
    }
    pthread_mutex_unlock(&in->lock);
    run_motors(in, motors, now);
}

void input_pads(input *in, weft_pad *pads)
{
    pthread_mutex_lock(&in->lock);
    memcpy(pads, in->pads, sizeof in->pads);
    pthread_mutex_unlock(&in->lock);
}

void input_rumble(input *in, uint32_t port, uint16_t left, uint16_t right)
{
    if (port >= WEFT_PAD_COUNT) {
        return;
    }
    pthread_mutex_lock(&in->lock);
    in->motors[port].left = left;
    in->motors[port].right = right;
    in->motors[port].changed = 1;
    pthread_mutex_unlock(&in->lock);
}
