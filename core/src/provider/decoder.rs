//! The decoder of one attempt.

use alloc::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use super::openai_chat::OpenAiChat;
use super::protocol::Protocol;
use super::source::Input;
use super::spelling::{Spelling, unwrapped};
use super::tape::Tape;
#[cfg(feature = "protocols")]
use super::{
    anthropic_complete, anthropic_messages::AnthropicMessages, aws_error, bedrock_converse,
    bedrock_invoke::BedrockInvoke, cohere_chat::CohereChat, dashscope_generation::DashScopeGeneration, gemini::Gemini,
    gemini_interactions::GeminiInteractions, huggingface_textgen::HuggingFaceTextGen, ollama_chat::OllamaChat,
    openai_responses::OpenAiResponses, vercel_ui_message::VercelUiMessage,
};
use crate::delta::{Delta, ErrorDelta, Terminal};
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
    #[cfg(feature = "protocols")]
    AnthropicComplete,
    #[cfg(feature = "protocols")]
    AnthropicMessages(AnthropicMessages),
    #[cfg(feature = "protocols")]
    BedrockConverse,
    #[cfg(feature = "protocols")]
    BedrockInvoke(BedrockInvoke),
    #[cfg(feature = "protocols")]
    CohereChat(CohereChat),
    #[cfg(feature = "protocols")]
    DashScopeGeneration(DashScopeGeneration),
    #[cfg(feature = "protocols")]
    Gemini(Gemini),
    #[cfg(feature = "protocols")]
    GeminiInteractions(GeminiInteractions),
    #[cfg(feature = "protocols")]
    HuggingFaceTextGen(HuggingFaceTextGen),
    #[cfg(feature = "protocols")]
    OllamaChat(OllamaChat),
    OpenAiChat(OpenAiChat),
    #[cfg(feature = "protocols")]
    OpenAiResponses(OpenAiResponses),
    #[cfg(feature = "protocols")]
    VercelUiMessage(VercelUiMessage),
    /// Of a protocol that this build does not have.
    #[cfg(not(feature = "protocols"))]
    Unknown,
}

impl State {
    fn decode<'a>(&'a mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        match self {
            #[cfg(feature = "protocols")]
            Self::AnthropicComplete => anthropic_complete::decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::AnthropicMessages(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::BedrockConverse => bedrock_converse::decode(delta, json),
            #[cfg(feature = "protocols")]
            Self::BedrockInvoke(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::CohereChat(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::DashScopeGeneration(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::Gemini(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::GeminiInteractions(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::HuggingFaceTextGen(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::OllamaChat(state) => state.decode(delta, json),
            Self::OpenAiChat(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::OpenAiResponses(state) => state.decode(delta, json, body),
            #[cfg(feature = "protocols")]
            Self::VercelUiMessage(state) => state.decode(delta, json, body),
            #[cfg(not(feature = "protocols"))]
            Self::Unknown => delta.decode_errors = 1,
        }
    }
}

impl Decoder {
    /// Makes a decoder for one response of that protocol.
    pub fn new(protocol: Protocol) -> Self {
        let state = match protocol {
            #[cfg(feature = "protocols")]
            Protocol::AnthropicComplete => State::AnthropicComplete,
            #[cfg(feature = "protocols")]
            Protocol::AnthropicMessages => State::AnthropicMessages(AnthropicMessages::default()),
            #[cfg(feature = "protocols")]
            Protocol::BedrockConverse => State::BedrockConverse,
            #[cfg(feature = "protocols")]
            Protocol::BedrockInvoke => State::BedrockInvoke(BedrockInvoke::default()),
            #[cfg(feature = "protocols")]
            Protocol::CohereChat => State::CohereChat(CohereChat::default()),
            #[cfg(feature = "protocols")]
            Protocol::DashScopeGeneration => State::DashScopeGeneration(DashScopeGeneration::default()),
            #[cfg(feature = "protocols")]
            Protocol::GeminiGenerateContent => State::Gemini(Gemini::default()),
            #[cfg(feature = "protocols")]
            Protocol::GeminiInteractions => State::GeminiInteractions(GeminiInteractions::default()),
            #[cfg(feature = "protocols")]
            Protocol::HuggingFaceTextGen => State::HuggingFaceTextGen(HuggingFaceTextGen::default()),
            #[cfg(feature = "protocols")]
            Protocol::OllamaChat => State::OllamaChat(OllamaChat::default()),
            Protocol::OpenAiChat | Protocol::OpenAiCompletions | Protocol::MistralChat => {
                State::OpenAiChat(OpenAiChat::default())
            }
            #[cfg(feature = "protocols")]
            Protocol::OpenAiResponses => State::OpenAiResponses(OpenAiResponses::default()),
            #[cfg(feature = "protocols")]
            Protocol::VercelUiMessage => State::VercelUiMessage(VercelUiMessage::default()),
            #[cfg(not(feature = "protocols"))]
            _ => State::Unknown,
        };
        Self { protocol, state }
    }

    /// The protocol that is decoded.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Says what a frame means. The delta borrows from the frame's bytes, or from those that the frame wraps.
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Delta<'a> {
        let mut delta = Delta::default();
        self.decode_into(&mut delta, frame);
        delta
    }

    /// Says what one decoded event means, given as JSON text.
    ///
    /// The end marker of server-sent event streams may be given as the JSON string `"[DONE]"`.
    pub fn decode_payload<'a>(&'a mut self, json: &'a [u8]) -> Delta<'a> {
        let mut delta = Delta::default();
        self.payload(&mut delta, json, false);
        delta
    }

    /// Says what one event means that a library holds as its own object, given as JSON text.
    ///
    /// Names may be spelled, and the event may be wrapped, as [`Tape::take_down`] has it.
    ///
    /// ```
    /// use llmspan_core::provider::{Decoder, Protocol};
    ///
    /// let mut decoder = Decoder::new(Protocol::MistralChat);
    /// let event = br#"{"data": {"choices": [{"index": 0, "delta": {}, "finishReason": "stop"}]}}"#;
    /// assert_eq!(decoder.decode_object(event).choices[0].finish_reason.as_deref(), Some("stop"));
    /// ```
    pub fn decode_object<'a>(&'a mut self, json: &'a [u8]) -> Delta<'a> {
        let mut delta = Delta::default();
        let json = unwrapped(json).unwrap_or(json);
        let input = match Spelling::of(self.protocol) {
            Spelling::Wire => Input::Json(json),
            spelling => Input::Object(spelling, json),
        };
        self.text(&mut delta, json, input, false);
        delta
    }

    /// A delta is large: it is built where it stays.
    fn decode_into<'a>(&'a mut self, delta: &mut Delta<'a>, frame: &Frame<'a>) {
        match *frame {
            #[cfg(feature = "protocols")]
            Frame::Event { name: Some(name), data } if matches!(self.state, State::BedrockConverse) => {
                bedrock_converse::decode_message(delta, name, Input::Json(data));
            }
            Frame::Event { data, .. } => self.payload(delta, data, false),
            Frame::Body { data } => self.payload(delta, data, true),
            Frame::Compressed => {
                delta.decode_errors = 1;
                delta.compressed = true;
            }
            // Only framings of other protocols have exceptions.
            #[cfg(not(feature = "protocols"))]
            Frame::Exception { .. } => delta.decode_errors = 1,
            Frame::Corrupt | Frame::Incomplete => delta.decode_errors = 1,
            Frame::Error { code, message } => {
                let text = |text: &'a str| (!text.is_empty()).then_some(Cow::Borrowed(text));
                delta.chunk = true;
                delta.error =
                    Some(ErrorDelta { error_type: text(code), message: text(message), ..ErrorDelta::default() });
            }
            #[cfg(feature = "protocols")]
            Frame::Exception { name, data } => {
                aws_error::write_exception(delta, name, Input::Json(data));
            }
            Frame::KeepAlive => delta.keep_alives = 1,
            Frame::TooLong => delta.oversized_frames = 1,
        }
    }

    /// Says what one decoded event means, given as a value of the host: its own objects behind a `serde` deserializer.
    ///
    /// They are taken down on `tape`, which a host keeps for this, and never become JSON text. A value of an unexpected
    /// type is absent, as in JSON; what the deserializer refuses, or what is nested deeper than 128 levels, is counted as
    /// not decodable. The string `[DONE]` is the end marker here too.
    ///
    /// ```
    /// use llmspan_core::delta::ContentKind;
    /// use llmspan_core::provider::{Decoder, Protocol, Tape};
    /// use serde_json::json;
    ///
    /// let mut decoder = Decoder::new(Protocol::OpenAiChat);
    /// let mut tape = Tape::default();
    /// let event = json!({"choices": [{"index": 0, "delta": {"content": "Hi"}}]});
    /// let delta = decoder.decode_value(event, &mut tape);
    /// assert!(delta.visible.contains(ContentKind::Text));
    /// ```
    pub fn decode_value<'t, 'de, D: Deserializer<'de>>(&'t mut self, event: D, tape: &'t mut Tape) -> Delta<'t> {
        tape.take_down(self.protocol, event);
        self.decode_tape(tape)
    }

    /// Says what the event means that was taken down on a tape: [`Decoder::decode_value`] in two steps, for hosts that have
    /// to let go of their objects in between.
    pub fn decode_tape<'t>(&'t mut self, tape: &'t Tape) -> Delta<'t> {
        let mut delta = Delta::default();
        if !tape.is_readable() {
            delta.decode_errors = 1;
        } else if tape.lone_text() == Some(b"[DONE]") {
            delta.terminal = self.done();
        } else {
            self.state.decode(&mut delta, Input::Held(tape), false);
        }
        delta
    }

    fn payload<'a>(&'a mut self, delta: &mut Delta<'a>, json: &'a [u8], body: bool) {
        self.text(delta, json, Input::Json(json), body);
    }

    fn text<'a>(&'a mut self, delta: &mut Delta<'a>, text: &[u8], json: Input<'a>, body: bool) {
        match text.trim_ascii() {
            // An event whose data is empty keeps the connection open and says nothing.
            b"" => {
                delta.keep_alives = 1;
            }
            b"[DONE]" | b"\"[DONE]\"" => {
                delta.terminal = self.done();
            }
            _ => self.state.decode(delta, json, body),
        }
    }

    /// What `[DONE]` says: proxies also add it to protocols that have an end marker of their own.
    fn done(&self) -> Terminal {
        match &self.state {
            #[cfg(feature = "protocols")]
            State::VercelUiMessage(state) => state.done(),
            State::OpenAiChat(_) => Terminal::Yes,
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
    pub fn next_delta<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Delta<'a>> {
        let mut delta = Delta::default();
        self.next_into(input, &mut delta).then_some(delta)
    }

    /// Does the same as [`Self::next_delta`] into a delta that is at its default, and says whether there was one.
    ///
    /// A delta is large: where it is written at the place that it is read from, nothing is moved.
    pub fn next_into<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8], delta: &mut Delta<'a>) -> bool {
        let Some(frame) = self.framer.next_frame(input) else { return false };
        self.decoder.decode_into(delta, &frame);
        true
    }

    /// Takes what the end of the stream leaves. To be called until it returns `None`.
    pub fn finish(&mut self) -> Option<Delta<'_>> {
        let frame = self.framer.finish()?;
        Some(self.decoder.decode(&frame))
    }

    /// Says what one decoded event means, given as a value of the host: see [`Decoder::decode_value`].
    pub fn decode_value<'t, 'de, D: Deserializer<'de>>(&'t mut self, event: D, tape: &'t mut Tape) -> Delta<'t> {
        self.decoder.decode_value(event, tape)
    }

    /// Says what the event on a tape means: see [`Decoder::decode_tape`].
    pub fn decode_tape<'t>(&'t mut self, tape: &'t Tape) -> Delta<'t> {
        self.decoder.decode_tape(tape)
    }

    /// Says what one decoded event means, given as JSON text, beside the bytes.
    pub fn decode_payload<'a>(&'a mut self, json: &'a [u8]) -> Delta<'a> {
        self.decoder.decode_payload(json)
    }

    /// Says what an object of a library means, given as JSON text: see [`Decoder::decode_object`].
    pub fn decode_object<'a>(&'a mut self, json: &'a [u8]) -> Delta<'a> {
        self.decoder.decode_object(json)
    }
}
