//! Tracks for calls that overlap.

use alloc::vec::Vec;

/// What the calls of one clock are drawn as: a process of the trace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Process {
    /// Calls whose place on the wall clock is known.
    WallClock,
    /// Calls that have only the caller's own clock.
    MonotonicClock,
}

impl Process {
    pub(super) const ALL: [Self; 2] = [Self::WallClock, Self::MonotonicClock];

    pub(super) const fn id(self) -> u32 {
        match self {
            Self::WallClock => 1,
            Self::MonotonicClock => 2,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::WallClock => "llmspan",
            Self::MonotonicClock => "llmspan, monotonic clock",
        }
    }
}

/// The lanes of one process: as many as calls overlap. A lane has a track for each row of its calls.
#[derive(Debug, Default)]
pub(super) struct Lanes(Vec<Lane>);

#[derive(Debug, Default)]
struct Lane {
    free_from: u64,
    /// Ids of the tracks of the lane, by row.
    tracks: Vec<u32>,
}

impl Lanes {
    /// Takes a lane for a call, and gives its number.
    ///
    /// It is the free lane that was busy last. For calls in the order of their starts, or of their ends, that takes as few
    /// lanes as can be.
    pub(super) fn take(&mut self, start: u64, length: u64) -> usize {
        // A call that took no time still has its moment for itself: what starts in it would be drawn around it.
        let end = start.saturating_add(length.max(1));
        let free = self.0.iter().enumerate().filter(|(_, lane)| lane.free_from <= start);
        let best = free.max_by_key(|(at, lane)| (lane.free_from, core::cmp::Reverse(*at))).map(|(at, _)| at);
        let at = best.unwrap_or(self.0.len());
        if at == self.0.len() {
            self.0.push(Lane::default());
        }
        if let Some(lane) = self.0.get_mut(at) {
            lane.free_from = end;
        }
        at
    }

    /// The track of a row on a lane, and whether it is new.
    ///
    /// Ids come from `last`, which counts through all processes: viewers name a track by its id alone.
    pub(super) fn track(&mut self, lane: usize, row: usize, last: &mut u32) -> (u32, bool) {
        let Some(lane) = self.0.get_mut(lane) else { return (0, false) };
        if let Some(track) = lane.tracks.get(row) {
            return (*track, false);
        }
        *last = last.saturating_add(1);
        lane.tracks.push(*last);
        (*last, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_in_the_order_of_their_starts_take_as_few_lanes_as_overlap() {
        let mut lanes = Lanes::default();
        let taken: Vec<_> =
            [(0, 10), (5, 10), (10, 5), (16, 1), (20, 1)].map(|(start, length)| lanes.take(start, length)).into();
        assert_eq!(taken, [0, 1, 0, 0, 0]);
    }

    #[test]
    fn calls_in_the_order_of_their_ends_take_as_few_lanes_as_overlap() {
        let mut lanes = Lanes::default();
        let taken: Vec<_> =
            [(0, 10), (12, 8), (5, 20), (26, 4), (27, 5)].map(|(start, length)| lanes.take(start, length)).into();
        assert_eq!(taken, [0, 0, 1, 1, 0]);
    }

    #[test]
    fn a_call_without_length_has_its_moment_for_itself() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.take(5, 0), 0);
        assert_eq!(lanes.take(5, 10), 1);
        assert_eq!(lanes.take(6, 10), 0);
    }

    #[test]
    fn tracks_are_numbered_through_all_processes() {
        let (mut one, mut other, mut last) = (Lanes::default(), Lanes::default(), 0);
        let (a, b) = (one.take(0, 5), other.take(0, 5));
        assert_eq!(one.track(a, 0, &mut last), (1, true));
        assert_eq!(other.track(b, 0, &mut last), (2, true));
        assert_eq!(one.track(a, 1, &mut last), (3, true));
        assert_eq!(one.track(a, 0, &mut last), (1, false));
    }
}
