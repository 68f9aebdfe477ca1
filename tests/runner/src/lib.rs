//! Replays event logs, vectors and recorded responses through the engine, and compares what comes out.

pub mod compare;
pub mod report;
pub mod vectors;
