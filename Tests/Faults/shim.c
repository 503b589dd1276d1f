// A system with fewer abilities, for a program that loads this library before other libraries (LD_PRELOAD):
//
//   FAULT_FLOCK=1        a file system without flock: ENOSYS, as Lustre without its option has it
//   FAULT_DIRECTORIES=1  a file system that can't synchronise directories: EINVAL, as CIFS has it
//   FAULT_THREADS=N      no more than N threads at a time beside the first: EAGAIN, as with ulimit -u
//   FAULT_ROOT=DIR       what /proc/self/mountinfo, /proc/self/cgroup and /sys/fs/cgroup hold lies in DIR
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// The function that a function of this file replaces.
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int flock(int file, int operation) {
    if (!getenv("FAULT_FLOCK")) return NEXT(flock)(file, operation);
    errno = ENOSYS;
    return -1;
}

int fsync(int file) {
    struct stat status;
    if (!getenv("FAULT_DIRECTORIES") || fstat(file, &status) != 0 || !S_ISDIR(status.st_mode)) return NEXT(fsync)(file);
    errno = EINVAL;
    return -1;
}

static int thread_count = 0;

typedef struct start {
    void *(*body)(void *);
    void *context;
} start;

static void leave(void *context) {
    (void)context;
    __atomic_sub_fetch(&thread_count, 1, __ATOMIC_SEQ_CST);
}

static void *run(void *context) {
    const start own = *(start *)context;
    free(context);
    void *result;
    pthread_cleanup_push(leave, NULL);
    result = own.body(own.context);
    pthread_cleanup_pop(1);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *context) {
    const char *most = getenv("FAULT_THREADS");
    if (!most) return NEXT(pthread_create)(thread, attributes, body, context);
    if (__atomic_add_fetch(&thread_count, 1, __ATOMIC_SEQ_CST) > atoi(most)) {
        leave(NULL);
        return EAGAIN;
    }
    start *own = malloc(sizeof *own);
    if (!own) return EAGAIN;
    *own = (start){.body = body, .context = context};
    const int code = NEXT(pthread_create)(thread, attributes, run, own);
    if (code != 0) {
        leave(NULL);
        free(own);
    }
    return code;
}

FILE *fopen(const char *path, const char *mode) {
    const char *root = getenv("FAULT_ROOT");
    char name[4096];
    if (root
        && (strncmp(path, "/sys/fs/cgroup", 14) == 0 || strcmp(path, "/proc/self/mountinfo") == 0
            || strcmp(path, "/proc/self/cgroup") == 0)) {
        snprintf(name, sizeof name, "%s%s", root, path);
        path = name;
    }
    return NEXT(fopen)(path, mode);
}
