//! Errors as providers put them into payloads.

use alloc::boxed::Box;
use core::mem;

use super::headers;
use super::json::Malformed;
use super::lenient::{Code, Fill, List, Str, object};
use super::source::Source;
use crate::delta::ErrorDelta;
use crate::time::Nanos;

object! {
    /// The members of an error object.
    struct ErrorObject<'a> {
        "type" => kind: Str<'a>,
        "status" => status: Code<'a>,
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

    pub(super) fn is_present(&self) -> bool {
        self.0.is_some()
    }
}

impl<'a> ErrorObject<'a> {
    /// The class is the type, else the code or status that is a word (`status` is Gemini's name for it); a code or
    /// status that is a number is the HTTP status.
    fn into_delta(self) -> ErrorDelta<'a> {
        let status_code = self.code.status_code().or_else(|| self.status.status_code());
        let error_type = self.kind.non_empty().or_else(|| self.code.word()).or_else(|| self.status.word());
        let retry_after_ns = self.details.0.iter().find_map(Detail::retry_delay);
        ErrorDelta { error_type, status_code, message: self.message.non_empty(), retry_after_ns }
    }

    fn of_message(message: Str<'a>) -> Option<Box<Self>> {
        (!message.is_empty()).then(|| Box::new(Self { message, ..Self::default() }))
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
    fn fill<S: Source<'de>>(&mut self, reader: &mut S) -> Result<(), Malformed> {
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
        assert_eq!(read("\"overloaded\"").unwrap().message.as_deref(), Some("overloaded"));
        assert!(read("null").is_none() && read("\"\"").is_none() && read("false").is_none());
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
