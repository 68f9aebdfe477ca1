//! Errors of the core as errors of JavaScript.

use llmspan_core::error;

/// The status of errors: the stable code, which becomes `code` of the `Error`.
pub(crate) type Code = &'static str;

pub(crate) type Result<T> = core::result::Result<T, napi::Error<Code>>;

/// An `Error` with the engine's message and, as `code`, its stable code.
pub(crate) fn raise(error: error::Error) -> napi::Error<Code> {
    napi::Error::new(error.code(), error.to_string())
}
