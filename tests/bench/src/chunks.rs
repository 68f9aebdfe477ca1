//! Chunks that are classified already.

use alloc::sync::Arc;
use core::hint::black_box;

use llmspan_core::{
    config::Config,
    delta::{ContentKind, Delta},
    engine::Call,
    event::{Chunk, Event},
    machine::{AttemptStart, CallStart, Headers},
    time::Timestamp,
};

use crate::{STREAM_OPS, streams::Random};

/// An open call with the times and the meaning of the chunks to come.
#[derive(Debug)]
#[non_exhaustive]
pub struct ChunkInput {
    call: Call,
    times: Vec<Timestamp>,
    deltas: Vec<Delta<'static>>,
}

/// Text chunks of one to eight bytes for a call that has seen its first gap.
pub fn chunk_input() -> ChunkInput {
    let mut clock = Clock::default();
    let call = open_call(&mut clock);
    ChunkInput { call, times: clock.take(STREAM_OPS).collect(), deltas: text_deltas() }
}

/// Applies the chunks by their kind and size, as a host reports what it has classified.
pub fn chunk(mut input: ChunkInput) -> ChunkInput {
    for (now, bytes) in input.times.iter().zip((1..=8).cycle()) {
        input.call.handle_content(*now, None, black_box(ContentKind::Text), black_box(bytes));
    }
    input
}

/// Applies the chunks as deltas, which may hold anything else too.
pub fn chunk_delta(mut input: ChunkInput) -> ChunkInput {
    for (now, delta) in input.times.iter().zip(input.deltas.iter().cycle()) {
        input.call.handle_delta(*now, None, black_box(delta));
    }
    input
}

/// An open call with the events of its log to come.
#[derive(Debug)]
#[non_exhaustive]
pub struct EventInput {
    call: Call,
    events: Vec<(Timestamp, Event)>,
}

/// The same chunks as events of the log.
pub fn chunk_event_input() -> EventInput {
    let mut clock = Clock::default();
    let call = open_call(&mut clock);
    let events = (1..=8).cycle().map(|bytes| {
        let mut chunk = Chunk::of(ContentKind::Text);
        chunk.bytes = Some(bytes);
        Event::Chunk(Box::new(chunk))
    });
    EventInput { call, events: clock.zip(events).take(STREAM_OPS).collect() }
}

/// Applies the events.
pub fn chunk_event(mut input: EventInput) -> EventInput {
    for (now, event) in &input.events {
        input.call.handle_event(*now, None, black_box(event));
    }
    input
}

/// An open call that streams, with one attempt, its headers, two chunks and the gap between them.
pub fn open_call(clock: &mut Clock) -> Call {
    let mut call = started_call(&Arc::new(Config::default()));
    feed(&mut call, clock, 2);
    call
}

/// A call with one attempt whose headers have come.
pub fn started_call(config: &Arc<Config>) -> Call {
    let start = CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed();
    let mut call = Call::new(Arc::clone(config), Timestamp::default(), start);
    call.handle_attempt_started(Timestamp::default(), AttemptStart::default());
    let mut headers = Headers::default();
    headers.status_code = Some(200);
    call.handle_headers(Timestamp::from_millis(180), None, headers);
    call
}

/// Applies the next `count` text chunks.
pub fn feed(call: &mut Call, clock: &mut Clock, count: usize) {
    let deltas = text_deltas();
    for (now, delta) in clock.take(count).zip(deltas.iter().cycle()) {
        call.handle_delta(now, None, delta);
    }
}

/// The times at which chunks come: mostly every few milliseconds, sometimes in bursts, and after a stall only if asked.
#[derive(Clone, Debug)]
pub struct Clock {
    random: Random,
    now: u64,
    stalls: bool,
}

impl Clock {
    /// A clock with a stall of one to three seconds after one in five hundred chunks.
    pub fn with_stalls() -> Self {
        Self { stalls: true, ..Self::default() }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { random: Random::new(11), now: 400_000_000, stalls: false }
    }
}

impl Iterator for Clock {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        let random = &mut self.random;
        let gap = match random.below(1_000) {
            0..=1 if self.stalls => 1_000_000_000 + random.below(2_000_000_000),
            0..=40 => 60_000_000 + random.below(200_000_000),
            41..=240 => 2_000 + random.below(60_000),
            _ => 4_000_000 + random.below(9_000_000) + random.below(9_000_000) + random.below(9_000_000),
        };
        self.now += gap;
        Some(Timestamp::from_nanos(self.now))
    }
}

fn text_deltas() -> Vec<Delta<'static>> {
    (1..=8)
        .map(|bytes| {
            let mut delta = Delta::chunk();
            delta.add_text(ContentKind::Text, bytes);
            delta
        })
        .collect()
}
