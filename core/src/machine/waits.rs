//! Pauses between attempts, or before the first one.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::input::{Retry, WaitEnd};
use crate::{
    limits::Limits,
    record::WaitRecord,
    stats::Coverage,
    time::{Nanos, Timestamp},
};

/// The waits of a call.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Waits {
    kept: Vec<Closed>,
    open: Option<Open>,
    dropped: u32,
    planned: Nanos,
    actual: Nanos,
    last: Option<(u32, WaitEnd)>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Open {
    retry: Retry,
    start: Timestamp,
    after_attempt: u32,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Closed {
    wait: Open,
    actual: Nanos,
    end: WaitEnd,
}

impl Waits {
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(crate) fn start(&mut self, now: Timestamp, retry: Retry, after_attempt: u32) {
        self.open = Some(Open { retry, start: now, after_attempt });
    }

    /// Closes the open wait, if there is one.
    pub(crate) fn close(&mut self, now: Timestamp, end: WaitEnd, limits: &Limits, coverage: &mut Coverage) {
        let Some(wait) = self.open.take() else { return };
        let actual = now.saturating_since(wait.start);
        coverage.add(wait.start, now);
        self.last = Some((wait.after_attempt, end));
        // A wait before the first attempt is setup, and one that was cut short is no retry.
        if wait.after_attempt > 0 && end == WaitEnd::Elapsed {
            self.planned = self.planned.saturating_add(wait.retry.delay_ns);
            self.actual = self.actual.saturating_add(actual);
        }
        if self.kept.len() < limits.waits {
            self.kept.push(Closed { wait, actual, end });
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// The last closed wait: the attempt before it, and how it ended.
    pub(crate) fn last(&self) -> Option<(u32, WaitEnd)> {
        self.last
    }

    pub(crate) fn planned(&self) -> Nanos {
        self.planned
    }

    pub(crate) fn actual(&self) -> Nanos {
        self.actual
    }

    pub(crate) fn dropped(&self) -> u64 {
        u64::from(self.dropped)
    }

    pub(crate) fn records(&self, call_start: Timestamp) -> Vec<WaitRecord> {
        self.kept
            .iter()
            .map(|closed| WaitRecord {
                reason: closed.wait.retry.reason,
                planned_delay_ns: closed.wait.retry.delay_ns,
                actual_delay_ns: closed.actual,
                server_requested: closed.wait.retry.server_requested,
                aborted: closed.end == WaitEnd::Aborted,
                start_ns: closed.wait.start.saturating_since(call_start),
                after_attempt: closed.wait.after_attempt,
            })
            .collect()
    }
}
