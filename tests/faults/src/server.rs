//! The server: a listener and its connections.

use core::{net::SocketAddr, time::Duration};
use std::io;

use tokio::{
    net::{TcpListener, ToSocketAddrs},
    task::{JoinHandle, JoinSet},
};

use crate::{
    connection,
    schedule::{RequestLog, Runs},
    service,
};

/// A fault server that runs on the current tokio runtime until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    runs: Runs,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let runs = Runs::default();
        let accepting = tokio::spawn(accept(listener, runs.clone()));
        Ok(Self { address, runs, accepting })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL before a provider's path, with what is asked of the server: `http://127.0.0.1:4000/s/run=a&first=40`.
    pub fn base_url(&self, faults: &str) -> String {
        if faults.is_empty() {
            format!("http://{}", self.address)
        } else {
            format!("http://{}/s/{faults}", self.address)
        }
    }

    /// The requests of a run in the order of their arrival, once all are over, or as they are after `wait`. Empty when
    /// there is no such run.
    pub async fn requests(&self, run: &str, wait: Duration) -> Vec<RequestLog> {
        service::settled(&self.runs, run, wait).await.unwrap_or_default()
    }

    /// Runs until the listener fails, which it does not by what clients send.
    pub async fn run(mut self) {
        let _cancelled = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, runs: Runs) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        // A failed accept is about that one client, or about too many open files: the next may work.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        number += 1;
        connections.spawn(connection::serve(stream, number, runs.clone()));
        while connections.try_join_next().is_some() {}
    }
}
