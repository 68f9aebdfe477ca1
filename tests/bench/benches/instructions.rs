//! Instructions of each workload, counted by callgrind. `cargo xtask bench` divides and compares them.
#![expect(
    missing_docs,
    unused_qualifications,
    reason = "the harness makes a module of each benchmark, which names what is here"
)]

use core::hint::black_box;

use gungraun::prelude::*;
use llmspan_bench::{
    chunks::{self, ChunkInput, EventInput},
    records::{self, AttributesInput, FinishInput},
    streams::{self, CallInput, DecodeInput},
};

#[library_benchmark]
#[bench::run(chunks::chunk_input())]
fn chunk(input: ChunkInput) -> ChunkInput {
    chunks::chunk(black_box(input))
}

#[library_benchmark]
#[bench::run(chunks::chunk_input())]
fn chunk_delta(input: ChunkInput) -> ChunkInput {
    chunks::chunk_delta(black_box(input))
}

#[library_benchmark]
#[bench::run(chunks::chunk_event_input())]
fn chunk_event(input: EventInput) -> EventInput {
    chunks::chunk_event(black_box(input))
}

#[library_benchmark]
#[bench::openai_chat(streams::openai_chat_input())]
#[bench::openai_chat_escaped(streams::openai_chat_escaped_input())]
#[bench::openai_chat_split(streams::openai_chat_split_input())]
#[bench::anthropic_messages(streams::anthropic_messages_input())]
fn decode(input: DecodeInput) -> DecodeInput {
    streams::decode(black_box(input))
}

#[library_benchmark]
#[bench::run(streams::call_bytes_input())]
fn call_bytes(input: CallInput) -> CallInput {
    streams::call_bytes(black_box(input))
}

#[library_benchmark]
#[bench::run(streams::json_tree_input())]
fn json_tree(input: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    streams::json_tree(black_box(input))
}

#[library_benchmark]
#[bench::run(records::finish_input())]
fn finish(input: FinishInput) -> FinishInput {
    records::finish(black_box(input))
}

#[library_benchmark]
#[bench::run(records::attributes_input())]
fn otel_attributes(input: AttributesInput) -> AttributesInput {
    records::attributes(black_box(input))
}

library_benchmark_group!(
    name = engine,
    benchmarks = [chunk, chunk_delta, chunk_event, decode, call_bytes, json_tree, finish, otel_attributes]
);
main!(library_benchmark_groups = engine);
