//! Responses, written by hand: the head, the coding of the body, and the ways in which a connection ends.

use core::time::Duration;
use std::io;

use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    params::{Granularity, Transfer},
    schedule::{End, Mark, OpenLog},
    script::{Last, Step},
};

/// The client closed the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientClosed;

impl From<io::Error> for ClientClosed {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// The response to one request.
#[derive(Debug)]
pub(crate) struct Wire<'a> {
    stream: &'a mut TcpStream,
    log: &'a OpenLog,
    transfer: Transfer,
    granularity: Granularity,
}

impl<'a> Wire<'a> {
    pub(crate) const fn new(
        stream: &'a mut TcpStream,
        log: &'a OpenLog,
        transfer: Transfer,
        granularity: Granularity,
    ) -> Self {
        Self { stream, log, transfer, granularity }
    }

    /// Lets time pass, unless the client closes the connection meanwhile.
    pub(crate) async fn pause(&mut self, length: Duration) -> Result<(), ClientClosed> {
        if length.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = sleep(length) => Ok(()),
            () = closed(self.stream) => Err(ClientClosed),
        }
    }

    /// Writes the head. `length` is that of the whole body.
    pub(crate) async fn head(
        &mut self,
        status: u16,
        headers: &[(&str, String)],
        length: usize,
    ) -> Result<(), ClientClosed> {
        let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
        let transfer = match self.transfer {
            Transfer::Chunked => ("transfer-encoding", "chunked".into()),
            Transfer::Close => ("connection", "close".into()),
            Transfer::Length => ("content-length", length.to_string()),
        };
        for (name, value) in [transfer].iter().chain(headers) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head += "\r\n";
        self.log.head(status);
        self.stream.write_all(head.as_bytes()).await?;
        Ok(())
    }

    /// Waits for a step and writes it.
    pub(crate) async fn step(&mut self, step: &Step) -> Result<(), ClientClosed> {
        self.pause(step.pause).await?;
        let size = match self.granularity {
            Granularity::Burst | Granularity::Event => LARGEST_WRITE,
            Granularity::Bytes(bytes) => bytes,
        };
        let mut parts = step.bytes.chunks(size).peekable();
        while let Some(part) = parts.next() {
            let holds: &[Mark] = if parts.peek().is_none() { &step.holds } else { &[] };
            self.write(part, holds).await?;
        }
        Ok(())
    }

    /// Ends the response.
    pub(crate) async fn last(mut self, last: Last) -> Result<End, ClientClosed> {
        match last {
            Last::Complete | Last::Cut => {
                match self.transfer {
                    Transfer::Chunked => self.stream.write_all(b"0\r\n\r\n").await?,
                    Transfer::Close => self.stream.shutdown().await?,
                    Transfer::Length => {}
                }
                Ok(if last == Last::Cut { End::Cut } else { End::Complete })
            }
            Last::Drop => {
                self.stream.shutdown().await?;
                Ok(End::Dropped)
            }
            Last::Hang => {
                let _gave_up = timeout(LONGEST_HANG, closed(self.stream)).await;
                Err(ClientClosed)
            }
            Last::Reset => {
                // The client gets what was sent before the reset throws away what it has not read.
                self.pause(BEFORE_RESET).await?;
                self.stream.set_zero_linger()?;
                Ok(End::Reset)
            }
        }
    }

    async fn write(&mut self, bytes: &[u8], holds: &[Mark]) -> Result<(), ClientClosed> {
        self.log.write(u64::try_from(bytes.len()).unwrap_or(u64::MAX), holds);
        if self.transfer == Transfer::Chunked {
            let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
            chunk.extend(bytes);
            chunk.extend(b"\r\n");
            self.stream.write_all(&chunk).await?;
        } else {
            self.stream.write_all(bytes).await?;
        }
        Ok(())
    }
}

/// Comes back when the client has closed its side. A request that it sends ahead is no close.
async fn closed(stream: &TcpStream) {
    let mut byte = [0];
    loop {
        match stream.peek(&mut byte).await {
            Ok(0) | Err(_) => return,
            Ok(_) => sleep(Duration::from_millis(5)).await,
        }
    }
}

/// The reason phrase of a status.
pub(crate) const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Payload Too Large",
        422 => "Unprocessable Entity",
        424 => "Failed Dependency",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        529 => "Overloaded",
        _ => "Status",
    }
}

const LARGEST_WRITE: usize = 64 << 10;
const LONGEST_HANG: Duration = Duration::from_secs(60);
const BEFORE_RESET: Duration = Duration::from_millis(10);
