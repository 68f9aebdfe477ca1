//! The engine that hosts drive: one call, or many by id.
//!
//! [`Call`] joins the state machine of one call with the decoders of its response streams. [`Tracker`] keeps open calls by
//! id over the same `Call`, for hosts that see many at once and for event logs. [`Correlator`] tells hooks around HTTP clients which
//! requests are attempts of one call.

mod call;
mod correlator;
#[cfg(feature = "compact")]
mod snapshot;
mod tracker;

pub use call::Call;
pub use correlator::{Correlator, Fate, Over, Resumed};
pub use tracker::{Tracker, TrackerStats, replay};
