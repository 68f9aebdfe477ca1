//! Runs the broker: `cargo run -p llmspan-example-broker`. See its README for the environment.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::{error::Error, net::TcpListener};

use llmspan_example_broker::{
    config::{Config, Upstream},
    run::run,
};
use llmspan_examples::{demo, server::Server};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut config = Config::from_env()?;
    // A provider on this machine has a runtime of its own, so that it is there as long as the broker.
    let local = Runtime::new()?;
    let _provider = if config.upstreams.is_empty() {
        let server = local.block_on(Server::answering(demo::provider()))?;
        let url = server.url("/v1/chat/completions");
        config.upstreams = ["gpt-4.1-mini", "gpt-4.1-nano"].map(|model| upstream(model, &url)).into();
        Some(server)
    } else {
        None
    };

    let listener = TcpListener::bind(&config.address)?;
    println!("http://{0}/v1/chat/completions and http://{0}/metrics", listener.local_addr()?);
    let stats = run(config, listener, asked_to_stop())?;
    println!("{} calls", stats.records);
    Ok(())
}

async fn asked_to_stop() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
    println!("stopping");
}

fn upstream(model: &str, url: &str) -> Upstream {
    Upstream {
        provider: "openai".into(),
        model: model.into(),
        url: url.into(),
        keys: vec!["sk-local-1".into(), "sk-local-2".into()],
        requests_per_key: 1,
    }
}
