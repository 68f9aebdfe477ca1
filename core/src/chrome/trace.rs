//! The two forms of a trace: a whole file, and one that grows.

use alloc::{format, string::String, vec::Vec};

use super::{
    event,
    slices::{self, Slice},
    tracks::{Lanes, Process},
};
use crate::{
    record::Record,
    sorted::sort_by_key,
    time::{Timestamp, UnixNanos},
};

/// A trace of calls, written as a whole when all of them are there.
///
/// # Examples
/// ```
/// use llmspan_core::{chrome::ChromeTrace, record::Record, time::{Nanos, UnixNanos}};
///
/// let mut record = Record::default();
/// record.stream = true;
/// record.start_unix_ns = Some(UnixNanos::from_nanos(1_790_000_000_000_000_000));
/// record.duration_ns = Nanos::from_nanos(127_000_000_500);
/// let mut trace = ChromeTrace::new();
/// trace.add(&record);
/// let file = trace.finish();
/// assert!(file.contains(r#""name":"llm.chat_stream","cat":"llm,call","ph":"X","ts":0.000,"dur":127000000.500"#));
/// ```
#[derive(Debug, Default)]
pub struct ChromeTrace {
    calls: Vec<DrawnCall>,
}

#[derive(Debug)]
struct DrawnCall {
    process: Process,
    start: u64,
    length: u64,
    slices: Vec<Slice>,
}

impl ChromeTrace {
    /// Begins a trace without calls.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a call where its wall-clock anchor puts it; one without an anchor starts at 0 of the monotonic clock.
    pub fn add(&mut self, record: &Record) {
        self.calls.push(DrawnCall::new(record, None));
    }

    /// Adds a call that started at `start` on its caller's monotonic clock. A wall-clock anchor is not looked at.
    pub fn add_at(&mut self, record: &Record, start: Timestamp) {
        self.calls.push(DrawnCall::new(record, Some(start)));
    }

    /// Writes the trace as a JSON object with `traceEvents`.
    ///
    /// A call that ends more than 292 years after the earliest one cannot be drawn, for viewers count nanoseconds in 64
    /// bits with a sign; `otherData.left_out` counts such calls.
    pub fn finish(mut self) -> String {
        let on_wall = |call: &&DrawnCall| call.process == Process::WallClock;
        let earliest = self.calls.iter().filter(on_wall).map(|call| call.start).min().unwrap_or_default();
        sort_by_key(&mut self.calls, |call| call.start);
        let mut lines = Lines::new(Separator::None);
        let mut left_out = 0_u64;
        for call in &self.calls {
            if !lines.call(call, earliest) {
                left_out = left_out.saturating_add(1);
            }
        }
        let other = if left_out > 0 { format!(r#""otherData":{{"left_out":{left_out}}},"#) } else { String::new() };
        format!("{{\"displayTimeUnit\":\"ms\",{other}\"traceEvents\":[\n{}\n]}}\n", lines.text)
    }
}

impl DrawnCall {
    fn new(record: &Record, start: Option<Timestamp>) -> Self {
        let (process, start) = match (start, record.start_unix_ns) {
            (Some(start), _) => (Process::MonotonicClock, start.as_nanos()),
            (None, Some(start)) => (Process::WallClock, start.as_nanos()),
            (None, None) => (Process::MonotonicClock, 0),
        };
        Self { process, start, length: record.duration_ns.as_nanos(), slices: slices::of_call(record) }
    }
}

/// A trace that grows call by call, for a file that is open while the program runs.
///
/// The file is a JSON array of events, one per line. At every moment it lacks nothing but the closing bracket, which the
/// format leaves to the reader. A write that was cut in the middle of a line is repaired by dropping that line and the
/// comma before it.
///
/// Records may come in any order; those that come when they are finalized share tracks best.
///
/// # Examples
/// ```
/// use llmspan_core::{chrome::ChromeTraceLog, record::Record};
///
/// let mut log = ChromeTraceLog::new();
/// let mut file = log.append(&Record::default());
/// file += &log.append(&Record::default());
/// assert!(serde_json::from_str::<serde_json::Value>(&format!("{file}]")).is_ok());
/// file += log.close();
/// assert!(serde_json::from_str::<serde_json::Value>(&file).is_ok());
/// ```
#[derive(Debug)]
pub struct ChromeTraceLog {
    lines: Lines,
    origin: Option<u64>,
    left_out: u64,
}

impl ChromeTraceLog {
    /// Begins a file; 0 of the wall clock is a day before the start of the first call that is appended.
    pub fn new() -> Self {
        Self { lines: Lines::new(Separator::Bracket), origin: None, left_out: 0 }
    }

    /// Sets what 0 of the wall clock is: a time before every call, such as the start of the program.
    pub fn with_origin(mut self, origin: UnixNanos) -> Self {
        self.origin = Some(origin.as_nanos());
        self
    }

    /// Gives what to append to the file for a call, placed as [`ChromeTrace::add`] does. It is empty for a call that cannot
    /// be drawn.
    pub fn append(&mut self, record: &Record) -> String {
        self.append_call(&DrawnCall::new(record, None))
    }

    /// Gives what to append for a call that started at `start` on its caller's monotonic clock.
    pub fn append_at(&mut self, record: &Record, start: Timestamp) -> String {
        self.append_call(&DrawnCall::new(record, Some(start)))
    }

    /// Number of calls that could not be drawn: they started before the origin, or end more than 292 years after it.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Gives what closes the file. Without it the file is read as well.
    pub fn close(self) -> &'static str {
        match self.lines.separator {
            Separator::Bracket => "[\n]\n",
            Separator::Comma | Separator::None => "\n]\n",
        }
    }

    fn append_call(&mut self, call: &DrawnCall) -> String {
        let mut origin = 0;
        if call.process == Process::WallClock {
            origin = *self.origin.get_or_insert(call.start.saturating_sub(NANOS_PER_DAY));
        }
        if !self.lines.call(call, origin) {
            self.left_out = self.left_out.saturating_add(1);
        }
        core::mem::take(&mut self.lines.text)
    }
}

impl Default for ChromeTraceLog {
    fn default() -> Self {
        Self::new()
    }
}

/// The lines of a trace, and which tracks they are on.
#[derive(Debug)]
struct Lines {
    text: String,
    separator: Separator,
    lanes: [Lanes; Process::ALL.len()],
    is_named: [bool; Process::ALL.len()],
    last_track: u32,
}

/// What comes before the next line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Separator {
    Bracket,
    Comma,
    None,
}

impl Lines {
    fn new(separator: Separator) -> Self {
        Self {
            text: String::new(),
            separator,
            lanes: [Lanes::default(), Lanes::default()],
            is_named: [false; Process::ALL.len()],
            last_track: 0,
        }
    }

    /// Writes a call, with the zero of the wall clock at `origin`. Gives whether it could be drawn.
    fn call(&mut self, call: &DrawnCall, origin: u64) -> bool {
        let (process, at) = match call.process {
            Process::WallClock => (0, call.start.checked_sub(origin)),
            Process::MonotonicClock => (1, Some(call.start)),
        };
        let at = at.filter(|at| at.checked_add(call.length).is_some_and(|end| i64::try_from(end).is_ok()));
        let Some(at) = at else { return false };
        if let Some(is_named) = self.is_named.get_mut(process)
            && !core::mem::replace(is_named, true)
        {
            event::process_name(self.line(), call.process);
        }
        let lane = self.lanes.get_mut(process).map_or(0, |lanes| lanes.take(at, call.length));
        let rows = call.slices.iter().map(|slice| slice.row).max().unwrap_or_default();
        let mut tracks = Vec::new();
        for row in 0..=rows {
            tracks.push(self.track(call.process, process, lane, row));
        }
        for slice in &call.slices {
            if let Some(track) = tracks.get(slice.row) {
                event::slice(self.line(), slice, at, call.process, *track);
            }
        }
        true
    }

    /// The track of a row, named when it is new.
    fn track(&mut self, process: Process, index: usize, lane: usize, row: usize) -> u32 {
        let Some(lanes) = self.lanes.get_mut(index) else { return 0 };
        let (track, is_new) = lanes.track(lane, row, &mut self.last_track);
        if is_new {
            let number = lane.saturating_add(1);
            let name = if row == 0 { format!("calls {number}") } else { format!("calls {number}, beside {row}") };
            event::track_name(self.line(), process, track, &name);
            event::track_order(self.line(), process, track, lane.saturating_mul(ROWS_PER_LANE).saturating_add(row));
        }
        track
    }

    /// The text, ready for the next line.
    fn line(&mut self) -> &mut String {
        self.text.push_str(match self.separator {
            Separator::Bracket => "[\n",
            Separator::Comma => ",\n",
            Separator::None => "",
        });
        self.separator = Separator::Comma;
        &mut self.text
    }
}

/// Distance between lanes in the order of tracks. Rows past it are drawn among those of the next lane.
const ROWS_PER_LANE: usize = 1_000;

/// How far back a call that is finalized later than the first one may have started.
const NANOS_PER_DAY: u64 = 86_400_000_000_000;
