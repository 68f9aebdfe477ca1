//! Writing without making the caller wait.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender, TryRecvError},
    },
    thread::{self, JoinHandle},
};

/// What became of the items of a writer: records, or events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct WriterStats {
    /// Items written.
    pub written: u64,
    /// Items dropped because the queue was full or the writer was gone.
    pub dropped: u64,
    /// Items that have no form in the file, or could not be written.
    pub failed: u64,
}

/// Writes items as text on a thread of its own, from a bounded queue.
///
/// Handing over an item never waits: when the queue is full the item is dropped and counted. The last clone to go waits
/// for the queue to be written out.
pub(crate) struct BackgroundWriter<T> {
    inner: Arc<Inner<T>>,
}

/// Turns items into the text of a file.
pub(crate) trait Format<T>: Send + 'static {
    /// Adds what an item appends to the file. An item that adds nothing counts as failed.
    fn append(&mut self, item: &T, text: &mut Vec<u8>);

    /// What comes after the last item.
    fn end(self) -> &'static str;
}

/// Items as lines: the function adds one, without its end.
impl<T, F: FnMut(&T, &mut Vec<u8>) + Send + 'static> Format<T> for F {
    fn append(&mut self, item: &T, text: &mut Vec<u8>) {
        self(item, text);
        if !text.is_empty() {
            text.push(b'\n');
        }
    }

    fn end(self) -> &'static str {
        ""
    }
}

struct Inner<T> {
    queue: Option<SyncSender<Message<T>>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

enum Message<T> {
    Item(T),
    /// Write out what is buffered, then say so.
    Flush(SyncSender<()>),
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl<T: Send + 'static> BackgroundWriter<T> {
    /// Starts the thread, with a queue of `capacity` items.
    pub(crate) fn start(
        name: &str,
        capacity: usize,
        writer: impl Write + Send + 'static,
        format: impl Format<T>,
    ) -> io::Result<Self> {
        let (queue, receiver) = mpsc::sync_channel(capacity);
        let counts = Arc::new(Counts::default());
        let of_thread = Arc::clone(&counts);
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || run(&receiver, io::BufWriter::new(writer), format, &of_thread))?;
        Ok(Self { inner: Arc::new(Inner { queue: Some(queue), thread: Some(thread), counts }) })
    }

    /// Hands an item over.
    pub(crate) fn push(&self, item: T) {
        let sent = self.inner.queue.as_ref().is_some_and(|queue| queue.try_send(Message::Item(item)).is_ok());
        if !sent {
            add(&self.inner.counts.dropped, 1);
        }
    }

    /// Waits until everything handed over before is written.
    pub(crate) fn flush(&self) {
        let (done, wait) = mpsc::sync_channel(1);
        if let Some(queue) = &self.inner.queue
            && queue.send(Message::Flush(done)).is_ok()
        {
            // An error means that the thread has gone: nothing is left to wait for.
            wait.recv().ok();
        }
    }

    pub(crate) fn stats(&self) -> WriterStats {
        let Counts { written, dropped, failed } = &*self.inner.counts;
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        WriterStats { written: load(written), dropped: load(dropped), failed: load(failed) }
    }
}

impl<T> Clone for BackgroundWriter<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T> fmt::Debug for BackgroundWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundWriter").field("counts", &self.inner.counts).finish_non_exhaustive()
    }
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // An error is a panic of the writer, which is not the caller's business.
            thread.join().ok();
        }
    }
}

fn run<T>(queue: &Receiver<Message<T>>, mut writer: impl Write, mut format: impl Format<T>, counts: &Counts) {
    let mut text = Vec::new();
    let mut unflushed = 0;
    loop {
        let message = match queue.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                // Nothing to do: what was written becomes visible to readers.
                flush(&mut writer, &mut unflushed, counts);
                let Ok(message) = queue.recv() else { break };
                message
            }
        };
        match message {
            Message::Item(item) => {
                text.clear();
                format.append(&item, &mut text);
                // One write for an item, so that a process that dies leaves whole ones behind.
                if !text.is_empty() && writer.write_all(&text).is_ok() {
                    unflushed += 1;
                } else {
                    add(&counts.failed, 1);
                }
            }
            Message::Flush(done) => {
                flush(&mut writer, &mut unflushed, counts);
                done.send(()).ok();
            }
        }
    }
    // A file that lacks its end is readable too: a failure here is no failure of an item.
    writer.write_all(format.end().as_bytes()).ok();
    flush(&mut writer, &mut unflushed, counts);
}

fn flush(writer: &mut impl Write, unflushed: &mut u64, counts: &Counts) {
    if *unflushed > 0 {
        let count = if writer.flush().is_ok() { &counts.written } else { &counts.failed };
        add(count, *unflushed);
        *unflushed = 0;
    }
}

fn add(count: &AtomicU64, by: u64) {
    count.fetch_add(by, Ordering::Relaxed);
}
