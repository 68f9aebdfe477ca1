//! Many calls by id.

use alloc::{boxed::Box, collections::VecDeque, sync::Arc, vec::Vec};
use core::iter;

use super::Call;
use crate::{
    config::Config,
    error::{Error, ErrorKind},
    event::{Event, TimedEvent, read_log},
    machine::CallStart,
    record::Record,
    sorted::sort_by_key,
    time::Timestamp,
};

/// Open calls by id, and the records of those that ended, in the order in which they ended.
///
/// **All progress comes from method calls with a time, as with [`Call`].**
///
/// 1. Hand over events with [`Tracker::handle_event`]; a call opens with its `call_started`, or with its first event.
/// 2. When [`Tracker::poll_timeout`] gives a time, call [`Tracker::handle_timeout`] once that time has come.
/// 3. Take records with [`Tracker::poll_record`] until it gives none.
///
/// # Examples
/// ```
/// use llmspan_core::{config::Config, engine::Tracker, event::read_log};
///
/// let log = r#"
/// {"at_ns": 0, "event": "call_started", "call": "a", "operation": "chat", "stream": true}
/// {"at_ns": 0, "event": "attempt_started", "call": "a"}
/// {"at_ns": 5, "event": "chunk", "call": "a", "content": "text", "terminal": true}
/// {"at_ns": 9, "event": "call_ended", "call": "a"}
/// "#;
/// let mut tracker = Tracker::new(Config::default())?;
/// for event in read_log(log)? {
///     tracker.handle_event(&event);
/// }
/// let record = tracker.poll_record().expect("the call has ended");
/// assert_eq!(record.call, "a");
/// # Ok::<(), llmspan_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tracker {
    config: Arc<Config>,
    /// Sorted by id. A list of pointers is searched as fast as a map, which is a lot more code, and calls begin and end seldom
    /// beside their events.
    #[expect(clippy::vec_box, reason = "pointers are moved where a call begins or ends, not calls")]
    open: Vec<Box<Tracked>>,
    records: VecDeque<Record>,
    /// Ids of calls that ended, the oldest first, so that stragglers open no call of their own.
    finished: VecDeque<Box<str>>,
    next_number: u64,
    stats: TrackerStats,
}

/// Replays an event log of JSON lines to the records of its calls, in the order in which they ended. Calls that it leaves open end
/// as `abandoned` at its last event. Records wait until the end, so that events behind the end of their call count in them; past
/// [`Limits::pending_records`] the oldest is dropped.
///
/// [`Limits::pending_records`]: crate::limits::Limits::pending_records
///
/// # Errors
/// Those of [`Tracker::new`] and of [`read_log`].
pub fn replay(log: &str, config: Config) -> Result<Vec<Record>, Error> {
    let mut tracker = Tracker::new(config)?;
    let mut last = Timestamp::default();
    for event in read_log(log)? {
        last = last.max(event.at);
        tracker.handle_event(&event);
    }
    tracker.handle_shutdown(last);
    Ok(iter::from_fn(|| tracker.poll_record()).collect())
}

#[derive(Clone, Debug)]
struct Tracked {
    id: Box<str>,
    /// Order of the start: the oldest call gives way when there are too many.
    number: u64,
    call: Call,
}

/// What a tracker had to let go of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct TrackerStats {
    /// Calls finalized as abandoned because too many were open.
    pub evicted_calls: u64,
    /// Records dropped because nobody took them.
    pub dropped_records: u64,
    /// Events for calls that had ended, whose record was taken already.
    pub late_events: u64,
    /// Ends of calls that had ended, whose record was taken already.
    pub duplicate_ends: u64,
}

impl Tracker {
    /// Makes a tracker without calls.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`] when [`Config::validate`] refuses the configuration.
    pub fn new(config: Config) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self {
            config: Arc::new(config),
            open: Vec::new(),
            records: VecDeque::new(),
            finished: VecDeque::new(),
            next_number: 0,
            stats: TrackerStats::default(),
        })
    }

    /// Applies one event of the log. A call that nobody started is started by its first event.
    pub fn handle_event(&mut self, timed: &TimedEvent) {
        let id = timed.call_id();
        match &timed.event {
            Event::Tick if timed.call.is_none() => self.handle_timeout(timed.at),
            Event::CallStarted(start) if self.find(id).is_err() => {
                let start = (**start).clone();
                self.start_call(id, timed.at, start);
            }
            Event::Tick => self.apply(timed),
            event if self.find(id).is_err() => {
                if self.finished.iter().any(|finished| **finished == *id) {
                    self.after_the_end(id, matches!(event, Event::CallEnded(_) | Event::CallDropped));
                } else {
                    self.start_call(id, timed.at, CallStart::default());
                    self.apply(timed);
                }
            }
            _ => self.apply(timed),
        }
    }

    /// Opens a call. An open call of the same id goes on and counts the second start as late; the id of a call that ended
    /// may be used again.
    pub fn start_call(&mut self, id: &str, now: Timestamp, start: CallStart) {
        if let Some(call) = self.call_mut(id) {
            call.handle_event(now, None, &Event::CallStarted(Box::new(start)));
            return;
        }
        self.make_room(now);
        let call = Call::with_id(id, Arc::clone(&self.config), now, start);
        self.finished.retain(|finished| **finished != *id);
        if let Err(at) = self.find(id) {
            self.open.insert(at, Box::new(Tracked { id: id.into(), number: self.next_number, call }));
        }
        self.next_number = self.next_number.saturating_add(1);
    }

    /// Gives an open call to `f`, and collects its record if that ended it.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownCall`] when no call with this id is open.
    pub fn with_call<T>(&mut self, id: &str, f: impl FnOnce(&mut Call) -> T) -> Result<T, Error> {
        let result = f(self.call_mut(id).ok_or_else(|| Error::new(ErrorKind::UnknownCall, id))?);
        self.collect(id);
        Ok(result)
    }

    /// Number of open calls.
    pub fn open_calls(&self) -> usize {
        self.open.len()
    }

    /// What the tracker had to let go of.
    pub fn stats(&self) -> TrackerStats {
        self.stats
    }

    /// The earliest time at which [`Tracker::handle_timeout`] has to be called, if there is one.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.open.iter().filter_map(|tracked| tracked.call.poll_timeout()).min()
    }

    /// Ends every call whose deadline has passed at `now`, the earliest deadline first.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let mut due: Vec<(Timestamp, u64, Box<str>)> = self
            .open
            .iter()
            .filter_map(|tracked| Some((tracked.call.due(now)?, tracked.number, tracked.id.clone())))
            .collect();
        sort_by_key(&mut due, |(at, number, _)| (*at, *number));
        for (_, _, id) in due {
            if let Some(call) = self.call_mut(&id) {
                call.handle_timeout(now);
            }
            self.collect(&id);
        }
    }

    /// Ends every open call as abandoned, the oldest first: for hosts that shut down.
    pub fn handle_shutdown(&mut self, now: Timestamp) {
        while let Some(id) = self.oldest() {
            self.drop_call(&id, now);
        }
    }

    /// The next record, in the order in which calls ended.
    pub fn poll_record(&mut self) -> Option<Record> {
        self.records.pop_front()
    }

    fn apply(&mut self, timed: &TimedEvent) {
        let id: Box<str> = timed.call_id().into();
        if let Some(call) = self.call_mut(&id) {
            call.handle_event(timed.at, timed.attempt, &timed.event);
        }
        self.collect(&id);
    }

    /// Moves the record of a call that has ended to the queue.
    fn collect(&mut self, id: &str) {
        let Ok(at) = self.find(id) else { return };
        let Some(record) = self.open.get_mut(at).and_then(|tracked| tracked.call.poll_record()) else { return };
        self.open.remove(at);
        let limits = &self.config.limits;
        if limits.finished_calls > 0 {
            if self.finished.len() >= limits.finished_calls {
                self.finished.pop_front();
            }
            self.finished.push_back(id.into());
        }
        if self.records.len() >= limits.pending_records {
            self.records.pop_front();
            self.stats.dropped_records = self.stats.dropped_records.saturating_add(1);
        }
        self.records.push_back(record);
    }

    /// An event of a call that has ended: counted on its record while that is still here.
    fn after_the_end(&mut self, id: &str, is_end: bool) {
        let record = self.records.iter_mut().rev().find(|record| record.call == id);
        let count = match (record, is_end) {
            (Some(record), true) => &mut record.diagnostics.duplicate_ends,
            (Some(record), false) => &mut record.diagnostics.late_events,
            (None, true) => &mut self.stats.duplicate_ends,
            (None, false) => &mut self.stats.late_events,
        };
        *count = count.saturating_add(1);
    }

    fn make_room(&mut self, now: Timestamp) {
        while self.open.len() >= self.config.limits.open_calls {
            let Some(oldest) = self.oldest() else { return };
            self.drop_call(&oldest, now);
            self.stats.evicted_calls = self.stats.evicted_calls.saturating_add(1);
        }
    }

    fn oldest(&self) -> Option<Box<str>> {
        self.open.iter().min_by_key(|tracked| tracked.number).map(|tracked| tracked.id.clone())
    }

    fn drop_call(&mut self, id: &str, now: Timestamp) {
        if let Some(call) = self.call_mut(id) {
            call.handle_dropped(now);
        }
        self.collect(id);
    }

    fn call_mut(&mut self, id: &str) -> Option<&mut Call> {
        let at = self.find(id).ok()?;
        self.open.get_mut(at).map(|tracked| &mut tracked.call)
    }

    /// The place of an open call, or where it belongs.
    fn find(&self, id: &str) -> Result<usize, usize> {
        self.open.binary_search_by(|tracked| (*tracked.id).cmp(id))
    }
}
