//! Where finished records go.
//!
//! A [`Sink`] gets every record of a [`Recorder`](crate::Recorder) once, on the thread that ended the call. The sinks here
//! never make that thread wait for a disk, and a sink that panics is counted, not felt.

use core::fmt;
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use llmspan_core::{event::TimedEvent, record::Record};

use crate::background::BackgroundWriter;
pub use crate::background::WriterStats;

/// Takes finished records.
pub trait Sink: Send + Sync {
    /// Takes one record. It is called on the thread that ended the call, so it should hand over and return.
    fn record(&self, record: &Record);

    /// Waits until the records taken so far are where they belong. Does nothing unless a sink has a queue.
    fn flush(&self) {}
}

impl<S: Sink + ?Sized> Sink for Arc<S> {
    fn record(&self, record: &Record) {
        (**self).record(record);
    }

    fn flush(&self) {
        (**self).flush();
    }
}

/// Writes each record as one line of JSON, from a thread of its own.
///
/// Clones share the writer. When its queue is full, records are dropped and counted; the last clone to go waits for
/// the queue to be written out.
///
/// # Examples
/// ```
/// use llmspan::{CallStart, JsonLines, Recorder};
///
/// # let path = std::env::temp_dir().join(format!("llmspan-doc-{}.jsonl", std::process::id()));
/// let lines = JsonLines::create(&path)?;
/// let recorder = Recorder::new(lines.clone());
/// recorder.call(CallStart::new("chat")).end();
/// recorder.flush();
/// assert_eq!(lines.stats().written, 1);
/// assert!(std::fs::read_to_string(&path)?.starts_with(r#"{"call":"1","operation":"chat""#));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct JsonLines {
    writer: BackgroundWriter<Record>,
}

impl JsonLines {
    /// Writes to a new file; one that is there is replaced.
    ///
    /// # Errors
    /// Those of creating the file or a thread.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::new(File::create(path)?)
    }

    /// Writes to the end of a file, which is made if it is not there.
    ///
    /// # Errors
    /// Those of opening the file or of starting a thread.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::new(File::options().append(true).create(true).open(path)?)
    }

    /// Writes to any writer, with a queue of 1,024 records.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn new(writer: impl Write + Send + 'static) -> io::Result<Self> {
        Self::with_capacity(1024, writer)
    }

    /// Writes to any writer, with a queue of `capacity` records.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn with_capacity(capacity: usize, writer: impl Write + Send + 'static) -> io::Result<Self> {
        let to_line = |record: &Record, line: &mut Vec<u8>| line.extend(record.to_json().into_bytes());
        Ok(Self { writer: BackgroundWriter::start("llmspan-records", capacity, writer, to_line)? })
    }

    /// What became of the records.
    pub fn stats(&self) -> WriterStats {
        self.writer.stats()
    }
}

impl Sink for JsonLines {
    fn record(&self, record: &Record) {
        self.writer.push(record.clone());
    }

    fn flush(&self) {
        self.writer.flush();
    }
}

/// Calls a function with each record.
///
/// # Examples
/// ```
/// use llmspan::{CallStart, Callback, Recorder};
///
/// let recorder = Recorder::new(Callback::new(|record| println!("{:?}", record.outcome)));
/// recorder.call(CallStart::new("chat")).end();
/// ```
pub struct Callback<F> {
    function: F,
}

impl<F: Fn(&Record) + Send + Sync> Callback<F> {
    /// A sink that calls `function`.
    pub fn new(function: F) -> Self {
        Self { function }
    }
}

impl<F: Fn(&Record) + Send + Sync> Sink for Callback<F> {
    fn record(&self, record: &Record) {
        (self.function)(record);
    }
}

impl<F> fmt::Debug for Callback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}

/// Keeps every record, for tests. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    records: Arc<Mutex<Vec<Record>>>,
}

impl Memory {
    /// The records so far, in the order in which their calls ended.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sink for Memory {
    fn record(&self, record: &Record) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
    }
}

/// Writes the raw event log as lines of JSON, from a thread of its own: what
/// [`read_log`](llmspan_core::event::read_log) reads, so that a call can be replayed.
///
/// **It holds what the server sent, so also prompts and answers.** It is for captures, not for production.
///
/// Clones share the writer. When its queue is full, events are dropped and counted: such a log does not replay.
#[derive(Clone, Debug)]
pub struct EventLog {
    writer: BackgroundWriter<TimedEvent>,
}

impl EventLog {
    /// Writes to a new file; one that is there is replaced.
    ///
    /// # Errors
    /// Those of creating the file or a thread.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::new(File::create(path)?)
    }

    /// Writes to any writer, with a queue of 16,384 events.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn new(writer: impl Write + Send + 'static) -> io::Result<Self> {
        let to_line =
            |event: &TimedEvent, line: &mut Vec<u8>| line.extend(event.to_json().unwrap_or_default().into_bytes());
        Ok(Self { writer: BackgroundWriter::start("llmspan-events", 16_384, writer, to_line)? })
    }

    /// What became of the events.
    pub fn stats(&self) -> WriterStats {
        self.writer.stats()
    }

    pub(crate) fn event(&self, event: TimedEvent) {
        self.writer.push(event);
    }

    pub(crate) fn flush(&self) {
        self.writer.flush();
    }
}
