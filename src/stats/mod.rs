//! Kernels: pure functions on numbers.
