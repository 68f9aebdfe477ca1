//! Requests to backends.

use core::fmt::Write as _;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::Result;

/// Sends an OTLP body, and gives what the backend answers. Headers are added to the request.
///
/// # Errors
/// Any answer but a success.
pub async fn post(url: &str, content_type: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Result<Vec<u8>> {
    let request = Client::new().post(url).header("content-type", content_type).body(body);
    send(headers.iter().fold(request, |request, (key, value)| request.header(*key, *value))).await
}

/// Gets a JSON value.
///
/// # Errors
/// Any answer but a success, or one that is no JSON.
pub async fn get_json(url: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&send(Client::new().get(url)).await?)?)
}

/// Posts a JSON value and gets one.
///
/// # Errors
/// Any answer but a success, or one that is no JSON.
pub async fn post_json(url: &str, body: &Value) -> Result<Value> {
    Ok(serde_json::from_slice(&post(url, JSON, body.to_string().into_bytes(), &[]).await?)?)
}

/// The value at a JSON pointer.
///
/// # Errors
/// When there is none, with the whole value.
pub fn at<'a>(value: &'a Value, pointer: &str) -> Result<&'a Value> {
    value.pointer(pointer).ok_or_else(|| format!("no {pointer} in {value:#}").into())
}

/// The list at a JSON pointer.
///
/// # Errors
/// When there is none, with the whole value.
pub fn list<'a>(value: &'a Value, pointer: &str) -> Result<&'a Vec<Value>> {
    at(value, pointer)?.as_array().ok_or_else(|| format!("{pointer} is no list in {value:#}").into())
}

/// The text at a JSON pointer.
///
/// # Errors
/// When there is none, with the whole value.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    at(value, pointer)?.as_str().ok_or_else(|| format!("{pointer} is no text in {value:#}").into())
}

async fn send(request: RequestBuilder) -> Result<Vec<u8>> {
    let answer = request.send().await?;
    let status = answer.status();
    let url = answer.url().clone();
    let body = answer.bytes().await?;
    if status.is_success() {
        return Ok(body.to_vec());
    }
    let mut message = String::new();
    write!(message, "{url} answers {status}: {}", String::from_utf8_lossy(&body))?;
    Err(message.into())
}

/// Content type of JSON.
pub const JSON: &str = "application/json";

/// Content type of protobuf.
pub const PROTOBUF: &str = "application/x-protobuf";
