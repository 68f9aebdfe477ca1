//! Starts real backends and asks them what they read.
//!
//! Each test in `tests/` starts one backend, sends it the calls of [`calls`], and compares what the backend answers with
//! what is known of these calls. `cargo xtask test --backends` installs the backends and runs the tests; without it they
//! are ignored.

pub mod calls;
pub mod collector;
pub mod known;
pub mod process;
pub mod query;

/// What goes wrong in a test, in words.
pub type Result<T> = core::result::Result<T, Box<dyn core::error::Error + Send + Sync>>;
