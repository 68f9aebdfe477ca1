//! The rules of each tool.

use alloc::vec::Vec;

use super::{
    definition::{Definition, Measure, Metric, Tool},
    stream::{Absence, Counted, Counts, Moment, Stream, Stretch, UNCOUNTED},
};
use crate::{record::Record, time::Nanos};

/// What a rule gives for one call.
enum Reading {
    Between(Nanos, Nanos, Absence),
    Is(Measure),
}

type Figure = Result<Reading, Absence>;

/// One figure of a tool: how it is said, and how it is read.
struct Rule {
    metric: Metric,
    words: &'static str,
    read: fn(&Stream<'_>) -> Figure,
}

pub(super) fn definitions(record: &Record) -> Vec<Definition> {
    let stream = Stream::of(record);
    let mut definitions = Vec::new();
    for tool in Tool::ALL {
        for Rule { metric, words, read } in rules(*tool) {
            let figure = stream.as_ref().map_err(|absence| *absence).and_then(read);
            let (value, between, why_absent) = match figure {
                Ok(Reading::Is(value)) => (Some(value), None, None),
                Ok(Reading::Between(shortest, longest, why)) => (None, Some([shortest, longest]), Some(why)),
                Err(why) => (None, None, Some(why)),
            };
            definitions.push(Definition { tool: *tool, metric: *metric, value, between, rule: words, why_absent });
        }
    }
    definitions
}

fn rules(tool: Tool) -> &'static [Rule] {
    match tool {
        Tool::Llmspan => LLMSPAN,
        Tool::Vllm => VLLM,
        Tool::Sglang => SGLANG,
        Tool::Aiperf => AIPERF,
        Tool::GenaiPerf => GENAI_PERF,
        Tool::Llmperf => LLMPERF,
        Tool::Guidellm => GUIDELLM,
        Tool::Litellm => LITELLM,
        Tool::LitellmPrometheus => LITELLM_PROMETHEUS,
        Tool::Otel => OTEL,
        Tool::Vercel => VERCEL,
    }
}

const LLMSPAN: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first visible chunk of any kind, from the start of the attempt",
        read: |stream| own(stream.record().ttft_ns, "nothing visible came"),
    },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "mean gap between visible chunks",
        read: |stream| {
            let mean = stream.record().inter_chunk.as_ref().map(|gaps| gaps.mean_ns);
            own(mean, "there is no gap between fewer than two chunks")
        },
    },
    Rule {
        metric: Metric::TimePerOutputToken,
        words: "(end of the response - first visible chunk) / (tokens - 1)",
        read: |stream| own(stream.record().time_per_output_token_ns, "it takes two output tokens and a visible chunk"),
    },
    Rule {
        metric: Metric::Throughput,
        words: "tokens / (end of the response - first visible chunk), unless the stream was held back",
        read: |stream| {
            let rate = stream.record().output_tokens_per_second.filter(|rate| rate.is_finite());
            rate.map(|rate| Reading::Is(Measure::PerSecond(rate))).ok_or("no rate means anything for this response")
        },
    },
];

const VLLM: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first event with a choice in it: one with a role alone, or with empty text, counts",
        read: |stream| {
            stream.success()?;
            Ok(time(Moment::START, stream.first_choice()?, 1))
        },
    },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "gaps between events with a choice in them",
        read: |stream| {
            stream.success()?;
            let (first, last, gaps) = stream.choice_gap()?;
            Ok(time(first, last, gaps))
        },
    },
    Rule {
        metric: Metric::TimePerOutputToken,
        words: "(last event with a choice - first one) / (tokens - 1); tokens from an event without a choice, else from a tokenizer",
        read: |stream| {
            stream.success()?;
            let gaps = after_the_first(stream.provider_tokens()?)?;
            Ok(time(stream.first_choice()?, stream.last_choice()?, gaps))
        },
    },
    Rule {
        metric: Metric::RequestThroughput,
        words: "tokens of all requests / time of the run",
        read: |_| Err(OF_A_RUN),
    },
];

const SGLANG: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first text or reasoning that is not empty; a tool call is neither, and a response without either has 0",
        read: |stream| {
            stream.success()?;
            first_or_zero(stream, Counts::Reasoning)
        },
    },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "gaps between chunks of text or reasoning",
        read: |stream| {
            stream.success()?;
            let (first, last, gaps) = stream.gaps(Counts::Reasoning)?;
            Ok(time(first, last, gaps))
        },
    },
    Rule {
        metric: Metric::TimePerOutputToken,
        words: "(last line of the response, the end marker included - first token) / (tokens - 1)",
        read: |stream| {
            stream.success()?;
            let first = match stream.first(Counts::Reasoning)? {
                Counted::At(first) => first,
                Counted::Never => Moment::START,
            };
            Ok(time(first, stream.last_line()?, after_the_first(stream.provider_tokens()?)?))
        },
    },
    Rule {
        metric: Metric::RequestThroughput,
        words: "tokens of all requests / time of the run",
        read: |_| Err(OF_A_RUN),
    },
];

const AIPERF: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first response with text, reasoning or a tool call",
        read: |stream| {
            stream.success()?;
            first(stream, Counts::ToolCalls)
        },
    },
    Rule { metric: Metric::TimeToFirstOutput, words: "first response that is not reasoning", read: first_output },
    Rule {
        metric: Metric::TimeToSecondToken,
        words: "second response with content - first one",
        read: |stream| {
            stream.success()?;
            Ok(stretch(stream.first_gap(Counts::ToolCalls)?, 1))
        },
    },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "(last response with content - first one) / (tokens - 1); tokens from its own tokenizer unless told to take the server's",
        read: |stream| {
            stream.success()?;
            let gaps = after_the_first(stream.provider_tokens()?)?;
            Ok(time(certain(stream.first(Counts::ToolCalls)?)?, certain(stream.last(Counts::ToolCalls)?)?, gaps))
        },
    },
    Rule {
        metric: Metric::Throughput,
        words: "1 / inter-token latency",
        read: |stream| {
            stream.success()?;
            let gaps = after_the_first(stream.provider_tokens()?)?;
            rate(gaps, certain(stream.first(Counts::ToolCalls)?)?, certain(stream.last(Counts::ToolCalls)?)?)
        },
    },
    Rule {
        metric: Metric::RequestThroughput,
        words: "tokens / (last response with content - start)",
        read: |stream| {
            stream.success()?;
            rate(stream.provider_tokens()?, Moment::START, certain(stream.last(Counts::ToolCalls)?)?)
        },
    },
];

const GENAI_PERF: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first response with text; a request without any is left out",
        read: |stream| {
            stream.success()?;
            first(stream, Counts::Text)
        },
    },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "(last response with text - first one) / (tokens of its own tokenizer - 1)",
        read: |_| Err(TOKENIZER),
    },
    Rule {
        metric: Metric::RequestThroughput,
        words: "tokens of its own tokenizer / (last response with text - start)",
        read: |_| Err(TOKENIZER),
    },
];

const LLMPERF: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first text that is not empty; reasoning and tool calls are none, and a response without text has 0",
        read: |stream| {
            stream.success()?;
            first_or_zero(stream, Counts::Text)
        },
    },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "(last text - start) / tokens of its own tokenizer: the time to first token is inside",
        read: |_| Err(TOKENIZER),
    },
    Rule {
        metric: Metric::RequestThroughput,
        words: "tokens of its own tokenizer / (end of the response - start)",
        read: |_| Err(TOKENIZER),
    },
];

const GUIDELLM: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first event with text, reasoning or a tool call",
        read: |stream| {
            stream.success()?;
            first(stream, Counts::ToolCalls)
        },
    },
    Rule { metric: Metric::TimeToFirstOutput, words: "first event with text or a tool call", read: first_output },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "(last event with content - first one) / (tokens - 1)",
        read: |stream| {
            stream.success()?;
            let gaps = after_the_first(stream.provider_tokens()?)?;
            Ok(time(certain(stream.first(Counts::ToolCalls)?)?, certain(stream.last(Counts::ToolCalls)?)?, gaps))
        },
    },
    Rule {
        metric: Metric::TimePerOutputToken,
        words: "(last event with content - start) / tokens: the time to first token is inside",
        read: |stream| {
            stream.success()?;
            let tokens = at_least_one(stream.provider_tokens()?)?;
            Ok(time(Moment::START, certain(stream.last(Counts::ToolCalls)?)?, tokens))
        },
    },
    Rule {
        metric: Metric::RequestThroughput,
        words: "tokens / (end of the response - start)",
        read: |stream| {
            stream.success()?;
            rate(stream.provider_tokens()?, Moment::START, stream.end())
        },
    },
];

const LITELLM: &[Rule] = &[
    Rule { metric: Metric::TimeToFirstToken, words: FIRST_PASSED_ON, read: first_passed_on },
    Rule {
        metric: Metric::TimePerOutputToken,
        words: "(end of the response - first chunk that it passes on) / tokens, the first one included",
        read: |stream| {
            stream.success()?;
            let tokens = at_least_one(stream.tokens()?)?;
            Ok(time(stream.first_choice()?, stream.end(), tokens))
        },
    },
];

const LITELLM_PROMETHEUS: &[Rule] = &[
    Rule { metric: Metric::TimeToFirstToken, words: FIRST_PASSED_ON, read: first_passed_on },
    Rule {
        metric: Metric::TimePerOutputToken,
        words: "time to first token / tokens: what comes after the first token is not in it",
        read: |stream| {
            stream.success()?;
            let tokens = at_least_one(stream.tokens()?)?;
            Ok(time(Moment::START, stream.first_choice()?, tokens))
        },
    },
];

const OTEL: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first chunk of any kind, from when the request was issued",
        read: |stream| own(stream.record().time_to_first_chunk_ns, "no event of a stream came"),
    },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "mean time per chunk of any kind after the first",
        read: |stream| {
            let gaps = stream.events().checked_sub(1).filter(|gaps| *gaps > 0);
            let gaps = gaps.ok_or("there is no gap between fewer than two chunks")?;
            Ok(time(stream.first_event()?, stream.last_event()?, gaps))
        },
    },
];

const VERCEL: &[Rule] = &[
    Rule {
        metric: Metric::TimeToFirstToken,
        words: "first text, reasoning, tool argument or file that is not empty",
        read: |stream| {
            stream.success()?;
            first(stream, Counts::Arguments)
        },
    },
    Rule {
        metric: Metric::InterTokenLatency,
        words: "mean gap between chunks with output, beside minimum, percentiles and maximum",
        read: |stream| {
            stream.success()?;
            let (first, last, gaps) = stream.gaps(Counts::Arguments)?;
            Ok(time(first, last, gaps))
        },
    },
    Rule {
        metric: Metric::Throughput,
        words: "tokens / (end of the response - first output)",
        read: |stream| {
            stream.success()?;
            rate(stream.tokens()?, certain(stream.first(Counts::Arguments)?)?, stream.end())
        },
    },
    Rule {
        metric: Metric::RequestThroughput,
        words: "tokens / (end of the response - start), called effective",
        read: |stream| {
            stream.success()?;
            rate(stream.tokens()?, Moment::START, stream.end())
        },
    },
];

fn own(value: Option<Nanos>, why: Absence) -> Figure {
    value.map(|value| Reading::Is(Measure::Time(value))).ok_or(why)
}

fn first(stream: &Stream<'_>, counts: Counts) -> Figure {
    Ok(time(Moment::START, certain(stream.first(counts)?)?, 1))
}

/// As [`first`], for tools whose time stays at its initial 0 where nothing is counted.
fn first_or_zero(stream: &Stream<'_>, counts: Counts) -> Figure {
    match stream.first(counts)? {
        Counted::At(first) => Ok(time(Moment::START, first, 1)),
        Counted::Never => Ok(Reading::Is(Measure::Time(Nanos::ZERO))),
    }
}

/// The first chunk that a proxy passes on.
fn first_passed_on(stream: &Stream<'_>) -> Figure {
    stream.success()?;
    Ok(time(Moment::START, stream.first_choice()?, 1))
}

/// The first text or tool call.
fn first_output(stream: &Stream<'_>) -> Figure {
    stream.success()?;
    Ok(time(Moment::START, certain(stream.first_answer())?, 1))
}

fn certain(counted: Counted) -> Result<Moment, Absence> {
    match counted {
        Counted::At(moment) => Ok(moment),
        Counted::Never => Err(UNCOUNTED),
    }
}

fn after_the_first(tokens: u64) -> Result<u64, Absence> {
    tokens.checked_sub(1).filter(|gaps| *gaps > 0).ok_or("it takes two output tokens")
}

fn at_least_one(tokens: u64) -> Result<u64, Absence> {
    if tokens > 0 { Ok(tokens) } else { Err("there are no output tokens") }
}

/// The time from one moment to another, divided.
fn time(start: Moment, end: Moment, by: u64) -> Reading {
    stretch(Stretch::from(start, end), by)
}

fn stretch(Stretch { shortest, longest, why }: Stretch, by: u64) -> Reading {
    let each = |nanos: u64| Nanos::from_nanos(nanos.checked_div(by).unwrap_or(nanos));
    if shortest == longest {
        Reading::Is(Measure::Time(each(shortest)))
    } else {
        Reading::Between(each(shortest), each(longest), why)
    }
}

#[expect(clippy::cast_precision_loss, reason = "token counts are at most 2^53")]
fn rate(tokens: u64, start: Moment, end: Moment) -> Figure {
    let Stretch { shortest, longest, why } = Stretch::from(start, end);
    match (shortest == longest, shortest) {
        (false, _) => Err(why),
        (true, 0) => Err("no time passed"),
        (true, nanos) => Ok(Reading::Is(Measure::PerSecond(tokens as f64 / Nanos::from_nanos(nanos).as_secs_f64()))),
    }
}

const FIRST_PASSED_ON: &str = "first chunk that it passes on: one with a role alone may count";
const OF_A_RUN: Absence = "it is a figure of a whole run, not of a call";
const TOKENIZER: Absence = "the record does not keep the count of another tokenizer";
