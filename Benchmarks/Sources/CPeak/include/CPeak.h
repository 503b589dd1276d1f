#ifndef CPEAK_H
#define CPEAK_H

/// The fused multiply-adds per second, in GFLOP/s (two operations each), that `threads` threads reach together in `seconds` with the widest vectors
/// of this CPU and nothing but registers: the ceiling that kernels are measured against. A multiply and an add where there is no FMA.
double peak_gflops(int threads, double seconds);

#endif
