//! The steady state of every protocol: a stream of text, one fragment an event, as its servers send it.
//!
//! Each protocol is decoded from its own frames, and compared with what a reader without types does with the same events: a
//! `serde_json::Value` of each payload, or for AWS event streams the messages that the AWS SDK makes of the bytes.

use core::{hint::black_box, iter};

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use llmspan_core::{
    framing::Framing,
    provider::{Protocol, StreamDecoder},
};

use crate::streams::{DecodeInput, Random, decode_input, reads};

/// Events of one run.
pub const EVENTS: usize = 2_000;

/// Frames of the protocol for a decoder that is warm, a read each.
pub fn input(protocol: Protocol) -> DecodeInput {
    let payloads = payloads(protocol);
    let reads = match protocol.framing() {
        Framing::EventStream => payloads.iter().map(|payload| message(event_type(protocol), payload)).collect(),
        Framing::Ndjson => payloads.iter().map(|payload| [payload.as_slice(), b"\n"].concat()).collect(),
        _ => reads(&payloads, event_name(protocol)),
    };
    decode_input(StreamDecoder::new(protocol, 1 << 20, 16 << 20), reads)
}

/// The payloads of [`input`] without their frames.
pub fn tree_input(protocol: Protocol) -> Vec<Vec<u8>> {
    payloads(protocol)
}

/// The messages of [`input`], for the decoder of the AWS SDK.
pub fn smithy_input(protocol: Protocol) -> Vec<Vec<u8>> {
    payloads(protocol).iter().map(|payload| message(event_type(protocol), payload)).collect()
}

/// Decodes the messages as the AWS SDK does, which leaves their payloads unread.
pub fn smithy(reads: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut decoder = MessageFrameDecoder::new();
    let mut buffer = BytesMut::new();
    for read in &reads {
        buffer.extend_from_slice(read);
        while let Ok(DecodedFrame::Complete(message)) = decoder.decode_frame(&mut buffer) {
            black_box(message);
        }
    }
    reads
}

fn payloads(protocol: Protocol) -> Vec<Vec<u8>> {
    let mut random = Random::new(7);
    let mut output = 0;
    let payload = || {
        output += 1;
        let word = random.one_of(&[" the", " of", " latency", " a", " stream", " is", " measured", ",", " in", "."]);
        payload(protocol, word, output).into_bytes()
    };
    iter::repeat_with(payload).take(EVENTS).collect()
}

/// One event with a fragment of text, after so many tokens.
fn payload(protocol: Protocol, word: &str, output: usize) -> String {
    match protocol {
        Protocol::OpenAiChat => format!(
            "{{\"id\":\"chatcmpl-CJ4x0dAW7Yf2dC5XkyvVzH1qAbCdE\",\"object\":\"chat.completion.chunk\",\"created\":1758000000,\
             \"model\":\"gpt-4.1-mini-2025-04-14\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_5d58a6052a\",\
             \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\"logprobs\":null,\"finish_reason\":null}}],\
             \"usage\":null,\"obfuscation\":\"aB3xkZ\"}}"
        ),
        Protocol::OpenAiCompletions => format!(
            "{{\"id\":\"cmpl-CJ4x0dAW7Yf2dC5XkyvVzH1qAbCdE\",\"object\":\"text_completion\",\"created\":1758000000,\
             \"choices\":[{{\"text\":\"{word}\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}}],\
             \"model\":\"gpt-3.5-turbo-instruct:20230824-v2\"}}"
        ),
        Protocol::OpenAiResponses => format!(
            "{{\"type\":\"response.output_text.delta\",\"sequence_number\":{output},\
             \"item_id\":\"msg_68c9a1f2b4d881908a7c3e5d2f1b6a90\",\"output_index\":0,\"content_index\":0,\
             \"delta\":\"{word}\",\"logprobs\":[],\"obfuscation\":\"kZ81mQnM2pLq\"}}"
        ),
        Protocol::AnthropicMessages => format!(
            "{{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{word}\"}}  }}"
        ),
        Protocol::AnthropicComplete => format!(
            "{{\"type\":\"completion\",\"id\":\"compl_01Ab2Cd3Ef4Gh5Ij6Kl7Mn8\",\"completion\":\"{word}\",\
             \"stop_reason\":null,\"model\":\"claude-2.1\",\"stop\":null,\"log_id\":\"compl_01Ab2Cd3Ef4Gh5Ij6Kl7Mn8\"}}"
        ),
        Protocol::GeminiGenerateContent => format!(
            "{{\"candidates\": [{{\"content\": {{\"parts\": [{{\"text\": \"{word}\"}}],\"role\": \"model\"}},\"index\": 0}}],\
             \"usageMetadata\": {{\"promptTokenCount\": 1200,\"candidatesTokenCount\": {output},\"totalTokenCount\": {},\
             \"promptTokensDetails\": [{{\"modality\": \"TEXT\",\"tokenCount\": 1200}}]}},\
             \"modelVersion\": \"gemini-2.5-flash\",\"responseId\": \"q1w2e3r4t5y6u7i8o9p0AQ\"}}",
            1200 + output
        ),
        Protocol::GeminiInteractions => {
            format!("{{\"index\":1,\"delta\":{{\"text\":\"{word}\",\"type\":\"text\"}},\"event_type\":\"step.delta\"}}")
        }
        Protocol::BedrockConverse => {
            format!(
                "{{\"contentBlockIndex\":0,\"delta\":{{\"text\":\"{word}\"}},\"p\":\"abcdefghijklmnopqrstuvwxyz\"}}"
            )
        }
        Protocol::BedrockInvoke => {
            let event = payload(Protocol::AnthropicMessages, word, output);
            format!("{{\"bytes\":\"{}\",\"p\":\"abcdefghijklmnopqrstuvwxyz\"}}", STANDARD.encode(event))
        }
        Protocol::OllamaChat => format!(
            "{{\"model\":\"llama3.2\",\"created_at\":\"2026-01-02T03:04:05.678901234Z\",\
             \"message\":{{\"role\":\"assistant\",\"content\":\"{word}\"}},\"done\":false}}"
        ),
        Protocol::CohereChat => format!(
            "{{\"type\":\"content-delta\",\"index\":0,\"delta\":{{\"message\":{{\"content\":{{\"text\":\"{word}\"}}}}}}}}"
        ),
        Protocol::MistralChat => format!(
            "{{\"id\":\"5d2c8f7a9b1e4c6d8f0a2b4c6d8e0f1a\",\"object\":\"chat.completion.chunk\",\"created\":1758000000,\
             \"model\":\"mistral-small-latest\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\
             \"finish_reason\":null}}],\"p\":\"abcdefghij\"}}"
        ),
        Protocol::DashScopeGeneration => format!(
            "{{\"output\":{{\"choices\":[{{\"message\":{{\"content\":\"{word}\",\"role\":\"assistant\"}},\
             \"finish_reason\":\"null\"}}]}},\"usage\":{{\"total_tokens\":{},\"output_tokens\":{output},\
             \"input_tokens\":1200}},\"request_id\":\"1c9e7f3a-5b2d-9c48-8a6e-0d4f2b7c9e11\"}}",
            1200 + output
        ),
        Protocol::HuggingFaceTextGen => format!(
            "{{\"index\":{output},\"token\":{{\"id\":262,\"text\":\"{word}\",\"logprob\":-0.12345678,\"special\":false}},\
             \"generated_text\":null,\"details\":null}}"
        ),
        _ => format!("{{\"type\":\"text-delta\",\"id\":\"txt-0\",\"delta\":\"{word}\"}}"),
    }
}

/// The name that servers of the protocol give to such an event.
fn event_name(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::AnthropicComplete => Some("completion"),
        Protocol::AnthropicMessages => Some("content_block_delta"),
        Protocol::CohereChat => Some("content-delta"),
        Protocol::DashScopeGeneration => Some("result"),
        Protocol::OpenAiResponses => Some("response.output_text.delta"),
        _ => None,
    }
}

fn event_type(protocol: Protocol) -> &'static str {
    if protocol == Protocol::BedrockInvoke { "chunk" } else { "contentBlockDelta" }
}

/// A message as Bedrock sends it, written by the AWS SDK.
fn message(event_type: &'static str, payload: &[u8]) -> Vec<u8> {
    let header = |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new(Bytes::copy_from_slice(payload))
        .add_header(header(":event-type", event_type))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", "event"));
    let mut bytes = Vec::new();
    // Only headers that are too long cannot be written.
    let _ = write_message_to(&message, &mut bytes);
    bytes
}
