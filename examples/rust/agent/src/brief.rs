//! A record in a few lines, for a terminal.

use std::fmt::Write as _;

use llmspan::{Nanos, Record};

/// What a person wants to know first about a call.
pub fn brief(record: &Record) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    write_brief(&mut text, record).ok();
    text
}

fn write_brief(text: &mut String, record: &Record) -> std::fmt::Result {
    let model = record.model.as_deref().unwrap_or("?");
    write!(text, "call {}: {} of {model}", record.call, record.outcome.as_str())?;
    if let Some(error) = &record.error {
        write!(text, " ({})", error.error_type)?;
    }
    writeln!(text, ", {} ms in {} attempt(s)", record.duration_ns.as_millis(), record.attempt_count)?;
    let [setup, ttft, sampling] = [record.request_setup_ns, record.ttft_ns, record.sampling_ns].map(millis);
    writeln!(text, "  setup {setup}, first token {ttft} after the final attempt began, then sampling {sampling}")?;
    for attempt in &record.attempts {
        write!(
            text,
            "  attempt {}: {} in {}",
            attempt.number,
            attempt.outcome.as_str(),
            millis(Some(attempt.duration_ns))
        )?;
        if let Some(error) = &attempt.error {
            write!(text, ", error {}", error.error_type)?;
        }
        writeln!(text)?;
        for wait in record.waits.iter().filter(|wait| wait.after_attempt == attempt.number) {
            let asked = if wait.server_requested { ", as the server asked" } else { "" };
            writeln!(text, "  waited {} for {}{asked}", millis(Some(wait.actual_delay_ns)), wait.reason.as_str())?;
        }
    }
    if let Some(stalls) = record.inter_chunk.as_ref().filter(|chunks| chunks.stalls > 0) {
        writeln!(text, "  stalled {} time(s), {} in all", stalls.stalls, millis(Some(stalls.stalled_ns)))?;
    }
    if let Some(usage) = &record.usage {
        let [input, cached, output] = [usage.input_tokens, usage.cache_read_tokens, usage.output_tokens].map(count);
        writeln!(text, "  {input} tokens in ({cached} from the cache), {output} out")?;
    }
    Ok(())
}

fn millis(nanos: Option<Nanos>) -> String {
    nanos.map_or_else(|| "-".into(), |nanos| format!("{} ms", nanos.as_millis()))
}

fn count(tokens: Option<u64>) -> String {
    tokens.map_or_else(|| "?".into(), |tokens| tokens.to_string())
}
