//! Where the events of a recorded body lie, found apart from the engine's own framing.

use core::ops::Range;

/// The events of a body in their order, as byte ranges that together cover all of it.
///
/// What belongs to no event (comments, blank lines, brackets) lies in the range of the event that follows, and at the end of
/// the body in the range of the last event. A body without an event is one range.
pub(super) fn events(framing: &str, body: &[u8]) -> Result<Events, String> {
    let mut ends = match framing {
        "sse" => sse(body),
        "ndjson" => ndjson(body),
        "json-array" => json_array(body),
        "eventstream" => event_stream(body)?,
        "json" => Vec::new(),
        other => return Err(format!("framing `{other}` is unknown")),
    };
    let count = ends.len();
    match ends.last_mut() {
        Some(last) => *last = body.len(),
        None => ends.push(body.len()),
    }
    let starts = core::iter::once(0).chain(ends.iter().copied());
    Ok(Events { count, ranges: starts.zip(ends.iter().copied()).map(|(start, end)| start..end).collect() })
}

/// The events of one body.
#[derive(Debug)]
pub(super) struct Events {
    /// How many there are.
    pub(super) count: usize,
    /// Where they lie; one range when there is no event.
    pub(super) ranges: Vec<Range<usize>>,
}

/// Ends of events with data. One without its blank line at the end of the body counts.
fn sse(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut has_data = false;
    let mut at = if body.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    while at < body.len() {
        let rest = &body[at..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let line_end = if rest[length..].starts_with(b"\r\n") { 2 } else { 1 };
        let line = &rest[..length];
        at = (at + length + line_end).min(body.len());
        if line.is_empty() {
            if has_data {
                ends.push(at);
            }
            has_data = false;
        } else if line == b"data" || line.starts_with(b"data:") {
            has_data = true;
        }
    }
    if has_data {
        ends.push(body.len());
    }
    ends
}

fn ndjson(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if !line.trim_ascii().is_empty() {
            ends.push(at);
        }
    }
    ends
}

/// Ends of the objects in the outermost array.
fn json_array(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 1 && *byte == b'}' {
                    ends.push(at + 1);
                }
            }
            _ => {}
        }
    }
    ends
}

/// Ends of AWS event-stream messages, whose first four bytes are their length.
fn event_stream(body: &[u8]) -> Result<Vec<usize>, String> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(length) = body[at..].first_chunk().map(|bytes| u32::from_be_bytes(*bytes)) {
        let length = usize::try_from(length).map_err(|error| error.to_string())?;
        if length < MESSAGE_OVERHEAD || at + length > body.len() {
            break;
        }
        at += length;
        ends.push(at);
    }
    Ok(ends)
}

/// Prelude, its checksum and the checksum of the message.
const MESSAGE_OVERHEAD: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(framing: &str, body: &'a str) -> Vec<&'a str> {
        let events = events(framing, body.as_bytes()).unwrap();
        events.ranges.into_iter().map(|range| &body[range]).collect()
    }

    #[test]
    fn ranges_cover_the_body() {
        assert_eq!(
            texts("sse", ": c\n\ndata: 1\r\n\r\nevent: x\rdata:2\r\rdata: 3"),
            [": c\n\ndata: 1\r\n\r\n", "event: x\rdata:2\r\r", "data: 3"]
        );
        assert_eq!(texts("sse", "data: 1\n\nevent: ping\n\n"), ["data: 1\n\nevent: ping\n\n"]);
        assert_eq!(texts("ndjson", "{}\n\n{}\n"), ["{}\n", "\n{}\n"]);
        assert_eq!(texts("json-array", r#"[{"a":"]}"},{"b":[{}]}]"#), [r#"[{"a":"]}"}"#, r#",{"b":[{}]}]"#]);
        assert_eq!(texts("json", "{}"), ["{}"]);
        assert_eq!(events("json", b"{}").unwrap().count, 0);
    }
}
