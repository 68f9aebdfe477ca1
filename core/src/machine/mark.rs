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
    /// `u64::MAX` is no time that a clock reaches: 584 years after its origin.
    const UNSET: Self = Self(u64::MAX);

    pub(crate) fn get(self) -> Option<Timestamp> {
        (self != Self::UNSET).then(|| Timestamp::from_nanos(self.0))
    }

    pub(crate) fn is_set(self) -> bool {
        self != Self::UNSET
    }

    /// Moves the mark to `at`.
    pub(crate) fn set(&mut self, at: Timestamp) {
        self.0 = at.as_nanos().min(u64::MAX.saturating_sub(1));
    }

    /// Sets the mark unless it is set.
    pub(crate) fn set_first(&mut self, at: Timestamp) {
        if !self.is_set() {
            self.set(at);
        }
    }

    pub(crate) fn since(self, origin: Timestamp) -> Option<Nanos> {
        self.get().map(|at| at.saturating_since(origin))
    }
}
