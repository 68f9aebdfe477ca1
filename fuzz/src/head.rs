//! Address, headers and first bytes of a response, or of a request, tell the same in whatever case the headers come; those of a
//! response also in whatever order.

use llmspan_core::{
    delta::Headers,
    event::{Event, TimedEvent},
    provider::{
        Protocol, headers,
        request::{self, ModelRequest},
    },
    time::{Timestamp, UnixNanos},
};
use llmspan_runner::fuzz::Choices;

/// Reads the first line as the address, those up to a blank one as headers, and the rest as the body.
pub(crate) fn check(choices: Choices, data: &[u8]) {
    let (head, body) = split_at(data, b"\n\n");
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let url = lines.next().unwrap_or_default();
    let pairs: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let shouted: Vec<String> = pairs.iter().map(|(name, _)| name.to_ascii_uppercase()).collect();
    let shouted = || shouted.iter().zip(&pairs).map(|(name, (_, value))| (name.as_str(), *value));

    let found = Protocol::detect(url, pairs.iter().copied(), body);
    assert_eq!(Protocol::detect(url, shouted(), body), found, "with names in capitals");

    let asked = request::read(url, pairs.iter().copied(), body);
    assert_eq!(request::read(url, shouted(), body), asked, "with names in capitals");
    assert_eq!(request::body_limit("post", url).is_some(), asked.is_some(), "what is read is asked");
    if let Some(asked) = asked {
        check_model(&asked, body);
    }

    let [status, seconds] = choices.cuts;
    let arrival = UnixNanos::from_nanos(u64::from(seconds) << 44);
    let read = headers::read_at(status, pairs.iter().copied(), arrival);
    assert_eq!(headers::read_at(status, shouted(), arrival), read, "with names in capitals");
    if are_distinct(&pairs) {
        assert_eq!(headers::read_at(status, pairs.iter().copied().rev(), arrival), read, "from the last to the first");
    }
    check_event(read);
    check_event(headers::read(status, pairs));
}

/// The model is the one that any other reader finds in the body.
fn check_model(asked: &ModelRequest, body: &[u8]) {
    let read: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    if let Some(model) = read.as_ref().and_then(|read| read.get("model")?.as_str())
        && (1..=256).contains(&model.len())
    {
        assert_eq!(asked.model.as_deref(), Some(model));
    }
}

/// Writes the headers into a log and reads them again.
fn check_event(headers: Headers) {
    let event = TimedEvent::new(Timestamp::default(), Event::HeadersReceived(Box::new(headers)));
    let line = event.to_json().expect("headers can be written");
    assert_eq!(TimedEvent::from_json(&line).expect("headers can be read"), event, "{line}");
}

fn are_distinct(pairs: &[(&str, &str)]) -> bool {
    pairs
        .iter()
        .enumerate()
        .all(|(at, (name, _))| !pairs[..at].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)))
}

fn split_at<'a>(data: &'a [u8], mark: &[u8]) -> (&'a [u8], &'a [u8]) {
    let found = data.windows(mark.len()).position(|window| window == mark);
    found.map_or((data, &[]), |at| (&data[..at], &data[at + mark.len()..]))
}
