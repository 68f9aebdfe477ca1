//! Errors as providers put them into payloads.

use alloc::boxed::Box;
use core::mem;

use super::headers;
use super::json::Malformed;
use super::lenient::{Code, Fill, List, Str, object};
use super::source::{Input, Source};
use crate::delta::ErrorDelta;
use crate::time::Nanos;

object! {
    /// The members of an error object.
    struct ErrorObject<'a> {
        "type" => kind: Str<'a>,
        // The router of Hugging Face has the HTTP status under a name of its own.
        "status" | "http_status_code" => status: Code<'a>,
        "code" => code: Code<'a>,
        "message" => message: Str<'a>,
        "details" => details: List<Detail<'a>, 1>,
    }
}

object! {
    /// One of the details that Google's services put beside a message (`google/rpc/error_details.proto`).
    struct Detail<'a> {
        "@type" => kind: Str<'a>,
        "retryDelay" => retry_delay: Str<'a>,
    }
}

object! {
    /// A body that is an error without an `error` object: of gateways in front of a provider, `FastAPI` (`detail`),
    /// Databricks and Snowflake (`error_code`), Azure's front door (`statusCode`).
    struct BareError<'a> {
        "type" => kind: Str<'a>,
        "code" | "error_code" | "statusCode" => code: Code<'a>,
        "message" | "detail" => message: Str<'a>,
    }
}

/// The error that a body states by a message alone, where nothing else in it was understood.
pub(super) fn bare_error(json: Input<'_>) -> Option<ErrorDelta<'_>> {
    let mut error = BareError::default();
    json.fill(&mut error)?;
    let BareError { kind, code, message, .. } = &mut error;
    (!message.is_empty()).then(|| ErrorField::of_parts(kind, code, message))
}

/// The value of an `error` field: an object, or only a message.
#[derive(Debug, Default)]
pub(super) struct ErrorField<'a>(Option<Box<ErrorObject<'a>>>);

impl<'a> ErrorField<'a> {
    pub(super) fn take(&mut self) -> Option<ErrorDelta<'a>> {
        self.0.take().map(|error| error.into_delta())
    }

    /// An error whose members are not in an object of their own.
    pub(super) fn of_parts(kind: &mut Str<'a>, code: &mut Code<'a>, message: &mut Str<'a>) -> ErrorDelta<'a> {
        let (kind, code, message) = (mem::take(kind), mem::take(code), mem::take(message));
        ErrorObject { kind, code, message, ..ErrorObject::default() }.into_delta()
    }

    /// Takes the error; one that is only a message has its class beside it, as at xAI.
    pub(super) fn take_beside(&mut self, kind: &mut Str<'a>, code: &mut Code<'a>) -> Option<ErrorDelta<'a>> {
        let mut error = self.0.take()?;
        if error.is_message() {
            (error.kind, error.code) = (mem::take(kind), mem::take(code));
        }
        Some(error.into_delta())
    }

    pub(super) fn is_present(&self) -> bool {
        self.0.is_some()
    }
}

impl<'a> ErrorObject<'a> {
    /// The class is the type, else the code or status that is a word (`status` is Gemini's name for it); a code or
    /// status that is a number is the HTTP status, also where it is written as text (LiteLLM, Azure).
    fn into_delta(self) -> ErrorDelta<'a> {
        let (code, status) = (numeral(self.code), numeral(self.status));
        let status_code = code.status_code().or_else(|| status.status_code());
        let error_type = self.kind.non_empty().or_else(|| code.word()).or_else(|| status.word());
        let retry_after_ns = self.details.0.iter().find_map(Detail::retry_delay);
        ErrorDelta { error_type, status_code, message: self.message.non_empty(), retry_after_ns }
    }

    /// Whether only the message is known, as of an error that is text.
    fn is_message(&self) -> bool {
        self.kind.is_empty() && matches!((self.code, self.status), (Code::Absent, Code::Absent))
    }

    fn of_message(message: Str<'a>) -> Option<Box<Self>> {
        (!message.is_empty()).then(|| Box::new(Self { message, ..Self::default() }))
    }
}

/// The code, as a number where it is the numeral of one.
fn numeral(code: Code<'_>) -> Code<'_> {
    match code {
        Code::Word(word) => word.text().parse().map_or(code, Code::Number),
        code => code,
    }
}

impl Detail<'_> {
    /// The delay of a `google.rpc.RetryInfo`: seconds with an `s`, as JSON has a `google.protobuf.Duration`.
    fn retry_delay(&self) -> Option<Nanos> {
        if !self.kind.text().ends_with("google.rpc.RetryInfo") {
            return None;
        }
        headers::decimal(self.retry_delay.text().strip_suffix('s')?, NANOS_PER_SECOND)
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl<'de: 'a, 'a> Fill<'de> for ErrorField<'a> {
    #[inline]
    fn fill<S: Source<'de> + ?Sized>(&mut self, reader: &mut S) -> Result<(), Malformed> {
        self.0 = None;
        match reader.peek() {
            Some(b'{') => self.0.insert(Box::default()).fill(reader),
            Some(b'"') => {
                self.0 = ErrorObject::of_message(Str::from(reader.text()?));
                Ok(())
            }
            _ => reader.skip_value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::super::json::fill_from_slice;
    use super::*;

    #[test]
    fn type_then_code_then_status_names_the_error() {
        let read = |json: &'static str| {
            let mut error = ErrorField::default();
            fill_from_slice(&mut error, json.as_bytes()).unwrap();
            error.take()
        };
        let error = read(r#"{"type":"a","code":"b","message":"m"}"#).unwrap();
        assert_eq!(
            (error.error_type.as_deref(), error.status_code, error.message.as_deref()),
            (Some("a"), None, Some("m"))
        );
        let error = read(r#"{"type":null,"code":"b"}"#).unwrap();
        assert_eq!(error.error_type.as_deref(), Some("b"));
        let error = read(r#"{"code":429,"status":"RESOURCE_EXHAUSTED"}"#).unwrap();
        assert_eq!((error.error_type.as_deref(), error.status_code), (Some("RESOURCE_EXHAUSTED"), Some(429)));
        assert_eq!(read(r#"{"code":7}"#).unwrap().status_code, None);
        let error = read(r#"{"code":"429","message":"m"}"#).unwrap();
        assert_eq!((error.error_type.as_deref(), error.status_code), (None, Some(429)));
        let error = read(r#"{"code":"content_filter","status":400}"#).unwrap();
        assert_eq!((error.error_type.as_deref(), error.status_code), (Some("content_filter"), Some(400)));
        assert_eq!(read(r#"{"code":"1113"}"#).unwrap().error_type, None);
        assert_eq!(read("\"overloaded\"").unwrap().message.as_deref(), Some("overloaded"));
        assert!(read("null").is_none() && read("\"\"").is_none() && read("false").is_none());
    }

    #[test]
    fn a_body_may_be_an_error_without_an_error_object() {
        let read = |json: &'static str| bare_error(Input::Json(json.as_bytes()));
        let error = read(r#"{"error_code":"BAD_REQUEST","message":"m"}"#).unwrap();
        assert_eq!((error.error_type.as_deref(), error.message.as_deref()), (Some("BAD_REQUEST"), Some("m")));
        let error = read(r#"{"statusCode":401,"message":"m"}"#).unwrap();
        assert_eq!((error.error_type.as_deref(), error.status_code), (None, Some(401)));
        assert_eq!(read(r#"{"detail":"m"}"#).unwrap().message.as_deref(), Some("m"));
        assert!(read("{}").is_none() && read(r#"{"detail":[{"loc":[]}]}"#).is_none() && read("[]").is_none());
    }

    #[test]
    fn the_delay_of_retry_info_is_read() {
        let read = |detail: &str| {
            let json =
                format!(r#"{{"code":429,"details":[{{"@type":"type.googleapis.com/google.rpc.Help"}},{detail}]}}"#);
            let mut error = ErrorField::default();
            fill_from_slice(&mut error, json.as_bytes()).unwrap();
            error.take().unwrap().retry_after_ns
        };
        let of_delay = |delay: &str| {
            read(&format!(r#"{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":{delay}}}"#))
        };
        assert_eq!(of_delay("\"34.07s\""), Some(Nanos::from_millis(34_070)));
        assert_eq!(of_delay("\"0s\""), Some(Nanos::ZERO));
        for odd in ["\"34\"", "\"-1s\"", "\"s\"", "34", "null", "{\"seconds\":3}"] {
            assert_eq!(of_delay(odd), None, "{odd}");
        }
        assert_eq!(read(r#"{"@type":"type.googleapis.com/google.rpc.Other","retryDelay":"3s"}"#), None);
    }
}
