//! The clock of the schedule, and the date of responses.

/// Nanoseconds on the monotonic clock of the system.
///
/// On Linux that is `CLOCK_MONOTONIC`, which Python's `time.perf_counter_ns()` and Node's `process.hrtime.bigint()` read
/// too: times of different processes on one machine can be compared. Elsewhere a process may have an origin of its own.
#[cfg(unix)]
pub fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Nanoseconds on the monotonic clock of the process.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "the schedule is made of readings of this clock")]
pub fn monotonic_ns() -> u64 {
    static ORIGIN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    u64::try_from(ORIGIN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The wall clock, for dates in headers.
#[expect(clippy::disallowed_methods, reason = "HTTP dates are wall-clock times")]
pub(crate) fn wall() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// Seconds since the Unix epoch, for `created` fields.
pub(crate) fn unix_seconds() -> u64 {
    wall().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
