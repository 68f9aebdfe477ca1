//! The JSON form of the event log: one flat object per event, as `docs/wire-format.md` has it.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::mem;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::Error as _};
use serde_json::value::RawValue;

use super::{Chunk, ChunkError, ChunkToolCall, Event, ReportedUsage, TimedEvent};
use crate::{
    delta::{ContentKind, ServerTiming},
    error::{Error, ErrorKind},
    fields::{
        Mismatch, Read, ReadFields, Write, WriteFields as _, fields, is_none, line_of, read_json, read_member,
        read_members, to_json,
    },
    limits::WIRE_BYTES,
    machine::{AttemptStart, CallStart, Failure, Headers, Retry, WaitEnd},
    provider::{JsonReader, Protocol, headers},
    record::{Attributes, Raw, Request, TimeoutKind, WaitReason},
    time::{Nanos, Timestamp, UnixNanos},
};

impl TimedEvent {
    /// Reads one event from its JSON object.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidEvent`] for an unknown event, a field that the event does not have, a field of another type, or a
    /// required field that is missing; [`ErrorKind::UnknownProtocol`] for a protocol that this release does not know;
    /// [`ErrorKind::TooLarge`] for a line above 64 MiB.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        if text.len() > WIRE_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, "an event of more than 64 MiB"));
        }
        let mut flat = Flat::default();
        let mut data = None;
        read_json(&mut flat, text, Some(("data", &mut data)))
            .map_err(|mismatch| Error::new(ErrorKind::InvalidEvent, mismatch.into_text()))?;
        flat.data = data.filter(|text| text != "null").map(Text);
        flat.take_event()
    }

    /// Writes the event as one JSON object on one line.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidEvent`] when a payload is no JSON text.
    pub fn to_json(&self) -> Result<String, Error> {
        let flat = Flat::of(self).map_err(|detail| Error::new(ErrorKind::InvalidEvent, detail))?;
        Ok(to_json(&flat))
    }
}

/// In formats that describe themselves an event is the flat object; in others its parts follow each other.
impl Serialize for TimedEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            Flat::of(self).map_err(S::Error::custom)?.serialize(serializer)
        } else {
            (self.at, &self.call, self.attempt, &self.event).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for TimedEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Flat::deserialize(deserializer)?.take_event().map_err(de::Error::custom)
        } else {
            let (at, call, attempt, event) = Deserialize::deserialize(deserializer)?;
            Ok(Self { at, call, attempt, event })
        }
    }
}

macro_rules! flat {
    ($($field:ident: $ty:ty,)*) => {
        /// Every field that any event has.
        #[derive(Default, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields)]
        struct Flat {
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $field: Option<$ty>,
            )*
        }

        fields! {
            Flat, skips None, others Refused { $($field),* }
        }
    };
}

flat! {
    at_ns: Timestamp,
    event: Box<str>,
    call: Box<str>,
    attempt: u32,
    operation: Box<str>,
    provider: Box<str>,
    model: Box<str>,
    stream: bool,
    unix_ns: UnixNanos,
    trace_id: Box<str>,
    span_id: Box<str>,
    parent_span_id: Box<str>,
    request: Box<RequestInput>,
    attributes: Attributes,
    name: Box<str>,
    endpoint: Box<str>,
    hedged: bool,
    status_code: u16,
    request_id: Box<str>,
    server_processing_ns: Nanos,
    server_queue_ns: Nanos,
    server_prompt_ns: Nanos,
    server_generation_ns: Nanos,
    server_first_byte_ns: Nanos,
    token_counts: Box<Raw>,
    headers: Vec<(Box<str>, Box<str>)>,
    retry_after_ns: Nanos,
    content: ContentKind,
    bytes: u64,
    finish_reasons: Vec<Option<Box<str>>>,
    usage: ReportedUsage,
    response_id: Box<str>,
    response_model: Box<str>,
    tool_call: ChunkToolCall,
    error: ChunkError,
    terminal: bool,
    protocol: Box<str>,
    data: Text,
    utf8: Box<str>,
    base64: Box<str>,
    error_type: Box<str>,
    message: Box<str>,
    abort_like: bool,
    delay_ns: Nanos,
    reason: WaitReason,
    server_requested: bool,
    aborted: bool,
    kind: TimeoutKind,
}

/// The request of a call, with the flags of its response where a host knows them at the start.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct RequestInput {
    #[serde(flatten)]
    request: Request,
    #[serde(flatten, skip_serializing)]
    flags: RequestFlags,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RequestFlags {
    refusal: Option<bool>,
    json_valid: Option<bool>,
    cache_hit: Option<bool>,
}

fields! { RequestFlags, skips None, others Refused { refusal, json_valid, cache_hit } }

impl Write for RequestInput {
    fn write(&self, out: &mut String) {
        self.request.write(out);
    }
}

impl Read for RequestInput {
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        read_members(reader, &mut |name, reader| {
            let is_flag = line_of(RequestFlags::NAMES, name).is_some();
            let object: &mut dyn ReadFields = if is_flag { &mut self.flags } else { &mut self.request };
            read_member(object, name, reader)
        })
    }
}

/// The attributes of a call, with the flags that its request names.
fn attributes_of(attributes: Option<Attributes>, request: Option<&RequestInput>) -> Attributes {
    let mut attributes = attributes.unwrap_or_default();
    if let Some(flags) = request.map(|request| &request.flags) {
        for (key, flag) in
            [("refusal", flags.refusal), ("json_valid", flags.json_valid), ("cache_hit", flags.cache_hit)]
        {
            if let Some(flag) = flag {
                attributes.insert(key.into(), flag.into());
            }
        }
    }
    attributes
}

/// JSON text inside JSON, as it was written.
#[derive(Default)]
struct Text(String);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.clone()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer)?.get().into()))
    }
}

impl Write for Text {
    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl Read for Text {
    /// The text is taken before values are.
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        Ok(reader.skip_value()?)
    }
}

/// Which fields each event has, beside `at_ns`, `event` and `call`: a line for each event, its name first.
const FIELDS: &str = "\
call_started operation provider model stream unix_ns trace_id span_id parent_span_id request attributes
phase_started name
phase_ended name
attempt_started provider model endpoint hedged attributes
request_sent attempt
headers_received attempt status_code headers unix_ns request_id server_processing_ns server_queue_ns \
    server_prompt_ns server_generation_ns server_first_byte_ns retry_after_ns error_type token_counts
chunk attempt content bytes finish_reasons usage response_id response_model tool_call error terminal
payload attempt protocol data
bytes attempt protocol utf8 base64
keep_alive attempt
usage attempt usage
delivered attempt
attempt_failed attempt error_type status_code message abort_like retry_after_ns
retry_scheduled delay_ns reason server_requested
retry_wait_ended aborted
stream_ended attempt
cancelled
consumer_closed attempt
timed_out kind
tick
attributes attributes
call_ended error_type status_code message
call_dropped";

impl Flat {
    /// Fields are taken out one by one: what an error leaves behind is dropped with the object.
    fn take_event(&mut self) -> Result<TimedEvent, Error> {
        let invalid = |detail: String| Error::new(ErrorKind::InvalidEvent, detail);
        let Some(at) = self.at_ns else { return Err(invalid("an event needs `at_ns`".into())) };
        let Some(name) = self.event.take() else { return Err(invalid("an event needs `event`".into())) };
        let mut lines = FIELDS.split('\n').map(|line| line.split(' '));
        let Some(allowed) = lines.find_map(|mut line| (line.next() == Some(&*name)).then_some(line)) else {
            return Err(invalid(format!("there is no event `{name}`")));
        };
        for (number, field) in Self::NAMES.split('\n').enumerate() {
            // The time and the call are of every event; the name of the event is taken.
            let is_given = !matches!(number, 0 | 2) && self.field(number).is_some_and(|field| !is_none(field));
            if is_given && !allowed.clone().any(|known| known == field) {
                return Err(invalid(format!("`{name}` has no field `{field}`")));
            }
        }
        let missing = |field: &str| invalid(format!("`{name}` needs `{field}`"));

        let event = match &*name {
            "call_started" => Event::CallStarted(Box::new(CallStart {
                operation: self.operation.take(),
                provider: self.provider.take(),
                model: self.model.take(),
                stream: self.stream,
                unix_ns: self.unix_ns,
                trace_id: self.trace_id.take(),
                span_id: self.span_id.take(),
                parent_span_id: self.parent_span_id.take(),
                attributes: attributes_of(self.attributes.take(), self.request.as_deref()),
                request: self.request.take().map(|input| Box::new(input.request)),
            })),
            "phase_started" => Event::PhaseStarted(self.name.take().ok_or_else(|| missing("name"))?),
            "phase_ended" => Event::PhaseEnded(self.name.take().ok_or_else(|| missing("name"))?),
            "attempt_started" => Event::AttemptStarted(Box::new(AttemptStart {
                provider: self.provider.take(),
                model: self.model.take(),
                endpoint: self.endpoint.take(),
                hedged: self.hedged == Some(true),
                attributes: self.attributes.take().unwrap_or_default(),
            })),
            "request_sent" => Event::RequestSent,
            "headers_received" => Event::HeadersReceived(Box::new(self.headers())),
            "chunk" => Event::Chunk(Box::new(Chunk {
                content: self.content.unwrap_or_default(),
                bytes: self.bytes,
                finish_reasons: self.finish_reasons.take().unwrap_or_default(),
                usage: self.usage.take(),
                response_id: self.response_id.take(),
                response_model: self.response_model.take(),
                tool_call: self.tool_call.take(),
                error: self.error.take(),
                terminal: self.terminal == Some(true),
            })),
            "payload" => {
                let Text(data) = self.data.take().ok_or_else(|| missing("data"))?;
                Event::Payload(protocol(self.protocol.as_deref().ok_or_else(|| missing("protocol"))?)?, data.into())
            }
            "bytes" => {
                let protocol = protocol(self.protocol.as_deref().ok_or_else(|| missing("protocol"))?)?;
                Event::Bytes(protocol, bytes(self.utf8.as_deref(), self.base64.as_deref())?)
            }
            "keep_alive" => Event::KeepAlive,
            "usage" => Event::Usage(Box::new(self.usage.take().ok_or_else(|| missing("usage"))?)),
            "delivered" => Event::Delivered,
            "attempt_failed" => Event::AttemptFailed(Box::new(Failure {
                error_type: self.error_type.take(),
                status_code: self.status_code,
                message: self.message.take(),
                abort_like: self.abort_like == Some(true),
                retry_after_ns: self.retry_after_ns,
            })),
            "retry_scheduled" => Event::RetryScheduled(Retry {
                delay_ns: self.delay_ns.unwrap_or_default(),
                reason: self.reason.unwrap_or_default(),
                server_requested: self.server_requested == Some(true),
            }),
            "retry_wait_ended" => Event::RetryWaitEnded(match self.aborted {
                Some(true) => WaitEnd::Aborted,
                _ => WaitEnd::Elapsed,
            }),
            "stream_ended" => Event::StreamEnded,
            "cancelled" => Event::Cancelled,
            "consumer_closed" => Event::ConsumerClosed,
            "timed_out" => Event::TimedOut(self.kind.unwrap_or_default()),
            "tick" => Event::Tick,
            "attributes" => Event::Attributes(self.attributes.take().ok_or_else(|| missing("attributes"))?),
            "call_ended" => Event::CallEnded(Box::new(Failure {
                error_type: self.error_type.take(),
                status_code: self.status_code,
                message: self.message.take(),
                ..Failure::default()
            })),
            _ => Event::CallDropped,
        };
        Ok(TimedEvent { at, call: self.call.take(), attempt: self.attempt, event })
    }

    /// The headers as the event states them, over what its raw headers say.
    fn headers(&mut self) -> Headers {
        let pairs = self.headers.iter().flatten().map(|(name, value)| (&**name, &**value));
        let mut headers = headers::read_any(self.status_code, pairs, self.unix_ns);
        headers.server.merge(&ServerTiming {
            queue_ns: self.server_queue_ns,
            prompt_ns: self.server_prompt_ns,
            generation_ns: self.server_generation_ns,
            total_ns: self.server_processing_ns,
            first_byte_ns: self.server_first_byte_ns,
        });
        override_by(&mut headers.request_id, &mut self.request_id);
        override_by(&mut headers.error_type, &mut self.error_type);
        headers.retry_after_ns = self.retry_after_ns.or(headers.retry_after_ns);
        if let Some(counts) = self.token_counts.take() {
            headers.usage.get_or_insert_default().merge(&(*counts).into());
        }
        headers
    }

    fn of(timed: &TimedEvent) -> Result<Self, String> {
        let mut flat =
            Self { at_ns: Some(timed.at), call: timed.call.clone(), attempt: timed.attempt, ..Self::default() };
        flat.event = Some(flat.fill(&timed.event)?.into());
        Ok(flat)
    }

    /// Sets the fields of the event and gives its name.
    fn fill(&mut self, event: &Event) -> Result<&'static str, String> {
        Ok(match event {
            Event::CallStarted(start) => {
                let start = (**start).clone();
                self.operation = start.operation;
                self.provider = start.provider;
                self.model = start.model;
                self.stream = start.stream;
                self.unix_ns = start.unix_ns;
                self.trace_id = start.trace_id;
                self.span_id = start.span_id;
                self.parent_span_id = start.parent_span_id;
                self.request = start
                    .request
                    .map(|request| Box::new(RequestInput { request: *request, flags: RequestFlags::default() }));
                self.attributes = Some(start.attributes).filter(|attributes| !attributes.is_empty());
                "call_started"
            }
            Event::PhaseStarted(name) => {
                self.name = Some(name.clone());
                "phase_started"
            }
            Event::PhaseEnded(name) => {
                self.name = Some(name.clone());
                "phase_ended"
            }
            Event::AttemptStarted(start) => {
                let start = (**start).clone();
                self.provider = start.provider;
                self.model = start.model;
                self.endpoint = start.endpoint;
                self.hedged = start.hedged.then_some(true);
                self.attributes = Some(start.attributes).filter(|attributes| !attributes.is_empty());
                "attempt_started"
            }
            Event::RequestSent => "request_sent",
            Event::HeadersReceived(headers) => {
                self.fill_headers(headers);
                "headers_received"
            }
            Event::Chunk(chunk) => {
                self.fill_chunk(chunk);
                "chunk"
            }
            Event::Payload(protocol, data) => {
                self.protocol = Some(protocol.as_str().into());
                if !crate::provider::is_json(data) {
                    return Err("`data` is no JSON".into());
                }
                self.data = Some(Text(data.to_string()));
                "payload"
            }
            Event::Bytes(protocol, data) => {
                self.protocol = Some(protocol.as_str().into());
                match core::str::from_utf8(data) {
                    Ok(text) => self.utf8 = Some(text.into()),
                    Err(_) => self.base64 = Some(BASE64.encode(data).into()),
                }
                "bytes"
            }
            Event::KeepAlive => "keep_alive",
            Event::Usage(usage) => {
                self.usage = Some((**usage).clone());
                "usage"
            }
            Event::Delivered => "delivered",
            Event::AttemptFailed(failure) => {
                self.fill_failure(failure);
                self.abort_like = failure.abort_like.then_some(true);
                self.retry_after_ns = failure.retry_after_ns;
                "attempt_failed"
            }
            Event::RetryScheduled(retry) => {
                self.delay_ns = Some(retry.delay_ns);
                self.reason = Some(retry.reason);
                self.server_requested = retry.server_requested.then_some(true);
                "retry_scheduled"
            }
            Event::RetryWaitEnded(end) => {
                self.aborted = (*end == WaitEnd::Aborted).then_some(true);
                "retry_wait_ended"
            }
            Event::StreamEnded => "stream_ended",
            Event::Cancelled => "cancelled",
            Event::ConsumerClosed => "consumer_closed",
            Event::TimedOut(kind) => {
                self.kind = Some(*kind);
                "timed_out"
            }
            Event::Tick => "tick",
            Event::Attributes(attributes) => {
                self.attributes = Some(attributes.clone());
                "attributes"
            }
            Event::CallEnded(failure) => {
                self.fill_failure(failure);
                "call_ended"
            }
            Event::CallDropped => "call_dropped",
        })
    }

    fn fill_headers(&mut self, headers: &Headers) {
        self.status_code = headers.status_code;
        self.request_id.clone_from(&headers.request_id);
        self.server_processing_ns = headers.server.total_ns;
        self.server_queue_ns = headers.server.queue_ns;
        self.server_prompt_ns = headers.server.prompt_ns;
        self.server_generation_ns = headers.server.generation_ns;
        self.server_first_byte_ns = headers.server.first_byte_ns;
        self.retry_after_ns = headers.retry_after_ns;
        self.error_type.clone_from(&headers.error_type);
        self.token_counts = headers.usage.as_deref().map(|counts| Box::new((*counts).into()));
    }

    fn fill_chunk(&mut self, chunk: &Chunk) {
        self.content = Some(chunk.content);
        self.bytes = chunk.bytes;
        self.finish_reasons = Some(chunk.finish_reasons.clone()).filter(|reasons| !reasons.is_empty());
        self.usage.clone_from(&chunk.usage);
        self.response_id.clone_from(&chunk.response_id);
        self.response_model.clone_from(&chunk.response_model);
        self.tool_call.clone_from(&chunk.tool_call);
        self.error.clone_from(&chunk.error);
        self.terminal = chunk.terminal.then_some(true);
    }

    fn fill_failure(&mut self, failure: &Failure) {
        self.error_type.clone_from(&failure.error_type);
        self.status_code = failure.status_code;
        self.message.clone_from(&failure.message);
    }
}

fn bytes(utf8: Option<&str>, base64: Option<&str>) -> Result<Vec<u8>, Error> {
    let invalid = |detail: String| Error::new(ErrorKind::InvalidEvent, detail);
    match (utf8, base64) {
        (Some(text), None) => Ok(text.as_bytes().to_vec()),
        (None, Some(text)) => BASE64.decode(text).map_err(|error| invalid(format!("`base64`: {error}"))),
        _ => Err(invalid(String::from("`bytes` needs either `utf8` or `base64`"))),
    }
}

/// Takes a text over where there is one.
fn override_by(text: &mut Option<Box<str>>, with: &mut Option<Box<str>>) {
    if with.is_some() {
        mem::swap(text, with);
    }
}

fn protocol(name: &str) -> Result<Protocol, Error> {
    Protocol::parse(name).ok_or_else(|| Error::new(ErrorKind::UnknownProtocol, name))
}
