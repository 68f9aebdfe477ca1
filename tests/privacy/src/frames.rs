//! Events as they are on the wire.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use crc::{CRC_32_ISO_HDLC, Crc};
use serde_json::{Value, json};

/// The bytes of one event of a stream. `index` counts the events of a stream from 0.
///
/// # Panics
/// When there is no such framing.
pub(crate) fn frame(framing: &str, event: &Value, index: usize, spell: impl Fn(&str) -> String) -> Vec<u8> {
    let name = event.get("event").and_then(Value::as_str);
    let data = event.get("data").filter(|_| name.is_some()).unwrap_or(event);
    let is_exception = event.get("exception").is_some();
    let data = match data {
        Value::String(marker) => marker.clone(),
        data => spell(&data.to_string()),
    };
    match framing {
        "sse" => match name {
            Some(name) => format!("event: {name}\ndata: {data}\n\n").into_bytes(),
            None => format!("data: {data}\n\n").into_bytes(),
        },
        "dashscope" => {
            let (name, status) = name.map_or(("result", 200), |name| (name, 429));
            format!("id:{}\nevent:{name}\n:HTTP_STATUS/{status}\ndata:{data}\n\n", index + 1).into_bytes()
        }
        "lines" => format!("{data}\n").into_bytes(),
        "array" => format!("{}{data}", if index == 0 { "[" } else { ",\r\n" }).into_bytes(),
        "aws" => message(name.unwrap_or("chunk"), is_exception, data.as_bytes()),
        "aws_invoke" if is_exception => message(name.unwrap_or("chunk"), true, data.as_bytes()),
        "aws_invoke" => {
            let wrapped = json!({"bytes": BASE64.encode(data), "p": "abcdef"}).to_string();
            message("chunk", false, wrapped.as_bytes())
        }
        other => panic!("there is no framing `{other}`"),
    }
}

/// A message of an AWS event stream with its two checksums.
fn message(name: &str, is_exception: bool, payload: &[u8]) -> Vec<u8> {
    let (kind, name_header) = if is_exception { ("exception", ":exception-type") } else { ("event", ":event-type") };
    let mut headers = Vec::new();
    for (header, value) in [(name_header, name), (":content-type", "application/json"), (":message-type", kind)] {
        headers.push(u8::try_from(header.len()).expect("the name of a header is short"));
        headers.extend(header.as_bytes());
        headers.push(STRING);
        headers.extend(u16::try_from(value.len()).expect("its value is short").to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).expect("a message is short").to_be_bytes();
    // Prelude and its checksum have 12 bytes, the checksum of the message 4.
    let mut message = [length(12 + headers.len() + payload.len() + 4), length(headers.len())].concat();
    message.extend(CRC_32.checksum(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload);
    message.extend(CRC_32.checksum(&message).to_be_bytes());
    message
}

const CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The type of a header's value.
const STRING: u8 = 7;
