//! A record in brief: its values with units.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use super::words::clean;
use crate::{
    delta::Provenance,
    explain::{
        Value::{self, Amount, Count, Money, Number, Text, Time},
        also, grouped_rate, said,
    },
    fields::written,
    record::{Cost, CostSource, Record, Usage},
    time::Nanos,
};

/// The values of a record that readers look for first, each with its unit. What is unknown is left out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Brief {
    /// Times and rates.
    pub timing: Vec<Fact>,
    /// Attempts, tokens, cost, and what answered.
    pub result: Vec<Fact>,
}

/// A value with its name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Fact {
    /// Stable key in snake case: the name of the value in the [`Record`], where there is one.
    pub key: &'static str,
    /// Short name.
    pub label: &'static str,
    /// The value with its unit.
    pub value: String,
}

written! { Brief, skips None { timing, result } }
written! { Fact, skips None { key, label, value } }

pub(super) fn brief(record: &Record) -> Brief {
    Brief { timing: timing(record), result: result(record) }
}

fn timing(record: &Record) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    facts.time("duration_ns", "duration", Some(record.duration_ns));
    facts.time("request_setup_ns", "setup", record.request_setup_ns);
    facts.time("time_to_headers_ns", "headers", record.time_to_headers_ns);
    facts.time("time_to_first_chunk_ns", "first chunk", record.time_to_first_chunk_ns);
    facts.time("ttft_ns", "ttft", record.ttft_ns);
    facts.time("call_ttft_ns", "call ttft", record.call_ttft_ns);
    facts.time("sampling_ns", "sampling", record.sampling_ns);
    facts.rate("output_tokens_per_second", "tokens/s", record.output_tokens_per_second);
    if record.decode_tokens_per_second != record.output_tokens_per_second {
        facts.rate("decode_tokens_per_second", "decode tok/s", record.decode_tokens_per_second);
    }
    facts.time("time_per_output_token_ns", "per token", record.time_per_output_token_ns);
    if let Some(gaps) = &record.inter_chunk {
        facts.say("inter_chunk", "gaps p50/p99", "{} / {}", &[Time(gaps.p50_ns), Time(gaps.p99_ns)]);
        facts.time("longest_gap", "longest gap", Some(gaps.max_ns));
        if gaps.stalls > 0 {
            facts.say("stalls", "stalls", "{} in {}", &[Count(gaps.stalls), Time(gaps.stalled_ns)]);
        }
    }
    facts.0
}

fn result(record: &Record) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    let attempts = [Count(record.attempt_count), Count(record.retry_count)];
    facts.say("attempt_count", "attempts", "{} ({} retried)", &attempts);
    let (planned, actual) = (record.retry_planned_delay_ns, record.retry_actual_delay_ns);
    if planned.max(actual) > Nanos::ZERO {
        facts.say("retry_actual_delay_ns", "waited", "{} of {} planned", &[Time(actual), Time(planned)]);
    }
    if let Some(usage) = &record.usage {
        tokens(usage, &mut facts);
    }
    if let Some(cost) = &record.cost {
        self::cost(cost, &mut facts);
    }
    if !record.finish_reasons.is_empty() {
        facts.say("finish_reasons", "finish", "{}", &[Text(&record.finish_reasons.join(", "))]);
    }
    if record.tool_call_count > 0 {
        facts.say("tool_call_count", "tool calls", "{}", &[Count(record.tool_call_count)]);
    }
    if let Some(status) = record.status_code {
        facts.say("status_code", "status", "{}", &[Number(status.into())]);
    }
    facts.text("response_model", "answered by", record.response_model.as_deref());
    facts.text("response_id", "response id", record.response_id.as_deref());
    facts.text("request_id", "request id", record.request_id.as_deref());
    facts.text("protocol", "protocol", record.protocol.as_deref());
    facts.0
}

fn tokens(usage: &Usage, facts: &mut Facts) {
    let mut notes = String::new();
    noteworthy(&mut notes, usage.cache_read_tokens, "{} cached");
    noteworthy(&mut notes, usage.cache_write_tokens, "{} to cache");
    provenance(&mut notes, usage.provenance.input_tokens);
    facts.noted("input_tokens", "tokens in", usage.input_tokens.map(Count), &notes);
    notes.clear();
    noteworthy(&mut notes, usage.reasoning_tokens, "{} reasoning");
    provenance(&mut notes, usage.provenance.output_tokens);
    facts.noted("output_tokens", "tokens out", usage.output_tokens.map(Count), &notes);
}

fn noteworthy(notes: &mut String, count: Option<u64>, template: &str) {
    if let Some(count @ 1..) = count {
        also(notes, template, &[Count(count)]);
    }
}

/// Where a count comes from, unless the provider reported it.
fn provenance(notes: &mut String, of: Option<Provenance>) {
    let word = match of {
        Some(Provenance::Partial) => "partial",
        Some(Provenance::Placeholder) => "placeholder",
        Some(Provenance::Estimated) => "estimated",
        _ => return,
    };
    also(notes, word, &[]);
}

fn cost(cost: &Cost, facts: &mut Facts) {
    let mut notes = String::new();
    if let Some(all) = cost.all_attempts.filter(|_| cost.all_attempts != cost.total) {
        also(&mut notes, "{} with all attempts", &[Amount(all)]);
    }
    if cost.source == CostSource::Provider {
        also(&mut notes, "the provider's", &[]);
    }
    facts.noted("cost", "cost", cost.total.map(|total| Money(&cost.currency, total)), &notes);
}

struct Facts(Vec<Fact>);

impl Facts {
    fn say(&mut self, key: &'static str, label: &'static str, template: &str, values: &[Value<'_>]) {
        self.0.push(Fact { key, label, value: clean(&said(template, values)) });
    }

    fn time(&mut self, key: &'static str, label: &'static str, time: Option<Nanos>) {
        if let Some(time) = time {
            self.say(key, label, "{}", &[Time(time)]);
        }
    }

    fn rate(&mut self, key: &'static str, label: &'static str, rate: Option<f64>) {
        self.text(key, label, rate.and_then(grouped_rate).as_deref());
    }

    fn text(&mut self, key: &'static str, label: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.say(key, label, "{}", &[Text(text)]);
        }
    }

    /// A value with what is to note about it.
    fn noted(&mut self, key: &'static str, label: &'static str, value: Option<Value<'_>>, notes: &str) {
        if let Some(value) = value {
            self.say(key, label, if notes.is_empty() { "{}" } else { "{} ({})" }, &[value, Text(notes)]);
        }
    }
}
