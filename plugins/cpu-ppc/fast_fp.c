/* fast_fp.c: scalar floating point by the host's, for interp-blocks. */
#include "threaded.h"

ppc_handler *ppc_fast_fp(ppc_handler *plain)
{
    return NULL;
}
