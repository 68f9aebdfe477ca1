//! Round times along a call.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::{
    explain::{Value, said},
    fields::written,
    time::Nanos,
};

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
        let ticks = (0..=count).map(|tick| Tick { at_ns: at(tick), label: said("{}", &[since(at(tick))]) }).collect();
        Self { step_ns: Nanos::from_nanos(step), ticks }
    }
}

/// A time from the start of the call, with its unit; `0` for the start itself.
pub(super) fn since(at: Nanos) -> Value<'static> {
    if at == Nanos::ZERO { Value::Text("0") } else { Value::Time(at) }
}

/// The least round number of nanoseconds that fits into the total at most `most` times.
fn step(total: u64, most: u64) -> u64 {
    let least = total.div_ceil(most).max(1);
    if least > 50 * SECOND && least <= DAY / 2 {
        let minutes = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720_u64];
        let mut round = minutes.into_iter().map(|minutes| minutes.saturating_mul(60 * SECOND));
        return round.find(|step| *step >= least).unwrap_or(DAY);
    }
    // Below a minute, and from a day on, round is 1, 2 and 5 with zeros behind it.
    let mut unit = if least > DAY / 2 { DAY } else { 1 };
    loop {
        for digit in [1, 2, 5] {
            let step = unit.saturating_mul(digit);
            if step >= least {
                return step;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 24 * 60 * 60 * SECOND;
