//! What the tests share: a recorder on a manual clock, a scripted stream, and a way to poll.
#![allow(dead_code, reason = "each test file uses its part of it")]

use core::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};
use std::{collections::VecDeque, io};

use futures_core::Stream;
use llmspan::{CallStart, ManualClock, Memory, Nanos, Record, Recorder};

/// A recorder on a clock that stands still, with its records.
pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) records: Memory,
    pub(crate) recorder: Recorder,
}

pub(crate) fn bench() -> Bench {
    let (clock, records) = (ManualClock::default(), Memory::default());
    let recorder = Recorder::builder().with_clock(clock.clone()).with_sink(records.clone()).build().unwrap();
    Bench { clock, records, recorder }
}

impl Bench {
    pub(crate) fn wait(&self, millis: u64) {
        self.clock.advance(Nanos::from_millis(millis));
    }

    /// The record of the one call that ended.
    pub(crate) fn only_record(&self) -> Record {
        let records = self.records.records();
        assert_eq!(records.len(), 1, "a call gives one record");
        records.into_iter().next().unwrap()
    }
}

pub(crate) fn start() -> CallStart {
    CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed()
}

/// An event of `openai.chat` with a word of the answer.
pub(crate) fn word(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

pub(crate) const FINISH: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":3}}\n\n",
    "data: [DONE]\n\n",
);

/// A response body of which every item comes when its time has passed on the clock.
pub(crate) struct Body {
    clock: ManualClock,
    items: VecDeque<(u64, io::Result<Vec<u8>>)>,
}

impl Body {
    pub(crate) fn new(bench: &Bench) -> Self {
        Self { clock: bench.clock.clone(), items: VecDeque::new() }
    }

    pub(crate) fn then(mut self, after_millis: u64, bytes: impl Into<Vec<u8>>) -> Self {
        self.items.push_back((after_millis, Ok(bytes.into())));
        self
    }

    pub(crate) fn then_error(mut self, after_millis: u64, kind: io::ErrorKind) -> Self {
        self.items.push_back((after_millis, Err(kind.into())));
        self
    }
}

impl Stream for Body {
    type Item = io::Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.items.pop_front().map(|(after, item)| {
            self.clock.advance(Nanos::from_millis(after));
            item
        }))
    }
}

/// The next item of a stream that is never pending.
pub(crate) fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    match pin!(stream).poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(item) => item,
        Poll::Pending => panic!("the stream is pending"),
    }
}
