//! Rows beyond their cap, folded into rows that say what they stand for.

use alloc::{format, vec::Vec};

use super::model::{Row, RowKind};
use crate::{
    explain::counted,
    limits::{WATERFALL_GROUP_ROWS, WATERFALL_ROWS},
    record::Record,
    time::Nanos,
};

/// Rows that stay together: the first one, and what is inside it.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) rows: Vec<Row>,
    /// Whether it is the final attempt, which is never folded away.
    pub(super) is_final: bool,
    /// What its row stands for, when that is rows that the record does not have.
    missing: Option<Folded>,
}

impl Group {
    pub(super) fn of(row: Row) -> Self {
        Self { rows: Vec::from([row]), is_final: false, missing: None }
    }

    pub(super) fn start(&self) -> Nanos {
        self.rows.first().map(|row| row.start_ns).unwrap_or_default()
    }

    fn end(&self) -> Nanos {
        self.rows.first().map(Row::end_ns).unwrap_or_default()
    }

    fn is(&self, kind: RowKind) -> bool {
        self.rows.first().is_some_and(|row| row.kind == kind)
    }

    /// Folds the rows inside past the cap of a group.
    fn shortened(mut self) -> Self {
        if self.rows.len() > WATERFALL_GROUP_ROWS {
            let rest = self.rows.split_off(WATERFALL_GROUP_ROWS.saturating_sub(1));
            let depth = rest.iter().map(|row| row.depth).min().unwrap_or_default();
            let mut folded = Folded::default();
            folded.add_rows(&rest);
            self.rows.extend(folded.row(depth));
        }
        self
    }
}

/// The rows of the groups, at most [`WATERFALL_ROWS`]: the beginning, the end and the final attempt stay, and rows say what
/// is missing. What the record itself counted without detail has such a row too.
pub(super) fn fold(mut groups: Vec<Group>, record: &Record) -> Vec<Row> {
    insert_dropped(&mut groups, record);
    let all = kept(&groups);
    let mut rows: Vec<Row> = Vec::new();
    let mut folded = Folded::default();
    for (group, is_kept) in groups.into_iter().zip(all) {
        if is_kept {
            rows.extend(core::mem::take(&mut folded).row(0));
            rows.extend(group.shortened().rows);
        } else {
            folded.add(&group);
        }
    }
    rows.extend(folded.row(0));
    rows
}

/// Puts a row in place of what the record counted past its caps. The record keeps the first attempts and the final one, so
/// attempts are missing before the final one; waits between the two say nothing without them and are counted in.
fn insert_dropped(groups: &mut Vec<Group>, record: &Record) {
    let dropped = &record.diagnostics.dropped;
    let mut missing = Folded {
        attempts: dropped.attempts.unwrap_or_default(),
        waits: dropped.waits.unwrap_or_default(),
        phases: dropped.phases.unwrap_or_default(),
        ..Folded::default()
    };
    let counted =
        [(missing.attempts, RowKind::Attempt), (missing.waits, RowKind::Wait), (missing.phases, RowKind::Phase)];
    let Some((_, kind)) = counted.into_iter().find(|(count, _)| *count > 0) else { return };
    let listed = groups.iter().filter(|group| group.is(kind) && !group.is_final);
    let start = listed.map(Group::end).max().unwrap_or_default();
    let is_final = |group: &Group| kind == RowKind::Attempt && group.is_final && group.start() >= start;
    let end = groups.iter().find(|group| is_final(group)).map_or(record.duration_ns, Group::start).max(start);
    if kind == RowKind::Attempt {
        groups.retain(|group| {
            let is_inside = group.is(RowKind::Wait) && group.start() >= start && group.end() <= end;
            missing.waits = missing.waits.saturating_add(u64::from(is_inside));
            !is_inside
        });
    }
    missing.stretch = Some((start, end));
    let Some(row) = missing.row(0) else { return };
    let at = groups.iter().position(|group| is_final(group) || group.start() > start).unwrap_or(groups.len());
    groups.insert(at, Group { missing: Some(missing), ..Group::of(row) });
}

/// Which groups are drawn.
fn kept(groups: &[Group]) -> Vec<bool> {
    let lengths: Vec<usize> = groups.iter().map(|group| group.rows.len().min(WATERFALL_GROUP_ROWS)).collect();
    let total: usize = lengths.iter().sum();
    let mut kept: Vec<bool> = groups.iter().map(|group| group.is_final || total <= WATERFALL_ROWS).collect();
    if total <= WATERFALL_ROWS {
        return kept;
    }
    let pinned: usize = lengths.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(length, _)| *length).sum();
    // Two rows are for what is folded before and after the final attempt.
    let room = WATERFALL_ROWS.saturating_sub(pinned).saturating_sub(2);
    let mut front = room / 2;
    let mut back = room.saturating_sub(front);
    let mut take = |at: usize, room: &mut usize| {
        let (Some(length), Some(kept)) = (lengths.get(at), kept.get_mut(at)) else { return false };
        if *kept {
            return true;
        }
        *kept = length <= room;
        *room = room.saturating_sub(*length);
        *kept
    };
    for at in 0..groups.len() {
        if !take(at, &mut front) {
            break;
        }
    }
    for at in (0..groups.len()).rev() {
        if !take(at, &mut back) {
            break;
        }
    }
    kept
}

/// What is not drawn.
#[derive(Clone, Copy, Debug, Default)]
struct Folded {
    attempts: u64,
    waits: u64,
    phases: u64,
    others: u64,
    /// Start of the first, and the last end.
    stretch: Option<(Nanos, Nanos)>,
}

impl Folded {
    fn add(&mut self, group: &Group) {
        let Some(missing) = group.missing else {
            self.add_rows(&group.rows);
            return;
        };
        self.attempts = self.attempts.saturating_add(missing.attempts);
        self.waits = self.waits.saturating_add(missing.waits);
        self.phases = self.phases.saturating_add(missing.phases);
        self.widen(group.start(), group.end());
    }

    fn add_rows(&mut self, rows: &[Row]) {
        for row in rows {
            let count = match row.kind {
                RowKind::Attempt => &mut self.attempts,
                RowKind::Phase => &mut self.phases,
                RowKind::Wait => &mut self.waits,
                _ => &mut self.others,
            };
            *count = count.saturating_add(1);
            self.widen(row.start_ns, row.end_ns());
        }
    }

    fn widen(&mut self, start: Nanos, end: Nanos) {
        let (first, last) = self.stretch.unwrap_or((start, end));
        self.stretch = Some((first.min(start), last.max(end)));
    }

    /// The row in its place; nothing when nothing was folded.
    fn row(self, depth: u32) -> Option<Row> {
        let (start, end) = self.stretch?;
        let counts = [(self.attempts, "attempt"), (self.waits, "wait"), (self.phases, "phase"), (self.others, "step")];
        let mut counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let (count, noun) = counts.next()?;
        let rest: Vec<_> = counts.map(|(count, noun)| counted(count, noun)).collect();
        let label = format!("… {}", counted(count, &format!("more {noun}")));
        Some(Row::folded(&label, &rest.join(", "), depth, start, end))
    }
}
