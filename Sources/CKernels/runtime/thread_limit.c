// How many threads the system gives. OpenMP's runtime ends the process when the system refuses one (ulimit -u, a
// container's pids.max), so the system is asked before.

#define _GNU_SOURCE
#include "thread_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct probe {
    pthread_t thread;
    pthread_mutex_t *gate;
    pid_t number;
} probe;

// Lives until the gate opens.
static void *wait_for_gate(void *context) {
    probe *own = context;
    own->number = (pid_t)syscall(SYS_gettid);
    pthread_mutex_lock(own->gate);
    pthread_mutex_unlock(own->gate);
    return NULL;
}

// A joined thread may still count for a moment, and then the system would refuse the next thread. The wait for one
// thread ends after about a second.
static void wait_until_gone(pid_t number) {
    const struct timespec pause = {.tv_nsec = 100 * 1000};
    for (int round = 0; round < 10 * 1000; round++) {
        if (syscall(SYS_tgkill, getpid(), number, 0) != 0) return;
        nanosleep(&pause, NULL);
    }
}

int ck_startable_threads(int wanted) {
    if (wanted <= 0) return 0;
    probe *probes = calloc((size_t)wanted, sizeof *probes);
    if (!probes) return 0;
    pthread_attr_t attributes;
    const bool has_attributes = pthread_attr_init(&attributes) == 0;
    // OpenMP's runtime gives its threads stacks of 4 MiB, the system's default may be smaller.
    const size_t stack = (size_t)4 << 20;
    size_t usual = 0;
    if (has_attributes && pthread_attr_getstacksize(&attributes, &usual) == 0 && usual < stack)
        pthread_attr_setstacksize(&attributes, stack);
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&gate);
    int started = 0;
    for (; started < wanted; started++) {
        probe *const next = &probes[started];
        next->gate = &gate;
        if (pthread_create(&next->thread, has_attributes ? &attributes : NULL, wait_for_gate, next) != 0) break;
    }
    pthread_mutex_unlock(&gate);
    for (int index = 0; index < started; index++) pthread_join(probes[index].thread, NULL);
    for (int index = 0; index < started; index++) wait_until_gone(probes[index].number);
    if (has_attributes) pthread_attr_destroy(&attributes);
    free(probes);
    return started;
}

int ck_startable_threads_of_child(int wanted) {
    int channel[2];
    if (pipe2(channel, O_CLOEXEC) != 0) return ck_startable_threads(wanted);
    const pid_t child = fork();
    const bool is_refused = child < 0 && errno == EAGAIN;
    if (child == 0) {
        const int count = ck_startable_threads(wanted);
        _exit(write(channel[1], &count, sizeof count) == sizeof count ? 0 : 1);
    }
    close(channel[1]);
    int count = 0;
    ssize_t size = 0;
    if (child > 0) {
        do size = read(channel[0], &count, sizeof count);
        while (size < 0 && errno == EINTR);
        pid_t ended;
        do ended = waitpid(child, NULL, 0);
        while (ended < 0 && errno == EINTR);
    }
    close(channel[0]);
    // The system gives no process, and so no thread.
    if (is_refused) return 0;
    return size == sizeof count ? count : ck_startable_threads(wanted);
}
