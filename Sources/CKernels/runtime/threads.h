#ifndef CK_THREADS_H
#define CK_THREADS_H

#include "include/ck_runtime.h"

/// The kernels that a thread has chosen for its calls, or NULL for the process's. In ck_parallel, workers have their
/// caller's.
extern _Thread_local const struct ck_kernels *ck_own_kernels;

/// Runs tasks 0 ..< task_count, each exactly once, on up to ck_threads() threads, and returns when all are done. Tasks
/// must write to disjoint memory. `work` estimates the whole call in floating-point operations or bytes moved,
/// whichever is more; small work stays on the calling thread, where the tasks run in order, and so does what a task
/// asks for. A task's worker is below ck_worker_limit(task_count).
///
/// Tasks alone run in the kernels' own floating-point mode. Therefore drivers do all arithmetic on floats in tasks;
/// outside of tasks they may copy floats, and calculate with sizes.
void ck_parallel(int64_t task_count, double work, ck_task task, void *context);

/// How many threads a call with enough tasks would use: 1 in a task of another call. Drivers may choose by this number
/// which task computes what, but never the order of a sum.
int ck_call_threads(void);

/// Runs `task` once, as task 0 on the calling thread: for arithmetic that is too short for several threads.
static inline void ck_serial(ck_task task, void *context) { ck_parallel(1, 0, task, context); }

/// How many workers may run `task_count` tasks: what private scratch must be multiplied by.
static inline int ck_worker_limit(int64_t task_count) {
    const int most = ck_most_workers();
    return task_count < most ? (int)task_count : most;
}

#endif
