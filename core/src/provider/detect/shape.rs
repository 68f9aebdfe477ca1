//! What the first bytes of a body tell.

use crate::framing::Framing;
use crate::provider::Protocol;
use crate::provider::json::Malformed;
use crate::provider::lenient::{Fill, List, Maybe, Str, kinds, object};
use crate::provider::source::{Input, Source};

/// The bytes without a byte order mark and the white space before the first byte that says something.
pub(super) fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start()
}

/// How bytes with that start are framed; `None` when they do not tell.
pub(super) fn framing(start: &[u8], protocol: Protocol) -> Option<Framing> {
    match start.first()? {
        b'{' if protocol == Protocol::OllamaChat => Some(Framing::Ndjson),
        b'{' => Some(Framing::Json),
        b'[' => Some(Framing::JsonArray),
        // The length of a message, which is far below 16 MiB.
        0 => Some(Framing::EventStream),
        _ => is_event_text(start).then_some(Framing::Sse),
    }
}

/// The protocol whose first event, or whole body, has the shape of these bytes. They may be cut anywhere.
pub(super) fn protocol(start: &[u8]) -> Option<Protocol> {
    match start.first()? {
        b'{' => of_event("", start),
        b'[' => of_event("", start.get(1..)?),
        0 if Protocol::ALL_ARE_DECODED => of_message(start),
        _ if is_event_text(start) => of_event_text(start),
        _ => None,
    }
}

fn is_event_text(start: &[u8]) -> bool {
    [&b"data:"[..], b"event:", b"id:", b"retry:", b":"].iter().any(|field| start.starts_with(field))
}

/// The first event of server-sent events that tells. A ping or a comment may come before it.
fn of_event_text(start: &[u8]) -> Option<Protocol> {
    let mut name = "";
    for line in start.split(|byte| matches!(byte, b'\n' | b'\r')) {
        if line.is_empty() {
            name = "";
        } else if let Some(value) = line.strip_prefix(b"event:") {
            name = core::str::from_utf8(value.trim_ascii()).unwrap_or_default();
            if let Some(protocol) = of_event(name, b"") {
                return Some(protocol);
            }
        } else if let Some(data) = line.strip_prefix(b"data:")
            && let Some(protocol) = of_event(name, data)
        {
            return Some(protocol);
        }
    }
    None
}

/// The first message of an AWS event stream, by the name of its event.
fn of_message(start: &[u8]) -> Option<Protocol> {
    let at = start.windows(EVENT_TYPE.len()).position(|bytes| bytes == EVENT_TYPE)?;
    // Two bytes of length stand before the name.
    let name = start.get(at.checked_add(EVENT_TYPE.len())?.checked_add(2)?..)?;
    if name.starts_with(b"chunk") {
        Some(Protocol::BedrockInvoke)
    } else {
        CONVERSE.iter().any(|event| name.starts_with(event)).then_some(Protocol::BedrockConverse)
    }
}

/// The name of a header, and the type of a string.
const EVENT_TYPE: &[u8] = b":event-type\x07";
const CONVERSE: [&[u8]; 4] = [b"messageStart", b"contentBlock", b"messageStop", b"metadata"];

object! {
    /// The members that tell the protocols apart. What comes behind a cut is absent.
    struct Shape<'a> {
        "object" => object: Str<'a>,
        "type" => kind: Str<'a>,
        "event_type" => event_type: Str<'a>,
        "model" => model: Seen,
        "role" => role: Seen,
        "choices" => choices: List<Choice, 1>,
        "error" => error: Seen,
        "sequence_number" => sequence_number: Seen,
        "messageId" | "message_id" => message_id: Seen,
        "candidates" => candidates: Seen,
        "promptFeedback" | "prompt_feedback" => prompt_feedback: Seen,
        "modelVersion" | "model_version" => model_version: Seen,
        "created_at" => created_at: Seen,
        "done" => done: Seen,
        "output" => output: Maybe<Output>,
        "request_id" => request_id: Seen,
        "stopReason" | "stop_reason" => stop_reason: Seen,
        "generated_text" => generated_text: Seen,
        "token" => token: Maybe<Token>,
        "generation_id" => generation_id: Seen,
        "generations" => generations: Seen,
        "meta" => meta: Seen,
        "text" => text: Seen,
        "message" => message: Maybe<Message>,
        "finish_reason" => finish_reason: Seen,
        "messageStart" | "contentBlockStart" | "contentBlockDelta" => converse: Maybe<Converse>,
        "chunk" => chunk: Maybe<Chunk>,
    }
}

object! {
    /// An event of `ConverseStream`, under its name, as the AWS SDKs hand it out.
    struct Converse { "role" => role: Seen, "contentBlockIndex" => index: Seen }
}

object! {
    struct Chunk { "bytes" => bytes: Seen }
}

object! {
    struct Choice { "delta" => delta: Seen, "message" => message: Seen, "text" => text: Seen }
}

object! {
    struct Output {
        "choices" => choices: Seen,
        "text" => text: Seen,
        "message" => message: Seen,
    }
}

object! {
    struct Token { "text" => text: Seen, "special" => special: Seen }
}

object! {
    struct Message { "role" => role: Seen, "content" => content: Seen }
}

object! {
    /// What tells chat and text completions from all the rest.
    struct ChatShape<'a> { "object" => object: Str<'a>, "choices" => choices: List<Choice, 1> }
}

/// The protocol of an event that a library holds as its own object, and may have wrapped.
pub(super) fn protocol_of(event: Input<'_>, is_wrapped: bool) -> Option<Protocol> {
    let protocol = if Protocol::ALL_ARE_DECODED {
        let mut shape = Shape::default();
        event.fill(&mut shape)?;
        shape.protocol("")
    } else {
        let mut shape = ChatShape::default();
        event.fill(&mut shape)?;
        shape.protocol()
    };
    // Of the libraries that hand out the events of a server as such, with the chunk in `data`, Mistral's have such chunks.
    if is_wrapped && protocol == Some(Protocol::OpenAiChat) { Some(Protocol::MistralChat) } else { protocol }
}

/// Whether a member is there and not null, be it cut.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen(bool);

impl<'de> Fill<'de> for Seen {
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = !reader.begins(b'n');
        reader.skip_value()
    }
}

/// The protocol of one event with that name, or of a whole body.
fn of_event(name: &str, json: &[u8]) -> Option<Protocol> {
    if Protocol::ALL_ARE_DECODED {
        let mut shape = Shape::default();
        let _ = Input::Json(json).fill(&mut shape);
        shape.protocol(name)
    } else {
        let mut shape = ChatShape::default();
        let _ = Input::Json(json).fill(&mut shape);
        shape.protocol()
    }
}

impl ChatShape<'_> {
    fn protocol(&self) -> Option<Protocol> {
        of_object(self.object).or_else(|| of_choices(&self.choices))
    }
}

fn of_object(object: Str<'_>) -> Option<Protocol> {
    if object.is("chat.completion") || object.is("chat.completion.chunk") {
        Some(Protocol::OpenAiChat)
    } else {
        object.is("text_completion").then_some(Protocol::OpenAiCompletions)
    }
}

fn of_choices(choices: &List<Choice, 1>) -> Option<Protocol> {
    let choice = choices.0.first()?;
    if choice.delta.0 || choice.message.0 {
        Some(Protocol::OpenAiChat)
    } else {
        choice.text.0.then_some(Protocol::OpenAiCompletions)
    }
}

impl Shape<'_> {
    /// The protocol, given the name of the event that says what it is where its members do not.
    fn protocol(&self, name: &str) -> Option<Protocol> {
        let kind = self.kind.text();
        let kind = if self.present { &*kind } else { name };
        by_name(self, kind).or_else(|| by_members(self))
    }
}

fn by_name(shape: &Shape<'_>, kind: &str) -> Option<Protocol> {
    let object = of_object(shape.object);
    if object.is_some() {
        return object;
    }
    if shape.object.is("response") {
        return Some(Protocol::OpenAiResponses);
    }
    let event_type = shape.event_type.text();
    if shape.object.is("interaction") || event_type.starts_with("interaction.") {
        return Some(Protocol::GeminiInteractions);
    }
    if event_type == "stream-start" || event_type == "text-generation" {
        return Some(Protocol::CohereChat);
    }
    match Kind::of(kind.as_bytes()) {
        Some(Kind::AnthropicCompletion) => Some(Protocol::AnthropicComplete),
        Some(Kind::AnthropicError) if shape.error.0 && !shape.sequence_number.0 => Some(Protocol::AnthropicMessages),
        Some(Kind::AnthropicMessage) if shape.role.0 => Some(Protocol::AnthropicMessages),
        Some(Kind::AnthropicStart) => Some(Protocol::AnthropicMessages),
        Some(Kind::CohereStart) => Some(Protocol::CohereChat),
        Some(Kind::VercelPart) => Some(Protocol::VercelUiMessage),
        Some(Kind::VercelStart) if shape.message_id.0 => Some(Protocol::VercelUiMessage),
        _ if kind.starts_with("interaction.") => Some(Protocol::GeminiInteractions),
        _ if kind.starts_with("response.") => Some(Protocol::OpenAiResponses),
        _ => None,
    }
}

kinds! {
    /// Events whose name tells, most of them alone.
    enum Kind {
        AnthropicCompletion = "completion",
        AnthropicError = "error",
        AnthropicMessage = "message",
        AnthropicStart = "message_start",
        CohereStart = "message-start",
        /// Of the AI SDK's own full stream, which begins with a `start` that says nothing.
        VercelPart = "start-step" | "text-start" | "reasoning-start" | "tool-input-start",
        VercelStart = "start",
    }
}

/// The protocols that name nothing: a set of members that others do not have.
fn by_members(shape: &Shape<'_>) -> Option<Protocol> {
    let output = shape.output.0.as_ref();
    let is_dash_scope = output.is_some_and(|output| output.choices.0 || output.text.0) && shape.request_id.0;
    let is_converse = output.is_some_and(|output| output.message.0) && shape.stop_reason.0;
    let is_converse_event = shape.converse.0.as_ref().is_some_and(|event| event.role.0 || event.index.0);
    let is_invoke_event = shape.chunk.0.as_ref().is_some_and(|chunk| chunk.bytes.0);
    let is_token = shape.token.0.as_ref().is_some_and(|token| token.text.0 && token.special.0);
    let is_message = shape.message.0.as_ref().is_some_and(|message| message.role.0 && message.content.0);
    let completion = of_choices(&shape.choices);
    if completion.is_some() {
        completion
    } else if shape.candidates.0 || shape.prompt_feedback.0 || shape.model_version.0 {
        Some(Protocol::GeminiGenerateContent)
    } else if shape.model.0 && shape.created_at.0 && shape.done.0 {
        Some(Protocol::OllamaChat)
    } else if is_dash_scope {
        Some(Protocol::DashScopeGeneration)
    } else if is_converse || is_converse_event {
        Some(Protocol::BedrockConverse)
    } else if is_invoke_event {
        Some(Protocol::BedrockInvoke)
    } else if shape.generated_text.0 || is_token {
        Some(Protocol::HuggingFaceTextGen)
    } else if (shape.generation_id.0 && shape.text.0)
        || (shape.generations.0 && shape.meta.0)
        || (is_message && shape.finish_reason.0)
    {
        Some(Protocol::CohereChat)
    } else {
        None
    }
}
