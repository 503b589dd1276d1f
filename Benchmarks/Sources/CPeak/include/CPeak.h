#ifndef CPEAK_H
#define CPEAK_H

#include <stddef.h>

/// The fused multiply-adds per second, in GFLOP/s (two operations each), that `threads` threads reach together in
/// `seconds` with the widest vectors of this CPU and nothing but registers: the ceiling that kernels are measured
/// against. A multiply and an add where there is no FMA.
double peak_gflops(int threads, double seconds);

/// The bytes per second, in GB/s, that `threads` threads read and write together in `seconds` when each goes over
/// `bytes` of memory of its own and changes it in place. Every byte counts twice, as read and as written.
double peak_bandwidth(int threads, size_t bytes, double seconds);

#endif
