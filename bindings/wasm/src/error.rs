//! Errors of the core as errors of JavaScript.

use alloc::string::ToString as _;

use llmspan_core::error;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An error of JavaScript.
    type Error;

    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> Error;

    #[wasm_bindgen(method, setter, js_name = code)]
    fn set_code(this: &Error, code: &str);
}

pub(crate) type Result<T> = core::result::Result<T, JsValue>;

/// An `Error` with the engine's message and, as `code`, its stable code.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
pub(crate) fn raise(error: error::Error) -> JsValue {
    coded(error.code(), &error.to_string())
}

pub(crate) fn coded(code: &str, message: &str) -> JsValue {
    let raised = Error::new(message);
    raised.set_code(code);
    raised.into()
}
