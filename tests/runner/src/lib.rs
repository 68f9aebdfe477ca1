//! Replays event logs, vectors and recorded responses through the engine, and compares what comes out.

extern crate alloc;

pub mod compare;
pub mod corpus;
pub mod fuzz;
pub mod identities;
pub mod report;
pub mod sim;
pub mod vectors;
