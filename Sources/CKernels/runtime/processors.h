#ifndef CK_PROCESSORS_H
#define CK_PROCESSORS_H

/// How many threads the environment variable OMP_NUM_THREADS asks for; 0 if it names no number of at least 1. The
/// first number of a list counts.
int ck_requested_threads(void);

#endif
