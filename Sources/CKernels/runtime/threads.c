// The one file that knows OpenMP, and the one parallel region. It is compiled without any target attribute: an
// outlined region loses its parent's, so kernels are reached through pointers, one call per block of work.

#define _GNU_SOURCE
#include "threads.h"

#include "processors.h"
#include "thread_limit.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// The toolchain ships no omp.h. This is the one function needed of it (OpenMP 5.0, section 3.2.4).
extern int omp_get_thread_num(void);

// Below this much work, waking the other threads costs more than it saves: a fork and a join are 2 to 5 µs on idle
// cores, and milliseconds when another process has one of them.
static const double serial_work = 200e3;

_Thread_local const struct ck_kernels *ck_own_kernels = NULL;

// True on a thread that runs one of several tasks: threads are busy then.
static _Thread_local bool is_in_team = false;

// 0 until it is set or first asked for, which two threads may do at once.
static _Atomic int thread_count = 0;

// How many threads a thread's calls may use instead, or 0.
static _Thread_local int own_thread_count = 0;

int ck_threads(void) {
    if (own_thread_count != 0) return own_thread_count;
    int count = thread_count;
    if (count == 0) {
        const int requested = ck_requested_threads();
        const int available = requested > 0 ? requested : ck_processors("");
        // On failure, another thread has set the count, and `count` becomes that number.
        if (atomic_compare_exchange_strong(&thread_count, &count, available)) count = available;
    }
    return count;
}

void ck_set_threads(int threads) { thread_count = threads < 1 ? 1 : threads; }

int ck_most_workers(void) {
    enum { LEAST = 64, MOST = 256 };
    // The first answer holds: scratch has been measured by it.
    static _Atomic int most_workers = 0;
    int count = most_workers;
    if (count == 0) {
        const int requested = ck_requested_threads(), processors = ck_processors("");
        int most = requested > processors ? requested : processors;
        most = most < LEAST ? LEAST : most > MOST ? MOST : most;
        if (atomic_compare_exchange_strong(&most_workers, &count, most)) count = most;
    }
    return count;
}

int ck_set_own_threads(int threads) {
    const int before = own_thread_count;
    own_thread_count = threads < 0 ? 1 : threads;
    return before;
}

// Rounding and denormals decide bits, so tasks compute in the default mode (round to nearest, denormals kept) whatever
// the caller's or libomp's is. The compiler may move arithmetic past a change of the mode. A task can't be moved: the
// calls of tasks go through a pointer.
#if defined(__x86_64__)
typedef unsigned int float_mode;
static inline float_mode enter_default_float_mode(void) {
    const float_mode before = _mm_getcsr();
    _mm_setcsr(0x1F80u);
    return before;
}
static inline void leave_default_float_mode(float_mode before) { _mm_setcsr(before); }
#elif defined(__aarch64__)
typedef uint64_t float_mode;
static inline float_mode enter_default_float_mode(void) {
    float_mode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return before;
}
static inline void leave_default_float_mode(float_mode before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
typedef int float_mode;
static inline float_mode enter_default_float_mode(void) { return 0; }
static inline void leave_default_float_mode(float_mode before) { (void)before; }
#endif

// Tasks 0 ..< task_count on this many workers.
static void run_team(int workers, int64_t task_count, ck_task task, void *context) {
    const struct ck_kernels *const kernels = ck_own_kernels;
    int64_t next_task = 0;
#pragma omp parallel num_threads(workers)
    {
        const struct ck_kernels *const kernels_before = ck_own_kernels;
        ck_own_kernels = kernels;
        const float_mode mode = enter_default_float_mode();
        const int worker = omp_get_thread_num();
        is_in_team = true;
        // A task may run on another worker from run to run. The result of a task may not differ.
        int64_t index;
        while ((index = __atomic_fetch_add(&next_task, 1, __ATOMIC_RELAXED)) < task_count) task(context, index, worker);
        is_in_team = false;
        ck_own_kernels = kernels_before;
        leave_default_float_mode(mode);
    }
}

// How many workers the calling thread's team has had at most, itself included, and how many it can have.
static _Thread_local int team_size = 1, team_limit = INT_MAX;

// One team grows at a time: the system's answer holds until OpenMP's runtime has started its threads.
static pthread_mutex_t growth = PTHREAD_MUTEX_INITIALIZER;

// How many more threads the system is known to give.
static int known_threads = 0;

// Has OpenMP's runtime start the threads that a team of `workers` needs, if the system gives them. Returns the team's
// size then: the runtime would end the process if the system refused it a thread.
static int grow_team(int workers) {
    pthread_mutex_lock(&growth);
    const int wanted = workers - team_size;
    const int known = wanted < known_threads ? wanted : known_threads;
    known_threads -= known;
    const int given = known + ck_startable_threads(wanted - known);
    team_size += given;
    if (given < wanted) team_limit = team_size;
    if (given > 0) run_team(team_size, 0, NULL, NULL);
    pthread_mutex_unlock(&growth);
    return team_size;
}

int ck_fit_threads(int helpers) {
    // A number that no machine has is not asked for: thousands of threads take seconds to start.
    const int most = 1024;
    const int count = ck_threads(), wanted = count < most ? count : most;
    if (wanted == 1) return count;
    const int startable = ck_startable_threads_of_child(wanted - 1 + helpers);
    if (startable == wanted - 1 + helpers) {
        pthread_mutex_lock(&growth);
        known_threads = wanted - 1;
        pthread_mutex_unlock(&growth);
        return count;
    }
    const int fitting = startable > helpers ? startable - helpers + 1 : 1;
    pthread_mutex_lock(&growth);
    known_threads = fitting - 1;
    pthread_mutex_unlock(&growth);
    ck_set_threads(fitting);
    return fitting;
}

static _Thread_local const ck_recorder *own_recorder = NULL;

void ck_set_own_recorder(const ck_recorder *recorder) { own_recorder = recorder; }

// Time in which the thread waits for a processor doesn't count.
static int64_t nanoseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// Tasks 0 ..< task_count on the calling thread, as tasks of a team that `recorder` sees.
static void record_team(const ck_recorder *recorder, int workers, int64_t task_count, ck_task task, void *context) {
    const float_mode mode = enter_default_float_mode();
    is_in_team = true;
    recorder->call_begins(recorder->context, task_count, workers);
    for (int64_t index = 0; index < task_count; index++) {
        const int64_t begin = nanoseconds_now();
        task(context, index, 0);
        recorder->task_ends(recorder->context, nanoseconds_now() - begin);
    }
    recorder->call_ends(recorder->context);
    is_in_team = false;
    leave_default_float_mode(mode);
}

// Tasks 0 ..< task_count on up to `worker_limit` threads, if the work is worth several.
static void run_tasks(int64_t task_count, int worker_limit, double work, ck_task task, void *context) {
    if (task_count <= 0) return;
    int workers = 1;
    if (work >= serial_work && !is_in_team) {
        workers = ck_worker_limit(task_count);
        if (workers > worker_limit) workers = worker_limit;
        if (own_recorder != NULL && workers > 1) {
            record_team(own_recorder, workers, task_count, task, context);
            return;
        }
        if (workers > ck_threads()) workers = ck_threads();
        if (workers > team_size) {
            if (workers > team_limit) workers = team_limit;
            if (workers > team_size) workers = grow_team(workers);
        }
    }
    if (workers <= 1) {
        const float_mode mode = enter_default_float_mode();
        for (int64_t index = 0; index < task_count; index++) task(context, index, 0);
        leave_default_float_mode(mode);
        return;
    }
    run_team(workers, task_count, task, context);
}

int ck_call_threads(void) {
    if (is_in_team) return 1;
    const int threads = ck_threads(), most = ck_most_workers();
    return threads < most ? threads : most;
}

void ck_parallel(int64_t task_count, double work, ck_task task, void *context) {
    run_tasks(task_count, INT_MAX, work, task, context);
}

// The processors that the process was started with.
static cpu_set_t first_processors;
static bool has_first_processors = false;

__attribute__((constructor)) static void note_first_processors(void) {
    has_first_processors = sched_getaffinity(0, sizeof first_processors, &first_processors) == 0;
}

void ck_unbind_thread(void) {
    // Only OpenMP's runtime binds threads. If no binding was asked for, a mask that the user has changed meanwhile
    // stays.
    static const char *const requests[] = {"OMP_PROC_BIND", "OMP_PLACES", "KMP_AFFINITY", "GOMP_CPU_AFFINITY"};
    if (!has_first_processors) return;
    for (size_t index = 0; index < sizeof requests / sizeof requests[0]; index++) {
        if (!getenv(requests[index])) continue;
        sched_setaffinity(0, sizeof first_processors, &first_processors);
        return;
    }
}

typedef struct finished_tasks {
    ck_task task, finish;
    void *context;
    _Atomic int64_t finished;
} finished_tasks;

static void run_and_finish(void *context, int64_t index, int worker) {
    finished_tasks *tasks = context;
    tasks->task(tasks->context, index, worker);
    // Tasks are begun in order, so the one waited for is under way on another thread.
    while (atomic_load_explicit(&tasks->finished, memory_order_acquire) != index) sched_yield();
    tasks->finish(tasks->context, index, worker);
    atomic_store_explicit(&tasks->finished, index + 1, memory_order_release);
}

void ck_run_tasks(int64_t task_count, int worker_limit, ck_task task, ck_task finish, void *context) {
    finished_tasks tasks = {.task = task, .finish = finish, .context = context};
    run_tasks(task_count, worker_limit, serial_work, run_and_finish, &tasks);
}
