//! Streams as providers send them, made from a seed.

use core::hint::black_box;

use llmspan_core::{
    delta::Delta,
    engine::Call,
    provider::{Protocol, StreamDecoder},
    time::Timestamp,
};

use crate::{
    STREAM_OPS,
    chunks::{Clock, open_call},
};

/// A decoder that is warm, with the reads to come.
#[derive(Debug)]
#[non_exhaustive]
pub struct DecodeInput {
    decoder: StreamDecoder,
    reads: Vec<Vec<u8>>,
}

/// Chat completion chunks with escapes and other languages in the text, a read each.
pub fn openai_chat_escaped_input() -> DecodeInput {
    decode_input(openai_chat(), reads(&openai_chat_payloads(Text::Escaped), None))
}

/// Plain text in reads of 1,000 bytes, as of a connection that is always behind: most reads end inside an event.
pub fn openai_chat_split_input() -> DecodeInput {
    let bytes = reads(&openai_chat_payloads(Text::Plain), None).concat();
    decode_input(openai_chat(), bytes.chunks(1_000).map(<[u8]>::to_vec).collect())
}

fn openai_chat() -> StreamDecoder {
    StreamDecoder::new(Protocol::OpenAiChat, 1 << 20, 16 << 20)
}

/// Decodes the reads.
pub fn decode(mut input: DecodeInput) -> DecodeInput {
    decode_all(&mut input.decoder, &input.reads);
    input
}

/// An open call with the reads to come and their times.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallInput {
    call: Call,
    reads: Vec<(Timestamp, Vec<u8>)>,
}

/// Chat completion chunks for a call that has read the first of them.
pub fn call_bytes_input() -> CallInput {
    let mut clock = Clock::default();
    let mut call = open_call(&mut clock);
    let mut reads: Vec<_> = clock.zip(reads(&openai_chat_payloads(Text::Plain), None)).collect();
    for (now, read) in reads.drain(..2) {
        call.handle_bytes(now, None, Protocol::OpenAiChat, &read);
    }
    CallInput { call, reads }
}

/// Feeds the reads to the call.
pub fn call_bytes(mut input: CallInput) -> CallInput {
    for (now, read) in &input.reads {
        input.call.handle_bytes(*now, None, Protocol::OpenAiChat, read);
    }
    input
}

/// What a decoder without types does at least: a tree of each payload.
pub fn json_tree(payloads: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    for payload in &payloads {
        black_box(serde_json::from_slice::<serde_json::Value>(payload).unwrap_or_default());
    }
    payloads
}

/// A small generator with a fixed seed: the same numbers on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }

    pub(crate) fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words.get(at).copied().unwrap_or_default()
    }
}

#[derive(Clone, Copy)]
enum Text {
    Plain,
    Escaped,
}

impl Text {
    /// A fragment of text, as JSON has it inside of quotes.
    fn word(self, random: &mut Random) -> &'static str {
        random.one_of(match self {
            Self::Plain => {
                &[" the", " of", " latency", " a", " stream", " is", " measured", ",", " in", " tokens", "."]
            }
            Self::Escaped => {
                &["\\n", " \\\"key\\\":", "\\t", " caf\\u00e9", "\\\\", " naïve", "\\ud83d\\ude00", "}\\n\\n", "日本"]
            }
        })
    }
}

pub(crate) fn decode_input(mut decoder: StreamDecoder, reads: Vec<Vec<u8>>) -> DecodeInput {
    decode_all(&mut decoder, reads.get(..8).unwrap_or_default());
    // The first reads that are counted go on where these ended.
    DecodeInput { decoder, reads: reads.into_iter().skip(8).collect() }
}

fn decode_all(decoder: &mut StreamDecoder, reads: &[Vec<u8>]) {
    for read in reads {
        let mut input = read.as_slice();
        loop {
            let mut delta = Delta::default();
            if !decoder.next_into(&mut input, &mut delta) {
                break;
            }
            black_box(&delta);
        }
    }
}

fn openai_chat_payloads(text: Text) -> Vec<Vec<u8>> {
    let mut random = Random::new(5);
    let payload = |_| {
        let word = text.word(&mut random);
        let padding = random.one_of(&["", "pq", "aB3x", "kZ81mQ", "nM2pLq9x", "Yx7wTq0bRe"]);
        format!(
            "{{\"id\":\"chatcmpl-CJ4x0dAW7Yf2dC5XkyvVzH1qAbCdE\",\"object\":\"chat.completion.chunk\",\"created\":1758000000,\
             \"model\":\"gpt-4.1-mini-2025-04-14\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_5d58a6052a\",\
             \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\"logprobs\":null,\"finish_reason\":null}}],\
             \"usage\":null,\"obfuscation\":\"{padding}\"}}"
        )
        .into_bytes()
    };
    (0..STREAM_OPS).map(payload).collect()
}

/// The end of a chat completion: finish reason, usage, end marker.
pub(crate) fn openai_chat_end() -> Vec<Vec<u8>> {
    let payloads = [
        "{\"id\":\"chatcmpl-CJ4x0dAW7Yf2dC5XkyvVzH1qAbCdE\",\"model\":\"gpt-4.1-mini-2025-04-14\",\
         \"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}",
        "{\"id\":\"chatcmpl-CJ4x0dAW7Yf2dC5XkyvVzH1qAbCdE\",\"model\":\"gpt-4.1-mini-2025-04-14\",\"choices\":[],\
         \"usage\":{\"prompt_tokens\":1200,\"completion_tokens\":640,\"total_tokens\":1840,\
         \"prompt_tokens_details\":{\"cached_tokens\":1024},\"completion_tokens_details\":{\"reasoning_tokens\":128}}}",
        "[DONE]",
    ];
    reads(&payloads.map(Vec::from), None)
}

/// One read per event, as servers flush them; with the name of the event where the protocol has one.
pub(crate) fn reads(payloads: &[Vec<u8>], name: Option<&str>) -> Vec<Vec<u8>> {
    let name = name.map_or_else(String::new, |name| format!("event: {name}\n"));
    payloads.iter().map(|payload| [name.as_bytes(), b"data: ", payload, b"\n\n"].concat()).collect()
}
