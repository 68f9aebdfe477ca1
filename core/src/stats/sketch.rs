//! A log-linear sketch of lengths of time, for nearest-rank percentiles in constant memory.
//!
//! Values below 128 ns have a bucket each; above, every power of two is divided into 64 buckets of equal width, as in
//! HDR histograms. A bucket is represented by its middle, so a percentile is off by at most 1/129 (0.78 %) of its value.
//!
//! Only buckets in use are stored, [`SKETCH_BUCKETS`] of them. When all are taken, neighbours far from the three ranks
//! that a record reports (50, 90 and 99 %) are merged in pairs; the buckets around those ranks keep their width, so the
//! error bound holds as long as the ranks move slowly against the number of values seen.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::limits::SKETCH_BUCKETS;

/// Counts of values by bucket.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Sketch {
    count: u64,
    min: u64,
    max: u64,
    sum: u128,
    /// In ascending order of bucket; reserved once, never grown past [`SKETCH_BUCKETS`].
    buckets: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Bucket {
    index: u16,
    count: Count,
}

/// A 32-bit count without alignment, so that a bucket takes six bytes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Count([u8; 4]);

impl Count {
    const fn get(self) -> u32 {
        u32::from_le_bytes(self.0)
    }

    const fn of(count: u32) -> Self {
        Self(count.to_le_bytes())
    }

    fn add(&mut self, more: u32) {
        *self = Self::of(self.get().saturating_add(more));
    }
}

impl Default for Sketch {
    fn default() -> Self {
        Self { count: 0, min: u64::MAX, max: 0, sum: 0, buckets: Vec::new() }
    }
}

impl Sketch {
    /// Counts one value.
    pub fn record(&mut self, value: u64) {
        self.count = self.count.saturating_add(1);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum = self.sum.saturating_add(u128::from(value));

        let index = bucket_of(value);
        match self.buckets.binary_search_by_key(&index, |bucket| bucket.index) {
            Ok(at) => {
                if let Some(bucket) = self.buckets.get_mut(at) {
                    bucket.count.add(1);
                }
            }
            Err(at) => self.insert(at, index),
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

    /// Mean, rounded down; `None` without values.
    pub fn mean(&self) -> Option<u64> {
        self.sum.checked_div(u128::from(self.count)).map(|mean| u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The value at the nearest rank of `percent`, within [min, max]; `None` without values.
    pub fn percentile(&self, percent: u32) -> Option<u64> {
        let rank = nearest_rank(self.count, percent);
        if self.count == 0 {
            return None;
        }
        if rank <= 1 {
            return Some(self.min);
        }
        if rank >= self.count {
            return Some(self.max);
        }
        let mut seen = 0_u64;
        for bucket in &self.buckets {
            seen = seen.saturating_add(u64::from(bucket.count.get()));
            if seen >= rank {
                return Some(middle_of(bucket.index).clamp(self.min, self.max));
            }
        }
        Some(self.max)
    }

    #[cold]
    fn insert(&mut self, at: usize, index: u16) {
        if self.buckets.capacity() == 0 {
            self.buckets.reserve_exact(SKETCH_BUCKETS);
        }
        let at = if self.buckets.len() < SKETCH_BUCKETS {
            at
        } else {
            self.merge_far_from_ranks();
            match self.buckets.binary_search_by_key(&index, |bucket| bucket.index) {
                Ok(at) | Err(at) => at,
            }
        };
        if self.buckets.len() < SKETCH_BUCKETS {
            self.buckets.insert(at, Bucket { index, count: Count::of(1) });
        }
    }

    /// Merges pairs of neighbours outside the windows around the reported ranks; frees at least a few buckets each time.
    fn merge_far_from_ranks(&mut self) {
        let protected = REPORTED_PERCENTS.map(|percent| self.position_of_rank(nearest_rank(self.count, percent)));
        let is_protected = |at: usize| protected.iter().any(|centre| at.abs_diff(*centre) <= PROTECTED_WINDOW);

        let mut merged: Vec<Bucket> = Vec::with_capacity(SKETCH_BUCKETS);
        let mut pairable = false;
        for (at, bucket) in self.buckets.iter().enumerate() {
            if is_protected(at) {
                merged.push(*bucket);
                pairable = false;
                continue;
            }
            match merged.last_mut() {
                Some(last) if pairable => {
                    if bucket.count.get() > last.count.get() {
                        last.index = bucket.index;
                    }
                    last.count.add(bucket.count.get());
                    pairable = false;
                }
                _ => {
                    merged.push(*bucket);
                    pairable = true;
                }
            }
        }
        self.buckets = merged;
    }

    fn position_of_rank(&self, rank: u64) -> usize {
        let mut seen = 0_u64;
        self.buckets
            .iter()
            .position(|bucket| {
                seen = seen.saturating_add(u64::from(bucket.count.get()));
                seen >= rank
            })
            .unwrap_or_default()
    }
}

/// The percentiles that a record reports.
const REPORTED_PERCENTS: [u32; 3] = [50, 90, 99];

/// Buckets on each side of a reported rank that are never merged. Three windows leave at least 65 buckets to merge.
const PROTECTED_WINDOW: usize = 10;

/// log2 of the buckets per power of two.
const SUB_BITS: u32 = 6;

fn nearest_rank(count: u64, percent: u32) -> u64 {
    let scaled = u128::from(count).saturating_mul(u128::from(percent));
    u64::try_from(scaled.div_ceil(100)).unwrap_or(u64::MAX)
}

fn bucket_of(value: u64) -> u16 {
    let exponent = value.checked_ilog2().unwrap_or(0);
    let index = if exponent <= SUB_BITS {
        value
    } else {
        let shift = exponent.saturating_sub(SUB_BITS);
        // The top seven bits lie in 64..128; each shift starts 64 buckets further.
        (u64::from(shift) << SUB_BITS).saturating_add(value >> shift)
    };
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// The middle of a bucket: harmonic, so that the relative error is the same at both ends.
fn middle_of(index: u16) -> u64 {
    let index = u64::from(index);
    let shift = (index >> SUB_BITS).saturating_sub(1);
    if shift == 0 {
        return index;
    }
    let top = index.saturating_sub(shift << SUB_BITS);
    let low = u128::from(top) << shift;
    let high = u128::from(top.saturating_add(1)) << shift;
    let middle = low.saturating_mul(high).saturating_mul(2).checked_div(low.saturating_add(high)).unwrap_or(low);
    u64::try_from(middle).unwrap_or(u64::MAX)
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

    fn exact(sorted: &[u64], percent: u32) -> u64 {
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
        for percent in REPORTED_PERCENTS {
            let expected = exact(&sorted, percent);
            let got = sketch.percentile(percent).unwrap();
            assert!(
                u128::from(got.abs_diff(expected)) * 100 <= u128::from(expected),
                "{name}: p{percent} is {expected}, the sketch says {got}"
            );
        }
        assert!(sketch.buckets.len() <= SKETCH_BUCKETS);
        assert_eq!(sketch.min(), sorted.first().copied());
        assert_eq!(sketch.max(), sorted.last().copied());
    }

    #[test]
    fn every_bucket_is_within_its_bound() {
        let mut value = 1_u64;
        while value < u64::MAX / 8 {
            for probe in [value, value + value / 3, value * 2 - 1] {
                let middle = middle_of(bucket_of(probe));
                assert!(u128::from(middle.abs_diff(probe)) * 100 <= u128::from(probe), "{probe} -> {middle}");
            }
            value = value * 5 / 3 + 1;
        }
        assert_eq!(bucket_of(u64::MAX), 64 * 57 + 127);
    }

    #[test]
    fn buckets_are_monotonic_across_powers_of_two() {
        for exponent in 1..63 {
            let edge = 1_u64 << exponent;
            assert!(bucket_of(edge - 1) < bucket_of(edge), "{edge}");
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
    fn few_values_give_exact_ends() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.percentile(50), None);
        assert_eq!(sketch.mean(), None);
        for value in [100_000_000, 1_300_000_000, 100_000_000] {
            sketch.record(value);
        }
        assert_eq!(sketch.mean(), Some(500_000_000));
        let median = sketch.percentile(50).unwrap();
        assert!((100_000_000..=101_000_000).contains(&median), "{median}");
        assert_eq!(sketch.percentile(99), Some(1_300_000_000));
    }
}
