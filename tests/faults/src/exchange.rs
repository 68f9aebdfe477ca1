//! One request and what is done with it.

use tokio::net::TcpStream;

use crate::{
    bodies::{Answer, Counts, Finish, Headers, Piece, Refusal},
    clock,
    fault::{At, Fault},
    framing::Framing,
    params::{ErrorBody, Gzip, Params, Usage},
    protocol::Route,
    request::Request,
    schedule::{End, OpenLog},
    script::{Last, Script},
    wire::{ClientClosed, Wire},
};

/// A request, and how to answer it.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) request: &'a Request,
    pub(crate) route: &'a Route,
    pub(crate) params: &'a Params,
    pub(crate) fault: Fault,
    pub(crate) log: &'a OpenLog,
}

/// A response, planned.
struct Response {
    status: u16,
    content_type: String,
    script: Script,
}

impl Exchange<'_> {
    /// Answers it.
    ///
    /// # Errors
    /// When the client closes the connection before the end.
    pub(crate) async fn run(&self, stream: &mut TcpStream) -> Result<End, ClientClosed> {
        let id = format!("f{:x}", clock::monotonic_ns());
        let Response { status, content_type, script } = self.response(&id);
        let mut wire = Wire::new(stream, self.log, self.params.transfer, self.params.write);
        wire.pause(self.params.head_delay).await?;
        if status == 200 && !self.route.is_stream {
            // A body that is no stream comes when the answer is ready, and its head with it.
            wire.pause(self.params.first).await?;
        }
        let has_no_head = self.params.at == At::Head && matches!(script.last, Last::Drop | Last::Hang | Last::Reset);
        if has_no_head {
            return wire.last(script.last).await;
        }
        let (script, encoding) = self.compressed(script);
        let mut headers = self.headers(&id, status);
        headers.push(("content-type", self.params.content_type.clone().unwrap_or(content_type)));
        headers.extend(encoding);
        let is_broken = matches!(script.last, Last::Drop | Last::Hang | Last::Reset);
        wire.head(status, &headers, script.length() + usize::from(is_broken)).await?;
        for step in &script.steps {
            wire.step(step).await?;
        }
        wire.last(script.last).await
    }

    fn response(&self, id: &str) -> Response {
        let answer = self.answer(id);
        if let Fault::Status(status) = self.fault {
            let (content_type, body) = self.error_body(status);
            let script = Script::whole(body.into_bytes(), self.params, self.fault);
            return Response { status, content_type, script };
        }
        if self.route.is_stream {
            let content_type = self.route.framing.content_type().into();
            let script = Script::stream(self.route, &answer, self.params, self.fault);
            return Response { status: 200, content_type, script };
        }
        let body = match self.fault {
            // Some servers answer with an error and status 200.
            Fault::ErrorFrame => self.error_body(500).1,
            _ => self.route.protocol.whole(&answer).to_string(),
        };
        let script = Script::whole(body.into_bytes(), self.params, self.fault);
        Response { status: 200, content_type: "application/json".into(), script }
    }

    fn error_body(&self, status: u16) -> (String, String) {
        let html = "text/html; charset=utf-8";
        match self.params.error_body {
            ErrorBody::Empty => ("text/plain".into(), String::new()),
            ErrorBody::Html => (html.into(), HTML.into()),
            ErrorBody::Text => ("text/plain".into(), "upstream connect error".into()),
            ErrorBody::Provider => {
                let refusal = Refusal { status, retry_after: self.params.retry.in_body() };
                let body = self.route.protocol.error_body(refusal);
                // Where answers are elements of an array, so is an error.
                let is_element = self.route.is_stream && self.route.framing == Framing::Array;
                let text = if is_element { format!("[{body}]") } else { body.to_string() };
                ("application/json".into(), text)
            }
        }
    }

    fn headers(&self, id: &str, status: u16) -> Headers {
        // One reading, so that a delay is the same by either date.
        let now = clock::wall();
        let mut headers = vec![("date", httpdate::fmt_http_date(now)), ("server", "llmspan-faults".to_owned())];
        headers.extend(self.route.protocol.headers(id, status));
        if status >= 400 {
            headers.extend(self.params.retry.headers(now));
        }
        headers
    }

    fn compressed(&self, script: Script) -> (Script, Option<(&'static str, String)>) {
        let accepts = self.request.header("accept-encoding").is_some_and(|value| value.contains("gzip"));
        match self.params.gzip {
            Gzip::Hidden => (script.compressed(), None),
            Gzip::Real if accepts => (script.compressed(), Some(("content-encoding", "gzip".into()))),
            Gzip::Off | Gzip::Real => (script, None),
        }
    }

    fn answer(&self, id: &str) -> Answer {
        let params = self.params;
        let body = self.request.json();
        let text = |count: usize, words: &'static [&'static str]| words.iter().cycle().take(count).copied();
        let mut pieces: Vec<Piece> = Vec::new();
        pieces.extend(text(params.reasoning, THOUGHTS).map(|word| Piece::Reasoning(word.into())));
        pieces.extend(text(params.text_pieces(), WORDS).map(|word| Piece::Text(word.into())));
        pieces.extend(text(params.refusal, REFUSAL).map(|word| Piece::Refusal(word.into())));
        pieces.extend(split(ARGUMENTS, params.tool).map(Piece::Tool));
        let finish = if params.is_cut_by_length {
            Finish::Length
        } else if params.tool > 0 {
            Finish::Tool
        } else if params.refusal > 0 {
            Finish::Refusal
        } else {
            Finish::Stop
        };
        let is_asked_for = body["stream_options"]["include_usage"].as_bool().unwrap_or(false);
        Answer {
            id: id.into(),
            created: clock::unix_seconds(),
            model: self.route.model.clone(),
            pieces,
            finish,
            counts: self.counts(),
            wants_usage: is_asked_for || params.usage != Usage::Sent,
            is_cumulative: body["parameters"]["incremental_output"].as_bool() == Some(false)
                || (self.route.framing == Framing::Dashscope && body["parameters"]["incremental_output"].is_null()),
        }
    }

    fn counts(&self) -> Option<Counts> {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let params = self.params;
        let counts = Counts {
            input: signed(params.input),
            output: signed(params.output),
            cached: signed(params.cached),
            cache_write: signed(params.cache_write),
            reasoning: signed(params.reasoning_tokens),
        };
        match params.usage {
            Usage::Sent | Usage::Always => Some(counts),
            Usage::Huge => Some(Counts { output: 1_000_000, ..counts }),
            Usage::Missing => None,
            Usage::Negative => Some(Counts { output: -1, ..counts }),
            Usage::Zero => Some(Counts { input: 0, output: 0, cached: 0, cache_write: 0, reasoning: 0 }),
        }
    }
}

/// Splits a text into that many pieces, none of them empty while there is text.
fn split(text: &str, count: usize) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    let count = count.min(letters.len());
    (0..count).map(move |at| letters[letters.len() * at / count..letters.len() * (at + 1) / count].iter().collect())
}

const WORDS: &[&str] = &["Rain ", "falls, ", "même ", "l’été; ", "雨 ", "again. "];
const THOUGHTS: &[&str] = &["Look ", "outside ", "first. "];
const REFUSAL: &[&str] = &["I ", "cannot ", "say. "];
const ARGUMENTS: &str = r#"{"city":"Zürich","unit":"celsius"}"#;
const HTML: &str =
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n";
