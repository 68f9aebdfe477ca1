//! Summaries in constant memory.

mod coverage;
mod sketch;

pub(crate) use coverage::Coverage;
pub use sketch::Sketch;
