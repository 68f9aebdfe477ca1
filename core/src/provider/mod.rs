//! Deltas out of frames: what each provider's events mean.
//!
//! A [`Decoder`] belongs to one attempt. It reduces each event of a [`Protocol`] to a [`Delta`](crate::delta::Delta);
//! a [`StreamDecoder`] does the same from raw bytes. Decoders know no time, keep no content and never fail: what
//! cannot be read becomes a counted decode error.
//!
//! Each protocol has a file of its own with the JSON it reads, the rule of what counts as content, and its token
//! arithmetic. They read through small lenient types: a field of an unexpected type is absent, not an error.

mod accounting;
mod anthropic_complete;
mod anthropic_messages;
mod aws_error;
mod bedrock_converse;
mod bedrock_invoke;
mod cohere_chat;
mod cohere_v1;
mod dashscope_generation;
mod decoder;
mod detect;
mod error;
mod gemini;
mod gemini_interactions;
mod growth;
pub mod headers;
pub(crate) mod hints;
mod huggingface_textgen;
mod json;
mod lenient;
mod ollama_chat;
mod openai_chat;
mod openai_responses;
mod openai_usage;
mod protocol;
pub mod request;
mod source;
mod vercel_ui_message;

pub use accounting::{Accounting, Basis, Counted};
pub use decoder::{Decoder, StreamDecoder};
pub use detect::{Detected, is_event};
pub use protocol::{Protocol, UnknownProtocol};
pub use source::Tape;
