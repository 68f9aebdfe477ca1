//! Base-2 exponential histograms, as the OpenTelemetry metrics data model defines them.
//!
//! At scale `s` bucket `i` holds the values in `(b^i, b^(i+1)]` with `b = 2^(2^-s)`. Indexes are found in integer arithmetic,
//! the same on every machine, and an index at a coarser scale is a finer one shifted. The scale is the finest at which all
//! values fit into the buckets, so it depends on the values alone and not on their order: merging loses nothing and is
//! associative.

use alloc::{boxed::Box, vec};

use crate::limits::EXPONENTIAL_BUCKETS;

/// The buckets of an exponential histogram. Values are never negative, so there are only positive buckets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exponential {
    scale: i32,
    zeros: u64,
    /// Index of the first bucket.
    offset: i32,
    /// How many buckets are in use.
    used: usize,
    counts: Box<[u64]>,
}

impl Exponential {
    pub(super) fn new() -> Self {
        Self { scale: MAX_SCALE, zeros: 0, offset: 0, used: 0, counts: vec![0; EXPONENTIAL_BUCKETS].into() }
    }

    /// The scale, from 20 downwards; the finer, the larger.
    pub const fn scale(&self) -> i32 {
        self.scale
    }

    /// How many values are zero.
    pub const fn zero_count(&self) -> u64 {
        self.zeros
    }

    /// Index of the first of [`Self::counts`]; 0 without any.
    pub const fn offset(&self) -> i32 {
        self.offset
    }

    /// The counts of consecutive buckets, from the first to the last that is not empty; at most 160.
    pub fn counts(&self) -> &[u64] {
        self.counts.get(..self.used).unwrap_or_default()
    }

    /// Counts a value of `base / per_unit` units.
    pub(super) fn record(&mut self, base: u64, per_unit: u64, times: u64) {
        let scale = self.scale.max(0);
        match index_at(scale, base, per_unit) {
            Some(index) => self.add(index, scale, times),
            None => self.zeros = self.zeros.saturating_add(times),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_add(other.zeros);
        while self.scale > other.scale {
            self.coarsen();
        }
        for (index, count) in (other.offset..).zip(other.counts()) {
            if *count > 0 {
                self.add(index, other.scale, *count);
            }
        }
    }

    /// Adds to the bucket that has the index at a scale at least as fine as this one's.
    fn add(&mut self, index: i32, scale: i32, times: u64) {
        if times == 0 {
            return;
        }
        loop {
            let index = index >> scale.saturating_sub(self.scale).clamp(0, 31);
            if self.used == 0 {
                self.offset = index;
                self.used = 1;
            }
            let last = self.offset.saturating_add(i32::try_from(self.used).unwrap_or(i32::MAX)).saturating_sub(1);
            let first = self.offset.min(index);
            let width = last.max(index).saturating_sub(first).saturating_add(1);
            let Some(width) = usize::try_from(width).ok().filter(|width| *width <= self.counts.len()) else {
                self.coarsen();
                continue;
            };
            let shift = usize::try_from(self.offset.saturating_sub(first)).unwrap_or_default();
            if let Some(buckets) = self.counts.get_mut(..width) {
                buckets.rotate_right(shift);
            }
            self.offset = first;
            self.used = width;
            let place = usize::try_from(index.saturating_sub(first)).unwrap_or_default();
            if let Some(count) = self.counts.get_mut(place) {
                *count = count.saturating_add(times);
            }
            return;
        }
    }

    /// Goes to the next coarser scale: buckets are joined in pairs.
    fn coarsen(&mut self) {
        self.scale = self.scale.saturating_sub(1);
        if self.used == 0 {
            return;
        }
        let offset = self.offset >> 1;
        let mut used = 0;
        for (index, from) in (self.offset..).zip(0..self.used) {
            let Some(count) = self.counts.get_mut(from).map(core::mem::take) else { return };
            let to = usize::try_from((index >> 1).saturating_sub(offset)).unwrap_or_default();
            if let Some(joined) = self.counts.get_mut(to) {
                *joined = joined.saturating_add(count);
            }
            used = to.saturating_add(1);
        }
        self.offset = offset;
        self.used = used;
    }
}

/// The index of `base / per_unit` at a scale from 0 on; `None` for zero.
///
/// Squaring a number in [1, 2) doubles its logarithm: whether the square reaches 2 is the next binary digit of it. Bounds of
/// buckets are powers of two or irrational, so cutting the squares to 63 places puts no value into a wrong bucket.
fn index_at(scale: i32, base: u64, per_unit: u64) -> Option<i32> {
    if base == 0 {
        return None;
    }
    let divisor = per_unit.max(1);
    // Both in [2^63, 2^64): the quotient, in (1/2, 2), is the fraction, and the shifts are the exponent.
    let (above, below) = (base.leading_zeros(), divisor.leading_zeros());
    let mut exponent = i64::from(below).saturating_sub(i64::from(above));
    let (above, below) = (u128::from(base << above), u128::from(divisor << below));
    let mut above = above << FRACTION_BITS;
    if above / below < ONE {
        exponent = exponent.saturating_sub(1);
        above <<= 1;
    }
    let mut fraction = above / below;
    let mut index = exponent << scale;
    if fraction == ONE && above.is_multiple_of(below) {
        // A power of two is the upper bound of its bucket.
        return i32::try_from(index.saturating_sub(1)).ok();
    }
    for digit in (0..scale).rev() {
        fraction = fraction.saturating_mul(fraction) >> FRACTION_BITS;
        if fraction >= 2 * ONE {
            fraction >>= 1;
            index = index.saturating_add(1 << digit);
        }
    }
    i32::try_from(index).ok()
}

/// The finest scale, that of OpenTelemetry's SDKs.
const MAX_SCALE: i32 = 20;
const FRACTION_BITS: u32 = 63;
const ONE: u128 = 1 << FRACTION_BITS;
