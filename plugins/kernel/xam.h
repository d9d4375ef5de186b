/* What the files of XAM share: overlapped operations, notifications, the thread's last error. */
#ifndef WEFT_KERNEL_XAM_H
#define WEFT_KERNEL_XAM_H

#include "kernel.h"

/* HRESULTs: HRESULT_FROM_WIN32(code) is 0x80070000 | code ([MS-ERREF] 2.1). */
#define X_E_INVALIDARG   UINT32_C(0x80070057)
#define X_E_OUTOFMEMORY  UINT32_C(0x8007000E)
#define X_E_NO_SUCH_USER UINT32_C(0x80070525)
#define X_HRESULT(code)  ((code) ? UINT32_C(0x80070000) | (code) : 0)

/* Win32 errors beside those of status.h ([MS-ERREF] 2.2). */
#define X_ERROR_PATH_NOT_FOUND UINT32_C(3)
#define X_ERROR_NOT_LOGGED_ON  UINT32_C(1245)
#define X_ERROR_CANCELLED      UINT32_C(1223)
#define X_ERROR_ALREADY_EXISTS UINT32_C(183)
#define X_ERROR_DISK_FULL      UINT32_C(112)

#define XUSER_COUNT 4
#define XUSER_NONE  0xFE /* XUSER_INDEX_NONE, _ANY */
#define XUSER_ANY   0xFF

/* Areas and ids of notifications. An id's bits: 0-15 number, 16-24 version, 25-30 index of its
 * area's bit in a listener's mask (xenia src/xenia/kernel/xnotifylistener.h). */
#define XNOTIFY_SYSTEM             UINT64_C(1)
#define XNOTIFY_LIVE               UINT64_C(2)
#define XN_SYS_UI                  UINT32_C(0x00000009)
#define XN_SYS_SIGNINCHANGED       UINT32_C(0x0000000A)
#define XN_LIVE_CONNECTIONCHANGED  UINT32_C(0x02000001)
#define XN_LIVE_LINK_STATE_CHANGED UINT32_C(0x02000003)

/* An operation that may be overlapped: `fn` does it, at once or when its time has come, and sets
 * `result`, `extended` and `length`. It runs on no guest thread: it checks guest memory itself. */
typedef struct kxam_request kxam_request;
struct kxam_request {
    void (*fn)(kernel *k, kxam_request *request); /* NULL: the results stand already */
    uint32_t data[8];
    void *more;      /* from malloc, freed when the operation is over; also when it never begins */
    kobject *object; /* held until the operation is done, may be NULL */
    uint32_t result, extended, length;

    /* the rest is xam_overlapped.c's own */
    uint32_t overlapped;
    bool ui;
    kthread *thread;
    kobject *event;
    kxam_request *next;
};

/* Does the operation: with `overlapped` 0 at once, answering its result; else `delay` ticks later,
 * answering ERROR_IO_PENDING. Returns what the export returns. */
uint32_t kxam_begin(kcall *call, uint32_t overlapped, uint64_t delay, const kxam_request *what);
/* The same for a system dialogue that nobody sees: XN_SYS_UI before and after, and a user's time.
 */
uint32_t kxam_begin_ui(kcall *call, uint32_t overlapped, const kxam_request *what);
/* Drops operations that never completed; before kobject_destroy_all. */
void kxam_destroy(kernel *k);
/* Likewise what is known of tasks. */
void kxam_task_destroy(kernel *k);

/* Tells every listener whose mask and version cover the notification. */
void kxam_notify(kernel *k, uint32_t id, uint32_t parameter);
/* Empties every listener for good. */
void kxam_notify_destroy(kernel *k);

/* Guest memory outside a call: NULL where a byte of it is not there. */
uint8_t *kxam_memory(kernel *k, uint32_t address, uint32_t length, uint8_t access);
/* UTF-16 at `address`, at most capacity-1 characters, as ASCII with `?` for the rest. */
void kxam_text(kcall *call, uint32_t address, char *text, uint32_t capacity);

/* The profile of a user index: true and its XUID. XUSER_NONE is nobody's profile, 0; XUSER_ANY whoever
 * is signed in. False: *error is X_ERROR_NO_SUCH_USER, or X_ERROR_INVALID_PARAMETER for no index. */
bool kxam_user(const kernel *k, uint32_t user, uint64_t *xuid, uint32_t *error);
/* Gives the console a profile, signed in as user 0; "" or "none": none. False: no name for one. */
bool kxam_user_init(kernel *k, const char *name);

/* The title's id in its execution info, 0: it has none. */
uint32_t kxam_title_id(kernel *k);

/* A list that XamEnumerate hands out, and its handle; 0: out of memory. `items` are count * item_size
 * bytes as the guest is to see them, from malloc and taken over (NULL: none). */
uint32_t kxam_list_open(kcall *call, uint32_t item_size, uint32_t per_call, uint32_t count,
                        void *items);

/* The next items of a list into `buffer`; their count at `out`, 0: only in the overlapped. Returns
 * what the export returns. */
uint32_t kxam_list_next(kcall *call, uint32_t handle, uint32_t buffer, uint32_t size, uint32_t out,
                        uint32_t overlapped);

/* UTF-16 of `capacity` units at p, of ASCII; the rest is zero. */
void kxam_put_wide(uint8_t *p, uint32_t capacity, const char *text);

/* GetLastError and SetLastError of a thread: the word that titles read in its KTHREAD. */
uint32_t klast_error(const kthread *thread);
void klast_error_set(kthread *thread, uint32_t error);
/* SetLastError, and `answer` as the call's. */
uint32_t kfail_with(kcall *call, uint32_t error, uint32_t answer);

#endif
