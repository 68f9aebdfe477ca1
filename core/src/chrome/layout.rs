//! Which slices of a call can be on one row.

use alloc::vec::Vec;

/// A stretch of time, in nanoseconds from the start of the call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Span {
    /// The stretch of `length` from `start`, cut to what lies within `bounds`.
    pub(super) fn within(bounds: Self, start: u64, length: u64) -> Self {
        let end = start.saturating_add(length).clamp(bounds.start, bounds.end);
        Self { start: start.clamp(bounds.start, end), end }
    }

    pub(super) fn length(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    pub(super) fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    fn is_apart_from(self, other: Self) -> bool {
        self.end <= other.start || other.end <= self.start
    }

    fn nests_with(self, other: Self) -> bool {
        self.is_apart_from(other) || self.contains(other) || other.contains(self)
    }
}

/// The rows of a call: row 0 is its own track, the others are beside it.
#[derive(Default)]
pub(super) struct Rows(Vec<Row>);

#[derive(Default)]
struct Row {
    /// Attempts and waits: one after the other, never one inside another.
    steps: Vec<Span>,
    /// Everything on the row.
    all: Vec<Span>,
}

impl Rows {
    /// Puts an attempt or a wait on the first row where nothing of the kind is at the same time.
    pub(super) fn place_step(&mut self, span: Span) -> usize {
        let at = self.0.iter().position(|row| row.steps.iter().all(|other| other.is_apart_from(span)));
        let at = self.put(at, span);
        if let Some(row) = self.0.get_mut(at) {
            row.steps.push(span);
        }
        at
    }

    /// Puts a part on the row of what it is a part of; not at all when it crosses the end of something there.
    pub(super) fn place_part(&mut self, at: usize, span: Span) -> bool {
        let fits = self.fits(at, span);
        if fits {
            self.put(Some(at), span);
        }
        fits
    }

    /// Puts a phase on the row of the phase around it, else on the first row where it crosses the end of nothing.
    pub(super) fn place_phase(&mut self, around: Option<usize>, span: Span) -> usize {
        let at = around.filter(|at| self.fits(*at, span));
        let at = at.or_else(|| (0..self.0.len()).find(|at| self.fits(*at, span)));
        self.put(at, span)
    }

    fn fits(&self, at: usize, span: Span) -> bool {
        self.0.get(at).is_some_and(|row| row.all.iter().all(|other| other.nests_with(span)))
    }

    fn put(&mut self, at: Option<usize>, span: Span) -> usize {
        let at = at.unwrap_or(self.0.len());
        if at == self.0.len() {
            self.0.push(Row::default());
        }
        if let Some(row) = self.0.get_mut(at) {
            row.all.push(span);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: u64, end: u64) -> Span {
        Span { start, end }
    }

    #[test]
    fn steps_are_never_inside_each_other() {
        let mut rows = Rows::default();
        assert_eq!(rows.place_step(span(0, 100)), 0);
        assert_eq!(rows.place_step(span(20, 60)), 1, "a hedged attempt is beside, not inside");
        assert_eq!(rows.place_step(span(50, 50)), 2, "even when it took no time");
        assert_eq!(rows.place_step(span(60, 90)), 1, "the end of one may be the start of the next");
        assert_eq!(rows.place_step(span(100, 120)), 0);
    }

    #[test]
    fn phases_nest_or_go_beside() {
        let mut rows = Rows::default();
        rows.place_step(span(10, 100));
        assert!(rows.place_part(0, span(10, 40)));
        assert!(!rows.place_part(0, span(30, 60)), "crosses the part before it");
        assert_eq!(rows.place_phase(None, span(0, 100)), 0, "around the attempt");
        assert_eq!(rows.place_phase(None, span(15, 30)), 0, "inside the part");
        assert_eq!(rows.place_phase(None, span(30, 50)), 1, "across the end of the part");
        assert_eq!(rows.place_phase(Some(1), span(35, 38)), 1, "where the phase around it is");
    }

    #[test]
    fn spans_are_cut_to_their_bounds() {
        assert_eq!(Span::within(span(10, 20), 5, 100), span(10, 20));
        assert_eq!(Span::within(span(10, 20), 15, u64::MAX), span(15, 20));
        assert_eq!(Span::within(span(10, 20), 30, 5), span(20, 20));
        assert_eq!(Span::within(span(10, 20), 2, 3), span(10, 10));
    }
}
