//! The moments worth a mark on the span.

use llmspan_core::{
    config::Config,
    delta::{ContentKind, Delta},
    event::Event,
    record::{AttributeValue, Attributes, EventKind, SpanEvent},
    time::Nanos,
};

use crate::{
    attempt::{Attempt, Taken},
    told::{Story, What},
};

/// The events in the order in which they were told, before any cap.
pub(crate) fn events(
    config: &Config,
    begin: &Attributes,
    story: &Story<'_>,
    attempts: &[Attempt<'_>],
    is_stream: bool,
) -> Vec<SpanEvent> {
    let mut events = Vec::new();
    let mut latest = None;
    let mut has_refused = says_refusal(begin).unwrap_or(false);
    for (place, told) in story.told.iter().enumerate() {
        match &told.what {
            What::Began(_) => latest = told.attempt,
            What::Event(Event::RetryScheduled(retry)) if latest.is_some() => {
                let mut event = event(EventKind::Retry, story, told.at, latest);
                event.name = Some(retry.reason.as_str().into());
                event.duration_ns = Some(retry.delay_ns);
                events.push(event);
            }
            What::Event(Event::Attributes(more)) => has_refused = says_refusal(more).unwrap_or(has_refused),
            _ => {}
        }
        let Some((it, taken)) = taken_at(attempts, place) else { continue };
        let push = |kind, name: Option<String>, duration: Option<u64>| {
            let mut event = event(kind, story, taken.at, Some(it.number));
            event.name = name;
            event.duration_ns = duration.map(Nanos::from_nanos);
            event
        };
        let before = it.taken.iter().take_while(|before| before.place < place);
        if is_stream && !taken.delta.visible.is_empty() {
            let last = before.clone().filter(|before| !before.delta.visible.is_empty()).last();
            match last.map(|last| taken.at - last.at) {
                None => events.push(push(EventKind::FirstToken, None, None)),
                Some(gap) if gap > config.stall_after_ns.as_nanos() => {
                    events.push(push(EventKind::Stall, None, Some(gap)));
                }
                Some(_) => {}
            }
        }
        if refuses(taken.delta) && !has_refused {
            has_refused = true;
            events.push(push(EventKind::Refusal, None, None));
        }
        let mut calls = ToolCalls::default();
        before.clone().for_each(|before| drop(calls.take(config.limits.tool_calls, before.delta)));
        for name in calls.take(config.limits.tool_calls, taken.delta) {
            events.push(push(EventKind::ToolCall, name, None));
        }
        let mut finished: Vec<u32> = before.flat_map(|before| finishes(before.delta)).map(|(index, _)| index).collect();
        for (index, reason) in finishes(taken.delta) {
            if !finished.contains(&index) {
                finished.push(index);
                events.push(push(EventKind::Finish, Some(reason), None));
            }
        }
    }
    events
}

/// What was taken at a place of the story, and by which attempt.
pub(crate) fn taken_at<'a, 's>(attempts: &'a [Attempt<'s>], place: usize) -> Option<(&'a Attempt<'s>, &'a Taken<'s>)> {
    attempts.iter().find_map(|it| Some((it, it.taken.iter().find(|taken| taken.place == place)?)))
}

/// Whether the model refuses.
pub(crate) fn refuses(delta: &Delta<'_>) -> bool {
    delta.refused || delta.visible.contains(ContentKind::Refusal)
}

/// The choices that finish, each with its reason.
pub(crate) fn finishes(delta: &Delta<'_>) -> Vec<(u32, String)> {
    let reason = |choice: &llmspan_core::delta::ChoiceDelta<'_>| {
        Some((choice.index, choice.finish_reason.as_deref().filter(|reason| !reason.is_empty())?.to_owned()))
    };
    delta.choices.iter().filter_map(reason).collect()
}

fn says_refusal(attributes: &Attributes) -> Option<bool> {
    match attributes.get("refusal") {
        Some(AttributeValue::Bool(value)) => Some(*value),
        _ => None,
    }
}

/// The tool calls of one attempt, told apart.
#[derive(Debug, Default)]
pub(crate) struct ToolCalls {
    /// Choice, index and id of each.
    known: Vec<(u32, Option<u32>, Option<String>)>,
    pub(crate) count: u64,
    /// Calls past the cap.
    pub(crate) dropped: u64,
}

impl ToolCalls {
    /// The names of the calls that a delta begins. A call is known by its choice and index, and by its id without an index.
    pub(crate) fn take(&mut self, cap: usize, delta: &Delta<'_>) -> Vec<Option<String>> {
        let mut names = Vec::new();
        for call in &delta.tool_calls {
            let filled = |text: &Option<alloc::borrow::Cow<'_, str>>| {
                text.as_deref().filter(|text| !text.is_empty()).map(String::from)
            };
            let (id, name) = (filled(&call.id), filled(&call.name));
            let is_same = |known: &&mut (u32, Option<u32>, Option<String>)| {
                known.0 == call.choice
                    && match (call.index, &id) {
                        (Some(_), _) => known.1 == call.index,
                        (None, Some(_)) => known.2 == id,
                        // A fragment without either goes on with the call before.
                        (None, None) => name.is_none(),
                    }
            };
            let is_full = self.known.len() >= cap;
            let is_new = match self.known.iter_mut().rev().find(is_same) {
                Some(known) => {
                    // Some servers number every call alike: another id and a name make another call.
                    let is_another =
                        call.index.is_some() && name.is_some() && id.is_some() && known.2.is_some() && known.2 != id;
                    if known.2.is_none() || is_another {
                        known.2 = id.or(known.2.take());
                    }
                    is_another
                }
                None if is_full => {
                    // Past the cap fragments cannot be told from calls, unless by what calls begin with.
                    let begins = id.is_some() || name.is_some();
                    self.dropped += u64::from(begins);
                    begins
                }
                None => {
                    self.known.push((call.choice, call.index, id));
                    true
                }
            };
            if is_new {
                self.count += 1;
                // The name as it came, also an empty one.
                names.push(call.name.as_ref().map(ToString::to_string));
            }
        }
        names
    }
}

fn event(kind: EventKind, story: &Story<'_>, at: u64, attempt: Option<u32>) -> SpanEvent {
    let mut event = SpanEvent::default();
    event.kind = kind;
    event.at_ns = Nanos::from_nanos(at - story.start);
    event.attempt = attempt;
    event
}
