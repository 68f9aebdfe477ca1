//! Deadlines of a call, from its configuration.

use super::call::{Machine, WhatEnded};
use crate::{record::TimeoutKind, time::Timestamp};

/// A deadline that is set. Of two at the same time the first one here decides: what says how a call failed before what only
/// gives it up.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
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
        let deadline = config.deadline_ns.map(|after| (self.started.saturating_add(after), Due::Deadline));
        let abandon = config.abandon_after_ns.map(|after| (self.started.saturating_add(after), Due::Abandon));
        let idle = config.idle_timeout_ns.and_then(|after| {
            // Silence is that of every attempt that runs: one of a hedge may wait while another one streams.
            let open = self.attempts.iter().filter(|attempt| attempt.is_open());
            let last = open.map(|attempt| attempt.last_activity).max()?;
            Some((last.saturating_add(after), Due::Idle))
        });
        [deadline, abandon, idle].into_iter().flatten().min()
    }
}
