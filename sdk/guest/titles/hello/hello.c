/* hello: text, a file, arguments, an exit code; and the ways in which a title can go wrong.
 *
 *     exit=N     ends with exit code N instead of 0
 *     missing    calls an export that Weft does not have
 *     fault      stores to an address where nothing is mapped
 *     deadlock   waits for ever for an event that nobody signals */
#include "weft_guest.h"

/* %d, %u, %x, %s, %c, width, zero fill, sign and left alignment: DbgPrint's formatter is the
 * kernel's, and what each line must read follows from C's rules for printf. */
static void print_numbers(void)
{
    DbgPrint("hello: integers %d %d %u\n", 42, -42, 4000000000u);
    DbgPrint("hello: hexadecimal 0x%08x 0x%X\n", 0xBADF00Du, 0xC0FFEEu);
    DbgPrint("hello: strings [%s] [%8s] [%-8s] [%c]\n", "text", "right", "left", '!');
    /* More words than registers: the last five arguments travel on the stack. */
    DbgPrint("hello: twelve %d %d %d %d %d %d %d %d %d %d %d %d\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
             11, 12);
}

/* Prints a text file's length and content; false if it cannot be read. */
static bool print_file(const char *path)
{
    static char text[4096];
    u32 length = (u32)strlen(path);
    ansi_string name = {(u16)length, (u16)(length + 1), path};
    object_attributes attributes = {OBJ_DOS_ROOT, &name, OBJ_CASE_INSENSITIVE};
    io_status io = {0, 0};
    u32 file = 0;
    u32 status = NtCreateFile(&file, GENERIC_READ | SYNCHRONIZE | FILE_READ_DATA, &attributes, &io,
                              0, 0, FILE_SHARE_READ, FILE_OPEN,
                              FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE);
    if (status != STATUS_SUCCESS) {
        DbgPrint("hello: %s cannot be opened, status 0x%08x\n", path, status);
        return false;
    }
    u64 offset = 0;
    status = NtReadFile(file, 0, 0, 0, &io, text, sizeof text - 1, &offset);
    if (status == STATUS_PENDING) {
        NtWaitForSingleObjectEx(file, USER_MODE, 0, 0);
        status = io.status;
    }
    NtClose(file);
    if (status != STATUS_SUCCESS || io.information >= sizeof text) {
        DbgPrint("hello: %s cannot be read, status 0x%08x\n", path, status);
        return false;
    }
    text[io.information] = '\0';
    DbgPrint("hello: %s has %u bytes: %s", path, io.information, text);
    return true;
}

/* A row of the table with status MISSING, and one that stays so: it needs the console's own keys. */
static void call_missing(void)
{
    DbgPrint("hello: the missing export answered 0x%08x\n", XeKeysObfuscate(1, 0, 0, 0, 0));
}

static void deadlock(void)
{
    u32 event = 0;
    NtCreateEvent(&event, 0, SYNCHRONIZATION, 0);
    DbgPrint("hello: waiting for an event that nobody signals\n");
    NtWaitForSingleObjectEx(event, USER_MODE, 0, 0);
    DbgPrint("hello: the wait ended\n");
}

int main(int argc, char **argv)
{
    DbgPrint("hello: the guest speaks\n");
    print_numbers();
    bool good = print_file("game:\\hello.txt");
    for (int i = 1; i < argc; i++) {
        DbgPrint("hello: argument %d is [%s]\n", i, argv[i]);
    }
    if (weft_option(argc, argv, "missing") != 0) {
        call_missing();
    }
    if (weft_option(argc, argv, "fault") != 0) {
        DbgPrint("hello: storing to 0x00000010\n");
        volatile u32 *volatile nowhere = (volatile u32 *)0x10;
        *nowhere = 1;
        DbgPrint("hello: the store went through\n");
    }
    if (weft_option(argc, argv, "deadlock") != 0) {
        deadlock();
    }
    const char *code = weft_option(argc, argv, "exit");
    int result = code != 0 ? (int)weft_number(code) : good ? 0 : 1;
    DbgPrint("hello: ends with %d\n", result);
    return result;
}
