//! From the summary of gaps between chunks to observations.
//!
//! A record keeps no single gap, only how many there were, the smallest, the largest and three percentiles. The mean taken
//! that many times would put every gap into one bucket and hide the stalls. What a summary does say of a gap by its rank is
//! that it is no longer than the next percentile above; there it is counted.

use crate::{
    record::{InterChunk, Record},
    time::Nanos,
};

/// Gives `(value, times, what it adds to the sum, whether the value really occurred)`, the smallest gap first.
///
/// The times add up to the number of gaps, and the sums to the sum of all gaps.
pub(super) fn observe(record: &Record, emit: &mut dyn FnMut(u64, u64, u128, bool)) {
    let Some(gaps) = record.inter_chunk.as_ref().filter(|gaps| gaps.count > 0) else { return };
    let (smallest, largest) = (gaps.min_ns.as_nanos(), gaps.max_ns.as_nanos().max(gaps.min_ns.as_nanos()));
    if gaps.count == 1 {
        emit(largest, 1, sum(record, gaps), true);
        return;
    }
    emit(smallest, 1, sum(record, gaps), true);
    // The first and the last rank are known; those between are counted at the percentile that their rank is below.
    let between = gaps.count.saturating_sub(1);
    let mut counted = 1;
    let mut value = smallest;
    for (percent, at) in [(50, gaps.p50_ns), (90, gaps.p90_ns), (99, gaps.p99_ns), (100, gaps.max_ns)] {
        value = at.as_nanos().clamp(value, largest);
        let rank = nearest_rank(gaps.count, percent).min(between);
        let times = rank.saturating_sub(counted);
        if times > 0 {
            emit(value, times, 0, false);
            counted = rank;
        }
    }
    emit(largest, 1, 0, true);
}

/// The sum of all gaps: last visible chunk less the first one. The mean, rounded down, stands in where a record has no marks
/// or where they are not those of the gaps.
fn sum(record: &Record, gaps: &InterChunk) -> u128 {
    let marks = &record.marks;
    let spanned = marks.last_content_ns.zip(marks.first_content_ns).map(|(last, first)| last.saturating_sub(first));
    spanned
        .map(Nanos::as_nanos)
        .filter(|spanned| spanned.checked_div(gaps.count) == Some(gaps.mean_ns.as_nanos()))
        .map_or_else(|| u128::from(gaps.mean_ns.as_nanos()).saturating_mul(gaps.count.into()), u128::from)
}

/// The rank of a percentile among `count` sorted values, from 1.
fn nearest_rank(count: u64, percent: u64) -> u64 {
    let rank = u128::from(count).saturating_mul(percent.into()).div_ceil(100);
    u64::try_from(rank).unwrap_or(u64::MAX)
}
