//! The decoder of one attempt.

use serde::{Deserialize, Serialize};

use super::anthropic_messages::AnthropicMessages;
use super::gemini::Gemini;
use super::ollama_chat::OllamaChat;
use super::openai_responses::OpenAiResponses;
use super::protocol::Protocol;
use super::{bedrock_converse, cohere_chat, openai_chat};
use crate::delta::{Delta, Terminal};
use crate::framing::{Frame, Framer};

/// Turns the frames or payloads of one response into deltas.
///
/// It keeps what one event has to know of the ones before it, and no content. Its state can be stored and taken up
/// again between two events.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Decoder {
    protocol: Protocol,
    state: State,
}

/// What the decoders of the protocols remember.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum State {
    Nothing,
    AnthropicMessages(AnthropicMessages),
    Gemini(Gemini),
    OllamaChat(OllamaChat),
    OpenAiResponses(OpenAiResponses),
}

impl Decoder {
    /// Makes a decoder for one response of that protocol.
    pub fn new(protocol: Protocol) -> Self {
        let state = match protocol {
            Protocol::AnthropicMessages => State::AnthropicMessages(AnthropicMessages::default()),
            Protocol::GeminiGenerateContent => State::Gemini(Gemini::default()),
            Protocol::OllamaChat => State::OllamaChat(OllamaChat::default()),
            Protocol::OpenAiResponses => State::OpenAiResponses(OpenAiResponses::default()),
            _ => State::Nothing,
        };
        Self { protocol, state }
    }

    /// The protocol that is decoded.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Says what a frame means. The delta borrows from the frame's bytes.
    #[inline]
    pub fn decode<'a>(&mut self, frame: &Frame<'a>) -> Delta<'a> {
        match *frame {
            Frame::Event { data, .. } => self.payload(data, false),
            Frame::Body { data } => self.payload(data, true),
            Frame::KeepAlive => Delta::keep_alive(),
            Frame::Incomplete => Delta::undecodable(),
            Frame::TooLong => Delta::oversized(),
        }
    }

    /// Says what one decoded event means, given as JSON text.
    ///
    /// The end marker of server-sent event streams may be given as the JSON string `"[DONE]"`.
    pub fn decode_payload<'a>(&mut self, json: &'a [u8]) -> Delta<'a> {
        self.payload(json, false)
    }

    #[inline]
    fn payload<'a>(&mut self, json: &'a [u8], body: bool) -> Delta<'a> {
        match json.trim_ascii() {
            // An event whose data is empty keeps the connection open and says nothing.
            b"" => return Delta::keep_alive(),
            b"[DONE]" | b"\"[DONE]\"" => return Delta { terminal: self.done(), ..Delta::default() },
            _ => {}
        }
        match (&mut self.state, self.protocol) {
            (State::AnthropicMessages(state), _) => state.decode(json, body),
            (State::Gemini(state), _) => state.decode(json, body),
            (State::OllamaChat(state), _) => state.decode(json),
            (State::OpenAiResponses(state), _) => state.decode(json, body),
            (State::Nothing, Protocol::BedrockConverse) => bedrock_converse::decode(json),
            (State::Nothing, Protocol::CohereChat) => cohere_chat::decode(json, body),
            (State::Nothing, Protocol::OpenAiChat | Protocol::MistralChat) => openai_chat::decode(json, body),
            (State::Nothing, _) => Delta::undecodable(),
        }
    }

    /// What `[DONE]` says: proxies also add it to protocols that have an end marker of their own.
    fn done(&self) -> Terminal {
        match self.protocol {
            Protocol::OpenAiChat | Protocol::OpenAiCompletions | Protocol::MistralChat | Protocol::VercelUiMessage => {
                Terminal::Yes
            }
            _ => Terminal::No,
        }
    }
}

/// Turns the raw bytes of one response into deltas: a framer and a decoder.
///
/// ```
/// use llmspan_core::delta::ContentKind;
/// use llmspan_core::provider::{Protocol, StreamDecoder};
///
/// let mut decoder = StreamDecoder::new(Protocol::OpenAiChat, 1 << 20, 1 << 24);
/// let mut read: &[u8] = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
/// assert!(decoder.next_delta(&mut read).unwrap().visible.contains(ContentKind::Text));
/// assert!(decoder.next_delta(&mut read).is_none());
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StreamDecoder {
    framer: Framer,
    decoder: Decoder,
}

impl StreamDecoder {
    /// Makes a decoder that skips events longer than `frame_limit` bytes and whole bodies longer than `body_limit`.
    pub fn new(protocol: Protocol, frame_limit: usize, body_limit: usize) -> Self {
        Self { framer: Framer::new(protocol.framing(), frame_limit, body_limit), decoder: Decoder::new(protocol) }
    }

    /// The protocol that is decoded.
    pub fn protocol(&self) -> Protocol {
        self.decoder.protocol()
    }

    /// Takes the next delta out of `input`, which is advanced past what has been consumed.
    ///
    /// `None` means that `input` is used up and more bytes are needed.
    #[inline]
    pub fn next_delta<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Delta<'a>> {
        let frame = self.framer.next_frame(input)?;
        Some(self.decoder.decode(&frame))
    }

    /// Takes what the end of the stream leaves. To be called until it returns `None`.
    pub fn finish(&mut self) -> Option<Delta<'_>> {
        let frame = self.framer.finish()?;
        Some(self.decoder.decode(&frame))
    }

    /// Says what one decoded event means, given as JSON text, beside the bytes.
    pub fn decode_payload<'a>(&mut self, json: &'a [u8]) -> Delta<'a> {
        self.decoder.decode_payload(json)
    }
}
