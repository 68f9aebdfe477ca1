//! The record of one attempt.

use llmspan_core::{
    config::Config,
    delta::{ContentKind, Delta, ServerTiming},
    machine::CallStart,
    record::{AttemptRecord, Content, KeepAlives, Record, Server},
    time::Nanos,
};

use crate::{
    attempt::Attempt,
    calls::End,
    cost, outcome,
    span_events::{self, ToolCalls},
    timing, tokens,
    told::Story,
};

/// What is known of the call before its attempts are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) config: &'a Config,
    pub(crate) begin: &'a CallStart,
    pub(crate) story: &'a Story<'a>,
    pub(crate) end: End<'a>,
    /// With the times of the call, and whether it streams.
    pub(crate) call: &'a Record,
}

/// The record of an attempt; `is_final` says that the call takes its values from it.
pub(crate) fn of(frame: &Frame<'_>, it: &Attempt<'_>, is_final: bool) -> AttemptRecord {
    let Frame { config, begin, story, end, call } = *frame;
    let over = it.end(end.at);
    let text = |text: Option<&Box<str>>| text.map(ToString::to_string);
    let mut record = AttemptRecord::default();
    record.number = it.number;
    record.hedged = it.begin.filter(|begin| begin.hedged).map(|_| true);
    record.provider =
        text(it.begin.and_then(|begin| begin.provider.as_ref())).or_else(|| text(begin.provider.as_ref()));
    record.model = text(it.begin.and_then(|begin| begin.model.as_ref())).or_else(|| text(begin.model.as_ref()));
    record.endpoint = text(it.begin.and_then(|begin| begin.endpoint.as_ref()));
    record.attributes = it.begin.map(|begin| begin.attributes.clone()).unwrap_or_default();
    record.protocol = it.protocols.first().map(|protocol| protocol.as_str().into());

    let headers = || it.headers.iter().map(|(_, headers)| headers);
    record.status_code = it.status();
    record.request_id = headers().find_map(|headers| text(headers.request_id.as_ref()));
    record.retry_after_ns = it.retry_after;

    let verdict = outcome::of_attempt(it, call.stream, &end.how, is_final);
    record.outcome = verdict.outcome;
    record.timeout_kind = verdict.timeout_kind;
    record.error = verdict.error;

    record.start_ns = Nanos::from_nanos(it.start - story.start);
    record.duration_ns = Nanos::from_nanos(over - it.start);
    record.marks = timing::marks(it, call.stream, over, it.start);
    record.usage = tokens::of_attempt(it, record.outcome, call.stream);
    timing::derive(config, it, call.stream, &mut record);

    record.response_id = first_text(it, |delta| delta.response_id.as_deref());
    record.response_model = first_text(it, |delta| delta.response_model.as_deref());
    record.finish_reasons = finish_reasons(it);
    record.content = content(it);
    record.tool_call_count = tool_calls(config, it).count;
    record.server_tool_call_count = it.deltas().map(|delta| u64::from(delta.server_tool_calls)).sum();
    record.keep_alives = keep_alives(it, it.start);

    let mut server = ServerTiming::default();
    headers().rev().for_each(|headers| server.merge(&headers.server));
    it.deltas().filter_map(|delta| delta.server.as_ref()).for_each(|own| server.merge(own));
    record.server = own_server(&server);
    if let (Some(ttft), Some(queue), Some(prompt)) = (record.ttft_ns, server.queue_ns, server.prompt_ns) {
        record.network_ns = Some(ttft.saturating_sub(queue).saturating_sub(prompt));
    }

    // A price holds by the time at which the attempt began.
    let begins = call.start_unix_ns.map(|start| start.saturating_add(record.start_ns));
    let models = [record.response_model.as_deref(), record.model.as_deref()];
    record.cost = cost::of_attempt(config, it, record.usage.as_ref(), record.provider.as_deref(), models, begins);
    record
}

fn own_server(timing: &ServerTiming) -> Option<Server> {
    let mut server = Server::default();
    server.queue_ns = timing.queue_ns;
    server.prompt_ns = timing.prompt_ns;
    server.generation_ns = timing.generation_ns;
    server.total_ns = timing.total_ns;
    server.first_byte_ns = timing.first_byte_ns;
    (!timing.is_empty()).then_some(server)
}

/// The tool calls that the client was asked to run.
pub(crate) fn tool_calls(config: &Config, it: &Attempt<'_>) -> ToolCalls {
    let mut calls = ToolCalls::default();
    it.deltas().for_each(|delta| drop(calls.take(config.limits.tool_calls, delta)));
    calls
}

fn first_text(it: &Attempt<'_>, read: for<'d> fn(&'d Delta<'static>) -> Option<&'d str>) -> Option<String> {
    it.deltas().filter_map(|delta| read(delta)).find(|text| !text.is_empty()).map(String::from)
}

/// The last reason of each choice that finished, by its number.
fn finish_reasons(it: &Attempt<'_>) -> Vec<String> {
    let mut reasons = alloc::collections::BTreeMap::new();
    for (index, reason) in it.deltas().flat_map(span_events::finishes) {
        reasons.insert(index, reason);
    }
    reasons.into_values().collect()
}

fn content(it: &Attempt<'_>) -> Option<Content> {
    let bytes = |kind: ContentKind| {
        let slot = ContentKind::VISIBLE.iter().position(|own| *own == kind).unwrap_or(0);
        it.chunks().map(|(_, delta)| u64::from(delta.bytes[slot])).sum()
    };
    let mut content = Content::default();
    content.chunks = it.chunks().count() as u64;
    content.visible_chunks = it.visible().count() as u64;
    content.text_bytes = bytes(ContentKind::Text);
    content.reasoning_bytes = bytes(ContentKind::Reasoning);
    content.tool_call_bytes = bytes(ContentKind::ToolCall);
    content.refusal_bytes = bytes(ContentKind::Refusal);
    content.code_bytes = bytes(ContentKind::Code);
    content.image_bytes = bytes(ContentKind::Image);
    content.audio_bytes = bytes(ContentKind::Audio);
    (content.chunks > 0).then_some(content)
}

/// The signs of life, the time of the last one counted from `zero`.
pub(crate) fn keep_alives(it: &Attempt<'_>, zero: u64) -> Option<KeepAlives> {
    let alive = || it.taken.iter().filter(|taken| taken.delta.keep_alives > 0);
    let mut keep_alives = KeepAlives::default();
    keep_alives.count = alive().map(|taken| u64::from(taken.delta.keep_alives)).sum();
    keep_alives.last_ns = alive().next_back().map(|taken| Nanos::from_nanos(taken.at - zero));
    (keep_alives.count > 0).then_some(keep_alives)
}
