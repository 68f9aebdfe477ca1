//! The clock of a recorder: the only place where this crate reads one.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::sync::Arc;

use llmspan_core::time::{Nanos, Timestamp, UnixNanos};
use web_time::{Instant, SystemTime, UNIX_EPOCH};

/// A source of time: monotonic for every event, and the wall clock once per call.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The current time on one monotonic clock.
    fn now(&self) -> Timestamp;

    /// The wall-clock time, read at the start of each call as the anchor of its absolute times. `None` gives records
    /// without absolute times.
    fn unix_now(&self) -> Option<UnixNanos>;
}

/// The clock of the system; monotonic times count from its creation. Also runs in browsers.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock that starts at zero.
    #[expect(clippy::disallowed_methods, reason = "the one place where the monotonic clock is read")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(to_nanos(self.origin.elapsed()).as_nanos())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
    fn unix_now(&self) -> Option<UnixNanos> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(UnixNanos::from_nanos(to_nanos(since_epoch).as_nanos()))
    }
}

/// A clock that stands still until it is told otherwise: for tests. Clones show the same time.
///
/// # Examples
/// ```
/// use llmspan::{Clock, ManualClock, Nanos, Timestamp};
///
/// let clock = ManualClock::default();
/// clock.advance(Nanos::from_millis(250));
/// assert_eq!(clock.now(), Timestamp::from_millis(250));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
    unix_origin: Option<UnixNanos>,
}

impl ManualClock {
    /// A clock whose zero is at that wall-clock time; without one, records have no absolute times.
    pub fn anchored(origin: UnixNanos) -> Self {
        Self { unix_origin: Some(origin), ..Self::default() }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Nanos) {
        self.nanos.fetch_add(by.as_nanos(), Ordering::SeqCst);
    }

    /// Sets the time, also backwards.
    pub fn set(&self, to: Timestamp) {
        self.nanos.store(to.as_nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.nanos.load(Ordering::SeqCst))
    }

    fn unix_now(&self) -> Option<UnixNanos> {
        let passed = self.now().saturating_since(Timestamp::default());
        self.unix_origin.map(|origin| origin.saturating_add(passed))
    }
}

/// A standard duration in the engine's unit; saturates past `u64` nanoseconds (584 years).
pub fn to_nanos(duration: Duration) -> Nanos {
    Nanos::from_nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// A length of time as the standard type, for timers.
pub const fn to_duration(nanos: Nanos) -> Duration {
    Duration::from_nanos(nanos.as_nanos())
}
