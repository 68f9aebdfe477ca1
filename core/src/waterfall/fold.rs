//! Rows beyond their cap, folded into rows that say what they stand for.

use alloc::{string::String, vec::Vec};

use super::model::{Row, RowKind};
use crate::{
    explain::{Value::Counted, also, said},
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
    /// Whether it is drawn.
    is_kept: bool,
    /// What its row stands for, when that is rows that the record does not have.
    missing: Option<Folded>,
}

impl Group {
    pub(super) fn of(row: Row) -> Self {
        Self { rows: Vec::from([row]), is_final: false, is_kept: false, missing: None }
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

    /// How many rows it has when it is drawn.
    fn length(&self) -> usize {
        self.rows.len().min(WATERFALL_GROUP_ROWS)
    }

    /// Folds the rows inside past the cap of a group, and moves all of them to the end of `rows`.
    fn draw(&mut self, rows: &mut Vec<Row>) {
        if self.rows.len() > WATERFALL_GROUP_ROWS {
            let mut folded = Folded::default();
            let mut depth = u32::MAX;
            for row in self.rows.iter().skip(WATERFALL_GROUP_ROWS.saturating_sub(1)) {
                depth = depth.min(row.depth);
                folded.add_row(row);
            }
            self.rows.truncate(WATERFALL_GROUP_ROWS.saturating_sub(1));
            folded.draw(depth, &mut self.rows);
        }
        rows.append(&mut self.rows);
    }
}

/// The rows of the groups, at most [`WATERFALL_ROWS`]: the beginning, the end and the final attempt stay, and rows say what
/// is missing. What the record itself counted without detail has such a row too.
pub(super) fn fold(mut groups: Vec<Group>, record: &Record) -> Vec<Row> {
    insert_dropped(&mut groups, record);
    keep(&mut groups);
    let mut rows: Vec<Row> = Vec::new();
    let mut folded = Folded::default();
    for group in &mut groups {
        if group.is_kept {
            folded.draw(0, &mut rows);
            folded = Folded::default();
            group.draw(&mut rows);
        } else {
            folded.add(group);
        }
    }
    folded.draw(0, &mut rows);
    rows
}

/// Puts a row in place of what the record counted past its caps. The record keeps the first attempts and the final one, so
/// attempts are missing before the final one; waits between the two say nothing without them and are counted in.
fn insert_dropped(groups: &mut Vec<Group>, record: &Record) {
    let dropped = &record.diagnostics.dropped;
    let mut missing = Folded::default();
    let counts = [dropped.attempts, dropped.waits, dropped.phases];
    let mut found = None;
    for ((count, dropped), kind) in missing.counts.iter_mut().zip(counts).zip(KINDS) {
        *count = dropped.unwrap_or_default();
        if *count > 0 && found.is_none() {
            found = Some(kind);
        }
    }
    let Some(kind) = found else { return };
    let listed = groups.iter().filter(|group| group.is(kind) && !group.is_final);
    let start = listed.map(Group::end).max().unwrap_or_default();
    let is_final = |group: &Group| kind == RowKind::Attempt && group.is_final && group.start() >= start;
    let end = groups.iter().find(|group| is_final(group)).map_or(record.duration_ns, Group::start).max(start);
    if kind == RowKind::Attempt {
        groups.retain(|group| {
            let is_inside = group.is(RowKind::Wait) && group.start() >= start && group.end() <= end;
            if is_inside {
                missing.count(RowKind::Wait, 1);
            }
            !is_inside
        });
    }
    missing.stretch = Some((start, end));
    let mut row = Vec::new();
    missing.draw(0, &mut row);
    let at = groups.iter().position(|group| is_final(group) || group.start() > start).unwrap_or(groups.len());
    groups.insert(at, Group { rows: row, is_final: false, is_kept: false, missing: Some(missing) });
}

/// Chooses which groups are drawn.
fn keep(groups: &mut [Group]) {
    let (mut total, mut pinned) = (0_usize, 0_usize);
    for group in &*groups {
        total = total.saturating_add(group.length());
        pinned = pinned.saturating_add(if group.is_final { group.length() } else { 0 });
    }
    for group in &mut *groups {
        group.is_kept = group.is_final || total <= WATERFALL_ROWS;
    }
    // Two rows are for what is folded before and after the final attempt.
    let room = WATERFALL_ROWS.saturating_sub(pinned).saturating_sub(2);
    keep_first(&mut groups.iter_mut(), room / 2);
    keep_first(&mut groups.iter_mut().rev(), room.saturating_sub(room / 2));
}

/// Keeps the first groups as far as there is room.
fn keep_first(groups: &mut dyn Iterator<Item = &'_ mut Group>, mut room: usize) {
    for group in groups {
        if !group.is_kept {
            if group.length() > room {
                return;
            }
            group.is_kept = true;
            room = room.saturating_sub(group.length());
        }
    }
}

/// What is not drawn.
#[derive(Clone, Copy, Debug, Default)]
struct Folded {
    /// How many of each of [`KINDS`], and of others.
    counts: [u64; 4],
    /// Start of the first, and the last end.
    stretch: Option<(Nanos, Nanos)>,
}

const KINDS: [RowKind; 3] = [RowKind::Attempt, RowKind::Wait, RowKind::Phase];

impl Folded {
    fn add(&mut self, group: &Group) {
        let Some(missing) = group.missing else {
            return group.rows.iter().for_each(|row| self.add_row(row));
        };
        for (count, more) in self.counts.iter_mut().zip(missing.counts) {
            *count = count.saturating_add(more);
        }
        self.widen(group.start(), group.end());
    }

    fn add_row(&mut self, row: &Row) {
        self.count(row.kind, 1);
        self.widen(row.start_ns, row.end_ns());
    }

    fn count(&mut self, kind: RowKind, more: u64) {
        let at = KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len());
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(more);
        }
    }

    fn widen(&mut self, start: Nanos, end: Nanos) {
        let (first, last) = self.stretch.unwrap_or((start, end));
        self.stretch = Some((first.min(start), last.max(end)));
    }

    /// Adds the row that stands in the place; none when nothing was folded.
    fn draw(&self, depth: u32, rows: &mut Vec<Row>) {
        let Some((start, end)) = self.stretch else { return };
        let (mut label, mut rest) = (String::new(), String::new());
        let nouns =
            [("attempt", "more attempt"), ("wait", "more wait"), ("phase", "more phase"), ("step", "more step")];
        for (count, (noun, more)) in self.counts.into_iter().zip(nouns) {
            if count > 0 && label.is_empty() {
                label = said("… {}", &[Counted(count, more)]);
            } else if count > 0 {
                also(&mut rest, "{}", &[Counted(count, noun)]);
            }
        }
        if !label.is_empty() {
            rows.push(Row::folded(&label, &rest, depth, start, end));
        }
    }
}
