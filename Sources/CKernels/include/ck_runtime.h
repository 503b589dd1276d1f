#ifndef CK_RUNTIME_H
#define CK_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Instruction sets, each one translation unit compiled from the same tile sources.
typedef enum ck_isa {
    CK_ISA_PORTABLE = 0, ///< 16-byte vectors, whatever the target's baseline offers
    CK_ISA_NEON = 1,     ///< AArch64
    CK_ISA_AVX2 = 2,     ///< AVX2 with FMA
    CK_ISA_AVX512 = 3,   ///< AVX-512 F, BW, DQ and VL with FMA
} ck_isa;

/// True if this build holds kernels for `isa` and this CPU (and its operating system) can run them.
bool ck_isa_available(ck_isa isa);

/// The instruction set that the calling thread uses: what it has selected, or else the process's. That is the best
/// available one, or the one that the environment variable CK_ISA names (portable, neon, avx2, avx512) at the first
/// call, if it is available.
ck_isa ck_isa_current(void);

/// Chooses the instruction set for later calls of the calling thread, wherever they run their tasks; other threads keep
/// theirs. Returns false, and changes nothing, if it is not available.
bool ck_isa_select(ck_isa isa);

/// The lower-case name that CK_ISA accepts, for example "avx512".
const char *ck_isa_name(ck_isa isa);

/// NULL if CK_ISA is unset or could be honoured; otherwise its value, which was ignored.
const char *ck_isa_rejected_request(void);

/// Sets how many threads later calls may use, at least 1. The default is the number that OMP_NUM_THREADS names, else
/// ck_processors("").
void ck_set_threads(int threads);

/// How many processors this process may use: those of its affinity mask, at most as many as the quotas of its control
/// groups (cgroup v1 and v2) give, rounded up. `root` is the directory that stands for "/" in the names of the system's
/// files; "" for the system's own.
int ck_processors(const char *root);

/// Asks the system for the threads that calls may use, and for `helpers` more, and lowers ck_set_threads' number to
/// what the system gives. To be called while the process has one thread. Returns the number.
int ck_fit_threads(int helpers);

/// Gives the calling thread the processors that the process was started with, if a variable for OpenMP (OMP_PROC_BIND
/// and its kind) binds threads. Without the call, a new thread would share the core of the bound thread that starts the
/// new thread.
void ck_unbind_thread(void);

/// Sets how many threads later calls of the calling thread may use. 0 gives the number of ck_set_threads. Other threads
/// keep their numbers. Returns the number before.
int ck_set_own_threads(int threads);

/// How many threads the calling thread's calls may use now: 1 in a task whose calls no team shares. A call uses at most
/// ck_most_workers(), and fewer where the system gives fewer.
int ck_threads(void);

/// The most threads of one call: the number of processors or the number that OMP_NUM_THREADS names, whichever is more,
/// but at least 64 and at most 256. Scratch that is private to a thread has room for so many. Memory that no thread
/// uses is never touched. The number stays the same while the process runs.
int ck_most_workers(void);

/// One of several pieces of work. `task` selects what to compute; `worker` may select private scratch and nothing else:
/// a result must not depend on it.
typedef void (*ck_task)(void *context, int64_t task, int worker);

/// Runs tasks 0 ..< task_count, each exactly once, on up to `worker_limit` threads, and returns when all are done.
/// Workers are below the limit, and what runs at once must write to disjoint memory. `finish` follows each task on its
/// worker: one at a time, in order of the tasks. Where there are more threads than tasks to run at once, each worker
/// leads a team, which shares the calls of this library that the worker's tasks make. Elsewhere such calls stay on the
/// task's thread, unless there is one worker only.
void ck_run_tasks(int64_t task_count, int worker_limit, ck_task task, ck_task finish, void *context);

/// The operations of the calling thread's tasks since the thread began; the sum wraps around. Multiplications and
/// additions count, or bytes moved where the bytes take longer. The operations of a task follow from shapes, from the
/// number of threads and from the instruction set alone.
uint64_t ck_own_operations(void);

/// Sees how the calls of a thread are cut into tasks: for tools that predict the time of a call on other numbers of
/// threads. Calls that no machine would share among threads, because they are small or belong to a task without a
/// team, are part of the time around them. A call in stages counts as a call for each stage.
typedef struct ck_recorder {
    void *context;
    /// A call begins. `most_workers` is how many threads the call could use.
    void (*call_begins)(void *context, int64_t task_count, int most_workers);
    /// A task of the call has ended, and took the thread so many nanoseconds of processor time and so many
    /// operations. Both include those of the calls that the task made.
    void (*task_ends)(void *context, int64_t nanoseconds, int64_t operations);
    void (*call_ends)(void *context);
} ck_recorder;

/// From now on, calls of the calling thread run all of their tasks on the calling thread, one after the other, and the
/// recorder sees each task. NULL ends recording. The recorder stays where it is until then.
void ck_set_own_recorder(const ck_recorder *recorder);

#endif
