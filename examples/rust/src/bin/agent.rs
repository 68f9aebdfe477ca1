//! Two calls of an agent, and what llmspan knows about them: `cargo run -p llmspan-examples --bin agent`.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::{error::Error, pin::pin, time::Duration};

use futures_util::StreamExt as _;
use llmspan::{Callback, Failure, Recorder};
use llmspan_examples::{
    agent::{Agent, read_text},
    brief::brief,
    server::{Reply, Server},
    wire::{OpenAiChat, short_gap},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let answer = OpenAiChat { text: "Retries hide in totals, so count them apart.", pause: short_gap, cut_after: None };
    let streamed = || answer.append_to(Reply::stream(Duration::from_millis(60)));
    // The first request is turned away: a client that reads `retry-after-ms` waits 300 ms, another one a second.
    let limited = Reply::rate_limited(Duration::from_millis(20)).with_header("retry-after", "1");
    let limited = limited.with_header("retry-after-ms", "300");
    let server = Server::start([limited, streamed(), streamed()]).await?;

    let recorder = Recorder::new(Callback::new(|record| print!("{}", brief(record))));
    let agent = Agent::new(server.url("/v1/chat/completions"), recorder);

    // Read to its end, the stream ends the call.
    let stream = agent.ask("Why count retries?").await.map_err(|failure| describe(&failure))?;
    println!("{}", read_text(stream).await?);

    // A reader that leaves early ends it too: as interrupted, with what was measured until then.
    let mut stream = pin!(agent.ask("And why not?").await.map_err(|failure| describe(&failure))?);
    for _ in 0..3 {
        stream.next().await;
    }
    println!("(closing the stream early)");
    Ok(())
}

fn describe(failure: &Failure) -> String {
    format!("every attempt failed: {failure:?}")
}
