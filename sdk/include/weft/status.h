/* weft/status.h: how calls across the plugin boundary report failure.
 *
 * Every fallible op returns a weft_status: WEFT_OK, or one negative code of the short list below.
 * The code says what kind of thing went wrong, for the caller's control flow; the sentence for
 * people goes through weft_host.fail first ("what, where, found, expected"). A guest fault (a wild
 * pointer in the title, say) is never a status: it is an event of the guest's world. */
#ifndef WEFT_STATUS_H
#define WEFT_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t weft_status;

#define WEFT_OK            ((weft_status)0)
#define WEFT_E_INVALID     ((weft_status)-1) /* an argument or option has no meaning here */
#define WEFT_E_NOT_FOUND   ((weft_status)-2) /* the named thing does not exist */
#define WEFT_E_UNSUPPORTED ((weft_status)-3) /* understood, and not done by this implementation */
#define WEFT_E_NO_MEMORY   ((weft_status)-4) /* host memory or guest address space is exhausted */
#define WEFT_E_IO          ((weft_status)-5) /* the host's file system or device failed */
#define WEFT_E_FORMAT      ((weft_status)-6) /* input from outside is malformed */
#define WEFT_E_VERSION     ((weft_status)-7) /* two sides speak different versions */
#define WEFT_E_STATE       ((weft_status)-8) /* right call, wrong moment */
#define WEFT_E_LIMIT       ((weft_status)-9) /* a documented limit is reached */

/* The code's name without prefix ("format"), for messages; "unknown" for anything else. Never NULL.
 * [any] */
static inline const char *weft_status_name(weft_status status)
{
    static const char *const names[] = {"ok",  "invalid", "not found", "unsupported", "no memory",
                                        "i/o", "format",  "version",   "state",       "limit"};
    return status <= 0 && status >= WEFT_E_LIMIT ? names[-status] : "unknown";
}

#ifdef __cplusplus
}
#endif
#endif
