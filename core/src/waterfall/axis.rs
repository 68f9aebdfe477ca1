//! Round times along a call.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::{explain::readable, fields::written, time::Nanos};

/// The time axis of a waterfall: from 0 to the end of the call, with ticks at round times.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Axis {
    /// Distance of the ticks.
    pub step_ns: Nanos,
    /// The ticks, the first one at 0.
    pub ticks: Vec<Tick>,
}

/// A mark on an [`Axis`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tick {
    /// The time, from the start of the call.
    pub at_ns: Nanos,
    /// The time with its unit; `0` for the start.
    pub label: String,
}

written! { Axis, skips None { step_ns, ticks } }
written! { Tick, skips None { at_ns, label } }

impl Axis {
    /// The most steps of the axis of a [`Waterfall`](super::Waterfall): there is one tick more.
    pub const TICKS: u64 = 6;

    /// An axis of this length with at most this many steps. A time that is below the step has the tick at 0 alone.
    pub fn new(total: Nanos, most: u64) -> Self {
        let step = step(total.as_nanos(), most.max(1));
        let count = total.as_nanos().checked_div(step).unwrap_or_default();
        let at = |tick: u64| Nanos::from_nanos(tick.saturating_mul(step));
        let ticks = (0..=count).map(|tick| Tick { at_ns: at(tick), label: moment(at(tick)) }).collect();
        Self { step_ns: Nanos::from_nanos(step), ticks }
    }
}

/// A time from the start of the call, with its unit; `0` for the start itself.
pub(super) fn moment(at: Nanos) -> String {
    if at == Nanos::ZERO { String::from("0") } else { readable(at) }
}

/// The least round number of nanoseconds that fits into the total at most `most` times.
fn step(total: u64, most: u64) -> u64 {
    let least = total.div_ceil(most).max(1);
    let round = |power: u32| [1, 2, 5].map(|digit: u64| digit.saturating_mul(10_u64.saturating_pow(power)));
    let below_a_minute = (0..11).flat_map(round).filter(|step| *step < MINUTE);
    let minutes = [1, 2, 5, 10, 15, 30].map(|minutes: u64| minutes.saturating_mul(MINUTE));
    let hours = [1, 2, 4, 8, 12].map(|hours: u64| hours.saturating_mul(60 * MINUTE));
    let days = (0..6).flat_map(round).map(|days| days.saturating_mul(24 * 60 * MINUTE));
    below_a_minute.chain(minutes).chain(hours).chain(days).find(|step| *step >= least).unwrap_or(u64::MAX)
}

const MINUTE: u64 = 60_000_000_000;
