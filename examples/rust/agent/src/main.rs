//! An agent works on a task, against a provider on this machine: `cargo run -p llmspan-example-agent [-- TRACE]`.
//!
//! Its spans go to the terminal, or as a Chrome trace to the file `TRACE`: open it in <https://ui.perfetto.dev>.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::{env, error::Error};

use llmspan::{Callback, Recorder};
use llmspan_example_agent::{agent::Agent, brief::brief, slowest::Slowest};
use llmspan_examples::{demo, server::Server};
use tracing_chrome::{ChromeLayerBuilder, FlushGuard, TraceStyle};
use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt as _,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let _guard = subscribe(env::args().nth(1))?;
    let server = Server::answering(demo::provider()).await?;
    let slowest = Slowest::default();
    let recorder = Recorder::builder()
        .with_sink(Callback::new(|record| print!("{}", brief(record))))
        .with_sink(slowest.clone())
        .with_tracing()
        .build()?;

    let agent = Agent::new(server.url("/v1/chat/completions"), recorder);
    let done = agent.run("t-17", "Where is order 4711?").await;
    let (title, answer) = done.map_err(|failure| format!("every attempt failed: {failure:?}"))?;
    println!("\n{title}\n{answer}\n");
    for line in slowest.explain() {
        println!("{line}");
    }
    Ok(())
}

/// Makes the spans of the agent visible. A Chrome trace is written as long as the guard lives.
fn subscribe(trace: Option<String>) -> Result<Option<FlushGuard>, Box<dyn Error>> {
    // The HTTP client has much to say below that level.
    let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO);
    let Some(path) = trace else {
        // A line for each span when it closes. Its `time.idle` is how long it was: nobody enters the span of a call.
        let layer = fmt::layer().with_ansi(false).with_span_events(FmtSpan::CLOSE);
        tracing::subscriber::set_global_default(subscriber.with(layer))?;
        return Ok(None);
    };
    // Work that awaits is drawn as it was only in the async style: the other one draws every poll.
    let builder = ChromeLayerBuilder::new().file(path).trace_style(TraceStyle::Async).include_args(true);
    let (layer, guard) = builder.build();
    tracing::subscriber::set_global_default(subscriber.with(layer))?;
    Ok(Some(guard))
}
