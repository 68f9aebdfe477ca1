//! A Chrome trace that grows call by call.

mod support;

use core::time::Duration;
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use llmspan::{ChromeTraceFile, Failure, ManualClock, Nanos, Recorder, Retry, UnixNanos, WaitReason};
use serde_json::Value;
use support::start;

const MIDNIGHT: UnixNanos = UnixNanos::from_nanos(1_764_547_200_000_000_000);

fn temporary(name: &str) -> PathBuf {
    env::temp_dir().join(format!("llmspan-{name}-{}.json", std::process::id()))
}

/// The complete events with that name: `ts` and `dur`, in whole microseconds.
fn slices(trace: &Value, name: &str) -> Vec<(u64, u64)> {
    let events = trace.as_array().unwrap().iter();
    let named = events.filter(|event| event["name"] == name && event["ph"] == "X");
    let micros = |number: &Value| number.to_string().split('.').next().unwrap().parse().unwrap();
    named.map(|event| (micros(&event["ts"]), micros(&event["dur"]))).collect()
}

#[test]
fn a_call_is_drawn_as_long_as_it_was() {
    let path = temporary("chrome");
    let clock = ManualClock::anchored(MIDNIGHT);
    let trace = ChromeTraceFile::create(&path).unwrap();
    let recorder = Recorder::builder().with_clock(clock.clone()).with_sink(trace.clone()).build().unwrap();

    let call = recorder.call(start());
    call.attempt().failed(Failure::of_status(429));
    call.retry_scheduled(Retry::after(Nanos::from_millis(7_000), WaitReason::RateLimit));
    clock.advance(Nanos::from_millis(7_000));
    let attempt = call.attempt();
    clock.advance(Nanos::from_millis(120_000));
    attempt.stream_ended();
    call.end();
    recorder.flush();

    let open = fs::read_to_string(&path).unwrap();
    assert!(serde_json::from_str::<Value>(&open).is_err(), "the bracket is open as long as calls may come");
    let read: Value = serde_json::from_str(&format!("{open}]")).unwrap();
    let [(call_at, length)] = slices(&read, "llm.chat_stream")[..] else { panic!("one call: {read}") };
    let [(answer_at, answer)] = slices(&read, "attempt 2")[..] else { panic!("a second attempt: {read}") };
    assert_eq!((length, answer), (127_000_000, 120_000_000));
    assert_eq!(answer_at - call_at, 7_000_000, "the wait is no part of the attempt");

    recorder.call(start()).end();
    // An attempt keeps its recorder, and so the file.
    drop((attempt, recorder, trace));
    let closed: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(slices(&closed, "llm.chat_stream").len(), 2);
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_trace_without_calls_is_valid() {
    let path = temporary("chrome-empty");
    drop(ChromeTraceFile::create(&path).unwrap());
    let read: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(read, serde_json::json!([]));
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_call_that_cannot_be_placed_is_counted() {
    let path = temporary("chrome-origin");
    let trace = ChromeTraceFile::create(&path).unwrap();
    let recorder = Recorder::new(trace.clone());
    recorder.call(start().with_unix(MIDNIGHT)).end();
    // Two days before the first one.
    recorder.call(start().with_unix(UnixNanos::from_nanos(MIDNIGHT.as_nanos() - 172_800_000_000_000))).end();
    recorder.flush();
    assert_eq!((trace.stats().written, trace.stats().failed), (1, 1));
    fs::remove_file(&path).unwrap();
}

/// A disk that is stuck until the other end of its channel is dropped.
struct Stuck {
    reached: Sender<()>,
    gate: Receiver<()>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.reached.send(()).ok();
        self.gate.recv().ok();
        self.written.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_is_stuck_drops_calls_and_leaves_a_valid_trace() {
    let ((reached, is_reached), (open, gate)) = (mpsc::channel(), mpsc::channel());
    let written = Arc::new(Mutex::new(Vec::new()));
    let trace = ChromeTraceFile::with_capacity(2, Stuck { reached, gate, written: Arc::clone(&written) }).unwrap();
    let recorder = Recorder::new(trace.clone());
    recorder.call(start()).end();
    is_reached.recv().unwrap();
    // The thread holds one; two more fit into the queue.
    for _ in 0..5 {
        recorder.call(start()).end();
    }
    assert_eq!(trace.stats().dropped, 3);
    drop(open);
    drop((recorder, trace));
    let read: Value = serde_json::from_slice(&written.lock().unwrap()).unwrap();
    assert_eq!(slices(&read, "llm.chat_stream").len(), 3);
}

#[test]
fn a_process_that_is_killed_leaves_a_trace_that_can_be_read() {
    let path = temporary("chrome-killed");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "writes_until_it_is_killed", "--ignored"])
        .env(TRACE_OF_CHILD, &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let is_long = || fs::metadata(&path).is_ok_and(|file| file.len() > 200_000);
    let written = (0..2_000).any(|_| {
        thread::sleep(Duration::from_millis(5));
        is_long()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(written, "the child writes");

    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_err(), "nobody closed the bracket");
    let read: Value = serde_json::from_str(&format!("{text}]")).unwrap();
    let calls = slices(&read, "llm.chat_stream").len();
    assert!(calls > 100);
    assert_eq!(slices(&read, "attempt 1").len(), calls, "calls are whole");
}

/// Not a test: what the one before it starts and kills.
#[test]
#[ignore = "runs until it is killed"]
fn writes_until_it_is_killed() {
    let Some(path) = env::var_os(TRACE_OF_CHILD) else { return };
    let recorder = Recorder::new(ChromeTraceFile::create(Path::new(&path)).unwrap());
    loop {
        let call = recorder.call(start());
        call.attempt().failed(Failure::of_status(500));
        call.end();
    }
}

const TRACE_OF_CHILD: &str = "LLMSPAN_TEST_TRACE";
