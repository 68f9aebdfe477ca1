//! Records as slices of a Chrome trace, in a file.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use llmspan_core::{chrome::ChromeTraceLog, record::Record};

use crate::{
    background::{BackgroundWriter, Format, WriterStats},
    sinks::Sink,
};

/// Writes each record as slices of a Chrome trace, from a thread of its own: for <https://ui.perfetto.dev> and
/// `chrome://tracing`.
///
/// What is drawn is described in [`llmspan_core::chrome`]: a call is one slice as long as the call was, however often it
/// was polled. The file can be opened at any time, also when the process died: it lacks nothing but its closing bracket
/// then, which viewers do without. A call is written when it ends, so one that is open when the process dies is not in it.
///
/// Clones share the file. When its queue is full, records are dropped and counted; the last clone to go waits for the
/// queue to be written out, and closes the bracket. Calls that the format cannot place, such as one that started more than
/// a day before the first one that ended, count as failed.
///
/// # Examples
/// ```
/// use llmspan::{CallStart, ChromeTraceFile, Recorder};
///
/// # let path = std::env::temp_dir().join(format!("llmspan-doc-{}-trace.json", std::process::id()));
/// let trace = ChromeTraceFile::create(&path)?;
/// let recorder = Recorder::new(trace.clone());
/// recorder.call(CallStart::new("chat").streamed()).end();
/// recorder.flush();
/// assert_eq!(trace.stats().written, 1);
/// assert!(std::fs::read_to_string(&path)?.contains(r#""name":"llm.chat_stream""#));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChromeTraceFile {
    writer: BackgroundWriter<Record>,
}

impl ChromeTraceFile {
    /// Writes to a new file; one that is there is replaced.
    ///
    /// # Errors
    /// Those of creating the file or a thread.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::new(File::create(path)?)
    }

    /// Writes to any writer, from its beginning, with a queue of 1,024 records.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn new(writer: impl Write + Send + 'static) -> io::Result<Self> {
        Self::with_capacity(1024, writer)
    }

    /// Writes to any writer, from its beginning, with a queue of `capacity` records.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn with_capacity(capacity: usize, writer: impl Write + Send + 'static) -> io::Result<Self> {
        let writer = BackgroundWriter::start("llmspan-trace", capacity, writer, ChromeTraceLog::new())?;
        Ok(Self { writer })
    }

    /// What became of the records.
    pub fn stats(&self) -> WriterStats {
        self.writer.stats()
    }
}

impl Sink for ChromeTraceFile {
    fn record(&self, record: &Record) {
        self.writer.push(record.clone());
    }

    fn flush(&self) {
        self.writer.flush();
    }
}

impl Format<Record> for ChromeTraceLog {
    fn append(&mut self, record: &Record, text: &mut Vec<u8>) {
        text.extend(Self::append(self, record).into_bytes());
    }

    fn end(self) -> &'static str {
        self.close()
    }
}
