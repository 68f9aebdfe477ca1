//! What the benchmarks run, so that instructions, allocations and time are those of the same work.
//!
//! Each workload is a pair of functions: one makes its input, the other does the work and hands the input back, so that
//! neither making nor dropping it is counted.

extern crate alloc;

pub mod chunks;
pub mod exports;
pub mod load;
pub mod protocols;
pub mod records;
pub mod streams;

/// Chunks, or frames, of one run of a workload that streams.
pub const STREAM_OPS: usize = 10_000;

/// Runs of the workloads that happen once per call, together in one measurement.
pub const CALL_OPS: usize = 20;
