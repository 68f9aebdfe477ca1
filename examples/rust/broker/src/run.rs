//! The broker from its start to its end, in the order in which nothing gets lost.

use std::{error::Error, future::Future, net::TcpListener, time::Duration};

use llmspan::RecorderStats;
use tokio::runtime::Runtime;

use crate::{app::Broker, config::Config, telemetry::Telemetry};

/// Serves until `stop`, then ends what is open and sends what was recorded. Blocks.
///
/// 1. No new connections; open requests go on for the grace period of the configuration.
/// 2. What is left then fails as `shutdown`.
/// 3. The runtime goes, and with it whatever a client never read: each call that was open ends with it.
/// 4. The telemetry goes last, when no call can end any more.
///
/// # Errors
/// A configuration that does not work, or an error of the listener.
pub fn run<F>(config: Config, listener: TcpListener, stop: F) -> Result<RecorderStats, Box<dyn Error + Send + Sync>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let telemetry = Telemetry::new(&config)?;
    let recorder = telemetry.recorder.clone();
    let runtime = Runtime::new()?;
    let served = runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let broker = Broker::new(config.upstreams, telemetry.recorder.clone(), telemetry.metrics.clone());
        broker.serve(listener, stop, config.grace).await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    // The clients were served all the same.
    if let Err(error) = telemetry.shutdown() {
        eprintln!("telemetry that could not be sent is lost: {error}");
    }
    served?;
    Ok(recorder.stats())
}
