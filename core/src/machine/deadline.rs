//! Deadlines of a call, from its configuration.

use super::call::{Machine, WhatEnded};
use crate::{record::TimeoutKind, time::Timestamp};

/// A deadline that is set. Of two at the same time the first one here decides: what says how a call failed before what only
/// gives it up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Due {
    Deadline,
    Idle,
    Abandon,
}

impl Machine {
    /// The time at which [`Machine::due`] has to be asked, if any.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.next_due().map(|(at, _)| at)
    }

    /// What ends the call, when a deadline has passed at `now`. The end is the deadline, not `now`.
    pub fn due(&self, now: Timestamp) -> Option<WhatEnded> {
        // A tick is no event of the call: it does not move its time.
        let now = now.max(self.now);
        let (at, due) = self.next_due().filter(|(at, _)| *at <= now)?;
        Some(match due {
            Due::Abandon => WhatEnded::Expired(at),
            Due::Deadline => WhatEnded::Deadline(TimeoutKind::Deadline, at),
            Due::Idle => WhatEnded::Deadline(TimeoutKind::Idle, at),
        })
    }

    fn next_due(&self) -> Option<(Timestamp, Due)> {
        let config = &self.config;
        // Silence is that of every attempt that runs: one of a hedge may wait while another one streams.
        let mut last_activity = None;
        for attempt in &self.attempts {
            if attempt.is_open() {
                last_activity = last_activity.max(Some(attempt.last_activity));
            }
        }
        let mut next: Option<(Timestamp, Due)> = None;
        for (due, from, after) in [
            (Due::Deadline, Some(self.started), config.deadline_ns),
            (Due::Idle, last_activity, config.idle_timeout_ns),
            (Due::Abandon, Some(self.started), config.abandon_after_ns),
        ] {
            let Some((from, after)) = from.zip(after) else { continue };
            let at = from.saturating_add(after);
            if next.is_none_or(|(next, _)| at < next) {
                next = Some((at, due));
            }
        }
        next
    }
}
