//! What a record tells of the stream that a tool would have seen.

use crate::{
    delta::Provenance,
    record::{AttemptRecord, EventKind, Outcome, Record, SpanEvent},
    time::Nanos,
};

/// Why a figure is absent.
pub(super) type Absence = &'static str;

/// A moment of the attempt, in nanoseconds from its start: exact where both ends are the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Moment {
    earliest: u64,
    latest: u64,
    why: Absence,
}

impl Moment {
    /// The start of the attempt.
    pub(super) const START: Self = Self::at(0);

    const fn at(nanos: u64) -> Self {
        Self { earliest: nanos, latest: nanos, why: "" }
    }

    fn between(earliest: Nanos, latest: Nanos, why: Absence) -> Self {
        Self { earliest: earliest.as_nanos(), latest: latest.as_nanos().max(earliest.as_nanos()), why }
    }

    fn is_exact(self) -> bool {
        self.earliest == self.latest
    }
}

impl From<Nanos> for Moment {
    fn from(nanos: Nanos) -> Self {
        Self::at(nanos.as_nanos())
    }
}

/// The time from one moment to another: the shortest and the longest that it can be, and why it is not exact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) shortest: u64,
    pub(super) longest: u64,
    pub(super) why: Absence,
}

impl Stretch {
    pub(super) fn from(start: Moment, end: Moment) -> Self {
        Self {
            shortest: end.earliest.saturating_sub(start.latest),
            longest: end.latest.saturating_sub(start.earliest),
            why: if start.is_exact() { end.why } else { start.why },
        }
    }
}

/// Which visible content a tool counts. Text always is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Counts {
    /// Text of the answer.
    Text,
    /// Text and reasoning.
    Reasoning,
    /// Text, reasoning and tool calls.
    ToolCalls,
    /// Text, reasoning, files, and a tool call from the first byte of its arguments on.
    Arguments,
    /// Whatever is visible.
    Everything,
}

/// The first or the last content that a tool counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counted {
    At(Moment),
    /// The response has no content that the tool counts.
    Never,
}

/// The final attempt of a streamed call, as far as the record tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream<'a> {
    record: &'a Record,
    attempt: &'a AttemptRecord,
}

impl<'a> Stream<'a> {
    pub(super) fn of(record: &'a Record) -> Result<Self, Absence> {
        let attempt = record.attempts.iter().find(|attempt| Some(attempt.number) == record.final_attempt);
        let attempt = attempt.ok_or("no attempt was made")?;
        if record.stream { Ok(Self { record, attempt }) } else { Err("the call was not streamed") }
    }

    pub(super) fn record(&self) -> &'a Record {
        self.record
    }

    /// Nothing but whether the attempt succeeded.
    pub(super) fn success(&self) -> Result<(), Absence> {
        let is_success = self.record.outcome == Outcome::Success && self.attempt.outcome == Outcome::Success;
        if is_success { Ok(()) } else { Err("the call did not succeed, and the tool reports only those that do") }
    }

    /// The first event of any kind.
    pub(super) fn first_event(&self) -> Result<Moment, Absence> {
        self.attempt.marks.first_chunk_ns.map(Into::into).ok_or(NO_EVENTS)
    }

    /// The last event of any kind.
    pub(super) fn last_event(&self) -> Result<Moment, Absence> {
        self.attempt.marks.last_chunk_ns.map(Into::into).ok_or(NO_EVENTS)
    }

    /// Number of events of any kind.
    pub(super) fn events(&self) -> u64 {
        self.attempt.content.as_ref().map_or(0, |content| content.chunks)
    }

    /// The first event with a choice in it. Visible content has one.
    pub(super) fn first_choice(&self) -> Result<Moment, Absence> {
        let marks = &self.attempt.marks;
        let first = marks.first_chunk_ns.ok_or(NO_EVENTS)?;
        let latest = marks.first_content_ns.or(marks.last_chunk_ns).unwrap_or(first);
        Ok(Moment::between(first, latest, CHOICES))
    }

    /// The last event with a choice in it: visible content, a finish reason, or one after them.
    pub(super) fn last_choice(&self) -> Result<Moment, Absence> {
        let marks = &self.attempt.marks;
        let last = marks.last_chunk_ns.ok_or(NO_EVENTS)?;
        let of_this =
            |event: &&SpanEvent| event.kind == EventKind::Finish && event.attempt == Some(self.attempt.number);
        let finished = self.record.events.iter().filter(of_this);
        let finished = finished.map(|event| event.at_ns.saturating_sub(self.attempt.start_ns)).max();
        let earliest = marks.last_content_ns.max(finished).or(marks.first_chunk_ns).unwrap_or(last).min(last);
        Ok(Moment::between(earliest, last, CHOICES))
    }

    /// Mean time between events with a choice, where every event is visible content.
    pub(super) fn choice_gap(&self) -> Result<(Moment, Moment, u64), Absence> {
        let content = self.attempt.content.as_ref().ok_or(NO_EVENTS)?;
        if content.chunks == content.visible_chunks { self.gaps(Counts::Everything) } else { Err(CHOICES) }
    }

    /// The last line of the response, the end marker included.
    pub(super) fn last_line(&self) -> Result<Moment, Absence> {
        let last = self.attempt.marks.last_chunk_ns.ok_or(NO_EVENTS)?;
        let end = self.attempt.duration_ns;
        // The end of a decoded response is that of its end marker; a host may end its own later than the last line.
        Ok(if self.attempt.protocol.is_some() { end.into() } else { Moment::between(last, end, LAST_LINE) })
    }

    /// The end of the response.
    pub(super) fn end(&self) -> Moment {
        self.attempt.duration_ns.into()
    }

    /// The first content that is counted.
    pub(super) fn first(&self, counts: Counts) -> Result<Counted, Absence> {
        let marks = &self.attempt.marks;
        let (Some(first), Some(last)) = (marks.first_content_ns, marks.last_content_ns) else {
            return if self.kinds_are_known() { Ok(Counted::Never) } else { Err("nothing visible came") };
        };
        let at = |moment: Nanos| Ok(Counted::At(moment.into()));
        let reasoning = marks.first_reasoning_ns.filter(|_| counts != Counts::Text);
        let earliest = if counts == Counts::Text { marks.first_answer_ns } else { Some(first) };
        let Some(earliest) = earliest else { return Ok(Counted::Never) };
        if !self.has_answer_beside(counts) || reasoning == Some(first) {
            return at(earliest);
        }
        if self.has_nothing_but_what_is_beside(counts) {
            return reasoning.map_or(Ok(Counted::Never), at);
        }
        let why = if counts == Counts::Arguments && self.has_tool_calls() { ARGUMENTS } else { KINDS };
        Ok(Counted::At(Moment::between(earliest, reasoning.unwrap_or(last), why)))
    }

    /// The first text or tool call.
    pub(super) fn first_answer(&self) -> Counted {
        let marks = &self.attempt.marks;
        match (marks.first_answer_ns, marks.last_content_ns) {
            (Some(first), _) if !self.has_answer_beside(Counts::ToolCalls) => Counted::At(first.into()),
            (Some(first), Some(last)) if !self.has_nothing_but_what_is_beside(Counts::ToolCalls) => {
                Counted::At(Moment::between(first, last, KINDS))
            }
            _ => Counted::Never,
        }
    }

    /// The last content that is counted.
    pub(super) fn last(&self, counts: Counts) -> Result<Counted, Absence> {
        let Counted::At(first) = self.first(counts)? else { return Ok(Counted::Never) };
        let last = self.attempt.marks.last_content_ns.ok_or(NO_EVENTS)?;
        let has_reasoning_beside = counts == Counts::Text && self.attempt.marks.first_reasoning_ns.is_some();
        if self.has_answer_beside(counts) || has_reasoning_beside {
            return Ok(Counted::At(Moment::between(Nanos::from_nanos(first.earliest), last, KINDS)));
        }
        Ok(Counted::At(last.into()))
    }

    /// First and last content that is counted, and the number of gaps between them.
    pub(super) fn gaps(&self, counts: Counts) -> Result<(Moment, Moment, u64), Absence> {
        let (Counted::At(first), Counted::At(last)) = (self.first(counts)?, self.last(counts)?) else {
            return Err(UNCOUNTED);
        };
        if !first.is_exact() || !last.is_exact() {
            return Err(if first.is_exact() { last.why } else { first.why });
        }
        let visible = self.attempt.content.as_ref().map_or(0, |content| content.visible_chunks);
        match visible.checked_sub(1) {
            Some(gaps) if gaps > 0 => Ok((first, last, gaps)),
            _ => Err("there is no gap between fewer than two chunks"),
        }
    }

    /// The first gap between visible chunks.
    pub(super) fn first_gap(&self, counts: Counts) -> Result<Stretch, Absence> {
        self.gaps(counts)?;
        let gaps = self.attempt.inter_chunk.as_ref().ok_or(NO_EVENTS)?;
        let (shortest, longest) = (gaps.min_ns.as_nanos(), gaps.max_ns.as_nanos());
        Ok(Stretch { shortest, longest, why: "the record does not keep the time of the second visible chunk" })
    }

    /// Output tokens in the provider's own count.
    pub(super) fn provider_tokens(&self) -> Result<u64, Absence> {
        let tokens = self.tokens()?;
        Ok(self.attempt.usage.as_ref().and_then(|usage| usage.raw.output).unwrap_or(tokens))
    }

    /// Output tokens, reasoning included.
    pub(super) fn tokens(&self) -> Result<u64, Absence> {
        let usage = self.attempt.usage.as_ref().ok_or(NO_TOKENS)?;
        match (usage.output_tokens, usage.provenance.output_tokens) {
            (Some(tokens), Some(Provenance::Reported)) => Ok(tokens),
            (Some(_), _) => Err("the token count is not a final one of the provider"),
            (None, _) => Err(NO_TOKENS),
        }
    }

    /// Whether content came, reasoning apart, that the tool does not count.
    fn has_answer_beside(&self, counts: Counts) -> bool {
        match counts {
            Counts::Text | Counts::Reasoning | Counts::Arguments => self.has_tool_calls() || self.has_other_kinds(),
            Counts::ToolCalls => self.has_other_kinds(),
            Counts::Everything => false,
        }
    }

    /// Whether certainly none of the content is counted, reasoning apart.
    fn has_nothing_but_what_is_beside(&self, counts: Counts) -> bool {
        let has_no_text =
            self.kinds_are_known() && self.attempt.content.as_ref().is_none_or(|content| content.text_bytes == 0);
        match counts {
            Counts::Text | Counts::Reasoning => has_no_text,
            Counts::ToolCalls => has_no_text && !self.has_tool_calls(),
            Counts::Arguments | Counts::Everything => false,
        }
    }

    fn has_tool_calls(&self) -> bool {
        let calls = self.attempt.tool_call_count.saturating_add(self.attempt.server_tool_call_count);
        calls > 0 || self.attempt.content.as_ref().is_some_and(|content| content.tool_call_bytes > 0)
    }

    /// Refusals, code and media.
    fn has_other_kinds(&self) -> bool {
        self.record.flags.refusal == Some(true)
            || self.attempt.content.as_ref().is_some_and(|content| {
                [content.refusal_bytes, content.code_bytes, content.image_bytes, content.audio_bytes] != [0; 4]
            })
    }

    /// Whether the sizes by kind tell which kinds came: a decoder always gives them, a host may leave them out.
    fn kinds_are_known(&self) -> bool {
        self.attempt.protocol.is_some()
    }
}

pub(super) const UNCOUNTED: Absence = "the response has no content that the tool counts";

const ARGUMENTS: Absence = "the record does not keep when the arguments of a tool call began";
const CHOICES: Absence = "the record does not keep which events had a choice but no content";
const KINDS: Absence = "the record does not keep the times of each kind of content";
const LAST_LINE: Absence = "the record does not keep the time of the last line";
const NO_EVENTS: Absence = "no event of a stream came";
const NO_TOKENS: Absence = "no output tokens were reported";
