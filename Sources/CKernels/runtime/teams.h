#ifndef CK_TEAMS_H
#define CK_TEAMS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "threads.h"

// How the threads of a region share the calls of some of them. threads.c has the region.

/// The time since some moment.
int64_t ck_nanoseconds_now(void);

/// How far the threads of a call are. Tasks count through all stages.
typedef struct stage_progress {
    _Alignas(64) _Atomic int64_t next;
    _Alignas(64) _Atomic int64_t finished;
} stage_progress;

/// Takes tasks of a call, stage by stage, until none is left. All threads that share the call do so, whenever they
/// come. Returns when all tasks have been taken; if `waits`, when all have been finished.
/// `yields`: threads that wait leave their processor to others.
void ck_take_stages(const ck_stages *stages, stage_progress *progress, int worker, bool yields, bool waits);

/// A leader and the call that it shares now. What a helper reads lies in few cache lines, because each comes from
/// another processor.
typedef struct ck_team {
    /// Bit 0: a call is open. Bit 1: there is no leader. From bit 2: how many helpers have entered the call. From bit
    /// 11: how many workers the call takes. From bit 20: the number of the call. No two calls have the same number, so
    /// no thread enters a call that has ended.
    _Alignas(64) _Atomic uint64_t state;
    struct ck_crew *crew;
    // The open call.
    ck_stages stages;
    const struct ck_kernels *kernels; ///< the leader's choice
    stage_progress progress;
    _Atomic int left; ///< helpers that have left the call
} ck_team;

/// The threads of a region: leaders, which have work of their own and share their calls, and helpers.
typedef struct ck_crew {
    int threads, leaders;
    bool yields;
    int64_t task_count;
    _Alignas(64) _Atomic int busy_leaders;
    _Atomic int64_t finished_tasks;
    _Alignas(64) _Atomic int sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t news; ///< a call is open, or all tasks are finished
    ck_team *teams;      ///< one for each leader
} ck_crew;

/// A crew for `task_count` tasks of leaders, whose teams are in `teams`. `yields` as in ck_take_stages.
void ck_crew_begin(ck_crew *crew, int threads, int leaders, bool yields, int64_t task_count, ck_team *teams);
void ck_crew_end(ck_crew *crew);

/// The team of a thread of the crew, and true if the thread is its leader. Teams are neighbours in number.
static inline int ck_team_of(const ck_crew *crew, int thread) {
    return (int)((int64_t)thread * crew->leaders / crew->threads);
}
static inline bool ck_is_leader(const ck_crew *crew, int thread) {
    return thread == 0 || ck_team_of(crew, thread) != ck_team_of(crew, thread - 1);
}

/// A thread enters the crew.
void ck_crew_enter(void);

/// A leader begins and ends its work.
void ck_team_begin(ck_team *team);
void ck_team_end(ck_team *team);

/// One of the leaders' tasks is finished.
void ck_crew_task_finished(ck_crew *crew);

/// How many threads a leader's calls may use now.
int ck_team_threads(const ck_team *team);

/// Runs a call of the leader together with the helpers that come.
void ck_share(ck_team *team, const ck_stages *stages, int worker_limit, const struct ck_kernels *kernels);

/// Takes part in a call of another team. Returns false if no other leader has a call to share.
bool ck_help_others(const ck_team *team);

/// Helps until all of the leaders' tasks are finished.
void ck_help_to_the_end(ck_team *team);

#endif
