//! Many calls open at once, and many chunks per second through them.
//!
//! Each thread has its share of the calls and gives one chunk to each in turn, as raw bytes of `openai.chat`. A call that has
//! had its chunks ends and another one takes its place, so that as many are open all the time.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{sync::Arc, thread};

use llmspan::{
    Attempt, Call, CallStart, Clock as _, Config, Nanos, Outcome, Protocol, Record, Recorder, Sink, SystemClock,
};
use llmspan_core::stats::Sketch;

/// What is offered.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by tests, field by field")]
pub struct Plan {
    /// Calls that are open at the same time.
    pub calls: usize,
    /// Chunks of all calls together.
    pub chunks: u64,
    /// Chunks of one call.
    pub chunks_per_call: u64,
    /// Chunks per second; as many as there is time for when absent.
    pub rate: Option<u64>,
    /// Threads that the calls are spread over.
    pub threads: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Calls that were opened.
    pub opened: u64,
    /// Records that the sink got.
    pub records: u64,
    /// Of those, records of calls that were complete.
    pub complete: u64,
    /// Chunks that were offered.
    pub offered: u64,
    /// Chunks that the records count.
    pub counted: u64,
    /// Bytes on the heap of a call that is open alone, as predicted for each.
    pub predicted_bytes: u64,
    /// The most that was on the heap, by call that was open.
    pub peak_bytes: u64,
    /// Bytes on the heap after all calls had ended, beyond those before the first.
    pub left_bytes: i64,
    /// How long it took to offer the chunks.
    pub took: Duration,
    /// What a chunk cost, of the thread that was slowest: 50th, 90th and 99th percentile, and the worst.
    pub nanos: [u64; 4],
}

impl Report {
    /// What does not hold: a record or chunk that was lost, or memory beyond what was predicted.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut equal = |what: &str, got: u64, wanted: u64| {
            if got != wanted {
                broken.push(format!("{what}: {got} instead of {wanted}"));
            }
        };
        equal("records", self.records, self.opened);
        equal("complete records", self.complete, self.opened);
        equal("chunks in the records", self.counted, self.offered);
        if self.peak_bytes > self.predicted_bytes + SLACK {
            broken.push(format!("{} bytes by open call, predicted were {}", self.peak_bytes, self.predicted_bytes));
        }
        if self.left_bytes > LEFT {
            broken.push(format!("{} bytes are left after the last call", self.left_bytes));
        }
        broken
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opened, records, offered, counted, took, nanos: [half, most, p99, worst], .. } = self;
        let rate = u128::from(*offered) * 1_000_000_000 / took.as_nanos().max(1);
        writeln!(f, "{offered} chunks offered in {took:.1?}, {rate} per second; the records count {counted}")?;
        writeln!(f, "{opened} calls opened, {records} records")?;
        writeln!(f, "by open call {} bytes at the peak, {} predicted", self.peak_bytes, self.predicted_bytes)?;
        write!(f, "a chunk costs {half} ns (p50), {most} ns (p90), {p99} ns (p99), {worst} ns (worst)")
    }
}

/// Offers the chunks. `heap` gives the bytes that are allocated, `peak` the most since `reset` was called.
///
/// # Panics
/// When a thread of it does.
pub fn run(plan: &Plan, heap: &Heap) -> Report {
    let predicted_bytes = lone_call(heap);
    let tally = Arc::new(Tally::default());
    // Whether a thread had to wait is not for the records to say: marks of stalls would take room.
    let config = Config::default().with_stall_after(Nanos::from_secs(3600));
    let recorder = Recorder::builder().with_config(config).with_sink(Arc::clone(&tally)).build();
    let recorder = recorder.expect("the configuration is in range");
    // What the first call of a process allocates once for all is no part of a call.
    recorder.call(start()).end();
    tally.reset();
    let before = (heap.now)();
    (heap.reset)();
    let clock = SystemClock::new();
    let began = clock.now();
    let shares: Vec<Share> = thread::scope(|scope| {
        let threads = u64::try_from(plan.threads).unwrap_or(u64::MAX);
        let threads: Vec<_> = (0..plan.threads)
            .map(|number| {
                let calls = plan.calls / plan.threads + usize::from(number < plan.calls % plan.threads);
                let share =
                    Plan { calls, chunks: plan.chunks / threads, rate: plan.rate.map(|rate| rate / threads), ..*plan };
                let recorder = recorder.clone();
                scope.spawn(move || offer(&share, &recorder))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread that offers chunks goes on")).collect()
    });
    let took = Duration::from_nanos(clock.now().saturating_since(began).as_nanos());
    let peak = (heap.peak)().saturating_sub(before);
    let mut nanos = [0; 4];
    for share in &shares {
        let [half, most, p99] = share.costs.percentiles().unwrap_or_default();
        let of_share = [half, most, p99, share.costs.max().unwrap_or(0)];
        nanos = core::array::from_fn(|at| nanos[at].max(of_share[at]));
    }
    let (opened, offered) =
        (shares.iter().map(|share| share.opened).sum(), shares.iter().map(|share| share.offered).sum());
    drop(shares);
    let left = i64::try_from((heap.now)()).unwrap_or(i64::MAX) - i64::try_from(before).unwrap_or(i64::MAX);
    Report {
        opened,
        records: tally.records.load(Ordering::Relaxed),
        complete: tally.complete.load(Ordering::Relaxed),
        offered,
        counted: tally.chunks.load(Ordering::Relaxed),
        predicted_bytes,
        peak_bytes: u64::try_from(peak / plan.calls.max(1)).unwrap_or(u64::MAX),
        left_bytes: left,
        took,
        nanos,
    }
}

/// How the bytes on the heap are counted: by the allocator of the program.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by programs, field by field")]
pub struct Heap {
    /// Bytes that are allocated.
    pub now: fn() -> usize,
    /// The most that were since the last reset.
    pub peak: fn() -> usize,
    /// Forgets the peak.
    pub reset: fn(),
}

/// What one thread did.
struct Share {
    opened: u64,
    offered: u64,
    costs: Sketch,
}

fn offer(plan: &Plan, recorder: &Recorder) -> Share {
    let clock = SystemClock::new();
    let mut share = Share { opened: 0, offered: 0, costs: Sketch::default() };
    // Calls begin at different points of their lives, so that they do not all end together.
    let mut calls: Vec<Streaming> = (1..=u64::try_from(plan.calls).unwrap_or(u64::MAX))
        .map(|number| Streaming::open(recorder, &mut share, 1 + number % plan.chunks_per_call))
        .collect();
    let began = clock.now();
    for at in (0..plan.calls).cycle() {
        if share.offered >= plan.chunks {
            break;
        }
        if let Some(rate) = plan.rate.filter(|_| share.offered.is_multiple_of(BETWEEN_LOOKS)) {
            let due = Duration::from_secs_f64(seconds(share.offered, rate));
            let passed = Duration::from_nanos(clock.now().saturating_since(began).as_nanos());
            if let Some(early) = due.checked_sub(passed) {
                thread::sleep(early);
            }
        }
        let call = &mut calls[at];
        let before = clock.now();
        call.attempt.bytes(Protocol::OpenAiChat, CHUNK);
        share.costs.record(clock.now().saturating_since(before).as_nanos());
        share.offered += 1;
        call.left -= 1;
        if call.left == 0 {
            let next = Streaming::open(recorder, &mut share, plan.chunks_per_call);
            core::mem::replace(call, next).end();
        }
    }
    calls.into_iter().for_each(Streaming::end);
    share
}

#[expect(clippy::cast_precision_loss, reason = "chunks and rates are far below 2^53")]
fn seconds(chunks: u64, rate: u64) -> f64 {
    chunks as f64 / rate as f64
}

/// A call whose answer comes.
struct Streaming {
    call: Call,
    attempt: Attempt,
    left: u64,
}

impl Streaming {
    fn open(recorder: &Recorder, share: &mut Share, left: u64) -> Self {
        share.opened += 1;
        let call = recorder.call(start());
        let attempt = call.attempt();
        attempt.response(200, [("x-request-id", "req_1")]);
        Self { call, attempt, left }
    }

    fn end(self) {
        self.attempt.bytes(Protocol::OpenAiChat, END);
        self.attempt.stream_ended();
        self.call.end();
    }
}

fn start() -> CallStart {
    CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed()
}

/// Bytes that a call takes which is open alone, after some chunks.
fn lone_call(heap: &Heap) -> u64 {
    let recorder = Recorder::builder().with_sink(Arc::new(Tally::default())).build().expect("the default is in range");
    recorder.call(start()).end();
    let mut share = Share { opened: 0, offered: 0, costs: Sketch::default() };
    let before = (heap.now)();
    let streaming = Streaming::open(&recorder, &mut share, 1);
    for _ in 0..1000 {
        streaming.attempt.bytes(Protocol::OpenAiChat, CHUNK);
    }
    let held = (heap.now)().saturating_sub(before) + size_of::<Streaming>();
    streaming.end();
    u64::try_from(held).unwrap_or(u64::MAX)
}

/// Counts records and what they count.
#[derive(Debug, Default)]
struct Tally {
    records: AtomicU64,
    complete: AtomicU64,
    chunks: AtomicU64,
}

impl Tally {
    fn reset(&self) {
        for count in [&self.records, &self.complete, &self.chunks] {
            count.store(0, Ordering::Relaxed);
        }
    }
}

impl Sink for Tally {
    fn record(&self, record: &Record) {
        self.records.fetch_add(1, Ordering::Relaxed);
        let is_complete = record.outcome == Outcome::Success && record.finish_reasons == ["stop"];
        self.complete.fetch_add(u64::from(is_complete), Ordering::Relaxed);
        let chunks = record.content.as_ref().map_or(0, |content| content.visible_chunks);
        self.chunks.fetch_add(chunks, Ordering::Relaxed);
    }
}

/// A chunk of text, and what ends the answer.
const CHUNK: &[u8] = b"data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4.1-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},\"finish_reason\":null}]}\n\n";
const END: &[u8] = b"data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4.1-mini\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// Chunks between two looks at whether a thread is ahead of its rate.
const BETWEEN_LOOKS: u64 = 256;

/// Bytes by open call beyond the prediction: nodes of the recorder's list, records on their way to the sink, the threads.
const SLACK: u64 = 128;

/// Bytes that may be left: what threads keep.
const LEFT: i64 = 16 << 10;
