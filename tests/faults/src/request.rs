//! Requests, read from a connection.

use std::io;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::clock::monotonic_ns;

/// A request that was read to its end.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as they were sent.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) accepted_at_ns: u64,
    pub(crate) read_at_ns: u64,
}

impl Request {
    /// Reads the next request of a connection. `buffer` keeps what was read past its end; `None` when the client closed
    /// the connection instead.
    ///
    /// # Errors
    /// When the connection fails, or what comes is no HTTP/1.1 request.
    pub(crate) async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Self>> {
        let mut accepted_at_ns = (!buffer.is_empty()).then(monotonic_ns);
        let (mut request, head_length) = loop {
            if let Some(parsed) = parse_head(buffer)? {
                break parsed;
            }
            if buffer.len() > LONGEST_HEAD {
                return Err(invalid("the head of the request is too long"));
            }
            if stream.read_buf(buffer).await? == 0 {
                return Ok(None);
            }
            accepted_at_ns.get_or_insert_with(monotonic_ns);
        };
        buffer.drain(..head_length);
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let is_chunked =
            request.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        request.body = if is_chunked {
            read_chunked(stream, buffer).await?
        } else {
            let length = match request.header("content-length") {
                Some(length) => length.trim().parse().map_err(|_| invalid("content-length is no number"))?,
                None => 0,
            };
            read_exactly(stream, buffer, length).await?
        };
        request.read_at_ns = monotonic_ns();
        request.accepted_at_ns = accepted_at_ns.unwrap_or(request.read_at_ns);
        Ok(Some(request))
    }

    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the client wants the connection closed after the response.
    pub(crate) fn wants_close(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// The body as JSON; `null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The headers that tell about retries, and who asks.
    pub(crate) fn telling_headers(&self) -> impl Iterator<Item = (String, String)> {
        self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).filter_map(|(name, value)| {
            let tells = TELLING.contains(&name.as_str());
            tells.then(|| (name, value.clone()))
        })
    }
}

fn parse_head(buffer: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(buffer).map_err(|error| invalid(&error.to_string()))? else {
        return Ok(None);
    };
    let headers = head
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let request = Request {
        method: head.method.unwrap_or_default().into(),
        target: head.path.unwrap_or_default().into(),
        headers,
        body: Vec::new(),
        accepted_at_ns: 0,
        read_at_ns: 0,
    };
    Ok(Some((request, length)))
}

async fn read_chunked(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (start, size) = loop {
            match httparse::parse_chunk_size(buffer).map_err(|_| invalid("a chunk without a size"))? {
                httparse::Status::Complete(found) => break found,
                httparse::Status::Partial => fill(stream, buffer).await?,
            }
        };
        buffer.drain(..start);
        if size == 0 {
            // Trailers end with an empty line, and so does a body without any.
            loop {
                let line = read_line(stream, buffer).await?;
                if line.is_empty() {
                    return Ok(body);
                }
            }
        }
        let size = usize::try_from(size).map_err(|_| invalid("a chunk of that size"))?;
        body.extend(read_exactly(stream, buffer, size).await?);
        read_line(stream, buffer).await?;
        if body.len() > LONGEST_BODY {
            return Err(invalid("the body of the request is too long"));
        }
    }
}

/// A line without its end.
async fn read_line(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    loop {
        if let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") {
            let line = buffer.drain(..end).collect();
            buffer.drain(..2);
            return Ok(line);
        }
        if buffer.len() > LONGEST_HEAD {
            return Err(invalid("a line of the body is too long"));
        }
        fill(stream, buffer).await?;
    }
}

async fn read_exactly(stream: &mut TcpStream, buffer: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    if length > LONGEST_BODY {
        return Err(invalid("the body of the request is too long"));
    }
    while buffer.len() < length {
        fill(stream, buffer).await?;
    }
    Ok(buffer.drain(..length).collect())
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    if stream.read_buf(buffer).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

const MOST_HEADERS: usize = 128;
const LONGEST_HEAD: usize = 256 << 10;
const LONGEST_BODY: usize = 64 << 20;

/// Headers whose values enter the log. None of them holds content or a credential.
const TELLING: [&str; 11] = [
    "accept-encoding",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "idempotency-key",
    "traceparent",
    "user-agent",
    "x-goog-api-client",
    "x-stainless-lang",
    "x-stainless-package-version",
    "x-stainless-retry-count",
    "x-stainless-timeout",
];
