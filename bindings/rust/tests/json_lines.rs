//! Records and events as lines of JSON.

mod support;

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
};

use llmspan::{
    EventLog, Failure, JsonLines, ManualClock, Memory, Nanos, Protocol, Record, Recorder, Retry, UnixNanos, WaitReason,
    core::{engine::Tracker, event::read_log},
};
use support::{FINISH, start, word};

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("llmspan-{name}-{}.jsonl", std::process::id()))
}

#[test]
fn a_file_has_a_line_per_record() {
    let path = temporary("records");
    let (lines, records) = (JsonLines::create(&path).unwrap(), Memory::default());
    let recorder = Recorder::builder().with_sink(lines.clone()).with_sink(records.clone()).build().unwrap();
    for model in ["a", "b\n\"c\""] {
        recorder.call(start().with_model(model)).end();
    }
    recorder.flush();

    let text = fs::read_to_string(&path).unwrap();
    let read: Vec<_> = text.lines().map(|line| Record::from_json(line).unwrap()).collect();
    assert_eq!(read, records.records());
    assert_eq!(lines.stats().written, 2);

    drop((recorder, lines));
    let appended = Recorder::new(JsonLines::append(&path).unwrap());
    appended.call(start()).end();
    // The last handle waits for the queue.
    drop(appended);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    fs::remove_file(&path).unwrap();
}

#[test]
fn an_event_log_replays_to_the_same_records() {
    let path = temporary("events");
    let clock = ManualClock::anchored(UnixNanos::from_nanos(1_764_547_200_000_000_000));
    let records = Memory::default();
    let recorder = Recorder::builder()
        .with_clock(clock.clone())
        .with_sink(records.clone())
        .with_event_log(EventLog::create(&path).unwrap())
        .build()
        .unwrap();

    let call = recorder.call_with_id("first", start().with_attribute("tenant", "acme"));
    let prompt = call.phase("prompt.build");
    clock.advance(Nanos::from_millis(5));
    prompt.end();
    let attempt = call.attempt();
    clock.advance(Nanos::from_millis(20));
    attempt.failed(Failure::of_type("network"));
    call.retry_scheduled(Retry::after(Nanos::from_millis(100), WaitReason::Network));
    clock.advance(Nanos::from_millis(110));
    let attempt = call.attempt();
    let text = word("naïve");
    let (head, tail) = text.as_bytes().split_at(text.find('ï').unwrap() + 1);
    clock.advance(Nanos::from_millis(30));
    attempt.bytes(Protocol::OpenAiChat, head);
    clock.advance(Nanos::from_millis(30));
    attempt.bytes(Protocol::OpenAiChat, tail);
    attempt.payload(Protocol::OpenAiChat, "\"[DONE]\"");
    call.attribute("json_valid", true);
    call.end();
    attempt.bytes(Protocol::OpenAiChat, FINISH.as_bytes());
    drop(recorder.call_with_id("second", start()));
    recorder.flush();

    let log = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut tracker = Tracker::new(llmspan::Config::default()).unwrap();
    for event in read_log(&log).unwrap() {
        tracker.handle_event(&event);
    }
    let replayed: Vec<_> = core::iter::from_fn(|| tracker.poll_record()).collect();
    assert_eq!(replayed, records.records());
    assert_eq!(replayed.len(), 2);
    assert_eq!(replayed[0].start_unix_ns, Some(UnixNanos::from_nanos(1_764_547_200_000_000_000)));
    assert_eq!(replayed[0].ttft_ns, Some(Nanos::from_millis(60)));
}

/// A disk that is stuck until it is let go.
#[derive(Clone, Default)]
struct Stuck(Arc<(Mutex<Gate>, Condvar)>);

#[derive(Default)]
struct Gate {
    is_open: bool,
    is_reached: bool,
    lines: usize,
}

impl Stuck {
    fn wait_until_reached(&self) {
        let (gate, changed) = &*self.0;
        drop(changed.wait_while(gate.lock().unwrap(), |gate| !gate.is_reached).unwrap());
    }

    fn open(&self) {
        let (gate, changed) = &*self.0;
        gate.lock().unwrap().is_open = true;
        changed.notify_all();
    }
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (gate, changed) = &*self.0;
        let mut gate = gate.lock().unwrap();
        gate.is_reached = true;
        changed.notify_all();
        let mut gate = changed.wait_while(gate, |gate| !gate.is_open).unwrap();
        gate.lines += bytes.split(|byte| *byte == b'\n').count() - 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_is_stuck_drops_records_and_stops_nobody() {
    let disk = Stuck::default();
    let lines = JsonLines::with_capacity(2, disk.clone()).unwrap();
    let recorder = Recorder::new(lines.clone());
    recorder.call(start()).end();
    disk.wait_until_reached();
    // The thread holds one; two more fit into the queue.
    for _ in 0..5 {
        recorder.call(start()).end();
    }
    assert_eq!(lines.stats().dropped, 3);
    disk.open();
    recorder.flush();
    assert_eq!(lines.stats().written, 3);
    assert_eq!(disk.0.0.lock().unwrap().lines, 3);
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_cannot_be_written_is_counted() {
    let lines = JsonLines::new(Full).unwrap();
    let recorder = Recorder::new(lines.clone());
    recorder.call(start()).end();
    recorder.flush();
    assert_eq!((lines.stats().written, lines.stats().failed), (0, 1));
}
