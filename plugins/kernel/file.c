/* Opening files and moving their bytes.
 *
 * A transfer takes io_cost and io_cost_per_kib ticks of guest time, and its data, status block,
 * event and APC land together at the end. On a synchronous handle the caller waits for that tick;
 * on any other it goes on with STATUS_PENDING (LESSONS 48). */
#include "file.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "io_completion.h"
#include "order.h"

#define FILE_BODY_BYTES 64 /* the guest sees a dispatcher header, and never looks further */
#define SEGMENT_BYTES                                                                              \
    4096 /* ReadFileScatter fills pages (xenia xfile.cc), WriteFileGather takes them */

#define ROOT_DOS_DEVICES UINT32_C(0xFFFFFFFD) /* OBJECT_ATTRIBUTES.RootDirectory: \?? (xenia) */

typedef kfile_transfer transfer;

typedef struct kfile_request {
    transfer t;
    kobject *file, *event; /* retained; event may be NULL. Both are when it was cancelled */
    kthread *thread;       /* threads live as long as the kernel */
    bool waits;            /* the thread waits for it, on a synchronous handle */
    struct kfile_request *next;
} kfile_request;

/* ---- names and handles ----------------------------------------------------------------------- */

bool kfile_name_valid(const char *name, bool pattern)
{
    /* the prefix of DOS devices is the one place where a question mark belongs */
    name += strncmp(name, "\\??\\", 4) == 0 ? 4 : 0;
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7E || strchr("\"+,;<=>|", *c) ||
            (!pattern && (*c == '*' || *c == '?'))) {
            return false;
        }
    }
    return true;
}

kstatus kfile_name(kcall *call, uint32_t attributes, char *path, const vfs_file **root)
{
    uint32_t handle = kget32(call, attributes), name = kget32(call, attributes + 4);
    *root = NULL;
    path[0] = 0;
    if (call->faulted) {
        return STATUS_ACCESS_VIOLATION;
    }
    if (handle != 0 && handle != ROOT_DOS_DEVICES) {
        const kfile *folder = kfile_get(call, handle);
        if (!folder) {
            return STATUS_INVALID_HANDLE;
        }
        *root = folder->file;
    }
    if (name != 0) {
        uint32_t length = kget_ansi(call, name, path, VFS_PATH_MAX);
        if (call->faulted) {
            return STATUS_ACCESS_VIOLATION;
        }
        /* a NUL inside, or a name longer than any path */
        if (length != kget16(call, name) || strlen(path) != length) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        memcpy(call->path, path, length + 1);
    }
    return kfile_name_valid(path, false) ? STATUS_SUCCESS : STATUS_OBJECT_NAME_INVALID;
}

kfile *kfile_get(kcall *call, uint32_t handle)
{
    kobject *object = khandle_get(call->k, call->thread, handle, KOBJECT_FILE);
    return object ? object->data : NULL;
}

bool kfile_is_synchronous(const kfile *file)
{
    return (file->options & VFS_SYNCHRONOUS) != 0;
}

void kfile_put_status(kcall *call, uint32_t address, kstatus status, uint32_t information)
{
    if (address != 0) {
        kput32(call, address, status);
        kput32(call, address + 4, information);
    }
}

/* ---- opening --------------------------------------------------------------------------------- */

static void file_closed(kernel *k, kobject *object)
{
    kfile *file = object->data;
    vfs_close(file->file);
    if (file->port) {
        kobject_release(k, file->port);
    }
    free(file);
    object->data = NULL;
}

uint32_t kfile_handle(kcall *call, vfs_file *opened, uint32_t access, uint32_t options)
{
    kfile *file = calloc(1, sizeof *file);
    kobject *object =
        file ? kobject_create(call->k, call->thread, KOBJECT_FILE, call->caller, FILE_BODY_BYTES)
             : NULL;
    if (!object) {
        free(file);
        vfs_close(opened);
        return 0;
    }
    *file = (kfile){.file = opened, .access = access, .options = options};
    object->data = file;
    object->close = file_closed;
    uint32_t handle = khandle_open(call->k, call->thread, object);
    kobject_release(call->k, object); /* the handle keeps it */
    return handle;
}

void kfile_emit_open(kcall *call, uint32_t handle, const char *path, uint32_t access,
                     uint32_t disposition, uint32_t options, kstatus status)
{
    kobject *object = handle ? khandle_get(call->k, call->thread, handle, KOBJECT_FILE) : NULL;
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_VFS_OPEN);
    weft_event_word(&event, object ? object->id : 0); /* 0: it was refused */
    weft_event_text(&event, path, strlen(path));
    weft_event_word(&event, access);
    weft_event_word(&event, disposition);
    weft_event_word(&event, options);
    weft_event_word(&event, status);
    kemit(call->k, call->thread, &event);
}

static uint32_t create_file(kcall *call, uint32_t disposition, uint32_t options)
{
    uint32_t out = karg(call, 0), access = karg(call, 1), attributes = karg(call, 2);
    uint32_t status_block = karg(call, 3), action = VFS_DOES_NOT_EXIST, handle = 0;
    char path[VFS_PATH_MAX];
    const vfs_file *root;
    vfs_file *opened;
    if (attributes == 0 || out == 0) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    kstatus status = kfile_name(call, attributes, path, &root);
    if (status == STATUS_SUCCESS) {
        status = vfs_open(call->k->vfs, root, path, disposition, options, &opened, &action);
    }
    if (status == STATUS_SUCCESS) {
        handle = kfile_handle(call, opened, access, options);
        if (handle == 0) {
            status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            kput32(call, out, handle);
        }
    }
    kfile_emit_open(call, handle, path, access, disposition, options, status);
    kfile_put_status(call, status_block, status, action);
    return kret_status(call, status);
}

uint32_t ex_NtCreateFile(kcall *call)
{
    return create_file(call, karg(call, 7), karg(call, 8));
}

/* Its options are the fifth argument, in r7 (LESSONS 25). */
uint32_t ex_NtOpenFile(kcall *call)
{
    return create_file(call, VFS_OPEN, karg(call, 4));
}

/* ---- transfers ------------------------------------------------------------------------------- */

static uint64_t transfer_ticks(kernel *k, uint32_t length)
{
    return k->machine->io_cost + k->machine->io_cost_per_kib * (((uint64_t)length + 1023) / 1024);
}

/* Reads into one range of guest memory. */
static kstatus read_range(kernel *k, kfile *file, uint64_t offset, uint32_t address,
                          uint32_t length, uint32_t *done)
{
    /* only what the file can fill has to be writable */
    vfs_info info;
    vfs_info_get(file->file, &info);
    uint64_t left = offset < info.size ? info.size - offset : 0;
    uint32_t most = left < length ? (uint32_t)left : length;
    if (!weft_memory_ok(k->memory, address, most, WEFT_PAGE_WRITE)) {
        return STATUS_ACCESS_VIOLATION;
    }
    kstatus status = vfs_read(file->file, offset, k->memory->base + address, length, done);
    if (*done > 0) {
        kwritten(k, address, *done);
    }
    return status;
}

/* Writes out of one range of guest memory. */
static kstatus write_range(kernel *k, kfile *file, uint64_t offset, uint32_t address,
                           uint32_t length, uint32_t *done)
{
    *done = 0;
    return weft_memory_ok(k->memory, address, length, WEFT_PAGE_READ)
               ? vfs_write(file->file, offset, k->memory->base + address, length, done)
               : STATUS_ACCESS_VIOLATION;
}

/* Reads into the pages of a list, or writes out of them. */
static kstatus move_pages(kernel *k, kfile *file, uint64_t offset, const transfer *t,
                          uint32_t *done)
{
    kstatus status = STATUS_SUCCESS;
    uint32_t list = t->buffer;
    *done = 0;
    while (*done < t->length && status == STATUS_SUCCESS) {
        uint32_t left = t->length - *done, got = 0;
        uint32_t piece = left < SEGMENT_BYTES ? left : SEGMENT_BYTES;
        if (!weft_memory_ok(k->memory, list, 4, WEFT_PAGE_READ)) {
            return STATUS_ACCESS_VIOLATION;
        }
        uint32_t address = weft_load32(k->memory->base + list);
        status = (t->what == KFILE_SCATTER ? read_range : write_range)(k, file, offset + *done,
                                                                       address, piece, &got);
        *done += got;
        list += 4;
        if (got < piece) {
            break;
        }
    }
    return status == STATUS_END_OF_FILE && *done > 0 ? STATUS_SUCCESS : status;
}

static bool is_writing(const transfer *t)
{
    return t->what == KFILE_WRITING || t->what == KFILE_GATHER;
}

/* The offset that a transfer means. One without an offset goes on where the latest one ended (NT
 * keeps the position on synchronous handles; the others have none of their own, and a title that
 * gives no offset there gets this one). */
static uint64_t transfer_offset(const kfile *file, const transfer *t)
{
    if (t->offset == KFILE_OFFSET_CURRENT) {
        return file->position;
    }
    if (t->offset == KFILE_OFFSET_APPEND && is_writing(t)) {
        vfs_info info;
        vfs_info_get(file->file, &info);
        return info.size;
    }
    return t->offset;
}

/* Moves the bytes; *done of them. */
static kstatus transfer_do(kernel *k, kfile *file, const transfer *t, uint32_t *done)
{
    kstatus status;
    uint64_t offset = transfer_offset(file, t);
    *done = 0;
    if (offset > INT64_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    if (t->what == KFILE_READING) {
        status = read_range(k, file, offset, t->buffer, t->length, done);
    } else if (t->what == KFILE_WRITING) {
        status = write_range(k, file, offset, t->buffer, t->length, done);
    } else {
        status = move_pages(k, file, offset, t, done);
    }
    file->position = offset + *done;
    return status;
}

/* Everything that a completed transfer leaves behind, at once. */
static void transfer_finish(kernel *k, kthread *thread, kobject *file, kobject *event,
                            const transfer *t, kstatus status, uint32_t done)
{
    if (t->status_block != 0 && weft_memory_ok(k->memory, t->status_block, 8, WEFT_PAGE_WRITE)) {
        weft_store32(k->memory->base + t->status_block, status);
        weft_store32(k->memory->base + t->status_block + 4, done);
        kwritten(k, t->status_block, 8);
    }
    if (event) {
        ksignal_event(k, event);
    }
    ksignal_event(k, file);
    /* the lowest bit only says that no completion port is to be told (xenia xboxkrnl_io.cc) */
    if ((t->routine & ~UINT32_C(1)) != 0 && thread->state != WEFT_THREAD_TERMINATED) {
        kapc_queue(k, thread, t->routine & ~UINT32_C(1), t->context, t->status_block, 0);
    }
    const kfile *opened = file->data;
    if (opened->port && t->context != 0 && !(t->routine & 1) &&
        !kcompletion_post(k, opened->port, opened->port_key, t->context, status, done)) {
        k->host->log(k->host, WEFT_LOG_WARN, "out of memory for a completion packet");
    }
}

/* Lets go of what it holds; it may still be on the clock. */
static void request_release(kernel *k, kfile_request *request)
{
    if (request->event) {
        kobject_release(k, request->event);
    }
    if (request->file) {
        kobject_release(k, request->file);
    }
    request->event = request->file = NULL;
}

static void request_free(kernel *k, kfile_request *request)
{
    kfile_request **at = &k->file_requests;
    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    request_release(k, request);
    free(request);
}

static void emit_complete(kernel *k, const kobject *file, const kthread *requester, kstatus status,
                          uint32_t done)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_IO_COMPLETE);
    weft_event_word(&event, file->id);
    weft_event_word(&event, requester->id);
    weft_event_word(&event, status);
    weft_event_word(&event, done);
    kemit(k, NULL, &event);
}

static void request_end(kernel *k, kfile_request *request, kstatus status, uint32_t done)
{
    kthread *thread = request->thread;
    emit_complete(k, request->file, thread, status, done);
    transfer_finish(k, thread, request->file, request->event, &request->t, status, done);
    if (request->waits) {
        thread->cont_data[0] = status;
        thread->cont_data[1] = done;
        kwait_end(k, thread, STATUS_SUCCESS, request->file->id, know(k));
    }
}

static void request_completed(kernel *k, void *data)
{
    kfile_request *request = data;
    if (request->file) { /* else it was cancelled */
        uint32_t done;
        kstatus status = transfer_do(k, request->file->data, &request->t, &done);
        request_end(k, request, status, done);
    }
    request_free(k, request);
}

static kobject *signalled_by(const void *data)
{
    const kfile_request *request = data;
    return request->event ? request->event : request->file;
}

void kfile_destroy(kernel *k)
{
    while (k->file_requests) {
        request_free(k, k->file_requests);
    }
}

/* The eight arguments that NtReadFile, NtWriteFile and their forms for pages share: file, event, APC
 * routine and context, status block, buffer, length, pointer to the offset or 0. */
static transfer transfer_of(kcall *call, uint32_t what)
{
    transfer t = {
        .what = what,
        .routine = karg(call, 2),
        .context = karg(call, 3),
        .status_block = karg(call, 4),
        .buffer = karg(call, 5),
        .length = karg(call, 6),
        .offset = KFILE_OFFSET_CURRENT,
    };
    if (karg(call, 7) != 0) {
        t.offset = kget64(call, karg(call, 7));
    }
    return t;
}

/* vfs.read or vfs.write, by the thread that asks. */
static void emit_transfer(kcall *call, const kobject *file, const transfer *t)
{
    weft_event_buffer event;
    weft_event_begin(&event, is_writing(t) ? WEFT_EVENT_VFS_WRITE : WEFT_EVENT_VFS_READ);
    weft_event_word(&event, file->id);
    weft_event_word(&event, transfer_offset(file->data, t));
    weft_event_word(&event, t->length);
    kemit(call->k, call->thread, &event);
}

/* The synchronous caller goes on. */
static uint32_t transfer_waited(kcall *call, uint32_t status)
{
    (void)status;
    return kret_status(call, (kstatus)call->thread->cont_data[0]);
}

/* A machine without latency: the transfer is over at once. */
static uint32_t transfer_now(kcall *call, kobject *file, kobject *event, const transfer *t,
                             kcontinuation cont)
{
    uint32_t done;
    kstatus status = transfer_do(call->k, file->data, t, &done);
    uint64_t before = ksource_act(call->k, KSOURCE_IO);
    emit_complete(call->k, file, call->thread, status, done);
    ksource_end(call->k, before);
    transfer_finish(call->k, call->thread, file, event, t, status, done);
    call->thread->cont_data[0] = status;
    call->thread->cont_data[1] = done;
    return cont(call, STATUS_SUCCESS);
}

/* Completes `request` when its time is over; it holds its objects until then. */
static void request_schedule(kernel *k, kfile_request *request, uint64_t ticks)
{
    request->next = k->file_requests;
    k->file_requests = request;
    kobject_retain(request->file);
    if (request->event) {
        kobject_retain(request->event);
    }
    uint64_t now = know(k);
    ticks = kpolicy_delay(k, request->thread, WEFT_DELAY_IO, ticks);
    ticks = ticks < WEFT_TICK_NEVER - 1 - now ? ticks : WEFT_TICK_NEVER - 1 - now;
    kio_schedule(k, now + ticks, request_completed, signalled_by, request);
}

bool kfile_may(const kfile *file, uint32_t what)
{
    bool write = what == KFILE_WRITING || what == KFILE_GATHER;
    uint32_t rights =
        write ? KFILE_WRITE_DATA | KFILE_APPEND_DATA | KFILE_WRITE : KFILE_READ_DATA | KFILE_READ;
    return (file->access & (rights | KFILE_ALL)) != 0;
}

static uint32_t transfer_begin(kcall *call, uint32_t what)
{
    kernel *k = call->k;
    transfer t = transfer_of(call, what);
    kobject *object = khandle_get(k, call->thread, karg(call, 0), KOBJECT_FILE);
    kobject *event =
        karg(call, 1) ? khandle_get(k, call->thread, karg(call, 1), KOBJECT_EVENT) : NULL;
    if (call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    if (!object || (karg(call, 1) && !event)) {
        return kret_status(call, khandle_error(k, call->thread, karg(call, object ? 1 : 0)));
    }
    const kfile *file = object->data;
    if (!kfile_may(file, what)) {
        return kret_status(call, STATUS_ACCESS_DENIED);
    }
    if (file->port && (t.routine & ~UINT32_C(1)) != 0) { /* NT: a port or an APC */
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    return kfile_begin(call, object, event, &t, transfer_waited);
}

uint32_t kfile_begin(kcall *call, kobject *object, kobject *event, const transfer *asked,
                     kcontinuation cont)
{
    kernel *k = call->k;
    transfer t = *asked;
    const kfile *file = object->data;
    uint64_t ticks = transfer_ticks(k, t.length);
    if ((t.routine & ~UINT32_C(1)) != 0 && !kapc_room(call->thread)) {
        return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
    }
    bool waits = kfile_is_synchronous(file);
    if (waits && ticks == 0) {
        emit_transfer(call, object, &t);
        return transfer_now(call, object, event, &t, cont);
    }
    if (waits && !korder_before_wait(call, NULL, 0)) {
        return K_AGAIN;
    }
    kfile_request *request = calloc(1, sizeof *request);
    if (!request) {
        return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
    }
    if (!waits) {
        kfile_put_status(call, t.status_block, STATUS_PENDING, 0);
    }
    if (call->faulted) {
        free(request);
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    *request = (kfile_request){
        .t = t,
        .file = object,
        .event = event,
        .thread = call->thread,
        .waits = waits,
    };
    emit_transfer(call, object, &t);
    if (waits) {
        uint32_t answer = kwait_begin(call, NULL, 0, false, false, NULL, cont);
        if (answer == K_WAIT) {
            request_schedule(k, request, ticks);
        } else { /* a DPC */
            free(request);
        }
        return answer;
    }
    kreset_event(k, object);
    if (event) {
        kreset_event(k, event);
    }
    request_schedule(k, request, ticks);
    return kret_status(call, STATUS_PENDING);
}

uint32_t ex_NtReadFile(kcall *call)
{
    return transfer_begin(call, KFILE_READING);
}

uint32_t ex_NtReadFileScatter(kcall *call)
{
    return transfer_begin(call, KFILE_SCATTER);
}

uint32_t ex_NtWriteFile(kcall *call)
{
    return transfer_begin(call, KFILE_WRITING);
}

uint32_t ex_NtWriteFileGather(kcall *call)
{
    return transfer_begin(call, KFILE_GATHER);
}

/* Ends what is on its way on a file, of one thread (NULL: of any) or with one status block (0: any),
 * as if the device had given up: nothing is moved. How many there were. */
static uint32_t cancel(kernel *k, const kobject *file, const kthread *thread, uint32_t block)
{
    uint32_t count = 0;
    for (kfile_request *r = k->file_requests; r; r = r->next) {
        if (r->file != file || r->waits || (thread && r->thread != thread) ||
            (block && r->t.status_block != block)) {
            continue;
        }
        uint64_t before = ksource_act(k, KSOURCE_IO);
        request_end(k, r, STATUS_CANCELLED, 0);
        ksource_end(k, before);
        request_release(k, r);
        count++;
    }
    return count;
}

/* (file, status block): the caller's own operations; success also where there are none (NT). */
uint32_t ex_NtCancelIoFile(kcall *call)
{
    kobject *file = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_FILE);
    if (!file) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    kobject_retain(file); /* a request may hold the last reference */
    cancel(call->k, file, call->thread, 0);
    kobject_release(call->k, file);
    kfile_put_status(call, karg(call, 1), STATUS_SUCCESS, 0);
    return kret_status(call, STATUS_SUCCESS);
}

/* (file, status block of one operation or 0, status block): whoever began them (NT 6). */
uint32_t ex_NtCancelIoFileEx(kcall *call)
{
    kobject *file = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_FILE);
    if (!file) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    kobject_retain(file);
    uint32_t count = cancel(call->k, file, NULL, karg(call, 1));
    kobject_release(call->k, file);
    kstatus status = count ? STATUS_SUCCESS : STATUS_NOT_FOUND;
    kfile_put_status(call, karg(call, 2), status, 0);
    return kret_status(call, status);
}

/* (attributes): opens the file, and deletes it when that is closed. */
uint32_t ex_NtDeleteFile(kcall *call)
{
    char path[VFS_PATH_MAX];
    const vfs_file *root;
    vfs_file *opened;
    uint32_t action;
    kstatus status = kfile_name(call, karg(call, 0), path, &root);
    if (status == STATUS_SUCCESS) {
        status = vfs_open(call->k->vfs, root, path, VFS_OPEN, 0, &opened, &action);
    }
    if (status == STATUS_SUCCESS) {
        status = vfs_delete_set(opened, true);
        vfs_close(opened);
    }
    return kret_status(call, status);
}

uint32_t ex_NtFlushBuffersFile(kcall *call)
{
    kfile *file = kfile_get(call, karg(call, 0));
    if (!file) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    vfs_flush(file->file);
    kfile_put_status(call, karg(call, 1), STATUS_SUCCESS, 0);
    return kret_status(call, STATUS_SUCCESS);
}
