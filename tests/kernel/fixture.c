#include "fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xam.h"

fixture *fixture_open(void)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->fake = fake_host_create();
    f->k = calloc(1, sizeof *f->k);
    assert_non_null(f->k);
    f->k->host = &f->fake->host;
    f->k->memory = &f->fake->memory;
    f->k->clock = &f->fake->clock;
    f->k->machine = &f->fake->machine;
    ksource_init(f->k);
    f->k->mm = mm_create(f->k);
    assert_non_null(f->k->mm);
    f->k->vfs = vfs_create(f->k);
    assert_non_null(f->k->vfs);
    kwait_init(f->k);
    ktime_init(f->k);

    f->thread = aligned_alloc(_Alignof(kthread), sizeof *f->thread);
    assert_non_null(f->thread);
    memset(f->thread, 0, sizeof *f->thread);
    f->thread->k = f->k;
    f->thread->id = 1;
    f->thread->tid = 1;
    snprintf(f->thread->name, sizeof f->thread->name, "main");
    f->thread->cpu = calloc(1, sizeof *f->thread->cpu);
    assert_non_null(f->thread->cpu);
    f->k->threads = f->k->last_thread = f->k->running = f->thread;
    assert_true(ksched_live_room(f->k));
    ksched_live_add(f->k, f->thread);
    f->k->running_hw = &f->k->hw[0];

    uint32_t size = SCRATCH_BYTES;
    assert_int_equal(mm_virtual_alloc(f->k->mm, NULL, &f->scratch, &size,
                                      MM_COMMIT | MM_RESERVE | MM_LARGE_PAGES, MM_PAGE_READWRITE),
                     STATUS_SUCCESS);
    f->thread->cpu->r[1] = f->scratch + SCRATCH_BYTES - 0x400;
    f->thread->state = WEFT_THREAD_RUNNING;
    f->call = (kcall){.k = f->k, .thread = f->thread, .cpu = f->thread->cpu};
    return f;
}

void fixture_close(fixture *f)
{
    kfile_destroy(f->k);
    kxam_destroy(f->k);
    kobject_destroy_all(f->k);
    ktime_end(f->k);
    vfs_destroy(f->k->vfs);
    mm_destroy(f->k->mm);
    free(f->k->view_threads);
    free(f->k->view_order);
    fake_host_destroy(f->fake);
    free(f->thread->cpu);
    free(f->thread);
    free(f->k);
    free(f);
}

uint64_t invoke(fixture *f, kexport_fn fn, unsigned count, ...)
{
    va_list list;
    va_start(list, count);
    for (unsigned i = 0; i < count; i++) {
        uint64_t value = va_arg(list, uint64_t);
        if (i < 8) {
            f->thread->cpu->r[3 + i] = value;
        } else {
            /* the ninth argument is the word at sp+0x54, the next ones every 8 bytes (LESSONS 24)
             */
            set_word(f, (uint32_t)f->thread->cpu->r[1] + 0x54 + (i - 8) * 8, (uint32_t)value);
        }
    }
    va_end(list);
    f->call.faulted = false;
    f->result = fn(&f->call);
    return f->thread->cpu->r[3];
}

void pass(fixture *f, uint64_t ticks)
{
    kernel *k = f->k;
    uint64_t until = k->hw[0].time + ticks;
    k->running_hw = NULL;
    k->running = NULL;
    k->clock->advance(k->clock, until);
    k->running_hw = &k->hw[0];
    k->running = f->thread;
    k->hw[0].time = until;
}

bool resume(fixture *f)
{
    if (f->thread->state != WEFT_THREAD_READY || !f->thread->cont_ready) {
        return false;
    }
    f->thread->state = WEFT_THREAD_RUNNING;
    f->thread->cont_ready = false;
    f->result = kwait_resume(&f->call);
    return true;
}

uint8_t *at(const fixture *f, uint32_t address)
{
    return f->k->memory->base + address;
}

uint32_t word(const fixture *f, uint32_t address)
{
    return weft_load32(at(f, address));
}

uint64_t quad(const fixture *f, uint32_t address)
{
    return weft_load64(at(f, address));
}

void set_word(fixture *f, uint32_t address, uint32_t value)
{
    weft_store32(at(f, address), value);
}

void set_quad(fixture *f, uint32_t address, uint64_t value)
{
    weft_store64(at(f, address), value);
}

uint32_t set_text(fixture *f, uint32_t address, const char *text)
{
    memcpy(at(f, address), text, strlen(text) + 1);
    return address;
}

uint32_t set_wide(fixture *f, uint32_t address, const char *text)
{
    size_t i = 0;
    do {
        weft_store16(at(f, address) + i * 2, (uint8_t)text[i]);
    } while (text[i++]);
    return address;
}

char *folder_make(void)
{
    char *folder = strdup("/tmp/weft-kernel-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

void folder_file(const char *folder, const char *name, const void *bytes, size_t length)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = 0;
        mkdir(path, 0777);
        *p = '/';
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    return remove(path);
}

void folder_remove(char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
}
