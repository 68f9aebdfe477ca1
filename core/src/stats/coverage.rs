//! How much of a call its phases, attempts and waits cover together.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    limits::COVERAGE_INTERVALS,
    time::{Nanos, Timestamp},
};

/// The union of intervals, in bounded memory.
///
/// Intervals arrive roughly in time order. When too many disjoint ones are held, the oldest are summed up; what arrives
/// later and lies before their end is clipped to it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Coverage {
    /// Disjoint, ascending.
    intervals: Vec<(u64, u64)>,
    settled: u64,
    settled_until: u64,
}

impl Coverage {
    /// Adds the interval from `start` to `end`.
    pub(crate) fn add(&mut self, start: Timestamp, end: Timestamp) {
        let start = start.as_nanos().max(self.settled_until);
        let end = end.as_nanos();
        if end <= start {
            return;
        }
        let first = self.intervals.partition_point(|interval| interval.1 < start);
        let last = self.intervals.partition_point(|interval| interval.0 <= end);
        let mut merged = (start, end);
        for _ in first..last {
            let touched = self.intervals.remove(first);
            merged = (merged.0.min(touched.0), merged.1.max(touched.1));
        }
        self.intervals.insert(first, merged);
        if self.intervals.len() > COVERAGE_INTERVALS {
            let (start, end) = self.intervals.remove(0);
            self.settled = self.settled.saturating_add(end.saturating_sub(start));
            self.settled_until = end;
        }
    }

    /// Length of the union.
    pub(crate) fn total(&self) -> Nanos {
        Nanos::from_nanos(
            self.intervals
                .iter()
                .fold(self.settled, |total, (start, end)| total.saturating_add(end.saturating_sub(*start))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(coverage: &mut Coverage, start: u64, end: u64) {
        coverage.add(Timestamp::from_nanos(start), Timestamp::from_nanos(end));
    }

    #[test]
    fn overlaps_count_once() {
        let mut coverage = Coverage::default();
        add(&mut coverage, 0, 10);
        add(&mut coverage, 5, 15);
        add(&mut coverage, 20, 30);
        add(&mut coverage, 15, 20);
        add(&mut coverage, 40, 40);
        assert_eq!(coverage.total(), Nanos::from_nanos(30));
        add(&mut coverage, 50, 60);
        add(&mut coverage, 2, 55);
        assert_eq!(coverage.total(), Nanos::from_nanos(60));
        assert_eq!(coverage.intervals, [(0, 60)]);
    }

    #[test]
    fn many_disjoint_intervals_stay_bounded_and_exact() {
        let mut coverage = Coverage::default();
        for step in 0..1_000 {
            add(&mut coverage, step * 10, step * 10 + 4);
        }
        assert_eq!(coverage.total(), Nanos::from_nanos(4_000));
        assert!(coverage.intervals.len() <= COVERAGE_INTERVALS);
    }
}
