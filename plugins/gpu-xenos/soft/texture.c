/* Textures that are kept from draw to draw.
 *
 * An image is made for each different set of the fetch constant's bits that say what texels are; how
 * they are sampled is in small views that live for one draw. Memory's changes make images stale; the
 * next draw that asks decodes them anew. The oldest go when room is needed, in the order of their use,
 * so that what is kept depends on draws alone, and results on neither. */
#include "texture.h"

#include <stdlib.h>
#include <string.h>

#include "../state.h"
#include "texture_image.h"

#define BUCKETS    1024u
#define IMAGES_MAX 8192u /* images without texels take a little too */
#define VIEWS      64u

typedef struct view_block {
    struct soft_texture views[VIEWS];
    struct view_block *next;
} view_block;

struct soft_textures {
    const xenos_memory *memory;
    uint64_t limit, bytes; /* of texels */
    uint64_t draw;         /* what was used in this one stays */
    uint32_t count;
    soft_image *newest, *oldest;
    soft_image *buckets[BUCKETS];
    view_block *first, *block; /* the one that is being filled */
    uint32_t views;            /* in it */
};

soft_textures *soft_textures_new(const xenos_memory *memory)
{
    soft_textures *textures = calloc(1, sizeof *textures);
    view_block *block = calloc(1, sizeof *block);
    if (textures == NULL || block == NULL) {
        free(textures);
        free(block);
        return NULL;
    }
    textures->memory = memory;
    textures->limit = SOFT_TEXTURE_BYTES;
    textures->draw = 1;
    textures->first = textures->block = block;
    return textures;
}

void soft_textures_limit(soft_textures *textures, uint64_t bytes)
{
    textures->limit = bytes;
}

static uint32_t bucket_of(const uint32_t key[6])
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 6; i++) {
        hash = (hash ^ key[i]) * 16777619u;
        hash ^= hash >> 15;
    }
    return hash % BUCKETS;
}

static void unlink_use(soft_textures *textures, soft_image *image)
{
    *(image->newer != NULL ? &image->newer->older : &textures->newest) = image->older;
    *(image->older != NULL ? &image->older->newer : &textures->oldest) = image->newer;
}

static void link_newest(soft_textures *textures, soft_image *image)
{
    image->newer = NULL;
    image->older = textures->newest;
    *(textures->newest != NULL ? &textures->newest->newer : &textures->oldest) = image;
    textures->newest = image;
}

static void drop_texels(soft_textures *textures, soft_image *image)
{
    if (image->texels != NULL) {
        textures->bytes -= image->bytes;
        free(image->texels);
        image->texels = NULL;
    }
}

static void drop(soft_textures *textures, soft_image *image)
{
    soft_image **link = &textures->buckets[bucket_of(image->key)];
    while (*link != image) {
        link = &(*link)->chain;
    }
    *link = image->chain;
    unlink_use(textures, image);
    drop_texels(textures, image);
    textures->count--;
    free(image);
}

void soft_textures_free(soft_textures *textures)
{
    if (textures == NULL) {
        return;
    }
    while (textures->oldest != NULL) {
        drop(textures, textures->oldest);
    }
    while (textures->first != NULL) {
        view_block *next = textures->first->next;
        free(textures->first);
        textures->first = next;
    }
    free(textures);
}

/* Makes room for `bytes` more; 0 when what this draw uses leaves too little. */
static int make_room(soft_textures *textures, uint64_t bytes)
{
    while (textures->oldest != NULL && textures->oldest->used != textures->draw &&
           (textures->bytes + bytes > textures->limit || textures->count >= IMAGES_MAX)) {
        drop(textures, textures->oldest);
    }
    return textures->bytes + bytes <= textures->limit;
}

/* The bits that decide what an image's numbers are. */
static void key_of(const uint32_t fetch[6], uint32_t key[6])
{
    key[0] = fetch[0] & 0xFFC003FFu; /* type, signs, pitch, tiled */
    key[1] = fetch[1] & 0xFFFFF4FFu; /* format, endian, stacked, base */
    key[2] = fetch[2];
    key[3] = fetch[3] & 0x0007FFFFu; /* number format, swizzle, exponent */
    key[4] = fetch[4] & 0x000003FCu; /* levels */
    key[5] = fetch[5] & 0xFFFFFE00u; /* dimension, packed, mips */
}

static void watch(const xenos_memory *memory, const uint64_t range[2])
{
    if (memory->watch != NULL && range[0] < range[1] && range[0] < memory->size) {
        uint64_t end = range[1] < memory->size ? range[1] : memory->size;
        memory->watch(memory->context, (uint32_t)range[0], (uint32_t)(end - range[0]));
    }
}

/* Decodes, where there is room; asks to hear of changes before it looks. */
static void refresh(soft_textures *textures, soft_image *image)
{
    image->stale = 0;
    image->storage = image->numbers;
    if (image->texels == NULL) {
        void *texels = NULL;
        if (image->bytes <= textures->limit && make_room(textures, image->bytes)) {
            texels = aligned_alloc(64, (size_t)((image->bytes + 127) & ~UINT64_C(63)));
        }
        if (texels == NULL) {
            image->storage = SOFT_MEMORY;
            return;
        }
        image->texels = texels;
        textures->bytes += image->bytes;
    }
    watch(textures->memory, image->range[0]);
    watch(textures->memory, image->range[1]);
    soft_image_decode(image);
}

/* The image of a constant, or NULL with *none set when it is no texture. */
static soft_image *find_image(soft_textures *textures, const uint32_t fetch[6], int *none)
{
    uint32_t key[6];
    key_of(fetch, key);
    soft_image **bucket = &textures->buckets[bucket_of(key)];
    for (soft_image *image = *bucket; image != NULL; image = image->chain) {
        if (memcmp(image->key, key, sizeof key) == 0) {
            unlink_use(textures, image);
            link_newest(textures, image);
            return image;
        }
    }
    soft_image *image = malloc(sizeof *image);
    *none = image != NULL && !soft_image_describe(image, fetch, textures->memory);
    if (image == NULL || *none) {
        free(image);
        return NULL;
    }
    (void)make_room(textures, 0);
    memcpy(image->key, key, sizeof key);
    image->stale = 1;
    image->chain = *bucket;
    *bucket = image;
    link_newest(textures, image);
    textures->count++;
    return image;
}

static struct soft_texture *new_view(soft_textures *textures)
{
    if (textures->views == VIEWS) {
        if (textures->block->next == NULL) {
            textures->block->next = calloc(1, sizeof *textures->block);
        }
        if (textures->block->next == NULL) {
            return NULL;
        }
        textures->block = textures->block->next;
        textures->views = 0;
    }
    struct soft_texture *view = &textures->block->views[textures->views++];
    memset(view, 0, sizeof *view);
    return view;
}

/* Border colours of xenia's xenos.h BorderColor: black and white of ABGR, black of Cr Y Cb and of
 * Y Cr Cb; their alpha is 0 but for white. */
static void set_border(struct soft_texture *view, const uint32_t fetch[6])
{
    static const float colours[4][4] = {
        {0, 0, 0, 0}, {1, 1, 1, 1}, {0.5f, 0, 0.5f, 0}, {0, 0.5f, 0.5f, 0}};
    const soft_image *image = view->image;
    float adjust = xenos_float((uint32_t)(127 - xenos_signed_bits(fetch[3], 13, 6)) << 23);
    for (uint32_t o = 0; o < 4; o++) {
        const soft_channel *channel = &image->channels[o];
        uint32_t select = xenos_bits(fetch[3], 1 + o * 3, 3);
        if (channel->constant) {
            view->border[o] = channel->number;
            continue;
        }
        float value = colours[fetch[5] & 3][select & 3];
        if (select == 3 && xenos_bits(fetch[5], 2, 1)) {
            value = 1; /* force_bc_w_to_max */
        }
        view->border[o] = value * (image->divisor[o] / adjust) + image->offset[o];
    }
}

static float power_of_two(int32_t exponent) /* -126..127 */
{
    return xenos_float((uint32_t)(127 + exponent) << 23);
}

static void set_view(struct soft_texture *view, const uint32_t fetch[6])
{
    for (uint32_t i = 0; i < 3; i++) {
        view->clamp[i] = (uint8_t)xenos_bits(fetch[0], 10 + i * 3, 3);
    }
    view->mag_filter = (uint8_t)xenos_bits(fetch[3], 19, 2);
    view->min_filter = (uint8_t)xenos_bits(fetch[3], 21, 2);
    view->mip_filter = (uint8_t)xenos_bits(fetch[3], 23, 2);
    view->aniso_filter = (uint8_t)xenos_bits(fetch[3], 25, 3);
    view->vol_mag_filter = (uint8_t)xenos_bits(fetch[4], 0, 1);
    view->vol_min_filter = (uint8_t)xenos_bits(fetch[4], 1, 1);
    view->lod_bias = xenos_signed_bits(fetch[4], 12, 10) * 2048; /* 5 fractional bits */
    view->gradient_scale[0] = power_of_two(xenos_signed_bits(fetch[4], 22, 5));
    view->gradient_scale[1] = power_of_two(xenos_signed_bits(fetch[4], 27, 5));
    if (view->image != NULL) {
        set_border(view, fetch);
    }
}

const soft_texture *soft_textures_prepare(soft_textures *textures, const uint32_t fetch[6])
{
    int none = 0;
    soft_image *image = find_image(textures, fetch, &none);
    struct soft_texture *view = new_view(textures);
    if (view == NULL || (image == NULL && !none)) {
        return NULL;
    }
    if (image != NULL) {
        int first = image->used != textures->draw;
        image->used = textures->draw;
        if (image->stale || (first && image->storage == SOFT_MEMORY)) {
            refresh(textures, image);
        }
    }
    view->image = image;
    set_view(view, fetch);
    return view;
}

void soft_textures_release(soft_textures *textures)
{
    textures->draw++;
    textures->block = textures->first;
    textures->views = 0;
}

void soft_textures_written(soft_textures *textures, uint32_t start, uint32_t length)
{
    uint64_t end = (uint64_t)start + length;
    for (soft_image *image = textures->newest; image != NULL; image = image->older) {
        for (int i = 0; i < 2; i++) {
            if (start < image->range[i][1] && end > image->range[i][0]) {
                image->stale = 1;
            }
        }
    }
}
