//! Tool calls of one attempt, told apart and counted.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::delta::ToolCallDelta;

/// The tool calls seen so far.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct ToolCalls {
    seen: Vec<Seen>,
    count: u32,
    dropped: u32,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Seen {
    choice: u32,
    index: Option<u32>,
    /// Hash of the id: ids are compared, never kept.
    id: Option<u64>,
}

impl ToolCalls {
    /// Counts a call or recognizes a fragment. Returns whether it is a new call.
    ///
    /// Calls are keyed by choice and index; the same index with another id and a name is another call. Without an index
    /// the id is the key, and a fragment without either continues the last call of its choice.
    pub(crate) fn observe(&mut self, call: &ToolCallDelta<'_>, cap: usize) -> bool {
        let id = call.id.as_deref().filter(|id| !id.is_empty()).map(hash);
        let named = call.name.as_deref().is_some_and(|name| !name.is_empty());
        let is_full = self.seen.len() >= cap;
        let known = self.seen.iter_mut().rev().find(|seen| {
            seen.choice == call.choice
                && match (call.index, id) {
                    (Some(_), _) => seen.index == call.index,
                    (None, Some(_)) => seen.id == id,
                    (None, None) => !named,
                }
        });
        match known {
            Some(seen) => {
                let is_another = call.index.is_some() && named && id.is_some() && seen.id.is_some() && seen.id != id;
                if id.is_some() && (is_another || seen.id.is_none()) {
                    seen.id = id;
                }
                if !is_another {
                    return false;
                }
            }
            // Past the cap a fragment cannot be matched; only what looks like a start counts.
            None if is_full => {
                if !named && id.is_none() {
                    return false;
                }
                self.dropped = self.dropped.saturating_add(1);
            }
            None => self.seen.push(Seen { choice: call.choice, index: call.index, id }),
        }
        self.count = self.count.saturating_add(1);
        true
    }

    pub(crate) fn count(&self) -> u64 {
        u64::from(self.count)
    }

    pub(crate) fn dropped(&self) -> u64 {
        u64::from(self.dropped)
    }
}

/// FNV-1a, 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(index: Option<u32>, id: Option<&'a str>, name: Option<&'a str>) -> ToolCallDelta<'a> {
        ToolCallDelta { choice: 0, index, id: id.map(Into::into), name: name.map(Into::into) }
    }

    #[test]
    fn fragments_are_not_calls() {
        let mut calls = ToolCalls::default();
        assert!(calls.observe(&call(Some(0), Some("a"), Some("search")), 8));
        assert!(!calls.observe(&call(Some(0), None, None), 8));
        assert!(!calls.observe(&call(Some(0), Some(""), None), 8));
        assert!(calls.observe(&call(Some(1), Some("b"), Some("search")), 8));
        assert!(calls.observe(&call(Some(0), Some("c"), Some("search")), 8), "an index used again by another call");
        assert_eq!(calls.count(), 3);
    }

    #[test]
    fn without_an_index_the_id_tells_calls_apart() {
        let mut calls = ToolCalls::default();
        assert!(calls.observe(&call(None, Some("a"), Some("f")), 8));
        assert!(!calls.observe(&call(None, None, None), 8));
        assert!(calls.observe(&call(None, Some("b"), Some("f")), 8));
        assert!(calls.observe(&call(None, None, Some("g")), 8), "a name without an id starts a call");
        assert_eq!(calls.count(), 3);
    }

    #[test]
    fn past_the_cap_starts_still_count() {
        let mut calls = ToolCalls::default();
        for index in 0..100 {
            calls.observe(&call(Some(index), Some(if index % 2 == 0 { "even" } else { "odd" }), Some("f")), 4);
            calls.observe(&call(Some(index), None, None), 4);
        }
        assert_eq!((calls.count(), calls.dropped()), (100, 96));
    }
}
