//! Response streams that tell their attempt what comes.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use llmspan_core::{machine::Failure, provider::Protocol};
use pin_project_lite::pin_project;

use crate::call::{Attempt, Call};

pin_project! {
    /// A response stream that is watched: what [`Attempt::observe`] gives.
    ///
    /// Items pass on as they are; nothing is buffered, copied or delayed. Bytes go to the attempt when they come, its end
    /// is the end of the stream, and an error of the stream fails it. Dropping the stream before its end says that the
    /// consumer closed it.
    ///
    /// # Examples
    /// ```
    /// use futures_util::{StreamExt as _, stream};
    /// use llmspan::{CallStart, Memory, Outcome, Protocol, Recorder};
    ///
    /// let records = Memory::default();
    /// let recorder = Recorder::new(records.clone());
    /// let call = recorder.call(CallStart::new("chat").streamed());
    /// let body = stream::iter([
    ///     Ok::<_, std::io::Error>("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"),
    ///     Ok("data: [DONE]\n\n"),
    /// ]);
    ///
    /// let mut body = call.attempt().observe(body, Protocol::OpenAiChat).ending(call);
    /// # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// # let read = std::pin::pin!(async {
    /// while let Some(chunk) = body.next().await {
    ///     print!("{}", chunk?);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// # });
    /// # assert!(read.poll(&mut context).is_ready());
    /// assert_eq!(records.records()[0].outcome, Outcome::Success);
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct Observed<S, F> {
        // Dropped before the stream: closing a connection may take a while.
        watch: Watch,
        #[pin]
        stream: S,
        classify: F,
    }
}

impl<S, E> Observed<S, fn(&E) -> Failure> {
    pub(crate) fn new(stream: S, attempt: Attempt, protocol: Protocol) -> Self {
        let watch = Watch { attempt, protocol, owner: None, is_running: true };
        Self { watch, stream, classify: |_| Failure::of_type("network") }
    }
}

impl<S, F> Observed<S, F> {
    /// Ends the call with the stream: at its end, or when it is dropped.
    pub fn ending(mut self, call: Call) -> Self {
        self.watch.owner = Some(call);
        self
    }

    /// Says what an error of the stream means; by default every one is of the type `network`.
    ///
    /// # Examples
    /// ```
    /// use std::io;
    ///
    /// use futures_util::stream;
    /// use llmspan::{CallStart, Failure, Memory, Protocol, Recorder};
    ///
    /// let call = Recorder::new(Memory::default()).call(CallStart::new("chat"));
    /// let body = stream::iter([Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::TimedOut))]);
    /// let body = call.attempt().observe(body, Protocol::OpenAiChat).classify_errors(|error: &io::Error| {
    ///     Failure::of_type(if error.kind() == io::ErrorKind::TimedOut { "timeout" } else { "network" })
    /// });
    /// ```
    pub fn classify_errors<E, G: FnMut(&E) -> Failure>(self, classify: G) -> Observed<S, G> {
        Observed { watch: self.watch, stream: self.stream, classify }
    }
}

impl<S, B, E, F> Stream for Observed<S, F>
where
    S: Stream<Item = Result<B, E>>,
    B: AsRef<[u8]>,
    F: FnMut(&E) -> Failure,
{
    type Item = Result<B, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let item = this.stream.poll_next(context);
        match &item {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(bytes))) => this.watch.bytes(bytes.as_ref()),
            Poll::Ready(Some(Err(error))) => this.watch.failed((this.classify)(error)),
            Poll::Ready(None) => this.watch.ended(),
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Observed<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("watch", &self.watch).field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// What an observed stream tells, and the call that ends with it.
#[derive(Debug)]
struct Watch {
    attempt: Attempt,
    protocol: Protocol,
    owner: Option<Call>,
    /// Whether the stream has neither ended nor failed.
    is_running: bool,
}

impl Watch {
    fn bytes(&self, bytes: &[u8]) {
        self.attempt.bytes(self.protocol, bytes);
    }

    fn failed(&mut self, failure: Failure) {
        self.is_running = false;
        self.attempt.failed(failure);
    }

    fn ended(&mut self) {
        if self.is_running {
            self.is_running = false;
            self.attempt.stream_ended();
        }
        self.end_call();
    }

    fn end_call(&mut self) {
        if let Some(call) = self.owner.take() {
            call.end();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.is_running {
            self.attempt.consumer_closed();
        }
        self.end_call();
    }
}
