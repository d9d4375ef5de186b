/* frontend-sdl's pads: keys by SDL_PushEvent, controllers by SDL's virtual joysticks. Button bits
 * are the XDK's XINPUT_GAMEPAD_*, as weft/frontend.h lists them. */
#include "sdl_case.h"

static void keyboard_is_pad_zero(void **state)
{
    sdl_case *c = *state;
    assert_int_equal(sdl_pad(c, 0).connected, 1); /* before the window is open, too */
    sdl_open(c);
    assert_int_equal(sdl_pad(c, 0).connected, 1);
    assert_int_equal(sdl_pad(c, 1).connected, 0);
}

static void keyboard_can_be_left_out(void **state)
{
    sdl_case *c = *state;
    sdl_open_with(c, "keyboard", "no");
    sdl_key(c, SDL_SCANCODE_SPACE, 1);
    assert_int_equal(sdl_pad(c, 0).connected, 0);
    assert_int_equal(sdl_pad(c, 0).buttons, 0);
}

static void keys_are_buttons_as_documented(void **state)
{
    static const struct {
        SDL_Scancode key;
        uint16_t button;
    } rows[] = {
        {SDL_SCANCODE_UP, 1},     {SDL_SCANCODE_DOWN, 2},       {SDL_SCANCODE_LEFT, 4},
        {SDL_SCANCODE_RIGHT, 8},  {SDL_SCANCODE_RETURN, 0x10},  {SDL_SCANCODE_BACKSPACE, 0x20},
        {SDL_SCANCODE_C, 0x40},   {SDL_SCANCODE_N, 0x80},       {SDL_SCANCODE_U, 0x100},
        {SDL_SCANCODE_O, 0x200},  {SDL_SCANCODE_SPACE, 0x1000}, {SDL_SCANCODE_F, 0x2000},
        {SDL_SCANCODE_Q, 0x4000}, {SDL_SCANCODE_E, 0x8000},
    };
    sdl_case *c = *state;
    sdl_open(c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sdl_key(c, rows[i].key, 1);
        assert_int_equal(sdl_pad(c, 0).buttons, rows[i].button);
        sdl_key(c, rows[i].key, 0);
        assert_int_equal(sdl_pad(c, 0).buttons, 0);
    }
}

static void keys_held_together_add_up(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    sdl_key(c, SDL_SCANCODE_UP, 1);
    sdl_key(c, SDL_SCANCODE_SPACE, 1);
    assert_int_equal(sdl_pad(c, 0).buttons, 0x1001);
}

/* Up and right are positive on the console. */
static void wasd_is_the_left_stick(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    sdl_key(c, SDL_SCANCODE_W, 1);
    sdl_key(c, SDL_SCANCODE_A, 1);
    assert_int_equal(sdl_pad(c, 0).left_y, 32767);
    assert_int_equal(sdl_pad(c, 0).left_x, -32767);
    sdl_key(c, SDL_SCANCODE_S, 1); /* against W: neither */
    assert_int_equal(sdl_pad(c, 0).left_y, 0);
    sdl_key(c, SDL_SCANCODE_W, 0);
    assert_int_equal(sdl_pad(c, 0).left_y, -32767);
}

static void ijkl_is_the_right_stick(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    sdl_key(c, SDL_SCANCODE_K, 1);
    sdl_key(c, SDL_SCANCODE_L, 1);
    assert_int_equal(sdl_pad(c, 0).right_y, -32767);
    assert_int_equal(sdl_pad(c, 0).right_x, 32767);
    assert_int_equal(sdl_pad(c, 0).left_x, 0);
}

static void shift_keys_are_triggers(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    sdl_key(c, SDL_SCANCODE_LSHIFT, 1);
    assert_int_equal(sdl_pad(c, 0).left_trigger, 255);
    assert_int_equal(sdl_pad(c, 0).right_trigger, 0);
    sdl_key(c, SDL_SCANCODE_RSHIFT, 1);
    assert_int_equal(sdl_pad(c, 0).right_trigger, 255);
}

static void losing_the_focus_lets_go_of_all_keys(void **state)
{
    sdl_case *c = *state;
    SDL_Event event = {.type = SDL_WINDOWEVENT};
    event.window.event = SDL_WINDOWEVENT_FOCUS_LOST;
    sdl_open(c);
    sdl_key(c, SDL_SCANCODE_SPACE, 1);
    SDL_PushEvent(&event);
    sdl_pump(c);
    assert_int_equal(sdl_pad(c, 0).buttons, 0);
}

/* What a virtual controller's motors were last told. */
typedef struct motors {
    uint16_t low, high;
    int calls;
} motors;

static int on_rumble(void *data, uint16_t low, uint16_t high)
{
    motors *m = data;
    m->low = low;
    m->high = high;
    m->calls++;
    return 0;
}

/* Plugs in a controller with all buttons and axes in SDL's order; its device index. */
static int plug(sdl_case *c, motors *m)
{
    SDL_VirtualJoystickDesc desc = {
        .version = SDL_VIRTUAL_JOYSTICK_DESC_VERSION,
        .type = SDL_JOYSTICK_TYPE_GAMECONTROLLER,
        .naxes = SDL_CONTROLLER_AXIS_MAX,
        .nbuttons = SDL_CONTROLLER_BUTTON_MAX,
        .name = "virtual controller",
        .userdata = m,
        .Rumble = m ? on_rumble : NULL,
    };
    int device = SDL_JoystickAttachVirtualEx(&desc);
    if (device < 0) {
        print_message("skipped: no virtual joysticks in this SDL (%s)\n", SDL_GetError());
        skip();
    }
    sdl_pump(c);
    return device;
}

static SDL_Joystick *joystick_of(int device)
{
    return SDL_JoystickFromInstanceID(SDL_JoystickGetDeviceInstanceID(device));
}

static void controller_takes_the_first_free_port(void **state)
{
    sdl_case *c = *state;
    sdl_open_with(c, "keyboard", "no");
    int first = plug(c, NULL);
    assert_int_equal(sdl_pad(c, 0).connected, 1);
    assert_int_equal(sdl_pad(c, 1).connected, 0);
    int second = plug(c, NULL);
    assert_int_equal(sdl_pad(c, 1).connected, 1);
    SDL_JoystickDetachVirtual(first);
    sdl_pump(c);
    assert_int_equal(sdl_pad(c, 0).connected, 0);
    assert_int_equal(sdl_pad(c, 1).connected, 1);
    plug(c, NULL);
    assert_int_equal(sdl_pad(c, 0).connected, 1);
    SDL_JoystickDetachVirtual(0);
    SDL_JoystickDetachVirtual(0);
    (void)second;
}

static void fifth_controller_is_left_alone(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    for (int i = 0; i < 5; i++) {
        plug(c, NULL);
    }
    assert_int_equal(sdl_pad(c, 3).connected, 1);
    assert_int_equal(SDL_NumJoysticks(), 5);
    for (int i = 0; i < 5; i++) {
        SDL_JoystickDetachVirtual(0);
    }
    sdl_pump(c);
}

static void controllers_buttons_keep_their_names(void **state)
{
    static const struct {
        SDL_GameControllerButton from;
        uint16_t to;
    } rows[] = {
        {SDL_CONTROLLER_BUTTON_A, 0x1000},           {SDL_CONTROLLER_BUTTON_B, 0x2000},
        {SDL_CONTROLLER_BUTTON_X, 0x4000},           {SDL_CONTROLLER_BUTTON_Y, 0x8000},
        {SDL_CONTROLLER_BUTTON_BACK, 0x20},          {SDL_CONTROLLER_BUTTON_START, 0x10},
        {SDL_CONTROLLER_BUTTON_LEFTSTICK, 0x40},     {SDL_CONTROLLER_BUTTON_RIGHTSTICK, 0x80},
        {SDL_CONTROLLER_BUTTON_LEFTSHOULDER, 0x100}, {SDL_CONTROLLER_BUTTON_RIGHTSHOULDER, 0x200},
        {SDL_CONTROLLER_BUTTON_DPAD_UP, 1},          {SDL_CONTROLLER_BUTTON_DPAD_DOWN, 2},
        {SDL_CONTROLLER_BUTTON_DPAD_LEFT, 4},        {SDL_CONTROLLER_BUTTON_DPAD_RIGHT, 8},
    };
    sdl_case *c = *state;
    sdl_open_with(c, "keyboard", "no");
    int device = plug(c, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SDL_JoystickSetVirtualButton(joystick_of(device), rows[i].from, 1);
        sdl_pump(c);
        assert_int_equal(sdl_pad(c, 0).buttons, rows[i].to);
        SDL_JoystickSetVirtualButton(joystick_of(device), rows[i].from, 0);
    }
    SDL_JoystickDetachVirtual(device);
}

static void controllers_sticks_point_up(void **state)
{
    sdl_case *c = *state;
    sdl_open_with(c, "keyboard", "no");
    int device = plug(c, NULL);
    SDL_Joystick *stick = joystick_of(device);
    SDL_JoystickSetVirtualAxis(stick, SDL_CONTROLLER_AXIS_LEFTX, -32768);
    SDL_JoystickSetVirtualAxis(stick, SDL_CONTROLLER_AXIS_LEFTY, -32768); /* fully up in SDL */
    SDL_JoystickSetVirtualAxis(stick, SDL_CONTROLLER_AXIS_RIGHTX, 1000);
    SDL_JoystickSetVirtualAxis(stick, SDL_CONTROLLER_AXIS_RIGHTY, 1000);
    sdl_pump(c);
    assert_int_equal(sdl_pad(c, 0).left_x, -32768);
    assert_int_equal(sdl_pad(c, 0).left_y, 32767);
    assert_int_equal(sdl_pad(c, 0).right_x, 1000);
    assert_int_equal(sdl_pad(c, 0).right_y, -1000);
    SDL_JoystickDetachVirtual(device);
}

/* A raw trigger axis runs from -32768 (released) to 32767. */
static void controllers_triggers_reach_255(void **state)
{
    sdl_case *c = *state;
    sdl_open_with(c, "keyboard", "no");
    int device = plug(c, NULL);
    SDL_JoystickSetVirtualAxis(joystick_of(device), SDL_CONTROLLER_AXIS_TRIGGERLEFT, 32767);
    SDL_JoystickSetVirtualAxis(joystick_of(device), SDL_CONTROLLER_AXIS_TRIGGERRIGHT, -32768);
    sdl_pump(c);
    assert_int_equal(sdl_pad(c, 0).left_trigger, 255);
    assert_int_equal(sdl_pad(c, 0).right_trigger, 0);
    SDL_JoystickDetachVirtual(device);
}

static void keyboard_and_controller_share_pad_zero(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    int device = plug(c, NULL);
    SDL_JoystickSetVirtualButton(joystick_of(device), SDL_CONTROLLER_BUTTON_B, 1);
    sdl_key(c, SDL_SCANCODE_SPACE, 1);
    assert_int_equal(sdl_pad(c, 0).buttons, 0x3000);
    SDL_JoystickDetachVirtual(device);
    sdl_pump(c);
    assert_int_equal(sdl_pad(c, 0).buttons, 0x1000);
}

static void rumble_reaches_the_motors(void **state)
{
    sdl_case *c = *state;
    motors m = {0};
    sdl_open(c);
    int device = plug(c, &m);
    int calls = m.calls;
    c->ops->rumble(c->fake.instance, 0, 65535, 1234);
    sdl_pump(c);
    assert_int_equal(m.low, 65535);
    assert_int_equal(m.high, 1234);
    assert_int_equal(m.calls, calls + 1);
    sdl_pump(c); /* nothing new, nothing sent */
    assert_int_equal(m.calls, calls + 1);
    c->ops->rumble(c->fake.instance, 0, 0, 0);
    sdl_pump(c);
    assert_int_equal(m.low, 0);
    SDL_JoystickDetachVirtual(device);
    sdl_pump(c);
}

static void rumble_of_an_empty_or_unknown_port_is_ignored(void **state)
{
    sdl_case *c = *state;
    sdl_open(c);
    c->ops->rumble(c->fake.instance, 3, 1, 1);
    c->ops->rumble(c->fake.instance, 4, 1, 1);
    assert_int_equal(sdl_pump(c), 0);
    assert_int_equal(c->fake.fails, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, sdl_setup, sdl_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(keyboard_is_pad_zero),
        CASE(keyboard_can_be_left_out),
        CASE(keys_are_buttons_as_documented),
        CASE(keys_held_together_add_up),
        CASE(wasd_is_the_left_stick),
        CASE(ijkl_is_the_right_stick),
        CASE(shift_keys_are_triggers),
        CASE(losing_the_focus_lets_go_of_all_keys),
        CASE(controller_takes_the_first_free_port),
        CASE(fifth_controller_is_left_alone),
        CASE(controllers_buttons_keep_their_names),
        CASE(controllers_sticks_point_up),
        CASE(controllers_triggers_reach_255),
        CASE(keyboard_and_controller_share_pad_zero),
        CASE(rumble_reaches_the_motors),
        CASE(rumble_of_an_empty_or_unknown_port_is_ignored),
    };
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    setenv("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1", 1); /* a dummy window never has the focus */
    return cmocka_run_group_tests_name("frontend-pads", tests, NULL, NULL);
}
