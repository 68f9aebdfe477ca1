//! Errors of AWS services: exceptions in event streams, and error bodies.

use alloc::borrow::Cow;

use super::lenient::{Code, Str, object};
use super::source::Input;
use crate::delta::{Delta, ErrorDelta};

object! {
    /// The members of an exception or of an error body.
    struct AwsErrorBody<'a> {
        // Of services that speak `awsJson`, with a name space before `#`.
        "__type" => kind: Str<'a>,
        "message" | "Message" => message: Str<'a>,
        // Of `modelStreamErrorException`: the status that the model gave.
        "originalStatusCode" => status: Code<'a>,
    }
}

impl<'a> AwsErrorBody<'a> {
    /// The error of an error body; none when the body says nothing of one.
    pub(super) fn take(&mut self) -> Option<ErrorDelta<'a>> {
        if self.kind.is_empty() && self.message.is_empty() {
            return None;
        }
        let error_type = self.kind.take().map(|kind| match kind {
            Cow::Borrowed(kind) => Cow::Borrowed(shape_name(kind)),
            Cow::Owned(kind) => Cow::Owned(shape_name(&kind).into()),
        });
        Some(ErrorDelta {
            error_type,
            status_code: self.status.status_code(),
            message: self.message.take(),
            ..ErrorDelta::default()
        })
    }
}

/// The error that an exception is, by its name and its payload.
pub(super) fn exception<'a>(name: &'a str, body: &mut AwsErrorBody<'a>) -> ErrorDelta<'a> {
    let named = (!name.is_empty()).then_some(Cow::Borrowed(name));
    let error = body.take().unwrap_or_default();
    ErrorDelta { error_type: named.or(error.error_type), ..error }
}

/// Writes the exception that a message of an event stream carries; without a payload when that is no JSON.
pub(super) fn write_exception<'a>(delta: &mut Delta<'a>, name: &'a str, payload: Input<'a>) {
    let mut body = AwsErrorBody::default();
    // A payload that cannot be read leaves an error without a text.
    if payload.fill(&mut body).is_none() {
        body = AwsErrorBody::default();
        delta.decode_errors = 1;
    }
    delta.chunk = true;
    delta.error = Some(exception(name, &mut body));
}

/// The name of an error shape without its name space.
fn shape_name(kind: &str) -> &str {
    kind.rsplit('#').next().unwrap_or(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_has_its_name_and_its_text() {
        let mut delta = Delta::default();
        let payload = br#"{"message":"slow down","originalStatusCode":429}"#;
        write_exception(&mut delta, "modelStreamErrorException", Input::Json(payload));
        let error = delta.error.unwrap();
        assert_eq!(error.error_type.as_deref(), Some("modelStreamErrorException"));
        assert_eq!((error.status_code, error.message.as_deref()), (Some(429), Some("slow down")));

        let mut delta = Delta::default();
        write_exception(&mut delta, "throttlingException", Input::Json(b""));
        assert_eq!(delta.error.unwrap().error_type.as_deref(), Some("throttlingException"));
        assert_eq!(delta.decode_errors, 1);
    }

    #[test]
    fn an_error_body_may_name_its_type() {
        let read = |json: &'static str| {
            let mut body = AwsErrorBody::default();
            Input::Json(json.as_bytes()).fill(&mut body).unwrap();
            body.take()
        };
        let error = read(r#"{"__type":"com.amazon#ThrottlingException","Message":"m"}"#).unwrap();
        assert_eq!(error.error_type.as_deref(), Some("ThrottlingException"));
        assert_eq!(read(r#"{"message":"m"}"#).unwrap().error_type, None);
        assert!(read(r#"{"other":1}"#).is_none());
    }
}
