/* canon_shared.c: see canon_shared.h. There is no such form yet: nothing can be made. */
#include "canon_shared.h"

canon_shared *canon_shared_new(void)
{
    return NULL;
}

void canon_shared_free(canon_shared *canon)
{
    (void)canon;
}

canon_shared *canon_shared_clone(const canon_shared *canon)
{
    (void)canon;
    return NULL;
}

int canon_shared_add(canon_shared *canon, const weft_trace *trace, const weft_event *event,
                     uint64_t *hash)
{
    (void)canon, (void)trace, (void)event, (void)hash;
    return 0;
}

int canon_shared_no_memory(const canon_shared *canon)
{
    (void)canon;
    return 1;
}
