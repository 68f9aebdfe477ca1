//! Counts allocations and bytes of each workload, and times it; prints a JSON object per line.

extern crate alloc;

use alloc::sync::Arc;
use core::hint::black_box;
use std::time::Instant;

use llmspan_bench::{
    CALL_OPS, STREAM_OPS,
    chunks::{self, Clock},
    exports,
    protocols::{self, EVENTS},
    records, streams,
};
use llmspan_core::{config::Config, engine::Call, framing::Framing, provider::Protocol};
use serde_json::json;

fn main() {
    measure("chunk", STREAM_OPS, chunks::chunk_input, chunks::chunk);
    measure("chunk_delta", STREAM_OPS, chunks::chunk_input, chunks::chunk_delta);
    measure("chunk_event", STREAM_OPS, chunks::chunk_event_input, chunks::chunk_event);
    measure("openai_chat_escaped", STREAM_OPS, streams::openai_chat_escaped_input, streams::decode);
    measure("openai_chat_split", STREAM_OPS, streams::openai_chat_split_input, streams::decode);
    measure("call_bytes", STREAM_OPS, streams::call_bytes_input, streams::call_bytes);
    measure("finish", CALL_OPS, records::finish_input, records::finish);
    measure("otel_attributes", CALL_OPS, records::attributes_input, records::attributes);
    measure("spans", CALL_OPS, exports::input, exports::spans);
    measure("otlp_json", CALL_OPS, exports::input, exports::otlp_json);
    measure("otlp_protobuf", CALL_OPS, exports::input, exports::otlp_protobuf);
    measure("chrome_trace", CALL_OPS, exports::input, exports::chrome_trace);
    measure("metrics", CALL_OPS, exports::input, exports::metrics);
    measure("read_request", CALL_OPS, exports::request_input, exports::read_request);
    for &protocol in Protocol::ALL {
        let name = protocol.as_str().replace('.', "_");
        measure(&name, EVENTS, || protocols::input(protocol), streams::decode);
        if protocol.framing() == Framing::EventStream {
            measure(&format!("smithy_{name}"), EVENTS, || protocols::smithy_input(protocol), protocols::smithy);
        } else {
            measure(&format!("tree_{name}"), EVENTS, || protocols::tree_input(protocol), streams::json_tree);
        }
    }
    open_call("open_call_10", 10, Clock::default());
    open_call("open_call_1000000", 1_000_000, Clock::default());
    open_call("open_call_stalls_1000000", 1_000_000, Clock::with_stalls());
}

/// Allocations of a single run, and the time of the fastest one.
fn measure<I>(name: &str, ops: usize, input: impl Fn() -> I, run: impl Fn(I) -> I) {
    let first = input();
    let mut kept = None;
    let counted = allocation_counter::measure(|| kept = Some(run(black_box(first))));
    drop(kept);
    let nanos = (0..RUNS).map(|_| time_of(input(), &run)).min().unwrap_or(0);
    println!(
        "{}",
        json!({"name": name, "ops": ops, "allocations": counted.count_total, "bytes": counted.bytes_total, "nanos": nanos})
    );
}

#[expect(clippy::disallowed_methods, reason = "the time that work takes is what is asked for here")]
fn time_of<I>(input: I, run: impl Fn(I) -> I) -> u64 {
    let input = black_box(input);
    let start = Instant::now();
    let output = run(input);
    let elapsed = start.elapsed();
    drop(black_box(output));
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

/// What an open call takes after so many chunks: itself and what it has on the heap.
fn open_call(name: &str, count: usize, mut clock: Clock) {
    let config = Arc::new(Config::default());
    let mut call = None;
    let heap = allocation_counter::measure(|| {
        let mut open = chunks::started_call(&config);
        chunks::feed(&mut open, &mut clock, count);
        call = Some(open);
    });
    drop(call);
    let held = u64::try_from(heap.bytes_current).unwrap_or(0) + size_of::<Call>() as u64;
    println!("{}", json!({"name": name, "ops": 1, "held": held}));
}

/// Timed runs of each workload.
const RUNS: usize = 7;
