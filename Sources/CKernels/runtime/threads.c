// The one file that knows OpenMP, and the one parallel region. It is compiled without any target attribute: an
// outlined region loses its parent's, so kernels are reached through pointers, one call per block of work.

#define _GNU_SOURCE
#include "threads.h"

#include "operations.h"
#include "processors.h"
#include "teams.h"
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

// The same for a call that a team shares: its threads are awake, and a fork and a join are less than 1 µs.
static const double serial_team_work = 50e3;

// Where a thread is that makes a call.
typedef enum call_place {
    OUTSIDE,      // of any task: the call may have all threads
    IN_TASK,      // of several: the call stays on the thread
    LEADING_TEAM, // in a task whose calls a team shares
} call_place;

static _Thread_local call_place own_place = OUTSIDE;
static _Thread_local ck_team *own_team = NULL;

// 0 until it is set or first asked for, which two threads may do at once.
static _Atomic int thread_count = 0;

// How many threads a thread's calls may use instead, or 0.
static _Thread_local int own_thread_count = 0;

// Asked once: the answer is read from files.
static int processors_of_process(void) {
    static _Atomic int processors = 0;
    int count = processors;
    if (count == 0) processors = count = ck_processors("");
    return count;
}

int ck_threads(void) {
    if (own_place == IN_TASK) return 1;
    if (own_team != NULL) return ck_team_threads(own_team);
    if (own_thread_count != 0) return own_thread_count;
    int count = thread_count;
    if (count == 0) {
        const int requested = ck_requested_threads();
        const int available = requested > 0 ? requested : processors_of_process();
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
        const int requested = ck_requested_threads(), processors = processors_of_process();
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

// `body` on each of this many threads.
static void run_region(int workers, void (*body)(void *context, int worker), void *context) {
    const struct ck_kernels *const kernels = ck_own_kernels;
#pragma omp parallel num_threads(workers)
    {
        const struct ck_kernels *const kernels_before = ck_own_kernels;
        ck_own_kernels = kernels;
        const float_mode mode = enter_default_float_mode();
        own_place = IN_TASK;
        body(context, omp_get_thread_num());
        own_place = OUTSIDE;
        ck_own_kernels = kernels_before;
        leave_default_float_mode(mode);
    }
}

typedef struct task_list {
    int64_t count;
    ck_task task;
    void *context;
    _Alignas(64) _Atomic int64_t next; // on a line of its own: the rest is read for each task
} task_list;

// Takes tasks until none is left. A task may run on another worker from run to run. The result of a task may not
// differ.
static void take_tasks(void *context, int worker) {
    task_list *list = context;
    int64_t index;
    while ((index = atomic_fetch_add_explicit(&list->next, 1, memory_order_relaxed)) < list->count)
        list->task(list->context, index, worker);
}

typedef struct stage_list {
    const ck_stages *stages;
    bool yields;
    stage_progress progress;
} stage_list;

static void take_stages(void *context, int worker) {
    stage_list *list = context;
    ck_take_stages(list->stages, &list->progress, worker, list->yields, false);
}

// The tasks of leaders. Each leader's calls are shared by its team.
typedef struct led_tasks {
    task_list list;
    ck_crew crew;
} led_tasks;

static void work_in_crew(void *context, int worker) {
    led_tasks *tasks = context;
    ck_crew *const crew = &tasks->crew;
    const int number = ck_team_of(crew, worker);
    ck_team *const team = &crew->teams[number];
    ck_crew_enter();
    if (ck_is_leader(crew, worker)) {
        ck_team_begin(team);
        int64_t index;
        while ((index = atomic_fetch_add_explicit(&tasks->list.next, 1, memory_order_relaxed)) < tasks->list.count) {
            own_place = LEADING_TEAM;
            own_team = team;
            tasks->list.task(tasks->list.context, index, number);
            own_team = NULL;
            own_place = IN_TASK;
            ck_crew_task_finished(crew);
        }
        ck_team_end(team);
    }
    ck_help_to_the_end(team);
}

// More threads than processors: a thread that waits gives its processor to another.
static bool has_more_than_processors(int workers) { return workers > processors_of_process(); }

// Tasks 0 ..< task_count on this many workers.
static void run_team(int workers, int64_t task_count, ck_task task, void *context) {
    task_list list = {.count = task_count, .task = task, .context = context};
    run_region(workers, take_tasks, &list);
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

_Thread_local uint64_t ck_operations = 0;

uint64_t ck_own_operations(void) { return ck_operations; }

static _Thread_local const ck_recorder *own_recorder = NULL;

void ck_set_own_recorder(const ck_recorder *recorder) { own_recorder = recorder; }

// Time in which the thread waits for a processor doesn't count.
static int64_t processor_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// A call whose tasks several threads could run.
typedef struct parallel_call {
    ck_stages stages;
    int64_t most_tasks;
    int worker_limit;
    double work;
    bool is_led; ///< the calls of its tasks are shared by teams
} parallel_call;

// How many threads the task's calls may use, if this many of a call's tasks run at once on `threads` threads.
static int threads_of_task(int64_t task_count, int at_once, int threads, int64_t index) {
    if (at_once > threads) at_once = threads;
    // The last tasks, too few for all leaders, have the threads of leaders that have finished.
    const int64_t rest = task_count % at_once, busy = index >= task_count - rest ? rest : at_once;
    return (int)((threads + busy - 1) / busy);
}

// All stages on the calling thread, as tasks of a team that `recorder` sees. Each stage is a call.
static void record_call(const ck_recorder *recorder, int workers, const parallel_call *call) {
    const ck_stages *const stages = &call->stages;
    const float_mode mode = enter_default_float_mode();
    const int threads = ck_threads(), threads_before = own_thread_count;
    const call_place place_before = own_place;
    for (int64_t stage = 0; stage < stages->stage_count; stage++) {
        const int64_t task_count = stages->task_count(stages->context, stage);
        recorder->call_begins(recorder->context, task_count, task_count < workers ? (int)task_count : workers);
        for (int64_t index = 0; index < task_count; index++) {
            own_thread_count = call->is_led ? threads_of_task(task_count, workers, threads, index) : 1;
            own_place = own_thread_count > 1 ? LEADING_TEAM : IN_TASK;
            const uint64_t operations_before = ck_operations;
            const int64_t begin = processor_nanoseconds();
            stages->task(stages->context, stage, index, 0);
            const int64_t nanoseconds = processor_nanoseconds() - begin;
            recorder->task_ends(recorder->context, nanoseconds, (int64_t)(ck_operations - operations_before));
        }
        recorder->call_ends(recorder->context);
    }
    own_thread_count = threads_before;
    own_place = place_before;
    leave_default_float_mode(mode);
}

static void run_serially(const ck_stages *stages) {
    const float_mode mode = enter_default_float_mode();
    for (int64_t stage = 0; stage < stages->stage_count; stage++) {
        const int64_t task_count = stages->task_count(stages->context, stage);
        for (int64_t index = 0; index < task_count; index++) stages->task(stages->context, stage, index, 0);
    }
    leave_default_float_mode(mode);
}

// The call of a task whose team shares it.
static void share(const parallel_call *call, int workers) {
    ck_team *const team = own_team;
    const float_mode mode = enter_default_float_mode();
    own_team = NULL;
    own_place = IN_TASK;
    ck_share(team, &call->stages, workers, ck_own_kernels);
    own_place = LEADING_TEAM;
    own_team = team;
    leave_default_float_mode(mode);
}

// Helps another leader, if one has a call that it shares.
static bool help_others(void) {
    ck_team *const team = own_team;
    own_team = NULL;
    own_place = IN_TASK;
    const bool helped = ck_help_others(team);
    own_place = LEADING_TEAM;
    own_team = team;
    return helped;
}

// A crew of `threads`, in which `leaders` take the tasks of the only stage.
static void run_crew(const parallel_call *call, int threads, int leaders, const task_list *list) {
    led_tasks tasks = {.list = {.count = list->count, .task = list->task, .context = list->context}};
    ck_team teams[leaders];
    ck_crew_begin(&tasks.crew, threads, leaders, has_more_than_processors(threads), call->most_tasks, teams);
    run_region(threads, work_in_crew, &tasks);
    ck_crew_end(&tasks.crew);
}

// The threads of a region of `wanted` threads, if the system gives so many.
static int threads_of_region(int wanted) {
    if (wanted > team_size) {
        if (wanted > team_limit) wanted = team_limit;
        if (wanted > team_size) wanted = grow_team(wanted);
    }
    return wanted;
}

// True if a call with so much work is worth several threads, and may have them.
static bool is_worth_sharing(double work) {
    return own_place != IN_TASK && work >= (own_place == LEADING_TEAM ? serial_team_work : serial_work);
}

int ck_threads_for(double work) { return is_worth_sharing(work) ? ck_threads() : 1; }

// Runs the call on as many threads as it may have. `list`, if not NULL, has the tasks of its only stage.
static void run_call(const parallel_call *call, const task_list *list) {
    if (call->most_tasks <= 0) return;
    int workers = 1;
    if (is_worth_sharing(call->work)) {
        workers = ck_worker_limit(call->most_tasks);
        if (workers > call->worker_limit) workers = call->worker_limit;
        if (own_recorder != NULL && workers > 1) {
            record_call(own_recorder, workers, call);
            return;
        }
        const int threads = ck_threads(), most = ck_most_workers();
        if (workers > threads) workers = threads;
        if (workers > 1 && own_place == LEADING_TEAM) {
            share(call, workers);
            return;
        }
        if (workers > 1 && call->is_led && (threads > workers || call->most_tasks % workers != 0)) {
            const int crew = threads_of_region(threads < most ? threads : most);
            if (crew > 1) {
                run_crew(call, crew, workers < crew ? workers : crew, list);
                return;
            }
        }
        if (workers > 1) workers = threads_of_region(workers);
    }
    if (workers <= 1) {
        run_serially(&call->stages);
    } else if (list != NULL) {
        run_team(workers, list->count, list->task, list->context);
    } else {
        stage_list stages = {.stages = &call->stages, .yields = has_more_than_processors(workers)};
        run_region(workers, take_stages, &stages);
    }
}

static int64_t count_of_list(void *context, int64_t stage) {
    (void)stage;
    return ((const task_list *)context)->count;
}

static void task_of_list(void *context, int64_t stage, int64_t index, int worker) {
    (void)stage;
    const task_list *list = context;
    list->task(list->context, index, worker);
}

static void run_list(task_list *list, int worker_limit, double work, bool is_led) {
    const parallel_call call = {
        .stages = {list, 1, count_of_list, task_of_list},
        .most_tasks = list->count,
        .worker_limit = worker_limit,
        .work = work,
        .is_led = is_led,
    };
    run_call(&call, list);
}

void ck_parallel(int64_t task_count, double work, ck_task task, void *context) {
    task_list list = {.count = task_count, .task = task, .context = context};
    run_list(&list, INT_MAX, work, false);
}

void ck_parallel_stages(const ck_stages *stages, int64_t most_tasks, double work) {
    const parallel_call call = {.stages = *stages, .most_tasks = most_tasks, .worker_limit = INT_MAX, .work = work};
    run_call(&call, NULL);
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
    // Tasks are begun in order, so the one waited for is under way on another thread, which may want help.
    while (atomic_load_explicit(&tasks->finished, memory_order_acquire) != index)
        if (own_team == NULL || !help_others()) sched_yield();
    tasks->finish(tasks->context, index, worker);
    atomic_store_explicit(&tasks->finished, index + 1, memory_order_release);
}

void ck_run_tasks(int64_t task_count, int worker_limit, ck_task task, ck_task finish, void *context) {
    finished_tasks tasks = {.task = task, .finish = finish, .context = context};
    task_list list = {.count = task_count, .task = run_and_finish, .context = &tasks};
    run_list(&list, worker_limit, serial_work, true);
}
