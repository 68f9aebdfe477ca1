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
    exports::{self, ExportInput},
    protocols,
    records::{self, AttributesInput, FinishInput},
    streams::{self, CallInput, DecodeInput},
};
use llmspan_core::provider::Protocol;

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
#[bench::openai_chat_escaped(streams::openai_chat_escaped_input())]
#[bench::openai_chat_split(streams::openai_chat_split_input())]
#[bench::openai_chat(protocols::input(Protocol::OpenAiChat))]
#[bench::openai_completions(protocols::input(Protocol::OpenAiCompletions))]
#[bench::openai_responses(protocols::input(Protocol::OpenAiResponses))]
#[bench::anthropic_messages(protocols::input(Protocol::AnthropicMessages))]
#[bench::anthropic_complete(protocols::input(Protocol::AnthropicComplete))]
#[bench::gemini_generate_content(protocols::input(Protocol::GeminiGenerateContent))]
#[bench::gemini_interactions(protocols::input(Protocol::GeminiInteractions))]
#[bench::bedrock_converse(protocols::input(Protocol::BedrockConverse))]
#[bench::bedrock_invoke(protocols::input(Protocol::BedrockInvoke))]
#[bench::ollama_chat(protocols::input(Protocol::OllamaChat))]
#[bench::cohere_chat(protocols::input(Protocol::CohereChat))]
#[bench::mistral_chat(protocols::input(Protocol::MistralChat))]
#[bench::dashscope_generation(protocols::input(Protocol::DashScopeGeneration))]
#[bench::huggingface_textgen(protocols::input(Protocol::HuggingFaceTextGen))]
#[bench::vercel_ui_message(protocols::input(Protocol::VercelUiMessage))]
fn decode(input: DecodeInput) -> DecodeInput {
    streams::decode(black_box(input))
}

#[library_benchmark]
#[bench::run(streams::call_bytes_input())]
fn call_bytes(input: CallInput) -> CallInput {
    streams::call_bytes(black_box(input))
}

#[library_benchmark]
#[bench::tree_openai_chat(protocols::tree_input(Protocol::OpenAiChat))]
#[bench::tree_openai_completions(protocols::tree_input(Protocol::OpenAiCompletions))]
#[bench::tree_openai_responses(protocols::tree_input(Protocol::OpenAiResponses))]
#[bench::tree_anthropic_messages(protocols::tree_input(Protocol::AnthropicMessages))]
#[bench::tree_anthropic_complete(protocols::tree_input(Protocol::AnthropicComplete))]
#[bench::tree_gemini_generate_content(protocols::tree_input(Protocol::GeminiGenerateContent))]
#[bench::tree_gemini_interactions(protocols::tree_input(Protocol::GeminiInteractions))]
#[bench::tree_ollama_chat(protocols::tree_input(Protocol::OllamaChat))]
#[bench::tree_cohere_chat(protocols::tree_input(Protocol::CohereChat))]
#[bench::tree_mistral_chat(protocols::tree_input(Protocol::MistralChat))]
#[bench::tree_dashscope_generation(protocols::tree_input(Protocol::DashScopeGeneration))]
#[bench::tree_huggingface_textgen(protocols::tree_input(Protocol::HuggingFaceTextGen))]
#[bench::tree_vercel_ui_message(protocols::tree_input(Protocol::VercelUiMessage))]
fn json_tree(input: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    streams::json_tree(black_box(input))
}

#[library_benchmark]
#[bench::smithy_bedrock_converse(protocols::smithy_input(Protocol::BedrockConverse))]
#[bench::smithy_bedrock_invoke(protocols::smithy_input(Protocol::BedrockInvoke))]
fn smithy(input: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    protocols::smithy(black_box(input))
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

#[library_benchmark]
#[bench::run(exports::input())]
fn spans(input: ExportInput) -> ExportInput {
    exports::spans(black_box(input))
}

#[library_benchmark]
#[bench::run(exports::input())]
fn otlp_json(input: ExportInput) -> ExportInput {
    exports::otlp_json(black_box(input))
}

#[library_benchmark]
#[bench::run(exports::input())]
fn otlp_protobuf(input: ExportInput) -> ExportInput {
    exports::otlp_protobuf(black_box(input))
}

#[library_benchmark]
#[bench::run(exports::input())]
fn chrome_trace(input: ExportInput) -> ExportInput {
    exports::chrome_trace(black_box(input))
}

#[library_benchmark]
#[bench::run(exports::input())]
fn metrics(input: ExportInput) -> ExportInput {
    exports::metrics(black_box(input))
}

#[library_benchmark]
#[bench::run(exports::request_input())]
fn read_request(input: Vec<u8>) -> Vec<u8> {
    exports::read_request(black_box(input))
}

library_benchmark_group!(
    name = engine,
    benchmarks = [
        chunk,
        chunk_delta,
        chunk_event,
        decode,
        call_bytes,
        json_tree,
        smithy,
        finish,
        otel_attributes,
        spans,
        otlp_json,
        otlp_protobuf,
        chrome_trace,
        metrics,
        read_request
    ]
);
main!(library_benchmark_groups = engine);
