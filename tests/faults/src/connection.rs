//! One connection: its requests, one after the other.

use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    exchange::Exchange,
    params::Transfer,
    protocol::Route,
    request::Request,
    schedule::{End, RequestLog, Runs},
    service,
    target::Target,
};

/// Answers the requests of a connection until it closes.
pub(crate) async fn serve(mut stream: TcpStream, number: u64, runs: Runs) {
    // Every write is a packet of its own, whatever its size.
    let _best_effort = stream.set_nodelay(true);
    let mut buffer = Vec::new();
    loop {
        let request = match Request::read(&mut stream, &mut buffer).await {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(error) => {
                let _unheard = service::say(&mut stream, 400, &json!({"error": error.to_string()})).await;
                return;
            }
        };
        let stays_open = match service::Call::of(&request) {
            Some(call) => call.answer(&mut stream, &runs).await.is_ok(),
            None => match respond(&mut stream, number, &runs, &request).await {
                Ok(stays_open) => stays_open,
                Err((status, message)) => service::say(&mut stream, status, &json!({"error": message})).await.is_ok(),
            },
        };
        if !stays_open || request.wants_close() {
            return;
        }
    }
}

/// Answers a request of a protocol, and tells whether the connection goes on. What cannot be understood is an error with
/// a status and a message.
async fn respond(
    stream: &mut TcpStream,
    connection: u64,
    runs: &Runs,
    request: &Request,
) -> Result<bool, (u16, String)> {
    let target = Target::of(request).map_err(|message| (400, message))?;
    let general = target.params(None).map_err(|message| (400, message))?;
    let route = Route::of(&target.path, request, general.protocol.as_deref()).map_err(|message| (404, message))?;
    let log = runs.open(
        general.run.as_deref().unwrap_or("default"),
        RequestLog {
            connection,
            method: request.method.clone(),
            path: target.path.clone(),
            protocol: Some(route.protocol.name().into()),
            stream: route.is_stream,
            headers: request.telling_headers().collect(),
            request_bytes: request.body.len(),
            accepted_at_ns: request.accepted_at_ns,
            read_at_ns: request.read_at_ns,
            ..RequestLog::default()
        },
    );
    let params = target.params(Some(log.request())).map_err(|message| (400, message))?;
    let fault = params.fault(log.request());
    log.change(|log| log.fault = fault.word());
    let exchange = Exchange { request, route: &route, params: &params, fault, log: &log };
    let end = exchange.run(stream).await.unwrap_or(End::ClientClosed);
    log.end(end);
    Ok(matches!(end, End::Complete | End::Cut) && params.transfer != Transfer::Close)
}
