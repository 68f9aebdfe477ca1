//! Records as OTLP requests, one line each.

use core::hash::{BuildHasher as _, Hasher as _};
use std::{
    fs::File,
    hash::RandomState,
    io::{self, Write},
    path::Path,
};

use llmspan_core::{
    error::Error,
    names::Profile,
    otlp::{Resource, traces_to_json},
    record::Record,
    spans::{Context, Layout, Shape, SpanId, SpanTree, TraceId},
};

use crate::{
    background::{BackgroundWriter, WriterStats},
    sinks::Sink,
};

/// Writes the spans of each record as one line of OTLP/JSON, from a thread of its own.
///
/// A line is an `ExportTraceServiceRequest`, which the OpenTelemetry Collector reads with its receiver `otlpjsonfile`: a
/// way to a backend that needs no exporter in the process and no network while it runs.
///
/// A record that names no trace gets random ids, and is a trace of its own. One without a wall-clock anchor has no place
/// in OTLP and counts as failed.
///
/// Clones share the writer. When its queue is full, records are dropped and counted; the last clone to go waits for
/// the queue to be written out.
///
/// # Examples
/// ```
/// use llmspan::{CallStart, OtlpJsonLines, Recorder, core::otlp::Resource};
///
/// # let path = std::env::temp_dir().join(format!("llmspan-doc-{}-otlp.jsonl", std::process::id()));
/// let lines = OtlpJsonLines::create(&path, Resource::of_service("assistant"))?;
/// let recorder = Recorder::new(lines.clone());
/// recorder.call(CallStart::new("chat")).end();
/// recorder.flush();
/// assert_eq!(lines.stats().written, 1);
/// assert!(std::fs::read_to_string(&path)?.starts_with(r#"{"resourceSpans":[{"resource":"#));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OtlpJsonLines {
    writer: BackgroundWriter<Record>,
}

impl OtlpJsonLines {
    /// Writes to a new file; one that is there is replaced.
    ///
    /// # Errors
    /// Those of creating the file or a thread.
    pub fn create(path: impl AsRef<Path>, resource: Resource) -> io::Result<Self> {
        Self::new(File::create(path)?, resource)
    }

    /// Writes to the end of a file, which is made if it is not there.
    ///
    /// # Errors
    /// Those of opening the file or of starting a thread.
    pub fn append(path: impl AsRef<Path>, resource: Resource) -> io::Result<Self> {
        Self::new(File::options().append(true).create(true).open(path)?, resource)
    }

    /// Writes to any writer: one GenAI span for a call, under the names of the default profile, with a queue of 1,024
    /// records.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn new(writer: impl Write + Send + 'static, resource: Resource) -> io::Result<Self> {
        let profile = Profile::by_name(Profile::DEFAULT).map_err(|error: Error| io::Error::other(error))?;
        Self::with_layout(1024, writer, resource, Shape::default(), vec![profile])
    }

    /// Writes to any writer, with a queue of `capacity` records: spans of that shape, under the names of those profiles as
    /// in a [`Layout`].
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn with_layout(
        capacity: usize,
        writer: impl Write + Send + 'static,
        resource: Resource,
        shape: Shape,
        profiles: Vec<&'static Profile>,
    ) -> io::Result<Self> {
        let to_line = move |record: &Record, line: &mut Vec<u8>| {
            let layout = Layout::new(shape, &profiles);
            let tree = SpanTree::new(record, &layout, &random_context());
            if traces_to_json(tree, &resource, line) == 0 {
                line.clear();
            }
        };
        Ok(Self { writer: BackgroundWriter::start("llmspan-otlp", capacity, writer, to_line)? })
    }

    /// What became of the records.
    pub fn stats(&self) -> WriterStats {
        self.writer.stats()
    }
}

impl Sink for OtlpJsonLines {
    fn record(&self, record: &Record) {
        self.writer.push(record.clone());
    }

    fn flush(&self) {
        self.writer.flush();
    }
}

/// Ids for a record that has none.
fn random_context() -> Context<'static> {
    let mut trace_id = [0; 16];
    let (head, tail) = trace_id.split_at_mut(8);
    head.copy_from_slice(&random_bytes());
    tail.copy_from_slice(&random_bytes());
    match (TraceId::from_bytes(trace_id), SpanId::from_bytes(random_bytes())) {
        (Some(trace_id), Some(span_id)) => Context::default().with_ids(trace_id, span_id, None),
        // All zeros, which is no id.
        _ => Context::default(),
    }
}

/// The standard library's keys are random and differ between instances: enough for ids that only have to be unique.
fn random_bytes() -> [u8; 8] {
    RandomState::new().build_hasher().finish().to_ne_bytes()
}
