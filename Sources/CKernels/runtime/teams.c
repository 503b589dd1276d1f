// Threads that share calls. A leader opens a call, and helpers enter and take tasks. A call waits for tasks and not for
// threads: a helper that comes late, or never, delays nobody.

#define _GNU_SOURCE
#include "teams.h"

#include <sched.h>
#include <time.h>

// The parts of a team's state.
enum { OPEN = 1, LEADERLESS = 2, HELPER = 4, LIMIT = 1 << 11, CALL = 1 << 20 };

// How many helpers have entered the call, and how many workers the call takes, the leader included.
static inline int helpers_in(uint64_t state) { return (int)(state % LIMIT / HELPER); }
static inline int limit_in(uint64_t state) { return (int)(state % CALL / LIMIT); }

static inline bool is_full(uint64_t state) { return helpers_in(state) + 1 >= limit_in(state); }

// How long a helper waits for a call before it sleeps. To wake a thread takes some 10 µs.
static const int64_t awake_nanoseconds = 200000;

int64_t ck_nanoseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// One round of waiting. A thread waits for tasks of some microseconds, so its first rounds keep the processor.
static inline void wait_a_little(int round, bool yields) {
    enum { ROUNDS = 256 };
    if (yields || round >= ROUNDS) {
        sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

// A thread takes a task only if the tasks of earlier stages are finished. So no task waits for a thread that was
// stopped while it waited itself.
void ck_take_stages(const ck_stages *stages, stage_progress *progress, int worker, bool yields, bool waits) {
    int64_t begin = 0;
    for (int64_t stage = 0; stage < stages->stage_count; stage++) {
        const int64_t end = begin + stages->task_count(stages->context, stage);
        for (int round = 0; atomic_load_explicit(&progress->finished, memory_order_acquire) < begin; round++)
            wait_a_little(round, yields);
        int64_t taken = 0, next = atomic_load_explicit(&progress->next, memory_order_relaxed);
        while (next < end) {
            if (!atomic_compare_exchange_weak_explicit(
                    &progress->next, &next, next + 1, memory_order_relaxed, memory_order_relaxed))
                continue;
            stages->task(stages->context, stage, next - begin, worker);
            taken++;
            next = atomic_load_explicit(&progress->next, memory_order_relaxed);
        }
        if (taken > 0) atomic_fetch_add_explicit(&progress->finished, taken, memory_order_release);
        begin = end;
    }
    if (!waits) return;
    for (int round = 0; atomic_load_explicit(&progress->finished, memory_order_acquire) < begin; round++)
        wait_a_little(round, yields);
}

void ck_crew_begin(ck_crew *crew, int threads, int leaders, bool yields, int64_t task_count, ck_team *teams) {
    crew->threads = threads;
    crew->leaders = leaders;
    crew->yields = yields;
    crew->task_count = task_count;
    crew->teams = teams;
    atomic_init(&crew->busy_leaders, leaders);
    atomic_init(&crew->finished_tasks, 0);
    atomic_init(&crew->sleepers, 0);
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->news, NULL);
    for (int index = 0; index < leaders; index++) {
        atomic_init(&teams[index].state, LEADERLESS);
        atomic_init(&teams[index].left, 0);
        teams[index].crew = crew;
    }
}

void ck_crew_end(ck_crew *crew) {
    pthread_cond_destroy(&crew->news);
    pthread_mutex_destroy(&crew->mutex);
}

// The news is stored before sleepers are counted, and a sleeper is counted before it looks for news. Both are
// sequentially consistent, so one of the two sees the other.
static void wake_sleepers(ck_crew *crew) {
    if (atomic_load(&crew->sleepers) == 0) return;
    pthread_mutex_lock(&crew->mutex);
    pthread_cond_broadcast(&crew->news);
    pthread_mutex_unlock(&crew->mutex);
}

void ck_team_begin(ck_team *team) { atomic_store(&team->state, 0); }

void ck_team_end(ck_team *team) {
    atomic_fetch_or(&team->state, LEADERLESS);
    atomic_fetch_sub(&team->crew->busy_leaders, 1);
}

void ck_crew_task_finished(ck_crew *crew) {
    if (atomic_fetch_add(&crew->finished_tasks, 1) + 1 == crew->task_count) wake_sleepers(crew);
}

int ck_team_threads(const ck_team *team) {
    const int busy = atomic_load_explicit(&team->crew->busy_leaders, memory_order_relaxed);
    return busy > 1 ? (team->crew->threads + busy - 1) / busy : team->crew->threads;
}

void ck_share(ck_team *team, const ck_stages *stages, int worker_limit, const struct ck_kernels *kernels) {
    ck_crew *const crew = team->crew;
    team->stages = *stages;
    team->kernels = kernels;
    atomic_store_explicit(&team->progress.next, 0, memory_order_relaxed);
    atomic_store_explicit(&team->progress.finished, 0, memory_order_relaxed);
    const uint64_t closed = atomic_load_explicit(&team->state, memory_order_relaxed);
    const int limit = worker_limit < crew->threads ? worker_limit : crew->threads;
    atomic_store(&team->state, (closed / CALL + 1) * CALL + (uint64_t)limit * LIMIT + OPEN);
    wake_sleepers(crew);
    ck_take_stages(stages, &team->progress, 0, crew->yields, true);
    // From here on nobody enters. Those who have entered leave before the next call.
    const uint64_t state = atomic_fetch_and(&team->state, ~(uint64_t)(CALL - 1));
    const int helpers = helpers_in(state);
    for (int round = 0; atomic_load_explicit(&team->left, memory_order_acquire) < helpers; round++)
        wait_a_little(round, crew->yields);
    atomic_store_explicit(&team->left, 0, memory_order_relaxed);
}

// The call that the thread has left last: no task of the call is left.
static _Thread_local struct {
    const ck_team *team;
    uint64_t call;
} last_left;

void ck_crew_enter(void) { last_left.team = NULL; }

// True if a thread may enter the call that `state` shows.
static bool is_open(const ck_team *team, uint64_t state) {
    return state & OPEN && !is_full(state) && !(last_left.team == team && last_left.call == state / CALL);
}

static bool enter_and_help(ck_team *team) {
    uint64_t state = atomic_load_explicit(&team->state, memory_order_relaxed);
    do {
        if (!is_open(team, state)) return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &team->state, &state, state + HELPER, memory_order_acquire, memory_order_relaxed));
    const struct ck_kernels *const kernels_before = ck_own_kernels;
    ck_own_kernels = team->kernels;
    ck_take_stages(&team->stages, &team->progress, helpers_in(state) + 1, team->crew->yields, false);
    ck_own_kernels = kernels_before;
    last_left.team = team;
    last_left.call = state / CALL;
    atomic_fetch_add_explicit(&team->left, 1, memory_order_release);
    return true;
}

bool ck_help_others(const ck_team *team) {
    const ck_crew *const crew = team->crew;
    const int index = (int)(team - crew->teams);
    for (int step = 1; step < crew->leaders; step++)
        if (enter_and_help(&crew->teams[(index + step) % crew->leaders])) return true;
    return false;
}

// True if a team that is in this state needs its helpers: it has a leader, and others have not filled its call.
static bool keeps_helpers(uint64_t state) { return !(state & LEADERLESS || (state & OPEN && is_full(state))); }

// Helps the team's leader, or another leader if the team doesn't keep its helpers.
static bool help(ck_team *team) {
    const uint64_t state = atomic_load_explicit(&team->state, memory_order_relaxed);
    return keeps_helpers(state) ? enter_and_help(team) : ck_help_others(team);
}

static bool has_news(const ck_team *team) {
    const ck_crew *const crew = team->crew;
    if (atomic_load(&crew->finished_tasks) == crew->task_count) return true;
    const uint64_t state = atomic_load(&team->state);
    if (keeps_helpers(state)) return is_open(team, state);
    for (int index = 0; index < crew->leaders; index++)
        if (is_open(&crew->teams[index], atomic_load(&crew->teams[index].state))) return true;
    return false;
}

static void sleep_until_news(const ck_team *team) {
    ck_crew *const crew = team->crew;
    pthread_mutex_lock(&crew->mutex);
    atomic_fetch_add(&crew->sleepers, 1);
    while (!has_news(team)) pthread_cond_wait(&crew->news, &crew->mutex);
    atomic_fetch_sub(&crew->sleepers, 1);
    pthread_mutex_unlock(&crew->mutex);
}

void ck_help_to_the_end(ck_team *team) {
    const ck_crew *const crew = team->crew;
    enum { ROUNDS_BETWEEN_CLOCKS = 64 };
    int64_t idle_since = 0;
    int round = 0;
    while (atomic_load_explicit(&crew->finished_tasks, memory_order_acquire) < crew->task_count) {
        if (help(team)) {
            round = 0;
            continue;
        }
        if (round == 0) idle_since = ck_nanoseconds_now();
        round++;
        if (round % ROUNDS_BETWEEN_CLOCKS == 0 && ck_nanoseconds_now() - idle_since > awake_nanoseconds) {
            sleep_until_news(team);
            round = 0;
        } else {
            wait_a_little(round, crew->yields);
        }
    }
}
