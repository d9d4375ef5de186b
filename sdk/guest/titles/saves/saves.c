/* saves: what a game does with saved games. It finds the storage device and who is signed in, makes a
 * package for each slot, writes two files into it by asynchronous transfers, lists the packages, reads
 * everything back, and deletes them.
 *
 *     slots=N   packages (default 3, at most 16)
 *     bytes=N   length of a package's larger file (default 10000, at most 65536)
 *     keep      leaves the packages where they are
 *
 * Before the verdict it tells how many packages were there already: what [machine] state has kept. */
#include "threads.h"

#define SLOTS_MOST 16u
#define BYTES_MOST 65536u

#define USER_NONE        0xFEu
#define DEVICE_HARD_DISK 1u
#define TYPE_SAVED_GAME  1u
#define CREATE_ALWAYS    2u
#define OPEN_EXISTING    3u

#define ERROR_SUCCESS       0u
#define ERROR_NO_MORE_FILES 18u
#define ERROR_IO_PENDING    997u

#define FILE_WRITE_DATA     2u
#define FILE_DIRECTORY_FILE 1u
#define FILE_CREATE         2u

#define SETTING_PROGRESS 0x63E83FFFu /* XPROFILE_TITLE_SPECIFIC1 */
#define SETTING_BINARY   6u
#define THUMBNAIL_BYTES  64u

typedef struct content_data {
    u32 device;
    u32 type;
    u16 display[128];
    char name[42];
    u8 padding[2];
} content_data;
_Static_assert(sizeof(content_data) == 0x134, "layout");

typedef struct device_data {
    u32 id;
    u32 type;
    u64 bytes, bytes_free;
    u16 name[28];
} device_data;
_Static_assert(sizeof(device_data) == 0x50, "layout");

typedef struct overlapped {
    u32 result, length, thread, event, routine, context, extended;
} overlapped;

typedef struct setting {
    u32 source, reserved;
    u64 user;
    u32 id, reserved_2;
    u8 type, padding[7];
    u32 size;
    u32 data;
} setting;
_Static_assert(sizeof(setting) == 40, "layout");

static u32 user;  /* 0, or USER_NONE when nobody is signed in */
static u32 event; /* of every overlapped operation and transfer */

/* ---- operations that end later -----------------------------------------------------------------
 */

static void operation(overlapped *o)
{
    memset(o, 0, sizeof *o);
    o->event = event;
}

/* The result of what was begun with `answer`. */
static u32 finish(overlapped *o, u32 answer)
{
    if (answer != ERROR_IO_PENDING) {
        return answer;
    }
    weft_wait(event, WEFT_FOREVER);
    return o->result;
}

static void name_slot(content_data *data, u32 slot)
{
    static const char text[] = "A saved game";
    memset(data, 0, sizeof *data);
    data->device = DEVICE_HARD_DISK;
    data->type = TYPE_SAVED_GAME;
    for (u32 i = 0; text[i] != 0; i++) {
        data->display[i] = (u16)text[i];
    }
    memcpy(data->name, "slot-A", 6);
    data->name[5] = (char)('A' + slot);
}

/* Mounts a slot's package as save: and answers what was done with it, 0 where that failed. */
static u32 mount(weft_verdict *v, u32 slot, u32 how)
{
    content_data data;
    overlapped o;
    u32 disposition = 99;
    name_slot(&data, slot);
    operation(&o);
    u32 result =
        finish(&o, XamContentCreateEx(user, "save", &data, how, &disposition, 0, 0, 0, &o));
    weft_check(v, "mounted", result, ERROR_SUCCESS);
    return result == ERROR_SUCCESS ? disposition : 0;
}

static void unmount(weft_verdict *v)
{
    overlapped o;
    operation(&o);
    weft_check(v, "closed", finish(&o, XamContentClose("save", &o)), ERROR_SUCCESS);
}

/* ---- files -------------------------------------------------------------------------------------
 */

static u32 open_file(const char *path, u32 access, u32 disposition, u32 options)
{
    u32 length = (u32)strlen(path), file = 0;
    ansi_string name = {(u16)length, (u16)(length + 1), path};
    object_attributes attributes = {OBJ_DOS_ROOT, &name, OBJ_CASE_INSENSITIVE};
    io_status io = {0, 0};
    NtCreateFile(&file, access | SYNCHRONIZE, &attributes, &io, 0, 0, 0, disposition, options);
    return file;
}

/* Bytes moved; the transfer is asynchronous, and its event is awaited. */
static u32 transfer(u32 file, void *buffer, u32 length, bool write)
{
    io_status io = {0, 0};
    u64 offset = 0;
    u32 status = write ? NtWriteFile(file, event, 0, 0, &io, buffer, length, &offset)
                       : NtReadFile(file, event, 0, 0, &io, buffer, length, &offset);
    if (status == STATUS_PENDING) {
        weft_wait(event, WEFT_FOREVER);
        status = io.status;
    }
    return status == STATUS_SUCCESS ? io.information : 0;
}

static u8 content_of(u32 slot, u32 i)
{
    return (u8)(i * 7 + slot * 13 + (i >> 8));
}

static u8 block[BYTES_MOST];

static void write_slot(weft_verdict *v, u32 slot, u32 bytes)
{
    weft_check(v, "created", mount(v, slot, CREATE_ALWAYS), 1);
    for (u32 i = 0; i < bytes; i++) {
        block[i] = content_of(slot, i);
    }
    u32 file = open_file("save:\\world.bin", FILE_WRITE_DATA, FILE_CREATE, FILE_NON_DIRECTORY_FILE);
    weft_check(v, "written", transfer(file, block, bytes, true), bytes);
    NtClose(file);
    u32 folder = open_file("save:\\more", FILE_READ_DATA, FILE_CREATE, FILE_DIRECTORY_FILE);
    weft_check(v, "a folder", folder != 0, true);
    NtClose(folder);
    file =
        open_file("save:\\more\\slot.txt", FILE_WRITE_DATA, FILE_CREATE, FILE_NON_DIRECTORY_FILE);
    block[0] = (u8)('A' + slot);
    weft_check(v, "written", transfer(file, block, 1, true), 1);
    NtClose(file);
    unmount(v);
}

static void read_slot(weft_verdict *v, u32 slot, u32 bytes)
{
    weft_check(v, "opened", mount(v, slot, OPEN_EXISTING), 2);
    memset(block, 0, sizeof block);
    u32 file = open_file("SAVE:\\World.bin", FILE_READ_DATA, FILE_OPEN, FILE_NON_DIRECTORY_FILE);
    weft_check(v, "read", transfer(file, block, sizeof block, false), bytes);
    NtClose(file);
    u32 sum = 0x811C9DC5u, wanted = sum; /* FNV-1a */
    for (u32 i = 0; i < bytes; i++) {
        sum = (sum ^ block[i]) * 0x01000193u;
        wanted = (wanted ^ content_of(slot, i)) * 0x01000193u;
    }
    weft_check(v, "the same bytes", sum, wanted);
    file = open_file("save:\\more\\slot.txt", FILE_READ_DATA, FILE_OPEN, FILE_NON_DIRECTORY_FILE);
    weft_check(v, "read", transfer(file, block, sizeof block, false), 1);
    weft_check(v, "its letter", block[0], 'A' + slot);
    NtClose(file);
    unmount(v);
    weft_check(v, "gone with its mount",
               open_file("save:\\world.bin", FILE_READ_DATA, FILE_OPEN, 0), 0);
}

static void picture_of_slot(weft_verdict *v, u32 slot)
{
    content_data data;
    u8 picture[THUMBNAIL_BYTES];
    u32 size = sizeof picture;
    name_slot(&data, slot);
    memset(picture, (int)('A' + slot), sizeof picture);
    weft_check(v, "a picture", XamContentSetThumbnail(user, &data, picture, size, 0),
               ERROR_SUCCESS);
    memset(picture, 0, sizeof picture);
    weft_check(v, "the picture", XamContentGetThumbnail(user, &data, picture, &size, 0),
               ERROR_SUCCESS);
    weft_check(v, "its size", size, sizeof picture);
    weft_check(v, "its last byte", picture[sizeof picture - 1], 'A' + slot);
}

/* ---- lists -------------------------------------------------------------------------------------
 */

/* How many packages there are; `ours` of them, from the first slot on, are checked by name. */
static u32 count_packages(weft_verdict *v, u32 ours)
{
    static content_data list[4];
    overlapped o;
    u32 size = 0, handle = 0, count = 0;
    weft_check(
        v, "a list",
        XamContentCreateEnumerator(user, DEVICE_HARD_DISK, TYPE_SAVED_GAME, 0, 4, &size, &handle),
        ERROR_SUCCESS);
    weft_check(v, "four of them", size, sizeof list);
    for (;;) {
        operation(&o);
        u32 result = finish(&o, XamEnumerate(handle, 0, list, sizeof list, 0, &o));
        if (result != ERROR_SUCCESS) {
            weft_check(v, "the end", result, ERROR_NO_MORE_FILES);
            break;
        }
        for (u32 i = 0; i < o.length; i++, count++) {
            if (count < ours) {
                weft_check(v, "in order", (u8)list[i].name[5], 'A' + count);
                weft_check(v, "as it is called", list[i].display[2], 's');
            }
        }
    }
    NtClose(handle);
    return count;
}

static void find_device(weft_verdict *v)
{
    device_data device;
    u32 size = 0, handle = 0, count = 0;
    weft_check(v, "devices",
               XamContentCreateDeviceEnumerator(TYPE_SAVED_GAME, 0, 1, &size, &handle),
               ERROR_SUCCESS);
    weft_check(v, "one", XamEnumerate(handle, 0, &device, sizeof device, &count, 0), ERROR_SUCCESS);
    weft_check(v, "a hard disk", device.type, DEVICE_HARD_DISK);
    weft_check(v, "with room", device.bytes_free >= BYTES_MOST * 2 * SLOTS_MOST, true);
    NtClose(handle);
}

/* ---- the profile -------------------------------------------------------------------------------
 */

static void find_user(void)
{
    char name[16] = "nobody";
    user = XamUserGetSigninState(0) != 0 ? 0 : USER_NONE;
    if (user == 0) {
        XamUserGetName(0, name, sizeof name);
    }
    DbgPrint("saves: %s is signed in\n", name);
}

/* Keeps a block in the profile. Not part of the checksum, which is the same without a user. */
static void keep_progress(weft_verdict *v)
{
    static u8 results[8 + sizeof(setting) + 1000];
    static const u8 progress[4] = {1, 2, 3, 4};
    weft_verdict mine;
    setting s;
    u32 id = SETTING_PROGRESS, size = sizeof results;
    weft_verdict_begin(&mine, v->title);
    memset(&s, 0, sizeof s);
    s.id = id;
    s.type = SETTING_BINARY;
    s.size = sizeof progress;
    s.data = (u32)(uintptr_t)progress;
    weft_check(&mine, "written", XamUserWriteProfileSettings(0, 0, 1, &s, 0), ERROR_SUCCESS);
    weft_check(&mine, "read", XamUserReadProfileSettings(0, 0, 0, 0, 1, &id, &size, results, 0),
               ERROR_SUCCESS);
    memcpy(&s, results + 8, sizeof s);
    weft_check(&mine, "its size", s.size, sizeof progress);
    weft_check(&mine, "its bytes",
               memcmp((const void *)(uintptr_t)s.data, progress, sizeof progress), 0);
    v->wrong += mine.wrong;
}

int main(int argc, char **argv)
{
    u32 slots = weft_option_number(argc, argv, "slots", 3);
    u32 bytes = weft_option_number(argc, argv, "bytes", 10000);
    weft_verdict v, before;
    if (slots == 0 || slots > SLOTS_MOST || bytes == 0 || bytes > BYTES_MOST) {
        DbgPrint("saves: expected slots=1 to 16, bytes=1 to 65536\n");
        return 2;
    }
    event = weft_event(NOTIFICATION, false);
    weft_verdict_begin(&v, "saves");
    weft_verdict_begin(&before, "saves");
    find_user();
    DbgPrint("saves: %u packages were there\n", count_packages(&before, 0));
    find_device(&v);
    for (u32 i = 0; i < slots; i++) {
        write_slot(&v, i, bytes);
        picture_of_slot(&v, i);
    }
    u32 there = count_packages(&v, slots);
    weft_check(&v, "all of them", there >= slots, true);
    for (u32 i = 0; i < slots; i++) {
        read_slot(&v, i, bytes);
    }
    if (user == 0) {
        keep_progress(&v);
    }
    for (u32 i = 0; i < slots && weft_option(argc, argv, "keep") == 0; i++) {
        content_data data;
        name_slot(&data, i);
        weft_check(&v, "deleted", XamContentDelete(user, &data, 0), ERROR_SUCCESS);
    }
    if (weft_option(argc, argv, "keep") == 0) {
        weft_check(&v, "as many as are left", count_packages(&v, 0) == there - slots, true);
    }
    NtClose(event);
    v.wrong += before.wrong;
    return (int)weft_verdict_end(&v);
}
