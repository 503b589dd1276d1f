// How many processors the process may use: its affinity mask, and the quota of processor time that a container's
// control groups give. docs: Linux, admin-guide/cgroup-v2.rst (cpu.max), scheduler/sched-bwc.rst (cpu.cfs_quota_us).

#define _GNU_SOURCE
#include "processors.h"

#include "include/ck_runtime.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

// Opens root/path for reading; NULL if there is no such file, or its name is too long.
static FILE *open_below(const char *root, const char *path) {
    char name[2 * PATH_SIZE];
    const int length = snprintf(name, sizeof name, "%s%s", root, path);
    return length > 0 && (size_t)length < sizeof name ? fopen(name, "re") : NULL;
}

// True if `word` is one of the words of `list`, which commas separate.
static bool has_word(const char *list, const char *word) {
    const size_t length = strlen(word);
    for (const char *start = list; start; start = strchr(start, ',')) {
        if (*start == ',') start++;
        if (strncmp(start, word, length) == 0 && (start[length] == ',' || start[length] == 0)) return true;
    }
    return false;
}

// Reads up to two numbers of a file; returns how many there are.
static int read_numbers(const char *root, const char *directory, const char *name, double *first, double *second) {
    char path[PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = open_below(root, path);
    if (!file) return 0;
    const int count = fscanf(file, "%lf %lf", first, second);
    fclose(file);
    return count < 0 ? 0 : count;
}

// How many processors' time a control group gives: infinity without a quota.
static double group_quota(const char *root, const char *directory, bool is_unified) {
    double quota = 0, period = 0, unused;
    if (is_unified) {
        // "max 100000" has no quota.
        if (read_numbers(root, directory, "cpu.max", &quota, &period) != 2) return INFINITY;
    } else {
        // -1 stands for no quota.
        if (read_numbers(root, directory, "cpu.cfs_quota_us", &quota, &unused) < 1) return INFINITY;
        if (read_numbers(root, directory, "cpu.cfs_period_us", &period, &unused) < 1) return INFINITY;
    }
    return quota > 0 && period > 0 ? quota / period : INFINITY;
}

// The control group of this process: its path in the hierarchy of version 2, or in the one of version 1 that has the
// processors. False if there is none.
static bool own_group(const char *root, bool is_unified, char path[PATH_SIZE]) {
    FILE *groups = open_below(root, "/proc/self/cgroup");
    if (!groups) return false;
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;
    // number:controllers:path
    while (!found && getline(&line, &capacity, groups) > 0) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        controllers++;
        *group++ = 0;
        found = (is_unified ? *controllers == 0 : has_word(controllers, "cpu")) && strlen(group) < PATH_SIZE;
        if (found) strcpy(path, group);
    }
    free(line);
    fclose(groups);
    return found;
}

// The smallest quota of a group and of the groups around the group, up to the mount point of the hierarchy.
static double least_quota(
    const char *root, const char *mount_point, const char *mount_root, const char *group, bool is_unified) {
    // A container may read its group's path as the host has the path, while the mount holds the group itself.
    const size_t prefix = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
    const bool is_below = strncmp(group, mount_root, prefix) == 0 && (prefix == 0 || group[prefix] == '/');
    char directory[2 * PATH_SIZE];
    snprintf(
        directory, sizeof directory, "%s%s", mount_point,
        is_below && !strstr(group, "/..") && strcmp(group, "/") != 0 ? group + prefix : "");
    const size_t top = strlen(mount_point);
    double least = INFINITY;
    while (true) {
        least = fmin(least, group_quota(root, directory, is_unified));
        char *end = strrchr(directory, '/');
        if (strlen(directory) <= top || !end || (size_t)(end - directory) < top) return least;
        *end = 0;
    }
}

// The smallest quota of all hierarchies that limit processors.
static double processor_quota(const char *root) {
    FILE *mounts = open_below(root, "/proc/self/mountinfo");
    if (!mounts) return INFINITY;
    char *line = NULL;
    size_t capacity = 0;
    double least = INFINITY;
    while (getline(&line, &capacity, mounts) > 0) {
        // number parent device root point options … - type source options
        char mount_root[PATH_SIZE], mount_point[PATH_SIZE], group[PATH_SIZE], type[32], options[256];
        if (sscanf(line, "%*s %*s %*s %4095s %4095s", mount_root, mount_point) != 2) continue;
        const char *rest = strstr(line, " - ");
        if (!rest || sscanf(rest, " - %31s %*s %255s", type, options) != 2) continue;
        const bool is_unified = strcmp(type, "cgroup2") == 0;
        if (!is_unified && (strcmp(type, "cgroup") != 0 || !has_word(options, "cpu"))) continue;
        if (!own_group(root, is_unified, group)) continue;
        least = fmin(least, least_quota(root, mount_point, mount_root, group, is_unified));
    }
    free(line);
    fclose(mounts);
    return least;
}

// How many processors the calling thread may run on.
static int processors_of_mask(void) {
    // The call fails while there are more processors in the system than the set holds.
    for (int size = CPU_SETSIZE; size <= 1 << 20; size *= 2) {
        cpu_set_t *set = CPU_ALLOC(size);
        if (!set) break;
        const size_t bytes = CPU_ALLOC_SIZE(size);
        const int failure = sched_getaffinity(0, bytes, set) == 0 ? 0 : errno;
        const int count = failure == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0) return count;
        if (failure != EINVAL) break;
    }
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 && count < INT_MAX ? (int)count : 1;
}

int ck_processors(const char *root) {
    const int count = processors_of_mask();
    const double quota = processor_quota(root);
    // A part of a processor is still time that a thread can use. Less than one is enough for one thread.
    return quota < count ? (int)fmax(ceil(quota - 1e-6), 1) : count;
}

int ck_requested_threads(void) {
    const char *text = getenv("OMP_NUM_THREADS");
    if (!text) return 0;
    char *end;
    errno = 0;
    const long count = strtol(text, &end, 10);
    end += strspn(end, " \t");
    return errno == 0 && end != text && (*end == 0 || *end == ',') && count >= 1 && count <= INT_MAX ? (int)count : 0;
}
