//! The engine of llmspan.
#![no_std]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod config;
pub mod delta;
pub mod encode;
pub mod engine;
pub mod error;
pub mod event;
pub mod framing;
pub mod limits;
pub mod machine;
pub mod names;
pub mod price;
pub mod provider;
pub mod record;
pub mod stats;
pub mod time;
