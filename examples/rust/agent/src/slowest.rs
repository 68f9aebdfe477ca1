//! The slowest call so far.

use std::sync::{Arc, Mutex, PoisonError};

use llmspan::{Record, Sink};

/// Keeps the record of the slowest call. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Slowest {
    record: Arc<Mutex<Option<Record>>>,
}

impl Slowest {
    /// The record; none before the first call has ended.
    pub fn record(&self) -> Option<Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the time of the slowest call went, and what was out of the ordinary, in lines.
    pub fn explain(&self) -> Vec<String> {
        let Some(record) = self.record() else { return vec!["no call has ended".into()] };
        let lines = record.explain().into_iter().map(|line| line.to_string());
        std::iter::once(format!("call {}, the slowest:", record.call)).chain(lines).collect()
    }
}

impl Sink for Slowest {
    fn record(&self, record: &Record) {
        let mut slowest = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if slowest.as_ref().is_none_or(|slowest| slowest.duration_ns < record.duration_ns) {
            *slowest = Some(record.clone());
        }
    }
}
