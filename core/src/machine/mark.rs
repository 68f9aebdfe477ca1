//! A moment that may not have come yet, in eight bytes.

use serde::{Deserialize, Serialize};

use crate::time::{Nanos, Timestamp};

/// The first or last time something happened; unset until it does.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub(crate) struct Mark(u64);

impl Default for Mark {
    fn default() -> Self {
        Self::UNSET
    }
}

impl Mark {
    /// The machine takes no time as late as this: 584 years after the origin of the clock.
    const UNSET: Self = Self(u64::MAX);

    /// The latest time that a mark can hold.
    pub(crate) const LATEST: Timestamp = Timestamp::from_nanos(u64::MAX - 1);

    pub(crate) fn get(self) -> Option<Timestamp> {
        (self != Self::UNSET).then(|| Timestamp::from_nanos(self.0))
    }

    pub(crate) fn is_set(self) -> bool {
        self != Self::UNSET
    }

    /// Moves the mark to `at`.
    pub(crate) fn set(&mut self, at: Timestamp) {
        self.0 = at.as_nanos();
    }

    /// Sets the mark unless it is set.
    pub(crate) fn set_first(&mut self, at: Timestamp) {
        if !self.is_set() {
            self.set(at);
        }
    }

    /// The time from the mark, which is set, to `now`.
    pub(crate) fn since_then(self, now: Timestamp) -> Nanos {
        Nanos::from_nanos(now.as_nanos().saturating_sub(self.0))
    }

    pub(crate) fn since(self, origin: Timestamp) -> Option<Nanos> {
        self.get().map(|at| at.saturating_since(origin))
    }
}
