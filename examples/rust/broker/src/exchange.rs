//! One request of a client, from its body to its answer: one call of llmspan.

use std::fmt;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use futures_util::{
    Stream, StreamExt as _, TryStreamExt as _, future,
    stream::{self, BoxStream},
};
use llmspan::{Call, CallStart, Failure, Phase, Protocol};
use llmspan_examples::message::Message;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    app::Broker,
    tools,
    upstream::{self, Answer, Refusal},
};

/// A request that is being answered.
///
/// When the client leaves before there is an answer, the server drops the exchange, and the record says `interrupted`.
pub(crate) struct Exchange {
    broker: Broker,
    request: Value,
    streamed: bool,
    /// Gone when the call has ended, or ends with the stream that the client reads.
    call: Option<Call>,
}

/// What a model answered, as far as it concerns the broker.
enum Round {
    Answer(Response),
    Tools(Message),
}

impl Exchange {
    pub(crate) fn open(broker: Broker, request: Value) -> Self {
        let streamed = request["stream"] == true;
        let start = CallStart::new("chat").with_model(request["model"].as_str().unwrap_or_default());
        let start = if streamed { start.streamed() } else { start.not_streamed() };
        Self { call: Some(broker.recorder.call(start)), broker, request, streamed }
    }

    pub(crate) async fn answer(mut self) -> Response {
        let cut = self.broker.cut.clone();
        let answered = tokio::select! {
            answered = self.rounds() => answered,
            () = cut.cancelled() => Err(Broken::Shutdown.refusal()),
        };
        answered.unwrap_or_else(|refusal| {
            if let Some(call) = self.call.take() {
                call.fail(refusal.failure);
            }
            (refusal.status, [(CONTENT_TYPE, "application/json")], refusal.body).into_response()
        })
    }

    /// Asks until the model answers, running the tools that it asks for in between.
    async fn rounds(&mut self) -> Result<Response, Refusal> {
        let (route, has_tools) = {
            let _routing = self.phase("route");
            (self.broker.route(self.request["model"].as_str().unwrap_or_default()), tools::offer(&mut self.request))
        };
        for _ in 0..MAX_ROUNDS {
            let Some(call) = &self.call else { break };
            let answer = upstream::send(&self.broker.http, call, &route, &mut self.request).await?;
            let round =
                if self.streamed { self.relay(answer, has_tools).await? } else { self.read(answer, has_tools).await? };
            let message = match round {
                Round::Answer(response) => return Ok(response),
                Round::Tools(message) => message,
            };
            let _executing = self.phase("tool.execute");
            let results = future::join_all(message.tool_calls.iter().map(tools::run)).await;
            if let Some(messages) = self.request["messages"].as_array_mut() {
                messages.extend(message.with_results(results));
            }
        }
        Err(Refusal::new(StatusCode::BAD_GATEWAY, "too_many_rounds", "the model asks for tools without end"))
    }

    /// Reads a completion that comes whole.
    async fn read(&mut self, answer: Answer, has_tools: bool) -> Result<Round, Refusal> {
        let Answer { target, attempt, response, lease } = answer;
        let body = response.bytes().await.map_err(|error| Refusal::of_network(&error))?;
        attempt.bytes(Protocol::OpenAiChat, &body);
        attempt.stream_ended();
        drop(lease);
        let mut completion: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = Message::of_completion(&completion);
        if has_tools && !message.tool_calls.is_empty() {
            return Ok(Round::Tools(message));
        }
        let serializing = self.phase("response.serialize");
        let body = match completion.as_object_mut() {
            Some(fields) => {
                // Clients want to know who answered.
                fields.insert("provider".into(), target.upstream.provider.as_str().into());
                Bytes::from(completion.to_string())
            }
            None => body,
        };
        let response = ([(CONTENT_TYPE, "application/json")], body).into_response();
        drop(serializing);
        if let Some(call) = self.call.take() {
            call.end();
        }
        Ok(Round::Answer(response))
    }

    /// Passes a stream on, byte by byte as it came. Where the model may ask for a tool of the broker, it is held back until
    /// there is text.
    async fn relay(&mut self, answer: Answer, has_tools: bool) -> Result<Round, Refusal> {
        let Answer { attempt, response, lease, .. } = answer;
        let content_type = response.headers().get(CONTENT_TYPE).cloned();
        let body = until(self.broker.cut.clone(), response.bytes_stream());
        let mut body = attempt.observe(body, Protocol::OpenAiChat).classify_errors(Broken::failure);

        let mut held = Vec::new();
        let mut message = Message::default();
        while has_tools && message.text.is_empty() {
            let Some(chunk) = body.try_next().await.map_err(|broken| broken.refusal())? else { break };
            message.push(&chunk);
            held.push(Ok(chunk));
        }
        if message.text.is_empty() && !message.tool_calls.is_empty() {
            return Ok(Round::Tools(message));
        }

        let Some(call) = self.call.take() else { return Err(Broken::Shutdown.refusal()) };
        // The key is free again when the client has the whole stream, or has left.
        let body = stream::iter(held).chain(body.ending(call)).inspect(move |_| _ = &lease);
        let content_type = content_type.unwrap_or(HeaderValue::from_static("text/event-stream"));
        Ok(Round::Answer(([(CONTENT_TYPE, content_type)], Body::from_stream(body)).into_response()))
    }

    fn phase(&self, name: &str) -> Option<Phase> {
        self.call.as_ref().map(|call| call.phase(name))
    }
}

const MAX_ROUNDS: u32 = 5;

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(call) = &self.call {
            call.consumer_closed();
        }
    }
}

/// Why a stream stopped in its middle.
#[derive(Debug)]
enum Broken {
    Shutdown,
    Upstream(reqwest::Error),
}

/// The stream, or as much of it as comes before the cut and then an error.
fn until<S>(cut: CancellationToken, stream: S) -> BoxStream<'static, Result<Bytes, Broken>>
where
    S: Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
{
    let error = {
        let cut = cut.clone();
        stream::once(async move { cut.is_cancelled().then_some(Err(Broken::Shutdown)) }).filter_map(future::ready)
    };
    stream.map_err(Broken::Upstream).take_until(cut.cancelled_owned()).chain(error).fuse().boxed()
}

impl Broken {
    fn failure(&self) -> Failure {
        self.refusal().failure
    }

    fn refusal(&self) -> Refusal {
        match self {
            Self::Shutdown => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "shutdown", "the broker stops"),
            Self::Upstream(error) => Refusal::of_network(error),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("the broker stops"),
            Self::Upstream(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Broken {}
