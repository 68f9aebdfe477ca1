//! A log-linear sketch of lengths of time, for nearest-rank percentiles in constant memory.
//!
//! Every power of two is divided into 36 buckets that grow alike: the logarithm within a power is a cubic through integers,
//! so that the same value falls into the same bucket on every machine. A bucket is represented by its middle, so a percentile
//! is off by at most 1 % of its value; smallest and largest value are exact, and so is zero.
//!
//! Powers of two in use have a block of counts each, [`SKETCH_BLOCKS`] at most: enough for values that differ a thousandfold
//! and more without any loss. Past that, the block whose values are farthest from the three ranks that a record reports
//! (50, 90 and 99 %) gives way, and what lies in a power without a block is counted at the edge of the nearest one. So the
//! bound holds beyond that range too, unless a rank wanders into powers that it was far from before.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{limits::SKETCH_BLOCKS, wide::divide};

/// Counts of values by bucket.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Sketch {
    count: u64,
    zeros: u64,
    min: u64,
    max: u64,
    sum: u64,
    /// By power of two: one more than the number of its block, or 0. In rows, as serde reads arrays of up to 32.
    blocks: [[u8; 16]; 4],
    /// Blocks of [`PER_POWER`] counts. Reserved once.
    counts: Vec<u16>,
    /// The count at which a power without a block may ask for one again.
    review_at: u64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            count: 0,
            zeros: 0,
            min: u64::MAX,
            max: 0,
            sum: 0,
            blocks: [[0; 16]; 4],
            counts: Vec::new(),
            review_at: 0,
        }
    }
}

impl Sketch {
    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.count = self.count.saturating_add(1);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum = self.sum.saturating_add(value);

        let Some(bucket) = Bucket::of(value) else {
            self.zeros = self.zeros.saturating_add(1);
            return;
        };
        let count = self.place_of(bucket).and_then(|at| self.counts.get_mut(at));
        match count {
            Some(count) if *count < u16::MAX => *count = count.wrapping_add(1),
            _ => self.record_rare(bucket),
        }
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Smallest value, exactly; `None` without values.
    pub fn min(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min)
    }

    /// Largest value, exactly; `None` without values.
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// Mean, rounded down; `None` without values. Exact while the sum fits 64 bits: 584 years of nanoseconds.
    pub fn mean(&self) -> Option<u64> {
        self.sum.checked_div(self.count)
    }

    /// The values at the nearest ranks of 50, 90 and 99 %, within [min, max]; `None` without values.
    pub fn percentiles(&self) -> Option<[u64; REPORTED_PERCENTS.len()]> {
        let [median, high, highest] = REPORTED_PERCENTS;
        (self.count > 0).then(|| [self.percentile(median), self.percentile(high), self.percentile(highest)])
    }

    fn percentile(&self, percent: u64) -> u64 {
        let rank = nearest_rank(self.count, percent);
        if rank <= self.zeros.max(1) {
            return self.min;
        }
        if rank >= self.count {
            return self.max;
        }
        // Counts may have been halved: the rank is taken among those that are there.
        let rank = nearest_rank(self.total(), percent);
        let mut seen = self.zeros;
        for exponent in 0..u64::BITS {
            for (place, count) in (0..).zip(self.block_of(exponent)) {
                seen = seen.saturating_add(u64::from(*count));
                if seen >= rank {
                    return Bucket { exponent, place }.middle().clamp(self.min, self.max);
                }
            }
        }
        self.max
    }

    fn total(&self) -> u64 {
        self.counts.iter().fold(self.zeros, |total, count| total.saturating_add(u64::from(*count)))
    }

    /// Where a bucket is counted; `None` when its power has no block.
    fn place_of(&self, bucket: Bucket) -> Option<usize> {
        let block = usize::from(self.block_number(bucket.exponent)?);
        Some(block.wrapping_mul(PER_POWER).wrapping_add(bucket.place))
    }

    fn block_number(&self, exponent: u32) -> Option<u8> {
        self.blocks.get(index(exponent >> 4))?.get(index(exponent & 15))?.checked_sub(1)
    }

    fn set_block(&mut self, exponent: u32, number: Option<u8>) {
        let row = self.blocks.get_mut(index(exponent >> 4));
        if let Some(slot) = row.and_then(|row| row.get_mut(index(exponent & 15))) {
            *slot = number.map_or(0, |number| number.saturating_add(1));
        }
    }

    /// The counts of a power; none when it has no block.
    fn block_of(&self, exponent: u32) -> &[u16] {
        let start = self.block_number(exponent).map(|number| usize::from(number).saturating_mul(PER_POWER));
        start.and_then(|start| self.counts.get(start..start.saturating_add(PER_POWER))).unwrap_or_default()
    }

    /// Counts a value whose power has no block, or whose count is full.
    #[cold]
    fn record_rare(&mut self, bucket: Bucket) {
        let blocks = self.counts.len() / PER_POWER;
        if self.place_of(bucket).is_some() {
            // Ranks are relative: they keep their meaning when every count is halved.
            for count in &mut self.counts {
                *count = count.div_ceil(2);
            }
            self.zeros = self.zeros.div_ceil(2);
        } else if blocks < SKETCH_BLOCKS {
            if blocks == 0 {
                self.counts.reserve_exact(SKETCH_BLOCKS.saturating_mul(PER_POWER));
            }
            self.counts.resize(self.counts.len().saturating_add(PER_POWER), 0);
            self.set_block(bucket.exponent, u8::try_from(blocks).ok());
        } else if self.count < ALWAYS_REVIEWED || self.count >= self.review_at {
            self.review_at = self.count.saturating_add(self.count >> 3);
            self.make_room_for(bucket.exponent);
        }
        let place = self.place_of(bucket).or_else(|| self.nearest_edge(bucket.exponent));
        if let Some(count) = place.and_then(|place| self.counts.get_mut(place)) {
            *count = count.saturating_add(1);
        }
    }

    /// The count at the edge of the nearest block, on the side of a power without one.
    fn nearest_edge(&self, exponent: u32) -> Option<usize> {
        let below = (0..exponent).rev().find(|other| self.block_number(*other).is_some());
        let above = (exponent..u64::BITS).find(|other| self.block_number(*other).is_some());
        let nearer = match (below, above) {
            (Some(below), Some(above)) if above - exponent < exponent - below => Some(above),
            (below, above) => below.or(above),
        }?;
        let place = if nearer < exponent { PER_POWER.saturating_sub(1) } else { 0 };
        self.place_of(Bucket { exponent: nearer, place })
    }

    /// Gives the block that is farthest from the reported ranks to another power, if that one is nearer to them.
    fn make_room_for(&mut self, wanted: u32) {
        let total = self.total();
        // How many values lie between a stretch of ranks and the nearest reported one.
        let distance = |first: u64, last: u64| {
            let mut nearest = u64::MAX;
            for percent in REPORTED_PERCENTS {
                let rank = nearest_rank(total, percent);
                nearest = nearest.min(first.saturating_sub(rank).max(rank.saturating_sub(last)));
            }
            nearest
        };
        let mut seen = self.zeros;
        let mut farthest = (0, wanted);
        let mut own = 0;
        for exponent in 0..u64::BITS {
            let first = seen.saturating_add(1);
            seen = self.block_of(exponent).iter().fold(seen, |seen, count| seen.saturating_add(u64::from(*count)));
            if exponent == wanted {
                own = distance(first, first);
            } else if self.block_number(exponent).is_some() {
                farthest = farthest.max((distance(first, seen), exponent));
            }
        }
        let (farthest, victim) = farthest;
        let Some(number) = self.block_number(victim).filter(|_| own < farthest) else { return };
        let values = self.block_of(victim).iter().fold(0_u16, |sum, count| sum.saturating_add(*count));
        self.set_block(victim, None);
        if let Some(edge) = self.nearest_edge(victim).and_then(|edge| self.counts.get_mut(edge)) {
            *edge = edge.saturating_add(values);
        }
        let start = usize::from(number).saturating_mul(PER_POWER);
        if let Some(block) = self.counts.get_mut(start..start.saturating_add(PER_POWER)) {
            block.fill(0);
        }
        self.set_block(wanted, Some(number));
    }
}

/// A place on the logarithmic scale: a power of two, and one of its 36 parts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Bucket {
    exponent: u32,
    place: usize,
}

impl Bucket {
    /// The bucket of a value; `None` for zero.
    #[inline]
    fn of(value: u64) -> Option<Self> {
        // log2(1 + s) ≈ s (10/7 − s (3/5 − 6/35 s)) for s in [0, 1): the cubic that is exact at both ends and grows nearly
        // as the logarithm does (Masson, Rim, Lee: DDSketch, 2019). Coefficients in 2^-30, s in 2^-16.
        const LINEAR: u64 = 1_533_916_891;
        const SQUARE: u64 = 644_245_094;
        const CUBE: u64 = 184_070_027;
        let exponent = value.checked_ilog2()?;
        // The sixteen bits behind the leading one.
        let fraction = value.wrapping_shl(63_u32.wrapping_sub(exponent)).wrapping_shl(1) >> 48;
        let inner = SQUARE.wrapping_sub(CUBE.wrapping_mul(fraction) >> 16);
        let outer = LINEAR.wrapping_sub(inner.wrapping_mul(fraction) >> 16);
        let logarithm = outer.wrapping_mul(fraction) >> 16;
        // 36 parts of a number below 2^30.
        Some(Self { exponent, place: index(u32::try_from(logarithm.wrapping_mul(36) >> 30).unwrap_or(0)) })
    }

    /// The middle: harmonic, so that the relative error is the same at both ends.
    fn middle(self) -> u64 {
        let low = self.first();
        let next = Self { exponent: self.exponent, place: self.place.saturating_add(1) };
        let high = next.first().saturating_sub(1).max(low);
        let (low, high) = (u128::from(low), u128::from(high));
        let sum = low.saturating_add(high);
        let twice = low.saturating_mul(high).saturating_mul(2);
        divide(twice.saturating_add(sum >> 1), sum)
    }

    /// The smallest value that is not below the bucket.
    fn first(self) -> u64 {
        let mut low = 1_u64 << self.exponent;
        let mut high = low.saturating_mul(2);
        while low < high {
            let middle = low.midpoint(high);
            if Self::of(middle).is_some_and(|bucket| bucket < self) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low
    }
}

/// The percentiles that a record reports.
const REPORTED_PERCENTS: [u64; 3] = [50, 90, 99];

/// Buckets per power of two. 35 would do for 1 %, were the logarithm exact.
const PER_POWER: usize = 36;

/// Up to this many values every power without a block may ask for one; later only now and then.
const ALWAYS_REVIEWED: u64 = 256;

fn nearest_rank(count: u64, percent: u64) -> u64 {
    // Hundreds first: the product with what is left over fits, too.
    let hundreds = (count / 100).saturating_mul(percent);
    hundreds.saturating_add((count % 100).saturating_mul(percent).div_ceil(100))
}

/// A small number as an index.
fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator with a fixed seed: the tests are the same on every machine.
    struct Lcg(u64);

    impl Lcg {
        fn unit(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
        }
    }

    fn exact(sorted: &[u64], percent: u64) -> u64 {
        let rank = (sorted.len() * usize::try_from(percent).unwrap()).div_ceil(100);
        sorted[rank.max(1) - 1]
    }

    fn assert_within_one_percent(name: &str, values: &[u64]) {
        let mut sketch = Sketch::default();
        for value in values {
            sketch.record(*value);
        }
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        for (percent, got) in REPORTED_PERCENTS.into_iter().zip(sketch.percentiles().unwrap()) {
            let expected = exact(&sorted, percent);
            assert!(
                u128::from(got.abs_diff(expected)) * 100 <= u128::from(expected),
                "{name}: p{percent} is {expected}, the sketch says {got}"
            );
        }
        assert!(sketch.counts.capacity() <= SKETCH_BLOCKS * PER_POWER);
        assert_eq!(sketch.min(), sorted.first().copied());
        assert_eq!(sketch.max(), sorted.last().copied());
    }

    #[test]
    fn every_bucket_is_within_its_bound() {
        let mut value = 1_u64;
        while value < u64::MAX / 8 {
            for probe in [value, value + value / 3, value * 2 - 1] {
                let middle = Bucket::of(probe).unwrap().middle();
                assert!(u128::from(middle.abs_diff(probe)) * 100 <= u128::from(probe), "{probe} -> {middle}");
            }
            value = value * 5 / 3 + 1;
        }
        assert_eq!(Bucket::of(0), None);
        assert_eq!(Bucket::of(u64::MAX), Some(Bucket { exponent: 63, place: 35 }));
    }

    #[test]
    fn buckets_are_monotonic_across_powers_of_two() {
        for exponent in 1..63 {
            let edge = 1_u64 << exponent;
            assert!(Bucket::of(edge - 1) < Bucket::of(edge), "{edge}");
        }
    }

    #[test]
    fn percentiles_of_many_shapes_are_within_one_percent() {
        let mut random = Lcg(7);
        let n = 200_000;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "test values are positive and small"
        )]
        let mut draw = |shape: fn(&mut Lcg) -> f64| (0..n).map(|_| shape(&mut random) as u64).collect::<Vec<_>>();
        assert_within_one_percent("uniform", &draw(|r| 1e6 + r.unit() * 3e8));
        assert_within_one_percent("exponential", &draw(|r| -(1.0 - r.unit() * 0.999_999).ln() * 4e7));
        assert_within_one_percent("log-uniform over seven decades", &draw(|r| 10_f64.powf(3.0 + 7.0 * r.unit())));
        assert_within_one_percent(
            "two modes",
            &draw(|r| if r.unit() < 0.7 { 2e3 + r.unit() * 4e4 } else { 2e7 + r.unit() * 1e8 }),
        );
        assert_within_one_percent(
            "lognormal",
            &draw(|r| {
                let normal = (-2.0 * (r.unit() + 1e-9).ln()).sqrt() * (core::f64::consts::TAU * r.unit()).cos();
                (17.0 + normal).exp()
            }),
        );
    }

    #[test]
    fn percentiles_follow_a_stream_that_changes() {
        let mut random = Lcg(3);
        let n = 100_000_u32;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "test values are positive and small"
        )]
        let mut draw = |shape: fn(f64, &mut Lcg) -> f64| {
            (0..n).map(|at| shape(f64::from(at) / f64::from(n), &mut random) as u64).collect::<Vec<_>>()
        };
        assert_within_one_percent("ten times slower at the end", &draw(|t, r| 5e6 * 10_f64.powf(t) * (0.5 + r.unit())));
        assert_within_one_percent(
            "ten times faster at the end",
            &draw(|t, r| 5e7 * 10_f64.powf(-t) * (0.5 + r.unit())),
        );
        assert_within_one_percent(
            "another pace half way",
            &draw(|t, r| if t < 0.5 { 3e6 + 2e7 * r.unit() } else { 1e8 + 4e8 * r.unit() }),
        );
    }

    #[test]
    fn few_values_give_exact_ends() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.percentiles(), None);
        assert_eq!(sketch.mean(), None);
        for value in [100_000_000, 1_300_000_000, 100_000_000] {
            sketch.record(value);
        }
        assert_eq!(sketch.mean(), Some(500_000_000));
        let [median, _, last] = sketch.percentiles().unwrap();
        assert!((100_000_000..=101_000_000).contains(&median), "{median}");
        assert_eq!(last, 1_300_000_000);
    }
}
