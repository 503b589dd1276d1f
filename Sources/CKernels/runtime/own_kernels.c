// The choice of a thread, in a file of its own: regions and teams hand it on.

#include <stddef.h>

#include "threads.h"

_Thread_local const struct ck_kernels *ck_own_kernels = NULL;
