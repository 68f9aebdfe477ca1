//! What the server does on the wire, seen without an HTTP client.

mod support;

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
};

use flate2::read::MultiGzDecoder;
use llmspan_faults::{End, Mark, RequestLog};
use serde_json::Value;

use crate::support::server_of_its_own;

const BODY: &str = r#"{"model":"m-1","stream":true,"messages":[{"role":"user","content":"a secret"}]}"#;

#[test]
fn a_cut_ends_the_http_body_and_a_drop_does_not() {
    let server = Raw::start();
    let (cut, how) = server.ask("run=cut&plan=cut");
    assert!(how.is_ok() && cut.ends_with("\r\n0\r\n\r\n"), "{cut:?}");
    assert!(cut.contains("falls, ") && !cut.contains("[DONE]"), "two pieces and no end: {cut}");
    let (dropped, how) = server.ask("run=drop&plan=drop");
    assert!(how.is_ok() && !dropped.ends_with("0\r\n\r\n") && dropped.contains("falls, "), "{dropped:?}");
    assert_eq!(server.only("cut").end, Some(End::Cut));
    assert_eq!(server.only("drop").end, Some(End::Dropped));
}

#[test]
fn a_reset_is_one_behind_what_was_sent() {
    let server = Raw::start();
    let (text, how) = server.ask("run=r&plan=reset");
    assert_eq!(how.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(text.contains("falls, "), "{text}");
    let (text, how) = server.ask("run=h&plan=reset&at=head");
    assert_eq!((text.as_str(), how.unwrap_err().kind()), ("", io::ErrorKind::ConnectionReset));
    let log = server.only("h");
    assert_eq!((log.end, log.status, log.headers_at_ns), (Some(End::Reset), None, None));
}

#[test]
fn a_place_in_bytes_is_exact() {
    let server = Raw::start();
    for (at, write) in [(1, "event"), (100, "event"), (257, "byte"), (300, "7")] {
        let run = format!("at{at}");
        let (text, _) = server.ask(&format!("run={run}&plan=drop&at={at}&write={write}&body=close"));
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!((body.len(), server.only(&run).body_bytes), (at, at as u64), "{write}");
    }
}

#[test]
fn bodies_are_delimited_as_asked_for() {
    let server = Raw::start();
    let (whole, _) = server.ask("run=l&body=length&write=3&first=1");
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert!(!head.contains("transfer-encoding"));
    let (short, _) = server.ask("run=s&body=length&plan=drop");
    let (head, body) = short.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains(&format!("content-length: {}\r\n", body.len())), "more is promised than sent: {head}");
    let (open, how) = server.ask("run=c&body=close");
    assert!(how.is_ok() && open.contains("connection: close\r\n") && open.ends_with("data: [DONE]\n\n"), "{open}");
}

#[test]
fn the_log_of_writes_is_that_of_the_bytes() {
    let server = Raw::start();
    let _text = server.ask("run=w&write=byte&chunks=2&first=1&interval=1&body=close");
    let log = server.only("w");
    let mut from = 0;
    for write in &log.writes {
        assert_eq!((write.from, write.to), (from, from + 1));
        from = write.to;
    }
    assert_eq!((log.writes_left_out, log.body_bytes), (0, from));
    let holding: Vec<&[Mark]> =
        log.writes.iter().map(|write| write.holds.as_slice()).filter(|holds| !holds.is_empty()).collect();
    let expected: [&[Mark]; 5] = [
        &[Mark::Structure],
        &[Mark::Answer, Mark::FirstVisible],
        &[Mark::Answer, Mark::LastVisible],
        &[Mark::Finish],
        &[Mark::End],
    ];
    assert_eq!(holding, expected);
    assert_eq!(
        log.first_visible_at_ns,
        log.writes.iter().find(|write| write.holds.len() == 2).map(|write| write.at_ns)
    );
}

#[test]
fn gzip_is_by_agreement_or_hidden() {
    let server = Raw::start();
    let compressed = |headers: &str, faults: &str| {
        let bytes = server.bytes(&request(&format!("/s/{faults}&body=close/v1/chat/completions"), headers, BODY)).0;
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        (head.contains("content-encoding: gzip"), bytes[end + 4..].to_vec())
    };
    let (is_named, body) = compressed("accept-encoding: gzip, br\r\n", "gzip=real");
    assert!(is_named);
    let mut text = String::new();
    MultiGzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    let (is_named, body) = compressed("", "gzip=real");
    assert!(!is_named && body.starts_with(b"data: "), "a client that does not accept it gets none");
    let (is_named, body) = compressed("", "gzip=hidden");
    assert!(!is_named && body.starts_with(&[0x1f, 0x8b]));
}

#[test]
fn requests_follow_each_other_on_a_connection_and_come_in_chunks() {
    let server = Raw::start();
    let (first, rest) = BODY.split_at(17);
    let chunked = format!(
        "POST /s/run=k&first=1/v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\
         {:x}\r\n{first}\r\n{:X};a=b\r\n{rest}\r\n0\r\nx-trailer: 1\r\n\r\n",
        first.len(),
        rest.len()
    );
    let second = request("/s/run=k&first=1/v1/chat/completions", "connection: close\r\n", BODY);
    let (text, how) = server.text(&(chunked + &second));
    assert!(how.is_ok(), "{how:?}");
    assert_eq!(text.matches("data: [DONE]").count(), 2, "{text}");
    let log = server.requests("k");
    assert_eq!(log.iter().map(|request| request.request_bytes).collect::<Vec<_>>(), [BODY.len(); 2]);
    assert_eq!((log.len(), log[0].connection), (2, log[1].connection));
    assert_eq!((log[0].request, log[1].request), (1, 2));
}

#[test]
fn the_log_has_no_content_and_no_credential() {
    let server = Raw::start();
    let headers = "authorization: Bearer sk-secret\r\nx-stainless-retry-count: 1\r\nidempotency-key: i-7\r\n";
    let _text = server.text(&request("/s/run=q/v1/chat/completions", &format!("{headers}connection: close\r\n"), BODY));
    let text = server.get("/runs/q?wait=2000");
    assert!(!text.contains("secret"), "{text}");
    let log = server.only("q");
    assert_eq!(log.headers["x-stainless-retry-count"], "1");
    assert_eq!(log.headers["idempotency-key"], "i-7");
    assert_eq!((log.headers.len(), log.path.as_str()), (2, "/v1/chat/completions"));
}

#[test]
fn what_is_not_understood_is_an_error_with_a_reason() {
    let server = Raw::start();
    for (path, status, reason) in [
        ("/s/fist=3/v1/chat/completions", 400, "there is no parameter `fist`"),
        ("/s/plan=429,ok/v1/chat/completions", 400, "needs `run=ID`"),
        ("/s/no_such_row/v1/chat/completions", 400, "there is no scenario `no_such_row`"),
        ("/s/content-type=a%0d%0ab/v1/chat/completions", 400, "one line"),
        ("/s/first=1", 404, "path of no protocol"),
        ("/v1/embeddings", 404, "path of no protocol"),
    ] {
        let (text, _) = server.text(&request(path, "connection: close\r\n", BODY));
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")) && text.contains(reason), "{path}: {text}");
    }
    assert!(server.get("/runs/never").contains("there is no run"));
    assert!(server.get("/health").contains("now_ns"));
    assert!(server.text("no http\r\n\r\n").0.starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_header_asks_too_and_a_row_has_a_name() {
    let server = Raw::start();
    let asked = "x-faults: run=x&plan=503\r\nconnection: close\r\n";
    let (text, _) = server.text(&request("/v1/messages", asked, BODY));
    assert!(text.starts_with("HTTP/1.1 503 ") && text.contains("api_error"), "{text}");
    let (text, _) = server.ask("tool_call_openai_chat&run=y");
    assert_eq!(text.matches("tool_calls\":[").count(), 5, "{text}");
    assert_eq!(server.only("x").fault, "503");
}

/// A server, and a client that writes what it is given and reads to the end.
struct Raw {
    address: String,
}

impl Raw {
    fn start() -> Self {
        Self { address: server_of_its_own().trim_start_matches("http://").into() }
    }

    /// Asks for a stream of `openai.chat`.
    fn ask(&self, faults: &str) -> (String, io::Result<()>) {
        self.text(&request(&format!("/s/{faults}/v1/chat/completions"), "connection: close\r\n", BODY))
    }

    fn text(&self, request: &str) -> (String, io::Result<()>) {
        let (bytes, how) = self.bytes(request);
        (String::from_utf8(bytes).unwrap(), how)
    }

    fn bytes(&self, request: &str) -> (Vec<u8>, io::Result<()>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let how = stream.read_to_end(&mut bytes).map(|_| ());
        (bytes, how)
    }

    fn get(&self, path: &str) -> String {
        self.text(&format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).0
    }

    fn requests(&self, run: &str) -> Vec<RequestLog> {
        let text = self.get(&format!("/runs/{run}?wait=2000"));
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let mut run: Value = serde_json::from_str(body).unwrap();
        serde_json::from_value(run["requests"].take()).unwrap()
    }

    fn only(&self, run: &str) -> RequestLog {
        let mut requests = self.requests(run);
        assert_eq!(requests.len(), 1);
        requests.remove(0)
    }
}

fn request(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}
