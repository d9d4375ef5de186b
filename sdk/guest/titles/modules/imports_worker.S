#include "import.h"

    import_function worker_sum 1 "worker.xex"
    import_function worker_count 2 "worker.xex"
    import_variable worker_total 3 "worker.xex"
