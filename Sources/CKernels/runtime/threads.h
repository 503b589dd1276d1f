#ifndef CK_THREADS_H
#define CK_THREADS_H

#include "include/ck_runtime.h"

/// The kernels that a thread has chosen for its calls, or NULL for the process's. In ck_parallel, workers have their
/// caller's.
extern _Thread_local const struct ck_kernels *ck_own_kernels;

/// Runs tasks 0 ..< task_count, each exactly once, on up to ck_threads() threads, and returns when all are done. Tasks
/// must write to disjoint memory. `work` estimates the whole call in floating-point operations or bytes moved,
/// whichever is more; small work stays on the calling thread, where the tasks run in order. What a task asks for stays
/// on the task's thread, too, but a team shares the calls of a task of ck_run_tasks. A task's worker is below
/// ck_worker_limit(task_count).
///
/// Tasks alone run in the kernels' own floating-point mode. Therefore drivers do all arithmetic on floats in tasks;
/// outside of tasks they may copy floats, and calculate with sizes.
void ck_parallel(int64_t task_count, double work, ck_task task, void *context);

/// Work in stages. Each stage begins when all tasks of the stage before are finished. Tasks of a stage must write to
/// disjoint memory.
typedef struct ck_stages {
    void *context;
    int64_t stage_count;
    int64_t (*task_count)(void *context, int64_t stage); ///< at least 1
    void (*task)(void *context, int64_t stage, int64_t index, int worker);
} ck_stages;

/// Runs all stages, as ck_parallel runs tasks, and with much less between two stages than between two calls of
/// ck_parallel. `most_tasks` is the largest number of tasks of a stage. A task's worker is below
/// ck_worker_limit(most_tasks).
void ck_parallel_stages(const ck_stages *stages, int64_t most_tasks, double work);

/// How many threads a call with so much work may use now. It may decide how tasks share pieces of work, and not the
/// order of any sum.
int ck_threads_for(double work);

/// Runs `task` once, as task 0 on the calling thread: for arithmetic that is too short for several threads.
static inline void ck_serial(ck_task task, void *context) { ck_parallel(1, 0, task, context); }

/// How many workers may run `task_count` tasks: what private scratch must be multiplied by.
static inline int ck_worker_limit(int64_t task_count) {
    const int most = ck_most_workers();
    return task_count < most ? (int)task_count : most;
}

#endif
