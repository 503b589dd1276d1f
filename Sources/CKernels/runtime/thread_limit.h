#ifndef CK_THREAD_LIMIT_H
#define CK_THREAD_LIMIT_H

/// How many of `wanted` threads the system gives this process at once, beside those that it has. Starts them and waits
/// for their end.
int ck_startable_threads(int wanted);

/// As ck_startable_threads, but asked by a child process, so that nothing of this one changes. To be called while this
/// process has one thread. The child itself counts as one of those that the system gives, so the answer may be one too
/// small.
int ck_startable_threads_of_child(int wanted);

#endif
