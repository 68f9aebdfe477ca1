//! Deltas out of frames: what each provider's events mean.
//!
//! A [`Decoder`] belongs to one attempt. It reduces each event of a [`Protocol`] to a [`Delta`](crate::delta::Delta);
//! a [`StreamDecoder`] does the same from raw bytes. Decoders know no time, keep no content and never fail: what
//! cannot be read becomes a counted decode error.
//!
//! Each protocol has a file of its own with the JSON it reads, the rule of what counts as content, and its token
//! arithmetic. They read through small lenient types: a field of an unexpected type is absent, not an error.

mod accounting;
#[cfg(feature = "protocols")]
mod anthropic_complete;
#[cfg(feature = "protocols")]
mod anthropic_messages;
#[cfg(feature = "protocols")]
mod aws_error;
#[cfg(feature = "protocols")]
mod bedrock_converse;
#[cfg(feature = "protocols")]
mod bedrock_invoke;
#[cfg(feature = "protocols")]
mod cohere_chat;
#[cfg(feature = "protocols")]
mod cohere_v1;
#[cfg(feature = "protocols")]
mod dashscope_generation;
mod decoder;
mod detect;
mod error;
#[cfg(feature = "protocols")]
mod gemini;
#[cfg(feature = "protocols")]
mod gemini_interactions;
#[cfg(feature = "protocols")]
mod growth;
pub mod headers;
pub(crate) mod hints;
#[cfg(feature = "protocols")]
mod huggingface_textgen;
mod json;
mod lenient;
#[cfg(feature = "protocols")]
mod ollama_chat;
mod openai_chat;
#[cfg(feature = "protocols")]
mod openai_responses;
mod openai_usage;
mod protocol;
pub mod request;
mod source;
mod spelling;
mod tape;
#[cfg(feature = "protocols")]
mod vercel_ui_message;

pub use accounting::{Accounting, Basis, Counted};
pub use decoder::{Decoder, StreamDecoder};
pub use detect::{Detected, is_event};
pub use protocol::{Protocol, UnknownProtocol};
pub use tape::Tape;

pub(crate) use json::{Malformed, Number as JsonNumber, Reader as JsonReader, Value as JsonValue, is_json};
