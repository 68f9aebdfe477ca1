//! An agent that uses `tracing`: its turn, the call in it and the attempts of that call as a Chrome trace.
//!
//! `cargo run -p llmspan-examples --features tracing --bin traced -- trace.json`, then open the file in <https://ui.perfetto.dev>.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::{env, error::Error, time::Duration};

use llmspan::{Callback, Recorder};
use llmspan_examples::{
    agent::{Agent, read_text},
    brief::brief,
    server::{Reply, Server},
    wire::{OpenAiChat, short_gap},
};
use tracing::{Instrument as _, info_span};
use tracing_chrome::{ChromeLayerBuilder, TraceStyle};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).unwrap_or_else(|| "trace.json".into());
    // Work that awaits is drawn as it was only in the async style: the other one draws every poll.
    let (layer, _guard) =
        ChromeLayerBuilder::new().file(path).trace_style(TraceStyle::Async).include_args(true).build();
    // The HTTP client has much to say below that level.
    let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO).with(layer);
    tracing::subscriber::set_global_default(subscriber)?;

    let answer = OpenAiChat { text: "Retries hide in totals, so count them apart.", pause: short_gap, cut_after: None };
    let limited = Reply::rate_limited(Duration::from_millis(20)).with_header("retry-after-ms", "300");
    let server = Server::start([limited, answer.append_to(Reply::stream(Duration::from_millis(60)))]).await?;

    let sink = Callback::new(|record| print!("{}", brief(record)));
    let recorder = Recorder::builder().with_sink(sink).with_tracing().build()?;
    let agent = Agent::new(server.url("/v1/chat/completions"), recorder);

    let turn = async {
        let stream =
            agent.ask("Why count retries?").await.map_err(|failure| format!("every attempt failed: {failure:?}"))?;
        println!("{}", read_text(stream).await?);
        Ok::<_, Box<dyn Error>>(())
    };
    turn.instrument(info_span!("agent.turn")).await
}
