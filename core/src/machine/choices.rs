//! Choices of one response and their finish reasons.

use alloc::{boxed::Box, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    delta::ChoiceDelta,
    limits::{Limits, cut},
};

/// Which choices were seen, which finished, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Choices {
    /// One bit per choice below 64.
    seen: u64,
    finished: u64,
    /// In the order of the choices.
    reasons: Vec<(u32, Box<str>)>,
    dropped: u32,
}

impl Choices {
    /// Takes note of a choice. Returns whether it finished just now.
    pub(crate) fn observe(&mut self, choice: &ChoiceDelta<'_>, limits: &Limits) -> bool {
        let bit = bit(choice.index);
        self.seen |= bit;
        let Some(reason) = choice.finish_reason.as_deref().filter(|reason| !reason.is_empty()) else { return false };
        self.finished |= bit;
        let reason = cut(reason, limits.name_bytes);
        match self.reasons.binary_search_by_key(&choice.index, |(index, _)| *index) {
            Ok(at) => {
                if let Some((_, known)) = self.reasons.get_mut(at)
                    && **known != *reason
                {
                    *known = reason.into();
                }
                false
            }
            Err(at) if self.reasons.len() < limits.finish_reasons => {
                if self.reasons.is_empty() {
                    self.reasons.reserve_exact(1);
                }
                self.reasons.insert(at, (choice.index, reason.into()));
                true
            }
            Err(_) => {
                self.dropped = self.dropped.saturating_add(1);
                true
            }
        }
    }

    /// Whether every choice would be finished with these.
    pub(crate) fn would_finish_with(&self, choices: &[ChoiceDelta<'_>]) -> bool {
        let (mut seen, mut finished) = (self.seen, self.finished);
        for choice in choices {
            let bit = bit(choice.index);
            seen |= bit;
            if choice.finish_reason.as_deref().is_some_and(|reason| !reason.is_empty()) {
                finished |= bit;
            }
        }
        finished != 0 && seen & !finished == 0
    }

    /// Whether choices were seen and each of them has a finish reason.
    pub(crate) fn all_finished(&self) -> bool {
        !self.reasons.is_empty() && self.seen & !self.finished == 0
    }

    pub(crate) fn reasons(&self) -> Vec<String> {
        self.reasons.iter().map(|(_, reason)| reason.as_ref().into()).collect()
    }

    pub(crate) fn dropped(&self) -> u64 {
        u64::from(self.dropped)
    }
}

/// The bit of a choice; choices past 63 have none and do not take part.
fn bit(index: u32) -> u64 {
    1_u64.checked_shl(index).unwrap_or(0)
}
