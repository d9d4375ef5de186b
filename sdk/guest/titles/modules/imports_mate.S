#include "import.h"

    import_function mate_factor 5 "mate.xex"
