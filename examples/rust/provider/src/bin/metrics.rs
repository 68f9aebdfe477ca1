//! Calls without end and their metrics, for a scraper: `cargo run -p llmspan-examples --bin metrics [ADDRESS]`.
//!
//! The files in `examples/observability` scrape, draw and watch what it serves.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::{env, error::Error, time::Duration};

use llmspan_examples::load;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9464".into());
    let listener = TcpListener::bind(&address).await?;
    println!("http://{}/metrics", listener.local_addr()?);
    load::serve(listener, Duration::from_millis(200)).await
}
